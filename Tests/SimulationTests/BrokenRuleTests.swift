import FileSystem
import Replication
import Simulation
import Testing

/// The simulator is worth what it catches: members that break one rule on purpose must be found out.
@Suite struct BrokenRuleTests {
    /// Seeds that catch each rule, as listed in `docs/testing.md`. Found by `MARTLET_SEARCH=RULE`.
    static let seeds: [(rule: BrokenRule, seed: UInt64)] = [
        (.electionIgnoresPositions, 14), (.acknowledgesBeforeQuorum, 30), (.appliesBeforeCommitPoint, 66),
        (.forgetsPromise, 1), (.countsSlaveOnlyMembers, 6), (.ignoresLease, 2), (.acknowledgesBeforeSync, 18),
        (.acceptsOlderEpoch, 97), (.changesSyncSetAtOnce, 31), (.votesWithoutCatchingUp, 2),
        (.electsWithoutQuorum, 3), (.ignoresDeposition, 3), (.resumesMastership, 2), (.skipsLogCheck, 1),
        (.appliesBeforeSync, 88), (.handsOverTooEarly, 11), (.ordersWithoutLease, 134), (.ordersTwice, 1),
        (.callsUnknownNotApplied, 3), (.keepsBranchedData, 20), (.forgetsRequests, 21),
    ]

    @Test(arguments: BrokenRuleTests.seeds)
    func brokenRuleIsCaught(rule: BrokenRule, seed: UInt64) {
        let violation = SimulatedCluster(.provoking(rule, seed: seed)).run()
        #expect(violation != nil, "\(rule.rawValue) with seed \(seed) goes unnoticed")
        // The same schedule without the broken rule is fine: it is the rule that was caught.
        var sound = Schedule.provoking(rule, seed: seed)
        sound.brokenRules = []
        #expect(SimulatedCluster(sound).run() == nil, "seed \(seed) fails without \(rule.rawValue) too")
    }

    /// Too rare for chance: a script brings it about, and some of its seeds do harm.
    @Test func aVoteThatWasForgottenDoesHarmWithoutFencing() throws {
        let violations = try (1...20 as ClosedRange<UInt64>).compactMap { seed in
            try ScriptTests.forgetVote(seed, brokenRules: [.forgetsFencing])
        }
        #expect(!violations.isEmpty)
    }

    @Test func aNarrowerSyncSetThatIsNotSafeDoesHarm() throws {
        let violations = try (1...5 as ClosedRange<UInt64>).compactMap { seed in
            try ScriptTests.narrow(seed, brokenRules: [.proposesUnsafeSyncSet])
        }
        #expect(!violations.isEmpty)
    }

    @Test func aSyncSetThatIsOnlyProposedDoesHarmWhereItDoesNotCount() throws {
        let violations = try (1...5 as ClosedRange<UInt64>).compactMap { seed in
            try ScriptTests.widenUnheard(seed, brokenRules: [.ignoresJointQuorum])
        }
        #expect(!violations.isEmpty)
    }

    @Test func everyRuleIsTried() {
        let scripted: Set<BrokenRule> = [.forgetsFencing, .proposesUnsafeSyncSet, .ignoresJointQuorum]
        #expect(Set(Self.seeds.map(\.rule)).union(scripted) == Set(BrokenRule.allCases))
    }

    @Test(.enabled(if: processEnvironment()["MARTLET_SEARCH"] != nil))
    func searchForSeeds() {
        let wanted = processEnvironment()["MARTLET_SEARCH"] ?? ""
        for rule in BrokenRule.allCases where wanted == "all" || wanted == rule.rawValue {
            let found = (1...1000 as ClosedRange<UInt64>).first { SimulatedCluster(.provoking(rule, seed: $0)).run() != nil }
            print("(.\(rule.rawValue), \(found.map { "\($0)" } ?? "none in 1000")),")
        }
    }
}
