/// A stable error code in the form the ecosystem's drivers understand, with the HTTP status it maps to.
///
/// The code's second part says who can mend it: `ClientError` (the request is wrong), `TransientError` (the same request
/// may succeed later: drivers retry), `DatabaseError` (the server is at fault).
public struct ErrorCode: Hashable, Sendable, CustomStringConvertible {
    /// For example `Neo.ClientError.Statement.SyntaxError`.
    public let name: String
    /// 400 to 599; 200 where the request was carried out before.
    public let httpStatus: Int
    /// The exception name that the legacy REST body carries.
    public let legacyException: String

    public init(_ name: String, httpStatus: Int, legacyException: String) {
        self.name = name
        self.httpStatus = httpStatus
        self.legacyException = legacyException
    }

    public var isTransient: Bool { name.hasPrefix("Neo.TransientError.") }
    public var description: String { name }

    // Statements
    public static let syntaxError = ErrorCode(
        "Neo.ClientError.Statement.SyntaxError", httpStatus: 400, legacyException: "SyntaxException")
    public static let semanticError = ErrorCode(
        "Neo.ClientError.Statement.SemanticError", httpStatus: 400, legacyException: "SemanticException")
    public static let procedureNotFound = ErrorCode(
        "Neo.ClientError.Procedure.ProcedureNotFound", httpStatus: 400, legacyException: "ProcedureNotFoundException")
    public static let typeError = ErrorCode(
        "Neo.ClientError.Statement.TypeError", httpStatus: 400, legacyException: "CypherTypeException")
    public static let argumentError = ErrorCode(
        "Neo.ClientError.Statement.ArgumentError", httpStatus: 400, legacyException: "BadInputException")
    public static let arithmeticError = ErrorCode(
        "Neo.ClientError.Statement.ArithmeticError", httpStatus: 400, legacyException: "ArithmeticException")
    public static let parameterMissing = ErrorCode(
        "Neo.ClientError.Statement.ParameterMissing", httpStatus: 400, legacyException: "ParameterNotFoundException")
    public static let entityNotFound = ErrorCode(
        "Neo.ClientError.Statement.EntityNotFound", httpStatus: 404, legacyException: "NotFoundException")
    public static let propertyNotFound = ErrorCode(
        "Neo.ClientError.Statement.PropertyNotFound", httpStatus: 400, legacyException: "BadInputException")
    public static let invalidRequest = ErrorCode(
        "Neo.ClientError.Request.Invalid", httpStatus: 400, legacyException: "BadInputException")
    public static let constraintViolation = ErrorCode(
        "Neo.ClientError.Schema.ConstraintValidationFailed", httpStatus: 409,
        legacyException: "OperationFailureException")
    /// An index or a constraint of the same meaning, or of the same name, is there already.
    public static let schemaRuleExists = ErrorCode(
        "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists", httpStatus: 409,
        legacyException: "ConstraintViolationException")
    public static let schemaRuleNotFound = ErrorCode(
        "Neo.ClientError.Schema.SchemaRuleNotFound", httpStatus: 404, legacyException: "NotFoundException")
    /// The database itself keeps the index.
    public static let indexIsReadOnly = ErrorCode(
        "Neo.ClientError.Schema.IndexIsReadOnly", httpStatus: 405, legacyException: "UnsupportedOperationException")
    public static let entityDeleted = ErrorCode(
        "Neo.ClientError.Statement.EntityDeletedInTransaction", httpStatus: 409,
        legacyException: "OperationFailureException")
    public static let queryMemory = ErrorCode(
        "Neo.ClientError.General.TransactionOutOfMemoryError", httpStatus: 400,
        legacyException: "TransactionOutOfMemoryException")
    public static let executionLimit = ErrorCode(
        "Neo.ClientError.Transaction.TransactionTimedOut", httpStatus: 400, legacyException: "GuardTimeoutException")
    public static let readOnly = ErrorCode(
        "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase", httpStatus: 403,
        legacyException: "ReadOnlyDatabaseException")

    // The use of a transaction
    /// The transaction has ended, or never began.
    public static let transactionClosed = ErrorCode(
        "Neo.ClientError.Transaction.TransactionClosed", httpStatus: 409, legacyException: "NotInTransactionException")
    /// The transaction is marked for rollback; all it can do is end.
    public static let transactionFailed = ErrorCode(
        "Neo.ClientError.Transaction.TransactionMarkedAsFailed", httpStatus: 409,
        legacyException: "TransactionFailureException")
    /// Used by another thread than the one that it belongs to.
    public static let transactionConfined = ErrorCode(
        "Neo.ClientError.Transaction.TransactionAccessedConcurrently", httpStatus: 409,
        legacyException: "IllegalStateException")
    public static let transactionTooLarge = ErrorCode(
        "Neo.ClientError.Transaction.TransactionTooLarge", httpStatus: 413, legacyException: "TransactionFailureException")
    /// A transaction event handler refused the commit.
    public static let handlerFailed = ErrorCode(
        "Neo.ClientError.Transaction.TransactionHookFailed", httpStatus: 409,
        legacyException: "TransactionFailureException")

    // Transactions and the cluster: nothing was applied, try again
    public static let conflict = ErrorCode(
        "Neo.TransientError.Transaction.ConcurrentUpdate", httpStatus: 503, legacyException: "TransactionFailureException")
    /// Waiting for a lock would have closed a cycle of waiting transactions; this one was chosen to give way.
    public static let deadlock = ErrorCode(
        "Neo.TransientError.Transaction.DeadlockDetected", httpStatus: 503, legacyException: "DeadlockDetectedException")
    public static let lockTimeout = ErrorCode(
        "Neo.TransientError.Transaction.LockAcquisitionTimeout", httpStatus: 503,
        legacyException: "LockAcquisitionTimeoutException")
    public static let noMaster = ErrorCode(
        "Neo.TransientError.Cluster.NoMaster", httpStatus: 503, legacyException: "NoMasterException")
    public static let noQuorum = ErrorCode(
        "Neo.TransientError.Cluster.NoQuorum", httpStatus: 503, legacyException: "NoQuorumException")
    public static let masterChanged = ErrorCode(
        "Neo.TransientError.Cluster.MasterChanged", httpStatus: 503, legacyException: "MasterChangedException")
    public static let bookmarkTimeout = ErrorCode(
        "Neo.TransientError.Transaction.BookmarkTimeout", httpStatus: 503, legacyException: "BookmarkTimeoutException")
    public static let unavailable = ErrorCode(
        "Neo.TransientError.General.DatabaseUnavailable", httpStatus: 503, legacyException: "DatabaseUnavailableException")
    public static let overloaded = ErrorCode(
        "Neo.TransientError.General.Overloaded", httpStatus: 503, legacyException: "OverloadedException")
    /// The write may or may not have happened.
    public static let outcomeUnknown = ErrorCode(
        "Neo.DatabaseError.Transaction.OutcomeUnknown", httpStatus: 504, legacyException: "OutcomeUnknownException")

    // Requests that carry an id
    /// Nothing is wrong: the request was carried out before, and not again.
    public static let requestCommitted = ErrorCode(
        "Neo.ClientNotification.Request.AlreadyCommitted", httpStatus: 200, legacyException: "AlreadyCommittedException")
    /// Not before every member speaks the version of the protocol that knows of ids.
    public static let requestIDUnsupported = ErrorCode(
        "Neo.ClientError.Cluster.RequestIdNotSupported", httpStatus: 409, legacyException: "OperationFailureException")

    // The server, its files, its configuration
    public static let corrupt = ErrorCode(
        "Neo.DatabaseError.Storage.Corrupt", httpStatus: 500, legacyException: "StoreFailureException")
    public static let storageIO = ErrorCode(
        "Neo.DatabaseError.Storage.IO", httpStatus: 500, legacyException: "StoreFailureException")
    /// The log that an incremental backup needs is pruned.
    public static let logPruned = ErrorCode(
        "Neo.ClientError.Backup.LogPruned", httpStatus: 409, legacyException: "BackupException")
    public static let storeLocked = ErrorCode(
        "Neo.DatabaseError.Storage.Locked", httpStatus: 500, legacyException: "StoreLockedException")
    public static let foreignStore = ErrorCode(
        "Neo.DatabaseError.Storage.ForeignStore", httpStatus: 500, legacyException: "StoreFailureException")
    public static let formatVersion = ErrorCode(
        "Neo.DatabaseError.Storage.FormatVersion", httpStatus: 500, legacyException: "StoreFailureException")
    public static let configuration = ErrorCode(
        "Neo.ClientError.General.InvalidConfiguration", httpStatus: 400, legacyException: "ConfigurationException")
    public static let network = ErrorCode(
        "Neo.TransientError.Network.CommunicationError", httpStatus: 503, legacyException: "CommunicationException")
    public static let general = ErrorCode(
        "Neo.DatabaseError.General.UnknownError", httpStatus: 500, legacyException: "InternalServerErrorException")
}

/// An error that a user can be shown: a stable code, and a message that names the offending value and what would be right.
public struct GraphError: Error, Sendable, Equatable, CustomStringConvertible {
    public let code: ErrorCode
    public let message: String
    /// For a lost conflict: the transaction that won. A retry waits until it is applied. For a repeated request: the one
    /// that carried it out.
    public var conflictingTransaction: TransactionID?

    public init(_ code: ErrorCode, _ message: String, conflictingTransaction: TransactionID? = nil) {
        self.code = code
        self.message = message
        self.conflictingTransaction = conflictingTransaction
    }

    /// Whether the same request may succeed later; nothing of it was applied.
    public var isRetryable: Bool { code.isTransient }
    public var description: String { "\(code.name): \(message)" }
}
