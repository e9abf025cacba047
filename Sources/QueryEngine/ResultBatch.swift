public import GraphModel

/// Some rows of a result. May be kept.
public struct ResultBatch: Sendable {
    public let rowCount: Int
    private let storage: ResultStorage

    public var columnCount: Int { storage.layout.columns.count }

    init(rowCount: Int, _ storage: ResultStorage) {
        self.rowCount = rowCount
        self.storage = storage
    }

    /// A single row.
    init(_ values: [Value]) {
        let slots = values.indices.map { Slot(index: $0, holding: .value) }
        let storage = ResultStorage(ResultLayout(slots))
        for (index, value) in values.enumerated() { storage.columns[index].values = [value] }
        self.init(rowCount: 1, storage)
    }

    /// Appends all values, row after row.
    public func append(to values: inout ContiguousArray<Value>) {
        let columns = storage.layout.columns
        if columns.count == 1, columns[0].holding == .value {
            values.append(contentsOf: storage.columns[columns[0].index].values)
            return
        }
        for row in 0..<rowCount {
            for column in columns.indices { values.append(value(row: row, column: column)) }
        }
    }

    /// The value in a row and column, both from 0.
    public func value(row: Int, column: Int) -> Value {
        let (index, holding) = storage.layout.columns[column]
        switch holding {
        case .value: return storage.columns[index].values[row]
        case .node:
            let id = storage.columns[index].ids[row]
            return id == noID ? .null : .node(NodeID(id))
        case .relationship:
            let id = storage.columns[index].ids[row]
            return id == noID ? .null : .relationship(RelationshipID(id))
        }
    }
}

/// Where the columns of a result are.
final class ResultLayout: Sendable {
    /// Per column of the result its place in the storage: two columns may be the same variable.
    let columns: [(index: Int, holding: Slot.Holding)]
    /// Per place in the storage the slot that it comes from.
    let slots: [Slot]

    init(_ columns: [Slot]) {
        var slots: [Slot] = []
        self.columns = columns.map { slot in
            if !slots.contains(slot) { slots.append(slot) }
            return (slots.firstIndex(of: slot) ?? 0, slot.holding)
        }
        self.slots = slots
    }
}

/// The columns of a batch of results.
final class ResultStorage: @unchecked Sendable {
    // Safety: changed by the thread of the query's execution, and by it only while nobody else holds a reference.
    let layout: ResultLayout
    var columns: ContiguousArray<Column>

    init(_ layout: ResultLayout) {
        self.layout = layout
        columns = ContiguousArray(repeating: Column(), count: layout.slots.count)
    }
}
