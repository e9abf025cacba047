import LuceneQuery
import TestSupport

/// Random query strings in all of Lucene's syntax, with what they mean.
struct IndexQueryGenerator {
    var generator: SeededGenerator
    let keys: [String]
    let words: [String]

    mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func one<T>(of list: [T]) -> T { list[below(list.count)] }

    /// - Parameter defaultKey: of terms without a key; nil: all have one.
    mutating func query(defaultKey: String?, _ defaultOperator: IndexQuery.Operator, depth: Int = 0) -> (text: String, meaning: ReferenceQuery) {
        var clauses: [ReferenceQuery.Clause] = []
        var text = ""
        let count = depth == 0 ? 1 + below(4) : 1 + below(3)
        for index in 0..<count {
            var isAnd = false
            var isOr = false
            if index > 0 {
                text += one(of: [" ", "  ", " "])
                switch below(5) {
                case 0, 1:
                    isAnd = true
                    text += one(of: ["AND ", "&& "])
                case 2:
                    isOr = true
                    text += one(of: ["OR ", "|| "])
                default: break
                }
            }
            var role = ReferenceQuery.Role.should
            switch below(8) {
            case 0:
                role = .must
                text += one(of: ["+", "+ "])
            case 1:
                role = .mustNot
                text += one(of: ["-", "!", "NOT ", "- "])
            default: break
            }
            let part = clause(defaultKey, defaultOperator, depth)
            text += part.text
            // What Lucene's QueryParser does with each further clause (3.5, addClause).
            if let last = clauses.last, last.role != .mustNot {
                if isAnd { clauses[clauses.count - 1].role = .must }
                if isOr, defaultOperator == .and { clauses[clauses.count - 1].role = .should }
            }
            switch defaultOperator {
            case .or: if role == .should, isAnd { role = .must }
            case .and: if role == .should, !isOr { role = .must }
            }
            clauses.append(.init(role: role, query: part.meaning))
        }
        return (text, .combination(clauses))
    }

    private mutating func clause(
        _ defaultKey: String?, _ defaultOperator: IndexQuery.Operator, _ depth: Int
    ) -> (text: String, meaning: ReferenceQuery) {
        if chance(3) { return boosted("*:*", .everything) }
        var key = defaultKey
        var text = ""
        if key == nil || chance(30) {
            let named = one(of: keys)
            key = named
            text = escaped(named) + ":"
        }
        let known = key ?? keys[0]
        if depth < 3, chance(18) {
            let inner = query(defaultKey: known, defaultOperator, depth: depth + 1)
            return boosted(text + "(" + inner.text + ")", inner.meaning)
        }
        switch below(10) {
        case 0, 1:
            var pattern: [ReferenceQuery.Wild] = []
            var written = ""
            for scalar in one(of: words).unicodeScalars {
                switch below(5) {
                case 0:
                    pattern.append(.many)
                    written += "*"
                case 1:
                    pattern.append(.one)
                    written += "?"
                default:
                    pattern.append(.scalar(scalar))
                    written += escaped(String(scalar))
                }
            }
            let hasWildcards = pattern.contains { if case .scalar = $0 { false } else { true } }
            if !hasWildcards {
                pattern.append(.many)
                written += "*"
            }
            return boosted(text + written, .leaf(key: known, .wildcard(pattern)))
        case 2:
            let word = one(of: words)
            let (suffix, limit) = one(of: [("", 0.5), ("0.3", 0.3), ("0.8", 0.8), ("1", 1.0), ("2", 2.0), ("0", 0.0)])
            return boosted(text + escaped(word) + "~" + suffix, .leaf(key: known, .fuzzy(word, limit)))
        case 3, 4:
            let (low, lower) = bound()
            let (high, upper) = bound()
            let (opening, closing) = (chance(50), chance(50))
            return boosted(
                text + (opening ? "[" : "{") + low + " TO " + high + (closing ? "]" : "}"),
                .leaf(key: known, .range(lower: lower, upper: upper, includesLower: opening, includesUpper: closing)))
        case 5, 6:
            let phrase = (0..<1 + below(3)).map { _ in one(of: words) }.joined(separator: " ")
            let slop = chance(40) ? below(4) : 0
            let written = "\"" + phrase.replacing("\"", with: "\\\"") + "\"" + (slop > 0 ? "~\(slop)" : "")
            return boosted(text + written, .leaf(key: known, .text(phrase, slop: slop)))
        case 7:
            let number = one(of: ["3", "7", "10", "2.5", "5", "1.0"])
            return boosted(text + number, .leaf(key: known, .text(number, slop: 0)))
        default:
            let word = one(of: words)
            return boosted(text + escaped(word), .leaf(key: known, .text(word, slop: 0)))
        }
    }

    private mutating func bound() -> (text: String, value: String?) {
        if chance(15) { return ("*", nil) }
        let word = one(of: words + ["3", "7", "10", "2.5", "-1"])
        return chance(20) ? ("\"" + word + "\"", word) : (word.replacing(" ", with: "\\ "), word)
    }

    private mutating func boosted(_ text: String, _ meaning: ReferenceQuery) -> (text: String, meaning: ReferenceQuery) {
        guard chance(10) else { return (text, meaning) }
        let (written, factor) = one(of: [("2", 2.0), ("0.5", 0.5), ("3.25", 3.25)])
        return (text + "^" + written, .boosted(meaning, factor))
    }

    /// A word that cannot be taken for anything but a word.
    private func escaped(_ text: String) -> String {
        let reserved = ["AND", "OR", "NOT", "&&", "||"]
        var result = ""
        for scalar in text.unicodeScalars {
            if "\\+-!():^[]\"{}~*? &|".unicodeScalars.contains(scalar) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return reserved.contains(result) ? "\\" + result : result
    }
}
