internal import FileSystem
internal import GraphModel
internal import Storage
internal import Synchronization

/// A transaction that is open on a thread: what begins there meanwhile joins it (flat nesting).
///
/// Belongs to its thread; others see it only to find that out.
final class TransactionScope {
    let database: Database
    let session: LockSession
    private let requestID: RequestID?
    /// The outermost transaction; made by the first read or write, so that what is locked before is seen as it is then.
    private(set) var transaction: Transaction?
    /// What marked it for rollback before there was a transaction to mark.
    private var earlyFailure: GraphError?
    /// Looked at by the thread, ended by whoever drops the handle.
    private let hasEnded = Atomic<Bool>(false)
    var isOpen: Bool { !hasEnded.load(ordering: .acquiring) }
    private let thread = currentThreadNumber()

    init(
        _ database: Database, _ session: LockSession, _ transaction: Transaction? = nil, requestID: RequestID? = nil
    ) {
        self.database = database
        self.session = session
        self.transaction = transaction
        self.requestID = requestID
    }

    var failure: GraphError? { transaction?.failure ?? earlyFailure }

    func mark(_ reason: GraphError) {
        if let transaction { transaction.markForRollback(reason) } else if earlyFailure == nil { earlyFailure = reason }
    }

    /// Throws `.transactionClosed` or `.transactionConfined`.
    func requireUsable() throws(GraphError) {
        guard isOpen else { throw GraphError(.transactionClosed, "this transaction has ended: begin another one") }
        guard thread == currentThreadNumber() else {
            throw GraphError(
                .transactionConfined,
                "this transaction belongs to the thread that began it and cannot be used by another: begin one there")
        }
    }

    /// The transaction, begun now if it was not yet.
    func openTransaction() throws(GraphError) -> Transaction {
        try requireUsable()
        if let transaction { return transaction }
        if let earlyFailure {
            throw GraphError(
                .transactionFailed,
                "this transaction is marked for rollback: finish it (the cause: \(earlyFailure.message))")
        }
        let begun = try database.beginWrite(session, requestID)
        transaction = begun
        return begun
    }

    /// Runs `body` inside; its failure marks the whole transaction for rollback.
    func join<R>(_ body: (Transaction) throws(GraphError) -> R) throws(GraphError) -> R {
        do throws(GraphError) { return try body(try openTransaction()) } catch {
            mark(GraphError(
                error.isRetryable ? error.code : .transactionFailed,
                "a nested transaction failed, so all of it is rolled back: \(error.message)"))
            throw error
        }
    }

    // MARK: The thread's open transactions

    /// At most one for each database.
    private final class OpenScopes {
        var scopes: [TransactionScope] = []
    }

    private static let onThread = ThreadLocal<OpenScopes>()

    /// The transaction of a database that is open on this thread.
    static func current(of database: Database) -> TransactionScope? {
        onThread.current?.scopes.last { $0.database === database && $0.isOpen }
    }

    func enter() {
        let open: OpenScopes
        if let known = Self.onThread.current { open = known } else {
            open = OpenScopes()
            Self.onThread.current = open
        }
        // Left behind by a handle that was dropped on another thread.
        open.scopes.removeAll { !$0.isOpen }
        open.scopes.append(self)
    }

    func leave() {
        hasEnded.store(true, ordering: .releasing)
        Self.onThread.current?.scopes.removeAll { $0 === self }
    }
}
