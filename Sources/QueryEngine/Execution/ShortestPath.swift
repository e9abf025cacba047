internal import GraphModel
internal import Storage

/// Shortest paths between two nodes, for each row.
struct ShortestPathPlan: OperatorPlan {
    var isReusable: Bool { true }
    let step: Step.ShortestPath
    let types: [Int]
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { ShortestPathOperator(frame, next: next, self) }
}

private final class ShortestPathOperator: BatchingOperator {
    private let plan: ShortestPathPlan

    init(_ frame: Frame, next: Operator, _ plan: ShortestPathPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: [plan.step.relationships])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        throw GraphError(.general, "shortest paths are not there yet")
    }
}
