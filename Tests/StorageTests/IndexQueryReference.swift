import GraphModel
import TestSupport

/// Index queries the simple way: each entity on its own against everything that was added for it. Nothing here is shared
/// with the engine but the syntax of query strings, which is written down twice: there it is read, here it is made.
enum ReferenceQuery {
    case everything
    case leaf(key: String, Condition)
    case combination([Clause])
    indirect case boosted(ReferenceQuery, Double)

    struct Clause {
        var role: Role
        let query: ReferenceQuery
    }

    enum Role { case should, must, mustNot }

    enum Condition {
        case text(String, slop: Int)
        /// nil is any one character, "*" in `many` any number of them.
        case wildcard([Wild])
        case fuzzy(String, Double)
        case range(lower: String?, upper: String?, includesLower: Bool, includesUpper: Bool)
    }

    enum Wild {
        case one, many
        case scalar(Unicode.Scalar)
    }
}

/// How an index takes values apart.
struct ReferenceAnalysis {
    let splits: Bool
    let lowercases: Bool

    func lowered(_ text: String) -> String { lowercases ? text.lowercased() : text }

    func tokens(_ text: String) -> [String] {
        splits ? lowered(text).split { $0 == " " || $0 == "\t" }.map(String.init) : [lowered(text)]
    }
}

/// What was added for one entity.
struct ReferenceDocument {
    enum Content: Hashable {
        case text(String)
        case integer(Int64)
        case float(Double)
    }
    var values: [String: Set<Content>] = [:]

    /// How well a query matches, as `docs/indexes.md` has it; nil when it does not.
    func score(_ query: ReferenceQuery, _ analysis: ReferenceAnalysis) -> Double? {
        switch query {
        case .everything: return values.values.allSatisfy(\.isEmpty) ? nil : 1
        case .boosted(let query, let factor): return score(query, analysis).map { $0 * max(factor, .leastNormalMagnitude) }
        case .leaf(let key, let condition): return score(values[key] ?? [], condition, analysis)
        case .combination(let clauses):
            var sum = 0.0
            var matchesOne = false
            var hasRequired = false
            for clause in clauses {
                let found = score(clause.query, analysis)
                switch clause.role {
                case .mustNot: if found != nil { return nil }
                case .must:
                    hasRequired = true
                    guard let found else { return nil }
                    sum += found
                    matchesOne = true
                case .should:
                    if let found {
                        sum += found
                        matchesOne = true
                    }
                }
            }
            return matchesOne || hasRequired ? sum : nil
        }
    }

    private func score(
        _ values: Set<Content>, _ condition: ReferenceQuery.Condition, _ analysis: ReferenceAnalysis
    ) -> Double? {
        let texts = values.compactMap { if case .text(let text) = $0 { analysis.tokens(text) } else { nil } }
        let terms = texts.joined()
        switch condition {
        case .text(let text, let slop):
            let wanted = analysis.tokens(text)
            if wanted.isEmpty { return nil }
            if wanted.count > 1 {
                return texts.contains { Self.stands(wanted, in: $0, slop) } ? Double(wanted.count) : nil
            }
            var sum = terms.contains(wanted[0]) ? 1.0 : 0
            // A term that is a number finds what was added as this number, too.
            if let number = Int64(text), values.contains(.integer(number)) { sum += 1 }
            if let number = Double(text), values.contains(where: { if case .float(let value) = $0 { value == number } else { false } }) {
                sum += 1
            }
            return sum > 0 ? sum : nil
        case .wildcard(let pattern):
            let pattern = pattern.flatMap { unit -> [ReferenceQuery.Wild] in
                guard case .scalar(let scalar) = unit, analysis.lowercases else { return [unit] }
                return String(scalar).lowercased().unicodeScalars.map { .scalar($0) }
            }
            return terms.contains { Self.matches(pattern[...], Array($0.unicodeScalars)[...]) } ? 1 : nil
        case .fuzzy(let text, let limit):
            return terms.compactMap { Self.similarity(analysis.lowered(text), $0, limit) }.max()
        case .range(let lower, let upper, let includesLower, let includesUpper):
            func isWithin<T: Comparable>(_ value: T, _ low: T?, _ high: T?) -> Bool {
                if let low, includesLower ? value < low : value <= low { return false }
                if let high, includesUpper ? value > high : value >= high { return false }
                return true
            }
            let low = lower.map { Array(analysis.lowered($0).utf8) }
            let high = upper.map { Array(analysis.lowered($0).utf8) }
            let isFound = terms.contains { term in
                let bytes = Array(term.utf8)
                if let low, includesLower ? bytes.lexicographicallyPrecedes(low) : !low.lexicographicallyPrecedes(bytes) { return false }
                if let high, includesUpper ? high.lexicographicallyPrecedes(bytes) : !bytes.lexicographicallyPrecedes(high) { return false }
                return true
            }
            if isFound { return 1 }
            return values.contains { value in
                switch value {
                case .text: return false
                case .integer(let number):
                    let bounds = (lower.map { Int64($0) }, upper.map { Int64($0) })
                    if case .some(nil) = bounds.0 { return false }
                    if case .some(nil) = bounds.1 { return false }
                    return isWithin(number, bounds.0 ?? nil, bounds.1 ?? nil)
                case .float(let number):
                    let bounds = (lower.map { Double($0) }, upper.map { Double($0) })
                    if case .some(nil) = bounds.0 { return false }
                    if case .some(nil) = bounds.1 { return false }
                    return isWithin(number, bounds.0 ?? nil, bounds.1 ?? nil)
                }
            } ? 1 : nil
        }
    }

    /// By trying every way to place the phrase's tokens: their shifts against the phrase differ by no more than the slop.
    private static func stands(_ phrase: [String], in tokens: [String], _ slop: Int) -> Bool {
        func place(_ index: Int, _ low: Int, _ high: Int) -> Bool {
            if index == phrase.count { return true }
            return tokens.indices.contains { position in
                let shift = position - index
                let (low, high) = (min(low, shift), max(high, shift))
                return tokens[position] == phrase[index] && high - low <= slop && place(index + 1, low, high)
            }
        }
        return tokens.indices.contains { tokens[$0] == phrase[0] && place(1, $0, $0) }
    }

    private static func matches(_ pattern: ArraySlice<ReferenceQuery.Wild>, _ text: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        switch first {
        case .many: return matches(pattern.dropFirst(), text) || (!text.isEmpty && matches(pattern, text.dropFirst()))
        case .one: return !text.isEmpty && matches(pattern.dropFirst(), text.dropFirst())
        case .scalar(let scalar): return text.first == scalar && matches(pattern.dropFirst(), text.dropFirst())
        }
    }

    /// Lucene 3.5's FuzzyTermEnum: 1 - edits / length of the shorter, above the limit; from 1 on the limit counts edits.
    private static func similarity(_ a: String, _ b: String, _ limit: Double) -> Double? {
        let (a, b) = (Array(a.unicodeScalars), Array(b.unicodeScalars))
        var table = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count {
            for j in 0...b.count {
                if i == 0 || j == 0 {
                    table[i][j] = i + j
                } else {
                    table[i][j] = min(
                        table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                }
            }
        }
        let edits = table[a.count][b.count]
        let shorter = min(a.count, b.count)
        if shorter == 0 { return a.isEmpty && b.isEmpty ? 1 : nil }
        let similarity = 1 - Double(edits) / Double(shorter)
        if limit >= 1 { return Double(edits) <= limit ? max(similarity, 0.01) : nil }
        return similarity > limit || edits == 0 ? similarity : nil
    }
}
