import Cypher
import GraphModel
import QueryEngine
import Testing

/// Ann (0) -KNOWS[0]-> Bob (1) -KNOWS[1]-> Cid (2) -KNOWS[2]-> Ann; Ann -LIKES[3]-> Cid; Dan (3) is alone.
private func people() throws -> Graph {
    try Graph(
        """
        CREATE (a:Person {name: 'Ann', age: 30}), (b:Person {name: 'Bob', age: 40}),
            (c:Person:Admin {name: 'Cid', age: 50}), (d:Robot {name: 'Dan'}),
            (a)-[:KNOWS {since: 2001}]->(b)-[:KNOWS {since: 2002}]->(c)-[:KNOWS {since: 2003}]->(a), (a)-[:LIKES]->(c)
        """)
}

@Suite struct ReadingTests {
    @Test func startFindsByIDInTheOrderGiven() throws {
        let graph = try people()
        for dialect in [Dialect.cypher18, .cypher9] {
            #expect(try graph.lines("START n=node(1) RETURN n", dialect: dialect) == ["(1)"])
            #expect(try graph.lines("START n=node(2, 0, 2) RETURN n.name", dialect: dialect) == ["Cid", "Ann", "Cid"])
            #expect(try graph.sorted("START n=node(*) RETURN n", dialect: dialect) == ["(0)", "(1)", "(2)", "(3)"])
            #expect(try graph.sorted("START r=rel(*) RETURN r", dialect: dialect) == ["[0]", "[1]", "[2]", "[3]"])
            #expect(try graph.lines("START r=relationship(2) RETURN r.since", dialect: dialect) == ["2003"])
            #expect(
                try graph.lines("START n=node({id}) RETURN n.name", ["id": .integer(3)], dialect: dialect) == ["Dan"])
            #expect(
                try graph.lines(
                    "START n=node({ids}) RETURN n.name", ["ids": .list([.integer(3), .node(NodeID(1))])],
                    dialect: dialect)
                    == ["Dan", "Bob"])
            #expect(
                try graph.lines("START a=node(0,1), b=node(2,3) RETURN a.name, b.name", dialect: dialect)
                    == ["Ann | Cid", "Ann | Dan", "Bob | Cid", "Bob | Dan"])
        }
        #expect(graph.error("START n=node(99) RETURN n")?.code == .entityNotFound)
        #expect(graph.error("START n=node({p}) RETURN n", ["p": .string("x")])?.code == .typeError)
        #expect(graph.error("START n=node:people(name = 'Ann') RETURN n")?.message.contains("Index") == true)
    }

    @Test func matchFollowsTypesAndDirections() throws {
        let graph = try people()
        #expect(try graph.lines("MATCH (a {name: 'Ann'})-[:KNOWS]->(b) RETURN b.name") == ["Bob"])
        #expect(try graph.lines("MATCH (a {name: 'Ann'})<-[:KNOWS]-(b) RETURN b.name") == ["Cid"])
        #expect(try graph.sorted("MATCH (a {name: 'Ann'})--(b) RETURN b.name") == ["Bob", "Cid", "Cid"])
        #expect(try graph.sorted("MATCH (a {name: 'Ann'})-[:KNOWS|LIKES]->(b) RETURN b.name") == ["Bob", "Cid"])
        #expect(try graph.lines("MATCH (a)-[:NOTHING]->(b) RETURN b") == [])
        #expect(
            try graph.lines("MATCH (a)-[r {since: 2002}]->(b) RETURN a.name, type(r), b.name") == ["Bob | KNOWS | Cid"])
        #expect(try graph.sorted("MATCH (n:Person) RETURN n.name") == ["Ann", "Bob", "Cid"])
        #expect(try graph.lines("MATCH (n:Person:Admin) RETURN n.name") == ["Cid"])
        #expect(try graph.lines("MATCH (n:Nobody) RETURN n") == [])
        #expect(
            try graph.sorted("START a=node(0) MATCH a-[:KNOWS|:LIKES]->b RETURN b.name", dialect: .cypher18)
                == ["Bob", "Cid"])
        #expect(
            try graph.sorted("START a=node(0) MATCH a<-->b RETURN b.name", dialect: .cypher18) == ["Bob", "Cid", "Cid"])
    }

    @Test func relationshipsAreUniqueWithinOneMatch() throws {
        let graph = try people()
        // Each relationship once, so no walk back over the one it came by.
        #expect(try graph.value("MATCH (a)-[r]-(b)-[s]-(c) WHERE r = s RETURN count(*)") == .integer(0))
        #expect(try graph.value("MATCH (a {name: 'Ann'})-[]-(b)-[]-(c) RETURN count(*)") == .integer(5))
        #expect(try graph.value("MATCH (a)-[r]->(b), (c)-[s]->(d) RETURN count(*)") == .integer(12))
        #expect(try graph.value("MATCH (a)-[r]->(b) MATCH (c)-[s]->(d) RETURN count(*)") == .integer(16))
        let loop = try Graph("CREATE (a)-[:F]->(a), (a)-[:F]->(a)")
        #expect(try loop.value("MATCH (a)-[:F]->(b)-[:F]->(c) RETURN count(*)") == .integer(2))
        #expect(try loop.value("MATCH (a)-[:F]->(b)-[:F]->(c)-[:F]->(d) RETURN count(*)") == .integer(0))
        #expect(try loop.value("MATCH (a)-[r]-(b) RETURN count(*)") == .integer(2))
        #expect(try loop.value("MATCH (a)-[*]->(b) RETURN count(*)") == .integer(4))
    }

    @Test func cyclesAndBoundEndsAreMatched() throws {
        let graph = try people()
        #expect(
            try graph.sorted("MATCH (a)-[:KNOWS]->(b)-[:KNOWS]->(c)-[:KNOWS]->(a) RETURN a.name") == [
                "Ann", "Bob", "Cid",
            ])
        #expect(
            try graph.lines("MATCH (a {name: 'Ann'}), (c {name: 'Cid'}) MATCH (a)-[r]->(c) RETURN type(r)") == ["LIKES"]
        )
        #expect(
            try graph.sorted("MATCH (a {name: 'Ann'}), (c {name: 'Cid'}) MATCH (a)-[r]-(c) RETURN type(r)") == [
                "KNOWS", "LIKES",
            ])
        #expect(try graph.lines("START r=rel(0) MATCH (a)-[r]->(b) RETURN a.name, b.name") == ["Ann | Bob"])
        #expect(
            try graph.sorted("START r=rel(0) MATCH a-[r]-b RETURN a.name, b.name", dialect: .cypher18)
                == ["Ann | Bob", "Bob | Ann"])
        #expect(try graph.lines("START r=rel(0), b=node(0) MATCH (a)-[r]-(b) RETURN a.name") == ["Bob"])
        #expect(try graph.lines("MATCH (a)-[r:LIKES]->(b) WITH r MATCH (x)-[r:KNOWS]->(y) RETURN x") == [])
        #expect(try graph.value("MATCH (a:Person), (b:Person) RETURN count(*)") == .integer(9))
        #expect(
            try graph.lines(
                "MATCH (a:Robot) WITH [a] AS list MATCH (b {name: 'Ann'}) WITH head(list) AS x, b MATCH (x) RETURN x.name"
            ) == ["Dan"])
    }

    @Test func variableLengthWalksEveryPath() throws {
        let graph = try people()
        #expect(try graph.sorted("MATCH (a {name: 'Ann'})-[:KNOWS*1..2]->(b) RETURN b.name") == ["Bob", "Cid"])
        #expect(try graph.sorted("MATCH (a {name: 'Ann'})-[:KNOWS*]->(b) RETURN b.name") == ["Ann", "Bob", "Cid"])
        #expect(try graph.sorted("MATCH (a {name: 'Ann'})-[:KNOWS*0..1]->(b) RETURN b.name") == ["Ann", "Bob"])
        #expect(try graph.lines("MATCH (a {name: 'Ann'})-[r:KNOWS*2]->(b) RETURN r") == ["[[0], [1]]"])
        #expect(try graph.lines("MATCH (a)-[r:KNOWS*2..2]->(b {name: 'Cid'}) RETURN r") == ["[[0], [1]]"])
        #expect(try graph.lines("MATCH (a {name: 'Ann'})-[:KNOWS*0]->(b) RETURN b.name") == ["Ann"])
        #expect(try graph.lines("MATCH (a {name: 'Ann'})-[r:KNOWS*1..3 {since: 2001}]->(b) RETURN b.name") == ["Bob"])
        #expect(
            try graph.lines("MATCH (a {name: 'Ann'}), (c {name: 'Cid'}) MATCH (a)-[r:KNOWS*]->(c) RETURN size(r)") == [
                "2"
            ])
        #expect(try graph.lines("MATCH (a {name: 'Dan'})-[*]-(b) RETURN b") == [])
        #expect(try graph.lines("MATCH (a {name: 'Dan'})-[:NOTHING*0..]-(b) RETURN b.name") == ["Dan"])
    }

    @Test func pathsAreNamed() throws {
        let graph = try people()
        #expect(
            try graph.lines("MATCH p = (a {name: 'Ann'})-[:KNOWS]->(b)-[:KNOWS]->(c) RETURN p") == [
                "<(0)-[0]-(1)-[1]-(2)>"
            ])
        #expect(
            try graph.lines("MATCH p = (c)<-[:KNOWS*2]-(a {name: 'Ann'}) RETURN p, length(p)") == [
                "<(2)-[1]-(1)-[0]-(0)> | 2"
            ])
        #expect(
            try graph.lines("MATCH p = (a {name: 'Dan'}) RETURN p, nodes(p), relationships(p)") == [
                "<(3)> | [(3)] | []"
            ])
        #expect(
            try graph.lines("START a=node(0) MATCH p = (a-[:KNOWS]->b) RETURN nodes(p), rels(p)", dialect: .cypher18)
                == ["[(0), (1)] | [[0]]"])
        #expect(
            try graph.lines("MATCH p = (a {name: 'Ann'})-[:KNOWS]->(b) WHERE length(p) = 1 RETURN b.name") == ["Bob"])
    }

    @Test func optionalMatchGivesNulls() throws {
        let graph = try people()
        #expect(
            try graph.lines("MATCH (n) OPTIONAL MATCH (n)-[r:LIKES]->(m) RETURN n.name, type(r), m.name")
                == ["Ann | LIKES | Cid", "Bob | null | null", "Cid | null | null", "Dan | null | null"])
        #expect(
            try graph.lines("MATCH (n) OPTIONAL MATCH (n)-[:KNOWS]->(m) WHERE m.age > 40 RETURN n.name, m.name")
                == ["Ann | null", "Bob | Cid", "Cid | null", "Dan | null"])
        #expect(try graph.lines("OPTIONAL MATCH (n:Nobody) RETURN n") == ["null"])
        #expect(
            try graph.lines("OPTIONAL MATCH (n:Nobody) OPTIONAL MATCH (n)-->(m) RETURN n, m, n.name, id(n)") == [
                "null | null | null | null"
            ])
        #expect(try graph.lines("OPTIONAL MATCH (n:Nobody) MATCH (n)-->(m) RETURN m") == [])
        #expect(try graph.lines("OPTIONAL MATCH p = (n:Nobody)-->() RETURN p, length(p)") == ["null | null"])
        #expect(try graph.value("MATCH (n) OPTIONAL MATCH (n)-[:LIKES]->(m) RETURN count(m)") == .integer(1))
    }

    @Test func optionalRelationshipsOfTheManual() throws {
        let graph = try people()
        // Both ends known: whoever one of the two knows, once, with what leads there from both.
        let joined = try Graph("CREATE (a {n: 'a'})-[:T]->(x {n: 'x'})<-[:U]-(b {n: 'b'}), (a)-[:V]->({n: 'y'}), (b)-[:W]->({n: 'z'})")
        #expect(
            try joined.sorted(
                "START a=node(0), b=node(2) MATCH a-[r?]->m<-[s?]-b RETURN m.n, type(r), type(s)", dialect: .cypher18)
                == ["x | T | U", "y | V | null", "z | null | W"])
        #expect(
            try joined.sorted("START a=node(1), b=node(3) MATCH p = a-[r?]->m<-[s?]-b RETURN m, p", dialect: .cypher18)
                == ["null | null"])
        #expect(
            joined.error("START a=node(0), b=node(1), c=node(2) MATCH a-[?]-m, m-[?]-b, m-[?]-c RETURN m", dialect: .cypher18)?
                .code == .syntaxError)
        let answer = try graph.lines(
            "START n=node(0,1,3) MATCH n-[r?:LIKES]->m RETURN n.name, r, m", dialect: .cypher18)
        #expect(answer == ["Ann | [3] | (2)", "Bob | null | null", "Dan | null | null"])
        // What hangs on an optional relationship is null with it.
        #expect(
            try graph.sorted(
                "START n=node(0,3) MATCH n-[?:LIKES]->m-[:KNOWS]->o RETURN n.name, m.name, o.name", dialect: .cypher18)
                == ["Ann | Cid | Ann", "Dan | null | null"])
        #expect(try graph.lines("START n=node(3) MATCH p = n-[?]->m RETURN p", dialect: .cypher18) == ["null"])
        #expect(
            try graph.sorted(
                "START n=node(0,3) MATCH n-[?:LIKES]->m WHERE m.name = 'Cid' RETURN n.name", dialect: .cypher18)
                == ["Ann"])
        #expect(
            try graph.lines("START a=node(0), b=node(1) MATCH a-[r?:LIKES]->b RETURN r", dialect: .cypher18) == ["null"]
        )
    }

    @Test func whereFilters() throws {
        let graph = try people()
        #expect(try graph.sorted("MATCH (n) WHERE n.age >= 40 RETURN n.name") == ["Bob", "Cid"])
        #expect(try graph.sorted("MATCH (n) WHERE NOT n.age >= 40 RETURN n.name") == ["Ann"])
        #expect(try graph.sorted("MATCH (n) WHERE n.age IS NULL OR n:Admin RETURN n.name") == ["Cid", "Dan"])
        #expect(try graph.sorted("MATCH (n) WHERE n.name IN ['Ann', 'Dan', 'Eve'] RETURN n.name") == ["Ann", "Dan"])
        #expect(
            try graph.sorted("MATCH (n) WHERE n.name IN {names} RETURN n.name", ["names": .list([.string("Bob")])]) == [
                "Bob"
            ])
        #expect(try graph.lines("MATCH (n) WHERE id(n) = 2 RETURN n.name") == ["Cid"])
        #expect(try graph.sorted("MATCH (n) WHERE id(n) IN [2, 1, 2, 77, -1] RETURN n.name") == ["Bob", "Cid"])
        #expect(try graph.sorted("MATCH (n) WHERE n.name =~ '.*n' RETURN n.name") == ["Ann", "Dan"])
        #expect(
            try graph.sorted("MATCH (n) WHERE n.name STARTS WITH 'A' OR n.name ENDS WITH 'b' RETURN n.name") == [
                "Ann", "Bob",
            ])
        #expect(try graph.sorted("MATCH (n) WHERE n.name CONTAINS 'i' RETURN n.name") == ["Cid"])
        #expect(
            try graph.sorted("MATCH (a)-[r]->(b) WHERE a.age < b.age AND r.since > 2000 RETURN a.name") == [
                "Ann", "Bob",
            ])
        #expect(try graph.lines("MATCH (n) WITH n.age AS age WHERE age > 40 RETURN age") == ["50"])
        #expect(try graph.sorted("MATCH (n) WHERE 30 <= n.age < 50 RETURN n.name") == ["Ann", "Bob"])
    }

    @Test func resultsAreOrderedSkippedAndLimited() throws {
        let graph = try people()
        #expect(try graph.lines("MATCH (n) RETURN n.name ORDER BY n.age DESC") == ["Dan", "Cid", "Bob", "Ann"])
        #expect(try graph.lines("MATCH (n) RETURN n.name AS x ORDER BY x SKIP 1 LIMIT 2") == ["Bob", "Cid"])
        #expect(
            try graph.lines("MATCH (n:Person) RETURN n.name ORDER BY n.age % 20, n.name DESC") == ["Bob", "Cid", "Ann"])
        #expect(try graph.lines("MATCH (n) RETURN DISTINCT labels(n)[0] AS l ORDER BY l") == ["Person", "Robot"])
        #expect(
            try graph.lines("MATCH (n) RETURN n.name SKIP {s} LIMIT {l}", ["s": .integer(3), "l": .integer(5)]) == [
                "Dan"
            ])
        #expect(try graph.lines("MATCH (n) RETURN n LIMIT 0") == [])
        #expect(try graph.lines("MATCH (n) WITH n ORDER BY n.name DESC LIMIT 1 RETURN n.name") == ["Dan"])
        #expect(graph.error("MATCH (n) RETURN n LIMIT {l}", ["l": .integer(-1)])?.code == .syntaxError)
        #expect(graph.error("MATCH (n) RETURN n LIMIT n.age")?.code == .syntaxError)
        #expect(
            try graph.lines("UNWIND range(1, 20000) AS i RETURN i ORDER BY i % 1000 DESC, i LIMIT 3") == [
                "999", "1999", "2999",
            ])
    }

    @Test func aggregatesGroup() throws {
        let graph = try people()
        #expect(try graph.value("MATCH (n) RETURN count(*)") == .integer(4))
        #expect(try graph.value("MATCH (n:Person) RETURN count(n)") == .integer(3))
        #expect(try graph.value("MATCH ()-[r]->() RETURN count(*)") == .integer(4))
        #expect(try graph.value("MATCH ()-[r:KNOWS]->() RETURN count(r)") == .integer(3))
        #expect(try graph.value("MATCH (n) RETURN count(n.age)") == .integer(3))
        #expect(
            try graph.lines("MATCH (n:Person) RETURN sum(n.age), avg(n.age), min(n.age), max(n.name), collect(n.age)")
                == ["120 | 40.0 | 30 | Cid | [30, 40, 50]"])
        #expect(
            try graph.lines("MATCH (a)-->(b) RETURN a.name, count(*) ORDER BY count(*) DESC, a.name") == [
                "Ann | 2", "Bob | 1", "Cid | 1",
            ])
        #expect(
            try graph.lines("MATCH (a)-->(b) RETURN a, count(DISTINCT b) AS c ORDER BY c DESC LIMIT 1") == ["(0) | 2"])
        #expect(try graph.lines("MATCH (a)-->(b) WITH a, count(*) AS c WHERE c > 1 RETURN a.name") == ["Ann"])
        #expect(
            try graph.lines("MATCH (n:Nobody) RETURN count(*), sum(n.x), avg(n.x), max(n.x), collect(n)") == [
                "0 | 0 | null | null | []"
            ])
        #expect(try graph.lines("MATCH (n:Nobody) RETURN n.x, count(*)") == [])
        #expect(
            try graph.lines("MATCH (n:Person) RETURN n.age / 20 AS x, count(*) * 10 + 1 AS y ORDER BY x") == [
                "1 | 11", "2 | 21",
            ])
        #expect(
            try graph.lines("UNWIND [1, 1.0, null, 'a', null, 'a'] AS x RETURN x, count(*)") == [
                "1 | 2", "null | 2", "a | 2",
            ])
        #expect(
            try graph.lines(
                "UNWIND [1, 2, 2, null] AS x RETURN collect(DISTINCT x), count(DISTINCT x), sum(DISTINCT x)") == [
                    "[1, 2] | 2 | 3"
                ])
        #expect(try graph.lines("MATCH (n:Person) RETURN size(collect(n.name)) AS s") == ["3"])
        #expect(graph.error("MATCH (n) RETURN sum(n.name)")?.code == .typeError)
        #expect(graph.error("MATCH (n) RETURN n.age + count(*)")?.code == .syntaxError)
        #expect(graph.error("MATCH (n) WHERE count(*) > 1 RETURN n")?.code == .syntaxError)
        #expect(graph.error("MATCH (n) RETURN count(count(*))")?.code == .syntaxError)
    }

    @Test func columnsAreNamedAsTyped() throws {
        let graph = try people()
        #expect(
            try graph.run("MATCH (n) RETURN n.name, COUNT( * ), n.age+1 AS next, n").columns
                == ["n.name", "COUNT( * )", "next", "n"])
        #expect(
            try graph.run("START n=node(0) RETURN n.`name`, n.age?", dialect: .cypher18).columns == [
                "n.name", "n.age?",
            ])
        #expect(try graph.run("MATCH (a)-[r]->(b) RETURN *").columns.sorted() == ["a", "b", "r"])
        #expect(try graph.run("MATCH (a)-->() RETURN *").columns == ["a"])
        #expect(try graph.run("CREATE (n)").columns == [])
        #expect(graph.error("MATCH (a) RETURN a.x AS n, a.y AS n")?.code == .syntaxError)
        #expect(graph.error("MATCH () RETURN *")?.code == .syntaxError)
    }

    @Test func withPassesOnOnlyWhatItNames() throws {
        let graph = try people()
        #expect(try graph.lines("MATCH (a)-->(b) WITH DISTINCT a RETURN count(*)") == ["3"])
        #expect(graph.error("MATCH (a)-->(b) WITH a RETURN b")?.message.contains("`b` not defined") == true)
        #expect(try graph.lines("MATCH (a) WITH a AS b MATCH (b)-[:LIKES]->(c) RETURN b.name, c.name") == ["Ann | Cid"])
        #expect(try graph.sorted("MATCH (a) WITH *, a.age AS age WHERE age > 30 RETURN a.name") == ["Bob", "Cid"])
        #expect(graph.error("MATCH (a) WITH a.name RETURN 1")?.code == .syntaxError)
        #expect(try graph.lines("UNWIND [3, 1, 2] AS x WITH x ORDER BY x RETURN collect(x)") == ["[1, 2, 3]"])
    }

    @Test func unwindMakesRows() throws {
        let graph = try Graph()
        #expect(try graph.lines("UNWIND [1, 'a', null, [2]] AS x RETURN x") == ["1", "a", "null", "[2]"])
        #expect(try graph.lines("UNWIND [] AS x RETURN x") == [])
        #expect(try graph.lines("UNWIND null AS x RETURN x") == [])
        #expect(
            try graph.lines(
                "UNWIND {l} AS m UNWIND m.x AS x RETURN x",
                ["l": .list([.map(MapValue([("x", .list([.integer(1), .integer(2)]))]))])]) == ["1", "2"])
        #expect(try graph.lines("UNWIND range(5, 1, -2) AS x RETURN x") == ["5", "3", "1"])
        #expect(try graph.lines("UNWIND range(1, 0) AS x RETURN x") == [])
        #expect(
            try graph.lines("UNWIND range(9223372036854775806, 9223372036854775807) AS x RETURN x - 1")
                == ["9223372036854775805", "9223372036854775806"])
        #expect(try graph.lines("UNWIND range(1, 9223372036854775807) AS x RETURN x LIMIT 1") == ["1"])
        #expect(graph.error("UNWIND range(1, 2, 0) AS x RETURN x")?.code == .argumentError)
        #expect(try graph.lines("UNWIND [3, 1, 3] AS x RETURN DISTINCT x + 1 ORDER BY x + 1") == ["2", "4"])
        #expect(try graph.value("UNWIND range(1, 100000) AS x RETURN sum(x)") == .integer(5_000_050_000))
    }
}
