internal import GraphModel

/// Leaves out the first rows.
struct SkipPlan: OperatorPlan {
    var isReusable: Bool { true }
    let count: Evaluator
    let slots: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { SkipOperator(frame, next: next, self) }
}

private final class SkipOperator: Operator {
    private let plan: SkipPlan
    private var left: Int?

    init(_ frame: Frame, next: Operator, _ plan: SkipPlan) {
        self.plan = plan
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        let count = if let left { left } else { try frame.rowCount(plan.count, "SKIP") }
        let skipped = min(count, batch.rowCount)
        left = count - skipped
        if skipped > 0 { batch.keep(skipped..<batch.rowCount, plan.slots) }
        return try pass(batch)
    }

    override func finish() throws(GraphError) {
        if left == nil { _ = try frame.rowCount(plan.count, "SKIP") }
        try super.finish()
    }

    override func reset() {
        left = nil
        super.reset()
    }
}

/// Ends the query's reading after some rows.
struct LimitPlan: OperatorPlan {
    var isReusable: Bool { true }
    let count: Evaluator
    let slots: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { LimitOperator(frame, next: next, self) }
}

private final class LimitOperator: Operator {
    private let plan: LimitPlan
    private var left: Int?

    init(_ frame: Frame, next: Operator, _ plan: LimitPlan) {
        self.plan = plan
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        let count = if let left { left } else { try frame.rowCount(plan.count, "LIMIT") }
        let taken = min(count, batch.rowCount)
        left = count - taken
        if taken < batch.rowCount { batch.keep(0..<taken, plan.slots) }
        return try pass(batch) && count > taken
    }

    override func finish() throws(GraphError) {
        if left == nil { _ = try frame.rowCount(plan.count, "LIMIT") }
        try super.finish()
    }

    override func reset() {
        left = nil
        super.reset()
    }
}

extension Frame {
    /// The number after SKIP or LIMIT.
    func rowCount(_ count: Evaluator, _ keyword: String) throws(GraphError) -> Int {
        let value = try count(self, 0)
        switch value {
        case .integer(let number) where number >= 0: return Int(number)
        // The manual's language calculates with floats.
        case .float(let float) where missingPropertyIsError:
            if let whole = Converting.exact(float), Double(whole) == float, whole >= 0 { return Int(whole) }
        default: break
        }
        throw GraphError(
            .syntaxError, "\(keyword) takes a whole number that is not negative, not \(value.notation)")
    }
}

/// Gathers all rows before the first goes on.
struct EagerPlan: OperatorPlan {
    var isReusable: Bool { true }
    let slots: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { EagerOperator(frame, next: next, self) }
}

private final class EagerOperator: Operator {
    private let plan: EagerPlan
    private var batches: [Batch] = []

    init(_ frame: Frame, next: Operator, _ plan: EagerPlan) {
        self.plan = plan
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        try frame.hold(rowsOf: batch, plan.slots)
        // Takes the columns away from the batch instead of copying them.
        let kept = Batch(slotCount: frame.slotCount)
        for slot in plan.slots { swap(&kept.columns[slot.index], &batch.columns[slot.index]) }
        kept.rowCount = batch.rowCount
        batches.append(kept)
        batch.rowCount = 0
        return true
    }

    override func finish() throws(GraphError) {
        var wantsMore = true
        for batch in batches where wantsMore { wantsMore = try pass(batch) }
        batches = []
        try super.finish()
    }
}
