import FileSystem
import Replication
import Simulation
import Testing

/// Whole clusters under faults. `MARTLET_SCHEDULES` says how many seeds (20,000 when it is not set), `MARTLET_FIRST_SEED`
/// where to begin; `MARTLET_SEED` runs one alone and prints what happened.
@Suite struct ScheduleTests {
    private static func number(_ name: String, _ fallback: UInt64) -> UInt64 {
        processEnvironment()[name].flatMap { UInt64($0) } ?? fallback
    }

    /// Seeds in as many parts as there are likely to be processors.
    static let parts: [ClosedRange<UInt64>] = {
        if let seed = processEnvironment()["MARTLET_SEED"].flatMap({ UInt64($0) }) { return [seed...seed] }
        let first = number("MARTLET_FIRST_SEED", 1)
        let count = number("MARTLET_SCHEDULES", 20_000)
        let length = max(1, (count + 7) / 8)
        return stride(from: first, to: first + count, by: Int(length)).map { $0...min($0 + length - 1, first + count - 1) }
    }()

    @Test(arguments: ScheduleTests.parts)
    func invariantsHoldInEverySchedule(seeds: ClosedRange<UInt64>) {
        for seed in seeds {
            let cluster = SimulatedCluster(.random(seed))
            cluster.keepsTrace = seeds.count == 1
            let violation = cluster.run()
            for line in cluster.traceLines { print(line) }
            if seeds.count == 1 { print(cluster.summary) }
            if let violation { Issue.record("seed \(seed): invariant \(violation); \(cluster.summary)") }
        }
    }

    /// Schedules beyond the first 20,000 that found a fault once, as long as they still mean the same.
    @Test(arguments: [4_377_979, 4_588_533, 4_876_335, 4_906_991, 4_949_230, 5_112_287, 5_345_745] as [UInt64])
    func whatOnceFoundAFaultFindsNone(seed: UInt64) {
        let cluster = SimulatedCluster(.random(seed))
        let violation = cluster.run()
        #expect(violation == nil, "seed \(seed): \(cluster.summary)")
    }

    /// Names that clients give through every member, at once and again after faults, stay unique in the whole cluster.
    @Test func uniqueNamesStayUniqueWhicheverMemberCreatesThem() {
        let (total, count) = runSome { schedule in
            schedule.createsNamedNodes = true
            schedule.clientCount = max(schedule.clientCount, 4)
        } measure: { (nil, $0.namedNodeCount) }
        #expect(total > 8 * count, "\(total) named nodes in all are too few to mean anything")
    }

    /// Whoever increments the counter under its lock is never overtaken by anybody, with a lock or without, through whichever
    /// members; and no lock outlives its transaction.
    @Test func explicitLocksHoldAcrossMembersUnderFaults() {
        let (total, count) = runSome { schedule in
            schedule.locksCounter = true
            // Masters of the version before know no locks of others.
            schedule.oldVersionCount = 0
            schedule.clientCount = max(schedule.clientCount, 5)
        } measure: { ($0.leftoverLocks(), $0.lockedIncrementCount) }
        #expect(total > 20 * count, "\(total) increments under the lock in all are too few to mean anything")
    }

    /// What a client sends again under the same name, because it does not know what became of it, has one effect.
    @Test func requestsThatAreSentAgainHaveOneEffect() {
        let (total, count) = runSome { schedule in
            schedule.retriesRequests = true
            schedule.oldVersionCount = 0
            schedule.clientCount = max(schedule.clientCount, 5)
        } measure: { (nil, $0.settledRequestCount) }
        #expect(total > 2 * count, "\(total) requests that were sent again in all are too few to mean anything")
    }

    /// Members that work out what their graphs come to, while they and their masters fall over, never differ.
    @Test func comparedGraphsAreEqual() {
        let (total, count) = runSome { schedule in
            schedule.comparisonInterval = 300
            schedule.oldVersionCount = 0
        } measure: { (nil, $0.comparisonCount) }
        #expect(total > count / 2, "\(total) masters that compared graphs are too few to mean anything")
    }

    /// Runs a hundredth of the seeds with changed schedules; returns the sum of what was measured, and the number of seeds.
    private func runSome(
        _ change: (inout Schedule) -> Void, measure: (SimulatedCluster) -> (violation: String?, amount: Int)
    ) -> (total: Int, count: Int) {
        var total = 0
        let first = Self.number("MARTLET_FIRST_SEED", 1)
        let count = max(20, Self.number("MARTLET_SCHEDULES", 20_000) / 100)
        for seed in first..<first + count {
            var schedule = Schedule.random(seed)
            change(&schedule)
            let cluster = SimulatedCluster(schedule)
            let violation = cluster.run()
            let (leftover, amount) = measure(cluster)
            if let violation = violation ?? leftover { Issue.record("seed \(seed): \(violation); \(cluster.summary)") }
            total += amount
        }
        return (total, Int(count))
    }

    @Test func aSeedReplaysExactly() {
        for seed in 11...14 as ClosedRange<UInt64> {
            let runs = (0..<2).map { _ -> [String] in
                let cluster = SimulatedCluster(.random(seed))
                cluster.keepsTrace = true
                _ = cluster.run()
                return cluster.traceLines + [cluster.summary]
            }
            let firstDifference = zip(runs[0], runs[1]).first { $0 != $1 }
            #expect(firstDifference == nil && runs[0].count == runs[1].count, "seed \(seed)")
        }
    }
}
