internal import FileSystem
internal import GraphModel
internal import Storage
internal import Synchronization

/// The operators of a plan, made once and used by one execution after the other.
final class Execution {
    private let plan: Plan
    private let frame: Frame
    private let head: Operator
    private let sink: ResultSink
    /// A plan begins with a single row without columns.
    private let source: Batch

    init(_ plan: Plan, _ running: RunningQueries) {
        self.plan = plan
        frame = Frame(plan, running)
        sink = ResultSink(frame, plan.resultLayout)
        var head: Operator = sink
        for plan in plan.operators.reversed() { head = plan.make(frame, next: head) }
        self.head = head
        source = Batch(slotCount: plan.slotCount)
    }

    // Operators hold the frame.
    deinit { frame.subplans = [] }

    func run(
        in transaction: Transaction, parameters: [String: Value], control: ExecutionControl,
        onBatch: (ResultBatch) throws(GraphError) -> Void
    ) throws(GraphError) -> QueryStatistics {
        try frame.begin(transaction, parameters, control)
        try control.check()
        if plan.profiledCount > 0 { frame.profile = Profile(operatorCount: plan.profiledCount) }
        return try withoutActuallyEscaping(onBatch) { onBatch throws(GraphError) in
            sink.onBatch = onBatch
            // The closure must not be reachable any more when this returns.
            defer { sink.onBatch = nil }
            source.rowCount = 1
            _ = try head.push(source)
            try head.finish()
            if let profile = frame.profile {
                frame.statistics.plan = PlanDescription(plan.recorded, columns: plan.columns.map(\.name), profile)
            }
            return frame.statistics
        }
    }

    /// The most bytes that the operators kept, roughly.
    var heldByteCount: Int { max(frame.heldByteCount, frame.heldByteCountPeak) }

    /// Makes ready for another execution, after one that ended without an error.
    func reset() {
        head.reset()
        source.trim()
        frame.end()
    }
}

/// How many idle executions all plans of an engine keep, as each keeps some memory.
final class IdleAllowance: Sendable {
    private let count = Atomic<Int>(0)
    private let countMaximum: Int

    init(countMaximum: Int) { self.countMaximum = countMaximum }

    var isUsedUp: Bool { count.load(ordering: .relaxed) >= countMaximum }

    func add(_ change: Int) { count.add(change, ordering: .relaxed) }
}

/// Idle executions of one plan.
final class IdleExecutions: Sendable {
    // Safety: an execution is taken out of the locked list by one thread and used by no other until it is put back.
    private struct Idle: @unchecked Sendable {
        var list: [Execution] = []
    }

    private let idle = BriefMutex(Idle())
    private let allowance: IdleAllowance
    /// As many as threads that usually run one query at once.
    private static let countMaximum = 4

    init(_ allowance: IdleAllowance) { self.allowance = allowance }

    deinit { dropAll() }

    func take() -> Execution? {
        guard let execution = idle.withLock({ $0.list.popLast() }) else { return nil }
        allowance.add(-1)
        return execution
    }

    func put(_ execution: Execution) {
        if allowance.isUsedUp { return }
        let isKept = idle.withLock { idle in
            guard idle.list.count < Self.countMaximum else { return false }
            idle.list.append(execution)
            return true
        }
        if isKept { allowance.add(1) }
    }

    var count: Int { idle.withLock { $0.list.count } }

    func dropAll() {
        let dropped = idle.withLock { idle in
            defer { idle.list = [] }
            return idle
        }
        allowance.add(-dropped.list.count)
    }
}

/// The end of the chain: hands batches to the caller.
private final class ResultSink: Operator {
    private let layout: ResultLayout
    private var storage: ResultStorage
    var onBatch: ((ResultBatch) throws(GraphError) -> Void)?

    init(_ frame: Frame, _ layout: ResultLayout) {
        self.layout = layout
        storage = ResultStorage(layout)
        super.init(frame, next: nil)
    }

    /// The batch's columns go into the result and, unless the caller keeps it, back: nothing is copied.
    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        guard let onBatch, !layout.columns.isEmpty else { return true }
        try frame.checkControl()
        exchangeColumns(with: batch)
        try onBatch(ResultBatch(rowCount: batch.rowCount, storage))
        if isKnownUniquelyReferenced(&storage) {
            exchangeColumns(with: batch)
        } else {
            storage = ResultStorage(layout)
        }
        return true
    }

    private func exchangeColumns(with batch: Batch) {
        // Taken out for the while, so that the objects' fields are accessed once, not once for each column.
        var own: ContiguousArray<Column> = []
        var others: ContiguousArray<Column> = []
        swap(&own, &storage.columns)
        swap(&others, &batch.columns)
        for index in 0..<layout.slots.count {
            let slot = layout.slots[index]
            if slot.isID {
                swap(&own[index].ids, &others[slot.index].ids)
            } else {
                swap(&own[index].values, &others[slot.index].values)
            }
        }
        swap(&own, &storage.columns)
        swap(&others, &batch.columns)
    }
}
