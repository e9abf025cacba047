internal import FileSystem
public import GraphModel
internal import Synchronization

extension Store {
    /// A read transaction over what is applied now.
    public func beginRead() -> Transaction { Transaction(reading: state) }

    /// A write transaction over what is applied now; its ids come from `reserve`.
    ///
    /// Without `locks` its writes lock nothing and never wait: whether they may be committed then shows only at the
    /// commit. The session must be one of this store's ``locks``.
    public func beginWrite(
        _ reserve: IDReserve, locks: LockSession? = nil, options: WriteOptions = WriteOptions()
    ) -> Transaction {
        Transaction(writing: state, of: self, reserve: reserve, locks: locks, options: options)
    }
}

/// What a write transaction may do.
public struct WriteOptions {
    /// Longest write set, in bytes, roughly. What is longer ends the transaction with `.transactionTooLarge`. The memory
    /// that a transaction takes is a small multiple of it.
    public var writeSetByteCountMaximum = 512 << 20
    /// The request that the transaction carries out; kept in the log with it.
    public var requestID: RequestID?
    /// Called on the transaction's thread when the reserve is empty, with how many ids of nodes and of relationships it
    /// wants; may block. Nil: the transaction ends and has to be run again (``Transaction/missingIDs``).
    public var refill: ((_ nodes: Int, _ relationships: Int) throws(GraphError) -> Void)?
    public init() {}
}

/// A store that is its own master: orders, syncs and applies on its own. The commit pipeline of a single database, and
/// what unit tests use.
public final class LocalCommitter: Sendable {
    public let store: Store
    public let reserve = IDReserve()
    /// A store that comes from a cluster goes on in its last epoch: epochs never fall.
    private let epoch: Epoch
    private let sequencer: Mutex<Sequencer>
    private let waiters: Mutex<[Waiter]>
    private let failure = Mutex<GraphError?>(nil)

    private struct Waiter {
        let transactionID: TransactionID
        let resume: @Sendable (TransactionID, GraphError?) -> Void
    }

    public init(_ store: Store) throws(GraphError) {
        self.store = store
        epoch = store.last.epoch
        sequencer = Mutex(try Sequencer(store))
        waiters = Mutex([])
        store.onDurable { [weak self] position in self?.durable(position) }
        store.onFailure { [weak self] failure in self?.failed(failure) }
    }

    /// Hands the reserve at least so many more ids.
    public func reserveIDs(nodes: Int, relationships: Int) {
        let (nodeIDs, relationshipIDs) = sequencer.withLock {
            ($0.reserveNodeIDs(UInt64(nodes)), $0.reserveRelationshipIDs(UInt64(relationships)))
        }
        reserve.add(nodes: nodeIDs, relationships: relationshipIDs, epoch: epoch)
    }

    /// Orders a write set and appends it; `done` is called, on the log thread, once it is durable and readable, or when
    /// that failed. For one whose request is in the log already it is called with `.requestCommitted` once that is
    /// readable, and nothing is appended.
    public func commit(
        _ writeSet: [UInt8], done: @escaping @Sendable (TransactionID, GraphError?) -> Void
    ) throws(GraphError) {
        _ = try commit(writeSet, wakesLog: true, done: done)
    }

    private func commit(
        _ writeSet: [UInt8], wakesLog: Bool, done: @escaping @Sendable (TransactionID, GraphError?) -> Void
    ) throws(GraphError) -> TransactionID {
        if let failure = failure.withLock({ $0 }) { throw failure }
        try store.requireAppendable()
        do throws(GraphError) { return try order(writeSet, wakesLog: wakesLog, done: done) } catch {
            guard let first = error.committedTransaction else { throw error }
            whenApplied(first) { isApplied in
                done(
                    first,
                    isApplied
                        ? error : GraphError(.outcomeUnknown, "\(first), which carries out the request, cannot be read any more"))
            }
            return first
        }
    }

    private func order(
        _ writeSet: [UInt8], wakesLog: Bool, done: @escaping @Sendable (TransactionID, GraphError?) -> Void
    ) throws(GraphError) -> TransactionID {
        try sequencer.withLock { sequencer throws(GraphError) in
            let record = try sequencer.sequence(
                writeSet, epoch: epoch, commitPoint: store.durable.transactionID,
                wallClockMilliseconds: wallClockMilliseconds())
            let transactionID = record.position.transactionID
            waiters.withLock { $0.append(Waiter(transactionID: transactionID, resume: done)) }
            do throws(GraphError) { try store.append([record], wakesLog: wakesLog) } catch {
                // The log may have failed a moment ago, and told every waiter already.
                let isStillWaiting = waiters.withLock { waiters in
                    defer { waiters.removeAll { $0.transactionID == transactionID } }
                    return waiters.contains { $0.transactionID == transactionID }
                }
                if isStillWaiting { throw error }
            }
            return transactionID
        }
    }

    /// Calls `done` once a transaction is readable, on the log thread when that takes a wait: with false when it is not in
    /// the log, or will never be durable.
    public func whenApplied(_ transactionID: TransactionID, done: @escaping @Sendable (Bool) -> Void) {
        let known = waiters.withLock { waiters -> Bool? in
            // Who applies, or fails, comes for the waiters afterwards: what is not seen here will be told.
            if store.applied.transactionID >= transactionID { return true }
            if transactionID > store.last.transactionID || failure.withLock({ $0 }) != nil { return false }
            let index = waiters.firstIndex { $0.transactionID > transactionID } ?? waiters.endIndex
            waiters.insert(Waiter(transactionID: transactionID) { _, failure in done(failure == nil) }, at: index)
            return nil
        }
        if let known { done(known) }
    }

    private func durable(_ position: LogPosition) {
        do throws(GraphError) {
            try store.apply(upTo: position.transactionID)
        } catch {
            return failed(error)
        }
        let ready = waiters.withLock { waiters -> [Waiter] in
            let count = waiters.firstIndex { $0.transactionID > position.transactionID } ?? waiters.count
            defer { waiters.removeFirst(count) }
            // A copy: a whole slice would share the memory that the next waiters go to.
            return waiters[..<count].map { $0 }
        }
        for waiter in ready { waiter.resume(waiter.transactionID, nil) }
    }

    private func failed(_ error: GraphError) {
        failure.withLock { $0 = error }
        let all = waiters.withLock { waiters -> [Waiter] in
            defer { waiters = [] }
            return waiters
        }
        for waiter in all { waiter.resume(waiter.transactionID, error) }
    }

    // MARK: Blocking use, for tests and tools

    /// Begins a write transaction with some ids at hand.
    public func begin(
        nodes: Int = 64, relationships: Int = 64, locks: LockSession? = nil, options: WriteOptions = WriteOptions()
    ) -> Transaction {
        reserveIDs(nodes: nodes, relationships: relationships)
        return store.beginWrite(reserve, locks: locks, options: options)
    }

    /// Commits and waits until the transaction is durable and readable. Not for threads of the concurrency pool.
    @discardableResult
    public func commitAndWait(_ transaction: Transaction) throws(GraphError) -> TransactionID {
        try commitAndWait(writeSet: try transaction.finish())
    }

    /// The same for a write set.
    @discardableResult
    public func commitAndWait(writeSet: [UInt8]) throws(GraphError) -> TransactionID {
        let delay = store.commitDelayNanoseconds
        if delay > 0 { pauseThread(nanoseconds: delay) }
        let outcome = OneResult()
        let transactionID = try commit(writeSet, wakesLog: false) { _, failure in outcome.set(failure) }
        if store.options.usesLogThread { store.writeLogHere() } else { store.flush() }
        if let error = outcome.wait() { throw error }
        return transactionID
    }
}
