internal import GraphModel
internal import HTTPTypes
internal import Storage

/// 18.7 and 18.8: properties, the same for nodes and relationships.
struct PropertyRoutes: Sendable {
    private enum Kind: Sendable {
        case node, relationship

        func id(_ call: Call) throws(GraphError) -> EntityID {
            switch self {
            case .node: .node(try call.nodeID())
            case .relationship: .relationship(try call.relationshipID())
            }
        }
    }

    func add(to table: inout RouteTable) {
        for (kind, pattern) in [
            (Kind.node, "/db/data/node/{id}/properties"), (.relationship, "/db/data/relationship/{id}/properties"),
        ] {
            table.add(pattern, [
                (.get, .reading { call, transaction throws(GraphError) in
                    try getAll(try kind.id(call), call, transaction)
                }),
                (.put, .writing { call, transaction throws(GraphError) in
                    let entity = try kind.id(call)
                    return try replace(entity, with: try PropertyInput.storable(try call.map()), transaction)
                }),
                (.delete, .writing { call, transaction throws(GraphError) in
                    try replace(try kind.id(call), with: [], transaction)
                }),
            ])
            table.add(pattern + "/{key}", [
                (.get, .reading { call, transaction throws(GraphError) in
                    try getOne(try kind.id(call), call, transaction)
                }),
                (.put, .writing { call, transaction throws(GraphError) in
                    let (entity, key, value) = (try kind.id(call), call.parameters[1], try call.value())
                    try PropertyInput.requireStorable(value, key)
                    return try set(key, to: value, of: entity, transaction)
                }),
                (.delete, .writing { call, transaction throws(GraphError) in
                    try set(call.parameters[1], to: .null, of: try kind.id(call), transaction)
                }),
            ])
        }
    }

    // MARK: All of them

    private func getAll(
        _ entity: EntityID, _ call: Call, _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        try transaction.require(entity)
        guard transaction.hasProperties(entity) else { return .noContent() }
        return try call.json(.ok, transaction) { $0.properties(of: entity) }
    }

    private func replace(
        _ entity: EntityID, with properties: [(key: String, value: Value)], _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        try transaction.require(entity)
        switch entity {
        case .node(let id): try transaction.replaceProperties(ofNode: id, with: properties)
        case .relationship(let id): try transaction.replaceProperties(ofRelationship: id, with: properties)
        }
        return .noContent()
    }

    // MARK: One of them

    private func getOne(
        _ entity: EntityID, _ call: Call, _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        let key = call.parameters[1]
        try transaction.require(entity)
        guard let value = transaction.property(key, of: entity) else { throw .noSuchProperty(key, of: entity) }
        return try call.json(.ok, transaction) { $0.value(value) }
    }

    /// Sets a property; null removes it, and then it must be there.
    private func set(
        _ key: String, to value: Value, of entity: EntityID, _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        try transaction.require(entity)
        if value.isNull && transaction.property(key, of: entity) == nil {
            throw GraphError.noSuchProperty(key, of: entity)
        }
        switch entity {
        case .node(let id): try transaction.setProperty(key, to: value, ofNode: id)
        case .relationship(let id): try transaction.setProperty(key, to: value, ofRelationship: id)
        }
        return .noContent()
    }
}

extension Transaction {
    /// Throws the manual's not-found error of the entity's kind.
    func require(_ entity: EntityID) throws(GraphError) {
        switch entity {
        case .node(let id): try requireNode(id)
        case .relationship(let id): _ = try requireRelationship(id)
        }
    }

    func hasProperties(_ entity: EntityID) -> Bool {
        switch entity {
        case .node(let id): !properties(ofNode: id).isEmpty
        case .relationship(let id): !properties(ofRelationship: id).isEmpty
        }
    }

    func property(_ key: String, of entity: EntityID) -> Value? {
        guard let token = token(.propertyKey, key) else { return nil }
        return switch entity {
        case .node(let id): property(token, ofNode: id)
        case .relationship(let id): property(token, ofRelationship: id)
        }
    }
}
