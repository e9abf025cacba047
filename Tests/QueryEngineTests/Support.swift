import Cypher
import GraphModel
import QueryEngine
import Storage
import TestSupport
import Testing

/// A small in-memory database to ask questions of.
final class Graph {
    let store: Store
    let committer: LocalCommitter
    let engine = QueryEngine()

    struct Answer {
        var columns: [String] = []
        var rows: [[Value]] = []
        var statistics = QueryStatistics()

        /// Rows as text, in a fixed order: for comparing answers that have none.
        var sorted: [String] { rows.map { $0.map(\.text).joined(separator: " | ") }.sorted() }
        /// Rows as text.
        var lines: [String] { rows.map { $0.map(\.text).joined(separator: " | ") } }
    }

    init() throws {
        store = try makeSmallStore()
        committer = try LocalCommitter(store)
    }

    convenience init(_ creation: String) throws {
        try self.init()
        try run(creation)
    }

    /// Runs one statement in a transaction of its own and commits it.
    @discardableResult
    func run(
        _ query: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9,
        control: ExecutionControl = ExecutionControl(), reserve: Int = 3000
    ) throws -> Answer {
        let prepared = try engine.prepare(query, dialect: dialect, over: store.beginRead())
        let transaction =
            prepared.isWrite ? committer.begin(nodes: reserve, relationships: reserve) : store.beginRead()
        let answer = try Self.run(prepared, transaction, parameters, control)
        if prepared.isWrite { try committer.commitAndWait(transaction) }
        return answer
    }

    static func run(
        _ prepared: PreparedQuery, _ transaction: Transaction, _ parameters: [String: Value] = [:],
        _ control: ExecutionControl = ExecutionControl()
    ) throws -> Answer {
        var answer = Answer(columns: prepared.columns)
        answer.statistics = try prepared.run(in: transaction, parameters: parameters, control: control) { batch in
            for row in 0..<batch.rowCount {
                answer.rows.append((0..<batch.columnCount).map { batch.value(row: row, column: $0) })
            }
        }
        return answer
    }

    /// The rows as text, in the order they come.
    func lines(_ query: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9) throws -> [String] {
        try run(query, parameters, dialect: dialect).lines
    }

    /// The rows as text, sorted.
    func sorted(_ query: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9) throws -> [String] {
        try run(query, parameters, dialect: dialect).sorted
    }

    /// The same in a transaction that is open.
    func lines(in transaction: Transaction, _ query: String) throws -> [String] {
        try Self.run(engine.prepare(query, dialect: .cypher9, over: transaction), transaction).lines
    }

    func sorted(in transaction: Transaction, _ query: String) throws -> [String] {
        try lines(in: transaction, query).sorted()
    }

    func value(in transaction: Transaction, _ query: String) throws -> Value {
        let answer = try Self.run(engine.prepare(query, dialect: .cypher9, over: transaction), transaction)
        return try #require(answer.rows.first?.first)
    }

    /// The only value of the only row.
    func value(_ query: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9) throws -> Value {
        let answer = try run(query, parameters, dialect: dialect)
        try #require(answer.rows.count == 1 && answer.rows[0].count == 1, "\(query): \(answer.lines)")
        return answer.rows[0][0]
    }

    /// The error that a query ends with.
    func error(_ query: String, _ parameters: [String: Value] = [:], dialect: Dialect = .cypher9) -> GraphError? {
        do {
            try run(query, parameters, dialect: dialect)
            return nil
        } catch {
            return error as? GraphError
        }
    }
}

extension Value {
    var text: String {
        switch self {
        case .null: "null"
        case .boolean(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .string(let text): text.text
        case .bytes(let bytes): "\(bytes.bytes)"
        case .temporal(let temporal): temporal.description
        case .point(let point): point.description
        case .list(let list): "[\(list.elements.map(\.text).joined(separator: ", "))]"
        case .map(let map): "{\(map.entries.map { "\($0.key): \($0.value.text)" }.joined(separator: ", "))}"
        case .node(let id): "(\(id.rawValue))"
        case .relationship(let id): "[\(id.rawValue)]"
        case .path(let path):
            "<"
                + path.nodes.enumerated().map { index, node in
                    "(\(node.rawValue))"
                        + (index < path.relationships.count ? "-[\(path.relationships[index].rawValue)]-" : "")
                }.joined() + ">"
        }
    }
}
