public import GraphModel

extension Transaction {
    /// Whether this transaction has deleted a node, which still exists for all others.
    public func hasDeleted(_ node: NodeID) -> Bool { writes?.nodes[node.rawValue]?.exists == false }

    /// Whether this transaction has deleted a relationship.
    public func hasDeleted(_ relationship: RelationshipID) -> Bool {
        writes?.relationships[relationship.rawValue]?.exists == false
    }

    /// Throws `.transactionClosed` once the transaction has ended.
    public func requireOpen() throws(GraphError) {
        if isClosed { throw GraphError(.transactionClosed, "this transaction has ended: begin another one") }
    }
}
