internal import GraphModel

// Who ought to be in the sync set, and why.
extension MasterReplication {
    /// The sync set that ought to be in force, when it differs from the one that is; one change at a time. A wider one need
    /// not be safe yet: commits wait for both sets until it is.
    func wantedSyncSet(
        electable: [MemberID], now: Instant, _ options: ReplicationOptions
    ) -> (set: [MemberID], reason: Reason)? {
        guard proposal == nil, let epochStart else { return nil }
        if commitPoint >= epochStart,
            let id = electable.first(where: { !syncSet.contains($0) && followsClosely($0, now: now) })
        {
            return ((syncSet + [id]).sorted(), Reason(members: [id], cause: .caughtUp))
        }
        let minimum = options.syncSetMinimum
        let silent = syncSet.filter { $0 != ownID && isSilent($0, now, options) }
        if silent.count > 1, syncSet.count - silent.count >= minimum {
            let narrower = syncSet.filter { !silent.contains($0) }
            let shortest = silent.map { silence(of: $0, now) }.min() ?? 0
            if isSafe(narrower) { return (narrower, Reason(members: silent, cause: .silent(shortest))) }
        }
        guard syncSet.count > minimum else { return nil }
        for id in silent + syncSet.filter({ $0 != ownID && !silent.contains($0) }) {
            let narrower = syncSet.filter { $0 != id }
            guard let cause = causeToDrop(id, now, options), isSafe(narrower) else { continue }
            return (narrower, Reason(members: [id], cause: cause))
        }
        return nil
    }

    private func causeToDrop(_ id: MemberID, _ now: Instant, _ options: ReplicationOptions) -> Reason.Cause? {
        if isSilent(id, now, options) {
            let silence = silence(of: id, now)
            return peers[id]?.isGone ?? false ? .gone(silence) : .silent(silence)
        }
        // A member talks but takes no part: it copies a store, or its disk hangs. A large transaction looks like the
        // latter for a while, hence the longer time.
        guard let peer = peers[id] else { return nil }
        let time = now.milliseconds(since: peer.movedAt ?? startedAt)
        if peer.isCopying { return time >= options.syncTimeout ? .copiesStore(time) : nil }
        return time >= Milliseconds(options.syncTimeout.rawValue * 3) ? .standsStill(time) : nil
    }

    /// Whose process is gone need not be waited for longer than its lease.
    private func isSilent(_ id: MemberID, _ now: Instant, _ options: ReplicationOptions) -> Bool {
        let isGone = peers[id]?.isGone ?? false
        return silence(of: id, now) >= (isGone ? min(options.leaseTime, options.syncTimeout) : options.syncTimeout)
    }

    /// Who has not said a word in this epoch is silent since it began, or, when its process is gone, since it was last heard.
    private func silence(of id: MemberID, _ now: Instant) -> Milliseconds {
        guard let peer = peers[id] else { return now.milliseconds(since: startedAt) }
        return now.milliseconds(since: peer.lastContact ?? (peer.isGone ? peer.heardBefore : nil) ?? startedAt)
    }
}
