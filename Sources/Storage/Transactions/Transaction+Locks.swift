public import GraphModel

extension Transaction {
    // MARK: Explicit locks

    /// Keeps everybody else from changing a node, or from locking it, until the transaction ends. Changes lock on their
    /// own; this is for reading something and deciding by it.
    ///
    /// What the transaction sees does not change by it: when the node was changed after the transaction began, it throws
    /// `.conflict`, and the next try, which has the lock already, sees the change.
    ///
    /// In a cluster it holds on every member, until the transaction ends or another member becomes master: the transaction
    /// then throws `.masterChanged`, at the latest when it is committed.
    ///
    /// - Throws: `.deadlock`, `.lockTimeout`, `.conflict`, `.masterChanged`, `.noMaster`: the transaction is marked for
    ///   rollback. `.entityNotFound`, and what every write throws.
    public func acquireWriteLock(on node: NodeID) throws(GraphError) { try lockExplicitly(node, .exclusive) }

    /// The same for a relationship.
    public func acquireWriteLock(on relationship: RelationshipID) throws(GraphError) {
        try lockExplicitly(relationship, .exclusive)
    }

    /// Keeps everybody from changing a node until the transaction ends; others may hold such a lock, too. Throws as
    /// ``acquireWriteLock(on:)-(NodeID)`` does.
    public func acquireReadLock(on node: NodeID) throws(GraphError) { try lockExplicitly(node, .shared) }

    /// The same for a relationship.
    public func acquireReadLock(on relationship: RelationshipID) throws(GraphError) {
        try lockExplicitly(relationship, .shared)
    }

    private func lockExplicitly(_ node: NodeID, _ mode: LockMode) throws(GraphError) {
        try requireLocking()
        if writes?.nodes[node.rawValue] != nil && !view.nodeExists(node.rawValue, at: at) { return }
        try acquireExplicitly(LockTable.Key(node), mode)
        try requireUnchanged(node)
        guard nodeExists(node) else { throw GraphError(.entityNotFound, "Node \(node.rawValue) not found") }
    }

    private func lockExplicitly(_ relationship: RelationshipID, _ mode: LockMode) throws(GraphError) {
        try requireLocking()
        let id = relationship.rawValue
        if writes?.relationships[id] != nil && view.relationship(id, at: at) == nil { return }
        try acquireExplicitly(LockTable.Key(relationship), mode)
        try requireUnchanged(relationship)
        guard self.relationship(relationship) != nil else {
            throw GraphError(.entityNotFound, "Relationship \(id) not found")
        }
    }

    private func acquireExplicitly(_ key: LockTable.Key, _ mode: LockMode) throws(GraphError) {
        do throws(GraphError) { try locks?.acquireExplicitly(key, mode) } catch {
            markForRollback(error)
            throw error
        }
    }

    private func requireLocking() throws(GraphError) {
        try requireWritable()
        if locks == nil {
            throw GraphError(.argumentError, "this transaction was begun without a lock session: it cannot lock anything")
        }
    }

    // MARK: Locks of writes

    /// For a change of a node that is not a draft of this transaction: those are locked, or its own.
    func lock(_ node: NodeID, _ mode: LockMode) throws(GraphError) {
        if try acquire(LockTable.Key(node), mode) { try requireUnchanged(node) }
    }

    func lock(_ relationship: RelationshipID, _ mode: LockMode) throws(GraphError) {
        if try acquire(LockTable.Key(relationship), mode) { try requireUnchanged(relationship) }
    }

    /// For a relationship that comes or goes at a node. Where one came or went before in this transaction, and where the
    /// node is a draft, it is locked.
    func lockForAttaching(_ node: NodeID) throws(GraphError) {
        let id = node.rawValue
        guard locks != nil, writes?.coversAttaching(id) == false else { return }
        if try acquire(LockTable.Key(node), .attaching), currentState?.nodeExists(id) == false {
            throw giveUp(.node(node))
        }
    }

    /// Returns whether it took a wait: somebody else may have changed the entity by then.
    @discardableResult
    private func acquire(_ key: LockTable.Key, _ mode: LockMode) throws(GraphError) -> Bool {
        guard let locks else { return false }
        do throws(GraphError) { return try locks.acquire(key, mode) } catch {
            markForRollback(error)
            throw error
        }
    }

    // MARK: What others committed meanwhile

    private struct Current {
        let view: StoreView
        let at: UInt64
        func nodeExists(_ id: UInt64) -> Bool { view.nodeExists(id, at: at) }
    }

    private var currentState: Current? {
        store.map(\.state).map { Current(view: $0.view, at: $0.position.transactionID.rawValue) }
    }

    /// Throws when a node does not look as this transaction sees it any more. The commit would find that out, too; there
    /// is no sense in going on until then.
    private func requireUnchanged(_ node: NodeID) throws(GraphError) {
        guard let now = currentState, now.at > at else { return }
        let id = node.rawValue
        if now.nodeExists(id) == view.nodeExists(id, at: at),
            now.view.labels(ofNode: id, at: now.at) == view.labels(ofNode: id, at: at),
            now.view.properties(ofNode: id, at: now.at) == view.properties(ofNode: id, at: at) { return }
        throw giveUp(.node(node))
    }

    private func requireUnchanged(_ relationship: RelationshipID) throws(GraphError) {
        guard let now = currentState, now.at > at else { return }
        let id = relationship.rawValue
        if now.view.relationship(id, at: now.at) == view.relationship(id, at: at),
            now.view.properties(ofRelationship: id, at: now.at) == view.properties(ofRelationship: id, at: at) { return }
        throw giveUp(.relationship(relationship))
    }

    private func giveUp(_ entity: EntityID) -> GraphError {
        let error = GraphError(
            .conflict, "\(entity) was changed after this transaction began at \(snapshotTransactionID): run it again")
        markForRollback(error)
        return error
    }
}
