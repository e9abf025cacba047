internal import Database
internal import GraphModel
internal import HTTPTypes
internal import Storage

/// 18.5 and 18.6: relationships and their types.
struct RelationshipRoutes: Sendable {
    let database: Database

    func add(to table: inout RouteTable) {
        table.add("/db/data/node/{id}/relationships", [(.post, create)])
        table.add("/db/data/node/{id}/relationships/{direction}", [(.get, list)])
        table.add("/db/data/node/{id}/relationships/{direction}/{types}", [(.get, list)])
        table.add("/db/data/relationship/types", [(.get, types)])
        table.add("/db/data/relationship/{id}", [(.get, get), (.delete, delete)])
    }

    // MARK: One relationship

    private struct Creation: Sendable {
        let end: NodeID
        let type: String
        let properties: [(key: String, value: Value)]

        init(_ map: MapValue) throws(GraphError) {
            guard case .string(let to)? = map["to"] else {
                throw GraphError(.invalidRequest, "\"to\" must be the URI of the node at the other end")
            }
            guard let end = Self.nodeID(to.text) else {
                throw GraphError(.invalidRequest, "\"to\" is \"\(to.text)\", which is not the URI of a node")
            }
            guard case .string(let type)? = map["type"], !type.text.isEmpty else {
                throw GraphError(.invalidRequest, "\"type\" must be the name of a relationship type")
            }
            self.end = end
            self.type = type.text
            switch map["data"] {
            case nil, .null?: properties = []
            case .map(let data)?: properties = try PropertyInput.storable(data)
            default: throw GraphError(.invalidRequest, "\"data\" must be an object with the properties")
            }
        }

        /// The last segment of a URI is what counts, whatever host or proxy it came through.
        private static func nodeID(_ uri: String) -> NodeID? {
            uri.split(separator: "/", omittingEmptySubsequences: false).last.flatMap { UInt64($0) }.map(NodeID.init)
        }
    }

    private func create(_ call: Call) async throws(GraphError) -> Answer {
        let creation = try Creation(try await call.parsedMap())
        guard let start = UInt64(call.parameters[0]).map(NodeID.init) else {
            throw GraphError(.startNodeNotFound, "Cannot find node with id [\(call.parameters[0])] in database.")
        }
        let (layout, base) = (call.layout, call.base)
        let result = try await database.write(call.options) {
            transaction throws(GraphError) -> (id: RelationshipID, bytes: [UInt8]) in
            for (node, code) in [(start, ErrorCode.startNodeNotFound), (creation.end, .endNodeNotFound)]
            where !transaction.nodeExists(node) {
                throw GraphError(code, "Cannot find node with id [\(node.rawValue)] in database.")
            }
            let id = try transaction.createRelationship(
                type: creation.type, from: start, to: creation.end, properties: creation.properties)
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            writer.relationship(try transaction.requireRelationship(id), .alone)
            return (id, writer.json.bytes)
        }
        var answer = call.json(.created, result.value.bytes)
        answer.location = "\(base.text)/db/data/relationship/\(result.value.id.rawValue)"
        answer.transactionID = result.transactionID
        return answer
    }

    private func get(_ call: Call) async throws(GraphError) -> Answer {
        let id = try call.relationshipID()
        let (layout, base) = (call.layout, call.base)
        let bytes = try await database.readHere(call.options) { transaction throws(GraphError) in
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            writer.relationship(try transaction.requireRelationship(id), .alone)
            return writer.json.bytes
        }
        return call.json(.ok, bytes)
    }

    private func delete(_ call: Call) async throws(GraphError) -> Answer {
        let id = try call.relationshipID()
        let result = try await database.write(call.options) { transaction throws(GraphError) in
            _ = try transaction.requireRelationship(id)
            try transaction.deleteRelationship(id)
        }
        return .noContent(result.transactionID)
    }

    // MARK: Lists

    private func direction(_ text: String) throws(GraphError) -> Direction {
        switch text {
        case "all": return .both
        case "in": return .incoming
        case "out": return .outgoing
        default:
            throw GraphError(.noSuchResource, "\"\(text)\" is not a direction: use all, in or out")
        }
    }

    private func list(_ call: Call) async throws(GraphError) -> Answer {
        let id = try call.nodeID()
        let direction = try direction(call.parameters[1])
        let typeNames = call.parameters.count > 2 ? call.parameters[2].split(separator: "&").map(String.init) : []
        let (layout, base) = (call.layout, call.base)
        let bytes = try await database.read(call.options) { transaction throws(GraphError) in
            try transaction.requireNode(id)
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            let types = typeNames.compactMap { transaction.token(.relationshipType, $0) }
            var neighbours: ContiguousArray<UInt64> = []
            var relationships: ContiguousArray<UInt64> = []
            // No types means all of them, so a filter of unknown types must not reach the store.
            if typeNames.isEmpty || !types.isEmpty {
                transaction.expand(
                    id, direction, types: types, neighbours: &neighbours, relationships: &relationships)
            }
            // In the order of creation, as in the manual: the store's own order changes with a checkpoint.
            relationships.sort()
            writer.json.beginList()
            for relationship in relationships {
                guard let record = transaction.relationship(RelationshipID(relationship)) else { continue }
                writer.relationship(record, .listed)
            }
            writer.json.endList()
            return writer.json.bytes
        }
        return call.json(.ok, bytes)
    }

    private func types(_ call: Call) async throws(GraphError) -> Answer {
        let layout = call.layout
        let bytes = try await database.read(call.options) { transaction throws(GraphError) in
            var json = JSONWriter(layout)
            json.beginList()
            for name in transaction.names(.relationshipType) { json.string(name) }
            json.endList()
            return json.bytes
        }
        return call.json(.ok, bytes)
    }
}
