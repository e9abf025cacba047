public import GraphModel

/// Which relationships to follow from a position.
public struct PathExpander: Sendable {
    struct Rule: Sendable {
        let type: String
        var direction: Direction
    }
    enum Kind: Sendable {
        /// Relationships of all types.
        case all(Direction)
        case types([Rule], isOrdered: Bool)
        case custom(
            @Sendable (TraversalPosition) throws(GraphError) -> [RelationshipID],
            reversed: (@Sendable (TraversalPosition) throws(GraphError) -> [RelationshipID])?)
    }
    let kind: Kind

    private init(_ kind: Kind) { self.kind = kind }

    /// All relationships, until types are added.
    public init() { kind = .all(.both) }

    /// Relationships of all types.
    public static func allTypes(_ direction: Direction = .both) -> PathExpander { PathExpander(.all(direction)) }

    /// Relationships of one type; more can be added.
    public static func type(_ type: String, _ direction: Direction = .both) -> PathExpander {
        PathExpander(.types([Rule(type: type, direction: direction)], isOrdered: false))
    }

    /// Types in the order in which they are added: all relationships of the first, then those of the second.
    public static let orderedByType = PathExpander(.types([], isOrdered: true))

    /// Asks a closure, which names relationships at the last node of the position.
    ///
    /// The path finders ask it with the node alone, a path of length 0.
    /// - Parameter reversed: names the relationships that lead to the node the other way round, for algorithms that go
    ///   from both ends; without it they go from the start alone.
    public static func custom(
        _ body: @escaping @Sendable (TraversalPosition) throws(GraphError) -> [RelationshipID],
        reversed: (@Sendable (TraversalPosition) throws(GraphError) -> [RelationshipID])? = nil
    ) -> PathExpander { PathExpander(.custom(body, reversed: reversed)) }

    /// Follows relationships of one more type; from then on only those that were added. The same type outgoing and
    /// incoming is the type in both directions.
    public func adding(_ type: String, _ direction: Direction = .both) -> PathExpander {
        guard case .types(var rules, let isOrdered) = kind else { return .type(type, direction) }
        if let known = rules.firstIndex(where: { codeUnitsEqual($0.type, type) }) {
            if rules[known].direction != direction { rules[known].direction = .both }
        } else {
            rules.append(Rule(type: type, direction: direction))
        }
        return PathExpander(.types(rules, isOrdered: isOrdered))
    }

    /// The same relationships seen from their other ends; nil for a closure that does not know them.
    var reversed: PathExpander? {
        switch kind {
        case .all(let direction): return .allTypes(direction.reversed)
        case .types(let rules, let isOrdered):
            return PathExpander(
                .types(rules.map { Rule(type: $0.type, direction: $0.direction.reversed) }, isOrdered: isOrdered))
        case .custom(let body, let reversed):
            return reversed.map { PathExpander(.custom($0, reversed: body)) }
        }
    }
}
