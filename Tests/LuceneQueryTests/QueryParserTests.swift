import GraphModel
import LuceneQuery
import TestSupport
import Testing

@Suite struct QueryParserTests {
    /// A query in one line: what is required has a `+`, what is excluded a `-`.
    static func text(_ query: IndexQuery) -> String {
        switch query {
        case .everything: "*:*"
        case .boosted(let query, let factor): "\(text(query))^\(factor)"
        case .combined(let clauses):
            "("
                + clauses.map { clause in
                    switch clause.role {
                    case .optional: text(clause.query)
                    case .required: "+" + text(clause.query)
                    case .excluded: "-" + text(clause.query)
                    }
                }.joined(separator: " ") + ")"
        case .matching(let key, let condition):
            key + ":"
                + {
                    switch condition {
                    case .text(let text, let slop): "'\(text)'" + (slop > 0 ? "~\(slop)" : "")
                    case .wildcard(let pattern): "wild \(pattern.prefix)"
                    case .fuzzy(let term): "fuzzy \(term.text)"
                    case .range(let lower, let upper):
                        (lower.map { ($0.isIncluded ? "[" : "{") + $0.text } ?? "(*") + " TO "
                            + (upper.map { $0.text + ($0.isIncluded ? "]" : "}") } ?? "*)")
                    }
                }()
        }
    }

    @Test(arguments: [
        ("name:A", "name:'A'"),
        ("title:*Matrix* AND year:1999", "(+title:wild  +year:'1999')"),
        ("title:*Matrix* year:1999", "(title:wild  year:'1999')"),
        ("type:ACTS_IN AND name:Neo", "(+type:'ACTS_IN' +name:'Neo')"),
        ("Name:Build~0.1 AND Gender:Male", "(+Name:fuzzy Build +Gender:'Male')"),
        ("a:1 AND b:2 OR c:3", "(+a:'1' +b:'2' c:'3')"),
        ("+a:1 -b:2 !c:3 NOT d:4", "(+a:'1' -b:'2' -c:'3' -d:'4')"),
        ("a:(x OR y) && b:z", "(+(a:'x' a:'y') +b:'z')"),
        ("a:\"x y\"~2^1.5", "a:'x y'~2^1.5"),
        ("a:x^2 b:y~", "(a:'x'^2.0 b:fuzzy y)"),
        ("a:x~0.7^2", "a:fuzzy x^2.0"),
        ("a:[1 TO 5] b:{a TO *]", "(a:[1 TO 5] b:{a TO *))"),
        ("a:{\"x y\" TO b\\]}", "a:{x y TO b]}"),
        ("a\\:b:c\\*d", "a:b:'c*d'"),
        ("name:thoMas\\ ANDerson", "name:'thoMas ANDerson'"),
        ("*:*", "*:*"),
        ("-a:1", "(-a:'1')"),
        ("a:ANDROID OR a:ORB", "(a:'ANDROID' a:'ORB')"),
        ("a : b", "a:'b'"),
        ("user45@neo4j.org:x-y+z", "user45@neo4j.org:'x-y+z'"),
        ("a:(b c:d)", "(a:'b' c:'d')"),
    ])
    func understands(query: String, wanted: String) throws {
        #expect(Self.text(try IndexQuery.parse(query)) == wanted)
    }

    @Test func keyAndOperatorCanBeGiven() throws {
        #expect(Self.text(try IndexQuery.parse("*e*", key: "name")) == "name:wild ")
        #expect(Self.text(try IndexQuery.parse("a:1 b:2", defaultOperator: .and)) == "(+a:'1' +b:'2')")
        #expect(Self.text(try IndexQuery.parse("a:1 OR b:2 c:3", defaultOperator: .and)) == "(a:'1' b:'2' +c:'3')")
    }

    @Test(arguments: [
        ("", 1), ("A", 1), ("name:", 6), ("name:(a", 6), ("name:a)", 7), ("AND a:b", 1), ("a:b AND", 8),
        ("a:\"b", 3), ("a:[1 TO 2", 3), ("a:[1 2]", 6), ("a:b^x", 5), ("a:b~1.5", 5), ("a*:b", 1), ("a:b \\", 6), (":b", 1), ("a:]", 3),
    ])
    func refusesAndNamesThePlace(query: String, place: Int) {
        #expect(performing: { try IndexQuery.parse(query) }, throws: {
            guard let error = $0 as? GraphError else { return false }
            return error.code == .argumentError && error.message.contains("character \(place):")
        })
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func noTextTrapsTheParser(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let parts = ["a", ":", "*", "?", "(", ")", "[", "]", "{", "}", "\"", "~", "^", "\\", "+", "-", "!", " ", "AND", "OR", "NOT", "TO", "1.5", "é", "&&", "||", "9999999999999999999"]
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0..<12, using: &generator)).map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
            do throws(GraphError) { _ = try IndexQuery.parse(text) } catch {
                #expect(error.code == .argumentError, "seed \(seed): \(text)")
            }
        }
        #expect(throws: GraphError.self) { try IndexQuery.parse(String(repeating: "(", count: 100_000)) }
    }
}

@Suite struct TermTests {
    private func pattern(_ text: String) throws -> WildcardPattern {
        guard case .matching(_, .wildcard(let pattern)) = try IndexQuery.parse("k:" + text) else {
            throw GraphError(.general, "\(text) is no pattern")
        }
        return pattern
    }

    @Test(arguments: [
        ("*e*", "Keanu Reeves", true), ("*e*", "Tom", false), ("te?t", "test", true), ("te?t", "tet", false),
        ("?", "é", true), ("?", "🐦", true), ("??", "🐦", false), ("a*b*c", "aXbYbc", true), ("a*b*c", "aXbYcd", false),
        ("*", "", true), ("a*", "a", true), ("*a", "ba", true), ("*🐦?", "x🐦y", true), ("a\\*b?", "a*bc", true),
    ])
    func wildcards(text: String, value: String, matches: Bool) throws {
        #expect(try pattern(text).matches(value) == matches)
    }

    /// Against trying everything.
    @Test(arguments: 0..<10 as Range<UInt64>)
    func wildcardsAgreeWithAPlainModel(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func matches(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            if first == "*" { return matches(pattern.dropFirst(), text) || (!text.isEmpty && matches(pattern, text.dropFirst())) }
            guard let head = text.first, first == "?" || first == head else { return false }
            return matches(pattern.dropFirst(), text.dropFirst())
        }
        for _ in 0..<2000 {
            let wild = "*" + String((0..<Int.random(in: 0...5, using: &generator)).map { _ in "ab?*".randomElement(using: &generator) ?? "a" })
            let text = String((0..<Int.random(in: 0...6, using: &generator)).map { _ in "abé".randomElement(using: &generator) ?? "a" })
            #expect(try pattern(wild).matches(text) == matches(Array(wild)[...], Array(text)[...]), "seed \(seed): \(wild) \(text)")
        }
    }

    @Test func fuzzyTermsResembleByLengthOrEdits() throws {
        let loose = try #require(FuzzyTerm("Build", 0.1))
        #expect(loose.similarity("Builder") == 0.6)
        #expect(loose.similarity("Build") == 1)
        #expect(loose.similarity("Other") == nil)
        let strict = try #require(FuzzyTerm("kitten", 2))
        #expect(strict.similarity("sitting") == nil)
        #expect(strict.similarity("mitten") != nil)
        #expect(FuzzyTerm("a", 1.5) == nil)
        #expect(FuzzyTerm.distance(Array("kitten".unicodeScalars), Array("sitting".unicodeScalars), atMost: 9) == 3)
        #expect(FuzzyTerm.distance([], Array("ab".unicodeScalars), atMost: 1) == nil)
    }

    @Test func analyzersSplitAndLower() {
        func tokens(_ configuration: [String: String], _ text: String) -> [String]? {
            Analyzer.configured(configuration).analyzer?.tokens(text)
        }
        #expect(tokens([:], "The Matrix") == ["The Matrix"])
        #expect(tokens(["type": "exact", "to_lower_case": "true"], "The Matrix") == ["the matrix"])
        #expect(tokens(["type": "fulltext"], " The\tMatrix, re-loaded ") == ["the", "matrix,", "re-loaded"])
        #expect(tokens(["type": "fulltext", "to_lower_case": "false"], "The Matrix") == ["The", "Matrix"])
        #expect(tokens(["analyzer": "org.apache.lucene.analysis.SimpleAnalyzer"], "R2-D2 goes") == ["r", "d", "goes"])
        #expect(tokens(["analyzer": "standard"], "R2-D2") == ["r2", "d2"])
        for wrong in [["type": "other"], ["to_lower_case": "maybe"], ["analyzer": "com.example.Mine"]] {
            #expect(Analyzer.configured(wrong).analyzer == nil)
            #expect(Analyzer.configured(wrong).wrong.contains(wrong.values.first ?? "?"))
        }
    }
}
