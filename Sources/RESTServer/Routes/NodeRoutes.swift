internal import Database
internal import GraphModel
internal import HTTPTypes
internal import Storage

/// 18.4: nodes.
struct NodeRoutes: Sendable {
    let database: Database

    func add(to table: inout RouteTable) {
        table.add("/db/data/node", [(.post, create)])
        table.add("/db/data/node/{id}", [(.get, get), (.delete, delete)])
    }

    private func create(_ call: Call) async throws(GraphError) -> Answer {
        let properties = try PropertyInput.storable(try await call.parsedMap())
        let (layout, base) = (call.layout, call.base)
        let result = try await database.write(call.options) {
            transaction throws(GraphError) -> (id: NodeID, bytes: [UInt8]) in
            let id = try transaction.createNode(properties: properties)
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            writer.node(id, .alone)
            return (id, writer.json.bytes)
        }
        var answer = call.json(.created, result.value.bytes)
        answer.location = "\(base.text)/db/data/node/\(result.value.id.rawValue)"
        answer.transactionID = result.transactionID
        return answer
    }

    private func get(_ call: Call) async throws(GraphError) -> Answer {
        let id = try call.nodeID()
        let (layout, base) = (call.layout, call.base)
        let bytes = try await database.readHere(call.options) { transaction throws(GraphError) in
            try transaction.requireNode(id)
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            writer.node(id, .alone)
            return writer.json.bytes
        }
        return call.json(.ok, bytes)
    }

    private func delete(_ call: Call) async throws(GraphError) -> Answer {
        let id = try call.nodeID()
        let result = try await database.write(call.options) { transaction throws(GraphError) in
            try transaction.requireNode(id)
            if transaction.degree(id, .both, types: []) > 0 {
                throw GraphError(
                    .nodeHasRelationships,
                    "The node with id \(id.rawValue) cannot be deleted. Check that the node is orphaned before deletion."
                )
            }
            try transaction.deleteNode(id)
        }
        return .noContent(result.transactionID)
    }
}

extension Transaction {
    func requireNode(_ id: NodeID) throws(GraphError) {
        if !nodeExists(id) { throw .nodeNotFound(String(id.rawValue)) }
    }

    func requireRelationship(_ id: RelationshipID) throws(GraphError) -> RelationshipRecord {
        guard let record = relationship(id) else { throw .relationshipNotFound }
        return record
    }
}
