internal import GraphModel

// Coordinators that have no state file: new ones, and those that lost it, which nobody can tell apart.
//
// One that lost its state does not know whom it voted for and what it acknowledged. So it counts for nothing, until it holds
// a committed entry of a leader whose election began after it had drawn its nonce. That election had its votes from a
// majority without it, and so did the commit: whatever it may have promised before meets one of them, who knows better.
// The leader proves the order of things by the nonce: it sends the one it knew when its election began, and begins another
// when it hears of a nonce that it did not know then.
//
// A new group has only newcomers, and nobody to be elected. It begins when all of them, not a majority, are newcomers at
// once: each says which nonces it knows, and once all have said the same, there was a moment, when the last one was drawn,
// at which nobody held anything or owed anybody a vote. From there on they are plain coordinators with an empty register.
extension RaftCore {
    /// Whether this coordinator has no state and counts for nothing.
    public var isNewcomer: Bool { hard.nonce != 0 }

    /// What this newcomer knows: the nonces of all that it has heard of, and its own.
    private var knownNonces: [String: UInt64] {
        var nonces = newcomers
        nonces[address] = hard.nonce
        return nonces
    }

    mutating func introduceItself(_ now: Instant, _ actions: inout [Action]) {
        guard now >= introducesAt else { return }
        say(knownNonces, now, &actions)
        foundGroup(now, &actions)
    }

    private mutating func say(_ nonces: [String: UInt64], _ now: Instant, _ actions: inout [Action]) {
        introducesAt = now + options.heartbeatInterval
        for peer in others { actions.append(.send(.newcomer(nonces: nonces), to: peer)) }
    }

    mutating func heard(
        _ nonces: [String: UInt64], ofNewcomer sender: String, _ now: Instant, _ actions: inout [Action]
    ) {
        guard let nonce = nonces[sender], nonce != 0 else { return }
        let isNews = newcomers[sender] != nonce
        if isNewcomer {
            newcomers[sender] = nonce
            words[sender] = nonces
            if isNews { say(knownNonces, now, &actions) }
            return foundGroup(now, &actions)
        }
        if hard.founders[sender] == nonce {
            actions.append(.send(.founded(nonces: hard.founders), to: sender))
            return
        }
        newcomers[sender] = nonce
        // A leader that was elected before cannot prove to have been elected after: it stands for election again.
        if isLeader, newcomersAtElection[sender] != nonce {
            actions.append(.note(.info, "coordinator \(sender) has no state: elects itself anew to bring it up to date"))
            becomeFollower(now, leader: nil, &actions)
            startElection(now, &actions)
        }
    }

    private mutating func foundGroup(_ now: Instant, _ actions: inout [Action]) {
        let nonces = knownNonces
        guard others.allSatisfy({ nonces[$0] != nil && words[$0] == nonces }) else { return }
        takePart(inGroupOf: nonces, now, &actions)
        for peer in others { actions.append(.send(.founded(nonces: nonces), to: peer)) }
    }

    /// All were newcomers at once: this one counts from now on, as one that holds nothing and has promised nothing.
    mutating func takePart(inGroupOf nonces: [String: UInt64], _ now: Instant, _ actions: inout [Action]) {
        guard isNewcomer, nonces[address] == hard.nonce else { return }
        hard.nonce = 0
        hard.founders = nonces
        actions.append(.persist(hard))
        actions.append(.note(.info, "all \(others.count + 1) coordinators are new: they begin with an empty register"))
        postponeElection(now)
        // One of them need not wait for the others' silence.
        if others.allSatisfy({ address.utf8.lexicographicallyPrecedes($0.utf8) }) { electionAt = now }
    }

    /// What a newcomer makes of a message. True when it counts from now on, by this very message.
    mutating func recovers(
        by message: RaftMessage, _ sender: String, _ now: Instant, _ actions: inout [Action]
    ) -> Bool {
        guard case .append(let term, let entry, let commitIndex, _, let nonce) = message, term >= hard.term else { return false }
        // Members that ask here are sent on.
        hard.term = term
        leaderAddress = sender
        heardLeaderAt = now
        guard nonce == hard.nonce, let entry, entry.term == term, commitIndex >= entry.index else { return false }
        hard.nonce = 0
        hard.votedFor = sender
        hard.hold(entry)
        actions.append(.persist(hard))
        actions.append(.note(.info, "coordinator \(sender) has brought this one up to date at revision \(entry.register.revision): it counts again"))
        return true
    }
}
