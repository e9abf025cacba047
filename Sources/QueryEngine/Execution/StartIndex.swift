internal import GraphModel
internal import LuceneQuery
internal import Storage

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
    private let kind: SchemaRule.EntityKind
    /// What the index gives for one row.
    private var found: ContiguousArray<UInt64> = []

    init(_ frame: Frame, next: Operator, _ plan: StartIndexPlan) {
        self.plan = plan
        kind = plan.slot.holding == .node ? .node : .relationship
        super.init(frame, next: next, carried: plan.carried, produced: [plan.slot])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        for row in 0..<batch.rowCount {
            frame.batch = batch
            found.removeAll(keepingCapacity: true)
            try find(row)
            var next = 0
            while next < found.count {
                let count = min(found.count - next, max(1, frame.batchRowCount - output.rowCount))
                output.columns[plan.slot.index].ids.append(contentsOf: found[next..<next + count])
                output.append(row, of: batch, carried, count: count)
                output.rowCount += count
                next += count
                if try !flushIfFull() { return false }
            }
        }
        return true
    }

    private func find(_ row: Int) throws(GraphError) {
        let value = try plan.value(frame, row)
        if let key = plan.key {
            return try frame.transaction.lookUp(
                kind, inIndex: plan.name, key: try text(try key(frame, row), "key"), value: try indexed(value), into: &found)
        }
        let query = try IndexQuery.parse(try text(value, "query"))
        let frame = frame
        let hits = try frame.transaction.query(kind, index: plan.name, query) { () throws(GraphError) in
            try frame.checkControl()
        }
        for hit in hits { found.append(hit.id) }
    }

    private func text(_ value: Value, _ what: String) throws(GraphError) -> String {
        if case .string(let string) = value { return string.text }
        throw GraphError(.typeError, "the \(what) for index `\(plan.name)` must be a string, not \(value.kindName)")
    }

    private func indexed(_ value: Value) throws(GraphError) -> IndexedValue {
        if value.isNull { throw GraphError(.argumentError, "index `\(plan.name)` is asked for null, which nothing is added for") }
        return IndexedValue(value)
    }
}
