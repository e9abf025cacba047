internal import GraphModel

/// A row for each element of a list.
struct UnwindPlan: OperatorPlan {
    var isReusable: Bool { true }
    let list: Evaluator
    let slot: Slot
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { UnwindOperator(frame, next: next, self) }
}

private final class UnwindOperator: BatchingOperator {
    private let plan: UnwindPlan

    init(_ frame: Frame, next: Operator, _ plan: UnwindPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: [plan.slot])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        for row in 0..<batch.rowCount {
            frame.batch = batch
            switch try plan.list(frame, row) {
            case .null: continue
            case .list(let list):
                for element in list.elements where try !emit(element, row, batch) { return false }
            // A single value is a list of one.
            case let value: if try !emit(value, row, batch) { return false }
            }
        }
        return true
    }

    private func emit(_ value: Value, _ row: Int, _ batch: Batch) throws(GraphError) -> Bool {
        output.columns[plan.slot.index].values.append(value)
        output.append(row, of: batch, carried)
        output.rowCount += 1
        return try flushIfFull()
    }
}

/// A row for each number of a range, which is never held as a list.
struct UnwindRangePlan: OperatorPlan {
    var isReusable: Bool { true }
    let bounds: [Evaluator]
    let slot: Slot
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { UnwindRangeOperator(frame, next: next, self) }
}

private final class UnwindRangeOperator: BatchingOperator {
    private let plan: UnwindRangePlan

    init(_ frame: Frame, next: Operator, _ plan: UnwindRangePlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: [plan.slot])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        for row in 0..<batch.rowCount {
            frame.batch = batch
            var (number, end, step) = try Function.range(plan.bounds, frame, row)
            while step > 0 ? number <= end : number >= end {
                output.columns[plan.slot.index].values.append(.integer(number))
                output.append(row, of: batch, carried)
                output.rowCount += 1
                if try !flushIfFull() { return false }
                let (next, overflow) = number.addingReportingOverflow(step)
                if overflow { break }
                number = next
            }
        }
        return true
    }
}
