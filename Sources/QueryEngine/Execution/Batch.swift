internal import GraphModel

/// Where a variable or an intermediate result lives in a batch, resolved when the query is planned.
struct Slot: Hashable, Sendable {
    enum Holding: Sendable { case node, relationship, value }
    let index: Int
    let holding: Holding

    var isID: Bool { holding != .value }
}

/// In id columns the absence of an entity: the null of an optional match.
let noID = UInt64.max

/// One column of a batch. Only one of the two is in use, as the slot says.
struct Column {
    var ids: ContiguousArray<UInt64> = []
    var values: ContiguousArray<Value> = []
}

/// Some rows, column by column. Operators hand batches on by reference: the receiver may compact one or add columns to
/// it, and must copy what it wants to keep. A column that no later operator reads is left out, so only live slots have
/// `rowCount` entries.
final class Batch {
    var rowCount = 0
    var columns: ContiguousArray<Column>

    init(slotCount: Int) { columns = ContiguousArray(repeating: Column(), count: slotCount) }

    func value(_ slot: Slot, _ row: Int) -> Value {
        switch slot.holding {
        case .value: return columns[slot.index].values[row]
        case .node:
            let id = columns[slot.index].ids[row]
            return id == noID ? .null : .node(NodeID(id))
        case .relationship:
            let id = columns[slot.index].ids[row]
            return id == noID ? .null : .relationship(RelationshipID(id))
        }
    }

    /// Empties the given columns and keeps their memory.
    func clear(_ slots: [Slot]) {
        for slot in slots {
            if slot.isID {
                columns[slot.index].ids.removeAll(keepingCapacity: true)
            } else {
                columns[slot.index].values.removeAll(keepingCapacity: true)
            }
        }
    }

    /// Lets go of all values, and of the memory of columns that have become much longer than usual.
    func trim() {
        for index in 0..<columns.count {
            if columns[index].ids.capacity > Self.keptCapacity { columns[index].ids = [] }
            if columns[index].values.capacity > Self.keptCapacity {
                columns[index].values = []
            } else if !columns[index].values.isEmpty {
                columns[index].values.removeAll(keepingCapacity: true)
            }
        }
    }

    private static let keptCapacity = 1 << 12

    /// Appends one row's entries, `count` times over. The caller counts the rows.
    func append(_ row: Int, of other: Batch, _ slots: [Slot], count: Int = 1) {
        for slot in slots {
            if slot.isID {
                let id = other.columns[slot.index].ids[row]
                if count == 1 {
                    columns[slot.index].ids.append(id)
                } else {
                    columns[slot.index].ids.append(contentsOf: repeatElement(id, count: count))
                }
            } else {
                let value = other.columns[slot.index].values[row]
                if count == 1 {
                    columns[slot.index].values.append(value)
                } else {
                    columns[slot.index].values.append(contentsOf: repeatElement(value, count: count))
                }
            }
        }
    }

    /// Appends null to the given columns.
    func appendNull(_ slots: [Slot], count: Int = 1) {
        for slot in slots {
            if slot.isID {
                columns[slot.index].ids.append(contentsOf: repeatElement(noID, count: count))
            } else {
                columns[slot.index].values.append(contentsOf: repeatElement(Value.null, count: count))
            }
        }
    }

    /// Appends all rows of another batch.
    func append(all other: Batch, _ slots: [Slot]) {
        for slot in slots {
            if slot.isID {
                columns[slot.index].ids.append(contentsOf: other.columns[slot.index].ids)
            } else {
                columns[slot.index].values.append(contentsOf: other.columns[slot.index].values)
            }
        }
        rowCount += other.rowCount
    }

    /// Keeps the rows of an ascending selection.
    func keep(_ selection: ContiguousArray<Int>, _ slots: [Slot]) {
        if selection.count == rowCount { return }
        for slot in slots {
            if slot.isID {
                Self.compact(&columns[slot.index].ids, selection)
            } else {
                Self.compact(&columns[slot.index].values, selection)
            }
        }
        rowCount = selection.count
    }

    private static func compact<T>(_ column: inout ContiguousArray<T>, _ selection: ContiguousArray<Int>) {
        for (target, source) in selection.enumerated() where target != source { column[target] = column[source] }
        column.removeLast(column.count - selection.count)
    }

    /// Keeps the rows of a range.
    func keep(_ range: Range<Int>, _ slots: [Slot]) {
        for slot in slots {
            if slot.isID {
                columns[slot.index].ids.removeLast(rowCount - range.upperBound)
                columns[slot.index].ids.removeFirst(range.lowerBound)
            } else {
                columns[slot.index].values.removeLast(rowCount - range.upperBound)
                columns[slot.index].values.removeFirst(range.lowerBound)
            }
        }
        rowCount = range.count
    }
}
