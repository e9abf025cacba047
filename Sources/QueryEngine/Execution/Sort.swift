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
    private var keys: [ContiguousArray<Value>]
    /// How many rows are wanted; nil for all.
    private var wanted: Int?
    private var isWantedKnown = false
    /// Bytes of the rows, as far as the frame was told.
    private var heldByteCount = 0

    init(_ frame: Frame, next: Operator, _ plan: SortPlan) {
        self.plan = plan
        rows = Batch(slotCount: frame.slotCount)
        keys = plan.keys.map { _ in [] }
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
        for (index, key) in plan.keys.enumerated() {
            for row in 0..<batch.rowCount { keys[index].append(batch.value(key.slot, row)) }
        }
        if let wanted, rows.rowCount > max(2 * wanted, 4 * frame.batchRowCount) { try keepFirst(wanted) }
        return true
    }

    /// Row numbers in order; equal rows as they came. Throws when the query has to end, soon after.
    private func order() throws(GraphError) -> ContiguousArray<Int> {
        let order = unchecked()
        try frame.checkControl()
        return order
    }

    private func unchecked() -> ContiguousArray<Int> {
        var order = ContiguousArray(0..<rows.rowCount)
        let keys = keys
        // Once the query has to end everything is in order: sorting is then over quickly.
        var comparisonCount = 0
        var isOver = false
        func gaveUp() -> Bool {
            comparisonCount &+= 1
            if comparisonCount & 0xFFFF == 0, frame.control.isOver { isOver = true }
            return isOver
        }
        let descending = plan.keys.map(\.isDescending)
        if keys.count == 1 {
            let values = keys[0]
            let sign = descending[0] ? -1 : 1
            order.sort { a, b in
                if gaveUp() { return false }
                let result = values[a].order(values[b]) * sign
                return result != 0 ? result < 0 : a < b
            }
            return order
        }
        order.sort { a, b in
            if gaveUp() { return false }
            for index in keys.indices {
                let result = keys[index][a].order(keys[index][b])
                if result != 0 { return (result < 0) != descending[index] }
            }
            return a < b
        }
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

    private func keepFirst(_ count: Int) throws(GraphError) {
        let first = try order().prefix(count)
        let kept = Batch(slotCount: frame.slotCount)
        var keptKeys = plan.keys.map { _ in ContiguousArray<Value>() }
        for row in first {
            kept.append(row, of: rows, plan.slots)
            for index in keys.indices { keptKeys[index].append(keys[index][row]) }
        }
        kept.rowCount = first.count
        rows = kept
        keys = keptKeys
        try hold(byteCount(rows))
    }

    override func finish() throws(GraphError) {
        for row in try order().prefix(wanted ?? Int.max) {
            output.append(row, of: rows, carried)
            output.rowCount += 1
            if try !flushIfFull() { break }
        }
        rows = Batch(slotCount: frame.slotCount)
        keys = plan.keys.map { _ in [] }
        try hold(0)
        try super.finish()
    }

    override func reset() {
        isWantedKnown = false
        wanted = nil
        heldByteCount = 0
        super.reset()
    }
}
