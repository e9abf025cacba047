internal import GraphModel
internal import Storage

/// MERGE: for each row what the pattern finds, or else what it makes. Each row sees what the rows before it made.
struct MergePlan: OperatorPlan {
    var isReusable: Bool { true }
    let match: Subplan
    let creations: [Step.Creation]
    let onCreate: [Step.Update]
    let onMatch: [Step.Update]
    let produced: [Slot]
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { MergeOperator(frame, next: next, self) }
}

private final class MergeOperator: BatchingOperator {
    private let plan: MergePlan
    /// One row: what an update or creation reads and where what was made goes.
    private let row: Batch

    init(_ frame: Frame, next: Operator, _ plan: MergePlan) {
        self.plan = plan
        row = Batch(slotCount: frame.slotCount)
        super.init(frame, next: next, carried: plan.carried, produced: plan.produced)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        for index in 0..<batch.rowCount {
            let start = output.rowCount
            try frame.run(plan.match, index, of: batch) { found throws(GraphError) in
                for match in 0..<found.rowCount {
                    output.append(index, of: batch, carried)
                    output.append(match, of: found, produced)
                    output.rowCount += 1
                }
                return true
            }
            if output.rowCount > start {
                try apply(plan.onMatch, from: start)
            } else {
                try create(index, of: batch)
                try apply(plan.onCreate, from: start)
            }
            // Writing goes on whether or not anybody wants the rows.
            _ = try flushIfFull()
        }
        return true
    }

    override func reset() {
        row.trim()
        super.reset()
    }

    private func apply(_ updates: [Step.Update], from start: Int) throws(GraphError) {
        guard !updates.isEmpty else { return }
        frame.batch = output
        for index in start..<output.rowCount {
            for update in updates { try frame.apply(update, index) }
        }
    }

    private func create(_ index: Int, of batch: Batch) throws(GraphError) {
        row.clear(carried)
        row.clear(produced)
        row.append(index, of: batch, carried)
        row.rowCount = 1
        for creation in plan.creations {
            frame.batch = batch
            let properties = try evaluate(creation, index, batch)
            let id = try frame.create(creation, properties, row, 0)
            row.columns[creation.slot.index].ids.append(id)
        }
        output.append(0, of: row, carried)
        output.append(0, of: row, produced)
        output.rowCount += 1
    }

    private func evaluate(
        _ creation: Step.Creation, _ index: Int, _ batch: Batch
    ) throws(GraphError) -> [(key: String, value: Value)] {
        let properties = try frame.properties(creation, index)
        if let missing = properties.first(where: { $0.value.isNull }) {
            throw GraphError(
                .semanticError,
                "Cannot merge with a null property: '\(missing.key)' is null, and null equals nothing")
        }
        return properties
    }
}
