import GraphModel
import Replication
import Simulation
import Testing

/// The manual's commits (22.3): the master tries to push, and needs nobody.
@Suite struct CommitModeTests {
    private func cluster(
        _ seed: UInt64, _ configure: (inout Schedule) -> Void = { _ in }
    ) throws -> (SimulatedCluster, master: Int) {
        try founded(seed) { schedule in
            schedule.commitMode = .optimistic
            configure(&schedule)
        }
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>, [0, 1, 2])
    func commitsGoOnWithAllSlavesDown(seed: UInt64, pushFactor: Int) throws {
        let (cluster, master) = try cluster(seed) { $0.pushFactor = pushFactor }
        for slave in 1...3 where slave != master { cluster.crashForGood(slave) }
        cluster.advance(milliseconds: 2000)
        let before = cluster.committedCount
        // Clients at slaves that are gone ask nobody; those at the master wait for no push for longer than its time.
        cluster.advance(milliseconds: 2000)
        #expect(cluster.committedCount > before + 3)
        #expect(cluster.leader == master)
        #expect(cluster.violation == nil)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aSlaveThatHangsHoldsAPushUpForItsTimeOnly(seed: UInt64) throws {
        let (cluster, master) = try cluster(seed) { $0.pushFactor = 2 }
        let slave = master == 3 ? 2 : 3
        cluster.setSyncDelay(slave, milliseconds: 100_000_000)
        cluster.advance(milliseconds: 2500)
        let before = cluster.committedCount
        // Clients that ask the member with the bad disk wait there for up to ten seconds.
        cluster.advance(milliseconds: 15_000)
        #expect(cluster.committedCount > before)
    }

    /// The last member standing takes over, though it never counted in anything.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func whoIsLeftTakesOver(seed: UInt64) throws {
        let (cluster, master) = try cluster(seed)
        let others = [1, 2, 3].filter { $0 != master }
        cluster.crashForGood(master)
        cluster.crashForGood(others[0])
        cluster.advance(milliseconds: 6000)
        #expect(cluster.leader == others[1])
        let before = cluster.committedCount
        cluster.advance(milliseconds: 2000)
        #expect(cluster.committedCount > before)
    }

    /// The old master wrote what nobody else has, the new one as much of its own: the same number of transactions, and
    /// other ones. What is not the cluster's is set aside, what clients were told is still there.
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func anOldMasterIsBranchedThoughBothSidesWroteAsMuch(seed: UInt64) throws {
        let (cluster, master) = try cluster(seed) { $0.pushFactor = 0 }
        let others = [1, 2, 3].filter { $0 != master }
        for slave in others { cluster.crashForGood(slave) }
        let start = cluster.applied(at: master)
        while cluster.applied(at: master) < start + 20 { cluster.advance(milliseconds: 20) }
        cluster.stopClients()
        cluster.advance(milliseconds: 500)
        let end = cluster.applied(at: master)
        cluster.crashForGood(master)
        for slave in others { cluster.restart(slave) }
        cluster.startClients()
        for _ in 0..<2000 where cluster.leader.map({ cluster.applied(at: $0) < end }) ?? true {
            cluster.advance(milliseconds: 5)
        }
        cluster.stopClients()
        cluster.advance(milliseconds: 500)
        let next = try #require(cluster.leader)
        #expect(cluster.applied(at: next) >= end)
        cluster.restart(master)
        cluster.advance(milliseconds: 5000)
        #expect(cluster.branchCount == 1)
        #expect(cluster.applied(at: master) == cluster.applied(at: next))
        cluster.startClients()
        #expect(cluster.finish() == nil)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func anOldMasterWithNothingOfItsOwnFollowsWithoutACopy(seed: UInt64) throws {
        let (cluster, master) = try cluster(seed)
        cluster.stopClients()
        cluster.advance(milliseconds: 500)
        cluster.crashForGood(master)
        cluster.advance(milliseconds: 4000)
        cluster.startClients()
        cluster.advance(milliseconds: 1000)
        cluster.restart(master)
        #expect(cluster.finish() == nil)
        #expect(cluster.branchCount == 0)
    }
}

/// What changes who belongs to a cluster, and how its members talk.
@Suite struct MembershipTests {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func whoIsTakenOutCountsNoMoreAndMayJoinAnew(seed: UInt64) throws {
        let (cluster, master) = try founded(seed)
        let gone = master == 3 ? 2 : 3
        cluster.crashForGood(gone)
        cluster.takeOut(gone, through: master)
        cluster.advance(milliseconds: 500)
        #expect(!cluster.members(as: master).contains(UInt32(gone)))
        #expect(cluster.syncSet(as: master).count == 2)
        cluster.restart(gone)
        cluster.advance(milliseconds: 4000)
        #expect(cluster.syncSet(as: master).count == 3)
        #expect(cluster.finish() == nil)
    }

    /// Whoever starts while no coordinator answers finds its master all the same.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aSlaveFindsItsMasterWithoutCoordinators(seed: UInt64) throws {
        let (cluster, master) = try founded(seed)
        let slave = master == 3 ? 2 : 3
        for arbiter in 4...6 { cluster.crashForGood(arbiter) }
        cluster.crashForGood(slave)
        cluster.advance(milliseconds: 500)
        cluster.restart(slave)
        cluster.advance(milliseconds: 1000)
        #expect(cluster.isFollowing(slave))
        #expect(cluster.applied(at: slave) + 20 > cluster.applied(at: master))
        let before = cluster.committedCount
        cluster.advance(milliseconds: 1000)
        #expect(cluster.committedCount > before)
        #expect(cluster.violation == nil)
    }

    /// Members are upgraded one after the other, under load; once the last one is, all use what is new.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aClusterIsUpgradedMemberByMember(seed: UInt64) throws {
        let (cluster, master) = try founded(seed) { schedule in
            schedule.oldVersionCount = 3
            schedule.commitMode = .optimistic
        }
        for member in [1, 2, 3].filter({ $0 != master }) + [master] {
            #expect(cluster.clusterVersion(as: member) == 1)
            cluster.crashForGood(member)
            cluster.advance(milliseconds: 100)
            cluster.restart(member)
            let before = cluster.committedCount
            cluster.advance(milliseconds: 4000)
            #expect(cluster.committedCount > before)
        }
        for member in 1...3 { #expect(cluster.clusterVersion(as: member) == 2) }
        #expect(cluster.finish() == nil)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aSlaveThatPollsIsBehindByItsIntervalOnly(seed: UInt64) throws {
        let (cluster, master) = try founded(seed, memberCount: 2) { schedule in
            schedule.commitMode = .optimistic
            schedule.pushFactor = 0
            schedule.pollingCount = 2
            schedule.pullInterval = 800
        }
        // What a client of its own writes comes at once, and what is before it; the rest waits.
        var behindCount = 0
        for _ in 0..<200 {
            cluster.advance(milliseconds: 10)
            if cluster.applied(at: 3 - master) < cluster.applied(at: master) { behindCount += 1 }
        }
        #expect(behindCount > 60)
        cluster.stopClients()
        cluster.advance(milliseconds: 1000)
        #expect(cluster.applied(at: 3 - master) == cluster.applied(at: master))
        cluster.startClients()
        #expect(cluster.finish() == nil)
    }
}
