internal import GraphModel

/// Runs a part of the plan for each row and goes on with nulls where it finds nothing. Rows keep their order.
struct OptionalPlan: OperatorPlan {
    var isReusable: Bool { inner.allSatisfy(\.isReusable) }
    let inner: [any OperatorPlan]
    /// Numbers the rows inside.
    let row: Slot
    /// What the inner part takes from the rows.
    let inside: [Slot]
    /// What goes on from the rows themselves.
    let carried: [Slot]
    /// What the inner part adds.
    let nulls: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator {
        let result = OptionalOperator(frame, next: next, self)
        var head: Operator = OptionalSink(frame, result, row)
        for plan in inner.reversed() { head = plan.make(frame, next: head) }
        result.head = head
        return result
    }
}

private final class OptionalOperator: BatchingOperator {
    private let plan: OptionalPlan
    fileprivate var head: Operator?
    private let row: [Slot]
    private let argument: Batch
    /// The rows outside, copied: operators inside may change the batch they are given.
    private let outside: Batch
    private var nextRow = 0
    private var lastMatched = -1

    init(_ frame: Frame, next: Operator, _ plan: OptionalPlan) {
        self.plan = plan
        row = [plan.row]
        argument = Batch(slotCount: frame.slotCount)
        outside = Batch(slotCount: frame.slotCount)
        super.init(frame, next: next, carried: plan.carried, produced: plan.nulls)
    }

    override func reset() {
        head?.reset()
        argument.trim()
        outside.trim()
        super.reset()
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        argument.clear(plan.inside)
        argument.clear(row)
        argument.rowCount = 0
        argument.append(all: batch, plan.inside)
        argument.columns[plan.row.index].ids.append(contentsOf: 0..<UInt64(batch.rowCount))
        outside.clear(plan.carried)
        outside.rowCount = 0
        outside.append(all: batch, plan.carried)
        nextRow = 0
        lastMatched = -1
        let count = batch.rowCount
        guard let head, try head.push(argument) else { return false }
        try head.finish()
        return try fillGap(before: count)
    }

    /// Takes rows that the inner part has found.
    fileprivate func take(_ batch: Batch, _ row: Slot) throws(GraphError) -> Bool {
        for index in 0..<batch.rowCount {
            let number = Int(batch.columns[row.index].ids[index])
            if try !fillGap(before: number) { return false }
            lastMatched = number
            nextRow = number + 1
            output.append(number, of: outside, carried)
            output.append(index, of: batch, produced)
            output.rowCount += 1
            if try !flushIfFull() { return false }
        }
        return true
    }

    /// Rows up to here have found nothing.
    private func fillGap(before row: Int) throws(GraphError) -> Bool {
        while nextRow < row {
            output.append(nextRow, of: outside, carried)
            output.appendNull(produced)
            output.rowCount += 1
            nextRow += 1
            if try !flushIfFull() { return false }
        }
        return true
    }
}

private final class OptionalSink: Operator {
    private unowned let parent: OptionalOperator
    private let row: Slot

    init(_ frame: Frame, _ parent: OptionalOperator, _ row: Slot) {
        self.parent = parent
        self.row = row
        super.init(frame, next: nil)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool { try parent.take(batch, row) }
}
