internal import GraphModel

/// Reads query strings: recursive descent over their characters.
///
/// As in the original, operators have no precedence: each of `AND`, `OR`, `NOT`, `+` and `-` says of the clauses beside it
/// whether they are required, optional or excluded.
struct QueryParser {
    private let text: String
    private let scalars: [Unicode.Scalar]
    private let key: String?
    private let defaultOperator: IndexQuery.Operator
    private var position = 0
    private var depth = 0
    private static let depthMaximum = 100

    init(_ text: String, key: String?, defaultOperator: IndexQuery.Operator) {
        self.text = text
        scalars = Array(text.unicodeScalars)
        self.key = key
        self.defaultOperator = defaultOperator
    }

    mutating func parse() throws(GraphError) -> IndexQuery {
        let query = try combination(key)
        if position < scalars.count { throw fail("\")\" closes nothing") }
        return query
    }

    // MARK: Characters

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" || scalar == "\u{3000}"
    }

    private mutating func skipBlanks() {
        while let scalar = next, Self.isBlank(scalar) { position += 1 }
    }

    private func fail(_ problem: String, at place: Int? = nil) -> GraphError {
        GraphError(.argumentError, "index query \"\(text)\", character \((place ?? position) + 1): \(problem)")
    }

    /// Takes a word that stands for itself: `AND`, `&&`.
    private mutating func accept(word: String) -> Bool {
        let word = Array(word.unicodeScalars)
        let end = position + word.count
        guard end <= scalars.count, scalars[position..<end].elementsEqual(word) else { return false }
        if end < scalars.count, !Self.isBlank(scalars[end]), !"(\"[{+-!".unicodeScalars.contains(scalars[end]) { return false }
        position = end
        return true
    }

    // MARK: Clauses

    private enum Conjunction {
        case none, and, or
    }

    /// Clauses up to the end or a closing parenthesis.
    private mutating func combination(_ key: String?) throws(GraphError) -> IndexQuery {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMaximum else {
            throw fail("parentheses are nested deeper than \(Self.depthMaximum)")
        }
        var clauses: [IndexQuery.Clause] = []
        while true {
            skipBlanks()
            if next == nil || next == ")" { break }
            var conjunction = Conjunction.none
            let start = position
            if accept(word: "AND") || accept(word: "&&") { conjunction = .and } else if accept(word: "OR") || accept(word: "||") {
                conjunction = .or
            }
            if clauses.isEmpty && conjunction != .none { throw fail("AND and OR stand between two terms", at: start) }
            skipBlanks()
            let isExcluded: Bool
            let isRequired: Bool
            if accept("+") {
                (isRequired, isExcluded) = (true, false)
            } else if accept("-") || accept("!") || accept(word: "NOT") {
                (isRequired, isExcluded) = (false, true)
            } else {
                (isRequired, isExcluded) = (false, false)
            }
            skipBlanks()
            if next == nil || next == ")" { throw fail("a term has to follow here") }
            add(try clause(key), conjunction, isRequired: isRequired, isExcluded: isExcluded, to: &clauses)
        }
        if clauses.isEmpty { throw fail("a term is missing, as in key:value") }
        if clauses.count == 1, clauses[0].role != .excluded { return clauses[0].query }
        return .combined(clauses)
    }

    private func add(
        _ query: IndexQuery, _ conjunction: Conjunction, isRequired: Bool, isExcluded: Bool,
        to clauses: inout [IndexQuery.Clause]
    ) {
        func set(last role: IndexQuery.Role) {
            guard let last = clauses.last, last.role != .excluded else { return }
            clauses[clauses.count - 1] = .init(role, last.query)
        }
        if conjunction == .and { set(last: .required) }
        let role: IndexQuery.Role
        switch defaultOperator {
        case .or:
            role = isExcluded ? .excluded : isRequired || conjunction == .and ? .required : .optional
        case .and:
            if conjunction == .or { set(last: .optional) }
            role = isExcluded ? .excluded : isRequired || conjunction != .or ? .required : .optional
        }
        clauses.append(.init(role, query))
    }

    private mutating func clause(_ key: String?) throws(GraphError) -> IndexQuery {
        let start = position
        if next == "(" { return try group(key) }
        if next == "\"" || next == "[" || next == "{" { return try condition(key, start) }
        if next == "*", position + 2 < scalars.count, scalars[position + 1] == ":", scalars[position + 2] == "*" {
            position += 3
            return try boosted(.everything)
        }
        let word = try self.word()
        let end = position
        skipBlanks()
        guard accept(":") else {
            position = end
            return try condition(key, word, start)
        }
        if word.hasWildcards { throw fail("a key cannot have wildcards (escape them with \\)", at: start) }
        skipBlanks()
        let named = word.text
        if next == "(" { return try group(named) }
        if next == nil || next == ")" { throw fail("a value has to follow \"\(named):\"") }
        return try condition(named, position)
    }

    private mutating func group(_ key: String?) throws(GraphError) -> IndexQuery {
        let start = position
        position += 1
        let query = try combination(key)
        guard accept(")") else { throw fail("this parenthesis is not closed", at: start) }
        return try boosted(query)
    }

    // MARK: Conditions

    private func require(_ key: String?, _ place: Int) throws(GraphError) -> String {
        if let key { return key }
        throw fail("which key? write key:value", at: place)
    }

    private mutating func condition(_ key: String?, _ start: Int) throws(GraphError) -> IndexQuery {
        let opening = next
        if opening == "[" || opening == "{" {
            let key = try require(key, start)
            return try boosted(.matching(key: key, try range()))
        }
        if opening == "\"" {
            let key = try require(key, start)
            let phrase = try quoted()
            var slop = 0
            if accept("~") { slop = Int(min(try number() ?? 0, 1_000_000)) }
            return try boosted(.matching(key: key, .text(phrase, slop: slop)))
        }
        return try condition(key, try word(), start)
    }

    private mutating func condition(_ key: String?, _ word: Word, _ start: Int) throws(GraphError) -> IndexQuery {
        let key = try require(key, start)
        var boost: Double?
        var condition = IndexQuery.Condition.text(word.text, slop: 0)
        if word.hasWildcards { condition = .wildcard(WildcardPattern(word.units)) }
        // Either order.
        for _ in 0..<2 {
            if accept("~") {
                let place = position
                let number = try number() ?? FuzzyTerm.defaultSimilarity
                guard !word.hasWildcards else { throw fail("a term with wildcards cannot be fuzzy", at: place - 1) }
                guard let fuzzy = FuzzyTerm(word.text, number) else {
                    throw fail("after ~ stands a similarity from 0 to 1, or a whole number of edits", at: place)
                }
                condition = .fuzzy(fuzzy)
            } else if boost == nil, next == "^" {
                boost = try boostFactor()
            }
        }
        let query = IndexQuery.matching(key: key, condition)
        return boost.map { .boosted(query, by: $0) } ?? query
    }

    private mutating func boosted(_ query: IndexQuery) throws(GraphError) -> IndexQuery {
        next == "^" ? .boosted(query, by: try boostFactor()) : query
    }

    private mutating func boostFactor() throws(GraphError) -> Double {
        position += 1
        guard let factor = try number() else { throw fail("after ^ stands a number") }
        return factor
    }

    /// Digits with an optional fraction; nil when there are none.
    private mutating func number() throws(GraphError) -> Double? {
        let start = position
        while let scalar = next, ("0"..."9").contains(scalar) || scalar == "." { position += 1 }
        if position == start { return nil }
        var digits = String.UnicodeScalarView()
        digits.append(contentsOf: scalars[start..<position])
        guard let number = Double(String(digits)) else { throw fail("\"\(String(digits))\" is not a number", at: start) }
        return number
    }

    private mutating func range() throws(GraphError) -> IndexQuery.Condition {
        let start = position
        let includesLower = next == "["
        position += 1
        let lower = try bound()
        skipBlanks()
        guard accept(word: "TO") else { throw fail("a range is [a TO b], or {a TO b} without its bounds") }
        let upper = try bound()
        skipBlanks()
        guard next == "]" || next == "}" else {
            throw fail(next == nil ? "this range is not closed" : "a range ends with ] or }", at: next == nil ? start : nil)
        }
        let includesUpper = next == "]"
        position += 1
        return .range(
            lower.map { .init($0, isIncluded: includesLower) }, upper.map { .init($0, isIncluded: includesUpper) })
    }

    /// nil for `*`: no bound.
    private mutating func bound() throws(GraphError) -> String? {
        skipBlanks()
        if next == "\"" { return try quoted() }
        let start = position
        var result = String.UnicodeScalarView()
        while let scalar = next, !Self.isBlank(scalar), scalar != "]", scalar != "}" {
            position += 1
            if scalar == "\\", let escaped = next {
                result.append(escaped)
                position += 1
            } else {
                result.append(scalar)
            }
        }
        if position == start { throw fail("a bound of the range is missing") }
        return position == start + 1 && scalars[start] == "*" ? nil : String(result)
    }

    private mutating func quoted() throws(GraphError) -> String {
        let start = position
        position += 1
        var result = String.UnicodeScalarView()
        while let scalar = next {
            position += 1
            if scalar == "\"" { return String(result) }
            if scalar == "\\", let escaped = next {
                result.append(escaped)
                position += 1
            } else {
                result.append(scalar)
            }
        }
        throw fail("this quotation mark is not closed", at: start)
    }

    /// Characters of a term; wildcards among them unless they were escaped.
    private struct Word {
        var units: [WildcardPattern.Unit] = []
        var hasWildcards: Bool { units.contains { if case .scalar = $0 { false } else { true } } }
        var text: String {
            var view = String.UnicodeScalarView()
            for case .scalar(let scalar) in units { view.append(scalar) }
            return String(view)
        }
    }

    private mutating func word() throws(GraphError) -> Word {
        let start = position
        var word = Word()
        while let scalar = next {
            if Self.isBlank(scalar) || "!():^[]\"{}~".unicodeScalars.contains(scalar) { break }
            position += 1
            switch scalar {
            case "\\":
                guard let escaped = next else { throw fail("\\ escapes the next character, and there is none") }
                word.units.append(.scalar(escaped))
                position += 1
            case "*": word.units.append(.many)
            case "?": word.units.append(.one)
            default: word.units.append(.scalar(scalar))
            }
        }
        if position == start, let scalar = next { throw fail("\"\(scalar)\" cannot stand here (escape it with \\)") }
        return word
    }
}
