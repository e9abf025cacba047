internal import GraphModel
internal import Storage

/// The ends of relationships that are bound already: two rows for an undirected pattern, ends swapped.
struct EndpointsPlan: OperatorPlan {
    var isReusable: Bool { true }
    let ends: Step.Endpoints
    let types: [Int]
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { EndpointsOperator(frame, next: next, self) }
}

private final class EndpointsOperator: BatchingOperator {
    private let plan: EndpointsPlan
    private var types: TypeNumbers

    init(_ frame: Frame, next: Operator, _ plan: EndpointsPlan) {
        self.plan = plan
        types = TypeNumbers(plan.types)
        var produced: [Slot] = []
        if !plan.ends.isFromBound { produced.append(plan.ends.from) }
        if !plan.ends.isToBound, plan.ends.to != plan.ends.from { produced.append(plan.ends.to) }
        super.init(frame, next: next, carried: plan.carried, produced: produced)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        guard let types = types.resolve(frame) else { return true }
        let ends = plan.ends
        for row in 0..<batch.rowCount {
            let id = batch.columns[ends.relationship.index].ids[row]
            guard id != noID, let record = frame.transaction.relationship(RelationshipID(id)) else { continue }
            if !types.isEmpty && !types.contains(record.type) { continue }
            if ends.unique.contains(where: { uses($0, id, batch, row) }) { continue }
            let (start, end) = (record.start.rawValue, record.end.rawValue)
            if ends.direction != .incoming { try append(start, end, batch, row) }
            if ends.direction == .incoming || (ends.direction == .both && start != end) {
                try append(end, start, batch, row)
            }
            if try !flushIfFull() { return false }
        }
        return true
    }

    private func uses(_ slot: Slot, _ id: UInt64, _ batch: Batch, _ row: Int) -> Bool {
        if slot.isID { return batch.columns[slot.index].ids[row] == id }
        guard case .list(let list) = batch.columns[slot.index].values[row] else { return false }
        return list.elements.contains { if case .relationship(let other) = $0 { other.rawValue == id } else { false } }
    }

    private func append(_ from: UInt64, _ to: UInt64, _ batch: Batch, _ row: Int) throws(GraphError) {
        let ends = plan.ends
        if ends.isFromBound, batch.columns[ends.from.index].ids[row] != from { return }
        if ends.isToBound, batch.columns[ends.to.index].ids[row] != to { return }
        if ends.from == ends.to && from != to { return }
        if !ends.isFromBound { output.columns[ends.from.index].ids.append(from) }
        if !ends.isToBound, ends.to != ends.from { output.columns[ends.to.index].ids.append(to) }
        output.append(row, of: batch, carried)
        output.rowCount += 1
    }
}
