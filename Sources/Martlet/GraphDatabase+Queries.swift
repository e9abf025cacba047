internal import QueryEngine

extension GraphDatabase {
    /// Runs a query and collects its rows: in this thread's open transaction, else in one of its own, which is committed
    /// when this returns.
    ///
    /// - Parameter parameters: values of `$name` in the text.
    /// - Throws: `.syntaxError` with line, column and caret; what the query does wrong at run time; what a write throws.
    @available(*, noasync, message: "blocks its thread: use the async query")
    @discardableResult
    public func query(
        _ text: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9
    ) throws(GraphError) -> QueryResult {
        let statement = Statement(text, dialect: dialect, parameters: parameters)
        return try database.queryBlocking(statement) { ResultCollector() }.consumer.result
    }

    /// The same on a thread of the database.
    @discardableResult
    public func query(
        _ text: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9
    ) async throws(GraphError) -> QueryResult {
        let statement = Statement(text, dialect: dialect, parameters: parameters)
        return try await database.query(statement) { ResultCollector() }.consumer.result
    }

    /// Runs a query in a transaction that is open: it sees what that one sees and wrote.
    @discardableResult
    public func query(
        _ text: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9, in transaction: Transaction
    ) throws(GraphError) -> QueryResult {
        let prepared = try database.engine.prepare(text, dialect: dialect, over: transaction)
        var collector = ResultCollector()
        collector.begin(columns: prepared.columns, in: transaction)
        let statistics = try prepared.run(
            in: transaction, parameters: parameters, control: database.makeControl(Database.RequestOptions())
        ) { batch throws(GraphError) in collector.rows(batch, in: transaction) }
        collector.end(statistics, in: transaction)
        return collector.result
    }

    /// Runs a query and hands over each row as it comes, without collecting them: for results that are larger than the
    /// memory they should take.
    ///
    /// A query that writes is committed only after its last row, and when it loses against another transaction all rows
    /// come again.
    @available(*, noasync, message: "blocks its thread: use the async forEachRow")
    @discardableResult
    public func forEachRow(
        of text: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9,
        _ body: (Row) throws -> Void
    ) throws -> QueryStatistics {
        let thrown = ThrownError()
        let statement = Statement(text, dialect: dialect, parameters: parameters)
        return try withoutActuallyEscaping(body) { body in
            try thrown.rethrow { () throws(GraphError) in
                try database.queryBlocking(statement) { RowVisitor(thrown, body) }.consumer.statistics
            }
        }
    }

    /// The same on a thread of the database.
    @discardableResult
    public func forEachRow(
        of text: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9,
        _ body: @escaping @Sendable (Row) throws -> Void
    ) async throws -> QueryStatistics {
        let thrown = ThrownError()
        let statement = Statement(text, dialect: dialect, parameters: parameters)
        return try await thrown.rethrow { () async throws(GraphError) in
            try await database.query(statement) { SendableRowVisitor(thrown, body) }.consumer.statistics
        }
    }
}

/// Collects rows, without taking them apart.
private struct ResultCollector: ResultConsumer, Sendable {
    private var columns: [String] = []
    private var values: ContiguousArray<Value> = []
    private var rowCount = 0
    private var statistics = QueryStatistics()

    var result: QueryResult { QueryResult(RowStorage(columns, values), rowCount, statistics) }

    mutating func begin(columns: [String], in transaction: Transaction) { self.columns = columns }
    mutating func rows(_ batch: ResultBatch, in transaction: Transaction) {
        batch.append(to: &values)
        rowCount += batch.rowCount
    }
    mutating func end(_ statistics: QueryStatistics, in transaction: Transaction) { self.statistics = statistics }
}

/// Shows each row to a closure.
private struct RowVisitor: ResultConsumer {
    private let thrown: ThrownError
    private let body: (Row) throws -> Void
    private var columns: [String] = []
    private(set) var statistics = QueryStatistics()

    init(_ thrown: ThrownError, _ body: @escaping (Row) throws -> Void) {
        self.thrown = thrown
        self.body = body
    }

    mutating func begin(columns: [String], in transaction: Transaction) { self.columns = columns }

    mutating func rows(_ batch: ResultBatch, in transaction: Transaction) throws(GraphError) {
        try thrown.catching {
            let storage = RowStorage(columns, batch)
            for index in 0..<batch.rowCount { try body(Row(storage, index)) }
        }
    }

    mutating func end(_ statistics: QueryStatistics, in transaction: Transaction) { self.statistics = statistics }
}

/// The same for a closure that may go to another thread.
private struct SendableRowVisitor: ResultConsumer, Sendable {
    private let thrown: ThrownError
    private let body: @Sendable (Row) throws -> Void
    private var columns: [String] = []
    private(set) var statistics = QueryStatistics()

    init(_ thrown: ThrownError, _ body: @escaping @Sendable (Row) throws -> Void) {
        self.thrown = thrown
        self.body = body
    }

    mutating func begin(columns: [String], in transaction: Transaction) { self.columns = columns }

    mutating func rows(_ batch: ResultBatch, in transaction: Transaction) throws(GraphError) {
        try thrown.catching {
            let storage = RowStorage(columns, batch)
            for index in 0..<batch.rowCount { try body(Row(storage, index)) }
        }
    }

    mutating func end(_ statistics: QueryStatistics, in transaction: Transaction) { self.statistics = statistics }
}
