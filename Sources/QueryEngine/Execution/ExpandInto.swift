internal import GraphModel
internal import Storage

/// The relationships between two nodes that are known, for each row.
struct ExpandIntoPlan: OperatorPlan {
    let expansion: Step.Expansion
    let types: [Int]
    let isRelationshipNeeded: Bool
    let carried: [Slot]
    var isReusable: Bool { true }

    func make(_ frame: Frame, next: Operator) -> Operator { ExpandIntoOperator(frame, next: next, self) }
}

/// Rows that follow each other often have one of their two nodes in common: its relationships are kept in a table then.
private final class ExpandIntoOperator: BatchingOperator {
    private let plan: ExpandIntoPlan
    private let fromColumn: Int
    private let toColumn: Int
    private let relationshipColumn: Int
    private var types: TypeNumbers
    private var table = NeighbourTable()
    /// The node whose relationships the table has, `noID` for none, and which of a row's two it is.
    private var tableNode = noID
    private var isTableOfFrom = false
    private var found: ContiguousArray<UInt64> = []
    private var neighbours: ContiguousArray<UInt64> = []
    private var relationships: ContiguousArray<UInt64> = []

    init(_ frame: Frame, next: Operator, _ plan: ExpandIntoPlan) {
        self.plan = plan
        fromColumn = plan.expansion.from.index
        toColumn = plan.expansion.to.index
        relationshipColumn = plan.expansion.relationship.index
        types = TypeNumbers(plan.types)
        super.init(frame, next: next, carried: plan.carried, produced: [plan.expansion.relationship])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        guard let types = types.resolve(frame) else { return true }
        // What it has may have changed by a write since.
        if !frame.transaction.isReadOnly { tableNode = noID }
        let from = batch.columns[fromColumn].ids
        let to = batch.columns[toColumn].ids
        for row in 0..<batch.rowCount where from[row] != noID && to[row] != noID {
            let mustCompare = plan.expansion.mustCompare(batch, row, from: from[row], to: to[row])
            let needsRelationships = plan.isRelationshipNeeded || mustCompare
            chooseTable(from, to, row, batch.rowCount, types)
            let isOfFrom = tableNode == from[row] && isTableOfFrom
            let isInTable = isOfFrom || tableNode == to[row] && !isTableOfFrom
            if isInTable && (!needsRelationships || table.hasRelationships) {
                let end = isOfFrom ? to[row] : from[row]
                if !needsRelationships {
                    let count = table.count(end)
                    if count > 0 { output.append(row, of: batch, carried, count: count) }
                    output.rowCount += count
                    if try !flushIfFull() { return false }
                    continue
                }
                found.removeAll(keepingCapacity: true)
                var entry = table.first(end)
                while entry >= 0 {
                    found.append(table.relationship(entry))
                    entry = table.following(entry)
                }
            } else {
                look(from[row], to[row], types)
            }
            if mustCompare { plan.expansion.dropUsed(&found, batch, row) }
            if found.isEmpty { continue }
            if plan.isRelationshipNeeded { output.columns[relationshipColumn].ids.append(contentsOf: found) }
            output.append(row, of: batch, carried, count: found.count)
            output.rowCount += found.count
            if try !flushIfFull() { return false }
        }
        return true
    }

    /// Fills the table with one of the row's nodes when enough rows to come have it, too.
    private func chooseTable(
        _ from: ContiguousArray<UInt64>, _ to: ContiguousArray<UInt64>, _ row: Int, _ rowCount: Int, _ types: [TokenID]
    ) {
        if tableNode != noID, tableNode == (isTableOfFrom ? from[row] : to[row]) { return }
        guard row + 1 < rowCount else { return }
        let isOfFrom: Bool
        if to[row + 1] == to[row] { isOfFrom = false } else if from[row + 1] == from[row] { isOfFrom = true } else { return }
        let column = isOfFrom ? from : to
        let node = column[row]
        let direction = isOfFrom ? plan.expansion.direction : plan.expansion.direction.reversed
        var end = row + 2
        let enough = min(rowCount, row + 64)
        while end < enough, column[end] == node { end += 1 }
        // Filling costs as much as the node has relationships, whatever is asked then.
        let degree = frame.transaction.degree(NodeID(node), direction == .both ? .outgoing : direction, types: types)
        if degree > 64 && degree > 32 * (end - row) { return }
        table.fill(frame.transaction, node, direction, types, withRelationships: plan.isRelationshipNeeded)
        tableNode = node
        isTableOfFrom = isOfFrom
    }

    /// Fills `found` with the relationships of one row, from the node that has fewer.
    private func look(_ from: UInt64, _ to: UInt64, _ types: [TokenID]) {
        let transaction = frame.transaction
        let direction = plan.expansion.direction
        found.removeAll(keepingCapacity: true)
        neighbours.removeAll(keepingCapacity: true)
        relationships.removeAll(keepingCapacity: true)
        let turns =
            transaction.degree(NodeID(from), direction == .both ? .outgoing : direction, types: types)
            > transaction.degree(NodeID(to), direction == .both ? .outgoing : direction.reversed, types: types)
        let (near, far) = turns ? (to, from) : (from, to)
        transaction.expand(
            NodeID(near), turns ? direction.reversed : direction, types: types, neighbours: &neighbours,
            relationships: &relationships)
        for index in 0..<neighbours.count where neighbours[index] == far { found.append(relationships[index]) }
    }

    override func reset() {
        tableNode = noID
        table.reset()
        super.reset()
    }
}

extension Step.Expansion {
    /// Whether a relationship between two nodes may be one that the row holds already.
    @inline(__always)
    func mustCompare(_ batch: Batch, _ row: Int, from: UInt64, to: UInt64) -> Bool {
        for other in unique where other.mayApply(batch, row, from: from, to: to) { return true }
        return false
    }

    /// Takes out the relationships that the row uses already.
    func dropUsed(_ relationships: inout ContiguousArray<UInt64>, _ batch: Batch, _ row: Int) {
        for other in unique {
            if other.slot.isID {
                let used = batch.columns[other.slot.index].ids[row]
                relationships.removeAll { $0 == used }
            } else if case .list(let list) = batch.columns[other.slot.index].values[row] {
                for case .relationship(let id) in list.elements { relationships.removeAll { $0 == id.rawValue } }
            }
        }
    }
}

extension Step.UniqueAgainst {
    @inline(__always)
    func mayApply(_ batch: Batch, _ row: Int, from: UInt64, to: UInt64) -> Bool {
        if let condition = onlyWhereFromIs, batch.columns[condition.index].ids[row] != from { return false }
        if let condition = onlyWhereToIs, batch.columns[condition.index].ids[row] != to { return false }
        return true
    }
}
