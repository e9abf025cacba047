/// A parsed statement.
public struct Query: Sendable {
    public enum Mode: Sendable { case run, explain, profile }

    public enum Statement: Sendable {
        case query(QueryBody)
        case schema(SchemaCommand)
    }

    public let dialect: Dialect
    public let mode: Mode
    public let statement: Statement
    /// The query's text, for error positions.
    public let source: [UInt8]
}

/// Clauses in order; several such sequences when UNION joins them.
public struct QueryBody: Sendable {
    public let branches: [[Clause]]
    /// Whether UNION (without ALL) leaves equal rows once.
    public let unionIsDistinct: Bool
    /// Byte offset in the source.
    public let offset: Int
    /// The text as written: two subqueries are the same when they are written alike.
    public let text: String

    public init(branches: [[Clause]], unionIsDistinct: Bool, offset: Int, text: String = "") {
        self.branches = branches
        self.unionIsDistinct = unionIsDistinct
        self.offset = offset
        self.text = text
    }
}

/// CREATE and DROP of an index or constraint.
public struct SchemaCommand: Sendable {
    public enum Target: Sendable, Equatable {
        case label(String)
        case relationshipType(String)

        public var name: String {
            switch self {
            case .label(let name), .relationshipType(let name): name
            }
        }
    }

    public enum Rule: Sendable, Equatable {
        case index
        case unique
        /// Unique, and every node has all the properties.
        case key
        case exists
    }

    public enum Action: Sendable {
        case create(name: String?, Rule, on: Target, keys: [String], ifNotExists: Bool)
        case drop(name: String, ifExists: Bool, isConstraint: Bool)
        /// The older form, by what the rule is about.
        case dropRule(Rule, on: Target, keys: [String])
    }

    public let action: Action
    public let offset: Int
}
