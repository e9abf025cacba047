internal import Cypher
internal import Database
internal import GraphModel
internal import QueryEngine
internal import Storage
internal import Synchronization

/// The statements of one request, which run one after the other in one transaction until one fails.
final class StatementBatch: Sendable {
    private let statements: [StatementInput]
    private let database: Database
    private let call: Call
    private let control: ExecutionControl
    private let showsMetadata: Bool
    private let finished = Mutex<[[UInt8]]>([])

    init(
        _ statements: [StatementInput], _ call: Call, _ database: Database, _ control: ExecutionControl,
        showsMetadata: Bool
    ) {
        self.statements = statements
        self.database = database
        self.control = control
        self.showsMetadata = showsMetadata
        var call = call
        call.body = []
        self.call = call
    }

    /// The results of the last run, of a failed one those before the failure.
    var results: [[UInt8]] { finished.withLock { $0 } }

    /// Whether all of it only reads. What is no statement at all does not count: the run will come to it in its turn.
    func onlyReads(_ transaction: Transaction) -> Bool {
        statements.allSatisfy { statement in
            do throws(GraphError) {
                let query = try database.engine.prepare(statement.text, dialect: .cypher9, over: transaction)
                return !query.isWrite || query.isExplain
            } catch {
                return true
            }
        }
    }

    /// Runs all statements. May run again in another transaction.
    func run(in transaction: Transaction) throws(GraphError) {
        finished.withLock { $0 = [] }
        try database.attending(control) { () throws(GraphError) in
            let maximum = database.options.queryByteCountMaximum
            var left = maximum > 0 ? maximum : .max
            for input in statements {
                try control.check()
                var statement = Statement(input.text, parameters: input.parameters)
                statement.control = control
                let result = StatementResult(input, call, showsMetadata: showsMetadata, byteCountMaximum: left)
                let bytes = try database.run(statement, result, in: transaction).bytes
                left -= bytes.count
                finished.withLock { $0.append(bytes) }
            }
        }
    }
}
