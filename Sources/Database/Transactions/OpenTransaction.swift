public import GraphModel
public import Storage

/// A write transaction that its owner begins and finishes by hand.
///
/// ```swift
/// let work = try database.beginTransaction()
/// defer { try? work.finish() }
/// let node = try work.graph.createNode(labels: ["Person"])
/// work.success()
/// ```
///
/// Belongs to the thread that began it. Another one begun there meanwhile is nested in it: it commits nothing, and all
/// it can do to the outer one is to mark it for rollback. Nothing is run again by itself: after `.conflict`, `.deadlock`
/// and other errors that can be retried, finish it and begin another one. Dropped without ``finish()`` it is rolled back.
public final class OpenTransaction {
    private let scope: TransactionScope
    private let isOutermost: Bool
    private var isMarkedSuccessful = false
    private var isMarkedFailed = false
    private var isFinished = false

    init(_ scope: TransactionScope, isOutermost: Bool) {
        self.scope = scope
        self.isOutermost = isOutermost
    }

    deinit { if !isFinished { rollBack() } }

    private func requireUsable() throws(GraphError) {
        if isFinished { throw GraphError(.transactionClosed, "this transaction has ended: begin another one") }
        try scope.requireUsable()
    }

    /// What to read and write with: the same for all nested ones. It sees what was committed when it was first asked
    /// for, and its own writes.
    ///
    /// - Throws: `.transactionClosed` after ``finish()``, `.transactionConfined` on a thread that it does not belong to.
    public var graph: Transaction {
        get throws(GraphError) {
            try requireUsable()
            return try scope.openTransaction()
        }
    }

    /// Locks a node for this transaction alone, before anything is read if possible: what is read after that is as the
    /// last holder of the lock left it. Throws as `Transaction.acquireWriteLock` does.
    public func acquireWriteLock(on node: NodeID) throws(GraphError) {
        try lock(LockTable.Key(node), .exclusive) { graph throws(GraphError) in try graph.acquireWriteLock(on: node) }
    }

    public func acquireWriteLock(on relationship: RelationshipID) throws(GraphError) {
        try lock(LockTable.Key(relationship), .exclusive) { graph throws(GraphError) in
            try graph.acquireWriteLock(on: relationship)
        }
    }

    /// Keeps others from changing a node.
    public func acquireReadLock(on node: NodeID) throws(GraphError) {
        try lock(LockTable.Key(node), .shared) { graph throws(GraphError) in try graph.acquireReadLock(on: node) }
    }

    public func acquireReadLock(on relationship: RelationshipID) throws(GraphError) {
        try lock(LockTable.Key(relationship), .shared) { graph throws(GraphError) in
            try graph.acquireReadLock(on: relationship)
        }
    }

    private func lock(
        _ key: LockTable.Key, _ mode: LockMode, _ lockInTransaction: (Transaction) throws(GraphError) -> Void
    ) throws(GraphError) {
        try requireUsable()
        if let transaction = scope.transaction { return try lockInTransaction(transaction) }
        do throws(GraphError) { try scope.session.acquireExplicitly(key, mode) } catch {
            scope.mark(error)
            throw error
        }
    }

    /// What was done is to be committed.
    public func success() { isMarkedSuccessful = true }

    /// What was done is to be rolled back, whatever ``success()`` says.
    public func failure() { isMarkedFailed = true }

    /// Ends the transaction: commits when it was marked as successful and nothing failed, else rolls back, and releases
    /// its locks. The id of the commit; nil for a nested one, a rollback, and when nothing was written. Does nothing the
    /// second time.
    ///
    /// - Throws: why a transaction that was marked as successful could not be committed; it is rolled back then.
    ///   `.transactionConfined` on a thread that it does not belong to: it stays open then.
    @discardableResult
    public func finish() throws(GraphError) -> TransactionID? {
        if isFinished { return nil }
        try scope.requireUsable()
        isFinished = true
        let isToCommit = isMarkedSuccessful && !isMarkedFailed
        guard isOutermost else {
            if !isToCommit {
                scope.mark(GraphError(
                    .transactionFailed, "a nested transaction was not marked as successful, so all of it is rolled back"))
            }
            return nil
        }
        defer { rollBack() }
        guard isToCommit else { return nil }
        if let failure = scope.failure { throw failure }
        guard let transaction = scope.transaction, let ready = try scope.database.makeReady(transaction) else {
            return nil
        }
        return try scope.database.commitBlocking(ready, scope.session)
    }

    private func rollBack() {
        guard isOutermost else {
            return scope.mark(GraphError(
                .transactionFailed, "a nested transaction was dropped without being finished, so all of it is rolled back"))
        }
        scope.transaction?.close()
        scope.leave()
        scope.session.release()
    }
}

extension Database {
    /// Begins a write transaction on this thread; nested, when one is open there.
    ///
    /// - Parameter requestID: the client's name for it; not for a nested one. When it was committed before under that
    ///   name, here or in ``OpenTransaction/finish()`` `.requestCommitted` is thrown.
    @available(*, noasync, message: "belongs to a thread: use the async write")
    public func beginTransaction(requestID: RequestID? = nil) throws(GraphError) -> OpenTransaction {
        try requireNotReadOnly()
        if let scope = TransactionScope.current(of: self) {
            try Self.requireNone(requestID)
            return OpenTransaction(scope, isOutermost: false)
        }
        try requireNew(requestID)
        let scope = TransactionScope(self, try makeSession(.blocking), requestID: requestID)
        scope.enter()
        return OpenTransaction(scope, isOutermost: true)
    }
}
