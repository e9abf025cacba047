internal import Coordination
internal import GraphModel

// Electing a master: pre-vote, prepare, compare-and-set.
extension MemberCore {
    /// Whether this member may ask for and answer elections.
    private var mayVote: Bool {
        guard let register, electorate(register).contains(id), hasStore, !isCopying else { return false }
        return hard.isComplete || isOptimistic
    }

    /// Who is asked: those whose acknowledgements counted. With optimistic commits none did, and whoever is there may be all
    /// that is left.
    private func electorate(_ register: ClusterRegister) -> [MemberID] {
        isOptimistic ? register.members.filter { !$0.isSlaveOnly }.map(\.id) : register.syncSet
    }

    /// Whether so many answers are enough.
    private func suffices(_ count: Int, of electorate: [MemberID], _ election: Election, _ now: Instant) -> Bool {
        if breaks(.electsWithoutQuorum) { return true }
        if !isOptimistic { return count >= Quorum.election(electorate.count) }
        let isOver = now.milliseconds(since: election.phaseSince) >= Milliseconds(options.leaseTime.rawValue / 4)
        return count == electorate.count || isOver && !election.isContested
    }

    mutating func electionTick(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        if let election, now >= election.givesUpAt {
            self.election = nil
            electionAt = now + jitter(options.heartbeatInterval)
        }
        if isOptimistic {
            continueAfterPreVote(log, now, &actions)
            decide(now, &actions)
        }
        guard election == nil, now >= electionAt, mayVote, let register, register.epoch > .zero else { return }
        let epoch = max(register.epoch, hard.promised).next
        electionAt = now + options.heartbeatInterval + jitter(options.heartbeatInterval)
        guard now >= silentUntil else { return }
        election = Election(
            epoch: epoch, revision: register.revision, phase: .preVote(agreed: [id]), phaseSince: now,
            givesUpAt: now + Milliseconds(options.leaseTime.rawValue / 2))
        for member in electorate(register) where member != id {
            actions.append(.send(.preVote(epoch: epoch, revision: register.revision), to: member))
        }
        continueAfterPreVote(log, now, &actions)
    }

    /// Whether the member would answer an election now: it hears no master, and its promises allow it.
    private func wouldAgree(to epoch: Epoch, _ now: Instant) -> Bool {
        guard mayVote, let register, epoch > register.epoch, epoch > hard.promised else { return false }
        if case .master(let master) = role, master.hasLease(now: now, leaseTime: options.leaseTime) { return false }
        return now >= silentUntil
    }

    mutating func answerPreVote(
        _ epoch: Epoch, _ revision: UInt64, from sender: MemberID, _ log: any ReplicatedLog, _ now: Instant,
        _ actions: inout [Action]
    ) {
        tellRegister(to: sender, ifNewerThan: revision, &actions)
        // Who cannot vote says nothing against it either.
        if isOptimistic && !mayVote { return }
        actions.append(.send(.preVoteReply(epoch: epoch, agrees: wouldAgree(to: epoch, now)), to: sender))
    }

    private func tellRegister(to member: MemberID, ifNewerThan revision: UInt64, _ actions: inout [Action]) {
        if let register, register.revision > revision { actions.append(.send(.register(register), to: member)) }
    }

    mutating func accept(
        preVote agrees: Bool, _ epoch: Epoch, from sender: MemberID, _ log: any ReplicatedLog, _ now: Instant,
        _ actions: inout [Action]
    ) {
        guard var election, election.epoch == epoch, case .preVote(var agreed) = election.phase else { return }
        guard agrees else {
            self.election?.isContested = true
            return
        }
        agreed.insert(sender)
        election.phase = .preVote(agreed: agreed)
        self.election = election
        continueAfterPreVote(log, now, &actions)
    }

    private mutating func continueAfterPreVote(_ log: any ReplicatedLog, _ now: Instant, _ actions: inout [Action]) {
        guard var election, case .preVote(let agreed) = election.phase, let register,
            register.revision == election.revision
        else { return }
        let electorate = electorate(register)
        guard suffices(electorate.count(where: agreed.contains), of: electorate, election, now), now >= silentUntil else {
            return
        }
        // This member's own answer: from here on it refuses older epochs too.
        if case .slave = role { becomePendingForElection(now) }
        promise(election.epoch, &actions)
        election.phase = .prepare(positions: [id: log.durable])
        election.phaseSince = now
        if isOptimistic { election.givesUpAt = now + Milliseconds(options.leaseTime.rawValue / 2) }
        self.election = election
        actions.append(.note("no master heard: electing one for \(election.epoch)"))
        for member in electorate where member != id {
            actions.append(.send(.prepare(epoch: election.epoch, revision: register.revision), to: member))
        }
        decide(now, &actions)
    }

    private mutating func becomePendingForElection(_ now: Instant) {
        let current = election
        role = .pending
        election = current
    }

    mutating func answerPrepare(
        _ epoch: Epoch, _ revision: UInt64, from sender: MemberID, _ log: any ReplicatedLog, _ now: Instant,
        _ actions: inout [Action]
    ) {
        tellRegister(to: sender, ifNewerThan: revision, &actions)
        // The same epoch may be promised to several candidates: the register lets one of them win.
        let isSameAgain = epoch == hard.promised && mayVote && epoch > (register?.epoch ?? .zero) && !isMaster
            && !isFollowing(epoch) && now >= silentUntil
        guard wouldAgree(to: epoch, now) || isSameAgain else {
            actions.append(.send(.prepareReply(epoch: epoch, outcome: .refused(promised: hard.promised)), to: sender))
            return
        }
        if !isSameAgain {
            if case .master(let master) = role {
                actions.append(.note("gives up \(master.epoch): member \(sender.rawValue) elects a master for \(epoch)"))
            }
            let ongoing = election
            becomePending(now, &actions)
            if ongoing?.epoch == epoch { election = ongoing }
            electionAt = now + options.leaseTime + jitter(options.leaseTime)
        }
        promise(epoch, &actions)
        actions.append(.send(.prepareReply(epoch: epoch, outcome: .promised(durable: log.durable)), to: sender))
    }

    private func isFollowing(_ epoch: Epoch) -> Bool {
        if case .slave(let slave) = role { return slave.epoch >= epoch }
        return false
    }

    mutating func accept(
        _ outcome: ReplicationMessage.PrepareOutcome, _ epoch: Epoch, from sender: MemberID, _ now: Instant,
        _ actions: inout [Action]
    ) {
        guard var election, election.epoch == epoch, case .prepare(var positions) = election.phase else { return }
        switch outcome {
        case .refused(let promised):
            if promised > election.epoch {
                // Somebody else is further: start again above that.
                promise(promised, &actions)
                self.election = nil
                electionAt = now + jitter(options.heartbeatInterval)
            }
        case .promised(let durable):
            positions[sender] = durable
            election.phase = .prepare(positions: positions)
            self.election = election
            decide(now, &actions)
        }
    }

    /// With enough answers the one with the highest position becomes master, if the register still says what it said.
    private mutating func decide(_ now: Instant, _ actions: inout [Action]) {
        guard var election, case .prepare(let positions) = election.phase, let register,
            register.revision == election.revision
        else { return }
        let electorate = electorate(register)
        let answers = electorate.compactMap { id in positions[id].map { (id: id, position: $0) } }
        guard suffices(answers.count, of: electorate, election, now),
            var winner = answers.max(by: { ($0.position, $0.id) < ($1.position, $1.id) })
        else { return }
        if breaks(.electionIgnoresPositions), let own = positions[id] { winner = (id, own) }
        election.phase = .decided
        self.election = election
        var next = register
        next.begin(election.epoch, master: winner.id, at: winner.position)
        if isOptimistic { next.syncSet = answers.map(\.id).sorted() }
        actions.append(.note("member \(winner.id.rawValue) has the highest position of \(answers.count): \(winner.position)"))
        actions.append(.compareAndSet(expected: register.revision, next))
    }
}
