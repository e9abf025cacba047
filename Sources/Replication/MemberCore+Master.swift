internal import Coordination
internal import GraphModel

// Being master: shipping, committing, keeping the lease, changing the sync set.
extension MemberCore {
    /// So long a commit point waits for entries to travel with.
    static let commitPointDelay: Milliseconds = 1

    /// So long a few entries wait for the answer to those that are under way.
    static let shipDelay: Milliseconds = 1

    /// So many wait for nothing.
    static let shipAtOnceCount: UInt64 = 64

    /// So long entries wait until they are half as many as were sent together before: the clients that wrote those have
    /// been answered, and write again.
    static let gatheringNanoseconds: UInt64 = 200_000

    /// Bytes of entries per message.
    static let shipByteCountMaximum = 1 << 20

    mutating func masterTick(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        guard var master = takeMaster() else { return }
        let durable = log.durable.transactionID
        if durable > master.ownDurable || durable >= log.last.transactionID { master.ownMovedAt = now }
        // A master whose disk hangs acknowledges nothing, and its heartbeats keep the others from doing better.
        if master.syncSet.count > 1, now.milliseconds(since: master.ownMovedAt) >= Milliseconds(options.syncTimeout.rawValue * 3) {
            actions.append(.note(.warning, "its disk has taken nothing since \(durable): gives up \(master.epoch)"))
            role = .master(master)
            return becomePending(now, &actions)
        }
        if let register {
            for member in register.members where member.id != id && master.peers[member.id] == nil {
                master.peers[member.id] = .init()
            }
        }
        // Ticks come more often than that under load, and nothing else is in a hurry.
        let isBeat = now >= master.nextHeartbeatAt
        if isBeat {
            master.nextHeartbeatAt = now + options.heartbeatInterval
            noteLease(&master, now, &actions)
            for peer in master.peers.keys.sorted() { sendHeartbeat(to: peer, &master, log, now, &actions) }
        }
        // Once proposed it may be in force already: then only the register ends the wait.
        if let handover = master.handover, !handover.isProposed {
            if now >= handover.deadline {
                master.handover = nil
                actions.append(.note("the switchover took too long and is called off"))
            } else if !canHandOver(master, to: handover.target, now) {
                master.handover = nil
                actions.append(.note("the switchover is called off: nobody is left who could be master"))
            }
        }
        let isProposing = master.proposal.map { !$0.isSent } ?? false
        role = .master(master)
        if isBeat || isProposing {
            changeSyncSet(log, now, &actions)
        } else {
            applyCommitted(log, now, &actions)
        }
        continueHandover(log, now, &actions)
    }

    /// Tells the operator when the lease goes and comes back.
    private func noteLease(_ master: inout MasterReplication, _ now: Instant, _ actions: inout [Action]) {
        guard mayRule(master, now) else {
            guard master.hasHadLease, master.leaseLostAt == nil else { return }
            master.leaseLostAt = now
            actions.append(
                .note(.warning, "has lost its lease of \(master.epoch): fewer than \(Quorum.write(master.syncSet.count)) of \(master.syncSet.map(\.rawValue)) answer, so it takes no writes"))
            return
        }
        master.hasHadLease = true
        if let lostAt = master.leaseLostAt {
            master.leaseLostAt = nil
            actions.append(.note(.info, "has its lease of \(master.epoch) again, after \(now.milliseconds(since: lostAt))"))
        }
    }

    private func sendHeartbeat(
        to peer: MemberID, _ master: inout MasterReplication, _ log: any ReplicatedLog, _ now: Instant,
        _ actions: inout [Action]
    ) {
        let through = master.peers[peer]?.sentThrough ?? log.last.transactionID
        let previous = log.knownPosition(of: through) ?? log.last
        master.peers[peer]?.commitPointSent = master.commitPoint
        master.peers[peer]?.commitPointDueAt = nil
        actions.append(
            .send(
                .append(
                    .init(
                        epoch: master.epoch, previous: previous, records: [], commitPoint: master.commitPoint, sentAt: now)),
                to: peer))
    }

    /// Ships what is new, and the commit point where it moved.
    mutating func flush(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        guard var master = takeMaster() else { return }
        for id in master.peers.keys.sorted() {
            guard let peer = master.peers[id], peer.takesEntries, let sentThrough = peer.sentThrough else { continue }
            let wanted =
                peer.isPolling && !master.isPushedTo(id, now: now, options) ? peer.demandedThrough : log.last.transactionID
            if sentThrough >= wanted, peer.entriesDueAt != nil { master.peers[id]?.entriesDueAt = nil }
            if sentThrough < wanted, peer.inFlightByteCount < options.windowByteCount,
                !holdsBack(wanted.rawValue - sentThrough.rawValue, from: id, &master, now)
            {
                master.peers[id]?.isShipping = true
                master.peers[id]?.entriesDueAt = nil
                master.peers[id]?.commitPointSent = master.commitPoint
                master.peers[id]?.commitPointDueAt = nil
                actions.append(
                    .ship(
                        to: id, after: sentThrough,
                        .init(
                            epoch: master.epoch, previous: .zero, records: [], commitPoint: master.commitPoint, sentAt: now),
                        maximumByteCount: Self.shipByteCountMaximum))
            } else if peer.commitPointSent < master.commitPoint {
                // A client of that member waits for it, or it has waited for entries long enough.
                let isWaitedFor = peer.demandedThrough > peer.commitPointSent && peer.demandedThrough <= master.commitPoint
                if isWaitedFor || peer.commitPointDueAt.map({ now >= $0 }) ?? false {
                    sendHeartbeat(to: id, &master, log, now, &actions)
                } else if peer.commitPointDueAt == nil {
                    master.peers[id]?.commitPointDueAt = now + Self.commitPointDelay
                }
            }
        }
        role = .master(master)
    }

    /// Whether a few new entries wait for the answer to those under way, so that the slave's disk and every thread on the
    /// way handle them together. A slave that is slower than that is sent them all the same.
    private func holdsBack(
        _ count: UInt64, from peer: MemberID, _ master: inout MasterReplication, _ now: Instant
    ) -> Bool {
        guard count < Self.shipAtOnceCount, let state = master.peers[peer] else { return false }
        let isAwaited = !state.inFlight.isEmpty
        guard isAwaited || count < state.batchCount / 2 else { return false }
        let limit = isAwaited ? now + Self.shipDelay : Instant(nanoseconds: now.nanoseconds + Self.gatheringNanoseconds)
        let dueAt = min(state.entriesDueAt ?? limit, limit)
        if dueAt != state.entriesDueAt { master.peers[peer]?.entriesDueAt = dueAt }
        return now < dueAt
    }

    mutating func shipped(_ member: MemberID, _ through: TransactionID, _ byteCount: Int, _ log: any ReplicatedLog) {
        guard var master = takeMaster() else { return }
        if let before = master.peers[member]?.sentThrough, before < through {
            master.peers[member]?.batchCount = through.rawValue - before.rawValue
        }
        master.peers[member]?.isShipping = false
        master.peers[member]?.sentThrough = through
        master.peers[member]?.inFlight.append((through, byteCount))
        master.peers[member]?.inFlightByteCount += byteCount
        role = .master(master)
    }

    mutating func shipImpossible(_ member: MemberID, _ actions: inout [Action]) {
        guard var master = takeMaster() else { return }
        let isKnown = master.peers[member] != nil
        master.peers[member]?.isShipping = false
        master.peers[member]?.sentThrough = nil
        role = .master(master)
        guard isKnown else { return }
        actions.append(.send(.storeCopyNeeded(epoch: master.epoch, isDiverged: false), to: member))
    }

    mutating func accept(
        _ reply: ReplicationMessage.AppendReply, from sender: MemberID, _ log: any ReplicatedLog, _ now: Instant,
        _ actions: inout [Action]
    ) {
        guard let epoch = masterEpoch else { return }
        if reply.promised > epoch {
            if breaks(.ignoresDeposition) { return }
            // It will never follow this epoch again: only a newer one reaches it.
            actions.append(.note("member \(sender.rawValue) has promised \(reply.promised): gives up \(epoch)"))
            promise(reply.promised, &actions)
            becomePending(now, &actions)
            return
        }
        guard reply.promised == epoch, reply.status != .stale, var master = takeMaster() else { return }
        if let index = master.peers.index(forKey: sender) {
            note(reply, of: &master.peers.values[index], sender, log, now, epoch, &actions)
            master.ownDurable = log.durable.transactionID
            master.advanceCommitPoint()
        }
        role = .master(master)
        applyCommitted(log, now, &actions)
        continueHandover(log, now, &actions)
    }

    private func note(
        _ reply: ReplicationMessage.AppendReply, of peer: inout MasterReplication.Peer, _ sender: MemberID,
        _ log: any ReplicatedLog, _ now: Instant, _ epoch: Epoch, _ actions: inout [Action]
    ) {
        peer.lastContact = now
        peer.isCutOff = false
        peer.isGone = false
        peer.applied = reply.applied.transactionID
        peer.leaseFrom = max(peer.leaseFrom ?? reply.sentAt, reply.sentAt)
        peer.isCopying = reply.status == .copying
        peer.isPolling = reply.isPolling
        switch reply.status {
        case .accepted:
            if reply.acknowledged > peer.acknowledged || reply.acknowledged >= log.last.transactionID {
                peer.movedAt = now
            }
            peer.acknowledged = max(peer.acknowledged, reply.acknowledged)
            peer.sentThrough = max(peer.sentThrough ?? .zero, reply.acknowledged)
            while let first = peer.inFlight.first, first.through <= peer.acknowledged {
                peer.inFlightByteCount -= first.byteCount
                peer.inFlight.removeFirst()
            }
        case .mismatch: rewind(&peer, sender, reply, log, now, epoch, &actions)
        case .copying:
            peer.sentThrough = nil
            peer.acknowledged = .zero
            peer.inFlight = []
            peer.inFlightByteCount = 0
        case .stale: break
        }
    }

    /// Goes back to where both logs are the same, or offers a store copy when this log does not reach so far back.
    private func rewind(
        _ peer: inout MasterReplication.Peer, _ member: MemberID, _ reply: ReplicationMessage.AppendReply,
        _ log: any ReplicatedLog, _ now: Instant, _ epoch: Epoch, _ actions: inout [Action]
    ) {
        func isShared(_ position: LogPosition) -> Bool {
            position.transactionID <= log.last.transactionID
                && log.knownPosition(of: position.transactionID)?.checksum == position.checksum
        }
        let target: TransactionID
        if isShared(reply.last) {
            target = reply.last.transactionID
        } else if isShared(reply.applied) {
            target = reply.applied.transactionID
        } else {
            let applied = reply.applied.transactionID
            let isDiverged = applied > log.last.transactionID || log.knownPosition(of: applied) != nil
            actions.append(.send(.storeCopyNeeded(epoch: epoch, isDiverged: isDiverged), to: member))
            return
        }
        // Entries on their way make echoes of the first mismatch.
        if let rewound = peer.rewound, rewound.to == target, now.milliseconds(since: rewound.at) < 50 { return }
        peer.rewound = (target, now)
        peer.sentThrough = target
        peer.inFlight = []
        peer.inFlightByteCount = 0
    }

    /// Makes committed entries readable here, and then tells clients.
    mutating func applyCommitted(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        guard var master = takeMaster() else { return }
        // What is applied may be in a checkpoint before it is in the log on disk: so never beyond that.
        let ready = min(master.commitPoint, master.ownDurable)
        if ready > log.applied.transactionID { actions.append(.apply(upTo: ready)) }
        // A master that slept through its lease must not speak before it has heard that it still is one.
        let mayAnswer =
            mayRule(master, now)
            || breaks(.acknowledgesBeforeQuorum) || breaks(.ordersWithoutLease)
        if ready > master.acknowledgedToClients && mayAnswer {
            let told = master.commitMode == .optimistic ? master.pushed(through: ready, now: now, options) : ready
            if told > master.acknowledgedToClients {
                noteAcknowledged(log.durable, &actions)
                master.acknowledgedToClients = told
                actions.append(.acknowledge(upTo: told))
            }
        }
        role = .master(master)
    }

    mutating func noteOrigin(_ member: MemberID, of transactionID: TransactionID) {
        guard var master = takeMaster() else { return }
        master.peers[member]?.demandedThrough = transactionID
        if master.commitMode == .optimistic { master.origins[transactionID] = member }
        role = .master(master)
    }

    mutating func answerPull(
        _ id: UInt64, from sender: MemberID, _ log: any ReplicatedLog, _ actions: inout [Action]
    ) {
        guard case .master(var master) = role else { return }
        master.peers[sender]?.demandedThrough = log.last.transactionID
        role = .master(master)
        actions.append(.send(.pullReply(id: id, commitPoint: master.commitPoint), to: sender))
    }

    // MARK: Sync set

    private mutating func changeSyncSet(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        guard case .master(var master) = role, let register, register.epoch == master.epoch else { return }
        master.noteCommitPoint(now: now)
        if let proposal = master.proposal, !proposal.isSent {
            let added = proposal.syncSet.filter { !master.syncSet.contains($0) }
            let lasts = now.milliseconds(since: proposal.since) < options.leaseTime
            if register.revision != proposal.expectedRevision || master.handover != nil || !lasts
                || !added.allSatisfy({ master.followsClosely($0, now: now) })
            {
                // Nobody else knows of it: it can be dropped.
                master.proposal = nil
                master.advanceCommitPoint()
            }
        }
        if master.proposal == nil, master.handover == nil {
            let electable = register.members.filter { !$0.isSlaveOnly }.map(\.id)
            if let wanted = master.wantedSyncSet(electable: electable, now: now, options) {
                master.proposal = .init(
                    syncSet: wanted.set, expectedRevision: register.revision, since: now, isSent: false,
                    reason: wanted.reason)
            } else {
                adjustRegister(&master, register, now)
            }
        }
        if let proposal = master.proposal, !proposal.isSent, master.isSafe(proposal.syncSet) {
            master.proposal?.isSent = true
            if breaks(.changesSyncSetAtOnce) {
                master.syncSet = proposal.syncSet
                master.proposal = nil
            }
            var next = register
            next.syncSet = proposal.syncSet
            if next.syncSet != register.syncSet {
                let reason = proposal.reason.map { ": \($0)" } ?? ""
                actions.append(
                    .note(proposal.reason?.isTrouble ?? false ? .warning : .info, "proposes sync set \(proposal.syncSet.map(\.rawValue))\(reason)"))
            }
            switch proposal.adjustment {
            case .none: break
            case .remove(let member):
                next.remove(member)
                actions.append(.note("takes member \(member.rawValue) out of the cluster"))
            case .clusterVersion(let version):
                next.clusterVersion = version
                actions.append(.note("every member speaks version \(version) of the protocol: the cluster does from now on"))
            case .commitMode(let mode):
                next.commitMode = mode
                actions.append(.note("commits are \(mode) from now on"))
            }
            actions.append(.compareAndSet(expected: register.revision, next))
        }
        role = .master(master)
        applyCommitted(log, now, &actions)
    }

    /// What else the register should say; one change at a time.
    private func adjustRegister(_ master: inout MasterReplication, _ register: ClusterRegister, _ now: Instant) {
        func propose(
            _ syncSet: [MemberID], _ adjustment: MasterReplication.Adjustment, _ reason: MasterReplication.Reason? = nil
        ) {
            master.proposal = .init(
                syncSet: syncSet, expectedRevision: register.revision, since: now, isSent: false, adjustment: adjustment,
                reason: reason)
        }
        master.removals.formIntersection(register.members.map(\.id))
        if let member = master.removals.min() {
            let remaining = master.syncSet.filter { $0 != member }
            // Until the others have everything that it may have acknowledged it stays.
            if master.isSafe(remaining) { propose(remaining, .remove(member), .init(members: [member], cause: .removed)) }
        } else if register.clusterVersion < min(register.commonVersion, options.member.protocolVersion) {
            propose(master.syncSet, .clusterVersion(min(register.commonVersion, options.member.protocolVersion)))
        } else if register.clusterVersion >= 2 && register.commitMode != options.commitMode {
            propose(master.syncSet, .commitMode(options.commitMode))
        }
    }

    /// Takes a member out for good: its acknowledgements and its vote count no more.
    mutating func removeMember(_ member: MemberID, _ actions: inout [Action]) {
        guard case .master(var master) = role, member != id, register?.member(member) != nil else { return }
        master.removals.insert(member)
        role = .master(master)
    }
}
