public struct Clause: Sendable {
    public indirect enum Kind: Sendable {
        case start([StartItem])
        case match([PatternPart], optional: Bool)
        case filter(Expression)
        case with(Projection)
        case unwind(Expression, variable: String)
        case create([PatternPart])
        case createUnique([PatternPart])
        case merge(PatternPart, onCreate: [SetItem], onMatch: [SetItem])
        case set([SetItem])
        case remove([SetItem])
        case delete([Expression], detach: Bool)
        case forEach(variable: String, list: Expression, [Clause])
        case call(ProcedureCall)
        /// `CALL { … }`, once for each row. `imports` are the variables that a list before the brace names; nil when
        /// the subquery imports by a leading WITH.
        case subquery(QueryBody, imports: [String]?)
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
    public struct Order: Sendable {
        public let expression: Expression
        public let isDescending: Bool
    }
    public let isDistinct: Bool
    /// `*`: every variable in scope, before `items`.
    public let includesAll: Bool
    public let items: [Item]
    public let order: [Order]
    public let skip: Expression?
    public let limit: Expression?

    public init(
        isDistinct: Bool, includesAll: Bool, items: [Item], order: [Order], skip: Expression?, limit: Expression?
    ) {
        self.isDistinct = isDistinct
        self.includesAll = includesAll
        self.items = items
        self.order = order
        self.skip = skip
        self.limit = limit
    }
}

/// `CALL name(arguments) YIELD …`.
public struct ProcedureCall: Sendable {
    public struct Yield: Sendable {
        public let field: String
        public let variable: String
        public let offset: Int
    }
    /// With its dots, as typed.
    public let name: String
    /// nil when no parentheses stand: the arguments are parameters of the names that the procedure declares.
    public let arguments: [Expression]?
    /// nil without YIELD; empty for `YIELD *`.
    public let yields: [Yield]?
    public let offset: Int
}
