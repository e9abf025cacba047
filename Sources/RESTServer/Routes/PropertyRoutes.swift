internal import Database
internal import GraphModel
internal import HTTPTypes
internal import Storage

/// 18.7 and 18.8: properties, the same for nodes and relationships.
struct PropertyRoutes: Sendable {
    let database: Database

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
            table.add(
                pattern,
                [
                    (.get, { call throws(GraphError) in try await getAll(try kind.id(call), call) }),
                    (.put, { call throws(GraphError) in try await putAll(try kind.id(call), call) }),
                    (.delete, { call throws(GraphError) in try await deleteAll(try kind.id(call), call) }),
                ])
            table.add(
                pattern + "/{key}",
                [
                    (.get, { call throws(GraphError) in try await getOne(try kind.id(call), call) }),
                    (.put, { call throws(GraphError) in try await putOne(try kind.id(call), call) }),
                    (.delete, { call throws(GraphError) in try await deleteOne(try kind.id(call), call) }),
                ])
        }
    }

    // MARK: All of them

    private func getAll(_ entity: EntityID, _ call: Call) async throws(GraphError) -> Answer {
        let (layout, base) = (call.layout, call.base)
        let bytes = try await database.read(call.options) { transaction throws(GraphError) -> [UInt8]? in
            try transaction.require(entity)
            guard transaction.hasProperties(entity) else { return nil }
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            writer.properties(of: entity)
            return writer.json.bytes
        }
        guard let bytes else { return .noContent() }
        return call.json(.ok, bytes)
    }

    private func putAll(_ entity: EntityID, _ call: Call) async throws(GraphError) -> Answer {
        let properties = try PropertyInput.storable(try await call.parsedMap())
        return try await replace(entity, with: properties, call)
    }

    private func deleteAll(_ entity: EntityID, _ call: Call) async throws(GraphError) -> Answer {
        try await replace(entity, with: [], call)
    }

    private func replace(
        _ entity: EntityID, with properties: [(key: String, value: Value)], _ call: Call
    ) async throws(GraphError) -> Answer {
        let result = try await database.write(call.options) { transaction throws(GraphError) in
            try transaction.require(entity)
            switch entity {
            case .node(let id): try transaction.replaceProperties(ofNode: id, with: properties)
            case .relationship(let id): try transaction.replaceProperties(ofRelationship: id, with: properties)
            }
        }
        return .noContent(result.transactionID)
    }

    // MARK: One of them

    private func getOne(_ entity: EntityID, _ call: Call) async throws(GraphError) -> Answer {
        let key = call.parameters[1]
        let (layout, base) = (call.layout, call.base)
        let bytes = try await database.read(call.options) { transaction throws(GraphError) in
            try transaction.require(entity)
            guard let value = transaction.property(key, of: entity) else { throw .noSuchProperty(key, of: entity) }
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            writer.value(value)
            return writer.json.bytes
        }
        return call.json(.ok, bytes)
    }

    private func putOne(_ entity: EntityID, _ call: Call) async throws(GraphError) -> Answer {
        let key = call.parameters[1]
        let value = try await call.parsedBody()
        try PropertyInput.requireStorable(value, key)
        return try await set(key, to: value, of: entity, call)
    }

    private func deleteOne(_ entity: EntityID, _ call: Call) async throws(GraphError) -> Answer {
        try await set(call.parameters[1], to: .null, of: entity, call)
    }

    /// Sets a property; null removes it, and then it must be there.
    private func set(
        _ key: String, to value: Value, of entity: EntityID, _ call: Call
    ) async throws(GraphError) -> Answer {
        let result = try await database.write(call.options) { transaction throws(GraphError) in
            try transaction.require(entity)
            if value.isNull && transaction.property(key, of: entity) == nil {
                throw GraphError.noSuchProperty(key, of: entity)
            }
            switch entity {
            case .node(let id): try transaction.setProperty(key, to: value, ofNode: id)
            case .relationship(let id): try transaction.setProperty(key, to: value, ofRelationship: id)
            }
        }
        return .noContent(result.transactionID)
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
