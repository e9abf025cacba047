internal import GraphModel
internal import Storage

/// Keeps the rows for which a condition is true.
struct FilterPlan: OperatorPlan {
    var isReusable: Bool { true }
    let predicate: CompiledPredicate
    /// Keeps rows on which the condition fails, too: it is tested again later.
    let isLenient: Bool
    let slots: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { FilterOperator(frame, next: next, self) }
}

private final class FilterOperator: Operator {
    private let plan: FilterPlan
    private let test: Predicate
    private let label: Int?
    private let node: Slot?
    private var selection: ContiguousArray<Int> = []

    init(_ frame: Frame, next: Operator, _ plan: FilterPlan) {
        self.plan = plan
        test = plan.predicate.test
        label = plan.predicate.label
        node = plan.predicate.slots.first
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        frame.batch = batch
        try frame.checkControl()
        if let label, let node, frame.isLabelOfAll(label), !batch.columns[node.index].ids.contains(noID) {
            return try pass(batch)
        }
        selection.removeAll(keepingCapacity: true)
        if let label, let node {
            let token = frame.token(label)
            if token != noToken {
                frame.transaction.select(token, among: batch.columns[node.index].ids, into: &selection)
            }
            batch.keep(selection, plan.slots)
            return try pass(batch)
        }
        if plan.isLenient {
            for row in 0..<batch.rowCount {
                do throws(GraphError) {
                    if try test(frame, row) == .true { selection.append(row) }
                } catch {
                    selection.append(row)
                }
            }
        } else {
            for row in 0..<batch.rowCount where try test(frame, row) == .true { selection.append(row) }
        }
        batch.keep(selection, plan.slots)
        return try pass(batch)
    }
}

extension CompiledPredicate {
    /// The label that it asks for, when that is all it does.
    var label: Int? { if case .label(_, let name) = shape { name } else { nil } }
}

extension Frame {
    /// Whether every node has a label, by its name's number.
    func isLabelOfAll(_ name: Int) -> Bool {
        let label = token(name)
        // A row's node may have been deleted by the transaction itself.
        guard label != noToken, transaction.isReadOnly else { return false }
        return transaction.nodeCount(label: label) == transaction.nodeCount()
    }
}

/// Computes columns.
struct ProjectPlan: OperatorPlan {
    var isReusable: Bool { true }
    let items: [(expression: Compiled, slot: Slot)]

    func make(_ frame: Frame, next: Operator) -> Operator { ProjectOperator(frame, next: next, self) }
}

private final class ProjectOperator: Operator {
    /// Batches from this size on are worth looking for columns of integers.
    private static let columnRowCount = 16
    private let evaluators: [Evaluator]
    private let shapes: [Compiled.Shape]
    private let targets: [Int]
    private var columns = IntegerColumns()
    /// Bytes of a batch's values from which they are accounted for while they are on their way.
    private static let largeByteCount = 1 << 20

    init(_ frame: Frame, next: Operator, _ plan: ProjectPlan) {
        evaluators = plan.items.map(\.expression.evaluate)
        shapes = plan.items.map(\.expression.shape)
        targets = plan.items.map(\.slot.index)
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        frame.batch = batch
        columns.begin()
        var heldByteCount = 0
        var byteCount = 0
        defer { frame.release(heldByteCount) }
        for item in targets.indices {
            let index = targets[item]
            batch.columns[index].values.removeAll(keepingCapacity: true)
            batch.columns[index].values.reserveCapacity(batch.rowCount)
            if batch.rowCount >= Self.columnRowCount, case .nodeProperty = shapes[item],
                let column = columns.column(shapes[item], frame)
            {
                for integer in column { batch.columns[index].values.append(.integer(integer)) }
                continue
            }
            let evaluate = evaluators[item]
            for row in 0..<batch.rowCount {
                let value = try evaluate(frame, row)
                batch.columns[index].values.append(value)
                byteCount = addSaturating(byteCount, value.byteCount)
                if byteCount > Self.largeByteCount {
                    heldByteCount = addSaturating(heldByteCount, byteCount)
                    try frame.hold(byteCount)
                    byteCount = 0
                }
            }
        }
        return try pass(batch)
    }
}

/// A value column becomes a column of entities.
struct EntityPlan: OperatorPlan {
    var isReusable: Bool { true }
    let from: Slot
    let to: Slot

    func make(_ frame: Frame, next: Operator) -> Operator { EntityOperator(frame, next: next, self) }
}

private final class EntityOperator: Operator {
    private let plan: EntityPlan

    init(_ frame: Frame, next: Operator, _ plan: EntityPlan) {
        self.plan = plan
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        batch.columns[plan.to.index].ids.removeAll(keepingCapacity: true)
        for row in 0..<batch.rowCount {
            let id: UInt64
            switch (batch.value(plan.from, row), plan.to.holding) {
            case (.null, _): id = noID
            case (.node(let node), .node): id = node.rawValue
            case (.relationship(let relationship), .relationship): id = relationship.rawValue
            case (let value, let wanted):
                throw GraphError(
                    .typeError,
                    "a pattern needs a \(wanted == .node ? "node" : "relationship"), not a value of type \(value.kindName)"
                )
            }
            batch.columns[plan.to.index].ids.append(id)
        }
        return try pass(batch)
    }
}

/// Builds paths from what a pattern has found.
struct PathPlan: OperatorPlan {
    var isReusable: Bool { true }
    let slot: Slot
    let shape: Step.PathShape

    func make(_ frame: Frame, next: Operator) -> Operator { PathOperator(frame, next: next, self) }
}

private final class PathOperator: Operator {
    private let plan: PathPlan

    init(_ frame: Frame, next: Operator, _ plan: PathPlan) {
        self.plan = plan
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        batch.columns[plan.slot.index].values.removeAll(keepingCapacity: true)
        for row in 0..<batch.rowCount { batch.columns[plan.slot.index].values.append(path(batch, row)) }
        return try pass(batch)
    }

    /// null when any part is.
    private func path(_ batch: Batch, _ row: Int) -> Value {
        let first = batch.columns[plan.shape.nodes[0].index].ids[row]
        if first == noID { return .null }
        var nodes = [NodeID(first)]
        var relationships: [RelationshipID] = []
        for (index, slot) in plan.shape.relationships.enumerated() {
            if slot.isID {
                let relationship = batch.columns[slot.index].ids[row]
                let node = batch.columns[plan.shape.nodes[index + 1].index].ids[row]
                if relationship == noID || node == noID { return .null }
                relationships.append(RelationshipID(relationship))
                nodes.append(NodeID(node))
                continue
            }
            guard case .list(let list) = batch.columns[slot.index].values[row] else { return .null }
            for case .relationship(let id) in list.elements {
                guard let record = frame.transaction.relationship(id), let last = nodes.last else { return .null }
                relationships.append(id)
                nodes.append(record.start == last ? record.end : record.start)
            }
        }
        return .path(Path(nodes: nodes, relationships: relationships))
    }
}
