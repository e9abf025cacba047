internal import GraphModel
internal import Storage

/// Makes nodes and relationships for each row.
struct CreatePlan: OperatorPlan {
    var isReusable: Bool { true }
    let creations: [Step.Creation]

    func make(_ frame: Frame, next: Operator) -> Operator { CreateOperator(frame, next: next, self) }
}

private final class CreateOperator: Operator {
    private let plan: CreatePlan

    init(_ frame: Frame, next: Operator, _ plan: CreatePlan) {
        self.plan = plan
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        frame.batch = batch
        try frame.checkControl()
        for creation in plan.creations { batch.columns[creation.slot.index].ids.removeAll(keepingCapacity: true) }
        for row in 0..<batch.rowCount {
            for creation in plan.creations {
                let properties = try frame.properties(creation, row)
                batch.columns[creation.slot.index].ids.append(try frame.create(creation, properties, batch, row))
            }
        }
        // Updates run to their end even when nobody wants the rows.
        _ = try pass(batch)
        return true
    }
}

/// Makes a single element whose properties come as a map, or one for each map of a list.
struct CreateEachPlan: OperatorPlan {
    var isReusable: Bool { true }
    let creation: Step.Creation
    let source: Evaluator
    let carried: [Slot]

    /// nil when the properties are written out.
    init?(_ creation: Step.Creation, carried: [Slot]) {
        switch creation {
        case .node(_, _, .computed(let source)), .relationship(_, _, _, _, .computed(let source)):
            self.source = source.evaluate
        default: return nil
        }
        self.creation = creation
        self.carried = carried
    }

    func make(_ frame: Frame, next: Operator) -> Operator { CreateEachOperator(frame, next: next, self) }
}

private final class CreateEachOperator: BatchingOperator {
    private let plan: CreateEachPlan

    init(_ frame: Frame, next: Operator, _ plan: CreateEachPlan) {
        self.plan = plan
        super.init(frame, next: next, carried: plan.carried, produced: [plan.creation.slot])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        for row in 0..<batch.rowCount {
            frame.batch = batch
            switch try plan.source(frame, row) {
            case .list(let list):
                for element in list.elements { try emit(frame.map(element), batch, row) }
            case let value: try emit(frame.map(value), batch, row)
            }
        }
        return true
    }

    private func emit(_ properties: [(key: String, value: Value)], _ batch: Batch, _ row: Int) throws(GraphError) {
        output.columns[plan.creation.slot.index].ids.append(try frame.create(plan.creation, properties, batch, row))
        output.append(row, of: batch, carried)
        output.rowCount += 1
        _ = try flushIfFull()
    }
}

extension Frame {
    /// The entries of a map, or of what stands for one.
    func map(_ value: Value) throws(GraphError) -> [(key: String, value: Value)] {
        switch value {
        case .map(let map): return map.entries
        case .node, .relationship: return try Function.properties("SET", self, value)
        default:
            throw GraphError(.typeError, "properties come as a map, not as a value of type \(value.kindName)")
        }
    }

    func properties(_ creation: Step.Creation, _ row: Int) throws(GraphError) -> [(key: String, value: Value)] {
        let source: Step.PropertySource
        switch creation {
        case .node(_, _, let properties): source = properties
        case .relationship(_, _, _, _, let properties): source = properties
        }
        switch source {
        case .none: return []
        case .entries(let entries):
            var result: [(key: String, value: Value)] = []
            result.reserveCapacity(entries.count)
            for entry in entries { result.append((entry.key, try entry.value.evaluate(self, row))) }
            return result
        case .computed(let map):
            let value = try map.evaluate(self, row)
            if case .list = value {
                throw GraphError(
                    .typeError, "a list of maps creates one element for each: nothing else can stand in that CREATE")
            }
            return try self.map(value)
        }
    }

    func create(
        _ creation: Step.Creation, _ properties: [(key: String, value: Value)], _ batch: Batch, _ row: Int
    ) throws(GraphError) -> UInt64 {
        statistics.propertiesSet += properties.count { !$0.value.isNull }
        switch creation {
        case .node(_, let labels, _):
            let id = try transaction.createNode(labels: labels, properties: properties)
            statistics.nodesCreated += 1
            statistics.labelsAdded += Set(labels).count
            return id.rawValue
        case .relationship(_, let type, let from, let to, _):
            let (start, end) = (batch.columns[from.index].ids[row], batch.columns[to.index].ids[row])
            guard start != noID, end != noID else {
                throw GraphError(.entityNotFound, "a relationship :\(type) cannot be created at a node that is null")
            }
            let id = try transaction.createRelationship(
                type: type, from: NodeID(start), to: NodeID(end), properties: properties)
            statistics.relationshipsCreated += 1
            return id.rawValue
        }
    }
}
