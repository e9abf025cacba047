import Simulation
import Testing

/// Two members with coordinators elsewhere: who is left goes on, sooner where the other's process is gone.
@Suite struct SurvivorTests {
    private func two(_ seed: UInt64) throws -> (SimulatedCluster, master: Int, slave: Int) {
        let (cluster, master) = try founded(seed, memberCount: 2)
        cluster.keepsTrace = true
        #expect(cluster.syncSet(as: master).count == 2)
        return (cluster, master, 3 - master)
    }

    /// Runs until more is committed; returns how long that took.
    private func millisecondsUntilCommit(_ cluster: SimulatedCluster, limit: UInt64) -> UInt64 {
        let before = cluster.committedCount
        var passed: UInt64 = 0
        while cluster.committedCount == before, passed < limit {
            cluster.advance(milliseconds: 20)
            passed += 20
        }
        return passed
    }

    /// One of two dies, the other goes on within `limit` milliseconds, and the lost one comes back.
    private func lose(_ lost: Int, of cluster: SimulatedCluster, limit: UInt64) {
        cluster.crashForGood(lost)
        // What the lost one's disk had acknowledged already.
        cluster.advance(milliseconds: 50)
        #expect(millisecondsUntilCommit(cluster, limit: 4 * limit) < limit)
        #expect(cluster.syncSet(as: 3 - lost) == [UInt32(3 - lost)])
        cluster.restart(lost)
        #expect(cluster.finish() == nil)
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func aMasterGoesOnWithoutASlaveWhoseProcessIsGone(seed: UInt64) throws {
        let (cluster, _, slave) = try two(seed)
        lose(slave, of: cluster, limit: 1500)
        #expect(cluster.traceLines.contains { $0.contains("member \(slave) out: connection refused, silent for") })
        #expect(cluster.traceLines.contains { $0.contains("member \(slave) in: has caught up") })
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func aSlaveGoesOnWithoutAMasterWhoseProcessIsGone(seed: UInt64) throws {
        let (cluster, master, _) = try two(seed)
        lose(master, of: cluster, limit: 2500)
    }

    /// A machine that says nothing at all may be cut off, and its process live.
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func whoIsMerelySilentIsWaitedFor(seed: UInt64) throws {
        let (cluster, master, slave) = try two(seed)
        cluster.cut([slave], from: [master, 3, 4, 5])
        cluster.advance(milliseconds: 2000)
        #expect(cluster.syncSet(as: master).count == 2)
        #expect(cluster.traceLines.contains { $0.contains("has lost its lease") })
        cluster.advance(milliseconds: 4000)
        #expect(cluster.leader.map { cluster.syncSet(as: $0).count } == 1)
        #expect(cluster.traceLines.contains { $0.contains("out: silent for") })
        #expect(cluster.finish() == nil)
    }

    /// Both see the coordinators and not each other: one of them goes on, and is not deposed by the other.
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func ofTwoThatAreCutOffFromEachOtherOneGoesOn(seed: UInt64) throws {
        let (cluster, master, slave) = try two(seed)
        cluster.cut([slave], from: [master])
        cluster.advance(milliseconds: 10_000)
        let survivor = try #require(cluster.leader)
        #expect(cluster.syncSet(as: survivor) == [UInt32(survivor)])
        let before = cluster.committedCount
        cluster.advance(milliseconds: 5000)
        #expect(cluster.committedCount > before)
        #expect(cluster.leader == survivor)
        #expect(cluster.finish() == nil)
    }

    /// Heard again in time, a master goes on in its epoch and says so.
    @Test func aLeaseThatComesBackIsTold() throws {
        let (cluster, master, slave) = try two(3)
        cluster.mute([slave], towards: [master])
        cluster.advance(milliseconds: 1500)
        cluster.mend([slave], with: [master])
        cluster.advance(milliseconds: 1000)
        #expect(cluster.traceLines.contains { $0.contains("has lost its lease") })
        #expect(cluster.traceLines.contains { $0.contains("has its lease of") && $0.contains("again, after") })
        #expect(cluster.finish() == nil)
    }
}
