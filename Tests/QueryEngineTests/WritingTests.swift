import Cypher
import GraphModel
import QueryEngine
import Storage
import Testing

@Suite struct WritingTests {
    private func map(_ entries: (key: String, value: Value)...) -> Value { .map(MapValue(entries)) }

    @Test func createTakesParameters() throws {
        let graph = try Graph()
        let props = map(("name", .string("Ann")), ("tags", .list([.string("x"), .string("y")])), ("none", .null))
        var answer = try graph.run("CREATE (n:Person {props}) RETURN n.name, n.tags, labels(n)", ["props": props])
        #expect(answer.lines == ["Ann | [x, y] | [Person]"])
        #expect(
            answer.statistics.nodesCreated == 1 && answer.statistics.propertiesSet == 2
                && answer.statistics.labelsAdded == 1)
        answer = try graph.run(
            "CREATE (n {maps}) RETURN n.i", ["maps": .list((1...3).map { map(("i", .integer($0))) })],
            dialect: .cypher18)
        #expect(answer.lines == ["1", "2", "3"])
        #expect(answer.statistics.nodesCreated == 3)
        #expect(try graph.lines("CREATE n = {name: 'Old'} RETURN n.name", dialect: .cypher18) == ["Old"])
        #expect(try graph.lines("CREATE (n $p) RETURN n.x", ["p": map(("x", .integer(1)))]) == ["1"])
        answer = try graph.run(
            "START a=node(0), b=node(1) CREATE a-[r:T {props}]->b RETURN type(r), r.w",
            ["props": map(("w", .float(0.5)))],
            dialect: .cypher18)
        #expect(answer.lines == ["T | 0.5"])
        #expect(graph.error("CREATE (n {p})", ["p": map(("x", map(("y", .integer(1)))))])?.code == .typeError)
        #expect(graph.error("CREATE (n {p})", ["p": .integer(1)])?.code == .typeError)
        #expect(graph.error("CREATE (n {p}), (m)", ["p": .list([map()])])?.code == .typeError)
        #expect(graph.error("CREATE (n {p})")?.code == .parameterMissing)
    }

    @Test func createMakesPaths() throws {
        let graph = try Graph()
        let answer = try graph.run("CREATE p = (a {n: 1})-[:R]->(b {n: 2})<-[:S]-(c) RETURN p, a.n, b.n")
        #expect(answer.lines == ["<(0)-[0]-(1)-[1]-(2)> | 1 | 2"])
        #expect(
            try graph.lines("MATCH (x)-[r]->(y) RETURN type(r), x, y ORDER BY id(r)") == [
                "R | (0) | (1)", "S | (2) | (1)",
            ])
        try graph.run("MATCH (a {n: 1}), (b {n: 2}) CREATE (a)-[:NEW {by: a.n + b.n}]->(b)")
        #expect(try graph.lines("MATCH ()-[r:NEW]->() RETURN r.by") == ["3"])
        try graph.run("CREATE (l)-[:LOOP]->(l)")
        #expect(try graph.value("MATCH (l)-[:LOOP]->(l) RETURN count(*)") == .integer(1))
        #expect(graph.error("MATCH (a) CREATE (a {x: 1})")?.message.contains("already exists") == true)
        #expect(graph.error("CREATE (a)-[:A|B]->(b)")?.code == .syntaxError)
        #expect(graph.error("CREATE (a)-->(b)")?.code == .syntaxError)
        #expect(graph.error("CREATE (a)-[:T]-(b)")?.code == .syntaxError)
        #expect(graph.error("CREATE (a)-[:T*2]->(b)")?.code == .syntaxError)
        try graph.run("CREATE a-[:UNDIRECTED]-b", dialect: .cypher18)
        #expect(try graph.value("MATCH ()-[r:UNDIRECTED]->() RETURN count(*)") == .integer(1))
    }

    @Test func readingEndsBeforeWritingBegins() throws {
        let graph = try Graph("CREATE (), (), ()")
        try graph.run("MATCH (n) CREATE (m)")
        #expect(try graph.value("MATCH (n) RETURN count(*)") == .integer(6))
        try graph.run("MATCH (a), (b) CREATE (a)-[:T]->(b)")
        #expect(try graph.value("MATCH ()-[r]->() RETURN count(*)") == .integer(36))
        #expect(
            try graph.lines("UNWIND [1, 2] AS i CREATE (n:New) WITH i MATCH (m:New) RETURN i, count(*)") == [
                "1 | 2", "2 | 2",
            ])
        #expect(try graph.sorted("UNWIND [1, 2, 3] AS i MATCH (n:New) SET n.x = i RETURN DISTINCT n.x") == ["3"])
        // LIMIT 0 keeps nothing from being written.
        let answer = try graph.run("UNWIND range(1, 3000) AS i CREATE (n:Many {i: i}) RETURN n LIMIT 0", reserve: 5000)
        #expect(answer.rows.isEmpty && answer.statistics.nodesCreated == 3000)
        #expect(try graph.value("MATCH (n:Many) RETURN count(*)") == .integer(3000))
    }

    @Test func setChangesPropertiesAndLabels() throws {
        let graph = try Graph("CREATE (n {a: 1, b: 2})-[:T {w: 1}]->(m)")
        var answer = try graph.run(
            "MATCH (n {a: 1})-[r]->() SET n.a = n.a + 1, n.c = [1, 2], r.w = 'x' RETURN n.a, n.c, r.w")
        #expect(answer.lines == ["2 | [1, 2] | x"])
        #expect(answer.statistics.propertiesSet == 3)
        try graph.run("MATCH (n {a: 2}) SET n.b = null")
        #expect(try graph.lines("MATCH (n {a: 2}) RETURN keys(n), n.b") == ["[a, c] | null"])
        try graph.run("MATCH (n {a: 2}) SET n += {d: 4, c: null}")
        #expect(try graph.lines("MATCH (n {a: 2}) RETURN properties(n)") == ["{a: 2, d: 4}"])
        try graph.run("MATCH (n {a: 2}) SET n = {p}", ["p": map(("z", .integer(26)))])
        #expect(try graph.lines("MATCH (n {z: 26}) RETURN properties(n)") == ["{z: 26}"])
        try graph.run("MATCH (n {z: 26})-->(m) SET m = n")
        #expect(try graph.value("MATCH (n {z: 26}) RETURN count(*)") == .integer(2))
        answer = try graph.run("MATCH (n)-->() SET n:A:B, n.q = 1 REMOVE n:A, n.q, n.nothing RETURN labels(n)")
        #expect(answer.lines == ["[B]"])
        #expect(answer.statistics.labelsAdded == 2 && answer.statistics.labelsRemoved == 1)
        #expect(try graph.lines("OPTIONAL MATCH (n:Nobody) SET n.x = 1, n:L REMOVE n.y RETURN n") == ["null"])
        #expect(graph.error("MATCH (n) SET n.x = {p}", ["p": map(("y", .integer(1)))])?.code == .typeError)
        #expect(graph.error("MATCH (n) SET n.x = [1, 'a']")?.code == .typeError)
    }

    @Test func deleteRemoves() throws {
        let graph = try Graph("CREATE (a:A)-[:T]->(b:B), (c:C)-[:T]->(c), (d:D)")
        #expect(graph.error("MATCH (a:A) DELETE a")?.code == .constraintViolation)
        var answer = try graph.run("MATCH (a:A)-[r]->() DELETE a, r")
        #expect(answer.statistics.nodesDeleted == 1 && answer.statistics.relationshipsDeleted == 1)
        answer = try graph.run("MATCH (c:C) DETACH DELETE c, c")
        #expect(answer.statistics.nodesDeleted == 1 && answer.statistics.relationshipsDeleted == 1)
        try graph.run("START d=node(3) SET d.x = 1", dialect: .cypher18)
        answer = try graph.run("START d=node(3) DELETE d.x", dialect: .cypher18)
        #expect(answer.statistics.propertiesSet == 1)
        #expect(try graph.lines("MATCH (d:D) RETURN keys(d)") == ["[]"])
        #expect(try graph.value("OPTIONAL MATCH (n:Nobody) DELETE n RETURN count(*)") == .integer(1))
        #expect(graph.error("MATCH (d:D) DELETE d RETURN d.x")?.code == .entityNotFound)
        try graph.run("CREATE (:P)-[:T]->(:P)-[:T]->(:P)")
        answer = try graph.run("MATCH p = (:P)-[:T*2]->() DELETE p")
        #expect(answer.statistics.nodesDeleted == 3 && answer.statistics.relationshipsDeleted == 2)
    }

    @Test func writingNeedsAWriteTransaction() throws {
        let graph = try Graph()
        let prepared = try graph.engine.prepare("CREATE (n)", dialect: .cypher9, over: graph.store.beginRead())
        #expect(prepared.isWrite)
        #expect { try Graph.run(prepared, graph.store.beginRead()) } throws: { ($0 as? GraphError)?.code == .readOnly }
        // A query may write in one transaction and read its own writes.
        let transaction = graph.committer.begin()
        _ = try Graph.run(prepared, transaction)
        let count = try graph.engine.prepare("MATCH (n) RETURN count(*)", dialect: .cypher9, over: transaction)
        #expect(!count.isWrite)
        #expect(try Graph.run(count, transaction).lines == ["1"])
        #expect(try Graph.run(count, graph.store.beginRead()).lines == ["0"])
    }
}
