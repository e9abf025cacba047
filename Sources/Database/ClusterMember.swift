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
        /// Bytes of frames among them.
        var frameByteCount = 0
        var isClosed = false
    }

    /// Somebody who waits for the member's state to change.
    private struct Condition: Sendable {
        let deadline: Instant?
        let holds: @Sendable (MemberSnapshot) -> Bool
        let resume: @Sendable () -> Void
    }

    /// Time between two snapshots of a member that goes on as before.
    static let publishInterval: Milliseconds = 3

    /// Bytes of frames that may wait for the member's thread.
    static let queuedFrameByteCountMaximum = 64 << 20

    let configuration: Configuration
    private let conditions = Mutex<[Condition]>([])
    let queue = Monitor(Queue())
    let snapshot = Mutex(MemberSnapshot())
    /// The store that reads use; nil while there is none or it is being replaced.
    let openStore: Mutex<Store?>
    let note: @Sendable (NoteLevel, String) -> Void
    private let summer = GraphSummer()
    let meter = FetchMeter()
    let onFailure: @Sendable (GraphError) -> Void
    public let reserve = IDReserve()
    private let fileSystem: any FileSystem
    private let directory: StoreDirectory
    private let network: any FrameNetwork
    private let copier: any StoreCopier
    private let thread = Mutex<DedicatedThread?>(nil)
    private let checkpointer = Checkpointer()
    private let stateSyncer = PeriodicThread(name: "martlet-state")
    private let remover = PeriodicThread(name: "martlet-remove")
    private let schemaKeeper = SchemaKeeper()

    // Safety: made by `start`, then used only by the member's thread.
    private final class Confined: @unchecked Sendable {
        let engine: MemberEngine
        let host: ClusterMemberHost
        init(_ engine: MemberEngine, _ host: ClusterMemberHost) {
            self.engine = engine
            self.host = host
        }
    }

    /// Opens the member's store, if it has one. ``start(httpAddress:backupAddress:)`` lets it take part.
    ///
    /// - Parameters:
    ///   - note: gets one line per event that an operator should know.
    ///   - onFailure: called once when this process cannot go on: its disk failed or it is not of this cluster.
    public init(
        _ configuration: Configuration, fileSystem: any FileSystem = POSIXFileSystem(), network: any FrameNetwork,
        copier: any StoreCopier, note: @escaping @Sendable (NoteLevel, String) -> Void,
        onFailure: @escaping @Sendable (GraphError) -> Void
    ) throws(GraphError) {
        var configuration = configuration
        configuration.storeOptions.isClustered = true
        configuration.storeOptions.appliesWholeLog = false
        self.configuration = configuration
        self.note = note
        self.onFailure = onFailure
        self.fileSystem = fileSystem
        self.network = network
        self.copier = copier
        directory = StoreDirectory(path: configuration.directory, fileSystem: fileSystem)
        try directory.recover()
        var store: Store?
        if fileSystem.exists(configuration.directory + "/manifest") {
            // A store from an import or a backup has no cluster yet: all of its log counts. One that has only lost the file
            // of what it promised may end with entries that were never committed.
            var options = configuration.storeOptions
            let hasState = fileSystem.exists(configuration.directory + ".member")
            let wasMember = hasState || MemberEngine.hasTraces(hardStatePath: configuration.directory + ".member", fileSystem)
            options.appliesWholeLog = !wasMember
            if wasMember && !hasState {
                note(.warning, "\(configuration.directory).member is gone, but this store was a member's: it applies what it knows to be committed and counts again once a master has brought it up to date")
            }
            do throws(GraphError) {
                store = try Store.open(configuration.directory, fileSystem: fileSystem, options: options)
                if let line = store?.recoveryNote { note(.warning, line) }
            } catch {
                // The others have what is damaged here. Who has no others must decide for himself.
                guard error.code == .corrupt, !options.appliesWholeLog else { throw error }
                let kept = try directory.setDamagedAside()
                note(.error, "DAMAGED: \(error.message). The store is set aside as \(kept) and replaced by a copy of the master's")
            }
        }
        openStore = Mutex(store)
    }

    /// Joins the cluster, telling the others where this member's servers listen.
    public func start(httpAddress: String, backupAddress: String) throws(GraphError) {
        let store = openStore.withLock { $0 }
        var options = configuration.replication
        options.member.httpAddress = httpAddress
        options.member.backupAddress = backupAddress
        let host = ClusterMemberHost(
            directory: directory, storeOptions: configuration.storeOptions, summer: summer, meter: meter, network: network, copier: copier,
            branchedDataPolicy: configuration.replication.branchedDataPolicy, note: note, onFailure: onFailure)
        let engine = try MemberEngine(
            options: options, coordinators: configuration.coordinators, store: store,
            hardStatePath: configuration.directory + ".member", fileSystem: fileSystem, reserve: reserve,
            seed: UInt64.random(in: .min ... .max), now: .now, host: host)
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
        remover.start { [directory] in
            // What cannot be removed now is tried again, and does no harm meanwhile.
            ((try? directory.removeSome()) ?? false) ? 50_000_000 : 1_000_000_000
        }
        let syncAcknowledged = engine.syncAcknowledged
        stateSyncer.start { [onFailure] in
            do throws(GraphError) { try syncAcknowledged() } catch {
                onFailure(error)
                return 3_600_000_000_000
            }
            return 1_000_000_000
        }
        schemaKeeper.start(
            { [weak self] in self?.openStore.withLock { $0 } },
            mayCommit: { [weak self] in self?.snapshot.withLock { $0.isMaster } ?? false }
        ) { [weak self] writeSet, done in
            guard let self else { return done(.failure(Self.closed)) }
            commit(writeSet, done: done)
        }
    }

    /// Gives a job to the member's thread; false when it has ended.
    @discardableResult
    func enqueue(_ job: @escaping Job) -> Bool {
        let accepted = queue.withLock { queue in
            if !queue.isClosed { queue.jobs.append(job) }
            return !queue.isClosed
        }
        if accepted { queue.signal() }
        return accepted
    }

    private func run(_ engine: MemberEngine) {
        var published: (gist: MemberSnapshot.Gist, at: Instant)?
        while true {
            let deadline = engine.nextTickAt(now: .now)
            let work = queue.wait(untilNanoseconds: deadline.nanoseconds) { queue -> (jobs: [Job], isClosed: Bool)? in
                guard !queue.jobs.isEmpty || queue.isClosed else { return nil }
                defer {
                    queue.jobs.removeAll()
                    queue.frameByteCount = 0
                }
                return (queue.jobs, queue.isClosed)
            }
            let now = Instant.now
            for job in work?.jobs ?? [] { job(engine, now) }
            if Instant.now >= engine.nextTickAt(now: now) || work == nil { engine.tick(now: .now) }
            engine.flush(now: .now)
            // Under load rounds are short, and nobody needs every commit point.
            let gist = MemberSnapshot.Gist(engine, now: now)
            if published.map({ $0.gist != gist || now.milliseconds(since: $0.at) >= Self.publishInterval }) ?? true
                || work?.isClosed ?? false || conditions.withLock({ !$0.isEmpty })
            {
                published = (gist, now)
                publish(engine)
            }
            if work?.isClosed ?? false {
                engine.close()
                return conditions.withLock { conditions in
                    for condition in conditions { condition.resume() }
                    conditions = []
                }
            }
        }
    }

    private func publish(_ engine: MemberEngine) {
        var next = MemberSnapshot(engine, now: .now)
        let previous = snapshot.withLock { $0 }
        next.follow(previous)
        if next.isLeftAlone && !previous.hasJoined {
            note(.warning, "hears no master: serves reads of what it has, up to \(next.applied)")
        }
        snapshot.withLock { $0 = next }
        conditions.withLock { conditions in
            conditions.removeAll { condition in
                guard condition.holds(next) || condition.deadline.map({ $0 <= .now }) ?? false else { return false }
                condition.resume()
                return true
            }
        }
    }

    /// Returns once the member's state meets a condition, at the deadline, or when the member has ended.
    func wait(deadline: Instant? = nil, until holds: @escaping @Sendable (MemberSnapshot) -> Bool) async {
        await withCheckedContinuation { continuation in
            // The thread's next round looks at it.
            let accepted = enqueue { [self] _, _ in
                conditions.withLock { $0.append(Condition(deadline: deadline, holds: holds) { continuation.resume() }) }
            }
            if !accepted { continuation.resume() }
        }
    }

    /// Hands over a frame that came for this member.
    public func receive(_ frame: [UInt8]) {
        // A frame that cannot be read comes from another version or from nowhere: it is dropped.
        guard let decoded = try? ClusterFrame(decoding: frame) else { return }
        let accepted = queue.withLock { queue -> Bool in
            // A member that is held up drops what it cannot get to; the protocols send again.
            guard !queue.isClosed, queue.frameByteCount <= Self.queuedFrameByteCountMaximum else { return false }
            queue.frameByteCount += frame.count + 256
            queue.jobs.append { engine, now in engine.receive(decoded, now: now) }
            return true
        }
        if accepted { queue.signal() }
    }

    /// A peer's machine refused a connection: no process listens there.
    public func connectionRefused(_ address: String) {
        enqueue { engine, now in engine.connectionRefused(address: address, now: now) }
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
        commit(writeSet, under: nil, done: done)
    }

    public func reserveIDs(nodes: Int, relationships: Int, done: @escaping @Sendable (GraphError?) -> Void) {
        let accepted = enqueue { engine, now in
            engine.reserveIDs(nodes: nodes, relationships: relationships, now: now, done: done)
        }
        if !accepted { done(Self.closed) }
    }

    public func waitUntilApplied(
        _ transactionID: TransactionID, timeout: Milliseconds, done: @escaping @Sendable (Bool) -> Void
    ) {
        let accepted = enqueue { engine, now in
            engine.waitUntilApplied(transactionID, deadline: now + timeout, done: done)
        }
        if !accepted { done(false) }
    }

    public func mayAcknowledge() -> Bool {
        let (isMaster, end) = snapshot.withLock { ($0.isMaster, $0.answersUntil) }
        return !isMaster || end.map { Instant.now < $0 } ?? false
    }

    public func requireLinearizable() throws(GraphError) {
        let snapshot = snapshot.withLock { $0 }
        guard let leaseEnd = snapshot.leaseEnd, Instant.now < leaseEnd else {
            throw GraphError(
                .noMaster,
                "only the master, while it holds its lease, answers linearizable reads\(snapshot.master.map { ": ask member \($0.rawValue)" } ?? "")")
        }
    }

    static let closed = GraphError(.unavailable, "this member is shutting down: nothing was applied")

    /// Leaves the cluster's traffic and closes the store.
    public func close() async {
        schemaKeeper.stop()
        checkpointer.stop()
        stateSyncer.stop()
        remover.stop()
        summer.stop()
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
