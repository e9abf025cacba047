internal import Coordination
internal import FileSystem
internal import GraphModel
internal import Replication
internal import Storage

/// What a member's thread publishes after each round, for status pages that must not wait for it.
struct MemberSnapshot: Sendable {
    var isMaster = false
    var master: MemberID?
    var followed: MemberID?
    var epoch = Epoch.zero
    /// As long as nobody else can have been elected.
    var leaseEnd: Instant?
    /// As long as it may say that it is the master.
    var claimEnd: Instant?
    var answersUntil: Instant?
    var commitPoint = TransactionID.zero
    var behindSince: Instant?
    /// When this member last heard a master, or was one.
    var heardMasterAt: Instant?
    var isCopying = false
    var hasStore = false
    /// Whether this process has been master or heard one.
    var hasJoined = false
    /// It has been a member before, and hears nobody since it started.
    var isLeftAlone = false
    var isHandingOver = false
    var hasFailed = false
    /// A switchover was asked for and is over, without success.
    var handoverEnded = false
    var syncSet: [MemberID] = []
    var members: [ClusterRegister.Member] = []
    var storeID: StoreID?
    var peers: [MemberID: MemberCore.PeerStatus] = [:]
    var clusterVersion: UInt16 = 1
    var applied = TransactionID.zero
    var receivedLogByteCount: UInt64 = 0
    var graphComparison: GraphComparison?
    /// The role at the end of the round, and since when, in milliseconds of the wall clock.
    var role = DatabaseStatus.Role.pending
    var roleSince: Int64?
    /// When data last came from a master, likewise.
    var lastUpdate: Int64?

    /// What nobody may learn late.
    struct Gist: Equatable {
        let isMaster: Bool
        let master: MemberID?
        let followed: MemberID?
        let epoch: Epoch
        let revision: UInt64
        let mayAnswer: Bool
        let isCopying: Bool
        let hasStore: Bool
        let isHandingOver: Bool
        let hasFailed: Bool

        init(_ engine: MemberEngine, now: Instant) {
            isMaster = engine.core.isMaster
            master = engine.core.knownMaster(now: now)
            followed = engine.core.followed
            epoch = engine.core.masterEpoch ?? .zero
            revision = engine.core.register?.revision ?? 0
            mayAnswer = engine.core.claimEnd(now: now) != nil
            isCopying = engine.core.isCopyingStore
            hasStore = engine.store != nil
            isHandingOver = engine.core.isHandingOver
            hasFailed = engine.hasFailed
        }
    }

    init() {}

    init(_ engine: MemberEngine, now: Instant) {
        let core = engine.core
        isMaster = core.isMaster
        master = core.knownMaster(now: now)
        followed = core.followed
        epoch = core.masterEpoch ?? core.register?.epoch ?? .zero
        leaseEnd = core.leaseEnd(now: now)
        claimEnd = core.claimEnd(now: now)
        answersUntil = core.answersUntil(now: now)
        commitPoint = core.commitPoint
        behindSince = core.behindSince
        heardMasterAt = core.lastHeardMasterAt
        isCopying = core.isCopyingStore
        hasStore = engine.store != nil
        isHandingOver = core.isHandingOver
        hasFailed = engine.hasFailed
        handoverEnded = core.isMaster && !core.isHandingOver
        syncSet = core.register?.syncSet ?? []
        members = core.register?.members ?? []
        storeID = core.register?.storeID
        peers = core.peerStatus
        clusterVersion = core.clusterVersion
        applied = engine.store?.applied.transactionID ?? .zero
        receivedLogByteCount = core.receivedLogByteCount
        graphComparison = engine.graphComparison
        role = role(now: now)
        isLeftAlone =
            hasStore && core.hard.promised > .zero && heardMasterAt == nil
            && now.milliseconds(since: core.startedAt) >= Self.loneReadDelay
    }

    /// How long a member that has started waits for a master before it serves reads of what it has without one.
    static let loneReadDelay: Milliseconds = 5000

    /// A master without its lease, and whoever follows nobody, is pending.
    func role(now: Instant) -> DatabaseStatus.Role {
        if isMaster { return claimEnd.map { now < $0 } ?? false ? .master : .pending }
        return followed != nil && hasStore ? .slave : .pending
    }

    /// Takes over what outlasts a round.
    mutating func follow(_ previous: MemberSnapshot) {
        hasJoined = previous.hasJoined || isLeftAlone || heardMasterAt != nil || claimEnd != nil
        roleSince = role == previous.role ? previous.roleSince ?? wallClockMilliseconds() : wallClockMilliseconds()
        lastUpdate = applied != previous.applied && followed != nil ? wallClockMilliseconds() : previous.lastUpdate
    }
}

extension ClusterMember {
    public var status: DatabaseStatus {
        let member = snapshot.withLock { $0 }
        let store = openStore.withLock { $0 }
        let now = Instant.now
        let hasLease = member.claimEnd.map { now < $0 } ?? false
        var status = DatabaseStatus(mode: .ha, role: member.role(now: now))
        status.roleSince = member.roleSince
        status.lastUpdate = member.isMaster ? nil : member.lastUpdate
        status.fetched = .init(
            logByteCount: member.receivedLogByteCount, storeCopyByteCount: meter.storeCopyByteCount)
        status.protocolVersion = configuration.replication.member.protocolVersion
        status.clusterVersion = member.clusterVersion
        status.graphComparison = member.graphComparison
        // A store that is known to be damaged answers every query with an error.
        let isSound = store?.failure == nil && store?.foundDamage == nil
        status.isWritableMaster = hasLease && isSound
        status.isReadable = store != nil && store?.foundDamage == nil && !member.isCopying && member.hasJoined
        status.serverID = configuration.replication.member.id
        status.clusterName = configuration.replication.clusterName
        status.storeID = store?.storeID ?? member.storeID
        status.epoch = member.epoch
        status.masterID = member.isMaster ? configuration.replication.member.id : member.master
        if let store {
            status.last = store.last
            status.applied = store.applied
            let applied = store.applied.transactionID.rawValue
            status.lagTransactions = member.commitPoint.rawValue > applied ? member.commitPoint.rawValue - applied : 0
        }
        // A slave that hears no master does not know what it misses: its lag grows with the silence.
        if !member.isMaster {
            let silence = member.heardMasterAt.map { now.milliseconds(since: $0) } ?? 0
            let quiet = silence > configuration.replication.leaseTime ? silence : 0
            status.lag = max(quiet, member.behindSince.map { now.milliseconds(since: $0) } ?? 0)
        }
        status.syncSet = member.syncSet
        status.members = member.members.map { other in
            let peer = member.peers[other.id]
            return DatabaseStatus.Member(
                id: other.id, address: other.address, httpAddress: other.httpAddress, backupAddress: other.backupAddress,
                isSlaveOnly: other.isSlaveOnly, isInSyncSet: member.syncSet.contains(other.id),
                role: other.id == status.masterID ? .master : .slave,
                unreachableSince: silence(of: other.id, member, now).map { wallClockMilliseconds() - Int64($0.rawValue) },
                acknowledged: peer?.acknowledged,
                silence: peer?.lastContact.map { now.milliseconds(since: $0) },
                protocolVersion: other.protocolVersion)
        }
        if let failure = store?.failure ?? store?.foundDamage { status.problem = failure.message }
        if store == nil { status.problem = member.isCopying ? "copying a store" : "no store yet" }
        return status
    }

    /// How long another member has not been heard, when that is longer than a lease: by the master, or of the master.
    private func silence(of other: MemberID, _ member: MemberSnapshot, _ now: Instant) -> Milliseconds? {
        let heardAt = member.isMaster ? member.peers[other]?.silentSince : other == member.followed ? member.heardMasterAt : nil
        guard let heardAt else { return nil }
        let silence = now.milliseconds(since: heardAt)
        return silence > configuration.replication.leaseTime ? silence : nil
    }
}
