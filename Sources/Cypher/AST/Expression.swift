public import GraphModel

/// An expression and where it stands.
public struct Expression: Sendable {
    public indirect enum Kind: Sendable {
        case literal(Value)
        case parameter(String)
        case variable(String)
        case property(Expression, key: String, missing: MissingProperty)
        case list([Expression])
        case map([Entry])
        /// `n {.name, .*, total: 1, other}`.
        case mapProjection(Expression, [Projected])
        case not(Expression)
        case negate(Expression)
        case and(Expression, Expression)
        case or(Expression, Expression)
        case xor(Expression, Expression)
        case compare(Comparison, Expression, Expression)
        case arithmetic(Arithmetic, Expression, Expression)
        case `in`(Expression, Expression)
        case stringMatch(StringMatch, Expression, Expression)
        case isNull(Expression)
        case hasLabels(Expression, [String])
        case subscripted(Expression, Expression)
        /// `list[from..to]`.
        case slice(Expression, from: Expression?, to: Expression?)
        case function(String, distinct: Bool, [Expression])
        case countAll
        /// CASE with or without a subject.
        case conditional(subject: Expression?, branches: [Branch], otherwise: Expression?)
        /// `[x IN list WHERE predicate | result]`; also `extract` and `filter`.
        case listComprehension(variable: String, list: Expression, predicate: Expression?, result: Expression?)
        /// `all(x IN list WHERE predicate)` and its kin.
        case quantifier(Quantifier, variable: String, list: Expression, predicate: Expression)
        /// `reduce(accumulator = initial, x IN list | result)`.
        case reduce(accumulator: String, initial: Expression, variable: String, list: Expression, result: Expression)
        /// A path pattern: a predicate, or in value position the list of its paths.
        case pattern(PatternPart)
        case patternComprehension(PatternPart, predicate: Expression?, result: Expression)
        case subquery(Subquery, QueryBody)
    }
    /// What reading a property that is not set gives.
    public enum MissingProperty: Sendable { case byDialect, null, `false` }
    public enum Comparison: Sendable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }
    public enum Arithmetic: Sendable { case add, subtract, multiply, divide, modulo, power }
    public enum StringMatch: Sendable { case startsWith, endsWith, contains, regularExpression }
    public enum Quantifier: String, Sendable { case all, any, none, single }
    public enum Subquery: String, Sendable { case exists, count, collect }

    public struct Entry: Sendable {
        public let key: String
        public let value: Expression

        public init(key: String, value: Expression) {
            self.key = key
            self.value = value
        }
    }

    public enum Projected: Sendable {
        case property(String)
        case allProperties
        case entry(key: String, value: Expression)
    }

    public struct Branch: Sendable {
        public let condition: Expression
        public let result: Expression
    }

    public let kind: Kind
    public let offset: Int
    /// Levels from here down to the deepest leaf. The parser bounds it, so that every pass over the tree may recurse.
    public let depth: Int

    public init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
        depth = 1 + Self.depth(below: kind)
    }

    private static func depth(below kind: Kind) -> Int {
        switch kind {
        case .literal, .parameter, .variable, .countAll, .subquery: return 0
        case .property(let a, _, _), .not(let a), .negate(let a), .isNull(let a), .hasLabels(let a, _): return a.depth
        case .and(let a, let b), .or(let a, let b), .xor(let a, let b), .compare(_, let a, let b),
            .arithmetic(_, let a, let b), .in(let a, let b), .stringMatch(_, let a, let b), .subscripted(let a, let b):
            return max(a.depth, b.depth)
        default: return children(of: kind).reduce(0) { max($0, $1.depth) }
        }
    }

    /// The expressions directly below this one, those of a comprehension's scope included; not those of a subquery.
    public var children: [Expression] { Self.children(of: kind) }

    private static func children(of kind: Kind) -> [Expression] {
        switch kind {
        case .literal, .parameter, .variable, .countAll, .subquery: return []
        case .property(let a, _, _), .not(let a), .negate(let a), .isNull(let a), .hasLabels(let a, _): return [a]
        case .list(let list): return list
        case .map(let entries): return entries.map(\.value)
        case .mapProjection(let subject, let items):
            return [subject]
                + items.compactMap { if case .entry(_, let value) = $0 { value } else { nil } }
        case .and(let a, let b), .or(let a, let b), .xor(let a, let b), .compare(_, let a, let b),
            .arithmetic(_, let a, let b), .in(let a, let b), .stringMatch(_, let a, let b), .subscripted(let a, let b):
            return [a, b]
        case .slice(let a, let from, let to): return [a] + [from, to].compactMap { $0 }
        case .function(_, _, let arguments): return arguments
        case .conditional(let subject, let branches, let otherwise):
            return [subject].compactMap { $0 } + branches.flatMap { [$0.condition, $0.result] }
                + [otherwise].compactMap { $0 }
        case .listComprehension(_, let list, let predicate, let result):
            return [list] + [predicate, result].compactMap { $0 }
        case .quantifier(_, _, let list, let predicate): return [list, predicate]
        case .reduce(_, let initial, _, let list, let result): return [initial, list, result]
        case .pattern(let part): return part.expressions
        case .patternComprehension(let part, let predicate, let result):
            return part.expressions + [predicate].compactMap { $0 } + [result]
        }
    }
}
