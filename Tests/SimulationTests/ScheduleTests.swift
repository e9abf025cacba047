import Replication
import Simulation
import Testing

#if canImport(Glibc)
import Glibc
#endif

@Suite struct ScheduleTests {
    @Test func oneSeed() {
        let first = UInt64(getenv("MARTLET_SEED").map { String(cString: $0) } ?? "1") ?? 1
        let count = UInt64(getenv("MARTLET_SEEDS").map { String(cString: $0) } ?? "20") ?? 20
        var failures = 0
        for seed in first..<first + count {
            let cluster = SimulatedCluster(.random(seed))
            cluster.keepsTrace = count == 1
            let start = clock()
            let violation = cluster.run()
            let used = (clock() - start) / 1000
            if count == 1 { for line in cluster.traceLines { print(line) }; print(cluster.messageCounts) }
            if let violation { print("seed \(seed): \(violation) \(cluster.summary)"); failures += 1 } else if count < 50 { print("seed \(seed) ok", cluster.summary, used, "ms") }
        }
        #expect(failures == 0)
    }
}

@Suite struct MutationSearch {
    @Test(.enabled(if: getenv("MARTLET_MUTATION") != nil))
    func search() {
        let limit = UInt64(getenv("MARTLET_SEEDS").map { String(cString: $0) } ?? "100") ?? 100
        let only = getenv("MARTLET_MUTATION").map { String(cString: $0) } ?? ""
        for rule in BrokenRule.allCases where only == "all" || only == rule.rawValue {
            var caught: [String] = []
            for seed in 1...limit {
                let cluster = SimulatedCluster(.provoking(rule, seed: seed))
                if let violation = cluster.run() { caught.append("\(seed): \(violation)") }
                if caught.count == 3 { break }
            }
            print("RULE \(rule.rawValue): \(caught)")
        }
    }
}
