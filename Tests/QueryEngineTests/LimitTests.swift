import Cypher
import GraphModel
import QueryEngine
import Storage
import Testing

/// What a query makes and keeps has bounds, whatever its text.
@Suite struct LimitTests {
    private static let mebibyte = 1 << 20

    private func error(
        _ graph: Graph, _ query: String, _ parameters: [String: Value] = [:], byteCountMaximum: Int = mebibyte
    ) -> ErrorCode? {
        do {
            try graph.run(query, parameters, control: ExecutionControl(byteCountMaximum: byteCountMaximum))
            return nil
        } catch {
            return (error as? GraphError)?.code
        }
    }

    // MARK: Values

    @Test(arguments: [
        "RETURN size(reduce(s = 'x', i IN range(1, 45) | s + s))",
        "RETURN size(reduce(l = [1], i IN range(1, 45) | l + l))",
        "RETURN [x IN range(1, 1000) | range(1, 2000)]",
        "RETURN range(1, 1000000)",
        "WITH reduce(s = 'x', i IN range(1, 15) | s + s) AS s RETURN size(replace(s, 'x', s))",
        "WITH reduce(s = 'x', i IN range(1, 15) | s + s) AS s RETURN size(split(s, 'x'))",
        "WITH reduce(s = 'x', i IN range(1, 15) | s + s) AS s RETURN size(split(s, ''))",
        "RETURN size(COLLECT { UNWIND range(1, 100000) AS x RETURN x })",
        "RETURN size(reduce(m = {a: 'x'}, i IN range(1, 45) | {a: m, b: m}))",
        "UNWIND range(1, 100) AS x RETURN range(1, 2000) AS list",
        "UNWIND range(1, 100) AS x RETURN collect(range(1, 2000)) AS lists",
    ])
    func largeValuesAreRefused(query: String) throws {
        #expect(error(try Graph(), query) == .queryMemory)
    }

    /// A value that refers to one part over and over is small to hold and endless to go through.
    @Test(arguments: ["RETURN a", "RETURN size(a) ORDER BY a", "RETURN DISTINCT size(a)"])
    func sharedPartsCountEachTime(rest: String) throws {
        let query = "WITH reduce(a = [1], i IN range(1, 60) | [a, a]) AS a " + rest
        #expect(error(try Graph(), query, byteCountMaximum: 0) == .queryMemory)
    }

    @Test(arguments: [
        "RETURN size(reduce(l = [], i IN range(1, 1000000) | [l]))",
        "RETURN size(reduce(l = [], i IN range(1, 1000000) | [] + [l]))",
        "RETURN size(reduce(l = [], i IN range(1, 1000000) | [x IN [1] | l]))",
        "RETURN size(reduce(m = {a: 1}, i IN range(1, 1000000) | {a: m}))",
        "RETURN size(reduce(m = {a: 1}, i IN range(1, 1000000) | m{a: m}))",
        "RETURN size(reduce(l = [], i IN range(1, 1000000) | COLLECT { RETURN l }))",
    ])
    func deepValuesAreRefused(query: String) throws {
        #expect(error(try Graph(), query, byteCountMaximum: 0) == .argumentError)
    }

    @Test func valuesOfTheGreatestDepthCanBeUsed() throws {
        let graph = try Graph()
        let deep = "reduce(l = [], i IN range(1, 998) | [l])"
        #expect(try graph.lines("WITH \(deep) AS l RETURN size(l), l = l, l IN [l]") == ["1 | true | true"])
        #expect(try graph.lines("UNWIND [\(deep.replacing("998", with: "997")), 1] AS l WITH DISTINCT l ORDER BY l RETURN count(l)") == ["2"])
        #expect(error(graph, "RETURN size(\(deep.replacing("998", with: "1000")))", byteCountMaximum: 0) == .argumentError)
        var parameter = Value.list([])
        for _ in 0..<1000 { parameter = .list([parameter]) }
        #expect(error(graph, "RETURN size($l)", ["l": parameter]) == .argumentError)
    }

    @Test func mapsHashByTheirEntries() {
        let hashes = Set((0..<1000).map { Value.map(MapValue([("a", .integer($0)), ("b", .null)])).hashValue })
        #expect(hashes.count > 990)
        let map = Value.map(MapValue([("a", .integer(1)), ("b", .integer(2)), ("c", .list([]))]))
        let other = Value.map(MapValue([("c", .list([])), ("b", .float(2)), ("a", .integer(1))]))
        #expect(map == other)
        #expect(map.hashValue == other.hashValue)
        // The least key that differs decides, wherever it stands.
        let small = Value.map(MapValue([("z", .integer(9)), ("a", .integer(1))]))
        let large = Value.map(MapValue([("z", .integer(1)), ("a", .integer(2))]))
        #expect(small.order(large) == -1 && large.order(small) == 1)
    }

    @Test func containmentInListsOfMaps() throws {
        let graph = try Graph()
        let maps = Value.list((0..<100).map { .map(MapValue([("a", .integer($0)), ("b", .string("x"))])) })
        let query = "UNWIND range(0, 199) AS i WITH {b: 'x', a: i} IN $maps AS found RETURN found, count(*)"
        #expect(try graph.sorted(query, ["maps": maps]) == ["false | 100", "true | 100"])
        #expect(try graph.lines("RETURN {a: null} IN $maps, {a: 1, b: null} IN $maps, [1] IN [[1], null], [2] IN [[1], null]", ["maps": maps])
            == ["false | null | true | null"])
    }

    // MARK: Time

    /// Loops inside one another are short each, and long together.
    @Test func nestedLoopsEndWhenTheyAreToldTo() throws {
        let graph = try Graph()
        let control = ExecutionControl()
        control.whenLong(afterNanoseconds: 1) { control.cancel() }
        let inner = "reduce(c = 0, z IN range(1, 4000) | c + 1)"
        let query = "RETURN reduce(a = 0, x IN range(1, 4000) | a + reduce(b = 0, y IN range(1, 4000) | b + \(inner)))"
        let error = #expect(throws: GraphError.self) { try graph.run(query, control: control) }
        #expect(error?.code == .executionLimit)
    }

    // MARK: Memory

    @Test(arguments: [
        // What the subqueries held is gone when they have ended.
        "UNWIND range(1, 1000) AS i RETURN sum(COUNT { UNWIND range(1, 200) AS x WITH DISTINCT x RETURN x })",
        "UNWIND range(1, 1000) AS i CALL { WITH i UNWIND range(1, 200) AS x WITH x ORDER BY x RETURN x } RETURN count(*)",
        "UNWIND range(1, 1000) AS i WITH size(COLLECT { UNWIND range(1, 500) AS x RETURN x }) AS n RETURN sum(n)",
        "UNWIND range(1, 100000) AS x RETURN x ORDER BY x DESC LIMIT 10",
        "UNWIND range(1, 100000) AS x WITH 'text ' + x AS x ORDER BY x SKIP 5 LIMIT 10 RETURN count(*)",
    ])
    func whatIsGivenBackDoesNotCount(query: String) throws {
        #expect(error(try Graph(), query) == nil)
    }

    @Test(arguments: [
        "UNWIND range(1, 100000) AS x RETURN x ORDER BY x LIMIT 90000",
        "UNWIND range(1, 100) AS x WITH x, range(1, 2000) AS list ORDER BY x LIMIT 1000 RETURN count(list)",
        "UNWIND range(1, 1000) AS i CALL { WITH i UNWIND range(1, 200) AS x RETURN x } WITH DISTINCT i, x RETURN count(*)",
    ])
    func whatIsKeptCounts(query: String) throws {
        #expect(error(try Graph(), query) == .queryMemory)
    }

    @Test func setsOfNodesInGroupsAreCounted() throws {
        let graph = try Graph("UNWIND range(1, 1000) AS i CREATE ()")
        let query = "MATCH (n) UNWIND range(1, 100) AS g RETURN g, count(DISTINCT n) AS count"
        #expect(error(graph, query) == .queryMemory)
        #expect(error(graph, query, byteCountMaximum: 16 << 20) == nil)
        #expect(try graph.lines(query + " ORDER BY g LIMIT 2") == ["1 | 1000", "2 | 1000"])
    }

    /// A plan that waits for its next run keeps no value of the last.
    @Test(arguments: [
        "RETURN $list AS x", "WITH $list AS x RETURN x", "UNWIND [1, 2] AS i RETURN $list AS x", "RETURN [x IN [$list] | size(x)]",
        "RETURN reduce(a = 0, x IN [$list] | a + size(x))", "RETURN any(x IN [$list] WHERE size(x) > 3)",
        "RETURN COLLECT { RETURN $list }", "UNWIND [$list] AS x WITH x ORDER BY x RETURN x", "UNWIND [$list] AS x RETURN DISTINCT x",
        "UNWIND [$list] AS x RETURN x, count(*)", "RETURN collect($list)", "WITH $list AS x RETURN x UNION ALL RETURN $list AS x",
        "UNWIND [$list] AS x CALL { WITH x RETURN size(x) AS n } RETURN n", "WITH $list AS x WHERE x IN $list RETURN 1",
        "UNWIND [$list, 1] AS x WITH x LIMIT 1 RETURN x", "UNWIND [$list] AS x RETURN [y IN [1] WHERE COUNT { WITH x RETURN x } > 0]",
        "MATCH (n) WITH n, $list AS x MATCH (n)-[r*0..1 {w: x}]->() RETURN count(*)", "MATCH (n) WHERE n.v = $list RETURN n",
        "FOREACH (x IN [$list] | MERGE (n:A {v: size(x)}))", "UNWIND [$list] AS x OPTIONAL MATCH (n {v: x}) RETURN n",
    ])
    func idlePlansKeepNoValues(query: String) throws {
        let graph = try Graph("CREATE ({v: 1})-[:R {w: 1}]->()")
        weak var kept: ListValue?
        func run() throws {
            let list = ListValue([.integer(1), .string("two")])
            kept = list
            try graph.run(query, ["list": .list(list)])
        }
        try run()
        #expect(kept == nil)
    }

    @Test func idleExecutionsHaveAnAllowance() throws {
        let graph = try Graph()
        var options = QueryEngine.Options()
        options.idleExecutionCountMaximum = 8
        let engine = QueryEngine(options)
        let transaction = graph.store.beginRead()
        var queries: [PreparedQuery] = []
        for number in 0..<20 {
            let query = try engine.prepare("RETURN \(number)", dialect: .cypher9, over: transaction)
            _ = try Graph.run(query, transaction)
            // The latest is always kept: those before it make room.
            #expect(query.idleExecutionCount == 1)
            queries.append(query)
            #expect(queries.reduce(0) { $0 + $1.idleExecutionCount } <= 8)
        }
    }

    @Test func longTextsAreNotCached() throws {
        let graph = try Graph()
        let transaction = graph.store.beginRead()
        func isCached(_ text: String) throws -> Bool {
            let first = try graph.engine.prepare(text, dialect: .cypher9, over: transaction)
            return try graph.engine.prepare(text, dialect: .cypher9, over: transaction) === first
        }
        #expect(try isCached("RETURN 'short'"))
        #expect(try !isCached("RETURN '\(String(repeating: "long", count: 1 << 14))'"))
    }

    // MARK: Paths

    @Test func longPathsFillABatchByTheirElements() throws {
        let graph = try Graph("UNWIND range(1, 1000) AS i CREATE ({i: i})")
        try graph.run("MATCH (a), (b) WHERE b.i = a.i + 1 CREATE (a)-[:R]->(b)")
        let transaction = graph.store.beginRead()
        let query = try graph.engine.prepare(
            "MATCH (a {i: 1})-[r:R*]->(b) RETURN r", dialect: .cypher9, over: transaction)
        var rowCounts: [Int] = []
        var lengths: Set<Int> = []
        _ = try query.run(in: transaction, parameters: [:], control: ExecutionControl()) { batch in
            rowCounts.append(batch.rowCount)
            for row in 0..<batch.rowCount {
                if case .list(let list) = batch.value(row: row, column: 0) { lengths.insert(list.elements.count) }
            }
        }
        #expect(rowCounts.reduce(0, +) == 999)
        #expect(rowCounts.count > 1)
        #expect(lengths == Set(1...999))
        // No relationship twice, however long the path.
        try graph.run("MATCH (a {i: 1000}), (b {i: 1}) CREATE (a)-[:R]->(b)")
        #expect(try graph.lines("MATCH (a {i: 1})-[r:R*]->(b) RETURN count(*), max(size(r))") == ["1000 | 1000"])
    }

    /// Layers of two nodes each: the number of shortest paths doubles with each layer.
    private func layers(_ count: Int) throws -> Graph {
        let graph = try Graph("UNWIND range(1, \(count)) AS layer UNWIND [1, 2] AS i CREATE ({layer: layer})")
        try graph.run("MATCH (a), (b) WHERE b.layer = a.layer + 1 CREATE (a)-[:R]->(b)")
        try graph.run("MATCH (a {layer: 1}) WITH collect(a) AS list CREATE (s:Start) WITH s, list UNWIND list AS a CREATE (s)-[:R]->(a)")
        try graph.run("MATCH (a {layer: \(count)}) WITH collect(a) AS list CREATE (e:End) WITH e, list UNWIND list AS a CREATE (a)-[:R]->(e)")
        return graph
    }

    @Test func allShortestPathsComeOneByOne() throws {
        let pattern = "MATCH p = allShortestPaths((s:Start)-[:R*]->(e:End))"
        for count in 1...6 {
            #expect(try layers(count).lines("\(pattern) RETURN count(DISTINCT p), min(length(p)), max(length(p))")
                == ["\(1 << count) | \(count + 1) | \(count + 1)"])
        }
        // More than could ever be listed.
        let graph = try layers(100)
        #expect(try graph.lines("\(pattern) RETURN length(p) LIMIT 3") == ["101", "101", "101"])
    }

    // MARK: Texts

    @Test func searchingTexts() throws {
        let graph = try Graph()
        #expect(try graph.lines("RETURN replace('aaaa', 'aa', 'b'), replace('abc', '', 'x'), replace('äöä', 'ä', '€'), replace('abc', 'd', 'x'), replace('aXbX', 'X', '')")
            == ["bb | abc | €ö€ | abc | ab"])
        #expect(try graph.lines("RETURN split('a,b;c,', [',', ';']), split('abc', ''), split('', ','), split('a--b---', '--'), split('axybxc', ['x', 'xy'])")
            == ["[a, b, c, ] | [a, b, c] | [] | [a, b, -] | [a, yb, c]"])
        #expect(try graph.lines("RETURN 'abcabd' CONTAINS 'abd', 'abc' CONTAINS '', '' CONTAINS '', '' CONTAINS 'a', 'ab' CONTAINS 'abc', 'ä' CONTAINS 'a'")
            == ["true | true | true | false | false | false"])
    }

    @Test func manyVariablesAreTold() throws {
        let count = 300
        let columns = (0..<count).map { "\($0) AS v\($0)" }.joined(separator: ", ")
        let names = (0..<count).map { "v\($0)" }.joined(separator: ", ")
        let sum = "reduce(a = 0, x IN [\(names)] | a + x)"
        #expect(try Graph().lines("WITH \(columns) WITH *, v0 AS w RETURN \(sum), w") == ["\(count * (count - 1) / 2) | 0"])
    }
}
