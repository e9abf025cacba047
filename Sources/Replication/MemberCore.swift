public import Coordination
public import GraphModel

/// One data member of a cluster: follows a master, elects one, or is it. The protocol is `docs/cluster.md`: a
/// configuration master in the manner of Vertical Paxos II (Lamport, Malkhi, Zhou 2009) and PacificA (Lin et al. 2008),
/// with leases, pre-votes and joint quorums.
///
/// A value without clock, I/O or threads: `step` takes an event, the time and a view of the log, and appends actions,
/// which are carried out in order; `persist` is durable before the next one. Entries become durable later and are
/// reported by an event.
public struct MemberCore: Sendable {
    public enum Event: Sendable {
        case tick
        /// Everything at hand has been handled: what was put together may leave.
        case flush
        case received(ReplicationMessage, from: MemberID)
        case registerObserved(ClusterRegister)
        /// The connection to a member's process ended.
        case linkDown(MemberID)
        /// A new connection to a member was refused by its machine: no process listens there.
        case connectionRefused(MemberID)
        /// The log is on disk up to its durable position.
        case durable
        /// The entry that begins this member's epoch is in its log.
        case epochStarted(TransactionID)
        /// Entries up to here were sent to a member.
        case shipped(to: MemberID, through: TransactionID, byteCount: Int)
        /// The log no longer holds what the member needs next.
        case shipImpossible(to: MemberID)
        case storeCopyFinished
        /// `isBack`: the store that was to be replaced is in use again.
        case storeCopyFailed(isBack: Bool)
        /// The store was created for a cluster that this member founds.
        case storeCreated
        /// Somebody asks for another master; nil: any.
        case handOver(to: MemberID?)
        /// A transaction was ordered for a client of that member, which wants it without waiting for its next pull.
        case ordered(TransactionID, for: MemberID)
        /// Reading came upon damage in the store.
        case storeDamaged
        /// An operator takes a member out of the cluster.
        case removeMember(MemberID)
    }

    public enum Action: Sendable, Equatable {
        case persist(MemberHardState)
        /// Write down, without waiting for the disk, that this was acknowledged: it outlives the process, and a log that ends
        /// earlier then has lost something.
        case noteAcknowledged(LogPosition)
        case send(ReplicationMessage, to: MemberID)
        /// Read the entries after a transaction and send them with this envelope; then report `shipped`.
        case ship(to: MemberID, after: TransactionID, ReplicationMessage.Append, maximumByteCount: Int)
        case truncate(after: TransactionID)
        case append([LogRecord])
        case apply(upTo: TransactionID)
        /// Clients may be told that everything up to here is committed.
        case acknowledge(upTo: TransactionID)
        case compareAndSet(expected: UInt64, ClusterRegister)
        case becameMaster(Epoch, commitPoint: TransactionID)
        /// Whatever this member ordered and did not acknowledge has an unknown outcome.
        case steppedDown(Epoch)
        case following(MemberID, Epoch)
        /// Create an empty store with this id; then report `storeCreated`.
        case createStore(StoreID)
        /// Replace the store by a copy of that member's. `setAside`: it has what the cluster has not, and is kept.
        case startStoreCopy(from: MemberID, setAside: Bool)
        /// This process does not belong to the cluster; the text names both values.
        case refuse(String)
        /// One line for the operator.
        case note(NoteLevel, String)

        static func note(_ line: String) -> Action { .note(.info, line) }
    }

    /// Whether this member knows what it promised.
    enum Memory: Sendable {
        case whole
        /// It has no state on disk: it is new, or has lost it. The register has not been read yet.
        case lost
        /// It counts, so it may have promised its vote to a candidate whose compare-and-set is still under way. Such a one
        /// fails once the register has another revision than this.
        case fencing(revision: UInt64)
    }

    enum Role: Sendable {
        case pending
        case slave(SlaveReplication)
        case master(MasterReplication)
    }

    static let copyPause: Milliseconds = 1000

    public let options: ReplicationOptions
    var generator: SplitMix
    public internal(set) var hard: MemberHardState
    public internal(set) var register: ClusterRegister?
    var role = Role.pending
    var memory: Memory
    var election: Election?
    /// Before this time the member answers no election: it acknowledged a heartbeat, or has just started and may have.
    var silentUntil: Instant
    /// When this member may begin an election, if it still hears no master then.
    var electionAt: Instant
    var hasStore: Bool
    var isCopying = false
    var isFounding = false
    /// The store that a copy is to replace has what the cluster has not.
    var isBranched = false
    /// After a copy that failed, when the next may begin.
    var copyAgainAt: Instant?
    /// The state on disk says that this member has all it acknowledged, and it has not.
    private var overstates = false
    /// It says less of what this member acknowledged than may be so.
    private var understates = false
    var foundingSince: Instant?
    public internal(set) var lastHeardMasterAt: Instant?
    /// Who that was, when it was another.
    var lastHeardMaster: MemberID?
    var announcedRevision: UInt64?
    /// When the register was seen to name the master of a new epoch.
    var newMasterNamedAt: Instant?
    /// Bytes of log entries that masters have sent since the start, those that came twice included.
    public internal(set) var receivedLogByteCount: UInt64 = 0
    /// When this member, if it polls, asks its master for entries next.
    var pullAt: Instant
    public let startedAt: Instant
    /// The highest version of the protocol that a message came in.
    private var heardVersion: UInt16 = 1
    /// The last epoch that this member was master of before it was started.
    var masteredBefore: Epoch

    public init(
        options: ReplicationOptions, hardState: MemberHardState, hasStore: Bool, log: any ReplicatedLog, seed: UInt64,
        now: Instant
    ) {
        self.options = options
        generator = SplitMix(seed: seed)
        hard = hardState
        memory = hardState.promised == .zero ? .lost : .whole
        self.hasStore = hasStore
        startedAt = now
        masteredBefore = hardState.mastered
        silentUntil = now + options.leaseTime
        electionAt = now + options.leaseTime
        pullAt = now
        if options.brokenRules.contains(.forgetsPromise) {
            hard.promised = .zero
            silentUntil = now
        }
        // A log that ends before what was once acknowledged has lost entries: it must not speak for them.
        if log.durable < hard.acknowledged { hard.isComplete = false }
        if !hasStore { hard.isComplete = false }
        // A machine that stopped may have forgotten the latest, but what was acknowledged is in the log.
        if hard.isComplete, log.durable > hard.acknowledged {
            hard.acknowledged = log.durable
            understates = true
        }
        if options.brokenRules.contains(.votesWithoutCatchingUp) { hard.isComplete = true }
        overstates = hardState.isComplete && !hard.isComplete
    }

    var id: MemberID { options.member.id }

    var isMemoryLost: Bool {
        if case .lost = memory { return true }
        return false
    }

    var isMemoryWhole: Bool {
        if case .whole = memory { return true }
        return false
    }

    /// The member with the log view that stands in while there is no store.
    public mutating func step(_ event: Event, log: (any ReplicatedLog)?, now: Instant, into actions: inout [Action]) {
        let log = log ?? EmptyLog()
        if overstates {
            // The log may grow past what the state remembers before it holds all of it again.
            overstates = false
            actions.append(.persist(hard))
        }
        if understates {
            understates = false
            actions.append(.noteAcknowledged(hard.acknowledged))
        }
        if hard.forgone > .zero {
            actions.append(
                .note(.warning, "counts again by the word of an operator: had acknowledged \(hard.forgone), its log ended at \(hard.acknowledged)"))
            hard.forgone = .zero
            actions.append(.persist(hard))
        }
        switch event {
        case .tick: tick(log, now, &actions)
        case .flush: flush(log, now, &actions)
        case .received(let message, let sender): received(message, sender, log, now, &actions)
        case .registerObserved(let register): observe(register, log, now, &actions)
        case .linkDown(let member): linkDown(member, now)
        case .connectionRefused(let member): connectionRefused(member, now)
        case .durable: durable(log, now, &actions)
        case .epochStarted(let transactionID):
            guard var master = takeMaster() else { return }
            master.epochStart = transactionID
            master.ownDurable = log.durable.transactionID
            role = .master(master)
        case .shipped(let member, let through, let byteCount): shipped(member, through, byteCount, log)
        case .shipImpossible(let member): shipImpossible(member, &actions)
        case .storeCopyFinished:
            isBranched = false
            useStore(true)
        case .storeCopyFailed(let isBack):
            // The next word of a master starts another, after a pause: copying costs the source too.
            useStore(isBack)
            copyAgainAt = now + Self.copyPause
        case .storeCreated:
            hasStore = true
            isFounding = false
            if let register { takeUp(register, log, now, &actions) }
        case .ordered(let transactionID, let origin): noteOrigin(origin, of: transactionID)
        case .storeDamaged: replaceDamagedStore(now, &actions)
        case .removeMember(let member): removeMember(member, &actions)
        case .handOver(let target): handOver(to: target, now, &actions)
        }
    }

    private mutating func tick(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        switch role {
        case .master: masterTick(log, now, &actions)
        case .slave, .pending:
            completeWhenRegained(log, &actions)
            announce(log, now, &actions)
            electionTick(log, now, &actions)
            pollMaster(now, &actions)
        }
    }

    private mutating func received(
        _ message: ReplicationMessage, _ sender: MemberID, _ log: any ReplicatedLog, _ now: Instant,
        _ actions: inout [Action]
    ) {
        switch message {
        case .append(let append): accept(append, from: sender, log, now, &actions)
        case .appendReply(let reply): accept(reply, from: sender, log, now, &actions)
        case .storeCopyNeeded(let epoch, let isDiverged):
            storeCopyNeeded(epoch, isDiverged: isDiverged, from: sender, log, &actions)
        case .pull(let id): answerPull(id, from: sender, log, &actions)
        case .preVote(let epoch, let revision): answerPreVote(epoch, revision, from: sender, log, now, &actions)
        case .preVoteReply(let epoch, let agrees): accept(preVote: agrees, epoch, from: sender, log, now, &actions)
        case .prepare(let epoch, let revision): answerPrepare(epoch, revision, from: sender, log, now, &actions)
        case .prepareReply(let epoch, let outcome): accept(outcome, epoch, from: sender, now, &actions)
        case .register(let register):
            // Who has lost its memory needs a value that was read after that.
            if !isMemoryLost { observe(register, log, now, &actions) }
        // Requests of clients are the shell's: it holds the write sets and who waits for them.
        case .commit, .commitReply, .reserve, .reserveReply, .pullReply, .lock, .lockReply, .unlock, .lockCheck,
            .graphChecksum, .graphChecksumWanted:
            break
        }
    }

    // MARK: Shared

    func breaks(_ rule: BrokenRule) -> Bool { options.brokenRules.contains(rule) }

    /// What the cluster may use: every member speaks it.
    public var clusterVersion: UInt16 { max(register?.clusterVersion ?? 1, heardVersion) }

    /// A member's messages are of no later version than the cluster's. Who has not read the register goes by that: the
    /// coordinators may be away while a master is there.
    mutating func heard(version: UInt8) { heardVersion = max(heardVersion, UInt16(version)) }

    var isOptimistic: Bool { register?.commitMode == .optimistic }

    /// Before an acknowledgement leaves.
    mutating func noteAcknowledged(_ position: LogPosition, _ actions: inout [Action]) {
        guard position > hard.acknowledged else { return }
        hard.acknowledged = position
        actions.append(.noteAcknowledged(position))
    }

    mutating func promise(_ epoch: Epoch, _ actions: inout [Action]) {
        guard epoch > hard.promised else { return }
        hard.promised = epoch
        actions.append(.persist(hard))
    }

    /// A random time of up to `limit`.
    mutating func jitter(_ limit: Milliseconds) -> Milliseconds { Milliseconds(generator.next() % (limit.rawValue + 1)) }

    /// No copy is under way any more; the next append tells how much of the store is the present master's.
    private mutating func useStore(_ isThere: Bool) {
        isCopying = false
        hasStore = isThere
        guard case .slave(var slave) = role else { return }
        slave.verified = .zero
        slave.isVerified = false
        role = .slave(slave)
    }

    /// Takes the master's books out, so that they change in place and are not copied; `role = .master(…)` puts them back.
    mutating func takeMaster() -> MasterReplication? {
        guard case .master(let master) = role else { return nil }
        role = .pending
        return master
    }

    /// Leaves whatever role it had.
    mutating func becomePending(_ now: Instant, _ actions: inout [Action]) {
        if case .master(let master) = role { actions.append(.steppedDown(master.epoch)) }
        role = .pending
        election = nil
        electionAt = now + options.heartbeatInterval + jitter(options.heartbeatInterval)
    }

    private mutating func connectionRefused(_ member: MemberID, _ now: Instant) {
        if case .pending = role, register?.master == member { return awaitMasterNoLonger(now) }
        guard var master = takeMaster() else { return }
        master.peers[member]?.isGone = true
        role = .master(master)
    }

    private mutating func linkDown(_ member: MemberID, _ now: Instant) {
        if var master = takeMaster() {
            master.peers[member]?.isCutOff = true
            role = .master(master)
        }
        guard case .slave(var slave) = role, slave.master == member else { return }
        slave.isCutOff = true
        role = .slave(slave)
        // Its process may be gone: ask around at once. The lease still has to run out.
        electionAt = min(electionAt, now + jitter(options.heartbeatInterval))
    }
}
