internal import GraphModel
internal import Storage

/// From a node along its relationships, for each row.
struct ExpandPlan: OperatorPlan {
    var isReusable: Bool { true }
    let expansion: Step.Expansion
    let types: [Int]
    let isRelationshipNeeded: Bool
    let isEndNeeded: Bool
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { ExpandOperator(frame, next: next, self) }
}

private final class ExpandOperator: BatchingOperator {
    private let plan: ExpandPlan
    private let fromColumn: Int
    private let toColumn: Int
    private let relationshipColumn: Int
    /// What the current output batch has of the two new columns; swapped into it when it goes on.
    private var neighbours: ContiguousArray<UInt64> = []
    private var relationships: ContiguousArray<UInt64> = []
    private var counts: ContiguousArray<Int> = []
    private var types: TypeNumbers
    private var wantsMore = true
    /// Enough for the look-ups to overlap, few enough for the output to stay in the cache.
    private static let blockRowCount = 32

    init(_ frame: Frame, next: Operator, _ plan: ExpandPlan) {
        self.plan = plan
        fromColumn = plan.expansion.from.index
        toColumn = plan.expansion.to.index
        relationshipColumn = plan.expansion.relationship.index
        types = TypeNumbers(plan.types)
        super.init(
            frame, next: next, carried: plan.carried,
            produced: [plan.expansion.relationship, plan.expansion.to])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        guard let types = types.resolve(frame) else { return true }
        let transaction = frame.transaction
        let direction = plan.expansion.direction
        let sources = batch.columns[fromColumn].ids
        let needsRelationships = plan.isRelationshipNeeded
        if !needsRelationships, try pushMany(batch, sources, types) { return wantsMore }
        for row in 0..<batch.rowCount {
            let node = sources[row]
            if node == noID { continue }
            let start = neighbours.count
            if needsRelationships || mustCompare(batch, row, node) {
                let relationshipStart = relationships.count
                transaction.expand(
                    NodeID(node), direction, types: types, neighbours: &neighbours, relationships: &relationships)
                dropUsed(batch, row, node, start, relationshipStart)
                if !needsRelationships { relationships.removeAll(keepingCapacity: true) }
            } else {
                transaction.expand(NodeID(node), direction, types: types, neighbours: &neighbours)
            }
            let found = neighbours.count - start
            if found == 0 { continue }
            output.append(row, of: batch, carried, count: found)
            output.rowCount += found
            if output.rowCount >= frame.batchRowCount, try !handOn() { return false }
        }
        return true
    }

    /// Expands the rows in blocks when only the neighbours count and no row must compare relationships.
    private func pushMany(
        _ batch: Batch, _ sources: ContiguousArray<UInt64>, _ types: [TokenID]
    ) throws(GraphError) -> Bool {
        for row in 0..<batch.rowCount where sources[row] == noID || mustCompare(batch, row, sources[row]) {
            return false
        }
        wantsMore = true
        for start in stride(from: 0, to: batch.rowCount, by: Self.blockRowCount) {
            let rows = start..<min(start + Self.blockRowCount, batch.rowCount)
            counts.removeAll(keepingCapacity: true)
            let before = neighbours.count
            frame.transaction.expand(
                sources[rows], plan.expansion.direction, types: types, neighbours: &neighbours, counts: &counts)
            if !carried.isEmpty {
                for (index, row) in rows.enumerated() where counts[index] > 0 {
                    output.append(row, of: batch, carried, count: counts[index])
                }
            }
            output.rowCount += neighbours.count - before
            if output.rowCount >= frame.batchRowCount, try !handOn() {
                wantsMore = false
                return true
            }
        }
        return true
    }

    override func finish() throws(GraphError) {
        _ = try handOn()
        try super.finish()
    }

    private func handOn() throws(GraphError) -> Bool {
        swap(&output.columns[toColumn].ids, &neighbours)
        neighbours.removeAll(keepingCapacity: true)
        swap(&output.columns[relationshipColumn].ids, &relationships)
        relationships.removeAll(keepingCapacity: true)
        return try flush()
    }

    /// Whether a relationship found from this row may be one that the row holds already.
    @inline(__always)
    private func mustCompare(_ batch: Batch, _ row: Int, _ node: UInt64) -> Bool {
        for other in plan.expansion.unique {
            guard let condition = other.onlyWhereFromIs else { return true }
            if batch.columns[condition.index].ids[row] == node { return true }
        }
        return false
    }

    /// Relationship uniqueness: what the row uses already is not found again.
    private func dropUsed(_ batch: Batch, _ row: Int, _ node: UInt64, _ start: Int, _ relationshipStart: Int) {
        for other in plan.expansion.unique {
            if let condition = other.onlyWhereFromIs, batch.columns[condition.index].ids[row] != node { continue }
            if other.slot.isID {
                drop(batch.columns[other.slot.index].ids[row], start, relationshipStart)
            } else if case .list(let list) = batch.columns[other.slot.index].values[row] {
                for case .relationship(let id) in list.elements { drop(id.rawValue, start, relationshipStart) }
            }
        }
    }

    private func drop(_ used: UInt64, _ start: Int, _ relationshipStart: Int) {
        // A relationship appears at most once in one expansion.
        for index in relationshipStart..<relationships.count where relationships[index] == used {
            relationships.remove(at: index)
            neighbours.remove(at: start + index - relationshipStart)
            return
        }
    }
}
