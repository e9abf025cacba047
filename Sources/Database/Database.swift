public import Cypher
internal import FileSystem
public import GraphModel
public import QueryEngine
public import Storage
internal import Synchronization

/// A graph database as every front end sees it: alone or a member of a cluster, with the same calls.
public final class Database: Sendable {
    public struct Options: Sendable {
        /// Threads that run queries; 0 is as many as cores.
        public var queryThreadCount = 0
        /// How much these threads let others of the process go first, 0 to 19: see `nice(2)`.
        public var queryNiceness = 0
        /// Longest time a query may run; 0 is no limit.
        public var queryTimeout: Milliseconds = 0
        /// Memory that one query may hold for rows it has to gather, in bytes, roughly; 0 is no limit.
        public var queryByteCountMaximum = 1 << 30
        /// The language of queries at the manual's endpoints; nil tells it by how a query begins.
        public var dialect: Dialect?
        /// Longest time a request waits for its bookmark.
        public var bookmarkTimeout: Milliseconds = 20_000
        /// Longest time a write is tried again after lost conflicts and averted deadlocks.
        public var retryTimeout: Milliseconds = 10_000
        /// Longest time a transaction waits for one lock.
        public var lockTimeout: Milliseconds = 20_000
        /// Longest write set of one transaction, in bytes, roughly.
        public var transactionByteCountMaximum = WriteOptions().writeSetByteCountMaximum
        /// Whether every write is refused with `.readOnly`.
        public var isReadOnly = false
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
        /// The client's name for the request, if it writes: sent again under the same one it has no second effect.
        public var requestID: RequestID?
        public init() {}
    }

    public let pipeline: any CommitPipeline
    public let options: Options
    public let engine = QueryEngine()
    let workers: WorkerPool
    let events = TransactionEvents()
    /// Steps of detached transactions that are under way.
    let detachedSteps = Atomic<Int>(0)

    public init(_ pipeline: any CommitPipeline, options: Options = Options()) {
        self.pipeline = pipeline
        self.options = options
        let count = options.queryThreadCount == 0 ? max(2, processorCount()) : options.queryThreadCount
        workers = WorkerPool(threadCount: count, niceness: options.queryNiceness)
    }

    public var status: DatabaseStatus { pipeline.status }

    /// Stops taking work, finishes what runs, and closes the store. A master of a cluster hands over first.
    public func close() async {
        await pipeline.close()
        workers.close()
    }

    /// Runs `body`, which waits for somebody outside, on a query thread without making other queries wait with it.
    public func whileBlocked(_ body: () -> Void) { workers.whileBlocked(body) }

    /// Runs work within a query thread's job that may turn out to be long: then other jobs do not wait for it, but share
    /// the cores with it. The work must look at its control now and then.
    public func attending<R>(
        _ control: ExecutionControl, _ body: () throws(GraphError) -> R
    ) throws(GraphError) -> R { try workers.attending(control, body) }

    /// Runs work that may take a while, or wait for a disk, on a query thread.
    public func compute<R: Sendable>(_ body: @escaping @Sendable () -> R) async throws(GraphError) -> R {
        try await workers.run { .success(body()) }
    }

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

    static func read<R>(_ store: Store, _ body: (Transaction) throws(GraphError) -> R) throws(GraphError) -> R {
        let transaction = store.beginRead()
        defer { transaction.close() }
        let result: R
        do throws(GraphError) { result = try body(transaction) } catch {
            // What is damaged reads as missing: name the cause, not the consequence.
            try transaction.requireIntact()
            throw error
        }
        try transaction.requireIntact()
        return result
    }

    func prepare(_ request: RequestOptions) async throws(GraphError) {
        if request.isLinearizable { try pipeline.requireLinearizable() }
        if let bookmark = request.bookmark { try await waitUntilApplied(bookmark) }
    }

    func waitUntilApplied(_ transactionID: TransactionID) async throws(GraphError) {
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
}
