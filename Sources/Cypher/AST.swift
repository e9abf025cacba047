public import GraphModel

/// The two languages that share this tree. They differ in grammar and in the switches below, never in the executor.
public enum Dialect: String, Sendable, Hashable {
    /// The manual's language.
    case cypher18 = "1.8"
    /// openCypher.
    case cypher9 = "9"

    /// Whether reading a property that is not set is an error (1.8) or gives null (9).
    public var missingPropertyIsError: Bool { self == .cypher18 }
}

/// A parsed query.
public struct Query: Sendable {
    public let dialect: Dialect
    public let clauses: [Clause]
    public let isExplain: Bool
    /// The query's text, for error positions.
    public let source: [UInt8]
}

public struct Clause: Sendable {
    public enum Kind: Sendable {
        case start([StartItem])
        case match([PatternPart], optional: Bool)
        case filter(Expression)
        case with(Projection)
        case unwind(Expression, variable: String)
        case create([PatternPart])
        case set([SetItem])
        case remove([SetItem])
        case delete([Expression], detach: Bool)
        case `return`(Projection)
    }
    public let kind: Kind
    /// Byte offset in the source.
    public let offset: Int
}

public struct StartItem: Sendable {
    public enum Source: Sendable {
        case all
        case ids(Expression)
        /// `node:index(key = value)`.
        case index(name: String, key: Expression, value: Expression)
        /// `node:index("query")`.
        case indexQuery(name: String, query: Expression)
    }
    public let variable: String
    public let isNode: Bool
    public let source: Source
    public let offset: Int
}

/// A chain of nodes and relationships; `nodes.count == relationships.count + 1`.
public struct PatternPart: Sendable {
    public let pathVariable: String?
    public var nodes: [PatternNode]
    public var relationships: [PatternRelationship]
    public let offset: Int
}

public struct PatternNode: Sendable {
    public let variable: String?
    public let labels: [String]
    /// A map, or a parameter holding a map or (in CREATE) a list of maps.
    public let properties: Expression?
    public let offset: Int
}

public struct PatternRelationship: Sendable {
    public let variable: String?
    public let types: [String]
    public let direction: Direction
    public let isOptional: Bool
    /// nil for exactly one; else the bounds of `*min..max`.
    public let length: VariableLength?
    public let properties: Expression?
    public let offset: Int

    public struct VariableLength: Sendable, Equatable {
        public let minimum: Int?
        public let maximum: Int?
    }
}

public struct SetItem: Sendable {
    public enum Kind: Sendable {
        case property(Expression, key: String, value: Expression)
        /// `n = {map}`, or `n += {map}` when `adds`.
        case all(variable: String, map: Expression, adds: Bool)
        case labels(variable: String, [String])
    }
    public let kind: Kind
    public let offset: Int
}

public struct Projection: Sendable {
    public struct Item: Sendable {
        public let expression: Expression
        /// The alias, or the text as typed.
        public let name: String
        public let hasAlias: Bool
    }
    public let isDistinct: Bool
    /// `*`: every variable in scope, before `items`.
    public let includesAll: Bool
    public let items: [Item]
    public let order: [(expression: Expression, isDescending: Bool)]
    public let skip: Expression?
    public let limit: Expression?
}

/// An expression and where it stands.
public struct Expression: Sendable {
    public indirect enum Kind: Sendable {
        case literal(Value)
        case parameter(String)
        case variable(String)
        case property(Expression, key: String, missing: MissingProperty)
        case list([Expression])
        case map([(key: String, value: Expression)])
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
    }
    /// What reading a property that is not set gives.
    public enum MissingProperty: Sendable { case byDialect, null, `false` }
    public enum Comparison: Sendable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }
    public enum Arithmetic: Sendable { case add, subtract, multiply, divide, modulo, power }
    public enum StringMatch: Sendable { case startsWith, endsWith, contains, regularExpression }

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
        case .literal, .parameter, .variable, .countAll: 0
        case .property(let a, _, _), .not(let a), .negate(let a), .isNull(let a), .hasLabels(let a, _): a.depth
        case .list(let list), .function(_, _, let list): list.reduce(0) { max($0, $1.depth) }
        case .map(let entries): entries.reduce(0) { max($0, $1.value.depth) }
        case .and(let a, let b), .or(let a, let b), .xor(let a, let b), .compare(_, let a, let b),
            .arithmetic(_, let a, let b), .in(let a, let b), .stringMatch(_, let a, let b), .subscripted(let a, let b):
            max(a.depth, b.depth)
        case .slice(let a, let from, let to): max(a.depth, from?.depth ?? 0, to?.depth ?? 0)
        }
    }

    /// The expressions directly below this one.
    public var children: [Expression] {
        switch kind {
        case .literal, .parameter, .variable, .countAll: []
        case .property(let a, _, _), .not(let a), .negate(let a), .isNull(let a), .hasLabels(let a, _): [a]
        case .list(let list): list
        case .map(let entries): entries.map(\.value)
        case .and(let a, let b), .or(let a, let b), .xor(let a, let b), .compare(_, let a, let b),
            .arithmetic(_, let a, let b), .in(let a, let b), .stringMatch(_, let a, let b), .subscripted(let a, let b):
            [a, b]
        case .slice(let a, let from, let to): [a] + [from, to].compactMap { $0 }
        case .function(_, _, let arguments): arguments
        }
    }

    public static let aggregateNames: Set<String> = ["count", "sum", "avg", "min", "max", "collect"]

    /// Whether this very expression is an aggregate.
    public var isAggregate: Bool {
        switch kind {
        case .countAll: true
        case .function(let name, _, _): Self.aggregateNames.contains(name)
        default: false
        }
    }

    public var containsAggregate: Bool { isAggregate || children.contains { $0.containsAggregate } }

    /// Every variable it mentions.
    public var variables: Set<String> {
        if case .variable(let name) = kind { return [name] }
        return children.reduce(into: []) { $0.formUnion($1.variables) }
    }
}
