internal import Coordination
internal import GraphModel

// Joining and founding a cluster, and taking notice of who is master.
extension MemberCore {
    /// A value of the register that is newer than the one known, or the first.
    mutating func observe(
        _ register: ClusterRegister, _ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]
    ) {
        if let known = self.register, register.revision <= known.revision { return }
        if register.revision > 0 && register.clusterName != options.clusterName {
            actions.append(
                .refuse("the coordinators belong to cluster \"\(register.clusterName)\", ha.cluster_name says \"\(options.clusterName)\""))
            return
        }
        if register.clusterVersion > options.member.protocolVersion {
            actions.append(
                .refuse("the cluster speaks version \(register.clusterVersion) of the protocol, this member \(options.member.protocolVersion): upgrade it"))
            return
        }
        if register.removed.contains(id), self.register?.member(id) != nil {
            actions.append(
                .refuse("member \(id.rawValue) was taken out of the cluster by an operator; start it again to join anew"))
            return
        }
        if hasStore && register.storeID != .none && options.member.storeID != .none
            && register.storeID != options.member.storeID && announcedStoreDiffers(register)
        {
            actions.append(
                .refuse("this member's store is \(options.member.storeID), the cluster's is \(register.storeID): move the store away to join"))
            return
        }
        if let known = self.register, register.epoch > known.epoch { newMasterNamedAt = now }
        self.register = register
        if let election, election.revision != register.revision { self.election = nil }
        recall(register, &actions)
        if isMemoryWhole { takeUp(register, log, now, &actions) }
    }

    /// Makes promises harmless that this member may have given and does not know of any more, before it gives others.
    private mutating func recall(_ register: ClusterRegister, _ actions: inout [Action]) {
        switch memory {
        case .whole: break
        case .lost:
            // It may have been master of this epoch already, and have said more than its log has left.
            if register.master == id, hard.founding != register.storeID {
                hard.mastered = register.epoch
                masteredBefore = register.epoch
            }
            guard register.syncSet.contains(id), !breaks(.forgetsFencing) else { return memory = .whole }
            memory = .fencing(revision: register.revision)
            actions.append(.note(.warning, "has lost its state: voids what it may have promised under \(register)"))
            actions.append(.compareAndSet(expected: register.revision, register))
        case .fencing(let revision): if register.revision > revision { memory = .whole }
        }
    }

    /// The store may have become the cluster's by a copy since this member started.
    private func announcedStoreDiffers(_ register: ClusterRegister) -> Bool {
        hard.promised == .zero || self.register?.storeID != register.storeID
    }

    mutating func takeUp(
        _ register: ClusterRegister, _ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]
    ) {
        if case .master(var master) = role {
            guard register.epoch == master.epoch else {
                if register.epoch > master.epoch && !breaks(.ignoresDeposition) {
                    actions.append(.note("deposed: \(describe(register))"))
                    promise(register.epoch, &actions)
                    becomePending(now, &actions)
                    awaitMaster(of: register, now)
                }
                return
            }
            // A later revision tells how a proposal ended, whoever wrote it.
            if let proposal = master.proposal, register.revision > proposal.expectedRevision { master.proposal = nil }
            if master.syncSet != register.syncSet {
                actions.append(.note("sync set is now \(register.syncSet.map(\.rawValue)) (\(register.epoch))"))
                master.syncSet = register.syncSet
            }
            if master.handover?.isProposed == true {
                master.handover?.isProposed = false
                master.handover?.withdrawnAt = nil
            }
            master.slaveOnly = register.members.filter(\.isSlaveOnly).map(\.id)
            master.commitMode = register.commitMode
            if hard.isOptimistic != (register.commitMode == .optimistic) {
                hard.isOptimistic = register.commitMode == .optimistic
                actions.append(.persist(hard))
            }
            for member in master.peers.keys where register.member(member) == nil { master.peers[member] = nil }
            // What waited for the quorum of another set may have that of this one; perhaps nobody will say a word more.
            master.advanceCommitPoint()
            role = .master(master)
            applyCommitted(log, now, &actions)
            return
        }
        guard register.epoch > .zero, let elected = register.master else { return }
        if case .slave(let slave) = role, slave.epoch < register.epoch { becomePending(now, &actions) }
        guard elected == id else {
            if register.epoch > hard.promised { awaitMaster(of: register, now) }
            promise(register.epoch, &actions)
            return
        }
        guard register.epoch > hard.mastered || breaks(.resumesMastership), register.epoch >= hard.promised, !isCopying else { return }
        // Who has lost its state may have been master of this epoch already, and have said more than its log has left.
        guard hard.isComplete || hard.founding == register.storeID || register.syncSet == [id] || isOptimistic else { return }
        guard hasStore else {
            if !isFounding && register.syncSet == [id] && hard.founding == register.storeID {
                isFounding = true
                actions.append(.createStore(register.storeID))
            }
            return
        }
        guard log.durable >= register.startPosition else {
            actions.append(
                .note(.warning, "elected for \(register.epoch), but this log ends at \(log.durable), before \(register.startPosition): another election is needed"))
            return
        }
        becomeMaster(register, log, now, &actions)
    }

    /// A master that this member did not know of is there, and gets the time to be heard. With optimistic commits whoever does
    /// not answer is soon taken for dead: there connections that were down get the time to come up again first. Where one
    /// member's answer elects, two that are cut off from each other would depose each other in turn: there the new master
    /// gets the time to go on without this one.
    private mutating func awaitMaster(of register: ClusterRegister, _ now: Instant) {
        let half = Milliseconds(options.leaseTime.rawValue / 2)
        var pause = isOptimistic ? Milliseconds(3 * options.leaseTime.rawValue) : half
        if !isOptimistic, register.syncSet.contains(id), Quorum.election(register.syncSet.count) == 1 {
            pause = Milliseconds(options.syncTimeout.rawValue + options.leaseTime.rawValue)
        }
        electionAt = max(electionAt, now + pause + jitter(half))
    }

    /// A master that was awaited will not come.
    mutating func awaitMasterNoLonger(_ now: Instant) {
        electionAt = min(electionAt, max(silentUntil, now + jitter(Milliseconds(options.leaseTime.rawValue / 2))))
    }

    private mutating func becomeMaster(
        _ register: ClusterRegister, _ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]
    ) {
        hard.promised = register.epoch
        hard.mastered = register.epoch
        hard.becomeComplete()
        hard.founding = .none
        hard.isOptimistic = register.commitMode == .optimistic
        actions.append(.persist(hard))
        election = nil
        var master = MasterReplication(
            epoch: register.epoch, ownID: id, startedAt: now, startPosition: register.startPosition.transactionID,
            syncSet: register.syncSet,
            commitPoint: log.applied.transactionID,
            acknowledgedToClients: log.applied.transactionID, ownDurable: log.durable.transactionID,
            ownMovedAt: now, nextHeartbeatAt: now)
        for member in register.members where member.id != id { master.peers[member.id] = .init() }
        if let lastHeardMaster { master.peers[lastHeardMaster]?.heardBefore = lastHeardMasterAt }
        master.slaveOnly = register.members.filter(\.isSlaveOnly).map(\.id)
        master.commitMode = register.commitMode
        master.brokenRules = options.brokenRules
        role = .master(master)
        actions.append(.note("master of \(register.epoch) from \(log.last), sync set \(register.syncSet.map(\.rawValue))"))
        actions.append(.becameMaster(register.epoch, commitPoint: log.applied.transactionID))
    }

    func describe(_ register: ClusterRegister) -> String {
        "\(register.epoch) belongs to member \(register.master?.rawValue ?? 0)"
    }

    // MARK: Joining and founding

    /// Puts this member into the register's table, and founds the cluster when nobody has.
    mutating func announce(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        guard let register else { return }
        var own = options.member
        if register.storeID == .none {
            if !hasStore { own.storeID = .none }
            own.position = log.durable
        } else if let known = register.member(id) {
            // Store and position matter for founding only; later they stay as they are.
            own.storeID = known.storeID
            own.position = known.position
        }
        if register.member(id) != own {
            guard announcedRevision != register.revision else { return }
            announcedRevision = register.revision
            var next = register
            next.clusterName = options.clusterName
            next.setMember(own)
            actions.append(.compareAndSet(expected: register.revision, next))
            return
        }
        if register.storeID == .none { found(register, log, now, &actions) }
    }

    private mutating func found(
        _ register: ClusterRegister, _ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]
    ) {
        let since = foundingSince ?? now
        foundingSince = since
        let waited = now.milliseconds(since: since)
        let candidates = register.members.filter { !$0.isSlaveOnly }
        let withData = candidates.filter { $0.storeID != .none }
        let best =
            withData.max { ($0.position, $0.id) < ($1.position, $1.id) }
            ?? candidates.min { $0.id < $1.id }
        let delay = Milliseconds(withData.isEmpty ? options.foundingDelay.rawValue : options.foundingDelay.rawValue / 3)
        guard best?.id == id, waited >= delay, announcedRevision != register.revision else { return }
        announcedRevision = register.revision
        var next = register
        if hasStore {
            next.storeID = options.member.storeID
        } else {
            var drawn = StoreID.none
            while drawn == .none { drawn = StoreID(generator.next()) }
            next.storeID = drawn
        }
        hard.founding = next.storeID
        actions.append(.persist(hard))
        next.begin(max(hard.promised, log.last.epoch).next, master: id, at: log.durable)
        next.syncSet = [id]
        next.clusterVersion = next.commonVersion
        if next.clusterVersion >= 2 { next.commitMode = options.commitMode }
        actions.append(.note("founding cluster \"\(options.clusterName)\" with store \(next.storeID)"))
        actions.append(.compareAndSet(expected: register.revision, next))
    }
}
