internal import GraphModel
internal import Storage

/// From a node to those of its neighbours that another known node has a relationship with, too: an expansion and the one
/// that closes the triangle, in one. Neither relationship is needed.
struct ExpandIntersectPlan: OperatorPlan {
    let expansion: Step.Expansion
    let types: [Int]
    let closing: Step.Expansion
    let closingTypes: [Int]
    let isEndNeeded: Bool
    let carried: [Slot]
    /// What the two expansions need of a row, and what goes on.
    let inputs: [Slot]
    /// The same by two operators, for rows that must compare relationships.
    let plain: [any OperatorPlan]
    var isReusable: Bool { true }

    func make(_ frame: Frame, next: Operator) -> Operator {
        let result = ExpandIntersectOperator(frame, next: next, self)
        var head: Operator = PlainSink(frame, result)
        for plan in plain.reversed() { head = plan.make(frame, next: head) }
        result.plain = head
        return result
    }
}

private final class ExpandIntersectOperator: BatchingOperator {
    private let plan: ExpandIntersectPlan
    private let fromColumn: Int
    private let toColumn: Int
    /// The node that closes the triangle, and the direction of its relationships as it sees them.
    private let otherColumn: Int
    private let otherDirection: Direction
    /// Whether the closing expansion goes to the other node, not from it.
    private let closesAtTo: Bool
    private var types: TypeNumbers
    private var closingTypes: TypeNumbers
    private var table = NeighbourTable()
    private var tableNode = noID
    /// Whether the table is of the node that the expansion goes from, instead of the other.
    private var isTableOfFrom = false
    private var neighbours: ContiguousArray<UInt64> = []
    fileprivate var plain: Operator?
    private let single: Batch

    init(_ frame: Frame, next: Operator, _ plan: ExpandIntersectPlan) {
        self.plan = plan
        fromColumn = plan.expansion.from.index
        toColumn = plan.expansion.to.index
        closesAtTo = plan.closing.from == plan.expansion.to
        otherColumn = (closesAtTo ? plan.closing.to : plan.closing.from).index
        otherDirection = closesAtTo ? plan.closing.direction.reversed : plan.closing.direction
        types = TypeNumbers(plan.types)
        closingTypes = TypeNumbers(plan.closingTypes)
        single = Batch(slotCount: frame.slotCount)
        super.init(frame, next: next, carried: plan.carried, produced: [plan.expansion.to])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        guard let types = types.resolve(frame), let closingTypes = closingTypes.resolve(frame) else { return true }
        if !frame.transaction.isReadOnly { tableNode = noID }
        let from = batch.columns[fromColumn].ids
        let others = batch.columns[otherColumn].ids
        for row in 0..<batch.rowCount where from[row] != noID && others[row] != noID {
            let other = others[row]
            if tableNode != (isTableOfFrom ? from[row] : other) {
                // The node that the next row has, too.
                isTableOfFrom = row + 1 < batch.rowCount && from[row + 1] == from[row] && others[row + 1] != other
                if isTableOfFrom {
                    table.fill(frame.transaction, from[row], plan.expansion.direction, types, withRelationships: false)
                    tableNode = from[row]
                } else {
                    table.fill(frame.transaction, other, otherDirection, closingTypes, withRelationships: false)
                    tableNode = other
                }
            }
            neighbours.removeAll(keepingCapacity: true)
            if isTableOfFrom {
                frame.transaction.expand(NodeID(other), otherDirection, types: closingTypes, neighbours: &neighbours)
            } else {
                frame.transaction.expand(
                    NodeID(from[row]), plan.expansion.direction, types: types, neighbours: &neighbours)
            }
            if mustCompare(batch, row, from[row], other) {
                if try !pushPlain(batch, row) { return false }
                continue
            }
            let before = output.rowCount
            if plan.isEndNeeded {
                for end in neighbours {
                    let count = table.count(end)
                    if count == 0 { continue }
                    for _ in 0..<count { output.columns[toColumn].ids.append(end) }
                    output.rowCount += count
                }
            } else {
                var count = 0
                for end in neighbours { count += table.count(end) }
                output.rowCount += count
            }
            if !carried.isEmpty { output.append(row, of: batch, carried, count: output.rowCount - before) }
            if try !flushIfFull() { return false }
        }
        return true
    }

    /// Whether one of the two relationships may be one that the row holds, or each other.
    private func mustCompare(_ batch: Batch, _ row: Int, _ from: UInt64, _ other: UInt64) -> Bool {
        for unique in plan.expansion.unique {
            if let condition = unique.onlyWhereFromIs, batch.columns[condition.index].ids[row] != from { continue }
            guard let far = unique.onlyWhereToIs, far.index != toColumn else { return true }
            let node = batch.columns[far.index].ids[row]
            for end in neighbours where end == node { return true }
        }
        for unique in plan.closing.unique {
            // One end of the closing relationship is each neighbour, the other is the known node.
            let (near, far) =
                closesAtTo
                ? (unique.onlyWhereFromIs, unique.onlyWhereToIs) : (unique.onlyWhereToIs, unique.onlyWhereFromIs)
            let isNearFound = near?.index == toColumn
            let isFarFound = far?.index == toColumn
            if let far, !isFarFound, batch.columns[far.index].ids[row] != other { continue }
            let nearNode = near.map { isNearFound ? noID : batch.columns[$0.index].ids[row] }
            for end in neighbours {
                if isFarFound && end != other { continue }
                if nearNode == nil || isNearFound || nearNode == end { return true }
            }
        }
        return false
    }

    private func pushPlain(_ batch: Batch, _ row: Int) throws(GraphError) -> Bool {
        guard let plain else { return true }
        for slot in plan.inputs {
            if slot.isID {
                single.columns[slot.index].ids.removeAll(keepingCapacity: true)
                single.columns[slot.index].ids.append(batch.columns[slot.index].ids[row])
            } else {
                single.columns[slot.index].values.removeAll(keepingCapacity: true)
                single.columns[slot.index].values.append(batch.columns[slot.index].values[row])
            }
        }
        single.rowCount = 1
        guard try plain.push(single) else { return false }
        try plain.finish()
        return true
    }

    fileprivate func take(_ batch: Batch) throws(GraphError) -> Bool {
        output.append(all: batch, carried)
        if plan.isEndNeeded { output.columns[toColumn].ids.append(contentsOf: batch.columns[toColumn].ids) }
        return try flushIfFull()
    }

    override func reset() {
        tableNode = noID
        isTableOfFrom = false
        table.reset()
        plain?.reset()
        single.trim()
        super.reset()
    }
}

private final class PlainSink: Operator {
    private unowned let parent: ExpandIntersectOperator

    init(_ frame: Frame, _ parent: ExpandIntersectOperator) {
        self.parent = parent
        super.init(frame, next: nil)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool { try parent.take(batch) }
}
