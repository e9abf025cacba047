internal import GraphModel

/// Orders all rows, or with a limit keeps only the first ones at any time.
struct SortPlan: OperatorPlan {
    var isReusable: Bool { true }
    let keys: [Step.SortKey]
    let skip: Evaluator?
    let limit: Evaluator?
    /// What is kept of each row.
    let slots: [Slot]
    /// What goes on.
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { SortOperator(frame, next: next, self) }
}

private final class SortOperator: BatchingOperator {
    private let plan: SortPlan
    private var rows: Batch
    private var keys: SortKeys
    /// How many rows are wanted; nil for all.
    private var wanted: Int?
    private var isWantedKnown = false
    /// Bytes of the rows, as far as the frame was told.
    private var heldByteCount = 0
    /// Keys that memory is kept for, from one execution to the next.
    private static let keptRowCount = 1 << 14

    init(_ frame: Frame, next: Operator, _ plan: SortPlan) {
        self.plan = plan
        rows = Batch(slotCount: frame.slotCount)
        keys = SortKeys(plan.keys)
        super.init(frame, next: next, carried: plan.carried, produced: [])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        if !isWantedKnown {
            if let limit = plan.limit {
                let skipped = if let skip = plan.skip { try frame.rowCount(skip, "SKIP") } else { 0 }
                wanted = try frame.rowCount(limit, "LIMIT").addingReportingOverflow(skipped).partialValue
                if let count = wanted, count < 0 || count > 1 << 40 { wanted = nil }
            }
            isWantedKnown = true
        }
        try frame.checkControl()
        try hold(addSaturating(heldByteCount, byteCount(batch)))
        rows.append(all: batch, plan.slots)
        keys.append(batch)
        if let wanted, rows.rowCount > max(2 * wanted, 4 * frame.batchRowCount) { try keepFirst() }
        return true
    }

    /// The wanted row numbers in order. Throws when the query has to end, soon after.
    private func order() throws(GraphError) -> ContiguousArray<Int> {
        let order = keys.order(first: wanted) { frame.control.isOver }
        try frame.checkControl()
        return order
    }

    /// With the keys, which are the same values as in the rows.
    private func byteCount(_ batch: Batch) -> Int {
        addSaturating(
            batch.byteCount(plan.slots), batch.rowCount * plan.keys.count * MemoryLayout<Value>.stride)
    }

    /// Accounts for rows of so many bytes altogether.
    private func hold(_ byteCount: Int) throws(GraphError) {
        if byteCount < heldByteCount {
            frame.release(heldByteCount - byteCount)
        } else {
            try frame.hold(byteCount - heldByteCount)
        }
        heldByteCount = byteCount
    }

    private func keepFirst() throws(GraphError) {
        let first = try order()
        let kept = Batch(slotCount: frame.slotCount)
        for row in first { kept.append(row, of: rows, plan.slots) }
        kept.rowCount = first.count
        rows = kept
        keys.keep(first)
        try hold(byteCount(rows))
    }

    override func finish() throws(GraphError) {
        for row in try order() {
            output.append(row, of: rows, carried)
            output.rowCount += 1
            if try !flushIfFull() { break }
        }
        rows.clear(plan.slots)
        rows.rowCount = 0
        keys.removeAll(keepingAtMost: Self.keptRowCount)
        try hold(0)
        try super.finish()
    }

    override func reset() {
        isWantedKnown = false
        wanted = nil
        heldByteCount = 0
        rows.trim()
        super.reset()
    }
}
