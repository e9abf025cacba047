import Cypher
import GraphModel
import Testing

/// What the random queries have found, each as small as it became.
@Suite struct FindingsTests {
    private func graph() throws -> Graph {
        try Graph("CREATE (a:A {x: 1, s: 'a'})-[:T]->(b:B {x: 2}), (b)-[:T]->(a), (b)-[:U]->(c:A {x: 3})")
    }

    /// A part of a plan is simplified when it becomes operators; its description is of what runs.
    @Test func profilesOfUnionsDescribeWhatRuns() throws {
        let graph = try graph()
        let query = "MATCH (a) RETURN a.x AS c UNION MATCH (a)-->(b)<-[:U]-(d) RETURN DISTINCT d.s AS c"
        let profiled = try graph.run("PROFILE " + query)
        #expect(try profiled.sorted == graph.sorted(query))
        #expect(profiled.statistics.plan?.operators.first?.inside.count == 2)
    }

    /// With nothing to start from, a pattern of only optional relationships starts at its first node.
    @Test func optionalRelationshipsAloneStartAtTheirFirstNode() throws {
        let graph = try graph()
        #expect(
            try graph.sorted("START n=node(*) MATCH n-[r?:U]->m RETURN id(n) AS n, id(m) AS m", dialect: .cypher18)
                == ["0 | null", "1 | 2", "2 | null"])
    }

    @Test func pathsAreOrderedFromTheirFirstNode() throws {
        let graph = try graph()
        #expect(
            try graph.lines("MATCH p = (a)-[]-(b:B) RETURN [n IN nodes(p) | id(n)] AS ids ORDER BY p")
                == ["[0, 1]", "[0, 1]", "[2, 1]"])
    }

    @Test func theManualsLanguageCalculatesWithFloats() throws {
        let graph = try graph()
        #expect(try graph.lines("START n=node(0) RETURN 1 + 1, 7 / 2, n.x * 2, 7 % 4", dialect: .cypher18) == ["2.0 | 3.5 | 2.0 | 3.0"])
        #expect(try graph.lines("START n=node(*) RETURN sum(n.x), count(*)", dialect: .cypher18) == ["6 | 3"])
    }

    /// WHERE with `!` looks like a property map, but tests finished rows: nulls of optional relationships, too.
    @Test func conditionsSeeTheNullsOfOptionalRelationships() throws {
        let graph = try graph()
        #expect(
            try graph.sorted("START n=node(*) MATCH n-[r?:U]->m WHERE m.x! = 4 RETURN id(n)", dialect: .cypher18).isEmpty)
        #expect(
            try graph.sorted("START n=node(*) MATCH n-[r?:U]->m WHERE m.x! = 3 RETURN id(n)", dialect: .cypher18) == ["1"])
    }

    /// Not taken for a node that is still to be found or made.
    @Test func createUniqueRefusesANodeThatIsNull() throws {
        let graph = try graph()
        #expect(
            graph.error("START n=node(2) MATCH n-[?:U]->m CREATE UNIQUE n-[:V]->m", dialect: .cypher18)?.code == .entityNotFound)
        #expect(try graph.value("MATCH (n) RETURN count(*)") == .integer(3))
    }

    /// The map of a variable length may read what the same MATCH finds only later, its own end included.
    @Test func mapsOfVariableLengthsReadWhatIsFoundLater() throws {
        let graph = try Graph("CREATE (a:A {x: 1})-[:T {x: 2}]->(:B {x: 5})-[:T {x: 2}]->(:C {x: 2}), (a)-[:U]->(:D {x: 2})")
        #expect(
            try graph.sorted("MATCH (a:A)-[r:T*1..2 {x: c.x}]->(c) RETURN a.x, size(r), c.x") == ["1 | 2 | 2"])
        #expect(
            try graph.sorted("MATCH (a)-[r:T* {x: d.x}]->(c:C), (a)-[:U]->(d) RETURN a.x, size(r), d.x") == ["1 | 2 | 2"])
        #expect(try graph.sorted("MATCH (a)-[r:T* {x: c.x - 3}]->(c) RETURN a.x, size(r), c.x") == ["1 | 1 | 5"])
    }

    /// Where relationships are not asked for, the ends of those that the transaction has deleted went wrong: the buffer
    /// of neighbours held those of other nodes already.
    @Test func neighboursAreRightAfterDeletionsInTheSameTransaction() throws {
        let creation = "CREATE (a {x: 1})-[:T]->(b {x: 2}), (b)-[:T]->(a), (c {x: 3})-[:T]->(d {x: 4})"
        let query = "MATCH (n {x: 1})-[r]->() DELETE r WITH 1 AS v MATCH (n)<-[:T]-() RETURN n.x"
        #expect(try Graph(creation).sorted(query) == ["1", "4"])
        #expect(
            try Graph(creation).sorted("MATCH (n {x: 2})-[r]->() DELETE r WITH 1 AS v MATCH (n)--(m) RETURN n.x, m.x")
                == ["1 | 2", "2 | 1", "3 | 4", "4 | 3"])
    }
}
