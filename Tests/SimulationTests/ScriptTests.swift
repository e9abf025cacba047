import Replication
import Simulation
import Testing

/// Whole clusters under faults that are not drawn but told, most of them lasting: random schedules mend everything soon.
@Suite struct ScriptTests {
    /// A founded cluster whose sync set holds all members, and its master.
    private func cluster(
        _ seed: UInt64, _ memberCount: Int, clientCount: Int = 3
    ) throws -> (SimulatedCluster, master: Int) {
        let (cluster, master) = try founded(seed, memberCount: memberCount, clientCount: clientCount)
        #expect(cluster.syncSet(as: master).count == memberCount)
        #expect(cluster.committedCount > 0)
        return (cluster, master)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func theLastOfTwoTakesOver(seed: UInt64) throws {
        let (cluster, master) = try cluster(seed, 2)
        cluster.crashForGood(master)
        cluster.advance(milliseconds: 10_000)
        #expect(cluster.leader == 3 - master)
        #expect(cluster.violation == nil)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func oneMemberOfThreeRemains(seed: UInt64) throws {
        let (cluster, master) = try cluster(seed, 3)
        cluster.crashForGood(master)
        cluster.advance(milliseconds: 8000)
        let second = try #require(cluster.leader)
        // Who is gone counts no more, also when it never spoke to the new master.
        #expect(cluster.syncSet(as: second).count == 2)
        cluster.crashForGood(second)
        cluster.advance(milliseconds: 10_000)
        #expect(cluster.leader == 6 - master - second)
        let before = cluster.committedCount
        cluster.advance(milliseconds: 1000)
        #expect(cluster.committedCount > before)
        #expect(cluster.violation == nil)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aDiskThatHangsHoldsNobodyUp(seed: UInt64) throws {
        let (cluster, master) = try cluster(seed, 2, clientCount: 8)
        cluster.setSyncDelay(3 - master, milliseconds: 100_000_000)
        cluster.advance(milliseconds: 3000)
        let before = cluster.committedCount
        // Clients that asked the member with the bad disk wait there.
        cluster.advance(milliseconds: 20_000)
        #expect(cluster.committedCount > before)
        #expect(cluster.syncSet(as: master) == [UInt32(master)])
        #expect(cluster.violation == nil)
    }

    /// A member promises its vote to a candidate whose word to the coordinators is delayed, loses its disk, and comes back
    /// to the old master: what the two commit must not be lost when the candidate's word arrives.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aVoteThatWasForgottenStillBinds(seed: UInt64) throws {
        #expect(try Self.forgetVote(seed) == nil)
    }

    /// Returns the violated invariant.
    static func forgetVote(_ seed: UInt64, brokenRules: Set<BrokenRule> = []) throws -> String? {
        let (cluster, master) = try founded(seed, memberCount: 3) { $0.brokenRules = brokenRules }
        let others = [1, 2, 3].filter { $0 != master }
        // Who of the two is the candidate is drawn: each has its turn.
        let (b, c) = seed % 2 == 0 ? (others[0], others[1]) : (others[1], others[0])
        let arbiters = [4, 5, 6]
        cluster.cut([master], from: [b, c])
        cluster.cut([b, c], from: arbiters)
        let epoch = cluster.promisedEpoch(of: master)
        for _ in 0..<200 where cluster.promisedEpoch(of: b) == epoch || cluster.promisedEpoch(of: c) == epoch {
            cluster.advance(milliseconds: 10)
        }
        cluster.advance(milliseconds: 5)
        cluster.cut([b], from: [c])
        cluster.loseDisk(c)
        cluster.mend([c], with: arbiters + [master])
        cluster.advance(milliseconds: 20)
        cluster.restart(c)
        cluster.advance(milliseconds: 700)
        cluster.mend([b], with: arbiters)
        cluster.advance(milliseconds: 1500)
        return cluster.finish()
    }

    /// The register takes a member into the sync set while the master does not hear of it: from the proposal on commits
    /// need the quorum of both sets.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aProposedSyncSetCountsBeforeItIsHeardOf(seed: UInt64) throws {
        #expect(try Self.widenUnheard(seed) == nil)
    }

    /// Returns the violated invariant.
    static func widenUnheard(_ seed: UInt64, brokenRules: Set<BrokenRule> = []) throws -> String? {
        let (cluster, master) = try founded(seed, memberCount: 2, clientCount: 6) { $0.brokenRules = brokenRules }
        let slave = 3 - master
        cluster.crashForGood(slave)
        for _ in 0..<1000 where cluster.syncSet(as: master).count > 1 { cluster.advance(milliseconds: 10) }
        cluster.advance(milliseconds: 500)
        cluster.mute([3, 4, 5], towards: [master])
        cluster.restart(slave)
        for _ in 0..<1000 where cluster.syncSet(as: slave).count < 2 { cluster.advance(milliseconds: 10) }
        cluster.cut([slave], from: [master])
        cluster.advance(milliseconds: 4000)
        return cluster.finish()
    }

    /// A member leaves the sync set only when those who stay have everything: one of them had a disk that hung.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aSyncSetGetsNoNarrowerThanIsSafe(seed: UInt64) throws {
        #expect(try Self.narrow(seed) == nil)
    }

    /// Returns the violated invariant.
    static func narrow(_ seed: UInt64, brokenRules: Set<BrokenRule> = []) throws -> String? {
        let (cluster, master) = try founded(seed, memberCount: 3, clientCount: 6) { $0.brokenRules = brokenRules }
        let (slow, lost) = master == 1 ? (2, 3) : master == 2 ? (1, 3) : (1, 2)
        cluster.setSyncDelay(slow, milliseconds: 100_000_000)
        cluster.advance(milliseconds: 1000)
        cluster.cut([lost], from: [master, slow, 4, 5, 6])
        cluster.advance(milliseconds: 3300)
        cluster.crashForGood(master)
        // What it had not on its disk is gone.
        cluster.crashForGood(slow)
        cluster.setSyncDelay(slow, milliseconds: 1)
        cluster.restart(slow)
        cluster.advance(milliseconds: 4000)
        cluster.mend([lost], with: [master, slow, 4, 5, 6])
        cluster.advance(milliseconds: 2000)
        cluster.restart(master)
        return cluster.finish()
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aMasterWithoutItsStateDoesNotGoOnInItsEpoch(seed: UInt64) throws {
        let (cluster, master) = try cluster(seed, 3)
        let epoch = cluster.promisedEpoch(of: master)
        cluster.loseState(master)
        cluster.restart(master)
        cluster.advance(milliseconds: 3000)
        let next = try #require(cluster.leader)
        #expect(cluster.promisedEpoch(of: next) > epoch)
        #expect(cluster.finish() == nil)
    }

    /// Between two commits there is never time for the slave's word: it must be let in all the same.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aSlaveFarAwayJoinsUnderLoad(seed: UInt64) throws {
        let cluster = SimulatedCluster.scripted(seed: seed, memberCount: 2, clientCount: 60)
        cluster.setNetworkDelay(milliseconds: 40)
        cluster.advance(milliseconds: 10_000)
        #expect(cluster.syncSet(as: try #require(cluster.leader)).count == 2)
        #expect(cluster.finish() == nil)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aMasterWhoseDiskHangsGivesUp(seed: UInt64) throws {
        let (cluster, master) = try cluster(seed, 3)
        cluster.setSyncDelay(master, milliseconds: 100_000_000)
        cluster.advance(milliseconds: 14_000)
        #expect(cluster.leader != nil && cluster.leader != master)
        let before = cluster.committedCount
        cluster.advance(milliseconds: 12_000)
        #expect(cluster.committedCount > before)
        #expect(cluster.violation == nil)
    }
}
