internal import GraphModel
internal import Storage

/// SET and REMOVE, for each row.
struct UpdatePlan: OperatorPlan {
    var isReusable: Bool { true }
    let updates: [Step.Update]

    func make(_ frame: Frame, next: Operator) -> Operator { UpdateOperator(frame, next: next, self) }
}

private final class UpdateOperator: Operator {
    private let plan: UpdatePlan

    init(_ frame: Frame, next: Operator, _ plan: UpdatePlan) {
        self.plan = plan
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        frame.batch = batch
        try frame.checkControl()
        for row in 0..<batch.rowCount {
            for update in plan.updates { try frame.apply(update, row) }
        }
        _ = try pass(batch)
        return true
    }
}

extension Frame {
    /// One assignment of SET or REMOVE, for a row of the batch that expressions read.
    func apply(_ update: Step.Update, _ row: Int) throws(GraphError) {
        switch update {
        case .property(let target, let key, let value):
            let entity = try target.evaluate(self, row)
            try set(key, try value.evaluate(self, row), of: entity)
        case .removeProperty(let target, let key): try set(key, .null, of: try target.evaluate(self, row))
        case .all(let target, let map, let adds):
            let entity = try target.evaluate(self, row)
            try setAll(try map.evaluate(self, row), adds, of: entity)
        case .labels(let target, let labels, let isRemoval):
            try change(labels, isRemoval, of: try target.evaluate(self, row))
        }
    }

    private func set(_ key: String, _ value: Value, of entity: Value) throws(GraphError) {
        switch entity {
        case .null: return
        case .node(let id):
            // Removing what is not there changes nothing.
            if value.isNull, property(key, of: id) == nil, transaction.nodeExists(id) { return }
            try transaction.setProperty(key, to: value, ofNode: id)
        case .relationship(let id):
            if value.isNull, property(key, of: id) == nil, transaction.relationship(id) != nil { return }
            try transaction.setProperty(key, to: value, ofRelationship: id)
        default:
            throw GraphError(
                .typeError,
                "only nodes and relationships have properties to set, not a value of type \(entity.kindName)")
        }
        statistics.propertiesSet += 1
    }

    private func property(_ key: String, of id: NodeID) -> Value? {
        transaction.token(.propertyKey, key).flatMap { transaction.property($0, ofNode: id) }
    }

    private func property(_ key: String, of id: RelationshipID) -> Value? {
        transaction.token(.propertyKey, key).flatMap { transaction.property($0, ofRelationship: id) }
    }

    private func setAll(_ source: Value, _ adds: Bool, of entity: Value) throws(GraphError) {
        if entity.isNull { return }
        let wanted = try map(source)
        switch entity {
        case .node, .relationship: break
        default:
            throw GraphError(
                .typeError,
                "only nodes and relationships have properties to set, not a value of type \(entity.kindName)")
        }
        if !adds {
            for (key, _) in try Function.properties("SET", self, entity)
            where !wanted.contains(where: { codeUnitsEqual($0.key, key) }) {
                try set(key, .null, of: entity)
            }
        }
        for (key, value) in wanted { try set(key, value, of: entity) }
    }

    private func change(_ labels: [String], _ isRemoval: Bool, of entity: Value) throws(GraphError) {
        switch entity {
        case .null: return
        case .node(let id):
            for label in labels {
                let token = transaction.token(.label, label)
                let has = token.map { transaction.hasLabel($0, id) } ?? false
                if isRemoval {
                    try transaction.removeLabel(label, from: id)
                    if has { statistics.labelsRemoved += 1 }
                } else {
                    try transaction.addLabel(label, to: id)
                    if !has { statistics.labelsAdded += 1 }
                }
            }
        default: throw GraphError(.typeError, "only nodes have labels, not a value of type \(entity.kindName)")
        }
    }
}

/// DELETE, for each row. What is deleted already is passed over; a node may keep relationships until the commit, which
/// then refuses.
struct DeletePlan: OperatorPlan {
    var isReusable: Bool { true }
    let targets: [Evaluator]
    let detaches: Bool

    func make(_ frame: Frame, next: Operator) -> Operator { DeleteOperator(frame, next: next, self) }
}

private final class DeleteOperator: Operator {
    private let plan: DeletePlan

    init(_ frame: Frame, next: Operator, _ plan: DeletePlan) {
        self.plan = plan
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        frame.batch = batch
        try frame.checkControl()
        for row in 0..<batch.rowCount {
            for target in plan.targets { try delete(try target(frame, row)) }
        }
        _ = try pass(batch)
        return true
    }

    private func delete(_ target: Value) throws(GraphError) {
        switch target {
        case .null: break
        case .node(let id): try delete(id)
        case .relationship(let id): try delete(id)
        case .path(let path):
            for id in path.relationships { try delete(id) }
            for id in path.nodes { try delete(id) }
        case .list(let list):
            // Relationships of a variable length; first of all, so that nodes beside them can go.
            for element in list.elements { try delete(element) }
        default:
            throw GraphError(
                .typeError, "DELETE takes nodes, relationships and paths, not a value of type \(target.kindName)")
        }
    }

    private func delete(_ id: NodeID) throws(GraphError) {
        guard frame.transaction.nodeExists(id) else { return }
        if plan.detaches {
            var neighbours: ContiguousArray<UInt64> = []
            var relationships: ContiguousArray<UInt64> = []
            frame.transaction.expand(id, .both, types: [], neighbours: &neighbours, relationships: &relationships)
            for relationship in relationships { try delete(RelationshipID(relationship)) }
        }
        try frame.transaction.deleteNode(id)
        frame.statistics.nodesDeleted += 1
    }

    private func delete(_ id: RelationshipID) throws(GraphError) {
        guard frame.transaction.relationship(id) != nil else { return }
        try frame.transaction.deleteRelationship(id)
        frame.statistics.relationshipsDeleted += 1
    }
}
