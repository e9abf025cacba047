internal import Coordination
public import GraphModel

// What the shell asks: may it order, may it answer, who is master, when to tick.
extension MemberCore {
    /// Why a write cannot be ordered here now; nil when it can.
    public func refusalOfCommits(now: Instant) -> GraphError? {
        guard case .master(let master) = role else {
            return GraphError(.noMaster, "member \(id.rawValue) is not the master")
        }
        guard let start = master.epochStart, master.commitPoint >= start else {
            return GraphError(.noQuorum, "the new master has no quorum yet: try again")
        }
        guard mayRule(master, now) || breaks(.ordersWithoutLease) else {
            return GraphError(
                .noQuorum,
                "fewer than \(Quorum.write(master.syncSet.count)) of the \(master.syncSet.count) members that must acknowledge a write answer: nothing was applied, try again")
        }
        return nil
    }

    /// Why nothing new may get into the log here now; nil when it may. A master that hands over orders nothing any more: the
    /// next one begins where its log ended.
    func refusalOfOrders(now: Instant) -> GraphError? {
        if isHandingOver && !breaks(.ordersDuringHandover) {
            return GraphError(.masterChanged, "this master is handing over: nothing was applied, ask the next one")
        }
        return refusalOfCommits(now: now)
    }

    /// Whether a switchover away from this member is under way.
    public var isHandingOver: Bool {
        if case .master(let master) = role { return master.handover != nil }
        return false
    }

    /// Whether a mastership is about to begin: requests wait a moment for it instead of failing.
    public func expectsMaster(now: Instant) -> Bool {
        switch role {
        case .master(let master):
            if master.handover != nil { return true }
            // Elected, and the first entry is on its way to a quorum.
            return master.epochStart.map { master.commitPoint < $0 } ?? true
        case .slave: return false
        case .pending:
            // Somebody was named just now, but has not been heard yet.
            guard let newsAt = newMasterNamedAt else { return false }
            return now.milliseconds(since: newsAt) < options.leaseTime
        }
    }

    public var isMaster: Bool {
        if case .master = role { return true }
        return false
    }

    /// Whether this master waits for the register to take another sync set.
    package var hasProposal: Bool {
        if case .master(let master) = role { return master.proposal != nil }
        return false
    }

    /// The epoch this member is master of; nil when it is not.
    public var masterEpoch: Epoch? {
        if case .master(let master) = role { return master.epoch }
        return nil
    }

    /// Whether the store is being replaced by a copy.
    public var isCopyingStore: Bool { isCopying }

    /// Whether entries wait to be sent to those who are to acknowledge them.
    var holdsEntriesBack: Bool {
        guard case .master(let master) = role else { return false }
        return master.holdsEntriesBack
    }

    /// What this member knows to be committed.
    public var commitPoint: TransactionID {
        switch role {
        case .master(let master): master.commitPoint
        case .slave(let slave): slave.commitPoint
        case .pending: .zero
        }
    }

    /// What a master knows of another member.
    public struct PeerStatus: Sendable {
        public let acknowledged: TransactionID
        public let applied: TransactionID
        /// By this member's clock.
        public let lastContact: Instant?
        /// When it last said something, or this mastership began.
        public let silentSince: Instant
    }

    /// The other members as the master sees them; empty when this is not the master.
    public var peerStatus: [MemberID: PeerStatus] {
        guard case .master(let master) = role else { return [:] }
        return master.peers.mapValues {
            PeerStatus(
                acknowledged: $0.acknowledged, applied: $0.applied, lastContact: $0.lastContact,
                silentSince: $0.lastContact ?? $0.heardBefore ?? master.startedAt)
        }
    }

    /// Since when this slave has known of commits that are not readable here; nil when it has all.
    public var behindSince: Instant? {
        if case .slave(let slave) = role { return slave.behindSince }
        return nil
    }

    /// The master this member follows, heard or not.
    public var followed: MemberID? {
        if case .slave(let slave) = role { return slave.master }
        return nil
    }

    var followedEpoch: Epoch? {
        if case .slave(let slave) = role { return slave.epoch }
        return nil
    }

    /// Whether this member may have ordered a request that arrives now, meant for the master of an epoch, before it was
    /// started: messages come twice, and it remembers no requests of then. Without the epoch only time tells.
    func mayHaveOrdered(in epoch: Epoch?, now: Instant) -> Bool {
        if isMemoryLost { return true }
        guard masteredBefore > .zero, !breaks(.forgetsOrders) else { return false }
        return epoch.map { $0 <= masteredBefore } ?? (now.milliseconds(since: startedAt) < options.writeTimeout)
    }

    /// Who is master as far as this member knows, itself included.
    public func knownMaster(now: Instant) -> MemberID? {
        switch role {
        case .master: id
        case .slave(let slave):
            !slave.isCutOff && now.milliseconds(since: slave.lastHeardAt) <= options.leaseTime ? slave.master : nil
        case .pending: nil
        }
    }

    /// Until when this member may answer as the master; nil when it may not.
    public func leaseEnd(now: Instant) -> Instant? {
        guard case .master(let master) = role, refusalOfCommits(now: now) == nil else { return nil }
        // Once another is named it may rule already.
        if master.handover?.withdrawnAt != nil { return nil }
        if breaks(.ordersWithoutLease) { return now + options.leaseTime }
        return master.leaseEnd(now: now, leaseTime: options.leaseTime)
    }

    /// Whether a master may order and answer: with its lease; with optimistic commits until it hears of another.
    func mayRule(_ master: MasterReplication, _ now: Instant) -> Bool {
        master.commitMode == .optimistic || master.hasLease(now: now, leaseTime: options.leaseTime)
    }

    /// Until when this member may say of itself that it is the master and takes writes; nil when it may not.
    public func claimEnd(now: Instant) -> Instant? {
        guard case .master(let master) = role, master.commitMode == .optimistic else { return leaseEnd(now: now) }
        return master.handover?.withdrawnAt == nil && refusalOfCommits(now: now) == nil ? now + options.leaseTime : nil
    }

    /// Until when a master may tell clients of what it has committed; nil when it is not master or has no lease.
    public func answersUntil(now: Instant) -> Instant? {
        guard case .master(let master) = role else { return nil }
        if master.commitMode == .optimistic { return now + options.leaseTime }
        return master.leaseEnd(now: now, leaseTime: options.leaseTime)
    }

    /// When `tick` is due at the latest.
    public func nextTickAt(now: Instant) -> Instant {
        let beat = now + options.heartbeatInterval
        switch role {
        case .master(let master):
            var beat = beat
            if let handover = master.handover, !handover.isProposed, let withdrawnAt = handover.withdrawnAt,
                now.milliseconds(since: withdrawnAt) < Milliseconds(4 * Self.withdrawalTime.rawValue)
            {
                beat = withdrawnAt + Self.withdrawalTime
            }
            return min(master.nextHeartbeatAt, beat, master.sendDueAt ?? beat)
        case .slave, .pending:
            let due = pollsMaster ? min(beat, pullAt) : beat
            return electionAt > now ? min(electionAt, due) : due
        }
    }
}
