internal import FileSystem
public import GraphModel
public import QueryEngine
public import Storage

/// A graph database as every front end sees it: alone or a member of a cluster, with the same calls.
public final class Database: Sendable {
    public struct Options: Sendable {
        /// Threads that run queries; 0 is as many as cores.
        public var queryThreadCount = 0
        /// Longest time a query may run; 0 is no limit.
        public var queryTimeout: Milliseconds = 0
        /// Longest time a request waits for its bookmark.
        public var bookmarkTimeout: Milliseconds = 20_000
        /// Longest time a write is tried again after lost conflicts.
        public var retryTimeout: Milliseconds = 10_000
        public init() {}
    }

    /// What a request asks of the database beside its work.
    public struct RequestOptions: Sendable {
        /// Wait until this transaction is readable here.
        public var bookmark: TransactionID?
        /// Only the master, under its lease, may answer.
        public var isLinearizable = false
        /// Shorter than the configured limit.
        public var timeout: Milliseconds?
        public init() {}
    }

    public let pipeline: any CommitPipeline
    public let options: Options
    public let engine = QueryEngine()
    let workers: WorkerPool

    public init(_ pipeline: any CommitPipeline, options: Options = Options()) {
        self.pipeline = pipeline
        self.options = options
        let count = options.queryThreadCount == 0 ? max(2, processorCount()) : options.queryThreadCount
        workers = WorkerPool(threadCount: count)
    }

    public var status: DatabaseStatus { pipeline.status }

    /// Stops taking work, finishes what runs, and closes the store. A master of a cluster hands over first.
    public func close() async {
        await pipeline.close()
        workers.close()
    }

    /// Runs `body`, which waits for somebody outside, on a query thread without making other queries wait with it.
    public func whileBlocked(_ body: () -> Void) { workers.whileBlocked(body) }

    // MARK: Reading

    /// Runs `body` over a snapshot, on a worker thread.
    public func read<R: Sendable>(
        _ request: RequestOptions = RequestOptions(),
        _ body: @escaping @Sendable (Transaction) throws(GraphError) -> R
    ) async throws(GraphError) -> R {
        try await prepare(request)
        return try await workers.run { [pipeline] in
            Result { () throws(GraphError) -> R in try Self.read(try pipeline.readableStore(), body) }
        }
    }

    /// Runs `body` over a snapshot on the caller's thread. Only for work whose cost does not depend on the graph, such as
    /// looking up one entity by its id: changing threads twice would cost several times as much.
    public func readHere<R: Sendable>(
        _ request: RequestOptions = RequestOptions(), _ body: (Transaction) throws(GraphError) -> R
    ) async throws(GraphError) -> R {
        try await prepare(request)
        return try Self.read(try pipeline.readableStore(), body)
    }

    private static func read<R>(_ store: Store, _ body: (Transaction) throws(GraphError) -> R) throws(GraphError) -> R {
        let transaction = store.beginRead()
        let result: R
        do throws(GraphError) { result = try body(transaction) } catch {
            // What is damaged reads as missing: name the cause, not the consequence.
            try transaction.requireIntact()
            throw error
        }
        try transaction.requireIntact()
        return result
    }

    private func prepare(_ request: RequestOptions) async throws(GraphError) {
        if request.isLinearizable { try pipeline.requireLinearizable() }
        if let bookmark = request.bookmark { try await waitUntilApplied(bookmark) }
    }

    private func waitUntilApplied(_ transactionID: TransactionID) async throws(GraphError) {
        if let store = try? pipeline.readableStore(), store.applied.transactionID >= transactionID { return }
        let arrived = await withCheckedContinuation { continuation in
            pipeline.waitUntilApplied(transactionID, timeout: options.bookmarkTimeout) {
                continuation.resume(returning: $0)
            }
        }
        if !arrived {
            throw GraphError(
                .bookmarkTimeout,
                "\(transactionID) did not become readable here within \(options.bookmarkTimeout): try again or ask another member")
        }
    }

    // MARK: Writing

    /// Runs `body` in a write transaction, commits it, and returns once the commit is acknowledged and readable here.
    ///
    /// A lost conflict runs `body` again on a newer snapshot, so it must not have effects of its own. Returns the id of
    /// the transaction (the bookmark), nil when nothing was written.
    public func write<R: Sendable>(
        _ request: RequestOptions = RequestOptions(),
        _ body: @escaping @Sendable (Transaction) throws(GraphError) -> R
    ) async throws(GraphError) -> (value: R, transactionID: TransactionID?) {
        try await prepare(request)
        let deadline = monotonicNanoseconds() + options.retryTimeout.rawValue * 1_000_000
        var idBlock = 256
        while true {
            switch try await attempt(body) {
            case .needsIDs:
                try await reserveIDs(idBlock)
                idBlock = min(idBlock * 8, 1 << 22)
            case .done(let value, nil): return (value, nil)
            case .done(let value, let transactionID?):
                if let refusal = refusalToAcknowledge(transactionID) { throw refusal }
                return (value, transactionID)
            case .lost(let error):
                guard error.code == .conflict || error.code == .masterChanged, monotonicNanoseconds() < deadline else {
                    throw error
                }
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

    private enum Attempt<R: Sendable>: Sendable {
        case done(R, TransactionID?)
        case needsIDs
        /// The commit failed.
        case lost(GraphError)
    }

    /// Runs `body` once and commits. The worker thread hands the write set on itself: coming back here in between would
    /// cost two changes of thread.
    private func attempt<R: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws(GraphError) -> R
    ) async throws(GraphError) -> Attempt<R> {
        try await workers.start { [pipeline] done in
            do throws(GraphError) {
                let transaction = try pipeline.readableStore().beginWrite(pipeline.reserve)
                let value: R
                let writeSet: [UInt8]
                do throws(GraphError) {
                    value = try body(transaction)
                    guard transaction.hasWrites else { return done(.success(.done(value, nil))) }
                    writeSet = try transaction.finish()
                } catch {
                    let missing = transaction.missingIDs
                    if missing.nodes + missing.relationships > 0 { return done(.success(.needsIDs)) }
                    throw error
                }
                pipeline.commit(writeSet) { result in
                    switch result {
                    case .success(let transactionID): done(.success(.done(value, transactionID)))
                    case .failure(let error): done(.success(.lost(error)))
                    }
                }
            } catch {
                done(.failure(error))
            }
        }
    }

    private func reserveIDs(_ count: Int) async throws(GraphError) {
        let failure = await withCheckedContinuation { continuation in
            pipeline.reserveIDs(nodes: count, relationships: count) { continuation.resume(returning: $0) }
        }
        if let failure { throw failure }
    }
}
