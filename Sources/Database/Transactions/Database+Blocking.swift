public import GraphModel
internal import QueryEngine
public import Storage

/// The same work on the caller's own thread, which blocks while it waits: the shortest way for a program with threads of
/// its own. Tasks of Swift's concurrency use the `async` calls.
extension Database {
    /// Closes as ``close()`` does.
    @available(*, noasync, message: "blocks its thread: use the async close")
    public func closeBlocking() {
        pipeline.closeBlocking()
        workers.close()
    }

    /// Runs `body` over a snapshot on this thread. Inside a write transaction of this thread it reads in that one.
    public func readBlocking<R>(_ body: (Transaction) throws(GraphError) -> R) throws(GraphError) -> R {
        if let scope = TransactionScope.current(of: self) { return try body(try scope.openTransaction()) }
        return try Self.read(try pipeline.readableStore(), body)
    }

    /// Runs `body` in a write transaction on this thread, commits it, and returns once the commit is durable and readable.
    ///
    /// Inside another write transaction of this thread it joins that one: nothing is committed before the outermost ends,
    /// and an error here marks all of it for rollback. Runs again as ``write(_:_:)`` does; a lock is waited for in place.
    ///
    /// - Parameter requestID: as in ``RequestOptions``; not inside another transaction.
    @available(*, noasync, message: "blocks its thread: use the async write")
    public func writeBlocking<R>(
        requestID: RequestID? = nil, _ body: (Transaction) throws(GraphError) -> R
    ) throws(GraphError) -> (value: R, transactionID: TransactionID?) {
        try requireNotReadOnly()
        if let scope = TransactionScope.current(of: self) {
            try Self.requireNone(requestID)
            return (try scope.join(body), nil)
        }
        let deadline = retryDeadline()
        var session = try makeSession(.blocking)
        defer { session.release() }
        while true {
            if try pipeline.readableStore().locks !== session.manager { session = try makeSession(.blocking) }
            try requireNew(requestID)
            do throws(TryFailure) {
                let (value, ready) = try run(session, requestID, body)
                guard let ready else { return (value, nil) }
                do throws(GraphError) { return (value, try commitBlocking(ready, session)) } catch { throw .failed(error) }
            } catch {
                // Ids that ran out here are those of a mastership that ended meanwhile.
                guard case .failed(let error) = error else { continue }
                try requireNew(requestID)
                guard isWorthAnotherTry(error, deadline, session) else { throw error }
                if let winner = error.conflictingTransaction { try waitUntilAppliedBlocking(winner) }
            }
        }
    }

    /// A nested transaction is not committed by itself, so it cannot be named.
    static func requireNone(_ requestID: RequestID?) throws(GraphError) {
        if let requestID {
            throw GraphError(
                .invalidRequest, "a nested transaction has no request id of its own (\(requestID)): give it to the outermost")
        }
    }

    /// Commits what is ready, releases its locks, and tells the handlers.
    func commitBlocking(_ ready: ReadyTransaction, _ session: LockSession) throws(GraphError) -> TransactionID {
        let transactionID: TransactionID
        do throws(GraphError) {
            transactionID =
                if let authority = session.authority {
                    try waitForOutcome { done in pipeline.commit(ready.writeSet, under: authority, done: done) }.get()
                } else {
                    try pipeline.commitAndWait(ready.writeSet)
                }
        } catch {
            ready.events?.ended(error)
            throw error
        }
        session.release()
        if let refusal = refusalToAcknowledge(transactionID) { throw refusal }
        ready.events?.afterCommit(transactionID)
        return transactionID
    }

    private func waitUntilAppliedBlocking(_ transactionID: TransactionID) throws(GraphError) {
        if try pipeline.readableStore().applied.transactionID >= transactionID { return }
        let arrived = waitForOutcome { done in
            pipeline.waitUntilApplied(transactionID, timeout: options.bookmarkTimeout, done: done)
        }
        if !arrived {
            throw GraphError(
                .bookmarkTimeout,
                "\(transactionID) did not become readable here within \(options.bookmarkTimeout): try again")
        }
    }

    /// Runs one statement on this thread: in this thread's open transaction, else in one of its own. The consumer is made
    /// anew for each try.
    @available(*, noasync, message: "blocks its thread: use the async query")
    public func queryBlocking<Consumer: ResultConsumer>(
        _ statement: Statement, _ makeConsumer: () -> Consumer
    ) throws(GraphError) -> (consumer: Consumer, transactionID: TransactionID?) {
        let control = statement.control ?? makeControl(statement.request)
        func run(_ transaction: Transaction) throws(GraphError) -> Consumer? {
            let query = try engine.prepare(statement.text, dialect: statement.dialect, over: transaction)
            if query.isWrite && transaction.isReadOnly { return nil }
            return try Self.run(query, statement, control, makeConsumer(), in: transaction)
        }
        if let consumer = try readBlocking(run) { return (consumer, nil) }
        let result = try writeBlocking(requestID: statement.request.requestID) { transaction throws(GraphError) -> Consumer in
            let query = try engine.prepare(statement.text, dialect: statement.dialect, over: transaction)
            return try Self.run(query, statement, control, makeConsumer(), in: transaction)
        }
        return (result.value, result.transactionID)
    }
}
