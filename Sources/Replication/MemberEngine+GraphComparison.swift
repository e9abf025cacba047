public import GraphModel
public import Storage

/// Comparing the members' graphs: what this member has worked out, and, on the master, what it has heard.
struct GraphComparisons {
    struct Running {
        var comparison: GraphComparison
        let beganAt: Instant
        var askedAt: Instant
    }

    /// The latest checksums of this member, for a master that asks again.
    var own: [(position: LogPosition, checksum: GraphChecksum)] = []
    static let ownCountMaximum = 4
    var running: Running?
    /// The last one that ended here.
    var latest: GraphComparison?
    /// When the master begins the next one by itself.
    var dueAt: Instant?
    /// Time between two questions to whoever has not answered.
    static let askInterval: Milliseconds = 1000
}

extension MemberEngine {
    /// The comparison that goes on, else the last one that this member made as a master.
    public var graphComparison: GraphComparison? { comparisons.running?.comparison ?? comparisons.latest }

    /// Has all members say what their graphs come to; only the master can. Returns where in the log, of the one that goes on
    /// already if there is one.
    public func compareGraphs(now: Instant) throws(GraphError) -> LogPosition {
        if let running = comparisons.running { return running.comparison.position }
        if let refusal = core.refusalOfOrders(now: now) { throw refusal }
        guard let store, let epoch = core.masterEpoch, let register = core.register, var sequencer else {
            throw GraphError(.noMaster, "this member is not the master: ask the master to compare graphs")
        }
        guard core.clusterVersion >= 2 else {
            throw GraphError(.unavailable, "not all members speak version 2 of the protocol yet: graphs cannot be compared")
        }
        let time = host.entryTimestamp()
        let record = sequencer.graphComparison(epoch, commitPoint: core.commitPoint, wallClockMilliseconds: time)
        try store.append([record])
        self.sequencer = sequencer
        comparisons.running = .init(
            comparison: GraphComparison(
                position: record.position, startedAt: time, members: register.members.map(\.id), master: options.member.id),
            beganAt: now, askedAt: now)
        return record.position
    }

    /// This member has worked out what its graph comes to at an entry that asked for it.
    public func graphSummed(_ position: LogPosition, _ checksum: GraphChecksum, now: Instant) {
        if comparisons.own.count == GraphComparisons.ownCountMaximum { comparisons.own.removeFirst() }
        comparisons.own.append((position, checksum))
        if core.isMaster { return noteGraph(position, checksum, of: options.member.id, now) }
        if let master = core.followed { send(.graphChecksum(position, checksum), to: master) }
    }

    func noteGraph(_ position: LogPosition, _ checksum: GraphChecksum, of member: MemberID, _ now: Instant) {
        guard comparisons.running?.comparison.position == position else { return }
        comparisons.running?.comparison.note(checksum, of: member)
        endComparisonIfDone(now)
    }

    func answerGraphQuestion(_ position: LogPosition, from sender: MemberID) {
        guard let known = comparisons.own.last(where: { $0.position == position }) else { return }
        send(.graphChecksum(position, known.checksum), to: sender)
    }

    /// Who is silent is not waited for, nor is anybody for ever.
    private func endComparisonIfDone(_ now: Instant) {
        guard let running = comparisons.running else { return }
        let time = now.milliseconds(since: running.beganAt)
        let peers = core.peerStatus
        let awaited = running.comparison.missing.filter { member in
            if member == options.member.id { return true }
            let heardAt = max(peers[member]?.lastContact ?? running.beganAt, running.beganAt)
            return now.milliseconds(since: heardAt) < options.syncTimeout
        }
        guard awaited.isEmpty || time >= options.comparisonTimeout else { return }
        var comparison = running.comparison
        comparison.finish(after: time)
        comparisons.running = nil
        comparisons.latest = comparison
        comparisons.dueAt = now + options.comparisonInterval
        host.note(comparison.differing.isEmpty ? .info : .error, comparison.summary)
    }

    /// Begins what is due, asks again, and gives up.
    func tickComparison(_ now: Instant) {
        guard core.isMaster else {
            comparisons.running = nil
            comparisons.dueAt = nil
            return
        }
        if let running = comparisons.running {
            endComparisonIfDone(now)
            if comparisons.running != nil && now.milliseconds(since: running.askedAt) >= GraphComparisons.askInterval {
                comparisons.running?.askedAt = now
                for member in running.comparison.missing where member != options.member.id {
                    send(.graphChecksumWanted(running.comparison.position), to: member)
                }
            }
            return
        }
        guard options.comparisonInterval.rawValue > 0 else { return }
        let dueAt = comparisons.dueAt ?? now + options.comparisonInterval
        comparisons.dueAt = dueAt
        guard now >= dueAt, core.clusterVersion >= 2, core.refusalOfOrders(now: now) == nil, sequencer != nil else { return }
        do throws(GraphError) { _ = try compareGraphs(now: now) } catch {
            // The log takes nothing: that has its own consequences.
            comparisons.dueAt = now + options.comparisonInterval
        }
    }
}
