public import GraphModel
public import Storage

/// Where a transaction's writes go and where its reads come from: the one seam between front ends and a single database
/// or a cluster member. Callbacks come on a thread of the pipeline and must not block.
public protocol CommitPipeline: Sendable {
    /// The store that serves reads now; throws `.unavailable` while there is none (starting, copying a store).
    func readableStore() throws(GraphError) -> Store
    /// Ids for new entities.
    var reserve: IDReserve { get }
    /// Orders a write set. `done` gets the transaction id once the commit is acknowledged *and* readable here.
    func commit(_ writeSet: [UInt8], done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void)
    /// The same on the caller's thread, which waits: for threads that have nothing else to do.
    func commitAndWait(_ writeSet: [UInt8]) throws(GraphError) -> TransactionID
    /// What makes the explicit locks of a transaction hold in the whole cluster; nil where there is none.
    ///
    /// - Parameter whileBlocked: runs a body that waits for the master; the thread may be one that others need.
    func makeLockAuthority(whileBlocked: @escaping @Sendable (() -> Void) -> Void) -> (any LockAuthority)?
    /// Orders a write set of a transaction with explicit locks, as ``commit(_:done:)`` does; `.masterChanged`, and nothing
    /// is applied, when they are gone.
    func commit(
        _ writeSet: [UInt8], under authority: (any LockAuthority)?,
        done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void)
    /// Adds at least so many ids to the reserve.
    func reserveIDs(nodes: Int, relationships: Int, done: @escaping @Sendable (GraphError?) -> Void)
    /// Calls `done` with true once a transaction is readable here, or with false when that took too long.
    func waitUntilApplied(
        _ transactionID: TransactionID, timeout: Milliseconds, done: @escaping @Sendable (Bool) -> Void)
    /// Whether a client may still be told of a commit: a master that was stopped in between and woke up deposed must
    /// not speak for an epoch that is over.
    func mayAcknowledge() -> Bool
    /// Throws unless this member may answer a linearizable read now.
    func requireLinearizable() throws(GraphError)
    var status: DatabaseStatus { get }
    func close() async
    /// The same on a thread that may block.
    func closeBlocking()
}

extension CommitPipeline {
    public func commitAndWait(_ writeSet: [UInt8]) throws(GraphError) -> TransactionID {
        try waitForOutcome { done in commit(writeSet, done: done) }.get()
    }

    public func makeLockAuthority(
        whileBlocked: @escaping @Sendable (() -> Void) -> Void
    ) -> (any LockAuthority)? { nil }

    public func commit(
        _ writeSet: [UInt8], under authority: (any LockAuthority)?,
        done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void
    ) { commit(writeSet, done: done) }

    public func closeBlocking() {
        waitForOutcome { done in
            Task {
                await close()
                done(())
            }
        }
    }
}
