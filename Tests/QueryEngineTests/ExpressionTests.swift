import Cypher
import GraphModel
import QueryEngine
import Testing

@Suite struct ExpressionTests {
    /// Expressions and their values, in openCypher.
    @Test(
        arguments: [
            // Arithmetic
            ("1 + 2 * 3 - 4", "3"), ("7 / 2", "3"), ("-7 / 2", "-3"), ("7.0 / 2", "3.5"), ("7 % 4", "3"),
            ("-7 % 4", "-3"),
            ("2 ^ 3 ^ 2", "64.0"), ("-2 ^ 2", "4.0"), ("1 + 1.5", "2.5"), ("1 - -1", "2"), ("- (3)", "-3"), ("+3", "3"),
            ("1 + null", "null"), ("null * 2.0", "null"), ("-9223372036854775808", "-9223372036854775808"),
            ("5.5 % 2", "1.5"),
            ("1e3", "1000.0"), (".5", "0.5"),
            // Strings and lists
            ("'a' + 'b'", "ab"), ("'a' + 1", "a1"), ("1.5 + 'a'", "1.5a"), ("[1] + [2]", "[1, 2]"),
            ("[1] + 2", "[1, 2]"),
            ("0 + [1]", "[0, 1]"), ("'a' + null", "null"), ("[1] + null", "null"), ("[1, 2, 3][0]", "1"),
            ("[1, 2, 3][-1]", "3"),
            ("[1, 2, 3][7]", "null"), ("[1, 2, 3][1..2]", "[2]"), ("[1, 2, 3][..-1]", "[1, 2]"),
            ("[1, 2, 3][1..]", "[2, 3]"),
            ("[1, 2, 3][null..2]", "null"), ("{a: 1, b: 'x'}.b", "x"), ("{a: 1}['a']", "1"), ("{a: 1}.z", "null"),
            ("'\\u00FC\\n\\'\\\\'", "ü\n'\\"), ("\"it's\"", "it's"),
            // Logic
            ("true AND null", "null"), ("false AND null", "false"), ("true OR null", "true"), ("false OR null", "null"),
            ("NOT null", "null"), ("true XOR true", "false"), ("true XOR null", "null"), ("NOT true OR true", "true"),
            ("true OR false AND false", "true"),
            // Comparison
            ("1 = 1.0", "true"), ("1 = '1'", "false"), ("null = null", "null"), ("null <> 1", "null"),
            ("1 < 2 < 3", "true"),
            ("1 < 3 < 2", "false"), ("'a' < 'b'", "true"), ("1 < 'a'", "null"), ("[1, 2] = [1, 2]", "true"),
            ("[1, null] = [1, 2]", "null"), ("[1, null] = [2, null]", "false"), ("[1] = [1, null]", "false"),
            ("[1, 2] < [1, 3]", "true"),
            ("{a: 1} = {a: 1.0}", "true"), ("{a: null} = {a: 1}", "null"),
            ("9007199254740993 = 9007199254740992.0", "false"),
            ("0.0 / 0.0 = 0.0 / 0.0", "false"), ("0.0 / 0.0 > 1", "false"), ("1 <> 2", "true"),
            ("true > false", "true"),
            ("'u\\u0308' = '\\u00FC'", "false"),
            // IN, IS NULL, strings
            ("1 IN [1, 2]", "true"), ("3 IN [1, 2]", "false"), ("3 IN [1, null]", "null"), ("1 IN [1, null]", "true"),
            ("null IN [1]", "null"), ("null IN []", "false"), ("1 IN null", "null"), ("[1] IN [[1], [2]]", "true"),
            ("1.0 IN [1]", "true"),
            ("[null] IN [[1]]", "null"), ("2 IN range(1, 3)", "true"), ("null IS NULL", "true"),
            ("1 IS NOT NULL", "true"),
            ("'abc' STARTS WITH 'ab'", "true"), ("'abc' ENDS WITH 'bc'", "true"), ("'abc' CONTAINS 'd'", "false"),
            ("'abc' CONTAINS ''", "true"), ("'abc' STARTS WITH null", "null"), ("1 STARTS WITH 'a'", "null"),
            ("'a' =~ '[a-c]'", "true"),
            // Functions
            ("size('abc')", "3"), ("size([1, 2])", "2"), ("length([1])", "1"), ("head([1, 2])", "1"),
            ("last([1, 2])", "2"),
            ("tail([1, 2])", "[2]"), ("head([])", "null"), ("reverse([1, 2])", "[2, 1]"), ("reverse('ab')", "ba"),
            ("coalesce(null, 2, 3)", "2"), ("coalesce(null)", "null"), ("range(1, 3)", "[1, 2, 3]"),
            ("range(5, 1, -2)", "[5, 3, 1]"),
            ("range(1, 0)", "[]"), ("abs(-3)", "3"), ("abs(-3.5)", "3.5"), ("round(2.5)", "3.0"),
            ("round(-2.5)", "-2.0"),
            ("sqrt(16)", "4.0"), ("sign(-3)", "-1"), ("ceil(1.2)", "2.0"), ("floor(-1.2)", "-2.0"),
            ("toInt('12')", "12"),
            ("toInteger(3.9)", "3"), ("toInteger('x')", "null"), ("toInt('3.7')", "3"), ("toFloat('1.5')", "1.5"),
            ("toFloat(1)", "1.0"),
            ("toString(1.0)", "1.0"), ("toString(true)", "true"), ("toString(1e10)", "1.0E10"),
            ("toString(0.00001234)", "1.234E-5"),
            ("toString(123456789.5)", "1.234567895E8"), ("str(7)", "7"), ("upper('aß')", "ASS"),
            ("toLower('AB')", "ab"),
            ("trim('  a ')", "a"), ("ltrim('  a ')", "a "), ("rtrim('  a ')", "  a"),
            ("substring('hello', 1, 3)", "ell"),
            ("substring('hello', 2)", "llo"), ("substring('a', 5)", ""), ("left('abc', 2)", "ab"),
            ("right('abc', 2)", "bc"),
            ("replace('abcb', 'b', 'x')", "axcx"), ("split('a,b,', ',')", "[a, b, ]"), ("keys({a: 1, b: 2})", "[a, b]"),
            ("toBoolean('TRUE')", "true"), ("size(null)", "null"), ("upper(null)", "null"),
            ("exists({a: 1}.a)", "true"),
        ] as [(String, String)])
    func values(expression: String, wanted: String) throws {
        let graph = try Graph()
        #expect(try graph.value("RETURN \(expression)").text == wanted, "\(expression)")
        // The same where operands come from rows, so that nothing is decided while planning.
        #expect(try graph.value("UNWIND [0] AS x WITH x, \(expression) AS y RETURN y").text == wanted, "\(expression)")
    }

    @Test(
        arguments: [
            ("1 / 0", ErrorCode.arithmeticError), ("1 % 0", .arithmeticError),
            ("9223372036854775807 + 1", .arithmeticError),
            // What is written out is refused before the query runs.
            ("'a' * 2", .syntaxError), ("true + 1", .syntaxError), ("NOT 1", .syntaxError), ("-'a'", .syntaxError),
            ("1 IN 2", .syntaxError), ("[1][true]", .typeError), ("1.x", .typeError), ("(1).x", .typeError),
            ("y * 2", .typeError), ("NOT y", .typeError), ("-y", .typeError), ("1 IN y", .typeError), ("[1][y]", .typeError),
            ("y.x", .typeError), ("all(z IN y WHERE true)", .typeError), ("[z IN y | z]", .typeError),
            ("abs('a')", .syntaxError), ("size(1)", .syntaxError), ("abs(y)", .typeError), ("keys(y)", .typeError), ("range(1, 2, 0)", .argumentError),
            ("substring('a', -1)", .argumentError),
            ("'a' =~ 1", .typeError), ("'a' =~ '('", .syntaxError),
            ("range(1, 100000000000)", .argumentError), ("toInt([1])", .syntaxError),
        ] as [(String, ErrorCode)])
    func errors(expression: String, code: ErrorCode) throws {
        let graph = try Graph()
        #expect(graph.error("UNWIND [1] AS x WITH x, $text AS y RETURN \(expression)", ["text": .string("t")])?.code == code, "\(expression)")
    }

    @Test func functionsOfEntities() throws {
        let graph = try Graph("CREATE (a:A:B {x: 1, y: 2})-[:T {w: 3}]->(b)")
        #expect(
            try graph.lines(
                "MATCH (a)-[r]->(b) RETURN id(a), id(r), type(r), labels(a), startNode(r), endNode(r), keys(a), properties(r)"
            )
                == ["0 | 0 | T | [A, B] | (0) | (1) | [x, y] | {w: 3}"])
        #expect(
            try graph.lines("MATCH (a:A) RETURN exists(a.x), has(a.z), a['x'], a:A, a:C") == [
                "true | false | 1 | true | false"
            ])
        #expect(
            try graph.lines("MATCH (a)-[r]->(b) RETURN a = b, a = startNode(r), a <> b, r = r") == [
                "false | true | true | true"
            ])
        #expect(graph.error("MATCH (a) RETURN type(a)")?.code == .syntaxError)
        #expect(graph.error("MATCH (a) RETURN length(a)")?.code == .syntaxError)
        #expect(graph.error("MATCH ()-[r]->() RETURN labels(r)")?.code == .syntaxError)
        #expect(graph.error("MATCH p = ()-->() RETURN p.x")?.code == .typeError)
    }
}

@Suite struct DialectTests {
    @Test func missingPropertyIsAnErrorOnlyInTheManualsLanguage() throws {
        let graph = try Graph("CREATE ({name: 'Ann'}), ({name: 'Bob', age: 5})")
        #expect(try graph.lines("START n=node(0) RETURN n.age") == ["null"])
        let error = graph.error("START n=node(0) RETURN n.age", dialect: .cypher18)
        #expect(error?.code == .propertyNotFound)
        #expect(error?.message == "The property 'age' does not exist on Node[0]")
        #expect(try graph.lines("START n=node(*) RETURN n.age?", dialect: .cypher18) == ["null", "5"])
        #expect(graph.error("START n=node(*) WHERE n.age > 3 RETURN n", dialect: .cypher18)?.code == .propertyNotFound)
        #expect(try graph.sorted("START n=node(*) WHERE n.age? > 7 RETURN n.name", dialect: .cypher18) == ["Ann"])
        #expect(try graph.sorted("START n=node(*) WHERE n.age! > 3 RETURN n.name", dialect: .cypher18) == ["Bob"])
        #expect(try graph.sorted("START n=node(*) WHERE 3 < n.age! RETURN n.name", dialect: .cypher18) == ["Bob"])
        #expect(
            try graph.sorted("START n=node(*) WHERE has(n.age) AND n.age = 5 RETURN n.name", dialect: .cypher18) == [
                "Bob"
            ])
        #expect(try graph.sorted("START n=node(*) WHERE n.age IS NULL RETURN n.name", dialect: .cypher18) == ["Ann"])
        #expect(
            try graph.sorted(
                "START n=node(*) WHERE n.name =~ {p} RETURN n.name", ["p": .string("(?i)a.*")], dialect: .cypher18) == [
                    "Ann"
                ])
    }

    @Test func partialMatchesMayLackAProperty() throws {
        // Only b with a relationship to c has the property; testing it on other b must not fail.
        let graph = try Graph("CREATE (a), (a)-[:T]->(x), (a)-[:T]->(y {v: 1})-[:U]->(z)")
        #expect(
            try graph.lines("START a=node(0) MATCH a-[:T]->b-[:U]->c WHERE b.v = 1 RETURN b.v", dialect: .cypher18) == [
                "1"
            ])
        #expect(
            try graph.lines("START a=node(0) MATCH a-[:T]->b-[:U]->c WHERE b.v > 1 RETURN b.v", dialect: .cypher18)
                == [])
    }

    @Test func nullsCompareInTwoValuesInTheManualsLanguage() throws {
        let graph = try Graph("CREATE ({name: 'Ann'})")
        #expect(
            try graph.lines("START n=node(0) MATCH n-[?]->m WHERE NOT(m.name = 'x') RETURN n", dialect: .cypher18) == [
                "(0)"
            ])
        #expect(
            try graph.lines("START n=node(0) MATCH n-[?]->m WHERE m = null RETURN n", dialect: .cypher18) == ["(0)"])
        #expect(graph.error("START n=node(0) WHERE n.name > 1 RETURN n", dialect: .cypher18)?.code == .typeError)
    }

    @Test func prefixOverridesTheDialect() throws {
        let graph = try Graph("CREATE ()")
        #expect(graph.error("CYPHER 1.8 START n=node(0) RETURN n.x")?.code == .propertyNotFound)
        #expect(try graph.lines("cypher 9 START n=node(0) RETURN n.x", dialect: .cypher18) == ["null"])
        #expect(graph.error("CYPHER 2.2 RETURN 1")?.code == .syntaxError)
        #expect(graph.error("MATCH (a)-[r?]->(b) RETURN a")?.message.contains("OPTIONAL MATCH") == true)
        #expect(graph.error("START n=node(0) MATCH n-->({x: 1}) RETURN n", dialect: .cypher18)?.code == .syntaxError)
        #expect(
            graph.error("START n=node(0) MATCH a-->b RETURN a", dialect: .cypher18)?.message.contains("connected")
                == true)
        #expect(graph.error("START n=node(0) RETURN n ORDER BY n", dialect: .cypher18)?.code == .syntaxError)
    }
}

@Suite struct RegularExpressionTests {
    @Test(
        arguments: [
            ("", "", true), ("a", "", false), ("abc", "a.c", true), ("abc", "ab", false), ("aaa", "a*", true),
            ("", "a*", true),
            ("ab", "(a|b)+", true), ("abab", "(?:ab){2}", true), ("ababab", "(?:ab){2}", false), ("aaa", "a{2,}", true),
            ("aaaa", "a{2,3}", false), ("ABC", "(?i)abc", true), ("ÄB", "(?i)äb", false), ("ÄB", "(?iu)äb", true),
            ("x5", "[a-z]\\d", true),
            ("x5", "[^a-z]\\d", false), ("a.b", "a\\.b", true), ("axb", "a\\.b", false), ("a\nb", "a.b", false),
            ("a\nb", "(?s)a.b", true),
            ("foo bar", "\\w+\\s\\w+", true), ("foo", "^foo$", true), ("a]b", "a[]]b", true), ("a-b", "a[x-]b", true),
            ("a*b", "\\Qa*b\\E", true), ("ü", ".", true), ("🐦", ".", true), ("abc", ".*b.*", true),
            ("foo", "\\bfoo\\b", true),
            ("5", "[0-9&&[^5]]", false), ("6", "[0-9&&[^5]]", true), ("aab", "a*?b", true), ("A", "\\p{Upper}", true),
            ("\\", "\\\\", true),
            ("/a", "\\/a", true), ("é", "\\u00e9", true), ("aXb", "a(?i:x)b", true), ("aXB", "a(?i:x)b", false),
        ] as [(String, String, Bool)])
    func matches(text: String, pattern: String, wanted: Bool) throws {
        let graph = try Graph()
        #expect(
            try graph.value("RETURN {t} =~ {p}", ["t": .string(text), "p": .string(pattern)]) == .boolean(wanted),
            "\(text) =~ \(pattern)")
    }

    @Test(arguments: [
        "(", ")", "[", "a**", "*", "a{2", "a{3,2}", "(?=a)", "(?<=a)", "\\1", "\\", "[z-a]", "(?z)", "\\q",
    ])
    func malformedPatternsAreErrors(pattern: String) throws {
        #expect(try Graph().error("RETURN 'a' =~ {p}", ["p": .string(pattern)])?.code == .syntaxError, "\(pattern)")
    }

    @Test func noPatternRunsAway() throws {
        let graph = try Graph()
        let text = Value.string(String(repeating: "a", count: 2000))
        #expect(try graph.value("RETURN {t} =~ '(a*)*(a|aa)+b'", ["t": text]) == .boolean(false))
        let deep = String(repeating: "(", count: 10_000) + String(repeating: ")", count: 10_000)
        #expect(graph.error("RETURN 'a' =~ {p}", ["p": .string(deep)])?.message.contains("nested") == true)
        #expect(graph.error("RETURN 'a' =~ '((((a{900}){900}){900}){900})'")?.message.contains("too large") == true)
        #expect(
            graph.error("RETURN 'a' =~ {p}", ["p": .string(String(repeating: "a?", count: 50_000))])?.code
                == .syntaxError)
    }
}
