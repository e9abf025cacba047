internal import GraphModel

/// One step of a plan, ready to run: holds no state of an execution, so any number of executions share it.
protocol OperatorPlan: Sendable {
    /// The operator for the executions of a frame, one after the other; what it produces goes to `next`.
    func make(_ frame: Frame, next: Operator) -> Operator
    /// Whether the operator's `reset()` leaves it as it was made.
    var isReusable: Bool { get }
}

extension OperatorPlan {
    var isReusable: Bool { false }
}

/// One step of an execution. Rows are pushed through the chain in batches; everything runs on the caller's thread.
class Operator {
    let frame: Frame
    private let following: Operator?

    init(_ frame: Frame, next: Operator?) {
        self.frame = frame
        following = next
    }

    /// Takes rows. Returns false when it wants no more.
    func push(_ batch: Batch) throws(GraphError) -> Bool { try pass(batch) }

    /// No more rows will come.
    func finish() throws(GraphError) { try following?.finish() }

    /// Forgets the last execution, which has ended without an error; keeps memory for the next.
    func reset() { following?.reset() }

    final func pass(_ batch: Batch) throws(GraphError) -> Bool {
        guard let following else { return true }
        return batch.rowCount == 0 ? true : try following.push(batch)
    }
}

/// An operator that fills batches of its own.
class BatchingOperator: Operator {
    let output: Batch
    let carried: [Slot]
    let produced: [Slot]
    /// Elements of lists in the batch, where an operator counts them.
    private var elementCount = 0
    private static let elementCountMaximum = 1 << 18

    /// - Parameters:
    ///   - carried: slots copied from the input rows.
    ///   - produced: slots that this operator fills.
    init(_ frame: Frame, next: Operator, carried: [Slot], produced: [Slot]) {
        output = Batch(slotCount: frame.slotCount)
        self.carried = carried
        self.produced = produced
        super.init(frame, next: next)
    }

    final func flushIfFull() throws(GraphError) -> Bool {
        output.rowCount >= frame.batchRowCount ? try flush() : true
    }

    /// The same after a row whose value has so many elements: a few long lists fill a batch, too.
    final func flushIfFull(addedElementCount: Int) throws(GraphError) -> Bool {
        elementCount += addedElementCount
        return elementCount >= Self.elementCountMaximum ? try flush() : try flushIfFull()
    }

    final func flush() throws(GraphError) -> Bool {
        guard output.rowCount > 0 else { return true }
        try frame.checkControl()
        defer {
            output.clear(carried)
            output.clear(produced)
            output.rowCount = 0
            elementCount = 0
        }
        return try pass(output)
    }

    override func finish() throws(GraphError) {
        _ = try flush()
        try super.finish()
    }

    override func reset() {
        output.trim()
        elementCount = 0
        super.reset()
    }
}
