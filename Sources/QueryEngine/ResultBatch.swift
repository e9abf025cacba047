public import GraphModel

/// Some rows of a result. May be kept: it shares its columns with the engine until one of them changes.
public struct ResultBatch: Sendable {
    enum ResultColumn: Sendable {
        case nodes(ContiguousArray<UInt64>)
        case relationships(ContiguousArray<UInt64>)
        case values(ContiguousArray<Value>)
    }
    public var rowCount: Int
    private let columns: [ResultColumn]

    public var columnCount: Int { columns.count }

    init(rowCount: Int, _ columns: [ResultColumn]) {
        self.rowCount = rowCount
        self.columns = columns
    }

    /// The value in a row and column, both from 0.
    public func value(row: Int, column: Int) -> Value {
        switch columns[column] {
        case .nodes(let ids): ids[row] == noID ? .null : .node(NodeID(ids[row]))
        case .relationships(let ids): ids[row] == noID ? .null : .relationship(RelationshipID(ids[row]))
        case .values(let values): values[row]
        }
    }
}
