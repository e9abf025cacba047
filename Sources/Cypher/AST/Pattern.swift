public import GraphModel

/// A chain of nodes and relationships; `nodes.count == relationships.count + 1`.
public struct PatternPart: Sendable {
    public enum Shortest: Sendable, Equatable {
        /// Every path that fits.
        case none
        /// One of the shortest.
        case one
        /// All of the shortest.
        case all
    }
    public let pathVariable: String?
    public var shortest: Shortest
    public var nodes: [PatternNode]
    public var relationships: [PatternRelationship]
    public let offset: Int
    /// The text as written.
    public var text = ""

    public init(
        pathVariable: String?, shortest: Shortest, nodes: [PatternNode], relationships: [PatternRelationship],
        offset: Int
    ) {
        self.pathVariable = pathVariable
        self.shortest = shortest
        self.nodes = nodes
        self.relationships = relationships
        self.offset = offset
    }

    /// Every expression in it: property maps, and nodes that are expressions.
    public var expressions: [Expression] {
        nodes.flatMap { [$0.properties, $0.expression].compactMap { $0 } } + relationships.compactMap(\.properties)
    }

    /// The names it gives to nodes and relationships, and its own.
    public var names: Set<String> {
        Set(nodes.compactMap(\.variable) + relationships.compactMap(\.variable) + [pathVariable].compactMap { $0 })
    }
}

public struct PatternNode: Sendable {
    public let variable: String?
    public let labels: [String]
    /// A map, or a parameter holding a map or (in CREATE) a list of maps.
    public let properties: Expression?
    /// In the manual's CREATE an end may be any expression that gives a node.
    public var expression: Expression?
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
