public import FileSystem
public import GraphModel
public import Replication
public import Storage
internal import Coordination
internal import Synchronization

/// The pipeline of a cluster member: its own thread drives the protocol; commits go to the master, wherever it is.
public final class ClusterMember: CommitPipeline {
    public struct Configuration: Sendable {
        public var replication: ReplicationOptions
        /// Addresses of all coordinators.
        public var coordinators: [String]
        public var directory: String
        public var storeOptions: Store.Options
        /// Longest time that closing waits for another member to take over.
        public var handoverTimeout: Milliseconds = 10_000

        public init(
            replication: ReplicationOptions, coordinators: [String], directory: String,
            storeOptions: Store.Options = .init()
        ) {
            self.replication = replication
            self.coordinators = coordinators
            self.directory = directory
            self.storeOptions = storeOptions
        }
    }

    typealias Job = @Sendable (MemberEngine, Instant) -> Void
    struct Queue {
        var jobs: [Job] = []
        var isClosed = false
    }

    let configuration: Configuration
    let queue = Monitor(Queue())
    let snapshot = Mutex(MemberSnapshot())
    /// The store that reads use; nil while there is none or it is being replaced.
    let openStore: Mutex<Store?>
    let note: @Sendable (String) -> Void
    let onFailure: @Sendable (GraphError) -> Void
    public let reserve: IDReserve
    private let thread = Mutex<DedicatedThread?>(nil)
    private let checkpointer = Checkpointer()

    // Safety: made by `init`, then used only by the member's thread.
    private final class Confined: @unchecked Sendable {
        let engine: MemberEngine
        let host: ClusterMemberHost
        init(_ engine: MemberEngine, _ host: ClusterMemberHost) {
            self.engine = engine
            self.host = host
        }
    }

    /// Opens the member's store, if it has one, and starts taking part.
    ///
    /// - Parameters:
    ///   - note: gets one line per event that an operator should know.
    ///   - onFailure: called once when this process cannot go on: its disk failed or it is not of this cluster.
    public init(
        _ configuration: Configuration, fileSystem: any FileSystem = POSIXFileSystem(), network: any FrameNetwork,
        copier: any StoreCopier, note: @escaping @Sendable (String) -> Void,
        onFailure: @escaping @Sendable (GraphError) -> Void
    ) throws(GraphError) {
        var configuration = configuration
        configuration.storeOptions.isClustered = true
        configuration.storeOptions.appliesWholeLog = false
        self.configuration = configuration
        self.note = note
        self.onFailure = onFailure
        let directory = StoreDirectory(path: configuration.directory, fileSystem: fileSystem)
        try directory.recover()
        var store: Store?
        if fileSystem.exists(configuration.directory + "/manifest") {
            // A store from an import or a backup has no cluster yet: all of its log counts.
            var options = configuration.storeOptions
            let hardStatePath = configuration.directory + ".member"
            options.appliesWholeLog = !fileSystem.exists(hardStatePath)
            store = try Store.open(configuration.directory, fileSystem: fileSystem, options: options)
            if let line = store?.recoveryNote { note(line) }
        }
        openStore = Mutex(store)
        let host = ClusterMemberHost(
            directory: directory, storeOptions: configuration.storeOptions, network: network, copier: copier, note: note,
            onFailure: onFailure)
        let engine = try MemberEngine(
            options: configuration.replication, coordinators: configuration.coordinators, store: store,
            hardStatePath: configuration.directory + ".member", fileSystem: fileSystem,
            seed: UInt64.random(in: .min ... .max), now: .now, host: host)
        reserve = engine.reserve
        let confined = Confined(engine, host)
        host.enqueue = { [weak self] job in self?.enqueue(job) }
        host.storeChanged = { [weak self] store in self?.openStore.withLock { $0 = store } }
        if let store { host.watch(store) }
        let started = DedicatedThread(name: "martlet-member") { [self] in
            run(confined.engine)
            _ = confined.host
        }
        thread.withLock { $0 = started }
        checkpointer.start { [weak self] in self?.openStore.withLock { $0 } }
    }

    func enqueue(_ job: @escaping Job) {
        queue.withLock { queue in
            if !queue.isClosed { queue.jobs.append(job) }
        }
        queue.signal()
    }

    private func run(_ engine: MemberEngine) {
        while true {
            let deadline = engine.nextTickAt(now: .now)
            let work = queue.wait(untilNanoseconds: deadline.nanoseconds) { queue -> (jobs: [Job], isClosed: Bool)? in
                guard !queue.jobs.isEmpty || queue.isClosed else { return nil }
                defer { queue.jobs.removeAll() }
                return (queue.jobs, queue.isClosed)
            }
            let now = Instant.now
            for job in work?.jobs ?? [] { job(engine, now) }
            if Instant.now >= engine.nextTickAt(now: now) || work == nil { engine.tick(now: .now) }
            engine.flush(now: .now)
            snapshot.withLock { $0 = MemberSnapshot(engine, now: .now) }
            if work?.isClosed ?? false { return engine.close() }
        }
    }

    /// Hands over a frame that came for this member.
    public func receive(_ frame: [UInt8]) {
        // A frame that cannot be read comes from another version or from nowhere: it is dropped.
        guard let decoded = try? ClusterFrame(decoding: frame) else { return }
        enqueue { engine, now in engine.receive(decoded, now: now) }
    }

    /// The connection with a peer broke.
    public func linkDown(_ address: String) {
        enqueue { engine, now in engine.linkDown(address: address, now: now) }
    }

    // MARK: CommitPipeline

    public func readableStore() throws(GraphError) -> Store {
        guard let store = openStore.withLock({ $0 }) else {
            throw GraphError(.unavailable, "this member has no store to read yet: it is starting or copying one")
        }
        return store
    }

    public func commit(_ writeSet: [UInt8], done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void) {
        enqueue { engine, now in engine.commit(writeSet, now: now, done: done) }
    }

    public func reserveIDs(nodes: Int, relationships: Int, done: @escaping @Sendable (GraphError?) -> Void) {
        enqueue { engine, now in engine.reserveIDs(nodes: nodes, relationships: relationships, now: now, done: done) }
    }

    public func waitUntilApplied(
        _ transactionID: TransactionID, timeout: Milliseconds, done: @escaping @Sendable (Bool) -> Void
    ) {
        enqueue { engine, now in engine.waitUntilApplied(transactionID, deadline: now + timeout, done: done) }
    }

    public func requireLinearizable() throws(GraphError) {
        let snapshot = snapshot.withLock { $0 }
        guard let leaseEnd = snapshot.leaseEnd, Instant.now < leaseEnd else {
            throw GraphError(
                .noMaster,
                "only the master, while it holds its lease, answers linearizable reads\(snapshot.master.map { ": ask member \($0.rawValue)" } ?? "")")
        }
    }

    // MARK: Operation

    /// Asks the master, which must be this member, to hand over; nil: to whoever is best.
    public func switchMaster(to target: MemberID?) throws(GraphError) {
        guard snapshot.withLock({ $0.isMaster }) else {
            throw GraphError(.noMaster, "this member is not the master: ask the master to hand over")
        }
        enqueue { engine, now in engine.handOver(to: target, now: now) }
    }

    /// Hands a mastership over if another member can take it, then stops. Reads go on until the caller closes the store's
    /// users.
    public func close() async {
        if snapshot.withLock({ $0.isMaster && $0.syncSet.count > 1 }) {
            enqueue { engine, now in engine.handOver(to: nil, now: now) }
            let deadline = Instant.now + configuration.handoverTimeout
            while snapshot.withLock({ $0.isMaster }), Instant.now < deadline {
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        checkpointer.stop()
        queue.withLock { $0.isClosed = true }
        queue.signal()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
        openStore.withLock { store in
            store?.close()
            store = nil
        }
    }
}
