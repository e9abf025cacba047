public import GraphModel

/// What is asked of a named index: a query string, understood, or made by hand where terms hold blanks.
public indirect enum IndexQuery: Sendable {
    /// Every entity in the index: `*:*`.
    case everything
    case matching(key: String, Condition)
    case combined([Clause])
    /// Counts this much more, or less, in the score.
    case boosted(IndexQuery, by: Double)

    /// What a value, or a token of it, has to be.
    public enum Condition: Sendable {
        /// A term, or a phrase whose tokens may be `slop` moves away from standing side by side. The index's analyzer makes
        /// tokens of it.
        case text(String, slop: Int)
        case wildcard(WildcardPattern)
        case fuzzy(FuzzyTerm)
        /// From one bound to another, nil for no bound. Strings by code units; numbers, where both bounds are some.
        case range(Bound?, Bound?)
    }

    public struct Bound: Sendable {
        public let text: String
        public let isIncluded: Bool
        public init(_ text: String, isIncluded: Bool) {
            self.text = text
            self.isIncluded = isIncluded
        }
    }

    /// A part of a combination.
    public struct Clause: Sendable {
        public let role: Role
        public let query: IndexQuery
        public init(_ role: Role, _ query: IndexQuery) {
            self.role = role
            self.query = query
        }
    }

    public enum Role: Sendable {
        /// One of these has to match, unless something is required.
        case optional
        case required
        case excluded
    }

    /// What stands between two clauses that nothing else combines.
    public enum Operator: Sendable {
        case or, and
    }

    /// The same with a condition of one key.
    public static func term(_ key: String, _ text: String) -> IndexQuery { .matching(key: key, .text(text, slop: 0)) }

    /// Understands a query string in the syntax of Lucene 3.5.
    ///
    /// - Parameter key: of terms that name none; nil: they have to.
    /// - Throws: `.argumentError` with the place, counted in characters from 1, and what would be right there.
    public static func parse(
        _ text: String, key: String? = nil, defaultOperator: Operator = .or
    ) throws(GraphError) -> IndexQuery {
        var parser = QueryParser(text, key: key, defaultOperator: defaultOperator)
        return try parser.parse()
    }
}
