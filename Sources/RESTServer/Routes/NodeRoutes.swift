internal import GraphModel
internal import HTTPTypes
internal import Storage

/// 18.4: nodes.
struct NodeRoutes: Sendable {
    func add(to table: inout RouteTable) {
        table.add("/db/data/node", [(.post, .writing(create))])
        table.add("/db/data/node/{id}", [(.get, .lookup(get)), (.delete, .writing(delete))])
    }

    private func create(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let id = try transaction.createNode(properties: try PropertyInput.storable(try call.map()))
        var answer = try call.json(.created, transaction) { $0.node(id, .alone) }
        answer.location = "\(call.base.text)/db/data/node/\(id.rawValue)"
        return answer
    }

    private func get(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let id = try call.nodeID()
        try transaction.requireNode(id)
        return try call.json(.ok, transaction) { $0.node(id, .alone) }
    }

    private func delete(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let id = try call.nodeID()
        try transaction.requireNode(id)
        if transaction.degree(id, .both, types: []) > 0 {
            throw GraphError(
                .nodeHasRelationships,
                "The node with id \(id.rawValue) cannot be deleted. Check that the node is orphaned before deletion.")
        }
        try transaction.deleteNode(id)
        return .noContent()
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
