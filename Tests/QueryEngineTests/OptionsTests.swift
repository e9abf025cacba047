import Cypher
import GraphModel
import QueryEngine
import Storage
import TestSupport
import Testing

/// Answers do not depend on how a query is planned and executed: the plainest way against all others.
@Suite struct OptionsTests {
    /// A small graph with loops, parallel relationships, two labels, two types; some of it in segments, some in overlays,
    /// some in a transaction that is still open. Indexes over `:A(v)`, `:A(v, w)` and `:R(w)`.
    private func makeGraph(_ graph: Graph, _ generator: inout SeededGenerator) throws -> Transaction {
        let schema = graph.committer.begin()
        try schema.createIndex(label: "A", keys: ["v"])
        try schema.createIndex(label: "A", keys: ["v", "w"])
        try schema.createIndex(relationshipType: "R", keys: ["w"])
        try graph.committer.commitAndWait(schema)
        try graph.committer.finishSchemaWork()
        let nodeCount = UInt64.random(in: 3...10, using: &generator)
        let values: [Value] = [
            .integer(0), .integer(1), .integer(2), .float(1), .float(1.5), .float(.nan), .string("ab"), .string("abc"),
            .string("b"), .boolean(true), .list([.integer(1)]), .integer(9_007_199_254_740_993),
        ]
        func fill(_ transaction: Transaction, _ nodes: Range<UInt64>, _ relationshipCount: Int) throws {
            for _ in nodes {
                var properties: [(key: String, value: Value)] = []
                if Int.random(in: 0..<5, using: &generator) > 0 {
                    properties.append(("v", values.randomElement(using: &generator) ?? .integer(0)))
                }
                if Bool.random(using: &generator) {
                    properties.append(("w", .integer(Int64.random(in: 0...2, using: &generator))))
                }
                let labels = [["A"], ["A", "B"], ["B"], []].randomElement(using: &generator) ?? []
                _ = try transaction.createNode(labels: labels, properties: properties)
            }
            for _ in 0..<relationshipCount {
                _ = try transaction.createRelationship(
                    type: Bool.random(using: &generator) ? "R" : "S",
                    from: NodeID(UInt64.random(in: 0..<nodes.upperBound, using: &generator)),
                    to: NodeID(UInt64.random(in: 0..<nodes.upperBound, using: &generator)),
                    properties: [("w", .integer(Int64.random(in: 0...2, using: &generator)))])
            }
        }
        let first = graph.committer.begin()
        try fill(first, 0..<nodeCount, Int.random(in: 0...14, using: &generator))
        try graph.committer.commitAndWait(first)
        if Bool.random(using: &generator) { try graph.store.checkpoint() }
        if Bool.random(using: &generator) {
            let second = graph.committer.begin()
            try fill(second, nodeCount..<nodeCount + 2, Int.random(in: 0...3, using: &generator))
            try graph.committer.commitAndWait(second)
        }
        guard Int.random(in: 0..<4, using: &generator) == 0 else { return graph.store.beginRead() }
        let open = graph.committer.begin()
        let count = UInt64(open.nodeCount())
        try fill(open, count..<count + 1, 2)
        return open
    }

    private func node(_ name: String, _ generator: inout SeededGenerator) -> String {
        let labels = ["", "", "", ":A", ":B"].randomElement(using: &generator) ?? ""
        return "(\(name)\(labels))"
    }

    private func relationship(_ generator: inout SeededGenerator, lengths: Bool) -> String {
        let types = ["", ":R", ":R", ":S", ":R|S"].randomElement(using: &generator) ?? ""
        let length =
            lengths && Int.random(in: 0..<4, using: &generator) == 0
            ? ["*1..2", "*2..2", "*0..2", "*2..3", "*0..1", "*3..3"].randomElement(using: &generator) ?? "" : ""
        return ["-[\(types)\(length)]->", "-[\(types)\(length)]->", "<-[\(types)\(length)]-", "-[\(types)\(length)]-"]
            .randomElement(using: &generator) ?? ""
    }

    /// A chain `(x0)-[]->(x1)…` and its last variable.
    private func chain(_ first: String, _ prefix: String, _ generator: inout SeededGenerator) -> (String, last: String) {
        var text = first
        var last = ""
        let count = Int.random(in: 1...3, using: &generator)
        for step in 1...count {
            last = "\(prefix)\(step)"
            text += relationship(&generator, lengths: true) + node(last, &generator)
        }
        return (text, last)
    }

    private func walkQuery(_ generator: inout SeededGenerator) -> String {
        let (first, end) = chain(node("a", &generator), "x", &generator)
        var text = "MATCH \(first) "
        var last = end
        if Bool.random(using: &generator) {
            if Bool.random(using: &generator) { text += "WHERE \(last).w >= 1 " }
            text += "WITH DISTINCT \(last) "
            let (second, secondEnd) = chain("(\(last))", "y", &generator)
            text += "MATCH \(second) "
            last = secondEnd
            return text + ending(last, last, &generator)
        }
        return text + ending(last, "a", &generator)
    }

    private func ending(_ last: String, _ other: String, _ generator: inout SeededGenerator) -> String {
        [
            "RETURN count(DISTINCT \(last))", "RETURN DISTINCT \(last)", "WITH DISTINCT \(last) RETURN count(*)",
            "RETURN count(DISTINCT \(last).w), min(\(last).w)", "RETURN DISTINCT \(other), \(last) AS last",
            "RETURN \(other), count(DISTINCT \(last))", "RETURN count(*)", "WITH DISTINCT \(last) ORDER BY id(\(last)) LIMIT 2 RETURN id(\(last))",
        ].randomElement(using: &generator) ?? ""
    }

    private static let others = [
        "MATCH (n:A) WHERE n.v = $v RETURN n", "MATCH (n:A {v: $v}) RETURN n", "MATCH (n:A) WHERE $v = n.v AND n.w > 0 RETURN n",
        "MATCH (n:A {v: $v, w: 1}) RETURN n", "MATCH (n:A {w: 1}) WHERE n.v IN [$v, 1, 2, null] RETURN n",
        "MATCH (n:A) WHERE n.v IN $list RETURN n", "MATCH (n:A) WHERE n.v > $v RETURN n", "MATCH (n:A) WHERE n.v <= $v RETURN n",
        "MATCH (n:A) WHERE n.v >= $v AND n.v < 2 RETURN n", "MATCH (n:A) WHERE n.v STARTS WITH 'ab' RETURN n",
        "MATCH (n:A) WHERE n.v STARTS WITH $v RETURN n", "UNWIND $list AS x MATCH (n:A {v: x}) RETURN x, n",
        "MATCH (a:A {v: 1})-[:R]->(b:A {v: $v}) RETURN a, b", "MATCH (a)-[r:R {w: 1}]->(b) RETURN a, r, b",
        "MATCH (a)-[r:R]-(b) WHERE r.w > 0 RETURN a, r, b", "MATCH (a:A)-[r:R {w: 2}]->(b)-[:S]->(c) RETURN a, b, c",
        "MATCH (a)-[:R]->(b)-[:R]->(c)<-[:R]-(a) RETURN count(*)", "MATCH (a)-[:R]->(b)-[:R]->(c), (a)-[:R]->(c) RETURN a, b, c",
        "MATCH (a)-[:R]->(b), (a)-[:R]->(c), (b)-[:R]->(c) RETURN a, c", "MATCH (a)-[]-(b)-[]-(c)-[]-(a) RETURN a, b",
        "MATCH (a)-[:R]->(c)<-[:R]-(b) RETURN a, b, c", "MATCH (a), (b) MATCH (a)-[:R]->(c)<-[:R|S]-(b) RETURN a, b, count(c)",
        "MATCH (a)-[r]->(b)-[s]->(a) RETURN r, s", "MATCH (a), (b) WHERE (a)-[:R]->(b) AND NOT (b)-[:S]-(a) RETURN a, b", "MATCH (a) WHERE (a)<-[:R]-() OR NOT (a)-[:S]-() RETURN a", "MATCH (a)-[:R]->(b)-[s]-(c)-[:R]->(a) RETURN s, c",
        "MATCH (n:A) RETURN n.w, count(*), sum(n.w), avg(n.w), min(n.v), max(n.w), count(DISTINCT n.w)",
        "MATCH (n) WITH n.w AS w, n.v AS v RETURN w, count(w), count(v)", "MATCH (n) RETURN n.v AS v, count(n) ORDER BY v",
        "MATCH (n:B) RETURN sum(n.w), count(n.w), collect(DISTINCT n.w)", "MATCH (a)-[:R*]->(b) RETURN count(DISTINCT b)",
        "MATCH (a:A)-[:R*0..]->(b) RETURN DISTINCT b", "MATCH (a)-[*1..3]->(b) WITH DISTINCT b RETURN b.w, count(*)",
        "MATCH (a)-[:R*1..3]-(b) RETURN DISTINCT a, b", "MATCH (a)-[:R]->(b) OPTIONAL MATCH (b)-[:S]->(c)-[]->(d) RETURN DISTINCT d",
    ]

    @Test(arguments: 1...250 as ClosedRange<UInt64>)
    func allWaysGiveTheSameRows(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = try Graph()
        let transaction = try makeGraph(graph, &generator)
        var plainOptions = QueryEngine.Options()
        plainOptions.usesIndexes = false
        plainOptions.mergesRows = false
        let plain = QueryEngine(plainOptions)
        let engines = [(1, 0), (7, 1), (1024, 2), (1024, nil)].map { batchRowCount, start in
            var options = QueryEngine.Options()
            options.batchRowCount = batchRowCount
            options.forcedStart = start
            return (QueryEngine(options), "batch \(batchRowCount), start \(start.map(String.init) ?? "free")")
        }
        let values: [Value] = [.integer(1), .float(1), .string("ab"), .float(.nan), .null, .list([.integer(1)]), .boolean(true), .integer(9_007_199_254_740_992)]
        for _ in 0..<12 {
            let query = Bool.random(using: &generator) ? walkQuery(&generator) : Self.others.randomElement(using: &generator) ?? ""
            let parameters: [String: Value] = [
                "v": values.randomElement(using: &generator) ?? .null,
                "list": .list((0..<3).map { _ in values.randomElement(using: &generator) ?? .null }),
            ]
            func rows(_ engine: QueryEngine) throws -> [String] {
                let prepared = try engine.prepare(query, dialect: .cypher9, over: transaction)
                let first = try Graph.run(prepared, transaction, parameters).sorted
                // The second time the operators of the first serve again.
                #expect(try Graph.run(prepared, transaction, parameters).sorted == first, "seed \(seed): \(query)")
                return first
            }
            let expected = try rows(plain)
            for (engine, name) in engines {
                let found = try rows(engine)
                #expect(found == expected, "seed \(seed), \(name): \(query) \(parameters)")
            }
        }
    }
}
