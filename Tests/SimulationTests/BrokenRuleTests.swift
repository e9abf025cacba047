import Replication
import Simulation
import Testing

/// The simulator is worth what it catches: members that break one rule on purpose must be found out.
@Suite struct BrokenRuleTests {
    /// So many seeds are tried with each rule.
    private static let seeds: ClosedRange<UInt64> = 1...1000
    /// Too rare for chance: scripts bring about what these do harm in.
    private static let scripted: Set<BrokenRule> = [.forgetsFencing, .proposesUnsafeSyncSet, .ignoresJointQuorum]
    static let rules = BrokenRule.allCases.filter { !scripted.contains($0) }

    @Test(arguments: BrokenRuleTests.rules)
    func brokenRuleIsCaught(rule: BrokenRule) throws {
        let caught = Self.seeds.first { SimulatedCluster(.provoking(rule, seed: $0)).run() != nil }
        let seed = try #require(caught, "\(rule.rawValue) goes unnoticed with seeds \(Self.seeds)")
        print("\(rule.rawValue): caught by seed \(seed)")
        // The same schedule without the broken rule is fine: it is the rule that was caught.
        var sound = Schedule.provoking(rule, seed: seed)
        sound.brokenRules = []
        #expect(SimulatedCluster(sound).run() == nil, "seed \(seed) fails without \(rule.rawValue) too")
    }

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
}
