import Cypher
import GraphModel
import QueryEngine
import TestSupport
import Testing

@Suite struct ErrorTests {
    /// Queries, and the line, the column and a word of the error.
    @Test(
        arguments: [
            ("MATCH (n)\nRETURN m", 2, 8, "not defined"), ("MATCH (n) RETURN n.x +", 1, 23, "expected an expression"),
            ("MATCH (n) RETURN foo(n)", 1, 18, "Unknown function"), ("RETURN head(1, 2)", 1, 8, "takes 1 argument"),
            ("RETURN substring('a')", 1, 8, "2 to 3 arguments"),
            ("MATCH (n)-[r]->(m)-[r]->(o) RETURN n", 1, 19, "two relationships"),
            ("MATCH (n)-[n]->(m) RETURN n", 1, 10, "cannot be a relationship"),
            ("MATCH (n)-[r]->(r) RETURN n", 1, 10, "cannot be a relationship"),
            ("MATCH (n) WITH count(n) RETURN 1", 1, 16, "AS name"), ("RETURN 'abc", 1, 8, "never closed"),
            ("RETURN `abc", 1, 8, "never closed"),
            ("RETURN /* abc", 1, 8, "never closed"), ("RETURN 1 != 2", 1, 10, "<>"),
            ("MATCH (n) RETURN", 1, 17, "expected"), ("MATCH (n)", 1, 10, "RETURN"),
            ("RETURN 1 RETURN 2", 1, 10, "nothing may follow"), ("FOO", 1, 1, "expected MATCH"),
            ("MATCH (n RETURN n", 1, 10, "\")\""),
            ("MATCH (ü) RETURN ü, x", 1, 21, "not defined"),
            ("MATCH (n)\r\n  WHERE n.x = = 2\nRETURN n", 2, 15, "expected an expression"),
            ("CREATE UNIQUE (a)-[:T]->(b)", 1, 15, "starts at a node"), ("MERGE (a)-[:T*2]->(b)", 1, 10, "variable length"),
            ("MERGE (a)-->(b)", 1, 10, "exactly one type"), ("RETURN 1 AS x UNION RETURN 2 AS y", 1, 1, "same column names"),
            ("RETURN 1 UNION RETURN 1 UNION ALL RETURN 1", 1, 25, "mixed"), ("CALL no.such()", 1, 1, "no procedure"),
            ("RETURN CASE WHEN true THEN 1", 1, 29, "END"), ("RETURN [x IN [1] | y]", 1, 20, "not defined"),
            ("MATCH (a) RETURN (a)-->()", 1, 18, "is a condition"), ("MATCH (a) WHERE (a)-->(b) RETURN a", 1, 17, "cannot introduce"),
            ("RETURN reduce(a = 0, x IN [1] | count(x))", 1, 33, "aggregate"), ("MATCH (n) WHERE n RETURN n", 1, 17, "condition"),
            ("RETURN 12ab", 1, 8, "no number"), ("RETURN 1 — 2", 1, 10, "unexpected character"),
            ("RETURN 99999999999999999999", 1, 8, "64-bit"), ("RETURN \"\\x\"", 1, 9, "escape"),
            ("UNWIND [1] AS x UNWIND [2] AS x RETURN x", 1, 17, "already declared"),
            ("MATCH (n) SET m.x = 1", 1, 15, "not defined"), ("CREATE (n) DELETE 1", 1, 19, "DELETE takes"),
            ("RETURN 1 LIMIT -1", 1, 16, "number"),
            ("RETURN 1 LIMIT 1.5", 1, 16, "whole number"),
            ("MATCH (n) WHERE sum(n.x) > 1 RETURN n", 1, 17, "aggregate"),
            ("RETURN size(DISTINCT [1])", 1, 8, "DISTINCT"),
            ("RETURN 1 # 2", 1, 10, "unexpected character"),
        ] as [(String, Int, Int, String)])
    func errorsTellWhereTheyAre(query: String, line: Int, column: Int, word: String) throws {
        let graph = try Graph()
        let error = try #require(graph.error(query), "\(query)")
        #expect(error.code == (query.hasPrefix("CALL") ? .procedureNotFound : .syntaxError))
        #expect(error.message.contains(word), "\(query): \(error.message)")
        #expect(error.message.contains("(line \(line), column \(column))"), "\(query): \(error.message)")
        // The caret stands under the column, behind the opening quote of the line above.
        let lines = error.message.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.last == Substring(String(repeating: " ", count: column) + "^"), "\(query): \(error.message)")
    }

    @Test func runTimeErrorsHaveTheirCodes() throws {
        let graph = try Graph("CREATE ({name: 'Ann'})")
        #expect(graph.error("RETURN {p}")?.code == .parameterMissing)
        #expect(graph.error("MATCH (n) RETURN n.name.x")?.code == .typeError)
        #expect(graph.error("MATCH (n) WHERE n.name RETURN n")?.code == .typeError)
        #expect(graph.error("WITH $n AS n MATCH (n)-->(m) RETURN m", ["n": .integer(1)])?.code == .typeError)
        #expect(graph.error("START r=rel(5) RETURN r")?.code == .entityNotFound)
        #expect(graph.error("START n=node(-1) RETURN n")?.code == .entityNotFound)
    }

    @Test func deepNestingIsAnError() throws {
        let graph = try Graph()
        for (open, middle, close) in [
            ("(", "1", ")"), ("[", "1", "]"), ("NOT ", "true", ""), ("-", "1", ""), ("+", "1", ""), ("{a: ", "1", "}"),
            ("abs(", "1", ")"),
            ("1 + ", "1", ""), ("1 = ", "1", ""), ("1 < ", "1", ""), ("1 ^ ", "1", ""), ("1 * ", "1", ""),
            ("1 IN ", "[1]", ""),
            ("", "1", " IS NULL"), ("", "[1]", "[0]"), ("", "$p", ".x"), ("- -", "1", ""), ("[1][", "0", "]"),
        ] {
            for count in [10_000, 100_000] {
                let text = String(repeating: open, count: count) + middle + String(repeating: close, count: count)
                let error = graph.error("RETURN \(text)", ["p": .null])
                #expect(error?.code == .syntaxError, "\(open) \(close)")
                #expect(error?.message.contains("nested deeper") == true, "\(open) \(close): \(error?.message ?? "")")
            }
        }
        #expect(graph.error("MATCH " + String(repeating: "(", count: 100_000))?.code == .syntaxError)
    }

    @Test func longChainsOfConditionsAreFine() throws {
        let graph = try Graph("CREATE ({x: 7})")
        let many = (0..<20_000).map { "n.x = \($0)" }
        #expect(try graph.lines("MATCH (n) WHERE \(many.joined(separator: " OR ")) RETURN n.x") == ["7"])
        #expect(
            try graph.lines(
                "MATCH (n) WHERE \((8..<3000).map { "n.x <> \($0)" }.joined(separator: " AND ")) RETURN n.x") == ["7"])
        #expect(
            try graph.lines(
                "MATCH (n) WHERE n.x IN [\((0..<50_000).map(String.init).joined(separator: ","))] RETURN n.x") == ["7"])
        let nested = String(repeating: "(", count: 150) + "1" + String(repeating: ")", count: 150)
        #expect(try graph.value("RETURN \(nested)") == .integer(1))
        #expect(
            try graph.value("RETURN " + Array(repeating: "1", count: 200).joined(separator: " + ")) == .integer(200))
    }

    @Test func longPatternsAreFine() throws {
        let graph = try Graph("CREATE (a)" + String(repeating: "-[:T]->()", count: 60))
        #expect(
            try graph.value("MATCH (a)" + String(repeating: "-[:T]->()", count: 60) + " RETURN count(*)") == .integer(1)
        )
        #expect(try graph.value("MATCH p = ()-[:T*60]->() RETURN length(p)") == .integer(60))
        let tooLong = "MATCH (a)" + String(repeating: "-[:T]->()", count: 20_000) + " RETURN count(*)"
        #expect(graph.error(tooLong)?.message.contains("limit") == true)
        try graph.run("CREATE (b)" + String(repeating: "-[:U]->()", count: 2000))
        #expect(try graph.value("MATCH ()-[r:U]->() RETURN count(*)") == .integer(2000))
    }
}

@Suite struct FuzzTests {
    private static let words = [
        "MATCH", "OPTIONAL", "START", "WHERE", "RETURN", "WITH", "UNWIND", "AS", "CREATE", "SET", "REMOVE", "DELETE",
        "DETACH", "ORDER",
        "BY", "SKIP", "LIMIT", "DISTINCT", "AND", "OR", "XOR", "NOT", "IN", "IS", "NULL", "TRUE", "STARTS", "ENDS",
        "CONTAINS", "node", "rel",
        "(", ")", "[", "]", "{", "}", "-", ">", "<", "--", "-->", "<--", ":", "|", "*", "..", "=", "<>", "<=", "=~",
        "+", "/", "%", "^", "?",
        "!", ".", ",", ";", "$", "a", "b", "n", "r", "p", "x", "`q`", "'s'", "\"t\"", "1", "2", "0", "3.5", "1e9",
        "Person", "KNOWS", "count", "MERGE", "ON", "UNION", "ALL", "CALL", "YIELD", "FOREACH", "CASE", "WHEN", "THEN", "ELSE",
        "END", "EXISTS", "COUNT", "any", "none", "single", "reduce", "extract", "filter", "shortestPath", "UNIQUE", "INDEX",
        "CONSTRAINT", "DROP", "SHOW", "PROFILE", "date", "duration", "===", "FOR", "REQUIRE", "x IN",
        "collect", "id", "head", "range", "type", "EXPLAIN", "CYPHER", "1.8", "//", "/*", "*/", "\\", "'", "\"", "`",
        "\n", "ü", "🐦", "\u{0}",
    ]
    private static let seeds = [
        "MATCH (a:Person {name: 'x'})-[r:KNOWS*1..3]->(b) WHERE a.age > 3 AND b.name =~ 'x.*' RETURN a, count(*) ORDER BY a.name SKIP 1 LIMIT 2",
        "START n=node(*) MATCH p = n-[r?:T]->m WHERE has(n.x) RETURN p, n.x?, m.y!",
        "CREATE (a {x: [1, 2, {p}]})-[:T]->(b $q) SET a.x = 1, b += {y: 2}, a:L REMOVE a.z DELETE b",
        "UNWIND [1, 'a', null] AS x WITH DISTINCT x, x IN [1] AS y WHERE y RETURN x[0..1], {a: x}.a, NOT (x = 1) XOR true",
        "MERGE (a:P {x: 1})-[r:T]->(b) ON CREATE SET a.y = 1 ON MATCH SET b:L WITH a FOREACH (z IN [1] | CREATE (c {x: z}))",
        "MATCH (a) WHERE EXISTS { (a)-->(b) WHERE b.x = 1 } OR (a)<--() RETURN [p = (a)-->(c) WHERE c.x > 1 | length(p)] UNION RETURN 1",
        "MATCH (a) CALL { WITH a MATCH (a)-->(b) RETURN count(b) AS c } RETURN CASE a.x WHEN 1 THEN 'x' ELSE c END AS d, a {.x, .*}",
        "START a=node(0) MATCH a-[?]-x-[?]-b CREATE UNIQUE a-[:T {x: 1}]->(c {y: 2}) WITH a RETURN filter(x in [1] : x = 1), length(a-->())",
        "CREATE INDEX i IF NOT EXISTS FOR (n:L) ON (n.x, n.y)", "SHOW INDEXES YIELD name WHERE name = 'x' RETURN count(*)",
        "OPTIONAL MATCH (a)-->(b), (b)--(c) WITH a, collect(DISTINCT b) AS l RETURN size(l), coalesce(a.x, 'd'), range(1, 3)[-1]",
    ]

    /// Random words, and queries with something changed: an answer or an error, never a crash, and soon.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func anythingGivesAnAnswerOrAnError(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = try Graph("CREATE (:Person {name: 'x', age: 4})-[:KNOWS]->(:Person {name: 'xy'}), ()-[:T]->()")
        let parameters: [String: Value] = ["p": .integer(1), "q": .map(MapValue([]))]
        var accepted = 0
        for round in 0..<4000 {
            var query: String
            if round % 2 == 0 {
                query = (0..<Int.random(in: 1...25, using: &generator)).map { _ in
                    Self.words[Int.random(in: 0..<Self.words.count, using: &generator)]
                }.joined(separator: Bool.random(using: &generator) ? " " : "")
                if Bool.random(using: &generator) { query = "MATCH (a) RETURN " + query }
            } else {
                query = mutate(Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &generator)], &generator)
            }
            let dialect: Dialect = Bool.random(using: &generator) ? .cypher18 : .cypher9
            // Nothing is committed: the graph stays as it is.
            let transaction = graph.committer.begin(nodes: 100, relationships: 100)
            do {
                let prepared = try graph.engine.prepare(query, dialect: dialect, over: transaction)
                accepted += 1
                _ = try Graph.run(
                    prepared, transaction, parameters,
                    ExecutionControl(deadlineNanoseconds: .max))
            } catch let error as GraphError {
                #expect(!error.message.isEmpty, "seed \(seed), round \(round): \(query)")
            }
        }
        #expect(accepted > 20, "seed \(seed)")
    }

    private func mutate(_ query: String, _ generator: inout SeededGenerator) -> String {
        var characters = Array(query)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let place = Int.random(in: 0..<characters.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: characters.remove(at: place)
            case 1:
                characters.insert(
                    contentsOf: Self.words[Int.random(in: 0..<Self.words.count, using: &generator)], at: place)
            case 2: characters.swapAt(place, Int.random(in: 0..<characters.count, using: &generator))
            default:
                let end = min(characters.count, place + Int.random(in: 1...8, using: &generator))
                characters.removeSubrange(place..<end)
            }
            if characters.isEmpty { characters = ["x"] }
        }
        return String(characters)
    }
}
