import Cypher
import GraphModel
import Testing

@Suite struct ParserTests {
    private func clauses(_ text: String, _ dialect: Dialect = .cypher9) throws -> [Clause.Kind] {
        guard case .query(let body) = try Parser.parse(text, dialect: dialect).statement else { return [] }
        return body.branches[0].map(\.kind)
    }

    private func expression(_ text: String, _ dialect: Dialect = .cypher9) throws -> Expression.Kind {
        let kinds = try clauses(dialect == .cypher9 ? "RETURN \(text)" : "START n=node(0) RETURN \(text)", dialect)
        guard case .return(let projection)? = kinds.last else { throw GraphError(.general, "no RETURN") }
        return projection.items[0].expression.kind
    }

    @Test(
        arguments: [
            ("START n=node(0) RETURN n", Dialect.cypher18), ("CREATE (n {x: 1})", .cypher18), ("CREATE a-[:T]->b", .cypher18),
            ("CREATE (n:L)", .cypher9), ("CREATE (:L)", .cypher9), ("CREATE (n {x: $x})", .cypher9),
            ("CREATE (a) MERGE (b)", .cypher9), ("MATCH (n) RETURN n", .cypher9), ("RETURN 1", .cypher9),
            ("EXPLAIN START n=node(0) RETURN n", .cypher18), ("PROFILE MATCH (n) RETURN n", .cypher9),
            ("// words\nSTART n=node(0) RETURN n", .cypher18), ("CREATE INDEX FOR (n:L) ON (n.x)", .cypher9),
            ("  unwind [1] as x return x", .cypher9), ("", .cypher9), ("'", .cypher9),
        ])
    func theDialectIsToldByTheBeginning(query: String, dialect: Dialect) {
        #expect(Dialect.detect(in: query) == dialect)
    }

    @Test func aPrefixOverridesTheDialect() throws {
        #expect(try Parser.parse("CYPHER 1.8 START n=node(0) RETURN n", dialect: .cypher9).dialect == .cypher18)
        #expect(try Parser.parse("cypher 9 EXPLAIN RETURN 1", dialect: .cypher18).mode == .explain)
        #expect(try Parser.parse("PROFILE CYPHER 9 RETURN 1", dialect: .cypher18).dialect == .cypher9)
        #expect(throws: GraphError.self) { try Parser.parse("CYPHER 2.0 RETURN 1", dialect: .cypher9) }
    }

    @Test(
        arguments: [
            ("0x1F", 31), ("0o17", 15), ("-0x8000000000000000", Int64.min), ("9223372036854775807", .max),
            ("-9223372036854775808", .min), ("007", 7),
        ] as [(String, Int64)])
    func integersOfAllBases(text: String, wanted: Int64) throws {
        guard case .literal(.integer(let number)) = try expression(text) else {
            Issue.record("\(text) is no integer")
            return
        }
        #expect(number == wanted)
    }

    @Test(arguments: ["9223372036854775808", "0xFFFFFFFFFFFFFFFF", "0o9", "0x", "1e400", "12ab", "'\\q'", "'\\u12'", "`", "'x", "/* x"])
    func malformedLiteralsAreErrors(text: String) {
        #expect(throws: GraphError.self) { try expression(text) }
    }

    @Test func stringsAndNamesAreDecoded() throws {
        guard case .literal(.string(let text)) = try expression(#"'a\t\u00fc\'\\ \U0001F426'"#),
            case .variable(let name) = try expression("`a``b`")
        else {
            Issue.record("neither a string nor a name")
            return
        }
        #expect(text.text == "a\tü'\\ 🐦")
        #expect(name == "a`b")
    }

    /// `(a)-(b)` subtracts, `(a)--(b)` is a pattern.
    @Test func patternsAndArithmeticAreToldApart() throws {
        guard case .arithmetic(.subtract, _, _) = try expression("(a)-(b)"), case .pattern = try expression("(a)--(b)"),
            case .pattern = try expression("(a)<-[:T]-(b {x: 1})"), case .compare(.less, _, _) = try expression("(a)<-1"),
            case .pattern = try expression("n-->()", .cypher18), case .arithmetic = try expression("n.x - n.y", .cypher18),
            case .list = try expression("[(a), (b)]"), case .patternComprehension = try expression("[(a)-->(b) | b.x]"),
            case .listComprehension = try expression("[x IN list WHERE x > 1]")
        else {
            Issue.record("an expression was taken for another")
            return
        }
    }

    @Test func precedence() throws {
        guard case .or(_, let right) = try expression("a OR b AND NOT c = d"), case .and(_, let negated) = right.kind,
            case .not(let compared) = negated.kind, case .compare = compared.kind,
            case .and(let low, let high) = try expression("1 < a <= 3"), case .compare(.less, _, _) = low.kind,
            case .compare(.lessOrEqual, _, _) = high.kind, case .arithmetic(.add, _, let product) = try expression("1 + 2 * 3 ^ 2"),
            case .arithmetic(.multiply, _, let power) = product.kind, case .arithmetic(.power, _, _) = power.kind
        else {
            Issue.record("an expression is bound otherwise")
            return
        }
    }

    @Test func keywordsCanBeNames() throws {
        let kinds = try clauses("MATCH (count:Index {end: 1})-[type:IN]->(node) WHERE count.limit = 1 RETURN count.order AS `by`, id")
        guard case .match(let parts, _) = kinds[0] else {
            Issue.record("no MATCH")
            return
        }
        #expect(parts[0].nodes[0].labels == ["Index"])
        #expect(parts[0].relationships[0].types == ["IN"])
    }

    @Test func showStandsForAProcedure() throws {
        let kinds = try clauses("SHOW INDEXES YIELD name, state ORDER BY name LIMIT 3 WHERE state = 'ONLINE' RETURN name")
        guard case .call(let call) = kinds[0] else {
            Issue.record("no CALL")
            return
        }
        #expect(call.name == "db.indexes")
        #expect(call.yields?.map(\.field) == ["name", "state"])
        #expect(kinds.count == 4)
    }

    @Test(
        arguments: [
            ("CREATE INDEX i FOR (n:L) ON (n.a, n.b)", "i", ["a", "b"]), ("CREATE INDEX ON :L(a)", nil, ["a"]),
            ("CREATE CONSTRAINT c IF NOT EXISTS FOR (n:L) REQUIRE (n.a) IS UNIQUE", "c", ["a"]),
            ("CREATE CONSTRAINT ON (n:L) ASSERT exists(n.a)", nil, ["a"]),
            ("CREATE RANGE INDEX FOR ()-[r:L]-() ON (r.a)", nil, ["a"]),
        ] as [(String, String?, [String])])
    func schemaCommands(text: String, name: String?, keys: [String]) throws {
        guard case .schema(let command) = try Parser.parse(text, dialect: .cypher9).statement,
            case .create(let found, _, let target, let foundKeys, _) = command.action
        else {
            Issue.record("no schema command: \(text)")
            return
        }
        #expect(found == name)
        #expect(target.name == "L")
        #expect(foundKeys == keys)
    }

    @Test func textsOfColumnsAreAsTyped() throws {
        guard case .return(let projection)? = try clauses("START n=node(0) RETURN COUNT( * ),  n.`odd name` , n.x?", .cypher18).last else {
            Issue.record("no RETURN")
            return
        }
        #expect(projection.items.map(\.name) == ["COUNT( * )", "n.odd name", "n.x?"])
    }
}
