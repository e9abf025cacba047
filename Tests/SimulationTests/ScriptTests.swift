import Simulation
import Testing

/// Whole clusters under faults that are not drawn but told, most of them lasting: random schedules mend everything soon.
@Suite struct ScriptTests {
    /// A founded cluster whose sync set holds all members, and its master.
    private func cluster(_ seed: UInt64, _ memberCount: Int) throws -> (SimulatedCluster, master: Int) {
        let cluster = SimulatedCluster.scripted(seed: seed, memberCount: memberCount)
        cluster.advance(milliseconds: 5000)
        let master = try #require(cluster.leader)
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
        let (cluster, master) = try cluster(seed, 2)
        cluster.setSyncDelay(3 - master, milliseconds: 100_000_000)
        cluster.advance(milliseconds: 3000)
        let before = cluster.committedCount
        // Clients that asked the member with the bad disk wait there.
        cluster.advance(milliseconds: 12_000)
        #expect(cluster.committedCount > before)
        #expect(cluster.syncSet(as: master) == [UInt32(master)])
        #expect(cluster.violation == nil)
    }
}
