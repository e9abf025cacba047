internal import GraphModel

/// Runs a part of the plan for each row: a row for each of its rows, or the row itself when it is run for its effects.
struct ApplyPlan: OperatorPlan {
    var isReusable: Bool { true }
    let subplan: Subplan
    let outputs: [Slot]
    let isUnit: Bool
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { ApplyOperator(frame, next: next, self) }
}

private final class ApplyOperator: BatchingOperator {
    private let plan: ApplyPlan

    init(_ frame: Frame, next: Operator, _ plan: ApplyPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: plan.outputs)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        var wantsMore = true
        for row in 0..<batch.rowCount {
            try frame.run(plan.subplan, row, of: batch) { found throws(GraphError) in
                if plan.isUnit { return true }
                for index in 0..<found.rowCount {
                    output.append(row, of: batch, carried)
                    output.append(index, of: found, produced)
                    output.rowCount += 1
                    if try !flushIfFull() {
                        wantsMore = false
                        return false
                    }
                }
                return true
            }
            if plan.isUnit {
                output.append(row, of: batch, carried)
                output.rowCount += 1
                wantsMore = try flushIfFull()
            }
            if !wantsMore { return false }
        }
        return true
    }
}

/// FOREACH: updates for each element of a list, each element after the one before it is done.
struct ForEachPlan: OperatorPlan {
    var isReusable: Bool { true }
    let list: Evaluator
    let element: Slot
    let subplan: Subplan

    func make(_ frame: Frame, next: Operator) -> Operator { ForEachOperator(frame, next: next, self) }
}

private final class ForEachOperator: Operator {
    private let plan: ForEachPlan

    init(_ frame: Frame, next: Operator, _ plan: ForEachPlan) {
        self.plan = plan
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        // The element stands in a column of its own, one entry for each row of the batch.
        let column = plan.element.index
        batch.columns[column].values = ContiguousArray(repeating: .null, count: batch.rowCount)
        for row in 0..<batch.rowCount {
            frame.batch = batch
            guard let elements = try ExpressionCompiler.elements(try plan.list(frame, row)) else { continue }
            for element in elements {
                batch.columns[column].values[row] = element
                try frame.run(plan.subplan, row, of: batch) { _ throws(GraphError) in true }
            }
        }
        _ = try pass(batch)
        return true
    }
}

/// The rows of several plans over the same rows, one plan after the other, brought into the same columns.
struct UnionPlan: OperatorPlan {
    var isReusable: Bool { true }
    struct Branch: Sendable {
        let subplan: Subplan
        let columns: [Slot]
    }
    let branches: [Branch]
    let outputs: [Slot]
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { UnionOperator(frame, next: next, self) }
}

private final class UnionOperator: BatchingOperator {
    private let plan: UnionPlan

    init(_ frame: Frame, next: Operator, _ plan: UnionPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: plan.outputs)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        var wantsMore = true
        for row in 0..<batch.rowCount {
            for branch in plan.branches where wantsMore {
                try frame.run(branch.subplan, row, of: batch) { found throws(GraphError) in
                    for (from, to) in zip(branch.columns, plan.outputs) { copy(found, from, to) }
                    output.append(row, of: batch, carried, count: found.rowCount)
                    output.rowCount += found.rowCount
                    wantsMore = try flushIfFull()
                    return wantsMore
                }
            }
        }
        return wantsMore
    }

    private func copy(_ batch: Batch, _ from: Slot, _ to: Slot) {
        if to.isID {
            output.columns[to.index].ids.append(contentsOf: batch.columns[from.index].ids)
        } else if !from.isID {
            output.columns[to.index].values.append(contentsOf: batch.columns[from.index].values)
        } else {
            for row in 0..<batch.rowCount { output.columns[to.index].values.append(batch.value(from, row)) }
        }
    }
}
