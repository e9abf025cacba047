internal import GraphModel
internal import LuceneQuery

/// An entity that a query found.
public struct IndexHit: Sendable, Equatable {
    public let id: UInt64
    /// How well it matches: the more of the query's terms, and the closer, the higher. Above 0.
    public let score: Double
}

/// Answers queries from one index. Each condition gives a list by id, and these are merged, so a query costs what its
/// conditions find; those that begin with a wildcard, and fuzzy ones, look at every term of their key.
struct ManualIndexSearch {
    let reader: ManualIndexReader
    /// Asked now and then in long searches; throws to end one.
    let checkpoint: () throws(GraphError) -> Void

    /// Ascending by id.
    func hits(_ query: IndexQuery) throws(GraphError) -> [IndexHit] {
        switch query {
        case .everything:
            var found = Found()
            try forEach(.beginning(with: [ManualIndexKey.entitySection])) { _, id in found.add(id, 1) }
            return found.hits
        case .matching(let key, let condition): return try hits(key, condition)
        case .boosted(let query, let factor):
            return try hits(query).map { IndexHit(id: $0.id, score: $0.score * max(factor, .leastNormalMagnitude)) }
        case .combined(let clauses): return try combine(clauses)
        }
    }

    private func forEach(
        _ range: IndexRange, _ body: (UnsafeRawBufferPointer, UInt64) -> Void
    ) throws(GraphError) {
        var merge = reader.merge(range)
        var count = 0
        while let entry = merge.next() {
            count += 1
            if count & 0xFFF == 0 { try checkpoint() }
            body(entry.key, entry.id)
        }
    }

    /// Entities as they are found, in any order and some of them more than once: the best score counts.
    private struct Found {
        private var list: [IndexHit] = []
        mutating func add(_ id: UInt64, _ score: Double) { list.append(IndexHit(id: id, score: score)) }

        var hits: [IndexHit] {
            let sorted = list.sorted { $0.id != $1.id ? $0.id < $1.id : $0.score > $1.score }
            var result: [IndexHit] = []
            result.reserveCapacity(sorted.count)
            for hit in sorted where result.last?.id != hit.id { result.append(hit) }
            return result
        }
    }

    // MARK: Combinations

    private func combine(_ clauses: [IndexQuery.Clause]) throws(GraphError) -> [IndexHit] {
        var required: [IndexHit]?
        var optional: [IndexHit] = []
        var excluded: [IndexHit] = []
        for clause in clauses {
            let found = try hits(clause.query)
            switch clause.role {
            case .required: required = required.map { Self.intersection($0, found) } ?? found
            case .optional: optional = Self.union(optional, found)
            case .excluded: excluded = Self.union(excluded, found)
            }
        }
        // What only excludes finds nothing.
        var result = optional
        if let required {
            result = required
            var index = 0
            for place in result.indices {
                while index < optional.count, optional[index].id < result[place].id { index += 1 }
                if index < optional.count, optional[index].id == result[place].id {
                    result[place] = IndexHit(id: result[place].id, score: result[place].score + optional[index].score)
                }
            }
        }
        if excluded.isEmpty { return result }
        var index = 0
        return result.filter { hit in
            while index < excluded.count, excluded[index].id < hit.id { index += 1 }
            return index == excluded.count || excluded[index].id != hit.id
        }
    }

    static func intersection(_ a: [IndexHit], _ b: [IndexHit]) -> [IndexHit] {
        var result: [IndexHit] = []
        var index = 0
        for hit in a {
            while index < b.count, b[index].id < hit.id { index += 1 }
            if index < b.count, b[index].id == hit.id { result.append(IndexHit(id: hit.id, score: hit.score + b[index].score)) }
        }
        return result
    }

    static func union(_ a: [IndexHit], _ b: [IndexHit]) -> [IndexHit] {
        if a.isEmpty { return b }
        if b.isEmpty { return a }
        var result: [IndexHit] = []
        result.reserveCapacity(a.count + b.count)
        var index = 0
        for hit in a {
            while index < b.count, b[index].id < hit.id {
                result.append(b[index])
                index += 1
            }
            if index < b.count, b[index].id == hit.id {
                result.append(IndexHit(id: hit.id, score: hit.score + b[index].score))
                index += 1
            } else {
                result.append(hit)
            }
        }
        result += b[index...]
        return result
    }

    // MARK: Conditions

    private var analyzer: Analyzer { reader.index.analyzer }

    private func hits(_ key: String, _ condition: IndexQuery.Condition) throws(GraphError) -> [IndexHit] {
        switch condition {
        case .text(let text, let slop):
            let tokens = analyzer.tokens(text)
            if tokens.isEmpty { return [] }
            if tokens.count > 1 { return try phrase(key, tokens, slop: slop) }
            return Self.union(try term(key, tokens[0]), try numbers(key, text))
        case .wildcard(let pattern):
            let pattern = analyzer.lowercases ? pattern.lowercased() : pattern
            return try terms(key, from: pattern.prefix) { pattern.matches($0) ? 1 : nil }
        case .fuzzy(let term):
            let term = analyzer.lowercases ? term.lowercased() : term
            return try terms(key, from: "") { term.similarity($0) }
        case .range(let lower, let upper): return try range(key, lower, upper)
        }
    }

    private func term(_ key: String, _ token: String) throws(GraphError) -> [IndexHit] {
        var bytes = ManualIndexKey.terms(key, isAnalyzed: !analyzer.isIdentity)
        ManualIndexKey.append(token, to: &bytes)
        return try sortedHits(.beginning(with: bytes))
    }

    /// What a range finds that holds one key only: by id already.
    private func sortedHits(_ range: IndexRange) throws(GraphError) -> [IndexHit] {
        var result: [IndexHit] = []
        var merge = reader.merge(range)
        var ids: ContiguousArray<UInt64> = []
        while merge.take(4096, into: &ids) != nil {
            let before = result.count
            for id in ids { result.append(IndexHit(id: id, score: 1)) }
            if before >> 12 != result.count >> 12 { try checkpoint() }
            ids.removeAll(keepingCapacity: true)
        }
        return result
    }

    /// What was added as this very number.
    private func numbers(_ key: String, _ text: String) throws(GraphError) -> [IndexHit] {
        var result: [IndexHit] = []
        if let number = Int64(text) {
            result = try sortedHits(.beginning(with: ManualIndexKey.value(key, .integer(number))))
        }
        if let number = Double(text), !number.isNaN {
            result = Self.union(result, try sortedHits(.beginning(with: ManualIndexKey.value(key, .float(number)))))
        }
        return result
    }

    /// Every term that begins with a text and that `score` takes.
    private func terms(
        _ key: String, from prefix: String, _ score: (String) -> Double?
    ) throws(GraphError) -> [IndexHit] {
        let head = ManualIndexKey.terms(key, isAnalyzed: !analyzer.isIdentity)
        var bytes = head
        IndexKey.append(textPrefix: prefix, to: &bytes)
        var found = Found()
        // Entities of one term stand together: it is looked at once.
        var last: (key: [UInt8], score: Double?)?
        try forEach(.beginning(with: bytes)) { entry, id in
            if let last, last.key.count == entry.count, last.key.withUnsafeBytes({ IndexKey.areEqual($0, entry) }) {
                if let score = last.score { found.add(id, score) }
                return
            }
            var reader = ManualIndexKey.Reader(entry, from: head.count)
            let score = reader.string().flatMap(score)
            last = (Array(entry), score)
            if let score { found.add(id, score) }
        }
        return found.hits
    }

    private func range(
        _ key: String, _ lower: IndexQuery.Bound?, _ upper: IndexQuery.Bound?
    ) throws(GraphError) -> [IndexHit] {
        let head = ManualIndexKey.terms(key, isAnalyzed: !analyzer.isIdentity)
        func bound(_ bound: IndexQuery.Bound) -> [UInt8] {
            var bytes = head
            ManualIndexKey.append(analyzer.normalized(bound.text), to: &bytes)
            return bytes
        }
        func range(_ from: [UInt8], _ to: [UInt8], _ includesFrom: Bool, _ includesTo: Bool) -> IndexRange {
            IndexRange(
                lower: includesFrom ? from : from + [IndexKey.end], upper: includesTo ? to + [IndexKey.end] : to)
        }
        let strings = range(
            lower.map(bound) ?? head + [IndexKey.Tag.string], upper.map(bound) ?? head + [IndexKey.Tag.string],
            lower?.isIncluded ?? true, upper?.isIncluded ?? true)
        var found = Found()
        try forEach(strings) { _, id in found.add(id, 1) }
        let values = ManualIndexKey.terms(key, isAnalyzed: false)
        func addNumbers<Number>(
            _ tag: UInt8, _ number: (String) -> Number?, _ value: (Number) -> IndexedValue
        ) throws(GraphError) {
            let (low, high) = (lower.map { number($0.text) }, upper.map { number($0.text) })
            // A bound that is no number leaves numbers out.
            if case .some(nil) = low { return }
            if case .some(nil) = high { return }
            let from = (low ?? nil).map { ManualIndexKey.value(key, value($0)) } ?? values + [tag]
            let to = (high ?? nil).map { ManualIndexKey.value(key, value($0)) } ?? values + [tag]
            try forEach(range(from, to, lower?.isIncluded ?? true, upper?.isIncluded ?? true)) { _, id in found.add(id, 1) }
        }
        try addNumbers(ManualIndexKey.integerTag, { Int64($0) }, { .integer($0) })
        try addNumbers(ManualIndexKey.floatTag, { Double($0).flatMap { $0.isNaN ? nil : $0 } }, { .float($0) })
        return found.hits
    }

    /// Values in which tokens stand side by side, or in which that takes no more than `slop` moves.
    private func phrase(_ key: String, _ tokens: [String], slop: Int) throws(GraphError) -> [IndexHit] {
        var candidates = try term(key, tokens[0])
        for token in tokens.dropFirst() {
            if candidates.isEmpty { return [] }
            candidates = Self.intersection(candidates, try term(key, token))
        }
        var result: [IndexHit] = []
        for candidate in candidates {
            try checkpoint()
            let isFound = reader.values(of: candidate.id, key: key).contains { _, value in
                if case .text(let text) = value { Self.stands(tokens, in: analyzer.tokens(text), slop: slop) } else { false }
            }
            if isFound { result.append(candidate) }
        }
        return result
    }

    /// Whether the tokens can be found with places that differ from those of the phrase by no more than `slop` in all.
    static func stands(_ phrase: [String], in tokens: [String], slop: Int) -> Bool {
        let places = phrase.map { wanted in tokens.indices.filter { codeUnitsEqual(tokens[$0], wanted) } }
        // Where the phrase would begin, by each token's place: all the same when it stands there.
        let starts = places.enumerated().map { index, places in places.map { $0 - index } }
        return starts.joined().contains { least in
            starts.allSatisfy { list in
                var low = 0
                var high = list.count
                while low < high {
                    let middle = (low + high) / 2
                    if list[middle] < least { low = middle + 1 } else { high = middle }
                }
                return low < list.count && list[low] - least <= slop
            }
        }
    }
}
