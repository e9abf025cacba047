import Cypher
import GraphModel
import QueryEngine
import Storage
import TestSupport
import Testing

/// Clauses and expressions of openCypher whose answers a reader can check by hand; the whole language is held against the
/// conformance suites.
@Suite struct LanguageTests {
    private func family() throws -> Graph {
        try Graph(
            """
            CREATE (a:P {name: 'Ann', age: 40}), (b:P {name: 'Bob', age: 20}), (c:P {name: 'Cid', age: 30}),
                   (a)-[:KNOWS {since: 1}]->(b), (b)-[:KNOWS {since: 2}]->(c), (a)-[:LIKES]->(c)
            """)
    }

    @Test func mergeFindsOrMakes() throws {
        let graph = try family()
        #expect(
            try graph.lines(
                "UNWIND ['Ann', 'Dan', 'Dan'] AS n MERGE (p:P {name: n}) ON CREATE SET p.new = true ON MATCH SET p.seen = n RETURN p.name, p.new, p.seen"
            ) == ["Ann | null | Ann", "Dan | true | Dan", "Dan | true | Dan"])
        #expect(try graph.value("MATCH (p:P) RETURN count(*)") == .integer(4))
        #expect(
            try graph.lines("MATCH (a:P {name: 'Ann'}), (b:P {name: 'Dan'}) MERGE (a)-[r:KNOWS]-(b) RETURN type(r)") == ["KNOWS"])
        #expect(
            try graph.lines("MATCH p = (:P {name: 'Dan'})--() RETURN length(p)") == ["1"])
        #expect(graph.error("MERGE (p:P {name: null})")?.code == .semanticError)
    }

    @Test func unionJoinsBranches() throws {
        let graph = try family()
        #expect(
            try graph.lines("MATCH (p {name: 'Ann'}) RETURN p.name AS n UNION MATCH (p:P) RETURN p.name AS n ORDER BY n")
                == ["Ann", "Bob", "Cid"])
        #expect(try graph.lines("RETURN 1 AS x UNION ALL RETURN 1 AS x") == ["1", "1"])
        #expect(try graph.lines("MATCH (p:P) RETURN p AS x LIMIT 1 UNION RETURN 7 AS x").count == 2)
    }

    @Test func subqueriesRunForEachRow() throws {
        let graph = try family()
        #expect(
            try graph.lines(
                "MATCH (p:P) CALL { WITH p MATCH (p)-->(q) RETURN count(q) AS c } RETURN p.name, c ORDER BY p.name")
                == ["Ann | 2", "Bob | 1", "Cid | 0"])
        #expect(
            try graph.lines("UNWIND [1, 2] AS x CALL { WITH x RETURN x AS y UNION WITH x RETURN x * 10 AS y } RETURN x, y")
                == ["1 | 1", "1 | 10", "2 | 2", "2 | 20"])
        try graph.run("MATCH (p:P) CALL { WITH p CREATE (:Copy {of: p.name}) }")
        #expect(try graph.value("MATCH (c:Copy) RETURN count(*)") == .integer(3))
        #expect(
            try graph.lines(
                "MATCH (p:P) WHERE EXISTS { (p)-[:KNOWS]->(q) WHERE q.age < 25 } RETURN p.name, COUNT { (p)-->() }, COLLECT { MATCH (p)-->(q) RETURN q.name }"
            ) == ["Ann | 2 | [Cid, Bob]"] || graph.lines(
                "MATCH (p:P) WHERE EXISTS { (p)-[:KNOWS]->(q) WHERE q.age < 25 } RETURN p.name, COUNT { (p)-->() }, COLLECT { MATCH (p)-->(q) RETURN q.name }"
            ) == ["Ann | 2 | [Bob, Cid]"])
    }

    @Test func patternsAreConditionsAndLists() throws {
        let graph = try family()
        #expect(try graph.lines("MATCH (p:P) WHERE (p)-[:KNOWS]->() RETURN p.name ORDER BY p.name") == ["Ann", "Bob"])
        #expect(try graph.lines("MATCH (p:P) WHERE NOT (p)<--() RETURN p.name") == ["Ann"])
        #expect(try graph.lines("MATCH (a:P), (b:P) WHERE (a)-[:LIKES]->(b) RETURN a.name, b.name") == ["Ann | Cid"])
        #expect(
            try graph.lines(
                "MATCH (p:P {name: 'Ann'}) RETURN [(p)-[r:KNOWS]->(q) WHERE q.age < 100 | q.name + r.since] AS l") == ["[Bob1]"])
        // Inside of a comprehension a pattern may stand for its variable.
        #expect(
            try graph.lines(
                "MATCH (p:P) WITH collect(p) AS all ORDER BY size(all) RETURN [x IN all WHERE (x)-[:LIKES]->() | x.name] AS l")
                == ["[Ann]"])
        #expect(
            try graph.lines("MATCH (p:P) WITH p ORDER BY p.name WITH collect(p) AS all RETURN [x IN all | size([(x)-->(y) | y])] AS l")
                == ["[2, 1, 0]"])
    }

    @Test func expressionsThatBindVariables() throws {
        let graph = try Graph()
        for (expression, wanted) in [
            ("[x IN range(1, 5) WHERE x % 2 = 1 | x * x]", "[1, 9, 25]"), ("[x IN [1, 2]]", "[1, 2]"),
            ("reduce(s = 0, x IN [1, 2, 3] | s + x)", "6"), ("all(x IN [1, 2] WHERE x > 0)", "true"),
            ("any(x IN [1, null] WHERE x > 1)", "null"), ("none(x IN [] WHERE x)", "true"),
            ("single(x IN [1, 2, 2] WHERE x = 2)", "false"), ("[x IN null | x]", "null"),
            ("[x IN [[1, 2], [3]] | [y IN x | y + size(x)]]", "[[3, 4], [4]]"),
            ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"), ("CASE WHEN false THEN 1 END", "null"),
            ("CASE null WHEN null THEN 1 ELSE 2 END", "2"), ("extract(x IN [1, 2] | x + 1)", "[2, 3]"),
            ("filter(x IN [1, 2, 3] WHERE x > 1)", "[2, 3]"),
        ] {
            #expect(try graph.value("RETURN \(expression)").text == wanted, "\(expression)")
            #expect(try graph.value("UNWIND [0] AS q WITH q, \(expression) AS r RETURN r").text == wanted, "\(expression)")
        }
    }

    @Test func foreachUpdatesForEachElement() throws {
        let graph = try family()
        try graph.run("MATCH p = (:P {name: 'Ann'})-[:KNOWS*2]->() FOREACH (n IN nodes(p) | SET n.marked = true)")
        #expect(try graph.value("MATCH (n {marked: true}) RETURN count(*)") == .integer(3))
        try graph.run("FOREACH (x IN [1, 2, 2] | MERGE (n:N {x: x}) FOREACH (y IN [x] | CREATE (n)-[:HAS]->({y: y})))")
        #expect(try graph.lines("MATCH (n:N)-->(m) RETURN n.x, count(m) ORDER BY n.x") == ["1 | 1", "2 | 2"])
    }

    @Test func createUniqueMakesWhatIsMissing() throws {
        let graph = try Graph("CREATE (r {name: 'root'})-[:X {k: 1}]->({name: 'leaf'})")
        let query = "START r=node(0) CREATE UNIQUE r-[x:X {k: 1}]->l, r-[y:Y]->(m {name: 'new'}) RETURN l.name, m.name"
        #expect(try graph.lines(query, dialect: .cypher18) == ["leaf | new"])
        #expect(try graph.lines(query, dialect: .cypher18) == ["leaf | new"])
        #expect(try graph.value("MATCH (n) RETURN count(*)") == .integer(3))
        try graph.run("MATCH (r {name: 'root'}) CREATE (r)-[:Y]->({name: 'new'})")
        #expect(graph.error(query, dialect: .cypher18)?.code == .constraintViolation)
    }

    @Test func schemaCommandsAndProcedures() throws {
        let graph = try family()
        try graph.run("CREATE INDEX ages FOR (p:P) ON (p.age)")
        try graph.run("CREATE INDEX IF NOT EXISTS FOR (p:P) ON (p.age)")
        try graph.run("CREATE CONSTRAINT names FOR (p:P) REQUIRE p.name IS UNIQUE")
        #expect(graph.error("CREATE INDEX FOR (p:P) ON (p.age)")?.code == .schemaRuleExists)
        #expect(try graph.lines("SHOW INDEXES YIELD name WHERE name = 'ages' RETURN count(*) AS c") == ["1"])
        #expect(try graph.lines("SHOW CONSTRAINTS YIELD name, properties RETURN name, properties") == ["names | [name]"])
        try graph.run("DROP INDEX ages")
        #expect(graph.error("DROP INDEX ages")?.code == .schemaRuleNotFound)
        try graph.run("DROP INDEX ages IF EXISTS")
        #expect(try graph.lines("CALL db.labels()") == ["P"])
        #expect(try graph.lines("CALL db.relationshipTypes() YIELD relationshipType AS t RETURN t ORDER BY t") == ["KNOWS", "LIKES"])
        #expect(try graph.value("SHOW FUNCTIONS YIELD name WHERE name = 'abs' RETURN count(*)") == .integer(1))
        #expect(try graph.value("SHOW PROCEDURES YIELD name RETURN count(*) > 5 AS b") == .boolean(true))
        #expect(try graph.value("CALL dbms.components() YIELD name RETURN name") == .string("Martlet"))
    }

    /// What runs is listed, and ends when it is told to.
    @Test func runningQueriesAreListedAndEnded() throws {
        let graph = try Graph()
        #expect(try graph.lines("SHOW TRANSACTIONS YIELD currentQuery RETURN currentQuery").count == 1)
        let control = ExecutionControl()
        graph.engine.running.tracking("RETURN 'other'", control) {
            let name = try? graph.value("SHOW TRANSACTIONS YIELD transactionId, currentQuery WHERE currentQuery = \"RETURN 'other'\" RETURN transactionId")
            guard case .string(let text) = name else {
                Issue.record("the query is not listed")
                return
            }
            _ = try? graph.lines("TERMINATE TRANSACTIONS $name", ["name": .string(text.text)])
        }
        #expect(control.isCancelled)
    }
}
