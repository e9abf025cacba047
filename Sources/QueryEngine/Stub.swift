public import Cypher
public import GraphModel
public import Storage

public final class QueryEngine: Sendable {
    public init(planCacheCapacity: Int = 1024) {}
    public func prepare(_ text: String, dialect: Dialect, over transaction: Transaction) throws(GraphError) -> PreparedQuery {
        _ = try Parser.parse(text, dialect: dialect)
        return PreparedQuery()
    }
}
public final class PreparedQuery: Sendable {
    public var columns: [String] { [] }
    public var isWrite: Bool { false }
    public var isExplain: Bool { false }
    public func run(
        in transaction: Transaction, parameters: [String: Value], control: ExecutionControl,
        onBatch: (ResultBatch) throws(GraphError) -> Void
    ) throws(GraphError) -> QueryStatistics { QueryStatistics() }
}
public struct ResultBatch {
    public var rowCount: Int
    public var columnCount: Int
    public func value(row: Int, column: Int) -> Value { .null }
}
public final class ExecutionControl: Sendable {
    public init(deadlineNanoseconds: UInt64? = nil) {}
    public func cancel() {}
    public var isCancelled: Bool { false }
}
public struct QueryStatistics: Sendable, Equatable {
    public var nodesCreated = 0, nodesDeleted = 0, relationshipsCreated = 0, relationshipsDeleted = 0
    public var propertiesSet = 0, labelsAdded = 0, labelsRemoved = 0
    public var containsUpdates: Bool { false }
}
