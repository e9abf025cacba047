import Coordination
import FileSystem
import GraphModel
import Replication
import Storage
import Synchronization

/// One machine: a disk, a member, a coordinator or both, and a clock of its own.
final class SimulatedNode: MemberHost {
    let index: Int
    /// nil for an arbiter.
    let memberID: MemberID?
    let memberAddress: String?
    let coordinatorAddress: String?
    let isSlaveOnly: Bool
    private unowned let cluster: SimulatedCluster
    var disk = CrashableFileSystem()
    var engine: MemberEngine?
    var coordinator: CoordinatorEngine?
    var incarnation = 0
    var isPaused = false
    /// An old program does not come back once the operator has replaced it.
    var isUpgraded = false
    /// Frames that came while it was paused.
    var backlog: [SimulationEvent] = []
    private let mailbox = Mailbox()
    /// Parts per thousand by which the clock runs fast.
    var clockDrift: Int64 = 0
    /// What the wall clock shows at the start of the run; jumps.
    var wallClockOffset: Int64 = 1_800_000_000_000
    private var clockBase: (real: UInt64, shown: UInt64)
    var syncDelayMicroseconds: UInt64 = 200
    var isSyncScheduled = false
    private var acknowledgedSyncedAt: UInt64 = 0
    var scheduledTickAt: UInt64?

    init(
        index: Int, memberID: MemberID?, hostsCoordinator: Bool, isSlaveOnly: Bool, cluster: SimulatedCluster
    ) {
        self.index = index
        self.memberID = memberID
        memberAddress = memberID.map { "member\($0.rawValue):6001" }
        coordinatorAddress = hostsCoordinator ? "node\(index):5001" : nil
        self.isSlaveOnly = isSlaveOnly
        self.cluster = cluster
        // Clocks start anywhere.
        clockBase = (0, 1_000_000_000 + cluster.random.below(1 << 40))
    }

    var isUp: Bool { engine != nil || coordinator != nil }

    /// What this machine's monotonic clock shows.
    var now: Instant {
        let passed = Int64(cluster.now - clockBase.real)
        return Instant(nanoseconds: clockBase.shown + UInt64(passed + passed / 1000 * clockDrift))
    }

    func setClockDrift(_ drift: Int64) {
        clockBase = (cluster.now, now.nanoseconds)
        clockDrift = drift
    }

    /// Real time left until the clock shows `instant`.
    func realDelay(until instant: Instant) -> UInt64 {
        let shown = now
        guard instant > shown else { return 0 }
        return (instant.nanoseconds - shown.nanoseconds) * 1000 / UInt64(1000 + clockDrift)
    }

    static var storeOptions: Store.Options {
        var options = Store.Options()
        options.usesLogThread = false
        options.isClustered = true
        options.appliesWholeLog = false
        options.nodeRangeBits = 5
        options.relationshipRangeBits = 6
        options.logRotationByteCount = 8 << 10
        options.logPreallocationByteCount = 2 << 10
        options.logRetention = .bytes(2 << 10)
        return options
    }

    /// Name of the directory that holds the store; copies go to a new one.
    private var storeDirectory: String? {
        guard let bytes = try? disk.readAll("current") else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let coordinatorPath = "coordinator/state"

    /// Whether this machine's coordinator counts, up or down: it has a state on its disk that has not been lost.
    var hasCountingCoordinator: Bool {
        guard coordinatorAddress != nil, let bytes = try? disk.readAll(Self.coordinatorPath) else { return false }
        return (try? RaftHardState(decoding: bytes).nonce == 0) ?? false
    }

    /// Only while it is down.
    func removeCoordinatorState() { _ = try? disk.remove(Self.coordinatorPath) }

    /// What this member must not forget, as far as its disk says.
    var stateOnDisk: MemberHardState? {
        guard let bytes = try? disk.readAll("member") else { return nil }
        return try? MemberHardState(decoding: bytes)
    }

    func start() throws(GraphError) {
        incarnation += 1
        isPaused = false
        isSyncScheduled = false
        scheduledTickAt = nil
        backlog = []
        let send: (([UInt8], String) -> Void) = { [unowned self] frame, address in
            cluster.send(frame, from: index, to: address)
        }
        if let coordinatorAddress {
            var options = RaftCore.Options()
            options.countsWithoutState = cluster.schedule.brokenRules.contains(.countsWithoutState)
            coordinator = try CoordinatorEngine(
                address: coordinatorAddress, coordinators: cluster.coordinatorAddresses, path: Self.coordinatorPath,
                fileSystem: disk, options: options, seed: cluster.random.next(), now: now,
                note: { [unowned self] in cluster.trace("c\(index) \($1)") }, send: send)
        }
        guard let memberID, let memberAddress else { return }
        let store = try storeDirectory.map { directory throws(GraphError) in
            try Store.open(directory, fileSystem: disk, options: Self.storeOptions)
        }
        var options = ReplicationOptions(
            member: .init(id: memberID, address: memberAddress, isSlaveOnly: isSlaveOnly), clusterName: "simulated")
        options.syncTimeout = 3000
        options.foundingDelay = 600
        options.brokenRules = cluster.schedule.brokenRules
        configure(&options)
        engine = try MemberEngine(
            options: options, coordinators: cluster.coordinatorAddresses, store: store, hardStatePath: "member",
            fileSystem: disk, seed: cluster.random.next(), now: now, host: self)
        if let store { watch(store) }
    }

    private func configure(_ options: inout ReplicationOptions) {
        let schedule = cluster.schedule
        options.commitMode = schedule.commitMode
        options.pushFactor = schedule.pushFactor
        options.pushStrategy = schedule.pushStrategy
        options.branchedDataPolicy = schedule.branchedDataPolicy
        options.comparisonInterval = schedule.comparisonInterval
        if index >= schedule.memberCount - schedule.pollingCount { options.pullInterval = schedule.pullInterval }
        if cluster.now >= schedule.faultyMilliseconds * 500_000 { isUpgraded = true }
        options.member.protocolVersion = isOld ? 1 : UInt16(ReplicationMessage.protocolVersion)
    }

    /// Whether it runs a program of the version before.
    var isOld: Bool { index < cluster.schedule.oldVersionCount && !isUpgraded }

    private func watch(_ store: Store) {
        store.onFailure { _ in }
        let put = resume
        store.onGraphComparison { graph in
            guard let checksum = (try? graph.checksum { false }) ?? nil else { return }
            put { engine, now in engine.graphSummed(graph.position, checksum, now: now) }
        }
    }

    func crash() {
        if let register = coordinator?.newest, register.revision > cluster.newestRegister.revision {
            cluster.newestRegister = register
        }
        engine = nil
        coordinator = nil
        incarnation += 1
        disk = disk.crashClone(using: &cluster.random)
    }

    func wipe() {
        engine = nil
        coordinator = nil
        incarnation += 1
        disk = CrashableFileSystem()
    }

    // MARK: MemberHost

    func send(_ frame: [UInt8], to address: String) { cluster.send(frame, from: index, to: address) }

    var resume: @Sendable (@escaping Mailbox.Work) -> Void { mailbox.put }

    /// Does what was brought back to the engine since the last time.
    func doResumedWork() {
        for work in mailbox.take() { if let engine { work(engine, now) } }
    }

    func entryTimestamp() -> Int64 { wallClockOffset + Int64(cluster.now / 1_000_000) }

    func note(_ level: NoteLevel, _ line: String) {
        cluster.trace("m\(memberID?.rawValue ?? 0) \(line)")
        // Nothing else here is worth an error: these disks are not damaged.
        if level == .error { cluster.graphsDiffer(line) }
    }

    func failed(_ error: GraphError) {
        cluster.trace("m\(memberID?.rawValue ?? 0) FAILED \(error)")
        cluster.nodeFailed(self, error)
    }

    func createStore(_ id: StoreID) throws(GraphError) -> Store {
        var options = Self.storeOptions
        options.storeID = id
        return try adopt(directory: "store.\(incarnation)", options)
    }

    private func adopt(directory: String, _ options: Store.Options) throws(GraphError) -> Store {
        let store = try Store.open(directory, fileSystem: disk, options: options)
        do throws(FileError) { try disk.replace("current", with: Array(directory.utf8)) } catch { throw GraphError(error) }
        watch(store)
        return store
    }

    func startStoreCopy(from member: ClusterRegister.Member, storeID: StoreID, setAside: Bool) {
        cluster.startCopy(to: self, from: member, setAside: setAside)
    }

    /// The store that a copy was to replace, after all.
    func openFormerStore() -> Store? {
        let store = openStore(Self.storeOptions)
        if let store { watch(store) }
        return store
    }

    /// The store as its own server would find it, alone.
    func openSeparately() -> Store? {
        var options = Self.storeOptions
        options.appliesWholeLog = true
        return openStore(options)
    }

    private func openStore(_ options: Store.Options) -> Store? {
        storeDirectory.flatMap { try? Store.open($0, fileSystem: disk, options: options) }
    }

    /// What the server's own thread does about once a second.
    func syncAcknowledged(_ now: UInt64) {
        guard now >= acknowledgedSyncedAt + 1_000_000_000 else { return }
        acknowledgedSyncedAt = now
        // A disk that has failed has stopped the engine already.
        try? engine?.syncAcknowledged()
    }

    /// Takes a copy of another node's store.
    func copyStore(of source: SimulatedNode) -> Result<Store, GraphError> {
        guard let sourceStore = source.engine?.store else {
            return .failure(GraphError(.network, "the source has no store"))
        }
        return Result { () throws(GraphError) -> Store in
            let copy = sourceStore.beginCopy()
            let directory = "store.\(incarnation).\(cluster.now)"
            let target = try StoreCopyTarget(
                directory: directory, fileSystem: disk, manifest: copy.manifest,
                logPreallocationByteCount: Self.storeOptions.logPreallocationByteCount)
            for (index, file) in copy.files.enumerated() {
                try target.write(file.name, try copy.read(index, from: 0, maximumByteCount: Int(file.byteCount)))
            }
            var position = copy.basePosition.transactionID
            while true {
                let records = try copy.records(after: position, maximumByteCount: 4096)
                guard let last = records.last else { break }
                try target.append(records)
                position = last.position.transactionID
            }
            _ = try target.finish()
            var options = Self.storeOptions
            options.appliesWholeLog = true
            return try adopt(directory: directory, options)
        }
    }
}

/// Work that waits for a node's engine.
final class Mailbox: Sendable {
    typealias Work = @Sendable (MemberEngine, Instant) -> Void
    // A closure that is itself the state of a mutex is wrapped anew by every access.
    private struct Letter { let work: Work }
    private let letters = Mutex<[Letter]>([])

    var put: @Sendable (@escaping Work) -> Void {
        { [self] work in letters.withLock { $0.append(Letter(work: work)) } }
    }

    func take() -> [Work] {
        letters.withLock { letters in
            defer { letters = [] }
            return letters.map(\.work)
        }
    }
}
