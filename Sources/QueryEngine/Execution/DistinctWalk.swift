internal import GraphModel
internal import Storage

/// From nodes to the different nodes that some steps lead to, level by level, however many ways lead there.
struct DistinctWalkPlan: OperatorPlan {
    struct Hop: Sendable {
        let direction: Direction
        let types: [Int]
        /// The first hop of the same pattern: from it on no relationship is used twice.
        let patternStart: Int
        /// Earlier hops of the pattern whose relationships may be this one's.
        let comparable: [Int]
        /// Conditions on the node that the hop leads to, and the slot in which they look for it.
        let filters: [CompiledPredicate]
        let slot: Slot
        /// Whether the nodes that it leads to belong to the result.
        let isReported: Bool
    }
    let from: Slot
    let to: Slot
    let hops: [Hop]
    /// Whether the start itself belongs to the result.
    let reportsStart: Bool
    /// Whether only reaching counts, with at most `hops.count` steps or any number, by hops like the first.
    let reach: Reach?
    /// Whether rows are gathered first: then each node comes once. Else a batch of rows at a time.
    let gathers: Bool
    let isEndNeeded: Bool
    let carried: [Slot]
    var isReusable: Bool { true }

    struct Reach: Sendable { let maximum: Int }

    func make(_ frame: Frame, next: Operator) -> Operator { DistinctWalkOperator(frame, next: next, self) }
}

private final class DistinctWalkOperator: BatchingOperator {
    private let plan: DistinctWalkPlan
    private let walk: LevelWalk
    private let column: Int

    init(_ frame: Frame, next: Operator, _ plan: DistinctWalkPlan) {
        self.plan = plan
        walk = LevelWalk(frame, plan)
        column = plan.to.index
        super.init(frame, next: next, carried: plan.carried, produced: [plan.to])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        let starts = batch.columns[plan.from.index].ids
        if carried.isEmpty {
            for row in 0..<batch.rowCount where starts[row] != noID { walk.addStart(starts[row]) }
            return plan.gathers ? true : try run(nil, 0)
        }
        for row in 0..<batch.rowCount where starts[row] != noID {
            walk.addStart(starts[row])
            if try !run(batch, row) { return false }
        }
        return true
    }

    override func finish() throws(GraphError) {
        if carried.isEmpty && plan.gathers { _ = try run(nil, 0) }
        try super.finish()
    }

    private func run(_ batch: Batch?, _ row: Int) throws(GraphError) -> Bool {
        try walk.run()
        defer { walk.clear() }
        let count = walk.resultCount
        if !plan.isEndNeeded && carried.isEmpty {
            output.rowCount += count
            return try flush()
        }
        var place = 0
        while place < count {
            let end = min(count, place + max(1, frame.batchRowCount - output.rowCount))
            if plan.isEndNeeded { walk.appendResult(place..<end, to: &output.columns[column].ids) }
            if let batch { output.append(row, of: batch, carried, count: end - place) }
            output.rowCount += end - place
            place = end
            if try !flushIfFull() { return false }
        }
        return true
    }

    override func reset() {
        walk.clear()
        walk.trim()
        super.reset()
    }
}
