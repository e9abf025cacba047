internal import GraphModel

/// A part of a plan that runs for single rows: from within an expression, or for each row of an operator.
struct Subplan: Sendable {
    /// A variable that an expression binds, and the column that stands for it inside.
    struct Local: Sendable {
        let index: Int
        let slot: Slot
    }

    /// Its place among the instances that a frame keeps.
    let number: Int
    let operators: [any OperatorPlan]
    /// Slots copied from the row outside.
    let imports: [Slot]
    let locals: [Local]

    /// Whether its operators can serve one row after the other.
    let isReusable: Bool

    init(
        _ steps: [Step], needed: Set<Slot>, locals: [Local] = [], context: PlanContext,
        recorder: PlanRecorder? = nil
    ) {
        number = context.subplan()
        let own = Set(locals.map(\.slot))
        let live = steps.liveSlots(after: needed).first ?? needed
        imports = live.subtracting(own).sorted { $0.index < $1.index }
        self.locals = locals.filter { live.contains($0.slot) }
        operators = PhysicalPlanner(context: context, recorder: recorder).operators(steps, needed: needed)
        isReusable = operators.allSatisfy(\.isReusable)
    }
}

/// A subplan's operators in one execution, kept from row to row.
final class SubplanInstance {
    let head: Operator
    let sink: TakingSink
    let argument: Batch

    init(_ subplan: Subplan, _ frame: Frame) {
        sink = TakingSink(frame, next: nil)
        var head: Operator = sink
        for plan in subplan.operators.reversed() { head = plan.make(frame, next: head) }
        self.head = head
        argument = Batch(slotCount: frame.slotCount)
    }
}

/// The end of a chain that hands its batches to a closure.
final class TakingSink: Operator {
    var take: ((Batch) throws(GraphError) -> Bool)?
    /// What the closure has made the frame hold.
    var heldByteCount = 0

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        guard batch.rowCount > 0, let take else { return true }
        let before = frame.heldByteCount
        let wantsMore = try take(batch)
        heldByteCount += frame.heldByteCount - before
        return wantsMore
    }
}

extension Frame {
    /// Runs a subplan for one row of the batch that expressions read, and hands its rows over until `take` returns false.
    func run(
        _ subplan: Subplan, _ row: Int, take: (Batch) throws(GraphError) -> Bool
    ) throws(GraphError) {
        try run(subplan, row, of: batch, take: take)
    }

    func run(
        _ subplan: Subplan, _ row: Int, of outside: Batch, take: (Batch) throws(GraphError) -> Bool
    ) throws(GraphError) {
        let around = batch
        defer { batch = around }
        try checkControl()
        let instance = subplans[subplan.number] ?? SubplanInstance(subplan, self)
        // Taken out while it runs, and put back only when it ends as it began: nothing half done is left in its operators.
        subplans[subplan.number] = nil
        let argument = instance.argument
        argument.clear(subplan.imports)
        argument.append(row, of: outside, subplan.imports)
        for local in subplan.locals {
            argument.columns[local.slot.index].values.removeAll(keepingCapacity: true)
            argument.columns[local.slot.index].values.append(locals[local.index])
        }
        argument.rowCount = 1
        var isComplete = true
        // What its operators hold is given back with them; what the receiver of the rows holds is not.
        let heldBefore = heldByteCount
        instance.sink.heldByteCount = 0
        try withoutActuallyEscaping(take) { take throws(GraphError) in
            instance.sink.take = { batch throws(GraphError) in
                if try take(batch) { return true }
                isComplete = false
                return false
            }
            defer { instance.sink.take = nil }
            if try instance.head.push(argument), isComplete { try instance.head.finish() } else if isComplete {
                // A LIMIT inside wants no more, but what it took is still on its way.
                try instance.head.finish()
                isComplete = false
            }
        }
        if isComplete, subplan.isReusable {
            instance.head.reset()
            subplans[subplan.number] = instance
        }
        release(heldByteCount - heldBefore - instance.sink.heldByteCount)
    }
}
