internal import FileSystem
internal import GraphModel
internal import Storage

/// Clients that create nodes with one of a few names through any member, while a constraint keeps the names unique.
extension SimulatedCluster {
    static let nameLabel = "Named"
    static let nameKey = "name"
    private static let nameCount: UInt64 = 60

    /// What a member does about its indexes, and the master about the constraint, in the background.
    func workOnSchema(_ node: SimulatedNode) {
        guard let engine = node.engine, let store = engine.store else { return }
        do throws(GraphError) { try store.populateIndexes() } catch {
            violation = "population on node \(node.index): \(error)"
            return
        }
        guard engine.core.leaseEnd(now: node.now) != nil, let step = store.nextSchemaStep() else { return }
        engine.commit(step, now: node.now) { _ in }
        settle(node)
    }

    /// Creates the constraint where it is not there yet, and a named node once it is in force; true when it made a node.
    func addNamedNode(_ transaction: Transaction, _ mark: UInt64) throws(GraphError) -> Bool {
        guard let rule = transaction.schemaRules.first else {
            try transaction.createUniquenessConstraint(label: Self.nameLabel, keys: [Self.nameKey])
            return false
        }
        guard rule.state == .online else { return false }
        _ = try transaction.createNode(
            labels: [Self.nameLabel],
            properties: [
                (Self.nameKey, .string("name \(random.below(Self.nameCount))")), (Self.markKey, .integer(Int64(mark))),
            ])
        return true
    }

    /// Whether a name is there twice, whatever indexes say.
    func checkNames(_ transaction: Transaction) -> String? {
        guard let label = transaction.token(.label, Self.nameLabel), let key = transaction.token(.propertyKey, Self.nameKey)
        else { return nil }
        var names: Set<Value> = []
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        while transaction.scanNodes(label: label, cursor: &cursor, limit: 1000, into: &ids) {}
        for id in ids {
            guard let name = transaction.property(key, ofNode: NodeID(id)) else { continue }
            if !names.insert(name).inserted { return "2: two nodes have \(name), which a constraint keeps unique" }
        }
        namedNodeCount = ids.count
        return nil
    }
}
