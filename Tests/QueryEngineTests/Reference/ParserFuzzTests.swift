import Cypher
import FileSystem
import GraphModel
import QueryEngine
import TestSupport
import Testing

/// Whatever text is given to the parser and the planner, they come back soon, with a query or an error of its text.
///
/// `MARTLET_FUZZ_SECONDS` is how long each test goes on (default 1, and so 2 in all).
@Suite struct ParserFuzzTests {
    private static let seconds = environment("MARTLET_FUZZ_SECONDS").flatMap { Double($0) } ?? 1
    private static let firstSeed = environment("MARTLET_REFERENCE_SEED").flatMap { UInt64($0) } ?? 1
    private static let slowNanoseconds: UInt64 = 1_000_000_000

    private static let tokens = [
        "MATCH", "OPTIONAL", "WHERE", "RETURN", "WITH", "UNWIND", "CREATE", "MERGE", "SET", "REMOVE", "DELETE", "DETACH",
        "FOREACH", "CALL", "YIELD", "UNION", "ALL", "START", "ORDER BY", "SKIP", "LIMIT", "AS", "IN", "ON", "UNIQUE",
        "EXISTS", "COUNT", "COLLECT", "CASE", "WHEN", "THEN", "ELSE", "END", "AND", "OR", "XOR", "NOT", "IS", "NULL",
        "true", "STARTS WITH", "CONTAINS", "DISTINCT", "shortestPath", "allShortestPaths", "reduce", "any", "none",
        "single", "filter", "extract", "node", "rel", "PROFILE", "EXPLAIN", "CYPHER", "1.8", "9", "SHOW", "INDEX",
        "CONSTRAINT", "FOR", "REQUIRE", "DROP", "IF", "(", ")", "[", "]", "{", "}", "-", "--", "->", "<-", "<", ">", "=",
        "<>", "<=", "=~", "+", "+=", "*", "/", "%", "^", "|", ":", ";", ",", ".", "..", "!", "?", "$", "&", "n", "m", "r",
        "a", "T", "`x y`", "x", "0", "1", "1.5", "1e3", "0x1F", "9223372036854775808", "'text'", "\"text\"", "'", "\"",
        "`", "//", "/*", "*/", "\\", "\\u0041", "$p", "{p}", "count(*)", "===", "é", "\u{0}",
    ]

    /// A query, or what is left of one.
    private func text(_ generator: inout QueryGenerator) -> String {
        func valid() -> [UInt8] {
            let writes = generator.chance(40)
            let clauses = generator.chance(30) ? generator.manualQuery(writes: writes) : generator.query(writes: writes)
            return Array(clauses.joined(separator: " ").utf8)
        }
        switch generator.number(0...5) {
        case 0:
            let count = generator.number(0...200)
            return String(decoding: (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator.random) }, as: UTF8.self)
        case 1:
            let count = generator.number(0...60)
            return (0..<count).map { _ in generator.pick(Self.tokens) }.joined(separator: generator.pick([" ", "", " "]))
        case 2:
            let bytes = valid()
            return String(decoding: bytes.prefix(generator.number(0...bytes.count)), as: UTF8.self)
        case 3:
            // Words exchanged, left out, doubled.
            var words = String(decoding: valid(), as: UTF8.self).split(separator: " ").map(String.init)
            for _ in 0..<generator.number(1...4) where !words.isEmpty {
                let place = generator.number(0...words.count - 1)
                switch generator.number(0...3) {
                case 0: words.remove(at: place)
                case 1: words.insert(generator.pick(Self.tokens), at: place)
                case 2: words.insert(words[place], at: generator.number(0...words.count))
                default: words[place] = generator.pick(Self.tokens)
                }
            }
            return words.joined(separator: " ")
        case 4:
            // Nested or repeated more than anybody needs.
            let count = generator.number(1...3000)
            let part = generator.pick(["(", "[", "{a: ", "NOT ", "-", "n.", "1 + ", "[x IN ", "CASE WHEN ", "(a)--", "EXISTS { ", "f("])
            return "RETURN " + String(repeating: part, count: count) + String(decoding: valid(), as: UTF8.self)
        default:
            var bytes = valid()
            for _ in 0..<generator.number(1...5) where !bytes.isEmpty {
                let place = generator.number(0...bytes.count - 1)
                switch generator.number(0...2) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator.random)
                default: bytes.insert(contentsOf: Array(generator.pick(Self.tokens).utf8), at: place)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private func forAWhile(_ body: (String, Dialect, Comment) throws -> Void) rethrows {
        let end = monotonicNanoseconds() + UInt64(Self.seconds * 1e9)
        var seed = Self.firstSeed
        while monotonicNanoseconds() < end {
            var generator = QueryGenerator(seed: seed)
            for round in 0..<50 {
                let text = text(&generator)
                let start = monotonicNanoseconds()
                try body(text, generator.chance(30) ? .cypher18 : .cypher9, "seed \(seed), round \(round): \(text)")
                let elapsed = monotonicNanoseconds() - start
                #expect(elapsed < Self.slowNanoseconds, "seed \(seed), round \(round), \(elapsed / 1_000_000) ms: \(text)")
            }
            seed += 1
        }
    }

    @Test func parserEndsWhateverItIsGiven() {
        forAWhile { text, dialect, comment in
            do throws(GraphError) {
                _ = try Parser.parse(text, dialect: dialect)
            } catch {
                #expect(error.code == .syntaxError || error.code == .procedureNotFound, comment)
            }
        }
    }

    @Test func plannerEndsWhateverItIsGiven() throws {
        let graph = try Graph("CREATE (:A {x: 1})-[:T]->(:B {x: 2})")
        forAWhile { text, dialect, comment in
            do throws(GraphError) {
                _ = try graph.engine.prepare(text, dialect: dialect, over: graph.store.beginRead())
            } catch {
                #expect(error.code.name.hasPrefix("Neo.ClientError."), comment)
            }
        }
    }
}
