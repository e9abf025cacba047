internal import GraphModel
internal import Storage

/// All nodes, the nodes of a label, or all relationships, for each row.
struct ScanPlan: OperatorPlan {
    var isReusable: Bool { true }
    let slot: Slot
    /// The label's number in the plan.
    let name: Int?
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { ScanOperator(frame, next: next, self) }
}

private final class ScanOperator: BatchingOperator {
    private let plan: ScanPlan

    init(_ frame: Frame, next: Operator, _ plan: ScanPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: [plan.slot])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        var label: TokenID?
        if let name = plan.name {
            let token = frame.token(name)
            if token == noToken { return true }
            label = token
        }
        let column = plan.slot.index
        for row in 0..<batch.rowCount {
            var cursor: UInt64 = 0
            var hasMore = true
            while hasMore {
                let room = max(1, frame.batchRowCount - output.rowCount)
                if plan.slot.holding == .node {
                    hasMore = frame.transaction.scanNodes(
                        label: label, cursor: &cursor, limit: room, into: &output.columns[column].ids)
                } else {
                    hasMore = frame.transaction.scanRelationships(
                        type: nil, cursor: &cursor, limit: room, into: &output.columns[column].ids)
                }
                let found = output.columns[column].ids.count - output.rowCount
                output.append(row, of: batch, carried, count: found)
                output.rowCount += found
                if try !flushIfFull() { return false }
            }
        }
        return true
    }
}

/// Nodes or relationships by id, for each row.
struct IDSeekPlan: OperatorPlan {
    var isReusable: Bool { true }
    let slot: Slot
    let ids: Evaluator
    let mode: Step.IDSeekMode
    /// Whether it stands for a condition: an id that does not exist gives no row. In START it is an error.
    var isSeek: Bool { mode != .start }
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { IDSeekOperator(frame, next: next, self) }
}

private final class IDSeekOperator: BatchingOperator {
    private let plan: IDSeekPlan

    init(_ frame: Frame, next: Operator, _ plan: IDSeekPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: [plan.slot])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        for row in 0..<batch.rowCount {
            frame.batch = batch
            switch try plan.ids(frame, row) {
            case .list where plan.mode == .equal: continue
            case .list(let list):
                // A condition holds once, however often the list names the id; START takes the list as it is.
                var seen: Set<UInt64> = []
                for value in list.elements {
                    guard let id = try id(value), !plan.isSeek || seen.insert(id).inserted else { continue }
                    if try !emit(id, row, batch) { return false }
                }
            case let value:
                if plan.mode == .list {
                    if value.isNull { continue }
                    throw GraphError(.typeError, "IN needs a list on its right, not a value of type \(value.kindName)")
                }
                if let id = try id(value), try !emit(id, row, batch) { return false }
            }
        }
        return true
    }

    private func emit(_ id: UInt64, _ row: Int, _ batch: Batch) throws(GraphError) -> Bool {
        output.columns[plan.slot.index].ids.append(id)
        output.append(row, of: batch, carried)
        output.rowCount += 1
        return try flushIfFull()
    }

    /// The id that a value names, when there is such an entity; else nil for a condition and an error for START.
    private func id(_ value: Value) throws(GraphError) -> UInt64? {
        let isNode = plan.slot.holding == .node
        let what = isNode ? "Node" : "Relationship"
        let number: UInt64
        switch value {
        case .integer(let integer):
            guard integer >= 0 else {
                if plan.isSeek { return nil }
                throw GraphError(.entityNotFound, "\(what) with id \(integer) not found")
            }
            number = UInt64(integer)
        case .node(let id) where isNode && !plan.isSeek: number = id.rawValue
        case .relationship(let id) where !isNode && !plan.isSeek: number = id.rawValue
        case .float(let float) where plan.isSeek:
            guard let whole = Converting.exact(float), Double(whole) == float, whole >= 0 else { return nil }
            number = UInt64(whole)
        default:
            if plan.isSeek { return nil }
            throw GraphError(.typeError, "START takes ids, which are integers, not a value of type \(value.kindName)")
        }
        let exists =
            isNode
            ? frame.transaction.nodeExists(NodeID(number))
            : frame.transaction.relationship(RelationshipID(number)) != nil
        if exists { return number }
        if plan.isSeek { return nil }
        throw GraphError(.entityNotFound, "\(what) with id \(number) not found")
    }
}

/// One row with a number that the store keeps.
struct StoredCountPlan: OperatorPlan {
    var isReusable: Bool { true }
    let count: Step.StoredCount
    let slots: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { StoredCountOperator(frame, next: next, self) }
}

private final class StoredCountOperator: BatchingOperator {
    private let plan: StoredCountPlan

    init(_ frame: Frame, next: Operator, _ plan: StoredCountPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: [], produced: plan.slots)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        let transaction = frame.transaction
        let count: Int
        switch plan.count {
        case .nodes(nil): count = transaction.nodeCount()
        case .nodes(let label?): count = transaction.token(.label, label).map { transaction.nodeCount(label: $0) } ?? 0
        case .relationships(nil): count = transaction.relationshipCount()
        case .relationships(let type?):
            count = transaction.token(.relationshipType, type).map { transaction.relationshipCount(type: $0) } ?? 0
        }
        for slot in plan.slots { output.columns[slot.index].values.append(.integer(Int64(count))) }
        output.rowCount = 1
        return try flush()
    }
}
