import GraphModel
import QueryEngine
import Storage
import TestSupport
import Testing

/// What is faster for some data must answer as for any.
@Suite struct OrderAndIdentityTests {
    @Test(arguments: 0..<60)
    func ordersLikeValues(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let graph = try Graph()
        // Integers alone, or integers until something else comes.
        let share = [0, 0, 5, 50].randomElement(using: &generator) ?? 0
        func value() -> Value {
            if Int.random(in: 0..<100, using: &generator) >= share {
                return .integer([.min, -1, 0, 1, 2, .max].randomElement(using: &generator) ?? 0)
            }
            return [.null, .float(0.5), .float(.nan), .string("a"), .boolean(true)].randomElement(using: &generator) ?? .null
        }
        let rowCount = Int.random(in: 0...200, using: &generator)
        let rows = (0..<rowCount).map { index in Value.list([value(), value(), .integer(Int64(index))]) }
        let (first, second) = (Bool.random(using: &generator), Bool.random(using: &generator))
        let sorted = rows.sorted { a, b in
            guard case .list(let x) = a, case .list(let y) = b else { return false }
            for (index, isDescending) in [first, second].enumerated() {
                let order = x.elements[index].order(y.elements[index])
                if order != 0 { return (order < 0) != isDescending }
            }
            return x.elements[2].order(y.elements[2]) < 0
        }
        let query = "UNWIND $rows AS r RETURN r ORDER BY r[0]\(first ? " DESC" : ""), r[1]\(second ? " DESC" : "")"
        let parameters = ["rows": Value.list(rows)]
        #expect(try graph.lines(query, parameters) == sorted.map(\.text), "seed \(seed)")
        for limit in [0, 1, 3, rowCount / 2, rowCount + 1] {
            let skip = Int.random(in: 0...3, using: &generator)
            #expect(
                try graph.lines("\(query) SKIP \(skip) LIMIT \(limit)", parameters)
                    == sorted.dropFirst(skip).prefix(limit).map(\.text), "seed \(seed), skip \(skip), limit \(limit)")
        }
    }

    /// Enough rows that only the first ones are kept on the way.
    @Test func keepsTheFirstOfManyRows() throws {
        let graph = try Graph()
        let query = "UNWIND range(0, 19999) AS x RETURN (x * 7919) % 20011 AS y ORDER BY y DESC LIMIT 3"
        let expected = (0...19999).map { $0 * 7919 % 20011 }.sorted(by: >).prefix(3).map(String.init)
        #expect(try graph.lines(query) == expected)
        #expect(try graph.lines(query) == expected)
    }

    /// Different values of a property that has a uniqueness constraint are counted as nodes only where every node has one.
    @Test(arguments: 0..<60)
    func countsValuesOfAUniqueProperty(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let graph = try Graph()
        try graph.run("CREATE CONSTRAINT FOR (u:U) REQUIRE u.id IS UNIQUE")
        try graph.committer.finishSchemaWork()
        let isComplete = Bool.random(using: &generator)
        let isLabelOfAll = Bool.random(using: &generator)
        func fill(_ count: Int, from start: Int) throws {
            let transaction = graph.committer.begin()
            for number in start..<start + count {
                let isUser = isLabelOfAll || Int.random(in: 0..<3, using: &generator) > 0
                // Without the label a value may come twice.
                let id = isUser ? Value.integer(Int64(number)) : .integer(Int64(number / 4))
                let hasID = isComplete || Int.random(in: 0..<4, using: &generator) > 0
                _ = try transaction.createNode(labels: isUser ? ["U"] : ["V"], properties: hasID ? [("id", id)] : [])
            }
            let nodeCount = start + count
            for _ in 0..<count * 2 {
                _ = try transaction.createRelationship(
                    type: "F", from: NodeID(UInt64.random(in: 0..<UInt64(nodeCount), using: &generator)),
                    to: NodeID(UInt64.random(in: 0..<UInt64(nodeCount), using: &generator)), properties: [])
            }
            try graph.committer.commitAndWait(transaction)
        }
        try fill(20, from: 0)
        if Bool.random(using: &generator) { try graph.store.checkpoint() }
        if Int.random(in: 0..<3, using: &generator) == 0 { try fill(3, from: 20) }
        if Int.random(in: 0..<3, using: &generator) == 0 { try graph.run("MATCH (u:U) WHERE u.id % 5 = 0 DETACH DELETE u") }
        if Int.random(in: 0..<3, using: &generator) == 0 { try graph.run("MATCH (u:U) WHERE u.id % 7 = 0 REMOVE u.id") }
        if Bool.random(using: &generator) { try graph.store.checkpoint() }
        for pattern in ["(a)-[:F]->(b)-[:F]->(c)", "(a:U)-[:F]->(b)-[:F]->(c:U)", "(a)-[:F*1..2]->(c)", "(a:U)-[:F]->(c)"] {
            let expected = try graph.lines("MATCH \(pattern) WITH collect(c.id) AS ids UNWIND ids AS id WITH DISTINCT id RETURN count(id)")
            for _ in 0..<2 {
                #expect(
                    try graph.lines("MATCH \(pattern) RETURN count(DISTINCT c.id)") == expected, "seed \(seed), \(pattern)")
            }
        }
    }

    /// Labels of many nodes at once, in several segments, some changed since.
    @Test(arguments: 0..<20)
    func testsLabelsOfManyNodes(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let graph = try Graph()
        let transaction = graph.committer.begin(nodes: 400, relationships: 400)
        let centre = try transaction.createNode(labels: ["C"], properties: [])
        for number in 0..<300 {
            let labels = [["A"], ["A", "B"], ["B"], []].randomElement(using: &generator) ?? []
            let node = try transaction.createNode(labels: labels, properties: [("x", .integer(Int64(number)))])
            _ = try transaction.createRelationship(type: "F", from: centre, to: node, properties: [])
        }
        try graph.committer.commitAndWait(transaction)
        if Bool.random(using: &generator) { try graph.store.checkpoint() }
        if Bool.random(using: &generator) { try graph.run("MATCH (n:A) WHERE n.x % 7 = \(seed % 7) REMOVE n:A SET n:B") }
        if Bool.random(using: &generator) { try graph.run("MATCH (n:B) WHERE n.x % 11 = 0 DETACH DELETE n") }
        if Bool.random(using: &generator) { try graph.store.checkpoint() }
        for label in ["A", "B", "None"] {
            #expect(
                try graph.lines("MATCH (:C)-[:F]->(n:\(label)) RETURN n.x AS x ORDER BY x")
                    == graph.lines("MATCH (:C)-[:F]->(n) WHERE '\(label)' IN labels(n) RETURN n.x AS x ORDER BY x"),
                "seed \(seed), \(label)")
            #expect(
                try graph.lines("MATCH (c:C) OPTIONAL MATCH (c)-[:None]->(n) WITH n WHERE n:\(label) RETURN count(*)") == ["0"])
        }
    }

    /// A node that nothing hangs on is looked for once, before what has many rows.
    @Test func seeksAnIsolatedNodeFirst() throws {
        let graph = try Graph()
        try graph.run("CREATE CONSTRAINT FOR (u:U) REQUIRE u.id IS UNIQUE")
        try graph.committer.finishSchemaWork()
        try graph.run("UNWIND range(1, 30) AS i CREATE (:U {id: i})")
        try graph.run("MATCH (a:U {id: 1}), (b:U) WHERE b.id > 1 CREATE (a)-[:F]->(b)")
        try graph.run("MATCH (a:U {id: 2}), (b:U) WHERE b.id > 20 CREATE (a)-[:F]->(b)")
        let query = "MATCH (a:U {id: 1})-[:F]->(c), (b:U {id: 2}) WHERE (b)-[:F]->(c) RETURN count(*)"
        #expect(try graph.lines(query) == ["10"])
        let plan = try graph.value("EXPLAIN " + query).text.split(separator: "\n").map { $0.prefix { $0 != " " } }
        #expect(plan.prefix(3) == ["NodeIndexSeek", "NodeIndexSeek", "Expand(All)"])
    }
}
