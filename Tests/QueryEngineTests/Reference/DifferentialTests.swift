import Cypher
import Glibc
import GraphModel
import TestSupport
import Testing

/// Random queries over random small graphs: the engine, planned and executed in several ways, against an interpreter
/// that tries everything.
///
/// `MARTLET_REFERENCE_QUERIES` is how many (default 2000), `MARTLET_REFERENCE_SEED` where the seeds begin (default 1),
/// `MARTLET_REFERENCE_VERBOSE` prints what came of them; when it is `all`, every query before it is asked.
@Suite struct DifferentialTests {
    private static let queryCount = environment("MARTLET_REFERENCE_QUERIES").flatMap { Int($0) } ?? 2000
    private static let firstSeed = environment("MARTLET_REFERENCE_SEED").flatMap { UInt64($0) } ?? 1
    private static let isVerbose = environment("MARTLET_REFERENCE_VERBOSE") != nil
    private static let isTraced = environment("MARTLET_REFERENCE_VERBOSE") == "all"
    private static let queriesPerGraph = 25
    private static let shareCount = 8

    private struct Tally {
        var agreeing = 0
        var withRows = 0
        var failing = 0
        var notComparable = 0
        var disagreeing = 0
    }

    @Test(arguments: 0..<shareCount)
    func engineAgreesWithTheInterpreter(share: Int) throws {
        var tally = Tally()
        let graphCount = max(1, Self.queryCount / Self.shareCount / Self.queriesPerGraph)
        for index in 0..<graphCount {
            let seed = Self.firstSeed &+ UInt64(share + index * Self.shareCount)
            var generator = QueryGenerator(seed: seed)
            let run = try DifferentialRun(seed: seed, &generator)
            for number in 0..<Self.queriesPerGraph {
                if tally.disagreeing > 4 { return }
                try check(number, seed, run, &generator, &tally)
            }
        }
        if Self.isVerbose { print("share \(share):", tally) }
    }

    private func check(
        _ number: Int, _ seed: UInt64, _ run: DifferentialRun, _ generator: inout QueryGenerator, _ tally: inout Tally
    ) throws {
        let dialect: Dialect = number % 5 == 4 ? .cypher18 : .cypher9
        let writes = number % 3 == 2
        var clauses = dialect == .cypher18 ? generator.manualQuery(writes: writes) : generator.query(writes: writes)
        func verdict(_ clauses: [String]) -> DifferentialRun.Verdict {
            if Self.isTraced { print("seed \(seed), query \(number): \(clauses.joined(separator: " "))") }
            return run.check(clauses.joined(separator: " "), dialect: dialect, writes: writes)
        }
        switch verdict(clauses) {
        case .agree(let rowCount):
            tally.agreeing += 1
            if rowCount > 0 { tally.withRows += 1 }
        case .bothFail: tally.failing += 1
        case .notComparable: tally.notComparable += 1
        case .disagree(var difference):
            tally.disagreeing += 1
            // Fewer clauses that disagree as well say it more clearly.
            var index = 0
            while index < clauses.count {
                var fewer = clauses
                fewer.remove(at: index)
                if case .disagree(let other) = verdict(fewer), !other.contains("SyntaxError") {
                    (clauses, difference, index) = (fewer, other, 0)
                } else {
                    index += 1
                }
            }
            Issue.record(
                """
                seed \(seed), query \(number), Cypher \(dialect.rawValue): \(clauses.joined(separator: " "))
                \(difference)
                in
                \(run.graphText)
                """)
        }
    }
}

/// A variable of the process's environment.
func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
