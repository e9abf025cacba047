public import GraphModel

/// Decides, at each position that a traversal reaches, the start node among them, whether it is included and whether the
/// traversal goes on from there.
public struct Evaluator: Sendable {
    enum Kind: Sendable {
        /// Included from `minimum` to `maximum`, continued below `end`.
        case depth(minimum: Int, maximum: Int, continuesBelow: Int)
        case lastRelationshipType([String], matching: Evaluation, otherwise: Evaluation)
        case endNode(Set<NodeID>, matching: Evaluation, otherwise: Evaluation)
        case containsAll(Set<NodeID>)
        case acceptedByAny([Evaluator])
        case custom(@Sendable (TraversalPosition) throws(GraphError) -> Evaluation)
    }
    let kind: Kind

    private init(_ kind: Kind) { self.kind = kind }

    // MARK: Own ones

    /// Asks a closure. It may keep the position only as long as it runs.
    public static func evaluating(
        _ body: @escaping @Sendable (TraversalPosition) throws(GraphError) -> Evaluation
    ) -> Evaluator { Evaluator(.custom(body)) }

    /// Includes where a closure says so, and goes on everywhere.
    public static func including(
        where isIncluded: @escaping @Sendable (TraversalPosition) throws(GraphError) -> Bool
    ) -> Evaluator {
        .evaluating { position throws(GraphError) in
            Evaluation(includes: try isIncluded(position), continues: true)
        }
    }

    /// Goes no further where a closure says so, and includes everything.
    public static func pruning(
        where isPruned: @escaping @Sendable (TraversalPosition) throws(GraphError) -> Bool
    ) -> Evaluator {
        .evaluating { position throws(GraphError) in
            Evaluation(includes: true, continues: !(try isPruned(position)))
        }
    }

    // MARK: By depth

    /// Includes everything, and goes on everywhere.
    public static let all = Evaluator(.depth(minimum: 0, maximum: .max, continuesBelow: .max))
    /// Includes everything but the start nodes.
    public static let excludeStartPosition = fromDepth(1)

    /// Includes paths of at most so many relationships, and goes no further.
    public static func toDepth(_ depth: Int) -> Evaluator { includingDepths(from: 0, to: depth) }
    /// Includes paths of at least so many relationships.
    public static func fromDepth(_ depth: Int) -> Evaluator {
        Evaluator(.depth(minimum: depth, maximum: .max, continuesBelow: .max))
    }
    /// Includes paths of exactly so many relationships, and goes no further.
    public static func atDepth(_ depth: Int) -> Evaluator { includingDepths(from: depth, to: depth) }
    /// Includes paths of a range of lengths, and goes no further.
    public static func includingDepths(from minimum: Int, to maximum: Int) -> Evaluator {
        Evaluator(.depth(minimum: minimum, maximum: maximum, continuesBelow: maximum))
    }

    // MARK: By the last relationship

    /// Tells by the type of the last relationship; a start position has none and matches nothing.
    public static func lastRelationshipType(
        isOneOf types: [String], matching: Evaluation, otherwise: Evaluation
    ) -> Evaluator { Evaluator(.lastRelationshipType(types, matching: matching, otherwise: otherwise)) }

    /// Includes where the last relationship is of one of these types, and goes on everywhere.
    public static func includeWhereLastRelationshipTypeIs(_ types: String...) -> Evaluator {
        lastRelationshipType(isOneOf: types, matching: .includeAndContinue, otherwise: .excludeAndContinue)
    }
    /// The same, but goes no further where it includes.
    public static func pruneWhereLastRelationshipTypeIs(_ types: String...) -> Evaluator {
        lastRelationshipType(isOneOf: types, matching: .includeAndPrune, otherwise: .excludeAndContinue)
    }

    // MARK: By nodes

    /// Tells by the last node of the path.
    public static func endNode(
        isOneOf nodes: Set<NodeID>, matching: Evaluation, otherwise: Evaluation
    ) -> Evaluator { Evaluator(.endNode(nodes, matching: matching, otherwise: otherwise)) }

    /// Includes where the path ends at one of these nodes, and goes on everywhere.
    public static func includeWhereEndNodeIs(_ nodes: NodeID...) -> Evaluator {
        endNode(isOneOf: Set(nodes), matching: .includeAndContinue, otherwise: .excludeAndContinue)
    }
    /// The same, but goes no further where it includes.
    public static func pruneWhereEndNodeIs(_ nodes: NodeID...) -> Evaluator {
        endNode(isOneOf: Set(nodes), matching: .includeAndPrune, otherwise: .excludeAndContinue)
    }
    /// Includes paths that hold all of these nodes, in any order.
    public static func includeIfContainsAll(_ nodes: NodeID...) -> Evaluator { Evaluator(.containsAll(Set(nodes))) }
    /// Includes what at least one of these includes, and goes on everywhere.
    public static func includeIfAcceptedByAny(_ evaluators: Evaluator...) -> Evaluator {
        Evaluator(.acceptedByAny(evaluators))
    }
}
