public import Cypher
internal import FileSystem
public import GraphModel
public import QueryEngine
public import Storage

/// Takes the rows of one run of a query, on the worker thread, while its transaction is open.
public protocol ResultConsumer {
    mutating func begin(columns: [String], in transaction: Transaction) throws(GraphError)
    mutating func rows(_ batch: ResultBatch, in transaction: Transaction) throws(GraphError)
    mutating func end(_ statistics: QueryStatistics, in transaction: Transaction) throws(GraphError)
}

/// One statement with everything that belongs to it.
public struct Statement: Sendable {
    public var text: String
    public var dialect: Dialect
    public var parameters: [String: Value]
    public var request = Database.RequestOptions()
    /// Lets another thread end the query.
    public var control: ExecutionControl?

    public init(_ text: String, dialect: Dialect = .cypher9, parameters: [String: Value] = [:]) {
        self.text = text
        self.dialect = dialect
        self.parameters = parameters
    }
}

extension Database {
    /// Runs one statement in a transaction of its own and hands its rows to a consumer made by `makeConsumer`, a new one
    /// for each try. A write's consumer is returned only once the commit is acknowledged; a read's rows may leave the
    /// server while the query runs.
    public func query<Consumer: ResultConsumer & Sendable>(
        _ statement: Statement, _ makeConsumer: @escaping @Sendable () -> Consumer
    ) async throws(GraphError) -> (consumer: Consumer, transactionID: TransactionID?) {
        let control = statement.control ?? makeControl(statement.request)
        let engine = engine
        let workers = workers
        let first = try await read(statement.request) { transaction throws(GraphError) -> Consumer? in
            try workers.attending(control) { () throws(GraphError) -> Consumer? in
                let query = try engine.prepare(statement.text, dialect: statement.dialect, over: transaction)
                if query.isWrite && !query.isExplain { return nil }
                return try Self.run(query, statement, control, makeConsumer(), in: transaction)
            }
        }
        if let first { return (first, nil) }
        var request = statement.request
        request.bookmark = nil
        let result = try await write(request) { transaction throws(GraphError) -> Consumer in
            try workers.attending(control) { () throws(GraphError) -> Consumer in
                let query = try engine.prepare(statement.text, dialect: statement.dialect, over: transaction)
                return try Self.run(query, statement, control, makeConsumer(), in: transaction)
            }
        }
        return (result.value, result.transactionID)
    }

    /// Entities that a look-up on the caller's thread may find.
    private static let pointReadCountMaximum = 16

    /// Runs one statement on the caller's thread, if that is known to cost next to nothing: a look-up of a few entities by
    /// the values of an index, which has run before. Changing threads twice would cost several times as much. nil, with
    /// nothing done, for any other.
    public func queryHere<Consumer: ResultConsumer>(
        _ statement: Statement, _ makeConsumer: () -> Consumer
    ) async throws(GraphError) -> Consumer? {
        try await prepare(statement.request)
        return try Self.read(try pipeline.readableStore()) { transaction throws(GraphError) -> Consumer? in
            guard let query = engine.prepared(statement.text, dialect: statement.dialect, over: transaction), query.isPointRead else {
                return nil
            }
            let control = makeControl(statement.request, foundCountMaximum: Self.pointReadCountMaximum)
            do throws(GraphError) { return try Self.run(query, statement, control, makeConsumer(), in: transaction) } catch {
                guard control.hasFoundMore else { throw error }
                query.noteMany()
                return nil
            }
        }
    }

    /// Runs one statement as part of an open transaction, on the thread of that. What the statement asks beside its work
    /// (``Statement/request``) does not count but for its time limit. When it throws, the transaction may hold half of
    /// what the statement does: it is for the caller to roll it back.
    public func run<Consumer: ResultConsumer>(
        _ statement: Statement, _ consumer: Consumer, in transaction: Transaction
    ) throws(GraphError) -> Consumer {
        let query = try engine.prepare(statement.text, dialect: statement.dialect, over: transaction)
        return try Self.run(
            query, statement, statement.control ?? makeControl(statement.request), consumer, in: transaction)
    }

    /// A control with the time limits that apply to a request, for a caller that wants to end the query itself.
    public func makeControl(_ request: RequestOptions) -> ExecutionControl {
        makeControl(request, foundCountMaximum: .max)
    }

    private func makeControl(_ request: RequestOptions, foundCountMaximum: Int) -> ExecutionControl {
        let limits = [options.queryTimeout, request.timeout ?? 0].filter { $0.rawValue > 0 }
        return ExecutionControl(
            deadlineNanoseconds: limits.min().map { monotonicNanoseconds() + $0.rawValue * 1_000_000 },
            byteCountMaximum: options.queryByteCountMaximum, foundCountMaximum: foundCountMaximum)
    }

    static func run<Consumer: ResultConsumer>(
        _ query: PreparedQuery, _ statement: Statement, _ control: ExecutionControl, _ consumer: Consumer,
        in transaction: Transaction
    ) throws(GraphError) -> Consumer {
        var consumer = consumer
        try consumer.begin(columns: query.columns, in: transaction)
        let statistics = try query.run(in: transaction, parameters: statement.parameters, control: control) {
            batch throws(GraphError) in try consumer.rows(batch, in: transaction)
        }
        try transaction.requireIntact()
        try consumer.end(statistics, in: transaction)
        return consumer
    }
}

/// Collects every row in memory.
public struct RowCollector: ResultConsumer, Sendable {
    public private(set) var columns: [String] = []
    public private(set) var rows: [[Value]] = []
    public private(set) var statistics: QueryStatistics?

    public init() {}

    public mutating func begin(columns: [String], in transaction: Transaction) { self.columns = columns }
    public mutating func rows(_ batch: ResultBatch, in transaction: Transaction) {
        for row in 0..<batch.rowCount {
            rows.append((0..<batch.columnCount).map { batch.value(row: row, column: $0) })
        }
    }
    public mutating func end(_ statistics: QueryStatistics, in transaction: Transaction) { self.statistics = statistics }
}
