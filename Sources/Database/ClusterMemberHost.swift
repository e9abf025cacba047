internal import Coordination
internal import FileSystem
internal import GraphModel
internal import Replication
internal import Storage

/// The world around a member's engine: files, the network, other threads. Used by the member's thread.
final class ClusterMemberHost: MemberHost {
    private let directory: StoreDirectory
    private let storeOptions: Store.Options
    private let network: any FrameNetwork
    private let copier: any StoreCopier
    private let noteLine: @Sendable (NoteLevel, String) -> Void
    private let onFailure: @Sendable (GraphError) -> Void
    var enqueue: (@Sendable (@escaping ClusterMember.Job) -> Void)?
    var storeChanged: (@Sendable (Store?) -> Void)?
    let summer: GraphSummer
    let meter: FetchMeter
    private var current: Store?
    private let branchedDataPolicy: BranchedDataPolicy
    /// What the store on disk is, from the moment that it turned out to be branched until it is set aside.
    private var branch: BranchedStore?

    init(
        directory: StoreDirectory, storeOptions: Store.Options, summer: GraphSummer, meter: FetchMeter,
        network: any FrameNetwork, copier: any StoreCopier,
        branchedDataPolicy: BranchedDataPolicy, note: @escaping @Sendable (NoteLevel, String) -> Void,
        onFailure: @escaping @Sendable (GraphError) -> Void
    ) {
        self.branchedDataPolicy = branchedDataPolicy
        self.summer = summer
        self.meter = meter
        self.directory = directory
        self.storeOptions = storeOptions
        self.network = network
        self.copier = copier
        noteLine = note
        self.onFailure = onFailure
    }

    /// Lets the engine know of what the store's log thread does.
    func watch(_ store: Store) {
        current = store
        let (enqueue, onFailure) = (enqueue, onFailure)
        store.onDurable { _ in enqueue? { engine, now in engine.durable(now: now) } }
        store.onFailure { error in
            enqueue? { engine, _ in engine.fail(error) }
            onFailure(error)
        }
        let summer = summer
        store.onGraphComparison { graph in
            summer.sum(graph) { position, checksum in
                enqueue? { engine, now in engine.graphSummed(position, checksum, now: now) }
            }
        }
    }

    func send(_ frame: [UInt8], to address: String) { network.send(frame, to: address) }
    var resume: @Sendable (@escaping ClusterMember.Job) -> Void { { [enqueue] work in enqueue?(work) } }
    func entryTimestamp() -> Int64 { wallClockMilliseconds() }
    func note(_ level: NoteLevel, _ line: String) { noteLine(level, line) }
    func failed(_ error: GraphError) { onFailure(error) }

    func createStore(_ id: StoreID) throws(GraphError) -> Store {
        var options = storeOptions
        options.storeID = id
        let store = try Store.open(directory.path, fileSystem: directory.fileSystem, options: options)
        watch(store)
        storeChanged?(store)
        return store
    }

    func startStoreCopy(from member: ClusterRegister.Member, storeID: StoreID, setAside: Bool) {
        let old = current
        current = nil
        storeChanged?(nil)
        if setAside, let old {
            branch = BranchedStore(
                beside: directory.path, time: wallClockMilliseconds(), storeID: old.storeID, last: old.last, master: member.id)
        }
        let (directory, copier, options, enqueue, meter) = (directory, copier, storeOptions, enqueue, meter)
        let (branch, keepsLast) = (setAside ? branch : nil, branchedDataPolicy == .keepLast)
        // Safety of the hand-over: the thread only computes; the engine takes the result on its own thread.
        _ = DedicatedThread(name: "martlet-copy") { [storeChanged] in
            lowerThreadPriority()
            let result = Result { () throws(GraphError) -> Store in
                old?.close()
                try directory.prepareCopy()
                let before = meter.storeCopyByteCount
                try copier.copyStore(of: member, storeID: storeID, into: directory.copyPath) { byteCount in
                    meter.note(storeCopyByteCount: before + byteCount)
                }
                if let branch { try directory.describeBranch(branch) }
                try directory.install(keepingAs: branch?.directory)
                if keepsLast, let branch { try directory.removeBranches(before: branch) }
                // What a copy contains was committed where it comes from.
                var options = options
                options.appliesWholeLog = true
                return try Store.open(directory.path, fileSystem: directory.fileSystem, options: options)
            }
            var former: Store?
            if case .failure = result {
                // The source may be gone for good, and this member's vote be needed.
                former = try? Store.open(directory.path, fileSystem: directory.fileSystem, options: options)
            }
            enqueue? { [former] engine, now in
                let host = engine.host as? ClusterMemberHost
                if case .success = result { host?.branch = nil }
                if let store = (try? result.get()) ?? former {
                    host?.watch(store)
                    storeChanged?(store)
                }
                engine.storeCopied(result, former: former, now: now)
            }
        }
    }
}
