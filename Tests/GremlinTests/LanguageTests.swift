import GraphModel
import Gremlin
import TestSupport
import Testing

@Suite struct LanguageTests {
    @Test(arguments: [
        ("", "null"),
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("1 / 2", "0.5"),
        ("7 % 4 + 2 ** 10", "1027"),
        ("'a' + 1 + null", #""a1null""#),
        ("\"1 + 1 = ${1 + 1}, $x.name\"", #""1 + 1 = 2, n""#),
        ("[1, 2] + 3 - [1]", "[2, 3]"),
        ("[a: 1, 'b': 2, (1 + 2): 4]", "{a: 1, b: 2, 3: 4}"),
        ("[:]", "{}"),
        ("(1..4).collect{it * it}", "[1, 4, 9, 16]"),
        ("[1, 2, 3][-1] + [1, 2, 3, 4][1..2].sum()", "8"),
        ("def f(a, b = 2) { a + b }\nf(1) + f(1, 1)", "5"),
        ("def fib(n) { n < 2 ? n : fib(n - 1) + fib(n - 2) }; fib(15)", "610"),
        ("def f = { a, b -> a * b }; f(3, 4) + f.call(1, 1)", "13"),
        ("s = 0\nfor (i in 1..10) {\n  if (i % 2) continue\n  if (i > 8) break\n  s += i\n}\ns", "20"),
        ("s = 0; for (int i = 0; i < 4; i++) { s += i }; s", "6"),
        ("i = 0; while (true) { i++; if (i == 7) break }\ni", "7"),
        ("if (null) 1 else if ([]) 2 else 3", "3"),
        ("if (1)\n  'yes'\nelse\n  'no'", #""yes""#),
        ("x?.name + (null?.name ?: '!')", #""n!""#),
        ("null ?: 5", "5"),
        ("[1, null, 3]*.toString()", #"["1", null, "3"]"#),
        ("!(1 == 1.0) || 2 in [1, 2] && 'b' <=> 'a'", "true"),
        ("try { throw new RuntimeException('bad') } catch (Exception e) { e.message.contains('bad') } finally { 1 }", "true"),
        ("try { nothing } catch (e) { 'caught' }", #""caught""#),
        ("'12'.toInteger() + '7' as Integer", "127"),
        ("String s = 'Ab'; final int n = 2; s.toLowerCase() * n", #""abab""#),
        ("def (a, b) = [1, 2]; a - b", "-1"),
        ("import org.neo4j.graphdb.*\nimport java.util.ArrayList;\nnew ArrayList([1])", "[1]"),
        ("m = [:]; m.a = 1; m['b'] = 2; m.b -= 5; m.collect{k, v -> k + v}", #"["a1", "b-3"]"#),
        ("[3, 1, 2].sort().reverse().join('-')", #""3-2-1""#),
        ("[1, 2, 3, 4].inject(0){a, b -> a + b} + [5, 9].max() + [[1], [2, [3]]].flatten().size()", "22"),
        ("['x', 'yy'].groupBy{it.size()}", #"{1: ["x"], 2: ["yy"]}"#),
        ("[b: 1, a: 2].sort{it.key}.keySet()", #"["a", "b"]"#),
        ("'a,b'.split(',').size() + 'abc'.substring(1, 2) + 'abab'.replace('b', 'c') + 'hello'[1..2]", #""2bacacel""#),
        ("return 4\n5", "4"),
        ("[1, [2, [a: null]]]", "[1, [2, {a: null}]]"),
        ("x = [] as Set; x << 1; x << 1; x.size()", "1"),
        ("[1, 2].each{ it }\n.collect{ it + 1 }", "[2, 3]"),
        ("/* c */ 1 // d", "1"),
        ("x = 1; { -> x = 2 }(); x", "2"),
        ("Math.max(1, 2.5) + Math.abs(-1)", "3.5"),
    ])
    func scriptsGiveWhatGroovyGives(_ script: String, _ result: String) throws {
        let graph = try TestGraph()
        let x = Value.map(MapValue([("name", .string("n"))]))
        #expect(try graph.run(script, [("x", x)]) == result, "\(script)")
    }

    @Test(arguments: [
        "new File('/etc/passwd').getText()", "'ls'.execute()", "System.exit(0)", "java.lang.Runtime.getRuntime()",
        "Class.forName('x')", "x.class.forName('y')", "import java.io.File", "import java.net.*", "''.getClass()", "Eval.me('1')",
        "g.getClass()", "g.class", "String.class.newInstance()", "evaluate('1')", "Thread.start{}", "new URL('http://x').text",
        "g.loadGraphML('http://localhost/')", "g.saveGraphML('x')", "this.metaClass", "x.metaClass", "@Grab('x') y = 1",
        "class A {}", "'x' =~ /y/", "[1].execute()", "\"id\".execute()", "new int[5]", "g.&v", "g.v(0).@id",
        "Gremlin.defineStep('x', [Vertex], {})", "g.getRawGraph().getKernelData()", "new org.evil.Thing()",
        "x.\"${'execute'}\"()", "new Thread()", "switch (1) { case 1: 2 }", "Object.newInstance()",
    ])
    func everythingElseIsRefused(_ script: String) throws {
        let graph = try TestGraph()
        let error = #expect(throws: GraphError.self) { try graph.run(script, [("x", .string("ls"))]) }
        #expect(error?.code == .scriptSyntax || error?.code == .scriptFailure, "\(script): \(String(describing: error))")
    }

    @Test(arguments: [
        ("1 +", "line 1, column 4"), ("x = [1, 2", "line 1"), ("'abc", "line 1, column 1"), ("a\n  b c", "line 2, column 5"),
        ("f(", "line 1"), ("} ", "line 1, column 1"), ("1\n\nnothing", "line 3, column 1"),
    ])
    func errorsNameTheirPlace(_ script: String, _ place: String) throws {
        let error = #expect(throws: GraphError.self) { try TestGraph().run(script) }
        #expect(error?.message.contains(place) == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        "while (true) {}", "for (;;) {}", "x = [1]; for (y in x) x << y", "def f() { f() }; f()",
        "x = 'a'; while (true) x += x", "x = []; while (true) x << 'abc'", "x = [:]; i = 0; while (true) x[i++] = i",
        "(1..4000000000).collect{it}", "c = { c() }; c()", "x = []; while (true) { x = [x] }",
        "p = g.V; while (true) p = p.out", "g.v(0).both.loop(1){true}.iterate()", "x = [1]; while (true) x = x + x",
        "g.v(0).both.loop(1){true}{true}.paths", "p = g.v(0).out; while (true) p = p.loop(1){false}",
        "p = _().out; while (true) p = g.V.copySplit(p)", "x = [1].toSet(); while (true) { y = x; x = { y }; x = [x]; x = { x } }",
    ])
    func nothingRunsAway(_ script: String) throws {
        let graph = try TestGraph.tinker()
        var checks = 0
        let error = #expect(throws: GraphError.self) {
            try graph.run(script, byteCountMaximum: 8 << 20) { () throws(GraphError) in
                checks += 1
                if checks > 300 { throw GraphError(.executionLimit, "enough") }
            }
        }
        let codes: [ErrorCode] = [.executionLimit, .queryMemory, .scriptFailure]
        #expect(codes.contains(try #require(error).code), "\(script): \(String(describing: error))")
    }

    @Test(arguments: ["(", "[", "{", "f(", "x.y(", "!", "-", "a ? b : ", "a.b", "1 + ", "if (1) ", "x = ", "[a: "])
    func deepNestingIsAnError(_ part: String) throws {
        let script = String(repeating: part, count: 60_000 / part.count)
        let error = #expect(throws: GraphError.self) { try GremlinScript(script) }
        #expect(error?.code == .scriptSyntax)
    }

    @Test func selfContainingListsAreFreedAndRefusedAsText() throws {
        let graph = try TestGraph()
        #expect(throws: GraphError.self) { try graph.run("x = []; x << x; x") }
        #expect(try graph.run("x = []; x << x; m = [:]; m.m = m; f = { f }; x.size()") == "1")
        // Freed one after the other, not one within the other.
        for script in [
            "x = []; for (i in 1..50000) x = [x]; x = null; 1",
            "m = [a: 1]; for (i in 1..50000) { for (e in m) m = [a: e] }; m = null; 1",
            "q = [1]; for (i in 1..20000) { p = q; q = [1]._().transform{p}; q.next() }; q = null; 1",
            "x = 1; for (i in 1..20000) { [1]._().transform{x}.loop(1){x = it; false}.iterate() }; x = null; 1",
            "x = 1; for (i in 1..20000) { y = x; x = { y } }; x = null; 1",
        ] { #expect(try graph.run(script) == "1", "\(script)") }
    }

    @Test func soupOfWordsNeverCrashes() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        let words = [
            "g", "v", "(", ")", "[", "]", "{", "}", ".", "?.", "*.", ",", ";", "\n", ":", "?", "->", "=", "+=", "-", "+", "*", "/",
            "%", "**", "<<", "..", "==", "<=>", "<", "in", "as", "def", "if", "else", "for", "while", "return", "try", "catch",
            "new", "x", "it", "0", "1", "2.5", "'s'", "\"a${x}b\"", "null", "true", "out", "in", "outE", "inV", "name", "each",
            "collect", "filter", "loop", "back", "table", "paths", "V", "E", "Table", "groupCount", "cap", "copySplit", "_", "!",
            "++", "&&", "||", "instanceof", "String", "size", "sort", "next", "toList", "g.v(0)", ".out()", "{it}", "[1, 2]", "()",
        ]
        let graph = try TestGraph.tinker()
        var understood = 0
        for _ in 0..<4000 {
            let count = Int.random(in: 1...14, using: &random)
            let script = (0..<count).map { _ in words.randomElement(using: &random) ?? "" }.joined(separator: " ")
            var checks = 0
            do throws(GraphError) {
                _ = try graph.run(script, [("x", .integer(1))], byteCountMaximum: 4 << 20) { () throws(GraphError) in
                    checks += 1
                    if checks > 20 { throw GraphError(.executionLimit, "enough") }
                }
                understood += 1
            } catch {
                #expect(error.code.httpStatus < 500, "seed \(seed): \(script): \(error)")
            }
        }
        #expect(understood > 20, "seed \(seed): only \(understood) scripts made sense")
    }
}
