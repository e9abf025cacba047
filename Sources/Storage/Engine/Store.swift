public import FileSystem
public import GraphModel
internal import Synchronization

/// What readers see at one moment: immutable, replaced as a whole when transactions are applied.
final class AppliedState: Sendable {
    let view: StoreView
    let position: LogPosition
    let counts: Counts
    let tokens: TokenTable
    let nextNodeID: UInt64
    let nextRelationshipID: UInt64
    /// When the master made the last applied transaction; for lag in milliseconds.
    let wallClockMilliseconds: Int64

    init(
        view: StoreView, position: LogPosition, counts: Counts, tokens: TokenTable, nextNodeID: UInt64,
        nextRelationshipID: UInt64, wallClockMilliseconds: Int64
    ) {
        self.view = view
        self.position = position
        self.counts = counts
        self.tokens = tokens
        self.nextNodeID = nextNodeID
        self.nextRelationshipID = nextRelationshipID
        self.wallClockMilliseconds = wallClockMilliseconds
    }
}

/// A store directory, open: log, overlay and base behind one object.
///
/// The log is the truth: ``append(_:)`` orders entries, ``apply(upTo:)`` makes them readable. Who calls them decides
/// what is committed: alone, whatever is durable; in a cluster, whatever the master reports as having its quorum.
public final class Store: Sendable {
    public struct Options: Sendable {
        /// Ids per node segment, as a power of two (4 to 15). Fixed when the store is created.
        public var nodeRangeBits: UInt8 = 14
        /// Ids per relationship segment, as a power of two (4 to 30).
        public var relationshipRangeBits: UInt8 = 17
        /// Entries that a file of an index aims at (1 to 65,536); it is split at twice as many. Three quarters of a power of
        /// two fill the table by hash just so.
        public var indexChunkEntryCount = 49_152
        /// Memory for sorting while an index is populated, in bytes.
        public var populationByteCount = 64 << 20
        /// A checkpoint is due when the overlay holds more than this many bytes.
        public var checkpointByteCount = 64 << 20
        /// From twice the above on, commits are held up: a little at first, more the further the overlay grows, up to
        /// this long each, in ms, at four times.
        public var commitDelayMaximum: Milliseconds = 50
        public var logRotationByteCount: UInt64 = 64 << 20
        public var logPreallocationByteCount: UInt64 = 4 << 20
        /// Whether a commit is acknowledged only once the disk has it. Off, a crash of the machine (not of the process)
        /// loses the latest commits: for loading data that can be loaded again.
        public var syncsLog = true
        /// Log kept for slaves and incremental backups beyond what recovery needs.
        public var logRetention = LogRetention.bytes(512 << 20)
        /// Whether a new store gets the reference node 0 of the legacy API.
        public var createsReferenceNode = true
        /// In a cluster a damaged log tail is cut; alone it refuses to open when it was synced.
        public var isClustered = false
        /// Whether entries in the log count as committed when the store opens: true for a single database and a backup.
        public var appliesWholeLog = true
        /// Whether the store takes nothing new: it has to exist, and ``Store/append(_:)`` refuses.
        public var isReadOnly = false
        /// Whether the log has a thread of its own; tests on a simulated disk call ``flush()``.
        public var usesLogThread = true
        /// For a new store; 0 draws one at random.
        public var storeID = StoreID.none
        public init() {}
    }

    public let directory: String
    public let fileSystem: any FileSystem
    public let options: Options
    public let storeID: StoreID
    /// One line when opening cut a torn log tail.
    public let recoveryNote: String?
    let log: TransactionLog
    private let lock: any FileLock
    let current: BriefMutex<AppliedState>
    /// Held while entries are applied or a checkpoint switches.
    let applying = Mutex<Void>(())
    private let overlaySize = Atomic<Int>(0)
    /// Appended, not applied yet; in order. Taken within `applying` where both are needed, and alone by ``append(_:)``,
    /// which so does not wait for entries that are being applied.
    let unapplied: Mutex<ReleasingQueue<LogRecord>>
    /// Held while a checkpoint is made; whether the store is closed and makes no more.
    let checkpointing = Mutex(false)
    let ownership = FileOwnership()
    /// Locks that transactions of this process hold.
    public let locks = LockManager()
    let populations = Populations()
    let requests: AppliedRequests
    let hooks: Hooks

    /// Calls out of the store, set once after opening.
    final class Hooks: Sendable {
        // In a struct: a function that is itself the state of a mutex is wrapped anew by every access, for good.
        private struct Calls {
            var onDurable: (@Sendable (LogPosition) -> Void)?
            var onFailure: (@Sendable (GraphError) -> Void)?
            var onGraphComparison: (@Sendable (MarkedGraph) -> Void)?
        }
        private let calls = Mutex(Calls())

        var onDurable: (@Sendable (LogPosition) -> Void)? {
            get { calls.withLock { $0.onDurable } }
            set { calls.withLock { $0.onDurable = newValue } }
        }
        var onFailure: (@Sendable (GraphError) -> Void)? {
            get { calls.withLock { $0.onFailure } }
            set { calls.withLock { $0.onFailure = newValue } }
        }
        var onGraphComparison: (@Sendable (MarkedGraph) -> Void)? {
            get { calls.withLock { $0.onGraphComparison } }
            set { calls.withLock { $0.onGraphComparison = newValue } }
        }
    }

    init(
        directory: String, fileSystem: any FileSystem, options: Options, log: TransactionLog, lock: any FileLock,
        state: AppliedState, unapplied: [LogRecord], recoveryNote: String?, hooks: Hooks
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.options = options
        self.log = log
        self.lock = lock
        self.recoveryNote = recoveryNote
        self.hooks = hooks
        storeID = state.view.base.manifest.storeID
        damage = state.view.base.damage
        current = BriefMutex(state)
        requests = AppliedRequests(state.view.base.manifest.requests)
        var queue = ReleasingQueue<LogRecord>()
        for record in unapplied { queue.append(record) }
        self.unapplied = Mutex(queue)
    }

    /// Called on the log thread when everything up to the position is on disk. Set before the first append.
    public func onDurable(_ body: @escaping @Sendable (LogPosition) -> Void) { hooks.onDurable = body }
    /// Called once when the log can no longer be written; the store is read-only from then on.
    public func onFailure(_ body: @escaping @Sendable (GraphError) -> Void) { hooks.onFailure = body }
    /// Called by whoever applies an entry that asks what the graph comes to; must not take long.
    public func onGraphComparison(_ body: @escaping @Sendable (MarkedGraph) -> Void) { hooks.onGraphComparison = body }

    /// What readers found damaged in the files since the store was opened.
    let damage: StoreDamage
    /// The same for others: the error, which names file and offset, that every read ends with from then on.
    public var foundDamage: GraphError? { damage.error }

    var state: AppliedState { current.withLock { $0 } }

    /// Position of the last applied transaction.
    public var applied: LogPosition { state.position }
    /// Position of the last entry in the log, durable or not.
    public var last: LogPosition { log.last }
    /// Position of the last durable entry.
    public var durable: LogPosition { log.durable }
    /// Position of the last checkpoint.
    public var checkpointed: LogPosition { state.view.base.manifest.position }
    public var failure: GraphError? { log.failure }
    public var nodeCount: Int { state.counts.nodes }
    public var relationshipCount: Int { state.counts.relationships }
    /// When the master made the last applied transaction, ms since 1970.
    public var appliedWallClockMilliseconds: Int64 { state.wallClockMilliseconds }
    /// The applied transaction that carried out a request; nil when there is none among the latest ones.
    public func transaction(of request: RequestID) -> TransactionID? { requests[request] }
    /// All that it remembers; for tests.
    package var committedRequests: [RequestID: TransactionID] {
        Dictionary(requests.entries.map { ($0.id, $0.transaction) }, uniquingKeysWith: max)
    }
    /// Bytes held by recent changes that no checkpoint has merged yet.
    public var overlayByteCount: Int { overlaySize.load(ordering: .relaxed) }

    /// How long the next commit should wait, in ns, so that checkpoints keep up with writers: 0 up to twice the size at
    /// which one is due, then growing with the square of what is beyond, so that writers slow down and never stop.
    public var commitDelayNanoseconds: UInt64 {
        let start = 2 * options.checkpointByteCount
        let excess = overlayByteCount - start
        guard excess > 0, start > 0 else { return 0 }
        let part = min(1, Double(excess) / Double(start))
        return UInt64(part * part * Double(options.commitDelayMaximum.rawValue) * 1e6)
    }

    /// Measures the overlays again; within `applying`, whose holder alone may look into them.
    func measureOverlay() {
        let view = state.view
        overlaySize.store(
            view.layers.reduce(view.schema.overlayByteCount) { $0 + $1.byteCount }, ordering: .relaxed)
    }
    /// Group syncs of the log so far.
    public var logSyncCount: UInt64 { log.syncCount }

    /// Appends entries to the log; they become durable soon and readable when applied.
    public func append(_ records: [LogRecord]) throws(GraphError) { try append(records, wakesLog: true) }

    /// The same; who does not wake the log thread calls ``writeLogHere()`` or ``wakeLog()`` next.
    package func append(_ records: [LogRecord], wakesLog: Bool) throws(GraphError) {
        try requireAppendable()
        try unapplied.withLock { unapplied throws(GraphError) in
            try log.append(records, wakesThread: wakesLog)
            for record in records { unapplied.append(record) }
        }
    }

    func requireAppendable() throws(GraphError) {
        if options.isReadOnly {
            throw GraphError(.readOnly, "\(directory) is open read-only (read_only=true): nothing can be changed in it")
        }
    }

    /// Has the log's thread write what was appended.
    package func wakeLog() { log.wakeThread() }

    /// Writes and syncs what was appended on this thread, when nobody else is writing.
    func writeLogHere() { log.writeHere() }

    /// Writes and syncs what was appended, on this thread; only with `usesLogThread == false`.
    public func flush() { log.flush() }

    /// Cuts entries that were never applied off the end of the log.
    public func truncate(after transactionID: TransactionID) throws(GraphError) {
        try applying.withLock { _ throws(GraphError) in
            guard transactionID >= state.position.transactionID else {
                throw GraphError(
                    .general, "the log cannot be cut after \(transactionID): \(state.position.transactionID) is applied")
            }
            try unapplied.withLock { unapplied throws(GraphError) in
                try log.truncate(after: transactionID)
                while let record = unapplied.last, record.position.transactionID > transactionID {
                    unapplied.removeLast()
                }
            }
        }
    }

    /// Position of a transaction in the log; nil when it is pruned or not there yet.
    public func position(of transactionID: TransactionID) throws(GraphError) -> LogPosition? {
        let checkpoint = checkpointed
        if transactionID == checkpoint.transactionID { return checkpoint }
        return try log.position(of: transactionID)
    }

    /// Entries after a transaction, for slaves and backups; nil when the log no longer reaches back so far.
    public func records(after transactionID: TransactionID, maximumByteCount: Int) throws(GraphError) -> [LogRecord]? {
        try log.records(after: transactionID, maximumByteCount: maximumByteCount)
    }

    /// The first transaction that the log still holds.
    public var firstAvailable: TransactionID { log.firstAvailable }

    /// Stops the log thread after writing what is pending, and waits for a checkpoint that is being made and for a
    /// population to stop. Readers may go on;
    /// nothing of this store changes its directory any more.
    public func close() {
        log.stop()
        populations.stop()
        checkpointing.withLock { $0 = true }
        ownership.end()
    }
}
