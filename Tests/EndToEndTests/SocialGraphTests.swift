import FileSystem
import GraphModel
import ServerRuntime
import TestSupport
import Testing

extension EndToEnd {
    /// The social graph of the benchmarks (100,000 people, 1.8 million friendships): imported, served by a cluster, the
    /// same answer on every member, and the right one.
    @Suite(.serialized) struct SocialGraphTests {
        @Test func importedGraphGivesTheSameAnswerOnEveryMember() async throws {
            let files = try TestCluster.temporaryDirectory("social")
            let graph = try SocialGraph.benchmark(in: files) ?? SocialGraph(people: 100_000, friendships: 1_800_000)
            try graph.write(to: files)
            print("social graph: \(graph.origin), \(graph.targets.count) people, \(graph.rowCount - graph.targets.count) friendships")
            let started = monotonicNanoseconds()
            let cluster = try await TestCluster("social") { cluster in
                let outcome = try Program.run([
                    "import", "--into", cluster.members[0].directory + "/data/graph.db", "--nodes",
                    "Person=\(files)/users.csv", "--relationships", "F=\(files)/friends.csv",
                ])
                #expect(outcome.status == 0, "\(outcome.output)")
                print("import: \(Double(monotonicNanoseconds() - started) / 1e9) s for \(graph.rowCount) rows")
            }
            let starts = [0, 1, 17, 4_711, 99_999]
            for member in cluster.members {
                let client = cluster.client(member.httpPort)
                let counts = try client.rows("MATCH (n:Person) RETURN count(*)")
                #expect(counts == [[.integer(100_000)]], "member \(member.id)")
                for start in starts {
                    let rows = try client.rows(
                        "START a=node({id}) MATCH (a)-[:F]->(b)-[:F]->(c) RETURN count(DISTINCT c)", "{\"id\": \(start)}")
                    #expect(rows == [[.integer(Int64(graph.twoHopCount(from: start)))]], "member \(member.id), start \(start)")
                }
            }
            try await cluster.stopAndCompareStores()
            await cluster.stop()
            removeTree(files)
        }
    }
}

/// A directed graph with skewed degrees, no self-loops, no parallel friendships.
struct SocialGraph {
    private(set) var targets: [[UInt32]]
    private(set) var origin = "made by the test"
    var rowCount: Int { targets.count + targets.reduce(0) { $0 + $1.count } }

    init(people: Int, friendships: Int) {
        var generator = SeededGenerator(seed: 1808)
        targets = Array(repeating: [], count: people)
        var count = 0
        while count < friendships {
            let a = Self.skewed(people, &generator)
            let b = Self.skewed(people, &generator)
            guard a != b, !targets[a].contains(UInt32(b)) else { continue }
            targets[a].append(UInt32(b))
            count += 1
            // Most friends know each other.
            if Int.random(in: 0..<100, using: &generator) < 40, count < friendships, !targets[b].contains(UInt32(a)) {
                targets[b].append(UInt32(a))
                count += 1
            }
        }
    }

    /// The one of the benchmarks, made by their generator; nil where that, or what it needs, is not there.
    static func benchmark(in directory: String) throws -> SocialGraph? {
        let generator = parentDirectory(ConfigurationSet.repository) + "/shared/bench/gen_social.py"
        guard POSIXFileSystem().exists(generator), let python = findProgram("python3") else { return nil }
        let outcome = try Program.run([generator, directory], program: python)
        guard outcome.status == 0 else { return nil }
        let bytes = try POSIXFileSystem().readAll(directory + "/friends.csv")
        var graph = SocialGraph(people: 0, friendships: 0)
        graph.origin = "from the benchmarks' generator"
        var numbers: [UInt32] = []
        var number: UInt32 = 0
        // "src,dst" lines after a header; ids begin with 1.
        for byte in bytes.drop(while: { $0 != 10 }).dropFirst() {
            switch byte {
            case 48...57: number = number * 10 + UInt32(byte - 48)
            case 44, 10:
                numbers.append(number)
                number = 0
            default: break
            }
        }
        let people = Int(numbers.max() ?? 0)
        graph.targets = Array(repeating: [], count: people)
        for index in stride(from: 0, to: numbers.count - 1, by: 2) {
            graph.targets[Int(numbers[index]) - 1].append(numbers[index + 1] - 1)
        }
        return graph
    }

    /// Small numbers are popular.
    private static func skewed(_ limit: Int, _ generator: inout SeededGenerator) -> Int {
        let unit = Double.random(in: 0..<1, using: &generator)
        return min(limit - 1, Int(Double(limit) * unit * unit))
    }

    func twoHopCount(from start: Int) -> Int {
        var seen: Set<UInt32> = []
        for middle in targets[start] { seen.formUnion(targets[Int(middle)]) }
        return seen.count
    }

    func write(to directory: String) throws {
        var users = "id:ID,name,age:int,region:int\n"
        for id in targets.indices { users += "\(id),Person \(id),\(18 + id % 60),\(id % 190)\n" }
        var friends = ":START_ID,:END_ID\n"
        friends.reserveCapacity(24 << 20)
        for (id, list) in targets.enumerated() {
            for target in list { friends += "\(id),\(target)\n" }
        }
        for (name, text) in [("users.csv", users), ("friends.csv", friends)] {
            let file = try POSIXFileSystem().open(directory + "/" + name, .createEmpty)
            try file.write(Array(text.utf8), at: 0)
        }
    }
}
