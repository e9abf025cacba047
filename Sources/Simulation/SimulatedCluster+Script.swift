import GraphModel
import Replication

// Runs that follow a script instead of drawn faults. Members are numbered from 1, arbiters after them.
extension SimulatedCluster {
    /// Members, arbiters on machines of their own, clients, and no faults by chance.
    package static func scripted(
        seed: UInt64, memberCount: Int, clientCount: Int = 3, _ configure: (inout Schedule) -> Void = { _ in }
    ) -> SimulatedCluster {
        var schedule = Schedule(seed: seed)
        schedule.memberCount = memberCount
        schedule.embeddedCoordinatorCount = 0
        schedule.arbiterCount = 3
        schedule.clientCount = clientCount
        schedule.faults = []
        configure(&schedule)
        let cluster = SimulatedCluster(schedule)
        cluster.scheduleBeginning()
        return cluster
    }

    package func advance(milliseconds: UInt64) { runUntil(now + milliseconds * 1_000_000) }

    /// The member that holds a lease as master now.
    package var leader: Int? {
        members.first { $0.engine?.core.leaseEnd(now: $0.now) != nil }.map { $0.index + 1 }
    }

    /// Whoever believes to be master, lease or not.
    package var mastersByBelief: [Int] { members.filter { $0.engine?.core.isMaster ?? false }.map { $0.index + 1 } }

    package func syncSet(as member: Int) -> [UInt32] {
        nodes[member - 1].engine?.core.register?.syncSet.map(\.rawValue) ?? []
    }

    package func members(as member: Int) -> [UInt32] {
        nodes[member - 1].engine?.core.register?.members.map(\.id.rawValue) ?? []
    }

    package func clusterVersion(as member: Int) -> UInt16 { nodes[member - 1].engine?.core.clusterVersion ?? 0 }

    /// The last transaction that a member has made readable; 0 without a store.
    package func applied(at member: Int) -> UInt64 { nodes[member - 1].engine?.store?.applied.transactionID.rawValue ?? 0 }

    package func isFollowing(_ member: Int) -> Bool { nodes[member - 1].engine?.core.followed != nil }

    /// Tells the master to take a member out.
    package func takeOut(_ member: Int, through master: Int) {
        let node = nodes[master - 1]
        node.engine?.removeMember(MemberID(UInt32(member)), now: node.now)
        settle(node)
    }

    package func stopClients() { isSilent = true }
    package func startClients() { isSilent = false }

    package func promisedEpoch(of member: Int) -> UInt64 {
        nodes[member - 1].engine?.core.hard.promised.rawValue ?? 0
    }

    /// Writes that clients were told are committed.
    package var committedCount: Int { clients.reduce(0) { $0 + $1.committedMarks.count + $1.committedIncrements } }

    package func crashForGood(_ member: Int) { crash(nodes[member - 1]) }

    package func restart(_ member: Int) { start(nodes[member - 1]) }

    package func loseDisk(_ member: Int) { wipe(nodes[member - 1]) }

    /// Stops a member and takes away what it must not forget; its store stays.
    package func loseState(_ member: Int) {
        crash(nodes[member - 1])
        _ = try? nodes[member - 1].disk.remove("member")
        invariants.forget(nodes[member - 1], disk: true)
    }

    package func setSyncDelay(_ member: Int, milliseconds: UInt64) {
        nodes[member - 1].syncDelayMicroseconds = milliseconds * 1000
    }

    package func setNetworkDelay(milliseconds: UInt64) { network.delayMaximumMicroseconds = milliseconds * 1000 }

    /// Cuts the connections between two groups of nodes.
    package func cut(_ some: [Int], from others: [Int]) {
        for a in some {
            for b in others {
                network.block(a - 1, b - 1)
                network.block(b - 1, a - 1)
            }
        }
    }

    /// What the first group says does not reach the second.
    package func mute(_ some: [Int], towards others: [Int]) {
        for a in some {
            for b in others { network.block(a - 1, b - 1) }
        }
    }

    package func mend(_ some: [Int], with others: [Int]) {
        for a in some {
            for b in others {
                network.unblock(a - 1, b - 1)
                network.unblock(b - 1, a - 1)
            }
        }
    }

    /// Ends the run: everything is mended and must converge. Returns the violated invariant, nil when all held.
    package func finish() -> String? {
        if violation != nil { return violation }
        converge()
        return violation
    }
}
