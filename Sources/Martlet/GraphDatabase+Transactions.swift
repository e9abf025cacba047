internal import Synchronization

extension GraphDatabase {
    // MARK: Reading

    /// Runs `body` over a snapshot: it sees the graph as it is now, whatever is written meanwhile, and waits for nobody.
    /// Inside a write transaction of the same thread it reads in that one.
    public func read<R>(_ body: (Transaction) throws -> R) throws -> R {
        let thrown = ThrownError()
        return try thrown.rethrow { () throws(GraphError) in
            try database.readBlocking { transaction throws(GraphError) in try thrown.catching { try body(transaction) } }
        }
    }

    /// The same on a thread of the database.
    public func read<R: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> R) async throws -> R {
        let thrown = ThrownError()
        return try await thrown.rethrow { () async throws(GraphError) in
            try await database.read { transaction throws(GraphError) in try thrown.catching { try body(transaction) } }
        }
    }

    // MARK: Writing

    /// Runs `body` in a write transaction. When it returns, what it did is committed, durable and readable; when it
    /// throws, nothing of it is.
    ///
    /// When it loses against another transaction it runs again on a newer snapshot, so it must not have effects outside
    /// the graph. Inside another write transaction of the same thread it joins that one: the outermost commits, and an
    /// error in here marks all of it for rollback.
    ///
    /// - Parameter requestID: a name for what `body` does. When it was committed before under that name, here or by another
    ///   process, nothing is done and `.requestCommitted` is thrown, with the transaction: a retry of something whose
    ///   outcome is unknown has no second effect. Not inside another write transaction.
    /// - Throws: what `body` throws, `.constraintViolation` when a deleted node still has relationships,
    ///   `.conflict`, `.deadlock` and `.lockTimeout` when trying again did not help, `.transactionTooLarge`, `.readOnly`,
    ///   `.storageIO`.
    @available(*, noasync, message: "blocks its thread: use the async write")
    @discardableResult
    public func write<R>(requestID: RequestID? = nil, _ body: (Transaction) throws -> R) throws -> R {
        let thrown = ThrownError()
        return try thrown.rethrow { () throws(GraphError) in
            try database.writeBlocking(requestID: requestID) { transaction throws(GraphError) in
                try thrown.catching { try body(transaction) }
            }.value
        }
    }

    /// The same on a thread of the database.
    @discardableResult
    public func write<R: Sendable>(
        requestID: RequestID? = nil, _ body: @escaping @Sendable (Transaction) throws -> R
    ) async throws -> R {
        let thrown = ThrownError()
        var request = Database.RequestOptions()
        request.requestID = requestID
        let options = request
        return try await thrown.rethrow { () async throws(GraphError) in
            try await database.write(options) { transaction throws(GraphError) in
                try thrown.catching { try body(transaction) }
            }.value
        }
    }

    /// Begins a write transaction that is finished by hand; nested, when this thread has one open.
    @available(*, noasync, message: "belongs to a thread: use the async write")
    ///
    /// - Parameter requestID: as for ``write(requestID:_:)``; not for a nested one.
    public func beginTransaction(requestID: RequestID? = nil) throws(GraphError) -> OpenTransaction {
        try database.beginTransaction(requestID: requestID)
    }
}

/// Carries an error of the caller's own through code that knows only `GraphError`.
final class ThrownError: Sendable {
    private let error = Mutex<(any Error)?>(nil)

    func catching<R>(_ body: () throws -> R) throws(GraphError) -> R {
        error.withLock { $0 = nil }
        do { return try body() } catch let error as GraphError { throw error } catch {
            self.error.withLock { $0 = error }
            throw GraphError(.transactionFailed, "the transaction's body threw: \(error)")
        }
    }

    /// The caller's own error, if that is what ended the work.
    private func original(_ error: GraphError) -> any Error {
        guard error.code == .transactionFailed else { return error }
        return self.error.withLock { $0 } ?? error
    }

    func rethrow<R>(_ body: () throws(GraphError) -> R) throws -> R {
        do throws(GraphError) { return try body() } catch { throw original(error) }
    }

    func rethrow<R>(_ body: () async throws(GraphError) -> R) async throws -> R {
        do throws(GraphError) { return try await body() } catch { throw original(error) }
    }
}
