public import Coordination
public import FileSystem
public import GraphModel
public import Storage

/// What a member needs from the world around it: the server gives threads and sockets, the simulator virtual ones.
public protocol MemberHost: AnyObject {
    func send(_ frame: [UInt8], to address: String)
    /// The wall clock, ms since 1970: stamped on entries, decides nothing.
    func entryTimestamp() -> Int64
    /// One line for the operator's log.
    func note(_ level: NoteLevel, _ line: String)
    /// The process cannot go on: the disk failed, or it does not belong to this cluster.
    func failed(_ error: GraphError)
    /// Opens an empty store with this id.
    func createStore(_ id: StoreID) throws(GraphError) -> Store
    /// Begins to replace the store by a copy of a member's; the end is reported by ``MemberEngine/storeCopied(_:now:)``.
    /// `setAside` keeps the present store under another name.
    func startStoreCopy(from member: ClusterRegister.Member, storeID: StoreID, setAside: Bool)
    /// Brings work back to the engine: the closure may be called on any thread, the work runs later on the engine's.
    var resume: @Sendable (@escaping @Sendable (MemberEngine, Instant) -> Void) -> Void { get }
}

/// A member with its store: carries out what ``MemberCore`` decides, orders write sets while it is master, forwards them
/// while it is not, and tells whoever waits. Used by one thread at a time.
public final class MemberEngine {
    public let options: ReplicationOptions
    public private(set) var store: Store?
    /// What could be read here when the store was closed to make room for a copy.
    private var appliedBeforeCopy = TransactionID.zero
    public let reserve: IDReserve
    public private(set) var core: MemberCore
    var client: RegisterClient
    var sequencer: Sequencer?
    var waiters: CommitWaiters
    /// As a master: the locks of the other members' transactions.
    var lockHolders = LockHolders()
    /// The locks that transactions of this member have, or want, from the master.
    var lockRequests = LockRequests()
    var recentRequests = RecentRequests()
    /// Requests under way that this member may have ordered before it was started again: what it says against them is no proof
    /// that nothing was applied.
    var maybeOrdered: Set<LockHolders.Key> = []
    /// Entries were ordered that the log's thread has not been told of: all of them share a sync.
    var isLogToBeWoken = false
    var comparisons = GraphComparisons()
    public unowned let host: any MemberHost
    let fileSystem: any FileSystem
    let hardStatePath: String
    /// Where the others were when the register was last heard of: so that a member which starts while no coordinator
    /// answers can talk to a master that is there.
    var rememberedAddresses: [MemberID: String] = [:]
    private var acknowledged: AcknowledgedPosition
    private var refusedVersions: Set<UInt8> = []
    private var expiredAt: Instant
    private var actions: [MemberCore.Action] = []
    /// Its disk failed, or it does not belong to the cluster: it does nothing any more.
    public private(set) var hasFailed = false

    /// Waits that have taken too long are looked for this often.
    static let expiryInterval: Milliseconds = 10
    /// Ids handed to a slave at once, at least.
    static let idBlockMinimum = 256

    /// - Parameters:
    ///   - store: the member's store if it has one, opened with `isClustered` and without applying its whole log.
    ///   - hardStatePath: file of what the member must not forget; beside the store, not in it.
    public init(
        options: ReplicationOptions, coordinators: [String], store: Store?, hardStatePath: String,
        fileSystem: any FileSystem, registerOptions: RegisterClient.Options = .init(), reserve: IDReserve = IDReserve(),
        seed: UInt64, now: Instant, host: any MemberHost
    ) throws(GraphError) {
        var options = options
        options.member.storeID = store?.storeID ?? .none
        self.options = options
        self.store = store
        self.reserve = reserve
        self.fileSystem = fileSystem
        self.hardStatePath = hardStatePath
        self.host = host
        waiters = CommitWaiters(firstID: seed)
        expiredAt = now
        var hard = MemberHardState()
        do {
            try fileSystem.createDirectory(parentDirectory(hardStatePath))
            acknowledged = try AcknowledgedPosition(hardStatePath + ".acknowledged", fileSystem)
            if fileSystem.exists(hardStatePath) {
                hard = try MemberHardState(decoding: try fileSystem.readAll(hardStatePath))
                hard.acknowledged = max(hard.acknowledged, acknowledged.latest)
            }
        } catch let error as FileError {
            throw GraphError(error)
        } catch {
            throw GraphError(.corrupt, "\(hardStatePath): \(error)")
        }
        let log: any ReplicatedLog = if let store { store } else { EmptyLog() }
        core = MemberCore(
            options: options, hardState: hard, hasStore: store != nil, log: log, seed: seed, now: now)
        client = RegisterClient(coordinators: coordinators, options: registerOptions, seed: seed, now: now)
        recallAddresses()
    }

    /// Makes durable what this member acknowledged; for another thread, about once a second.
    public var syncAcknowledged: @Sendable () throws(GraphError) -> Void {
        let file = acknowledged.file
        return { () throws(GraphError) in
            do throws(FileError) { try file.sync() } catch { throw GraphError(error) }
        }
    }

    public func nextTickAt(now: Instant) -> Instant { min(core.nextTickAt(now: now), client.nextTickAt) }

    // MARK: Events

    public func tick(now: Instant) {
        client.isUrgent = core.knownMaster(now: now) == nil
        clientStep(now) { client, actions in client.tick(now: now, into: &actions) }
        if store?.foundDamage != nil { step(.storeDamaged, now) }
        step(.tick, now)
        if now >= expiredAt + Self.expiryInterval {
            expiredAt = now
            expire(now)
            expireLocks(now)
        }
        tickComparison(now)
    }

    public func receive(_ frame: ClusterFrame, now: Instant) {
        switch frame {
        case .member(let message, let sender, let version):
            if version > options.member.protocolVersion { return refuseVersion(version, of: sender) }
            core.heard(version: version)
            switch message {
            case .commit(let id, let writeSet, let lockSession, let epoch):
                if recentRequests.insert(id, from: sender) || core.breaks(.ordersTwice) {
                    if core.mayHaveOrdered(in: epoch, now: now) { maybeOrdered.insert(.init(member: sender, number: id)) }
                    orderForwarded(writeSet, lockSession: lockSession, from: sender, id: id, now)
                }
            case .lock(let id, let request): answerLock(id, request, from: sender, now)
            case .unlock(let session): releaseLocks(ofTransaction: .init(member: sender, number: session))
            case .lockReply(let id, let session, let outcome): lockAnswered(id, session, outcome, from: sender, now)
            case .lockCheck(let sessions): answerLockCheck(sessions, from: sender)
            case .reserve(let id, let nodes, let relationships):
                answerReserve(id, Int(nodes), Int(relationships), from: sender, now)
            case .commitReply(let id, let outcome): forwardedCommitEnded(id, outcome)
            case .reserveReply(let id, let outcome): forwardedReserveEnded(id, outcome)
            case .pullReply(let id, let commitPoint): pullAnswered(id, commitPoint)
            case .graphChecksum(let position, let checksum): noteGraph(position, checksum, of: sender, now)
            case .graphChecksumWanted(let position): answerGraphQuestion(position, from: sender)
            default: step(.received(message, from: sender), now)
            }
        case .registerReply(let reply):
            clientStep(now) { client, actions in client.received(reply, now: now, into: &actions) }
        case .raft, .registerRequest: break
        }
    }

    /// Nobody listens at a member's address.
    public func connectionRefused(address: String, now: Instant) {
        guard let member = core.register?.members.first(where: { $0.address == address }) else { return }
        step(.connectionRefused(member.id), now)
    }

    public func linkDown(address: String, now: Instant) {
        guard let member = core.register?.members.first(where: { $0.address == address }) else { return }
        step(.linkDown(member.id), now)
        releaseLocks(of: member.id)
        if core.followed == member.id {
            failForwarded("the connection to the master broke")
            loseLocks("the connection to the master broke")
        }
    }

    /// The store's log is on disk further than before.
    public func durable(now: Instant) { step(.durable, now) }

    /// - Parameter former: the store that was to be replaced, opened again after a copy that failed.
    public func storeCopied(_ result: Result<Store, GraphError>, former: Store? = nil, now: Instant) {
        switch result {
        case .success(let store):
            self.store = store
            host.note(.info, "store copy finished at \(store.applied)")
            step(.storeCopyFinished, now)
        case .failure(let error):
            host.note(.warning, "store copy failed: \(error.message)")
            store = former.flatMap(withWhatWasReadable)
            step(.storeCopyFailed(isBack: store != nil), now)
        }
        fulfilAppliedWaits()
    }

    /// A store that is opened again knows of commits what its log says; this member had heard more, and showed it to readers.
    private func withWhatWasReadable(_ store: Store) -> Store? {
        do throws(GraphError) {
            try store.apply(upTo: min(appliedBeforeCopy, store.last.transactionID))
            return store
        } catch {
            host.note(.warning, "the former store cannot be used: \(error.message)")
            store.close()
            return nil
        }
    }

    /// The store cannot be written any more: this member does nothing from now on.
    public func fail(_ error: GraphError) {
        if hasFailed { return }
        hasFailed = true
        endWaits("this member has failed: \(error.message)")
    }

    private func endWaits(_ reason: String) {
        waiters.failAll(GraphError(.outcomeUnknown, reason), reply)
        releaseAllLocks()
        loseLocks(reason)
    }

    /// Ends every wait with an error; the member takes part no more.
    public func close() {
        endWaits("this member is shutting down")
    }

    public func handOver(to target: MemberID?, now: Instant) { step(.handOver(to: target), now) }

    /// Takes a member out of the cluster; only the master can. Done once the register says so.
    public func removeMember(_ member: MemberID, now: Instant) { step(.removeMember(member), now) }

    /// Sends what the events so far gave reason to. Call after each event or batch of events.
    public func flush(now: Instant) {
        step(.flush, now)
        // What waits to be sent is not committed before it was: this disk takes it at the same time as the others'.
        if isLogToBeWoken, !core.holdsEntriesBack {
            isLogToBeWoken = false
            store?.wakeLog()
        }
        releaseHeldRequests(now)
        fulfilAppliedWaits()
    }

    private func refuseVersion(_ version: UInt8, of sender: MemberID) {
        guard refusedVersions.insert(version).inserted else { return }
        host.note(.warning, "member \(sender.rawValue) speaks version \(version) of the protocol, this member \(options.member.protocolVersion): what it says is dropped")
    }

    func clientStep(_ now: Instant, _ body: (inout RegisterClient, inout [RegisterClient.Action]) -> Void) {
        var clientActions: [RegisterClient.Action] = []
        body(&client, &clientActions)
        for action in clientActions {
            switch action {
            case .send(let request, let address):
                host.send(ClusterFrame.registerRequest(request, from: options.member.address).encode(), to: address)
            case .observed(let register):
                step(.registerObserved(register), now)
                rememberAddresses(register)
            }
        }
    }

    func step(_ event: MemberCore.Event, _ now: Instant) {
        if hasFailed { return }
        core.step(event, log: store, now: now, into: &actions)
        // Carrying out an action may bring the next event; its actions queue up behind.
        var index = 0
        while index < actions.count {
            let action = actions[index]
            index += 1
            do throws(GraphError) { try perform(action, now) } catch {
                hasFailed = true
                actions.removeAll()
                endWaits("this member has failed: \(error.message)")
                host.failed(error)
                return
            }
        }
        actions.removeAll(keepingCapacity: true)
    }

    private func coreStep(_ event: MemberCore.Event, _ now: Instant) {
        core.step(event, log: store, now: now, into: &actions)
    }

    private func perform(_ action: MemberCore.Action, _ now: Instant) throws(GraphError) {
        switch action {
        case .persist(let hard):
            do throws(FileError) {
                try fileSystem.replace(hardStatePath, with: hard.encode())
                try acknowledged.reset(to: hard.acknowledged)
            } catch {
                throw GraphError(error)
            }
        case .noteAcknowledged(let position):
            do throws(FileError) { try acknowledged.note(position) } catch { throw GraphError(error) }
        case .send(let message, let member): send(message, to: member)
        case .ship(let member, let after, let envelope, let maximum):
            ship(to: member, after: after, envelope, maximum, now)
        case .truncate(let transactionID): try store?.truncate(after: transactionID)
        case .append(let records): try store?.append(records)
        case .apply(let transactionID): try store?.apply(upTo: transactionID)
        case .acknowledge(let transactionID):
            waiters.committed(upTo: transactionID, reply)
        case .compareAndSet(let expected, let register):
            clientStep(now) { client, actions in
                client.compareAndSet(expected: expected, register, now: now, into: &actions)
            }
        case .becameMaster(let epoch, let commitPoint): try beginMastership(epoch, commitPoint, now)
        case .steppedDown(let epoch):
            sequencer = nil
            reserve.removeAll()
            waiters.failOrdered(
                GraphError(core.breaks(.callsUnknownNotApplied) ? .noMaster : .outcomeUnknown, "this member lost the mastership of \(epoch) before a quorum had the transaction: it may or may not have been committed"),
                reply)
            releaseAllLocks()
            loseLocks("this member lost the mastership of \(epoch)")
        case .following(let master, let epoch):
            reserve.removeAll()
            shortenForwarded(now)
            loseLocks("member \(master.rawValue) became master of \(epoch)")
        case .createStore(let id):
            store = try host.createStore(id)
            coreStep(.storeCreated, now)
        case .startStoreCopy(let member, let setAside): copyStore(from: member, setAside: setAside, now)
        case .refuse(let message): throw GraphError(.foreignStore, message)
        case .note(let level, let line): host.note(level, line)
        }
    }

    private func beginMastership(_ epoch: Epoch, _ commitPoint: TransactionID, _ now: Instant) throws(GraphError) {
        guard let store else { return }
        reserve.removeAll()
        shortenForwarded(now)
        loseLocks("this member became master of \(epoch)")
        var sequencer = try Sequencer(store)
        if core.breaks(.forgetsRequests) { sequencer.forgetRequests() }
        let record = sequencer.epochStart(
            epoch, commitPoint: commitPoint, wallClockMilliseconds: host.entryTimestamp())
        self.sequencer = sequencer
        try store.append([record])
        coreStep(.epochStarted(record.position.transactionID), now)
    }

    private func ship(
        to member: MemberID, after transactionID: TransactionID, _ envelope: ReplicationMessage.Append, _ maximum: Int,
        _ now: Instant
    ) {
        // A part of the log that cannot be read is as good as gone: a master does not stop for it.
        guard let store, let previous = store.knownPosition(of: transactionID),
            let records = (try? store.records(after: transactionID, maximumByteCount: maximum)) ?? nil
        else { return coreStep(.shipImpossible(to: member), now) }
        var append = envelope
        append.previous = previous
        append.records = records
        send(.append(append), to: member)
        coreStep(
            .shipped(
                to: member, through: records.last?.position.transactionID ?? transactionID,
                byteCount: records.reduce(0) { $0 + $1.bytes.count }), now)
    }

    private func copyStore(from id: MemberID, setAside: Bool, _ now: Instant) {
        // Just started, it may not know yet where the others are.
        guard let register = core.register, let member = register.member(id) else {
            return coreStep(.storeCopyFailed(isBack: store != nil), now)
        }
        appliedBeforeCopy = store?.applied.transactionID ?? .zero
        store = nil
        host.note(.info, "copies the store of member \(id.rawValue)")
        host.startStoreCopy(from: member, storeID: register.storeID, setAside: setAside)
    }

    func send(_ message: ReplicationMessage, to member: MemberID) {
        guard let address = core.register?.member(member)?.address ?? rememberedAddresses[member] else { return }
        let version = UInt8(clamping: max(1, min(core.clusterVersion, options.member.protocolVersion)))
        host.send(ClusterFrame.member(message, from: options.member.id, version: version).encode(), to: address)
    }
}
