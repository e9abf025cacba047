internal import Coordination
internal import GraphModel

/// The master's book-keeping of one epoch: what each member has, what is committed, how long the lease holds, and how
/// the sync set changes. Decides nothing that depends on the disk or the network by itself.
struct MasterReplication: Sendable {
    struct Peer: Sendable {
        /// On the peer's disk, and equal to this log, up to here.
        var acknowledged = TransactionID.zero
        var applied = TransactionID.zero
        /// Entries up to here were sent; nil while the peer's position is unknown.
        var sentThrough: TransactionID?
        var inFlight: [(through: TransactionID, byteCount: Int)] = []
        var inFlightByteCount = 0
        /// How many entries were sent together the last time.
        var batchCount: UInt64 = 0
        var isShipping = false
        /// The latest heartbeat it acknowledged, by this master's clock.
        var leaseFrom: Instant?
        var lastContact: Instant?
        /// When it last acknowledged something new, or all there was.
        var movedAt: Instant?
        var commitPointSent = TransactionID.zero
        /// When a commit point that travels with no entries is sent at the latest.
        var commitPointDueAt: Instant?
        /// When entries that wait for the answer to others are sent at the latest.
        var entriesDueAt: Instant?
        var isCopying = false
        /// The connection broke and nothing has come since.
        var isCutOff = false
        /// Its machine refuses connections and nothing has come since: its process is gone.
        var isGone = false
        /// When this member last heard it before it became master; only for one that is gone.
        var heardBefore: Instant?
        /// It asks for entries when it wants them, and wants them up to here.
        var isPolling = false
        var demandedThrough = TransactionID.zero
        /// Whether something can be sent: its position is known, and nothing is being read for it.
        var takesEntries: Bool { sentThrough != nil && !isShipping && !isCopying }
        /// The last mismatch that was answered, so that its echoes are not.
        var rewound: (to: TransactionID, at: Instant)?
    }

    /// A change of the sync set whose outcome is not known yet.
    struct Proposal: Sendable {
        let syncSet: [MemberID]
        let expectedRevision: UInt64
        let since: Instant
        /// Both sets count from the beginning; the register hears of it once the new one has all that is committed.
        var isSent: Bool
        var adjustment = Adjustment.none
        /// Who comes or goes, and why.
        var reason: Reason?
    }

    /// Why the sync set is to change.
    struct Reason: Sendable, CustomStringConvertible {
        enum Cause: Sendable {
            case caughtUp
            case silent(Milliseconds)
            case gone(Milliseconds)
            case standsStill(Milliseconds)
            case copiesStore(Milliseconds)
            case removed
        }
        let members: [MemberID]
        let cause: Cause

        /// Whether something is wrong with a member.
        var isTrouble: Bool {
            switch cause {
            case .caughtUp, .removed: false
            case .silent, .gone, .standsStill, .copiesStore: true
            }
        }

        var description: String {
            let who = (members.count > 1 ? "members " : "member ") + members.map { "\($0.rawValue)" }.joined(separator: ", ")
            return switch cause {
            case .caughtUp: "\(who) in: has caught up"
            case .silent(let time): "\(who) out: silent for \(time)"
            case .gone(let time): "\(who) out: connection refused, silent for \(time)"
            case .standsStill(let time): "\(who) out: has written nothing to its disk for \(time)"
            case .copiesStore(let time): "\(who) out: has copied a store for \(time)"
            case .removed: "\(who) out: an operator takes it out of the cluster"
            }
        }
    }

    /// What a change of the register is about beside the sync set.
    enum Adjustment: Sendable {
        case none
        case remove(MemberID)
        case clusterVersion(UInt16)
        case commitMode(ClusterRegister.CommitMode)
    }

    struct Handover: Sendable {
        /// nil: the best one.
        let target: MemberID?
        let deadline: Instant
        /// Since when this master claims no lease any more: readers hear of it before the register is asked.
        var withdrawnAt: Instant?
        var isProposed = false
    }

    let epoch: Epoch
    let ownID: MemberID
    /// When this mastership began.
    let startedAt: Instant
    /// What the election saw at most: everything that any earlier epoch acknowledged lies before it.
    let startPosition: TransactionID
    /// The entry that began this epoch; nothing is committed before it is.
    var epochStart: TransactionID?
    var peers: [MemberID: Peer] = [:]
    var syncSet: [MemberID]
    var proposal: Proposal?
    var handover: Handover?
    var commitPoint: TransactionID
    var acknowledgedToClients: TransactionID
    var ownDurable: TransactionID
    /// When this master's disk last took something, or had taken all there was.
    var ownMovedAt: Instant
    var nextHeartbeatAt: Instant
    /// Whether this mastership has had its lease, and since when it has not.
    var hasHadLease = false
    var leaseLostAt: Instant?
    /// As the register has it: elections go by the same.
    var commitMode = ClusterRegister.CommitMode.quorum
    /// Members that an operator wants out.
    var removals: Set<MemberID> = []
    /// Whose clients' transactions the latest ones are: no need to push them there.
    var origins: [TransactionID: MemberID] = [:]
    var brokenRules: Set<BrokenRule> = []
    /// Since when clients wait for a push.
    var pushWaitsSince: Instant?
    /// The commit point of a moment ago: who has that much follows closely.
    var lately: (commitPoint: TransactionID, at: Instant)?
    /// Members that never count; only a broken rule asks.
    var slaveOnly: [MemberID] = []

    /// During a change both sets count.
    var sets: [[MemberID]] { brokenRules.contains(.ignoresJointQuorum) ? [syncSet] : proposal.map { [syncSet, $0.syncSet] } ?? [syncSet] }

    /// Whether entries wait to be sent to every slave that could be sent some.
    var holdsEntriesBack: Bool {
        var isAnyHeldBack = false
        for peer in peers.values where !peer.isCopying && peer.sentThrough != nil {
            if peer.entriesDueAt == nil { return false }
            isAnyHeldBack = true
        }
        return isAnyHeldBack
    }

    /// When the next commit point is to leave on its own, or entries that were held back.
    var sendDueAt: Instant? {
        var due: Instant?
        for peer in peers.values where peer.takesEntries {
            for at in [peer.commitPointDueAt, peer.entriesDueAt] { if let at { due = min(due ?? at, at) } }
        }
        return due
    }

    func acknowledged(_ id: MemberID) -> TransactionID {
        id == ownID ? ownDurable : peers[id]?.acknowledged ?? .zero
    }

    /// Moves the commit point to what a quorum of every set in force has. Only an entry of this epoch commits, and with
    /// it everything before.
    mutating func advanceCommitPoint() {
        guard let epochStart else { return }
        var reached = sets.map { Quorum.reached(in: $0, acknowledged, atLeast: .zero) }.min() ?? .zero
        if brokenRules.contains(.acknowledgesBeforeQuorum) { reached = ownDurable }
        if brokenRules.contains(.countsSlaveOnlyMembers) {
            let all = (syncSet + slaveOnly).map(acknowledged).sorted(by: >)
            reached = max(reached, all[Quorum.write(syncSet.count) - 1])
        }
        if commitMode == .optimistic { reached = ownDurable }
        if reached >= epochStart { commitPoint = max(commitPoint, reached) }
    }

    /// Until when no quorum answers another candidate; nil before the first round of heartbeats.
    func leaseEnd(now: Instant, leaseTime: Milliseconds) -> Instant? {
        let from = sets.map { set in
            Quorum.reached(in: set, { $0 == ownID ? now : peers[$0]?.leaseFrom ?? Instant(nanoseconds: 0) },
                atLeast: Instant(nanoseconds: 0))
        }.min() ?? Instant(nanoseconds: 0)
        guard from.nanoseconds > 0 else { return nil }
        // A twentieth less than the promise, for clocks that do not run alike.
        return from + Milliseconds(leaseTime.rawValue * 19 / 20)
    }

    func hasLease(now: Instant, leaseTime: Milliseconds) -> Bool {
        leaseEnd(now: now, leaseTime: leaseTime).map { now < $0 } ?? false
    }

    /// What a new sync set must hold before the register names it.
    ///
    /// A narrower set needs no commit of this epoch before: with two members, one of them dead, there would never be
    /// one. What earlier epochs acknowledged lies before the start position; that much the narrower set must hold.
    private var needed: TransactionID {
        guard let epochStart, commitPoint >= epochStart else { return max(commitPoint, startPosition) }
        return commitPoint
    }

    func isSafe(_ set: [MemberID]) -> Bool {
        // Optimistic commits are promised by their master alone.
        commitMode == .optimistic || brokenRules.contains(.proposesUnsafeSyncSet) || Quorum.reached(in: set, acknowledged, atLeast: .zero) >= needed
    }

    /// Whether a member outside the sync set talks, and had a moment ago all that was committed.
    func followsClosely(_ id: MemberID, now: Instant) -> Bool {
        guard let peer = peers[id], let contact = peer.lastContact, !peer.isCopying else { return false }
        return now.milliseconds(since: contact) < 500 && peer.acknowledged >= (lately?.commitPoint ?? commitPoint)
    }

    mutating func noteCommitPoint(now: Instant) {
        if let lately, now.milliseconds(since: lately.at) < 500 { return }
        lately = (commitPoint, now)
    }
}
