internal import FileSystem
public import GraphModel
public import Storage
internal import Synchronization

/// A write transaction that belongs to no thread: each of its steps runs on a query thread. For front ends whose clients
/// begin, use and end a transaction in requests of their own.
///
/// One step runs at a time; another one meanwhile is refused, not kept waiting. A step that throws ends the transaction,
/// which is rolled back. Nothing is run again by itself. It sees what was committed when its first step began, and its
/// own writes. Dropped without an end it is rolled back.
public final class DetachedTransaction: Sendable {
    private struct State {
        /// Made by the first step.
        var transaction: Transaction?
        var hasEnded = false
    }

    private let database: Database
    private let session: LockSession
    private let requestID: RequestID?
    /// Locked for the time of a step; ``isBusy`` sees to it that nobody waits for that.
    private let state = Monitor(State())
    private let isBusy = Atomic<Bool>(false)

    /// Steps that may be under way at once. Each may wait for a lock and needs a thread that stands in for its own.
    static let stepCountMaximum = 32

    init(_ database: Database, _ session: LockSession, _ requestID: RequestID?) {
        self.database = database
        self.session = session
        self.requestID = requestID
    }

    /// Runs a step on a query thread.
    ///
    /// - Throws: besides what `body` throws `.transactionConfined` while another step runs and `.transactionClosed` after
    ///   the end; these two change nothing. `.overloaded` when too many steps run, `.masterChanged` when the store was
    ///   replaced meanwhile.
    public func run<R: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws(GraphError) -> R
    ) async throws(GraphError) -> R {
        try claim()
        defer { release() }
        do throws(GraphError) {
            try enter()
            defer { leave() }
            return try await database.workers.run { [self] in
                Result { () throws(GraphError) -> R in try step(body) }
            }
        } catch {
            end()
            throw error
        }
    }

    /// Runs a last step and commits; the transaction has ended then, in any case but those in which ``run(_:)`` changes
    /// nothing. The id of the commit; nil when nothing was written.
    public func commit<R: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws(GraphError) -> R
    ) async throws(GraphError) -> (value: R, transactionID: TransactionID?) {
        try claim()
        defer {
            end()
            release()
        }
        try enter()
        defer { leave() }
        let attempt = await database.attempt(session) { [self] () throws(TryFailure) in
            do throws(GraphError) {
                return try step { transaction throws(GraphError) in
                    (try body(transaction), try database.makeReady(transaction))
                }
            } catch {
                throw TryFailure.failed(error)
            }
        }
        return try await database.outcome(of: attempt)
    }

    /// Rolls back and releases the locks. Does nothing when it has ended. Throws `.transactionConfined` while a step runs.
    public func rollBack() throws(GraphError) {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
            throw Self.busy
        }
        end()
        release()
    }

    // MARK: Steps

    private static let busy = GraphError(
        .transactionConfined, "another request uses this transaction right now: a transaction does one thing at a time")

    private func claim() throws(GraphError) {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
            throw Self.busy
        }
        if state.withLock({ $0.hasEnded }) {
            release()
            throw GraphError(.transactionClosed, "this transaction has ended: begin another one")
        }
    }

    private func release() { isBusy.store(false, ordering: .releasing) }

    private func enter() throws(GraphError) {
        let count = database.detachedSteps.wrappingAdd(1, ordering: .relaxed).newValue
        if count > Self.stepCountMaximum {
            leave()
            throw GraphError(
                .overloaded, "\(Self.stepCountMaximum) open transactions are at work already: this one is rolled back, try it again later")
        }
    }

    private func leave() { database.detachedSteps.wrappingSubtract(1, ordering: .relaxed) }

    private func step<R>(_ body: (Transaction) throws(GraphError) -> R) throws(GraphError) -> R {
        try state.withLock { state throws(GraphError) in
            guard try database.pipeline.readableStore().locks === session.manager else {
                throw GraphError(.masterChanged, "the store that this transaction began in is gone: begin another one")
            }
            let transaction: Transaction
            if let begun = state.transaction {
                begun.takeOver()
                transaction = begun
            } else {
                transaction = try database.beginWrite(session, requestID)
                state.transaction = transaction
            }
            let scope = TransactionScope(database, session, transaction)
            scope.enter()
            defer { scope.leave() }
            do throws(GraphError) { return try body(transaction) } catch {
                // What ended the transaction counts more than what the body made of it.
                if let failure = transaction.failure, failure.isRetryable || error.code == .transactionFailed { throw failure }
                throw error
            }
        }
    }

    private func end() {
        state.withLock { state in
            state.transaction?.close()
            state.transaction = nil
            state.hasEnded = true
        }
        session.release()
    }
}

extension Database {
    /// Begins a write transaction that belongs to no thread.
    ///
    /// - Parameter request: a bookmark in it is waited for; its id is that of the whole transaction.
    public func beginDetached(
        _ request: RequestOptions = RequestOptions()
    ) async throws(GraphError) -> DetachedTransaction {
        try requireNotReadOnly()
        try await prepare(request)
        try requireNew(request.requestID)
        let session = try makeSession(.standingIn { [workers] body in workers.whileBlocked(body) })
        return DetachedTransaction(self, session, request.requestID)
    }
}
