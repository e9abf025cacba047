internal import Cypher
public import GraphModel
public import Storage

/// A query, checked and planned. Immutable: any number of threads may run it at once.
public final class PreparedQuery: Sendable {
    let plan: Plan
    /// The number of nodes when it was planned; when it is far off, the engine plans anew.
    let plannedNodeCount: Int
    public let isExplain: Bool

    /// The names of the result's columns exactly as typed; empty when the query returns nothing.
    public var columns: [String] { isExplain ? ["plan"] : plan.columns.map(\.name) }

    /// Whether it must run in a write transaction.
    public var isWrite: Bool { plan.isWrite && !isExplain }

    private let running: RunningQueries

    init(_ query: Query, over transaction: Transaction, _ running: RunningQueries) throws(GraphError) {
        self.running = running
        plan = Plan(try Planner.plan(query, over: transaction))
        isExplain = query.mode == .explain
        plannedNodeCount = transaction.nodeCount()
    }

    /// Runs on the caller's thread and hands out batches of rows in order.
    ///
    /// - Throws: what the query does wrong at run time (`.typeError`, `.propertyNotFound`, `.entityNotFound` …),
    ///   `.parameterMissing`, `.executionLimit` when `control` ends it, `.readOnly` when a writing query is given a read
    ///   transaction, and whatever `onBatch` throws. A write transaction is then half-changed: give it up.
    public func run(
        in transaction: Transaction, parameters: [String: Value], control: ExecutionControl,
        onBatch: (ResultBatch) throws(GraphError) -> Void
    ) throws(GraphError) -> QueryStatistics {
        if isExplain {
            try onBatch(ResultBatch(rowCount: 1, [.values([.string(plan.text)])]))
            return QueryStatistics()
        }
        if isWrite && transaction.isReadOnly {
            throw GraphError(.readOnly, "this query writes, it cannot run in a read transaction")
        }
        let frame = try Frame(plan, transaction, parameters, control, running)
        // Operators hold the frame.
        defer { frame.subplans = [] }
        try control.check()
        return try withoutActuallyEscaping(onBatch) { onBatch throws(GraphError) in
            let sink = ResultSink(frame, plan.columns.map(\.slot), onBatch)
            // The closure must not be reachable any more when this returns.
            defer { sink.onBatch = nil }
            var head: Operator = sink
            for plan in plan.operators.reversed() { head = plan.make(frame, next: head) }
            // A plan begins with a single row without columns.
            let source = Batch(slotCount: plan.slotCount)
            source.rowCount = 1
            _ = try head.push(source)
            try head.finish()
            return frame.statistics
        }
    }
}

/// The end of the chain: hands batches to the caller.
private final class ResultSink: Operator {
    private let columns: [Slot]
    var onBatch: ((ResultBatch) throws(GraphError) -> Void)?

    init(_ frame: Frame, _ columns: [Slot], _ onBatch: @escaping (ResultBatch) throws(GraphError) -> Void) {
        self.columns = columns
        self.onBatch = onBatch
        super.init(frame, next: nil)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        guard let onBatch, !columns.isEmpty else { return true }
        try frame.checkControl()
        try onBatch(
            ResultBatch(
                rowCount: batch.rowCount,
                columns.map { slot in
                    let column = batch.columns[slot.index]
                    return switch slot.holding {
                    case .node: .nodes(column.ids)
                    case .relationship: .relationships(column.ids)
                    case .value: .values(column.values)
                    }
                }))
        return true
    }
}
