public import GraphModel
public import Storage

/// Finds paths between two nodes. A value; one can be used again and again, from any thread.
public protocol PathFinder<Found>: Sendable {
    /// ``Path`` or ``WeightedPath``.
    associatedtype Found: Sendable

    /// Calls `body` with each path, until it returns false. Paths are made one at a time.
    ///
    /// - Throws: `.entityNotFound` when one of the nodes is not there, `.argumentError` for costs that are no costs,
    ///   `.queryMemory`, and what the control, closures and `body` throw.
    func forEachPath(
        from start: NodeID, to end: NodeID, in transaction: Transaction, control: TraversalControl,
        _ body: (Found) throws(GraphError) -> Bool
    ) throws(GraphError)

    /// One of the paths; nil when there is none.
    func findSinglePath(
        from start: NodeID, to end: NodeID, in transaction: Transaction, control: TraversalControl
    ) throws(GraphError) -> Found?
}

extension PathFinder {
    public func findSinglePath(
        from start: NodeID, to end: NodeID, in transaction: Transaction, control: TraversalControl = TraversalControl()
    ) throws(GraphError) -> Found? {
        var found: Found?
        try forEachPath(from: start, to: end, in: transaction, control: control) { path in
            found = path
            return false
        }
        return found
    }

    /// All of the paths, in memory.
    public func findAllPaths(
        from start: NodeID, to end: NodeID, in transaction: Transaction, control: TraversalControl = TraversalControl()
    ) throws(GraphError) -> [Found] {
        var found: [Found] = []
        try forEachPath(from: start, to: end, in: transaction, control: control) { path in
            found.append(path)
            return true
        }
        return found
    }
}

/// A path with what it costs.
public struct WeightedPath: Sendable, Hashable {
    public let path: Path
    public let weight: Double

    public init(_ path: Path, weight: Double) {
        self.path = path
        self.weight = weight
    }
}

/// What a relationship costs.
public struct CostEvaluator: Sendable {
    enum Kind: Sendable {
        case property(String, defaultCost: Double?)
        case custom(@Sendable (RelationshipID, Transaction) throws(GraphError) -> Double)
    }
    let kind: Kind

    /// A number, or a text that is one, in a property of the relationship.
    /// - Parameter defaultCost: for relationships that do not have it; without a default one of them is an error.
    public static func property(_ key: String, default defaultCost: Double? = nil) -> CostEvaluator {
        CostEvaluator(kind: .property(key, defaultCost: defaultCost))
    }

    /// What a closure says; at least 0.
    public static func custom(
        _ body: @escaping @Sendable (RelationshipID, Transaction) throws(GraphError) -> Double
    ) -> CostEvaluator { CostEvaluator(kind: .custom(body)) }
}

/// What it costs at least to get from a node to the goal.
public typealias EstimateEvaluator =
    @Sendable (_ node: NodeID, _ goal: NodeID, _ transaction: Transaction) throws(GraphError) -> Double

/// The algorithms for finding paths (manual, chapter 16).
public enum GraphAlgorithms {
    /// Paths of the least number of relationships, at most `maxDepth`.
    public static func shortestPath(
        _ expander: PathExpander = PathExpander(), maxDepth: Int
    ) -> ShortestPath { ShortestPath(expander, maxDepth: maxDepth) }

    /// All paths of at most `maxDepth` relationships; a node may come again in one, a relationship may not.
    public static func allPaths(_ expander: PathExpander = PathExpander(), maxDepth: Int) -> AllPaths {
        AllPaths(expander, maxDepth: maxDepth, isSimple: false)
    }

    /// All paths of at most `maxDepth` relationships in which no node comes again.
    public static func allSimplePaths(_ expander: PathExpander = PathExpander(), maxDepth: Int) -> AllPaths {
        AllPaths(expander, maxDepth: maxDepth, isSimple: true)
    }

    /// The cheapest paths.
    public static func dijkstra(_ expander: PathExpander = PathExpander(), cost: CostEvaluator) -> CheapestPath {
        CheapestPath(expander, cost, estimate: nil)
    }

    /// The cheapest paths by a property of relationships.
    public static func dijkstra(
        _ expander: PathExpander = PathExpander(), costProperty: String, defaultCost: Double? = nil
    ) -> CheapestPath { dijkstra(expander, cost: .property(costProperty, default: defaultCost)) }

    /// The cheapest paths, looking first where the estimate says that they are.
    /// - Parameter estimate: must not be more than what the way really costs.
    public static func aStar(
        _ expander: PathExpander = PathExpander(), cost: CostEvaluator, estimate: @escaping EstimateEvaluator
    ) -> CheapestPath { CheapestPath(expander, cost, estimate: estimate) }
}

/// Throws unless both ends of a search are there.
func requireNodes(_ nodes: NodeID..., in transaction: Transaction) throws(GraphError) {
    for node in nodes where !transaction.nodeExists(node) {
        throw GraphError(.entityNotFound, "Node \(node.rawValue) not found: no path can begin or end there")
    }
}

/// Throws unless a depth is one.
func requireDepth(_ depth: Int) throws(GraphError) {
    if depth < 0 { throw GraphError(.argumentError, "the maximum depth is \(depth): it must be at least 0") }
}
