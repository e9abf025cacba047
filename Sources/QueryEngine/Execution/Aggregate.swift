internal import GraphModel

/// Groups rows and computes aggregates for each group.
struct AggregatePlan: OperatorPlan {
    let keys: [(expression: Compiled, slot: Slot)]
    let aggregates: [Step.Aggregate]

    func make(_ frame: Frame, next: Operator) -> Operator { AggregateOperator(frame, next: next, self) }
}

private final class AggregateOperator: BatchingOperator {
    private let plan: AggregatePlan
    private let aggregators: [Aggregator]
    /// Set when the only key is a node or relationship variable.
    private let idKey: Slot?
    private var ids = IDNumbering()
    private var values: ValueNumbering
    private var groups: ContiguousArray<Int> = []
    private var key: ContiguousArray<Value> = []

    init(_ frame: Frame, next: Operator, _ plan: AggregatePlan) {
        self.plan = plan
        aggregators = plan.aggregates.map(Aggregator.make)
        values = ValueNumbering(width: plan.keys.count)
        if plan.keys.count == 1, plan.keys[0].slot.isID, plan.keys[0].expression.slots.count == 1 {
            idKey = plan.keys[0].expression.slots.first
        } else {
            idKey = nil
        }
        super.init(
            frame, next: next, carried: [], produced: plan.keys.map(\.slot) + plan.aggregates.map(\.slot))
        if plan.keys.isEmpty { for aggregator in aggregators { aggregator.grow(to: 1) } }
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        frame.batch = batch
        try frame.checkControl()
        if plan.keys.isEmpty {
            for aggregator in aggregators { try aggregator.accumulate(frame, nil) }
            return true
        }
        groups.removeAll(keepingCapacity: true)
        if let idKey {
            let column = batch.columns[idKey.index].ids
            for row in 0..<batch.rowCount { groups.append(ids.number(column[row])) }
        } else {
            for row in 0..<batch.rowCount {
                key.removeAll(keepingCapacity: true)
                for item in plan.keys { key.append(try item.expression.evaluate(frame, row)) }
                groups.append(values.number(key))
            }
        }
        for aggregator in aggregators {
            aggregator.grow(to: groupCount)
            try aggregator.accumulate(frame, groups)
        }
        return true
    }

    private var groupCount: Int { plan.keys.isEmpty ? 1 : (idKey == nil ? values.count : ids.ids.count) }

    override func finish() throws(GraphError) {
        for group in 0..<groupCount {
            for (index, item) in plan.keys.enumerated() {
                if idKey != nil {
                    output.columns[item.slot.index].ids.append(ids.ids[group])
                } else if item.slot.isID {
                    output.columns[item.slot.index].ids.append(values.values[group * values.width + index].entityID)
                } else {
                    output.columns[item.slot.index].values.append(values.values[group * values.width + index])
                }
            }
            for (index, aggregate) in plan.aggregates.enumerated() {
                output.columns[aggregate.slot.index].values.append(try aggregators[index].result(group))
            }
            output.rowCount += 1
            if try !flushIfFull() { break }
        }
        try super.finish()
    }
}

extension Value {
    /// The id of a node or relationship, `noID` for anything else.
    var entityID: UInt64 {
        switch self {
        case .node(let id): id.rawValue
        case .relationship(let id): id.rawValue
        default: noID
        }
    }
}

/// Leaves each combination of values once.
struct DistinctPlan: OperatorPlan {
    let keys: [Slot]
    let slots: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { DistinctOperator(frame, next: next, self) }
}

private final class DistinctOperator: Operator {
    private let plan: DistinctPlan
    private var ids = IDSet()
    private var hasNone = false
    private var values: ValueNumbering
    private var key: ContiguousArray<Value> = []
    private var selection: ContiguousArray<Int> = []

    init(_ frame: Frame, next: Operator, _ plan: DistinctPlan) {
        self.plan = plan
        values = ValueNumbering(width: plan.keys.count)
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        selection.removeAll(keepingCapacity: true)
        if plan.keys.count == 1, plan.keys[0].isID {
            let column = batch.columns[plan.keys[0].index].ids
            for row in 0..<batch.rowCount {
                if column[row] == noID {
                    if !hasNone { selection.append(row) }
                    hasNone = true
                } else if ids.insert(column[row]) {
                    selection.append(row)
                }
            }
        } else {
            for row in 0..<batch.rowCount {
                key.removeAll(keepingCapacity: true)
                for slot in plan.keys { key.append(batch.value(slot, row)) }
                let before = values.count
                if values.number(key) == before { selection.append(row) }
            }
        }
        batch.keep(selection, plan.slots)
        return try pass(batch)
    }
}
