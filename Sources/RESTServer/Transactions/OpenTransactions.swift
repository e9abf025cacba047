package import Database
internal import FileSystem
package import GraphModel
internal import NIOCore
internal import Synchronization

/// The transactions that clients hold open between requests, by id. Bounded; who does not come back in time is rolled
/// back, and its locks are released.
package final class OpenTransactions: Sendable {
    package struct Limits: Sendable {
        /// How long a transaction may be left alone.
        package var timeout: Milliseconds
        package var countMaximum: Int

        package init(timeout: Milliseconds = 60_000, countMaximum: Int = 1000) {
            self.timeout = timeout
            self.countMaximum = countMaximum
        }
    }

    private struct Entry {
        let transaction: DetachedTransaction
        /// On the clock; counts while no request uses the transaction.
        var deadline: UInt64
        var isInUse: Bool
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        /// Those that are being begun and have no entry yet.
        var reservedCount = 0
        var isClosed = false
        var counts = Counts()
    }

    /// Since the start.
    package struct Counts: Sendable {
        package var begun = 0
        package var open = 0
        /// Most that were open at once.
        package var peak = 0
        /// Rolled back since nobody came back for them.
        package var expired = 0
    }

    private let database: Database
    package let limits: Limits
    private let now: @Sendable () -> UInt64
    private let state = Mutex(State())

    /// Greatest id: JSON readers hold it exactly. Ids are drawn at random, since another member of a cluster must not take
    /// a request for one of its own transactions.
    private static let idMaximum: UInt64 = 1 << 53

    /// - Parameter now: nanoseconds on a clock that never goes back.
    package init(
        _ database: Database, _ limits: Limits = Limits(), now: @escaping @Sendable () -> UInt64 = monotonicNanoseconds
    ) {
        self.database = database
        self.limits = limits
        self.now = now
    }

    package var count: Int { state.withLock { $0.entries.count } }

    package var counts: Counts {
        state.withLock { state in
            var counts = state.counts
            counts.open = state.entries.count
            return counts
        }
    }

    /// Begins one, in use by the caller.
    ///
    /// - Throws: `.overloaded` when too many are open, `.unavailable` after ``close()``, and what beginning throws.
    package func begin(
        _ request: Database.RequestOptions
    ) async throws(GraphError) -> (id: UInt64, transaction: DetachedTransaction) {
        try state.withLock { state throws(GraphError) in
            if state.isClosed { throw GraphError(.unavailable, "this server is stopping: it begins no transactions") }
            guard state.entries.count + state.reservedCount < limits.countMaximum else {
                throw GraphError(
                    .overloaded, "\(limits.countMaximum) transactions are open already: end them, or try again later")
            }
            state.reservedCount += 1
        }
        do throws(GraphError) {
            let transaction = try await database.beginDetached(request)
            let id = state.withLock { state in
                state.reservedCount -= 1
                var id: UInt64
                repeat { id = .random(in: 1...Self.idMaximum) } while state.entries[id] != nil
                state.entries[id] = Entry(transaction: transaction, deadline: .max, isInUse: true)
                state.counts.begun += 1
                state.counts.peak = max(state.counts.peak, state.entries.count)
                return id
            }
            return (id, transaction)
        } catch {
            state.withLock { $0.reservedCount -= 1 }
            throw error
        }
    }

    /// One that is open, in use by the caller from now on.
    ///
    /// - Throws: `.transactionNotFound` for one that is not, `.transactionConfined` while another request uses it.
    package func use(_ id: UInt64?) throws(GraphError) -> DetachedTransaction {
        expire()
        return try state.withLock { state throws(GraphError) in
            guard let id, var entry = state.entries[id] else {
                throw GraphError(
                    .transactionNotFound,
                    "there is no such open transaction here: it may have ended, taken longer than \(limits.timeout) between two requests, or be another server's")
            }
            if entry.isInUse {
                throw GraphError(
                    .transactionConfined,
                    "another request uses this transaction right now: a transaction does one thing at a time")
            }
            entry.isInUse = true
            state.entries[id] = entry
            return entry.transaction
        }
    }

    /// Ends the use of one that stays open. The milliseconds that are left for the next request.
    package func giveBack(_ id: UInt64) -> Milliseconds {
        let deadline = now() + limits.timeout.rawValue * 1_000_000
        let isClosed = state.withLock { state in
            state.entries[id]?.deadline = deadline
            state.entries[id]?.isInUse = false
            return state.isClosed
        }
        if isClosed { close() }
        return limits.timeout
    }

    /// Forgets one that has ended.
    package func remove(_ id: UInt64) { state.withLock { _ = $0.entries.removeValue(forKey: id) } }

    /// Rolls back those whose time is over. Costs next to nothing when there are none.
    package func expire() {
        let now = now()
        rollBack { $0.deadline <= now }
    }

    /// Looks once a second, until all this is gone or closed.
    func expireRegularly(on eventLoop: any EventLoop) {
        eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [weak self] task in
            guard let self, !state.withLock({ $0.isClosed }) else { return task.cancel() }
            expire()
        }
    }

    /// Rolls back all that no request uses, and the others once none does any more; begins no more.
    package func close() {
        state.withLock { $0.isClosed = true }
        rollBack { _ in true }
    }

    private func rollBack(_ isOver: (Entry) -> Bool) {
        let over = state.withLock { state in
            let over = state.entries.filter { !$0.value.isInUse && isOver($0.value) }
            for id in over.keys { state.entries[id] = nil }
            state.counts.expired += over.count
            return over.values.map(\.transaction)
        }
        // Nobody has found it since, so nobody uses it.
        for transaction in over { try? transaction.rollBack() }
    }
}

extension ErrorCode {
    package static let transactionNotFound = ErrorCode(
        "Neo.ClientError.Transaction.TransactionNotFound", httpStatus: 404, legacyException: "NotFoundException")
}
