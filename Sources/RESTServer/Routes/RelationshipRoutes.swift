internal import GraphModel
internal import HTTPTypes
internal import Storage

/// 18.5 and 18.6: relationships and their types.
struct RelationshipRoutes: Sendable {
    func add(to table: inout RouteTable) {
        table.add("/db/data/node/{id}/relationships", [(.post, .writing(create))])
        table.add("/db/data/node/{id}/relationships/{direction}", [(.get, .reading(list))])
        table.add("/db/data/node/{id}/relationships/{direction}/{types}", [(.get, .reading(list))])
        table.add("/db/data/relationship/types", [(.get, .reading(types))])
        table.add("/db/data/relationship/{id}", [(.get, .lookup(get)), (.delete, .writing(delete))])
    }

    // MARK: One relationship

    private struct Creation: Sendable {
        let end: NodeID
        let type: String
        let properties: [(key: String, value: Value)]

        init(_ map: MapValue) throws(GraphError) {
            end = try map.nodeID("to", "the URI of the node at the other end")
            guard case .string(let type)? = map["type"], !type.text.isEmpty else {
                throw GraphError(.invalidRequest, "\"type\" must be the name of a relationship type")
            }
            self.type = type.text
            switch map["data"] {
            case nil, .null?: properties = []
            case .map(let data)?: properties = try PropertyInput.storable(data)
            default: throw GraphError(.invalidRequest, "\"data\" must be an object with the properties")
            }
        }
    }

    private func create(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let creation = try Creation(try call.map())
        guard let start = UInt64(call.parameters[0]).map(NodeID.init) else {
            throw GraphError(.startNodeNotFound, "Cannot find node with id [\(call.parameters[0])] in database.")
        }
        for (node, code) in [(start, ErrorCode.startNodeNotFound), (creation.end, .endNodeNotFound)]
        where !transaction.nodeExists(node) {
            throw GraphError(code, "Cannot find node with id [\(node.rawValue)] in database.")
        }
        let id = try transaction.createRelationship(
            type: creation.type, from: start, to: creation.end, properties: creation.properties)
        let record = try transaction.requireRelationship(id)
        var answer = try call.json(.created, transaction) { $0.relationship(record, .alone) }
        answer.location = "\(call.base.text)/db/data/relationship/\(id.rawValue)"
        return answer
    }

    private func get(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let record = try transaction.requireRelationship(try call.relationshipID())
        return try call.json(.ok, transaction) { $0.relationship(record, .alone) }
    }

    private func delete(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let id = try call.relationshipID()
        _ = try transaction.requireRelationship(id)
        try transaction.deleteRelationship(id)
        return .noContent()
    }

    // MARK: Lists

    static func direction(_ text: String) throws(GraphError) -> Direction {
        switch text {
        case "all": return .both
        case "in": return .incoming
        case "out": return .outgoing
        default:
            throw GraphError(.noSuchResource, "\"\(text)\" is not a direction: use all, in or out")
        }
    }

    private func list(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let id = try call.nodeID()
        let direction = try Self.direction(call.parameters[1])
        let typeNames = call.parameters.count > 2 ? call.parameters[2].split(separator: "&").map(String.init) : []
        try transaction.requireNode(id)
        let types = typeNames.compactMap { transaction.token(.relationshipType, $0) }
        var neighbours: ContiguousArray<UInt64> = []
        var relationships: ContiguousArray<UInt64> = []
        // No types means all of them, so a filter of unknown types must not reach the store.
        if typeNames.isEmpty || !types.isEmpty {
            transaction.expand(id, direction, types: types, neighbours: &neighbours, relationships: &relationships)
        }
        // In the order of creation, as in the manual: the store's own order changes with a checkpoint.
        relationships.sort()
        return try call.json(.ok, transaction) { writer in
            writer.json.beginList()
            for relationship in relationships {
                guard let record = transaction.relationship(RelationshipID(relationship)) else { continue }
                writer.relationship(record, .listed)
            }
            writer.json.endList()
        }
    }

    private func types(_ call: Call, _ transaction: Transaction) -> Answer {
        call.json(.ok) { $0.strings(transaction.names(.relationshipType)) }
    }
}
