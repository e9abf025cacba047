internal import GraphModel

// Optimistic commits: clients wait until slaves have what they wrote, but not for ever, and not for slaves that are away.
extension MasterReplication {
    /// The slaves that answer, highest ids first.
    private func reachable(_ now: Instant, _ leaseTime: Milliseconds) -> [MemberID] {
        peers.filter { !$0.value.isCopying && ($0.value.lastContact.map { now.milliseconds(since: $0) < leaseTime } ?? false) }
            .keys.sorted(by: >)
    }

    /// Those among `slaves` that a transaction is pushed to.
    private func targets(of transactionID: TransactionID, _ slaves: [MemberID], _ options: ReplicationOptions) -> [MemberID] {
        // Where it comes from it arrives anyway.
        let others = slaves.filter { $0 != origins[transactionID] }
        let count = min(options.pushFactor, others.count)
        switch options.pushStrategy {
        case .fixed: return Array(others.prefix(count))
        case .roundRobin:
            return (0..<count).map { others[Int((transactionID.rawValue + UInt64($0)) % UInt64(others.count))] }
        }
    }

    /// How far clients may be told that their transactions are committed: up to `ready`, as far as the pushes arrived or
    /// have taken too long.
    mutating func pushed(through ready: TransactionID, now: Instant, _ options: ReplicationOptions) -> TransactionID {
        guard ready > acknowledgedToClients else { return ready }
        let slaves = reachable(now, options.leaseTime)
        var through = acknowledgedToClients
        while through < ready {
            let next = TransactionID(through.rawValue + 1)
            guard targets(of: next, slaves, options).allSatisfy({ acknowledged($0) >= next }) else { break }
            through = next
        }
        if through > acknowledgedToClients { pushWaitsSince = nil }
        if through < ready {
            let since = pushWaitsSince ?? now
            pushWaitsSince = since
            if now.milliseconds(since: since) >= options.pushTimeout {
                pushWaitsSince = nil
                through = ready
            }
        } else {
            pushWaitsSince = nil
        }
        if !origins.isEmpty { origins = origins.filter { $0.key > through } }
        return through
    }

    /// Whether a slave that polls gets entries as they come all the same: commits wait for it.
    func isPushedTo(_ id: MemberID, now: Instant, _ options: ReplicationOptions) -> Bool {
        if commitMode == .quorum { return sets.contains { $0.contains(id) } }
        if options.pushFactor == 0 { return false }
        if options.pushStrategy == .roundRobin { return true }
        // One more than the factor: any of them may be where a transaction comes from.
        return reachable(now, options.leaseTime).prefix(options.pushFactor + 1).contains(id)
    }
}
