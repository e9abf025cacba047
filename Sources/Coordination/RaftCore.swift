public import GraphModel

/// One coordinator: Raft (Ongaro, "Consensus: Bridging Theory and Practice", 2014, with pre-vote of section 9.6 and
/// check-quorum) over a log that is always compacted to its last entry. That is sound because an entry is the whole
/// register and every new one is made from the one before it by the same leader; a new leader first rewrites its entry
/// under its own term, so whatever it sends supersedes what receivers hold.
///
/// A value without clock, I/O or threads: `step` takes an event and the time and appends actions. Actions are carried
/// out in order; `persist` is durable before the next one.
public struct RaftCore: Sendable {
    public struct Options: Sendable {
        public var heartbeatInterval: Milliseconds = 75
        /// An election begins after silence of this length, up to twice it.
        public var electionTimeout: Milliseconds = 400
        /// A rule that tests break: a coordinator without a state file counts at once.
        package var countsWithoutState = false
        public init() {}
    }

    public enum Event: Sendable {
        case tick
        case received(RaftMessage, from: String)
        case request(RegisterRequest, from: String)
    }

    public enum Action: Sendable, Equatable {
        case persist(RaftHardState)
        case send(RaftMessage, to: String)
        case reply(RegisterReply, to: String)
        /// The register has this value, for good. Reported on the leader only.
        case committed(ClusterRegister)
        /// One line for the operator.
        case note(NoteLevel, String)
    }

    enum Role: Sendable {
        case follower
        case preCandidate(granted: Set<String>)
        case candidate(granted: Set<String>)
        case leader(Leader)
    }

    struct Leader: Sendable {
        struct Peer: Sendable {
            var matchIndex: UInt64 = 0
            var heartbeat: UInt64 = 0
            var lastContact: Instant
        }
        var peers: [String: Peer]
        var heartbeat: UInt64 = 0
        var nextHeartbeatAt: Instant
        /// Who waits for the entry that is being replicated.
        var writer: (id: UInt64, client: String)?
        var waitingWrites: [(request: RegisterRequest, client: String)] = []
        var waitingReads: [(heartbeat: UInt64, id: UInt64, client: String)] = []
    }

    public let address: String
    /// Ascending, without this one.
    let others: [String]
    let options: Options
    private var generator: SplitMix
    var hard: RaftHardState
    var role = Role.follower
    var leaderAddress: String?
    var electionAt: Instant
    var heardLeaderAt: Instant?
    /// The latest nonce of each coordinator that said it does not count.
    var newcomers: [String: UInt64] = [:]
    /// Those that were known when this coordinator's latest election began.
    var newcomersAtElection: [String: UInt64] = [:]
    /// While this one does not count: which nonces each of the others said it knows, and when to say it again.
    var words: [String: [String: UInt64]] = [:]
    var introducesAt: Instant
    /// The last value known to be committed.
    public private(set) var committed: ClusterRegister
    private var commitIndex: UInt64 = 0

    /// Requests that may wait at the leader; beyond it the asker is sent away and asks again.
    static let waitingRequestCountMaximum = 256

    public init(
        address: String, coordinators: [String], hardState: RaftHardState, options: Options = Options(), seed: UInt64,
        now: Instant
    ) {
        self.address = address
        others = coordinators.filter { $0 != address }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.options = options
        generator = SplitMix(seed: seed)
        hard = hardState
        committed = ClusterRegister()
        electionAt = now
        introducesAt = now
        postponeElection(now)
    }

    /// The value this coordinator holds, committed or not.
    public var newest: ClusterRegister { hard.entry.register }

    public var isLeader: Bool {
        if case .leader = role { return true }
        return false
    }
    public var term: UInt64 { hard.term }
    public var leader: String? { isLeader ? address : leaderAddress }
    var majority: Int { (others.count + 1) / 2 + 1 }

    /// When `step(.tick)` is due at the latest.
    public var nextTickAt: Instant {
        if case .leader(let leader) = role { return leader.nextHeartbeatAt }
        return isNewcomer ? introducesAt : electionAt
    }

    mutating func postponeElection(_ now: Instant) {
        let timeout = options.electionTimeout.rawValue
        electionAt = now + Milliseconds(timeout + generator.next() % (timeout + 1))
    }

    public mutating func step(_ event: Event, now: Instant, into actions: inout [Action]) {
        switch event {
        case .tick: tick(now, &actions)
        case .received(let message, let sender): received(message, sender, now, &actions)
        case .request(let request, let client): handle(request, client, now, &actions)
        }
    }

    private mutating func tick(_ now: Instant, _ actions: inout [Action]) {
        if isNewcomer {
            introduceItself(now, &actions)
        } else if case .leader(let leader) = role {
            // Check-quorum: who cannot reach a majority must not look like a leader.
            let reachable = leader.peers.values.count { now.milliseconds(since: $0.lastContact) < options.electionTimeout }
            if reachable + 1 < majority { return becomeFollower(now, leader: nil, &actions) }
            if now >= leader.nextHeartbeatAt { broadcast(now, &actions) }
        } else if now >= electionAt {
            postponeElection(now)
            leaderAddress = nil
            role = .preCandidate(granted: [address])
            if majority == 1 { return startElection(now, &actions) }
            for peer in others {
                actions.append(
                    .send(.preVote(term: hard.term + 1, lastTerm: hard.entry.term, lastIndex: hard.entry.index), to: peer))
            }
        }
    }

    mutating func becomeFollower(_ now: Instant, leader: String?, _ actions: inout [Action]) {
        if case .leader(let old) = role {
            for waiting in old.waitingWrites {
                actions.append(.reply(RegisterReply(id: waiting.request.id, outcome: .redirect(leader)), to: waiting.client))
            }
            for waiting in old.waitingReads {
                actions.append(.reply(RegisterReply(id: waiting.id, outcome: .redirect(leader)), to: waiting.client))
            }
        }
        role = .follower
        leaderAddress = leader
        postponeElection(now)
    }

    mutating func startElection(_ now: Instant, _ actions: inout [Action]) {
        newcomersAtElection = newcomers
        hard.term += 1
        hard.votedFor = address
        actions.append(.persist(hard))
        role = .candidate(granted: [address])
        if majority == 1 { return becomeLeader(now, &actions) }
        for peer in others {
            actions.append(
                .send(.vote(term: hard.term, lastTerm: hard.entry.term, lastIndex: hard.entry.index), to: peer))
        }
    }

    private mutating func becomeLeader(_ now: Instant, _ actions: inout [Action]) {
        var peers: [String: Leader.Peer] = [:]
        for peer in others { peers[peer] = Leader.Peer(lastContact: now) }
        role = .leader(Leader(peers: peers, nextHeartbeatAt: now))
        leaderAddress = nil
        // Until an entry of this term is committed nothing earlier counts as committed.
        hard.entry = RaftEntry(index: hard.entry.index + 1, term: hard.term, register: hard.entry.register)
        actions.append(.persist(hard))
        broadcast(now, &actions)
        advanceCommit(now, &actions)
    }

    private mutating func received(_ message: RaftMessage, _ sender: String, _ now: Instant, _ actions: inout [Action]) {
        guard others.contains(sender) else { return }
        switch message {
        case .newcomer(let nonces): return heard(nonces, ofNewcomer: sender, now, &actions)
        case .founded(let nonces): return takePart(inGroupOf: nonces, now, &actions)
        default: if isNewcomer && !recovers(by: message, sender, now, &actions) { return }
        }
        if case .preVote(let term, let lastTerm, let lastIndex) = message {
            let hearsLeader = isLeader || heardLeaderAt.map { now.milliseconds(since: $0) < options.electionTimeout } ?? false
            let granted = !hearsLeader && term > hard.term && mayVote(lastTerm, lastIndex)
            actions.append(.send(.preVoteReply(term: granted ? term : hard.term, granted: granted), to: sender))
            return
        }
        if case .preVoteReply(let term, true) = message {
            guard case .preCandidate(var granted) = role, term == hard.term + 1 else { return }
            granted.insert(sender)
            role = .preCandidate(granted: granted)
            if granted.count >= majority { startElection(now, &actions) }
            return
        }
        if message.term > hard.term {
            hard.term = message.term
            hard.votedFor = nil
            actions.append(.persist(hard))
            becomeFollower(now, leader: nil, &actions)
        }
        guard message.term == hard.term else {
            // Tells a sender from the past what the term is.
            if case .append(_, _, _, let heartbeat, _) = message {
                actions.append(.send(.appendReply(term: hard.term, matchIndex: 0, heartbeat: heartbeat), to: sender))
            } else if case .vote = message {
                actions.append(.send(.voteReply(term: hard.term, granted: false), to: sender))
            }
            return
        }
        switch message {
        case .preVote, .preVoteReply, .newcomer, .founded: break
        case .vote(_, let lastTerm, let lastIndex):
            let granted = (hard.votedFor == nil || hard.votedFor == sender) && mayVote(lastTerm, lastIndex)
            if granted && hard.votedFor == nil {
                hard.votedFor = sender
                actions.append(.persist(hard))
            }
            if granted { postponeElection(now) }
            actions.append(.send(.voteReply(term: hard.term, granted: granted), to: sender))
        case .voteReply(_, let isGranted):
            guard isGranted, case .candidate(var granted) = role else { return }
            granted.insert(sender)
            role = .candidate(granted: granted)
            if granted.count >= majority { becomeLeader(now, &actions) }
        case .append(_, let entry, let commitIndex, let heartbeat, _):
            accept(entry, commitIndex, heartbeat, from: sender, now, &actions)
        case .appendReply(_, let matchIndex, let heartbeat):
            guard case .leader(var leader) = role, var peer = leader.peers[sender] else { return }
            peer.matchIndex = max(peer.matchIndex, matchIndex)
            peer.heartbeat = max(peer.heartbeat, heartbeat)
            peer.lastContact = now
            leader.peers[sender] = peer
            role = .leader(leader)
            advanceCommit(now, &actions)
            answerReads(&actions)
        }
    }

    /// Whether a candidate with this entry may have this coordinator's vote.
    private func mayVote(_ lastTerm: UInt64, _ lastIndex: UInt64) -> Bool {
        (lastTerm, lastIndex) >= (hard.entry.term, hard.entry.index)
    }

    private mutating func accept(
        _ entry: RaftEntry?, _ commitIndex: UInt64, _ heartbeat: UInt64, from sender: String, _ now: Instant,
        _ actions: inout [Action]
    ) {
        becomeFollower(now, leader: sender, &actions)
        heardLeaderAt = now
        if let entry, (entry.term, entry.index) > (hard.entry.term, hard.entry.index) {
            hard.hold(entry)
            actions.append(.persist(hard))
        }
        let matches = hard.entry.term == hard.term
        if matches && commitIndex >= hard.entry.index {
            self.commitIndex = hard.entry.index
            committed = hard.entry.register
        }
        actions.append(
            .send(
                .appendReply(term: hard.term, matchIndex: matches ? hard.entry.index : 0, heartbeat: heartbeat), to: sender))
    }

    // MARK: Leading

    private mutating func broadcast(_ now: Instant, _ actions: inout [Action]) {
        guard case .leader(var leader) = role else { return }
        leader.heartbeat += 1
        leader.nextHeartbeatAt = now + options.heartbeatInterval
        role = .leader(leader)
        for peer in others {
            let isBehind = (leader.peers[peer]?.matchIndex ?? 0) < hard.entry.index
            actions.append(
                .send(
                    .append(
                        term: hard.term, entry: isBehind ? hard.entry : nil, commitIndex: commitIndex,
                        heartbeat: leader.heartbeat, nonce: newcomersAtElection[peer] ?? 0), to: peer))
        }
    }

    private mutating func advanceCommit(_ now: Instant, _ actions: inout [Action]) {
        guard case .leader(var leader) = role, commitIndex < hard.entry.index else { return }
        let holders = leader.peers.values.count { $0.matchIndex >= hard.entry.index } + 1
        guard holders >= majority else { return }
        commitIndex = hard.entry.index
        committed = hard.entry.register
        if let writer = leader.writer {
            actions.append(.reply(RegisterReply(id: writer.id, outcome: .written(committed)), to: writer.client))
            leader.writer = nil
        }
        actions.append(.committed(committed))
        let waiting = leader.waitingWrites
        leader.waitingWrites = []
        role = .leader(leader)
        answerReads(&actions)
        for (request, client) in waiting { handle(request, client, now, &actions) }
    }

    private mutating func answerReads(_ actions: inout [Action]) {
        guard case .leader(var leader) = role, commitIndex == hard.entry.index || committedInTerm else { return }
        leader.waitingReads.removeAll { waiting in
            let confirmations = leader.peers.values.count { $0.heartbeat >= waiting.heartbeat } + 1
            guard confirmations >= majority else { return false }
            actions.append(.reply(RegisterReply(id: waiting.id, outcome: .value(committed)), to: waiting.client))
            return true
        }
        role = .leader(leader)
    }

    /// Whether this leader has committed an entry of its own term: only then it knows what is committed.
    private var committedInTerm: Bool {
        commitIndex > 0 && (commitIndex == hard.entry.index || hard.entry.index == commitIndex + 1 && hasWriter)
    }

    private var hasWriter: Bool {
        if case .leader(let leader) = role { return leader.writer != nil }
        return false
    }

    private mutating func handle(
        _ request: RegisterRequest, _ client: String, _ now: Instant, _ actions: inout [Action]
    ) {
        guard case .leader(var leader) = role,
            leader.waitingReads.count + leader.waitingWrites.count < Self.waitingRequestCountMaximum
        else {
            actions.append(.reply(RegisterReply(id: request.id, outcome: .redirect(leaderAddress)), to: client))
            return
        }
        switch request.operation {
        case .read:
            leader.waitingReads.append((leader.heartbeat + 1, request.id, client))
            role = .leader(leader)
            broadcast(now, &actions)
            answerReads(&actions)
        case .compareAndSet(let expected, let register):
            // One change at a time: the next is decided on what the last one left.
            guard commitIndex == hard.entry.index else {
                leader.waitingWrites.append((request, client))
                role = .leader(leader)
                return
            }
            guard expected == hard.entry.register.revision else {
                actions.append(.reply(RegisterReply(id: request.id, outcome: .conflict(committed)), to: client))
                return
            }
            var next = register
            next.revision = expected + 1
            hard.hold(RaftEntry(index: hard.entry.index + 1, term: hard.term, register: next))
            actions.append(.persist(hard))
            leader.writer = (request.id, client)
            role = .leader(leader)
            broadcast(now, &actions)
            advanceCommit(now, &actions)
        }
    }
}

/// SplitMix64, for the random part of timeouts.
public struct SplitMix: Sendable {
    private var state: UInt64
    public init(seed: UInt64) { state = seed }
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
