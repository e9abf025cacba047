import Cypher
import GraphModel
import QueryEngine
import Storage
import TestSupport
import Testing

/// Mistakes that a reviewer found, each with the query that showed it.
@Suite struct ReviewedTests {
    private func graph() throws -> Graph {
        try Graph("CREATE (a:P {name: 'a', x: 1}), (b:P {name: 'b', x: 2}), (a)-[:T]->(b)")
    }

    /// Brackets that begin like patterns and are none: parsing each level twice would never end.
    @Test func nestedPatternsThatAreNoneAreParsedOnce() throws {
        var text = "1"
        for _ in 0..<60 { text = "({a: \(text)})--1" }
        // Read as `({…}) - -1`, level by level.
        guard case .query(let body) = try Parser.parse("RETURN \(text) AS x", dialect: .cypher9).statement else { return }
        #expect(body.branches[0].count == 1)
        text = "1"
        for _ in 0..<60 { text = "[(\(text))--1]" }
        _ = try? Parser.parse("RETURN \(text)", dialect: .cypher9)
    }

    @Test func labelTestsRefuseNullsThoughAllNodesHaveTheLabel() throws {
        let graph = try graph()
        #expect(
            try graph.lines("MATCH (a) OPTIONAL MATCH (a)-[:T]->(b) WITH a, b WHERE b:P RETURN a.name, b.name") == ["a | b"])
    }

    @Test func surrogatePairsAreOneCharacter() throws {
        let graph = try Graph()
        #expect(try graph.value(#"RETURN '\uD83D\uDE00'"#) == .string("😀"))
        #expect(graph.error(#"RETURN '\uD83D\u0041'"#)?.code == .syntaxError)
        #expect(graph.error(#"RETURN '\uD83D'"#)?.code == .syntaxError)
    }

    @Test func whatAnExpressionBindsHidesItemsOfItsName() throws {
        let graph = try graph()
        #expect(
            try graph.lines("MATCH (n)-->(m) RETURN n.name, [n IN collect(m) | n.name] AS l") == ["a | [b]"])
        #expect(
            try graph.lines("MATCH (n:P) RETURN n.name AS y ORDER BY [n IN [{name: 'z'}] | n.name], n.name DESC") == ["b", "a"])
    }

    @Test func anAliasHidesTheVariableOfItsName() throws {
        let graph = try graph()
        #expect(try graph.lines("MATCH (a)-->(b) WITH a.name AS prev, b AS a WHERE a.name = 'b' RETURN prev, a.name") == ["a | b"])
        #expect(try graph.lines("MATCH (a)-->(b) WITH a.name AS prev, b AS a WHERE a.name = 'a' RETURN prev") == [])
    }

    /// What looks for patterns before a CREATE has ended before it begins, whatever the size of batches.
    @Test(arguments: [1, 7, 1024])
    func readingInWithEndsBeforeWriting(batchRowCount: Int) throws {
        var options = QueryEngine.Options()
        options.batchRowCount = batchRowCount
        let graph = try Graph()
        let engine = QueryEngine(options)
        let query = try engine.prepare(
            "UNWIND range(1, 30) AS i WITH i WHERE NOT EXISTS { MATCH (:P {k: i % 10}) } CREATE (:P {k: i % 10})",
            dialect: .cypher9, over: graph.store.beginRead())
        let transaction = graph.committer.begin(nodes: 100, relationships: 0)
        #expect(try Graph.run(query, transaction).statistics.nodesCreated == 30)
        try graph.committer.commitAndWait(transaction)
        let change = try engine.prepare(
            "MATCH (p:P {k: 1}) WITH collect(p) AS ps UNWIND ps + ps AS p WITH p, p.k AS k SET p.k = k + 1 RETURN max(p.k) AS m",
            dialect: .cypher9, over: graph.store.beginRead())
        let second = graph.committer.begin(nodes: 0, relationships: 0)
        #expect(try Graph.run(change, second).lines == ["2"])
    }

    @Test func twoOptionalRelationshipsForSeveralRows() throws {
        let graph = try Graph("CREATE (a {n: 'a'})-[:T]->(x {n: 'x'})<-[:U]-(b {n: 'b'}), (c {n: 'c'})-[:T]->(x)")
        #expect(
            try graph.sorted("START a=node(0,3), b=node(2) MATCH a-[r?]->x<-[q?]-b RETURN a.n, x.n, type(r), type(q)", dialect: .cypher18)
                == ["a | x | T | U", "c | x | T | U"])
    }

    @Test func listsBeforeAColonMayBeVariables() throws {
        let graph = try graph()
        try graph.run("START n=node(*) WITH collect(n) AS ns FOREACH(x IN ns : SET x.seen = 1)", dialect: .cypher18)
        #expect(
            try graph.lines("START n=node(*) WITH collect(n) AS ns RETURN extract(x IN ns : x.seen), length(filter(x IN ns : x.x > 1))", dialect: .cypher18)
                == ["[1, 1] | 1"])
    }

    @Test func idsAreComparedAsTheyAreWritten() throws {
        let graph = try graph()
        #expect(try graph.lines("MATCH (n) WHERE id(n) = [0, 1] RETURN n") == [])
        #expect(try graph.lines("MATCH (n) WHERE id(n) IN [1, 0, 1, 99] RETURN n.name ORDER BY n.name") == ["a", "b"])
        #expect(graph.error("MATCH (n) WHERE id(n) IN $x RETURN n", ["x": .integer(1)])?.code == .typeError)
        #expect(try graph.lines("MATCH (n) WHERE id(n) IN $x RETURN n", ["x": .null]) == [])
    }

    @Test func aLabelOfSomethingElseChoosesNoScan() throws {
        let graph = try Graph("CREATE (:P), ()")
        #expect(try graph.value("MATCH (m:P) MATCH (n) WHERE coalesce(m, n):P RETURN count(n)") == .integer(2))
    }

    /// Equal rows are merged before DISTINCT only where each gives the same again.
    @Test func randomItemsKeepRowsApart() throws {
        let graph = try Graph("CREATE (a:A)-[:T]->(b), (a)-[:T]->(b), (a)-[:U]->(b)")
        let text = try graph.lines(
            "EXPLAIN MATCH (a:A)-->(b) WITH b, CASE WHEN rand() < 0.5 THEN 1 ELSE 0 END AS c RETURN DISTINCT b, c").joined()
        #expect(!text.contains("Walk"))
    }

    /// Inner plans are profiled as they run, whatever was rewritten in them.
    @Test func profilesFollowWhatRuns() throws {
        let graph = try graph()
        for query in [
            "MATCH (a:P) CALL { WITH a MATCH (a)-[:T*1..2]->(b) RETURN count(DISTINCT b) AS c } RETURN sum(c)",
            "MATCH (a:P) OPTIONAL MATCH (a)-->(b) RETURN a, collect(DISTINCT b)", "RETURN 1 AS x UNION MATCH (a)-->()-->(c) RETURN DISTINCT c AS x",
            "MATCH (a:P)-->(b)-->(c), (a)-->(c) RETURN count(*)",
        ] {
            let answer = try graph.run("PROFILE " + query)
            #expect(answer.rows.count == (try graph.run(query).rows.count))
            let plan = try #require(answer.statistics.plan)
            #expect(plan.operators.allSatisfy { $0.rowCount != nil })
            #expect(try graph.run("EXPLAIN " + query).statistics.plan?.operators.map(\.name) == plan.operators.map(\.name))
        }
    }
}
