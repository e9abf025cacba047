import Cypher
import GraphModel
import QueryEngine
import TestSupport
import Testing

/// The manual's language, row by row of its rules where no example of the manual shows them.
@Suite struct ManualLanguageTests {
    /// Nodes 0 to 3: a knows b twice, b knows c, d is alone.
    private func graph() throws -> Graph {
        try Graph(
            """
            CREATE (a {name: 'a', age: 30, list: [1, 2]}), (b {name: 'b', age: 20}), (c {name: 'c'}), (d {name: 'd'}),
                   (a)-[:KNOWS {since: 1}]->(b), (a)-[:KNOWS {since: 2}]->(b), (b)-[:KNOWS {since: 3}]->(c)
            """)
    }

    /// Queries, and their rows in order.
    @Test(
        arguments: [
            // Structure, words, identifiers.
            ("start N=NODE(0) return N.name;", ["a"]), ("START count=node(0) RETURN count.name", ["a"]),
            ("START n=node(0) // words\nRETURN n.name // more", ["a"]), ("START `odd name`=node(0) RETURN `odd name`.name", ["a"]),
            ("START n=node(0) RETURN n. name", ["a"]),
            ("START n=node(0) === n === RETURN n.name", ["a"]), ("START n=node(0) ==== n ==== RETURN n.name", ["a"]),
            ("START n=node(0) WITH n.name AS x WHERE x = 'a' RETURN x", ["a"]),
            ("START n=node(0) WITH n START m=node(1) RETURN n.name, m.name", ["a | b"]),
            ("START n=node(0) WITH * RETURN n.name", ["a"]), ("START n=node(0,0) WITH DISTINCT n RETURN n.name", ["a"]),
            // START.
            ("START n=node(1,0,1) RETURN n.name", ["b", "a", "b"]), ("START r=rel(2) RETURN r.since", ["3"]),
            ("START a=node(0), b=node(1,2) RETURN a.name, b.name", ["a | b", "a | c"]), ("START n=node({ids}) RETURN n.name", ["c", "a"]),
            // Patterns.
            ("START a=node(0) MATCH a-[r]->b RETURN r.since ORDER BY r.since", ["1", "2"]),
            ("START a=node(1) MATCH a<-[r:KNOWS|KNOWS|NONE]-b RETURN count(*)", ["2"]),
            ("START a=node(1) MATCH a<-->b RETURN count(*)", ["3"]), ("START a=node(1) MATCH a--b RETURN count(*)", ["3"]),
            ("START a=node(0) MATCH (a)-[T]->() RETURN count(T)", ["2"]), ("START a=node(0) MATCH a-[*2]->c RETURN c.name", ["c", "c"]),
            ("START a=node(0) MATCH a-[r*1..1]->b RETURN length(r)", ["1", "1"]), ("START a=node(3) MATCH p = a-[*0..1]-b RETURN length(p)", ["0"]),
            ("START a=node(0) MATCH a-->b, a-->c RETURN count(*)", ["2"]), ("START a=node(3) MATCH a-[?]->x-[?]->y RETURN x, y", ["null | null"]),
            ("START a=node(3) MATCH p = a-[?]->x RETURN p, x.name", ["null | null"]), ("START r=rel(2) MATCH a-[r]-b RETURN a.name", ["b", "c"]),
            ("START a=node(0), c=node(2) MATCH p = shortestPath(a-[*..5]->c) RETURN length(p)", ["2"]),
            ("START a=node(0), c=node(2) MATCH p = allShortestPaths(a-[:KNOWS*]->c) RETURN length(p)", ["2", "2"]),
            ("START a=node(0), d=node(3) MATCH p = shortestPath(a-[?*..5]->d) RETURN p", ["null"]),
            // WHERE.
            ("START n=node(*) WHERE n.age! > 25 RETURN n.name", ["a"]), ("START n=node(*) WHERE n.age? > 25 RETURN n.name", ["a", "c", "d"]),
            ("START n=node(*) WHERE has(n.age) AND NOT(n.age = 30) RETURN n.name", ["b"]), ("START n=node(*) WHERE n.age? IS NULL RETURN n.name", ["c", "d"]),
            ("START n=node(*) WHERE n.name =~ '[AB]' OR n.name =~ '(?i)[AC]' RETURN n.name", ["a", "c"]), ("START n=node(*) WHERE n.name IN ['a', 'd'] RETURN n.name", ["a", "d"]),
            ("START n=node(0) WHERE 2 = 1 + 1 AND 1 = 1.0 RETURN n.name", ["a"]), ("START n=node(*) WHERE n-[:KNOWS]->() RETURN n.name", ["a", "b"]),
            ("START n=node(*) WHERE NOT(n--()) RETURN n.name", ["d"]), ("START a=node(0), b=node(0,1) WHERE a = b RETURN b.name", ["a"]),
            ("START n=node(0) WHERE ALL(x in n.list WHERE x > 0) AND SINGLE(x in n.list WHERE x = 1) AND NONE(x in n.list WHERE x = 9) RETURN n.name", ["a"]),
            ("START n=node(*) WHERE n.name = 'a' OR n.name = 'b' AND n.age! = 0 RETURN n.name", ["a"]),
            // Expressions.
            ("START n=node(0) RETURN 1 + 1, 7 / 2, 2 ^ 3, 7 % 4, -17", ["2.0 | 3.5 | 8.0 | 3.0 | -17"]), ("START n=node(0) RETURN [1] + 2, 'a' + 'b'", ["[1, 2] | ab"]),
            ("START n=node(0) RETURN n.x?, n.x!", ["null | null"]), ("START n=node(0) RETURN 'it''s'", []),
            ("START n=node(0) RETURN length(n-->())", ["2"]), ("START n=node(0) RETURN id(n), coalesce(n.x?, 'd')", ["0 | d"]),
            ("START n=node(0) RETURN head(n.list), last(n.list), tail(n.list), range(1, 5, 2)", ["1 | 2 | [2] | [1, 3, 5]"]),
            ("START n=node(0) RETURN abs(-3), round(3.14), sqrt(256), sign(-17), sign(0)", ["3.0 | 3 | 16.0 | -1.0 | 0.0"]),
            ("START n=node(0) RETURN extract(x in n.list : x + 1), filter(x in n.list : x > 1)", ["[2.0, 3.0] | [2]"]),
            // Aggregates, order.
            ("START n=node(*) RETURN count(*), count(n.age?), sum(n.age?), avg(n.age?), min(n.age?), max(n.age?)", ["4 | 2 | 50 | 25.0 | 20 | 30"]),
            ("START n=node(*) WHERE n.name = 'x' RETURN count(*), sum(n.age), avg(n.age)", ["0 | 0 | null"]), ("START n=node(*) WHERE n.name = 'x' RETURN n.name, count(*)", []),
            ("START n=node(*) RETURN n.name ORDER BY n.age?", ["b", "a", "c", "d"]), ("START n=node(*) RETURN n.name ORDER BY n.age? DESC, n.name", ["c", "d", "a", "b"]),
            ("START n=node(*) RETURN n.name ORDER BY n.name SKIP 1 LIMIT {two}", ["b", "c"]), ("START n=node(0,1,0) RETURN count(DISTINCT n)", ["2"]),
            ("START a=node(0) MATCH a-->b RETURN b.name, length(collect(b)) ORDER BY length(collect(b))", ["b | 2"]),
        ] as [(String, [String])])
    func answers(query: String, wanted: [String]) throws {
        let graph = try graph()
        let parameters: [String: Value] = ["ids": .list([.integer(2), .integer(0)]), "two": .integer(2)]
        if wanted.isEmpty, query.contains("''") {
            #expect(graph.error(query, parameters, dialect: .cypher18) != nil, "\(query)")
            return
        }
        #expect(try graph.lines(query, parameters, dialect: .cypher18) == wanted, "\(query)")
    }

    @Test(
        arguments: [
            "MATCH n RETURN n", "RETURN 1", "WITH 1 AS x RETURN x", "START n=node(0)", "START n=node(99) RETURN n", "START n=(0) RETURN n",
            "START n=node:i(name = 'a') RETURN n", "START n=node:i(a = 'x', b = 'y') RETURN n", "START n=node({none}) RETURN n", "START n=node({text}) RETURN n",
            "START n=node(0) RETURN n.none", "START n=node(0,2) WHERE n.age > 1 RETURN n", "START n=node(0) RETURN m", "START n=node(0) WHERE n.name < 3 RETURN n",
            "START n=node(0) RETURN n.name - 1", "START n=node(0) RETURN nofunction(n)", "START n=node(0) RETURN type(n)", "START n=node(0) RETURN length(n)",
            "START n=node(0) RETURN sqrt(n.name)", "START n=node(0) RETURN range(1, 2, 0)", "START n=node(0) RETURN {none}", "START n=node(0) WHERE n != 1 RETURN n",
            "START n=node(0) RETURN n ORDER BY n", "START n=node(0) RETURN n.name SKIP -1", "START n=node(0) MATCH n-[r]->m-[r]->o RETURN o", "START n=node(0) MATCH n-[n]->m RETURN m",
            "START n=node(0) MATCH n-->(m {name: 'b'}) RETURN m", "START n=node(0) MATCH x-->y RETURN x", "START n=node(0) WHERE n-->x RETURN n", "START n=node(0) WHERE count(*) > 1 RETURN n",
            "START n=node(0) RETURN count(count(*))", "START n=node(0), m=node(2) MATCH p = shortestPath(n-[*2..]->m) RETURN p", "START n=node(0) CREATE n-[:A|B]->(m)",
            "START n=node(0) CREATE n-[:A*2]->(m)", "START n=node(0) CREATE n-->(m)", "START n=node(0) CREATE (n {x: 1})", "START n=node(0) SET n.x = [1, 'a']", "CREATE (n {x: {y: 1}})",
            "START n=node(0) CREATE UNIQUE (m)-[:T]->(o)", "START n=node(0) CREATE UNIQUE n-[:KNOWS]->(m)", "START n=node(0) FOREACH(x in [1] : CREATE p = n-[:T]->(m))",
            "START n=node(0) FOREACH(x in 3 : SET n.x = x)", "START n=node(0) DELETE 1", "CYPHER 2.0 START n=node(0) RETURN n", "START n=node(0) RETURN 'a\\q'",
            "START a=node(0), b=node(1), c=node(2) MATCH a-[?]-x, x-[?]-b, x-[?]-c RETURN x", "START n=node(0) RETURN n RETURN n",
            "START n=node(0) RETURN coalesce(n.x! = 1).x! = 1",
        ])
    func errors(query: String) throws {
        let graph = try graph()
        #expect(graph.error(query, ["text": .string("x")], dialect: .cypher18) != nil, "\(query)")
        #expect(try graph.value("MATCH (n) RETURN count(*)") == .integer(4), "\(query)")
    }

    /// Updates, and what a query finds afterwards.
    @Test(
        arguments: [
            ("CREATE n", "START n=node(*) RETURN count(*)", ["5"]), ("CREATE n = {x: 1}", "START n=node(*) WHERE n.x! = 1 RETURN count(*)", ["1"]),
            ("CREATE (n {props})", "START n=node(*) WHERE n.p! = 1 RETURN count(*)", ["1"]), ("CREATE ({maps})", "START n=node(*) WHERE n.p? > 0 AND has(n.p) RETURN n.p ORDER BY n.p", ["1", "2"]),
            ("START a=node(0) CREATE a-[:T {x: a.age}]->b", "START r=rel(*) WHERE type(r) = 'T' RETURN r.x", ["30"]),
            ("START a=node(0) CREATE a-[:T]-b", "START a=node(0) MATCH a-[:T]-b RETURN count(*)", ["1"]),
            ("START a=node(0), b=node(1) WITH [a, b] AS nodes CREATE (head(nodes))-[:T]->x", "START a=node(0) MATCH a-[:T]->x RETURN count(*)", ["1"]),
            ("START a=node(0) CREATE UNIQUE a-[:T {x: 1}]->(b {y: 2}) CREATE UNIQUE a-[:T {x: 1}]->(c {y: 2})", "START a=node(0) MATCH a-[:T]->b RETURN b.y", ["2"]),
            ("START a=node(0,0) CREATE UNIQUE a-[:T]->b", "START a=node(0) MATCH a-[:T]->b RETURN count(*)", ["1"]),
            ("START b=node(1) CREATE UNIQUE b-[:KNOWS {since: 3}]-(x {name: 'c'})", "START r=rel(*) RETURN count(*)", ["3"]),
            ("START a=node(0) SET a.x = 1, a.age = null", "START a=node(0) RETURN a.x, a.age?", ["1 | null"]), ("START a=node(0) DELETE a.age, a.none", "START a=node(0) RETURN a.age?", ["null"]),
            ("START r=rel(0,0), n=node(3) DELETE r, n, n", "START n=node(*) RETURN count(*)", ["3"]), ("START d=node(3) MATCH d-[r?]-() DELETE r, d", "START n=node(*) RETURN count(*)", ["3"]),
            ("START a=node(0), c=node(2) MATCH p = a-[*]->c FOREACH(n in nodes(p) : SET n.seen = true)", "START n=node(*) WHERE n.seen! = true RETURN count(*)", ["3"]),
            ("START a=node(0) FOREACH(x in range(1, 3) : CREATE y = {v: x}, a-[:T]->y FOREACH(z in [x] : SET y.w = z))", "START a=node(0) MATCH a-[:T]->y RETURN y.v, y.w ORDER BY y.v", ["1 | 1", "2 | 2", "3 | 3"]),
        ] as [(String, String, [String])])
    func updates(update: String, query: String, wanted: [String]) throws {
        let graph = try graph()
        let map = Value.map(MapValue([("p", .integer(1))]))
        try graph.run(update, ["props": map, "maps": .list([map, .map(MapValue([("p", .integer(2))]))])], dialect: .cypher18)
        #expect(try graph.lines(query, dialect: .cypher18) == wanted, "\(update)")
    }
}
