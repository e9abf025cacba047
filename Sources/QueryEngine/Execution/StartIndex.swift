internal import GraphModel

/// START from one of the manual's indexes, for each row.
struct StartIndexPlan: OperatorPlan {
    var isReusable: Bool { true }
    let slot: Slot
    let name: String
    /// nil when `value` is a query.
    let key: Evaluator?
    let value: Evaluator
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { StartIndexOperator(frame, next: next, self) }
}

private final class StartIndexOperator: BatchingOperator {
    private let plan: StartIndexPlan

    init(_ frame: Frame, next: Operator, _ plan: StartIndexPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: [plan.slot])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        throw GraphError(.entityNotFound, "Index `\(plan.name)` does not exist")
    }
}
