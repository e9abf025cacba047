internal import FileSystem
public import GraphModel
public import Storage

extension Database {
    /// Runs `body` in a write transaction on a query thread, commits it, and returns once the commit is acknowledged and
    /// readable here.
    ///
    /// A lost conflict, an averted deadlock, and a lock that has to be waited for run `body` again on a newer snapshot,
    /// so it must not have effects of its own. Locks are kept from one try to the next, except after a deadlock: whoever
    /// waited for its turn has it then. Returns the id of the transaction (the bookmark), nil when nothing was written.
    ///
    /// With ``RequestOptions/requestID`` it throws `.requestCommitted`, with the transaction, when the request was
    /// committed before; that is readable here then.
    public func write<R: Sendable>(
        _ request: RequestOptions = RequestOptions(),
        _ body: @escaping @Sendable (Transaction) throws(GraphError) -> R
    ) async throws(GraphError) -> (value: R, transactionID: TransactionID?) {
        try requireNotReadOnly()
        try await prepare(request)
        // Writers slow down where checkpoints do not keep up with them. A pace, not a wait: the commit may go on although
        // nothing has happened, so there is no event to wait for.
        let delay = try pipeline.readableStore().commitDelayNanoseconds
        if delay > 0 { _ = try? await Task.sleep(nanoseconds: delay) }
        let deadline = retryDeadline()
        var idBlock = 256
        var session = try makeSession(.suspending)
        defer { session.release() }
        while true {
            if try pipeline.readableStore().locks !== session.manager { session = try makeSession(.suspending) }
            try requireNew(request.requestID)
            let attempt = await attempt(session) { [self, session] () throws(TryFailure) in
                try run(session, request.requestID, body)
            }
            switch attempt {
            case .needsIDs:
                try await reserveIDs(idBlock)
                idBlock = min(idBlock * 8, 1 << 22)
            case .waitsForLock:
                let failure = await withCheckedContinuation { continuation in
                    session.whenLocked { continuation.resume(returning: $0) }
                }
                if let failure { throw failure }
            case .done: return try await outcome(of: attempt)
            case .lost(let error, let pending):
                await tell(pending) { $0.ended(error) }
                // It may have failed on what the same request did before.
                try requireNew(request.requestID)
                guard isWorthAnotherTry(error, deadline, session) else { throw error }
                // The next snapshot must contain what won.
                if let winner = error.conflictingTransaction { try await waitUntilApplied(winner) }
            }
        }
    }

    /// Why a client must not be told of a commit any more; nil when it may. Front ends that have work left after a
    /// commit ask again before they answer.
    public func refusalToAcknowledge(_ transactionID: TransactionID) -> GraphError? {
        if pipeline.mayAcknowledge() { return nil }
        return GraphError(
            .outcomeUnknown,
            "\(transactionID) was ordered, but this member may have lost the mastership before it could answer")
    }

    enum Attempt<R: Sendable>: Sendable {
        case done(R, TransactionID?, PendingEvents?)
        case needsIDs
        case waitsForLock
        /// The body or the commit failed.
        case lost(GraphError, PendingEvents?)
    }

    /// Runs `prepare` once on a query thread and commits what it makes ready. That thread hands the write set on itself:
    /// coming back here in between would cost two changes of thread.
    func attempt<R: Sendable>(
        _ session: LockSession, _ prepare: @escaping @Sendable () throws(TryFailure) -> (R, ReadyTransaction?)
    ) async -> Attempt<R> {
        do throws(GraphError) {
            return try await workers.start { [self] done in
                do throws(TryFailure) {
                    let (value, ready) = try prepare()
                    guard let ready else { return done(.success(.done(value, nil, nil))) }
                    pipeline.commit(ready.writeSet, under: session.authority) { result in
                        switch result {
                        case .success(let transactionID):
                            // Those who wait need not wait for this task to get its turn.
                            session.release()
                            done(.success(.done(value, transactionID, ready.events)))
                        case .failure(let error): done(.success(.lost(error, ready.events)))
                        }
                    }
                } catch {
                    switch error {
                    case .needsIDs: done(.success(.needsIDs))
                    case .failed(let error): done(.success(session.isSuspended ? .waitsForLock : .lost(error, nil)))
                    }
                }
            }
        } catch {
            return .lost(error, nil)
        }
    }

    /// Ends an attempt that is not to be followed by another one.
    func outcome<R: Sendable>(of attempt: Attempt<R>) async throws(GraphError) -> (value: R, transactionID: TransactionID?) {
        switch attempt {
        case .done(let value, let transactionID, let pending):
            guard let transactionID else { return (value, nil) }
            if let refusal = refusalToAcknowledge(transactionID) { throw refusal }
            await tell(pending) { $0.afterCommit(transactionID) }
            return (value, transactionID)
        case .lost(let error, let pending):
            await tell(pending) { $0.ended(error) }
            throw error
        case .needsIDs, .waitsForLock:
            throw GraphError(.conflict, "the transaction has to be run again")
        }
    }

    /// Lets handlers know, on a thread that they may hold up.
    private func tell(_ pending: PendingEvents?, _ body: @escaping @Sendable (PendingEvents) -> Void) async {
        guard let pending else { return }
        do throws(GraphError) { try await workers.run { .success(body(pending)) } } catch {
            // The pool takes nothing more, but the handlers were promised to hear of it.
            body(pending)
        }
    }

    private func reserveIDs(_ count: Int) async throws(GraphError) {
        let failure = await withCheckedContinuation { continuation in
            pipeline.reserveIDs(nodes: count, relationships: count) { continuation.resume(returning: $0) }
        }
        if let failure { throw failure }
    }
}

/// What a transaction leaves behind that is ready to be committed.
struct ReadyTransaction {
    let writeSet: [UInt8]
    let events: PendingEvents?
}

/// Why a try of a transaction came to nothing.
enum TryFailure: Error {
    /// More ids have to be reserved first.
    case needsIDs
    case failed(GraphError)
}

extension Database {
    func requireNotReadOnly() throws(GraphError) {
        if options.isReadOnly {
            throw GraphError(.readOnly, "this database is read-only (read_only=true): nothing can be changed in it")
        }
    }

    /// Throws `.requestCommitted` when a request is known here to be carried out. Whoever orders commits has the last word;
    /// a request that is looked up first need not run in vain.
    func requireNew(_ requestID: RequestID?) throws(GraphError) {
        guard let requestID, let first = try pipeline.readableStore().transaction(of: requestID) else { return }
        throw .committedBefore(requestID, in: first)
    }

    func makeSession(_ waiting: LockSession.Waiting) throws(GraphError) -> LockSession {
        let authority =
            switch waiting {
            case .blocking: pipeline.makeLockAuthority { $0() }
            case .standingIn(let whileBlocked): pipeline.makeLockAuthority(whileBlocked: whileBlocked)
            case .suspending: pipeline.makeLockAuthority { [workers] body in workers.whileBlocked(body) }
            }
        return try pipeline.readableStore().locks.makeSession(waiting, timeout: options.lockTimeout, authority: authority)
    }

    func retryDeadline() -> UInt64 { monotonicNanoseconds() + options.retryTimeout.rawValue * 1_000_000 }

    /// Whether to run a transaction again, and what has to happen to its locks.
    func isWorthAnotherTry(_ error: GraphError, _ deadline: UInt64, _ session: LockSession) -> Bool {
        guard monotonicNanoseconds() < deadline else { return false }
        // The others in the cycle wait for what this one holds; and what another master granted is worth nothing.
        if error.code == .deadlock || error.code == .masterChanged { session.release() }
        return error.code == .deadlock || error.code == .conflict || error.code == .masterChanged
    }

    /// A write transaction of the current snapshot. Where ids run out it waits for more as its session waits for locks.
    func beginWrite(_ session: LockSession, _ requestID: RequestID?) throws(GraphError) -> Transaction {
        var writeOptions = WriteOptions()
        writeOptions.requestID = requestID
        writeOptions.writeSetByteCountMaximum = options.transactionByteCountMaximum
        let waiting = session.waiting
        if case .suspending = waiting {} else {
            writeOptions.refill = { [pipeline] nodes, relationships throws(GraphError) in
                var failure: GraphError?
                waiting.around {
                    failure = waitForOutcome { done in
                        pipeline.reserveIDs(nodes: nodes, relationships: relationships, done: done)
                    }
                }
                if let failure { throw failure }
            }
        }
        return try pipeline.readableStore().beginWrite(pipeline.reserve, locks: session, options: writeOptions)
    }

    /// Runs `body` once on this thread, over a new snapshot, up to the write set; nil when nothing was written.
    func run<R>(
        _ session: LockSession, _ requestID: RequestID?, _ body: (Transaction) throws(GraphError) -> R
    ) throws(TryFailure) -> (R, ReadyTransaction?) {
        let transaction: Transaction
        do throws(GraphError) { transaction = try beginWrite(session, requestID) } catch { throw .failed(error) }
        let scope = TransactionScope(self, session, transaction)
        scope.enter()
        defer {
            scope.leave()
            transaction.close()
        }
        do throws(GraphError) {
            let value = try body(transaction)
            return (value, try makeReady(transaction))
        } catch {
            let missing = transaction.missingIDs
            if missing.nodes + missing.relationships > 0 { throw .needsIDs }
            // What ended the transaction counts more than what the body made of it.
            if let failure = transaction.failure, failure.isRetryable || error.code == .transactionFailed {
                throw .failed(failure)
            }
            throw .failed(error)
        }
    }

    /// Asks the handlers, and checks what can be checked here.
    func makeReady(_ transaction: Transaction) throws(GraphError) -> ReadyTransaction? {
        if let failure = transaction.failure { throw failure }
        guard transaction.hasWrites else { return nil }
        let pending = try events.beforeCommit(transaction)
        do throws(GraphError) { return ReadyTransaction(writeSet: try transaction.finish(), events: pending) } catch {
            pending?.ended(error)
            throw error
        }
    }
}
