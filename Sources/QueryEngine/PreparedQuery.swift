internal import Cypher
internal import FileSystem
public import GraphModel
public import Storage
internal import Synchronization

/// A query, checked and planned. Immutable: any number of threads may run it at once.
public final class PreparedQuery: Sendable {
    private let plan: Plan
    private let idle: IdleExecutions
    private let running: RunningQueries
    private let text: String
    private let hasFoundMany = Atomic<Bool>(false)
    /// The number of nodes when it was planned; when it is far off, the engine plans anew.
    let plannedNodeCount: Int
    /// The indexes it was planned with.
    let plannedIndexesVersion: UInt64
    public let isExplain: Bool
    /// The names of the result's columns exactly as typed; empty when the query returns nothing.
    public let columns: [String]

    /// Whether it must run in a write transaction.
    public var isWrite: Bool { plan.isWrite && !isExplain }

    /// Whether it only looks up some entities by the values of an index, and has never found many of them.
    public var isPointRead: Bool { plan.isPointRead && !hasFoundMany.load(ordering: .relaxed) }

    /// Notes that what it looks up can be many.
    public func noteMany() { hasFoundMany.store(true, ordering: .relaxed) }

    init(
        _ query: Query, over transaction: Transaction, _ options: QueryEngine.Options, _ running: RunningQueries,
        _ allowance: IdleAllowance
    ) throws(GraphError) {
        self.running = running
        idle = IdleExecutions(allowance)
        text = String(decoding: query.source, as: UTF8.self)
        plan = Plan(try Planner.plan(query, over: transaction, options), options, mode: query.mode)
        isExplain = query.mode == .explain
        columns = isExplain ? ["plan"] : plan.columns.map(\.name)
        plannedNodeCount = transaction.nodeCount()
        plannedIndexesVersion = transaction.readableIndexesVersion
    }

    /// Executions that wait for the next run, with the memory that they keep.
    package var idleExecutionCount: Int { idle.count }

    func dropIdleExecutions() { idle.dropAll() }

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
            var statistics = QueryStatistics()
            let description = PlanDescription(plan.recorded, columns: plan.columns.map(\.name))
            statistics.plan = description
            try onBatch(ResultBatch([.string(description.text)]))
            return statistics
        }
        if isWrite && transaction.isReadOnly {
            throw GraphError(.readOnly, "this query writes, it cannot run in a read transaction")
        }
        var heldByteCount = 0
        // Memory of many small pieces goes back to the system only when it is asked for.
        defer { if heldByteCount > Self.greatByteCount { returnFreeMemory() } }
        return try execute(transaction, parameters, control, &heldByteCount, onBatch)
    }

    private static let greatByteCount = 64 << 20

    private func execute(
        _ transaction: Transaction, _ parameters: [String: Value], _ control: ExecutionControl,
        _ heldByteCount: inout Int, _ onBatch: (ResultBatch) throws(GraphError) -> Void
    ) throws(GraphError) -> QueryStatistics {
        let execution = plan.isReusable ? idle.take() ?? Execution(plan, running) : Execution(plan, running)
        // One that throws is given up: its operators stopped half-way.
        let statistics = try running.tracking(text, control) { () throws(GraphError) in
            defer { heldByteCount = execution.heldByteCount }
            return try execution.run(in: transaction, parameters: parameters, control: control, onBatch: onBatch)
        }
        if plan.isReusable {
            execution.reset()
            idle.put(execution)
        }
        return statistics
    }
}
