import GraphModel
import Storage
import TestSupport
import Testing
import Traversal

/// The language of filters: what it can do, what it refuses, and that nothing makes it fall over.
@Suite struct ExpressionTests {
    /// a -knows{since: 1999}-> b -loves-> c, all with properties.
    private func graph() throws -> TestGraph {
        let graph = try TestGraph()
        try graph.write { transaction in
            _ = try transaction.createNode(
                properties: [
                    ("name", .string("Root")), ("age", .integer(30)), ("height", .float(1.5)), ("isOld", .boolean(false)),
                    ("tags", .list([.string("x"), .string("y")])), ("note", .string("Grüße 😀!")),
                ])
            _ = try transaction.createNode(properties: [("name", .string("Tobias"))])
            _ = try transaction.createNode(properties: [("name", .string("Sara"))])
            _ = try transaction.createRelationship(
                type: "knows", from: NodeID(0), to: NodeID(1), properties: [("since", .integer(1999))])
            _ = try transaction.createRelationship(type: "loves", from: NodeID(2), to: NodeID(1), properties: [])
        }
        return graph
    }

    /// What an expression says at the end of a-b-c, or at a alone.
    private func value(_ text: String, atStart: Bool = false, _ graph: TestGraph? = nil) throws -> Bool {
        let expression = try TraversalExpression(text)
        let graph = try graph ?? self.graph()
        var result = false
        let description = TraversalDescription().evaluator(
            .evaluating { position throws(GraphError) in
                if position.length == (atStart ? 0 : 2) {
                    return Evaluation(includes: try expression.isTrue(at: position), continues: false)
                }
                return .excludeAndContinue
            })
        try description.traverse(from: NodeID(0), in: graph.snapshot).forEachPath { _ in
            result = true
            return true
        }
        return result
    }

    @Test(arguments: [
        // The manual's and its cases'.
        "position.endNode().getProperty('name').toLowerCase().contains('s')", "position.length() >= 2;",
        "position.length()<3;", "!(position.length() > 10)", "position.endNode().getProperty('name') == 'Sara'",
        "position.length() > 0 && position.lastRelationship().getType().name().equals('loves') && position.startNode().hasProperty('name')",
        // Entities.
        "position.startNode().getId() == 0", "position.endNode() != position.startNode()",
        "position.endNode() === position.lastRelationship().getStartNode()",
        "position.lastRelationship().getEndNode().getId() === 1", "position.lastRelationship().isType('loves')",
        "position.lastRelationship().getOtherNode(position.endNode()).getProperty('name') == 'Tobias'",
        "position.endNode().getProperty('age', 7) == 7", "!position.endNode().hasProperty('age')",
        "position.lastRelationship().getType() == position.lastRelationship().getType()",
        "position.endNode().hasRelationship()", "position.lastRelationship().getId() == 1",
        "position.toString() == '(0)--[knows,0]-->(1)<--[loves,1]--(2)'", "position.endNode().toString() == 'Node[2]'",
        // Operators.
        "1 + 2 * 3 == 7", "(1 + 2) * 3 == 9", "7 % 4 == 3", "7 / 2 == 3.5", "6 / 2 == 3", "-3 < 2", "+3 > 2",
        "1 + '1' == '11'", "'a' < 'b'", "1 == '1'", "null == undefined", "null != 0", "1 < 2 || 1 / 0 == 1 ? true : false",
        "false ? false : true", "true || 1 == 2 && false", "!false && !!true", "9223372036854775807 + 1 > 9.2e18",
        "0x10 == 16", "1e3 == 1000", "'a\\u0041\\'' == \"aA'\"", "1; 2; true;", "/* all */ true // of it",
        "0/0 != 0/0", "!(0/0 < 1)", "1/0 > 5",
        // Strings.
        "position.startNode().getProperty('note').length() == 9", "position.startNode().getProperty('note').length == 9",
        "'Martlet'.substring(1, 3) == 'ar'", "'Martlet'.substring(4) == 'let'", "'Martlet'.indexOf('t') == 3",
        "'Martlet'.lastIndexOf('t') == 6", "'Martlet'.indexOf('t', 4) == 6", "'Martlet'.indexOf('x') == -1",
        "'Martlet'.lastIndexOf('t', 5) == 3", "'Martlet'.charAt(0) == 'M'", "' a '.trim() == 'a'", "'a'.concat('b') == 'ab'",
        "'aXbX'.replace('X', 'yy') == 'ayybyy'", "'a'.compareTo('c') < 0", "'aB'.equalsIgnoreCase('Ab')", "''.isEmpty()",
        "'Martlet'.startsWith('Mart') && 'Martlet'.endsWith('let')", "'é'.toUpperCase() == 'É'", "!'é'.equals('e\\u0301')",
        // Values of properties.
        "position.startNode().getProperty('tags').length == 2", "position.startNode().getProperty('tags')[1] == 'y'",
        "position.startNode().getProperty('age') / 4 == 7.5", "position.startNode().getProperty('height').intValue() == 1",
        "!position.startNode().getProperty('isOld')", "position.startNode().getProperty('height') * 2 == 3",
    ])
    func expressionsThatAreTrue(text: String) throws {
        #expect(try value(text), "\(text)")
    }

    @Test func theStartHasNoLastRelationship() throws {
        #expect(try value("position.lastRelationship() == null", atStart: true))
        let error = failure { _ = try value("position.lastRelationship().getType() == null", atStart: true) }
        #expect(error?.code == .typeError && error?.message.contains("getType() is called on null") ?? false)
    }

    /// What is asked in vain, the code, and what the message must name.
    @Test(arguments: [
        ("position.endNode().getProperty('age') == 1", "PropertyNotFound", "Node[2] has no property \"age\""),
        ("position.endNode().getProperty('age', null).length() == 1", "TypeError", "null"),
        ("position.length()", "TypeError", "not a number"), ("'a'", "TypeError", "true or false"),
        ("1 && true", "TypeError", "a number"), ("!1", "TypeError", "true or false"), ("-'a' == 1", "TypeError", "a number"),
        ("position.length() < null", "TypeError", "cannot be compared"), ("true + 1 == 2", "TypeError", "calculated"),
        ("position < 1", "TypeError", "cannot be compared"), ("position.getProperty('a') == 1", "TypeError", "a path has no"),
        ("position.endNode().length() == 1", "TypeError", "a node has no method length()"),
        ("'a'.substring(2) == ''", "ArgumentError", "substring()"), ("'a'.charAt(9223372036854775807) == ''", "ArgumentError", "charAt()"),
        ("'a'.contains(1)", "TypeError", "takes a string"), ("'a'.substring('b') == 'c'", "TypeError", "whole number"),
        ("position.startNode().getProperty('tags')[2] == 'y'", "ArgumentError", "2 elements"),
        ("'a'[0] == 'a'", "TypeError", "only a list"),
        ("position.lastRelationship().getOtherNode(position.startNode()) == null", "ArgumentError", "getOtherNode"),
    ])
    func evaluationErrors(text: String, code: String, message: String) throws {
        let error = failure { _ = try value(text) }
        #expect(error?.code.name.hasSuffix(code) ?? false, "\(text): \(String(describing: error))")
        #expect(error?.message.contains(message) ?? false, "\(text): \(String(describing: error))")
    }

    /// What is refused, and what the message must name.
    @Test(arguments: [
        ("", "empty"), (" ;; ", "empty"), ("position.(((", "the name of a method"), ("position.length( > 1", "a value"),
        ("1 +", "the end"), ("'abc", "not closed (character 1)"), ("/* a", "not closed"), ("(1", "\")\""), ("1 2", "2"),
        ("true ? 1", "\":\""), ("#", "#"), ("0x", "no number"), ("'\\u12'", "four hexadecimal"), ("1e", "no number"),
        ("position.length(1)", "takes 0 arguments, not 1"), ("'a'.replace('b')", "takes 2"), ("position.endNode", "brackets"),
        ("var a = 1", "\"var\" (character 1)"), ("new java.io.File('/')", "\"new\""), ("java.lang.System.exit(0)", "\"java\""),
        ("function() { return true }", "\"function\""), ("position.length() = 1", "the assignment \"=\" (character 19)"),
        ("position.class", "the property \"class\""), ("position.getClass().forName('x')", "the method \"getClass\""),
        ("/a/.test('a')", "a regular expression"), ("1 & 2", "the bit operator"), ("[1]", "\"[\""), ("{}", "\"{\""),
        ("true instanceof x", "\"instanceof\""), ("position()", "a call of what is no method"), ("x++", "the name \"x\""),
        ("position.nodes()", "the method \"nodes\""), ("return true", "\"return\""), ("1 => 2", "\"=>\""),
    ])
    func refusals(text: String, message: String) throws {
        let error = failure { _ = try TraversalExpression(text) }
        #expect(error?.code == .syntaxError, "\(text)")
        #expect(error?.message.contains(message) ?? false, "\(text): \(String(describing: error))")
        #expect(error?.message.contains("character ") ?? false, "\(text): \(String(describing: error))")
    }

    @Test func whatIsBeyondTheSubsetNamesTheAlternative() {
        let error = failure { _ = try TraversalExpression("java.lang.System.exit(0)") }
        #expect(error?.message.contains("Cypher") ?? false)
    }

    // MARK: Limits

    @Test func depthAndLengthAreBounded() throws {
        func nested(_ count: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: count) + "true" + String(repeating: close, count: count)
        }
        #expect(try value(nested(90, "(", ")")))
        #expect(try value(nested(90, "!", "")))
        for text in [
            nested(5000, "(", ")"), nested(5000, "!", ""), nested(1000, "true ? ", " : true"),
            String(repeating: "true && ", count: 1000) + "true", "''" + String(repeating: ".trim()", count: 1000),
            String(repeating: "position.equals(", count: 500) + "1" + String(repeating: ")", count: 500),
        ] {
            let error = failure { _ = try TraversalExpression(text) }
            #expect(error?.message.contains("one inside the other") ?? false, "\(text.prefix(20))")
        }
        // A long list of alternatives is no mistake.
        #expect(try value(String(repeating: "false || ", count: 400) + "true"))
        let long = failure { _ = try TraversalExpression(String(repeating: " ", count: 20_000) + "true") }
        #expect(long?.message.contains("16384") ?? false)
    }

    @Test func textsThatExplodeAreStopped() {
        let error = failure {
            _ = try value("'aaaaaaaaaaaaaaaa'" + String(repeating: ".replace('a', 'aaaaaaaaaaaaaaaa')", count: 30) + " == ''")
        }
        #expect(error?.code == .argumentError && error?.message.contains("too long") ?? false)
    }

    // MARK: Anything at all

    private static let words = [
        "position", ".", "length", "(", ")", "endNode", "getProperty", "'name'", "\"a\"", "==", "===", "!=", "<", ">=", "&&",
        "||", "!", "?", ":", "+", "-", "*", "/", "%", "1", "2.5", "0x1F", "true", "false", "null", ",", ";", "[", "]", "{", "}",
        "contains", "substring", "replace", "toLowerCase", "lastRelationship", "getType", "name", "startNode", "hasProperty",
        "function", "var", "x", "=", "'", "\\", "//", "/*", "*/", " ", "\n", "é", "😀", "\u{0}", "9223372036854775808", "1e999",
        "-9223372036854775808", "position.length()", "position.endNode()", ".getId()", "indexOf", "charAt", "intValue",
    ]

    @Test func wordSoupNeverFallsOver() throws {
        let graph = try graph()
        let seed: UInt64 = 20_261
        var generator = SeededGenerator(seed: seed)
        var readCount = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...14, using: &generator)
            let text = (0..<count).compactMap { _ in Self.words.randomElement(using: &generator) }.joined()
            guard let expression = try? TraversalExpression(text) else { continue }
            readCount += 1
            let description = TraversalDescription().evaluator(.including(where: expression))
            // Whatever it says: true, false or an error that names itself.
            let error = failure {
                try description.traverse(from: NodeID(0), in: graph.snapshot).forEachPath { _ in true }
            }
            if let error { #expect(error.code.httpStatus == 400 && !error.message.isEmpty, "seed \(seed): \(text)") }
        }
        #expect(readCount > 200)
    }

    @Test func bytesNeverFallOver() {
        let seed: UInt64 = 20_262
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...40, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = String(decoding: bytes, as: UTF8.self)
            let error = failure { _ = try TraversalExpression(text) }
            if let error { #expect(error.code == .syntaxError, "seed \(seed): \(bytes)") }
        }
    }
}
