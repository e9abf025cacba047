import Cypher
import GraphModel
import QueryEngine
import Storage
import TestSupport
import Testing

@Suite struct ShortestPathTests {
    @Test func oneAndAllShortestPaths() throws {
        let graph = try Graph(
            """
            CREATE (a:N {n: 'a'}), (b:N {n: 'b'}), (c:N {n: 'c'}), (d:N {n: 'd'}), (e:N {n: 'e'}),
                (a)-[:R]->(b), (a)-[:R]->(c), (b)-[:R]->(d), (c)-[:R]->(d), (c)-[:R]->(d), (d)-[:S]->(e), (e)-[:R]->(a)
            """)
        func lengths(_ pattern: String, _ from: String, _ to: String) throws -> [String] {
            try graph.sorted(
                "MATCH (x:N {n: '\(from)'}), (y:N {n: '\(to)'}) MATCH p = \(pattern) RETURN [n IN nodes(p) | n.n] AS way")
        }
        #expect(try lengths("shortestPath((x)-[*]->(y))", "a", "d").count == 1)
        #expect(try lengths("allShortestPaths((x)-[*]->(y))", "a", "d") == ["[a, b, d]", "[a, c, d]", "[a, c, d]"])
        #expect(try lengths("shortestPath((x)-[*]->(y))", "b", "c") == ["[b, d, e, a, c]"])
        #expect(try lengths("shortestPath((x)-[*..3]->(y))", "b", "c").isEmpty)
        #expect(try lengths("shortestPath((x)-[:R*]->(y))", "a", "e").isEmpty)
        #expect(try lengths("shortestPath((x)<-[*]-(y))", "a", "b") == ["[a, e, d, b]"])
        #expect(try lengths("allShortestPaths((x)-[*]-(y))", "b", "c") == ["[b, a, c]", "[b, d, c]", "[b, d, c]"])
        #expect(try lengths("shortestPath((x)-[*0..]->(y))", "a", "a") == ["[a]"])
        #expect(try lengths("shortestPath((x)-[*]->(y))", "a", "a").isEmpty)
    }

    /// Lengths and numbers of shortest paths against a plain search, level by level.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func agreesWithAPlainSearch(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = try Graph()
        let count = Int.random(in: 2...12, using: &generator)
        var edges: [(from: Int, to: Int, isR: Bool)] = []
        let transaction = graph.committer.begin()
        for _ in 0..<count { _ = try transaction.createNode(labels: [], properties: []) }
        for _ in 0..<Int.random(in: 0...30, using: &generator) {
            let edge = (
                Int.random(in: 0..<count, using: &generator), Int.random(in: 0..<count, using: &generator),
                Bool.random(using: &generator)
            )
            edges.append(edge)
            _ = try transaction.createRelationship(
                type: edge.2 ? "R" : "S", from: NodeID(UInt64(edge.0)), to: NodeID(UInt64(edge.1)), properties: [])
        }
        try graph.committer.commitAndWait(transaction)
        if Bool.random(using: &generator) { try graph.store.checkpoint() }
        for _ in 0..<10 {
            let (from, to) = (Int.random(in: 0..<count, using: &generator), Int.random(in: 0..<count, using: &generator))
            if from == to { continue }
            let direction = Int.random(in: 0...2, using: &generator)
            let onlyR = Bool.random(using: &generator)
            let maximum = Int.random(in: 1...6, using: &generator)
            // How many shortest ways lead to each node.
            var ways = [from: 1]
            var seen: Set = [from]
            var length = 0
            while ways[to] == nil, !ways.isEmpty, length < maximum {
                length += 1
                var next: [Int: Int] = [:]
                for edge in edges where !onlyR || edge.isR {
                    if direction != 1, let known = ways[edge.from], !seen.contains(edge.to) { next[edge.to, default: 0] += known }
                    if direction != 0, let known = ways[edge.to], !seen.contains(edge.from) { next[edge.from, default: 0] += known }
                }
                seen.formUnion(next.keys)
                ways = next
            }
            let arrow = ["-[\(onlyR ? ":R" : "")*..\(maximum)]->", "<-[\(onlyR ? ":R" : "")*..\(maximum)]-", "-[\(onlyR ? ":R" : "")*..\(maximum)]-"][direction]
            let start = "MATCH (x), (y) WHERE id(x) = \(from) AND id(y) = \(to) MATCH p = "
            let one = try graph.lines(start + "shortestPath((x)\(arrow)(y)) RETURN length(p)")
            let all = try graph.lines(
                start + "allShortestPaths((x)\(arrow)(y)) RETURN length(p), count(DISTINCT relationships(p)), count(*)")
            let found = ways[to]
            #expect(one == (found == nil ? [] : ["\(length)"]), "seed \(seed): \(from) \(arrow) \(to)")
            #expect(
                all == (found == nil ? [] : ["\(length) | \(found ?? 0) | \(found ?? 0)"]),
                "seed \(seed): \(from) \(arrow) \(to)")
        }
    }
}
