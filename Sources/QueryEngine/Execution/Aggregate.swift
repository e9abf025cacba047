internal import GraphModel
internal import Storage

/// Groups rows and computes aggregates for each group.
struct AggregatePlan: OperatorPlan {
    let keys: [(expression: Compiled, slot: Slot)]
    let aggregates: [Step.Aggregate]
    var isReusable: Bool { true }

    func make(_ frame: Frame, next: Operator) -> Operator { AggregateOperator(frame, next: next, self) }
}

private final class AggregateOperator: BatchingOperator {
    /// What the rows are grouped by.
    private enum Grouping {
        case none
        /// A node or relationship variable.
        case id(Slot)
        /// One expression, integers so far: they are numbered without becoming values.
        case integers
        case values
    }

    private let plan: AggregatePlan
    private let aggregators: [Aggregator]
    private var grouping: Grouping
    private var ids = IDNumbering()
    private var integers = IntegerNumbering()
    private var values: ValueNumbering
    private var groups: ContiguousArray<Int> = []
    private var key: ContiguousArray<Value> = []
    private var columns = IntegerColumns()

    init(_ frame: Frame, next: Operator, _ plan: AggregatePlan) {
        self.plan = plan
        aggregators = plan.aggregates.map(Aggregator.make)
        values = ValueNumbering(width: plan.keys.count)
        grouping = Self.grouping(plan)
        super.init(
            frame, next: next, carried: [], produced: plan.keys.map(\.slot) + plan.aggregates.map(\.slot))
        if plan.keys.isEmpty { for aggregator in aggregators { aggregator.grow(to: 1) } }
    }

    private static func grouping(_ plan: AggregatePlan) -> Grouping {
        if plan.keys.isEmpty { return .none }
        if plan.keys.count > 1 { return .values }
        switch plan.keys[0].expression.shape {
        case .slot(let slot) where slot.isID && plan.keys[0].slot.isID: return .id(slot)
        case .slot(let slot) where !slot.isID: return .integers
        case .nodeProperty: return .integers
        default: return .values
        }
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        frame.batch = batch
        try frame.checkControl()
        columns.begin()
        if case .none = grouping {
            for aggregator in aggregators { try aggregator.accumulate(frame, nil, &columns) }
            return true
        }
        groups.removeAll(keepingCapacity: true)
        let before = groupCount
        try number(batch)
        // A key, its place in the table, and the state of each aggregate.
        try frame.hold((groupCount - before) * (48 + 32 * plan.keys.count + 48 * plan.aggregates.count))
        for aggregator in aggregators {
            aggregator.grow(to: groupCount)
            try aggregator.accumulate(frame, groups, &columns)
        }
        return true
    }

    /// Fills `groups`.
    private func number(_ batch: Batch) throws(GraphError) {
        switch grouping {
        case .none: return
        case .id(let slot):
            let column = batch.columns[slot.index].ids
            for row in 0..<batch.rowCount { groups.append(ids.number(column[row])) }
            return
        case .integers:
            if let column = columns.column(plan.keys[0].expression.shape, frame) {
                return integers.number(column, into: &groups)
            }
            // Another kind of value: from now on all of them, those of before under their numbers.
            for integer in integers.integers { _ = values.number([.integer(integer)]) }
            integers.removeAll()
            grouping = .values
        case .values: break
        }
        for row in 0..<batch.rowCount {
            key.removeAll(keepingCapacity: true)
            for item in plan.keys { key.append(try item.expression.evaluate(frame, row)) }
            groups.append(values.number(key))
        }
    }

    private var groupCount: Int {
        switch grouping {
        case .none: 1
        case .id: ids.ids.count
        case .integers: integers.integers.count
        case .values: values.count
        }
    }

    override func finish() throws(GraphError) {
        for group in 0..<groupCount {
            for (index, item) in plan.keys.enumerated() {
                let column = item.slot.index
                switch grouping {
                case .none: break
                case .id: output.columns[column].ids.append(ids.ids[group])
                case .integers: output.columns[column].values.append(.integer(integers.integers[group]))
                case .values:
                    let value = values.values[group * values.width + index]
                    if item.slot.isID {
                        output.columns[column].ids.append(value.entityID)
                    } else {
                        output.columns[column].values.append(value)
                    }
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

    override func reset() {
        switch grouping {
        case .none: break
        case .id: ids = IDNumbering()
        case .integers: integers.removeAll()
        case .values: values = ValueNumbering(width: plan.keys.count)
        }
        grouping = Self.grouping(plan)
        key.removeAll(keepingCapacity: true)
        for aggregator in aggregators {
            aggregator.reset()
            if plan.keys.isEmpty { aggregator.grow(to: 1) }
        }
        super.reset()
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
    var isReusable: Bool { true }

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
        try frame.hold(rowsOf: batch, plan.keys)
        return try pass(batch)
    }

    override func reset() {
        ids.removeAll()
        hasNone = false
        if values.count > 0 { values = ValueNumbering(width: plan.keys.count) }
        key.removeAll(keepingCapacity: true)
        super.reset()
    }
}
