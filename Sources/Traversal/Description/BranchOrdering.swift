public import GraphModel
public import Storage

/// In which order a traversal goes through the branches of its tree.
public struct BranchOrdering: Sendable {
    enum Kind: Sendable {
        case preorderDepthFirst
        case postorderDepthFirst
        case preorderBreadthFirst
        case postorderBreadthFirst
        case custom(@Sendable () -> any BranchSelector)
    }
    let kind: Kind

    /// Depth first, each position before those behind it.
    public static let preorderDepthFirst = BranchOrdering(kind: .preorderDepthFirst)
    /// Depth first, each position after those behind it.
    public static let postorderDepthFirst = BranchOrdering(kind: .postorderDepthFirst)
    /// Level by level from the start. Holds all branches in memory.
    public static let preorderBreadthFirst = BranchOrdering(kind: .preorderBreadthFirst)
    /// Level by level, the deepest first. The whole tree is walked before the first result.
    public static let postorderBreadthFirst = BranchOrdering(kind: .postorderBreadthFirst)

    /// An order of one's own: the closure makes a new selector for each traversal.
    public static func custom(_ makeSelector: @escaping @Sendable () -> any BranchSelector) -> BranchOrdering {
        BranchOrdering(kind: .custom(makeSelector))
    }

    /// The position with the lowest value first, as Dijkstra's algorithm and A* walk. With a global uniqueness a node
    /// counts as visited when it is met first, not when it comes first.
    public static func bestFirst(
        _ value: @escaping @Sendable (TraversalPosition) throws(GraphError) -> Double
    ) -> BranchOrdering { .custom { BestFirstSelector(value: value) } }
}

/// Selects the branch that a traversal visits next. Keeps its state from call to call; one for each traversal.
public protocol BranchSelector: Sendable {
    /// The next branch to visit, nil at the end. Every branch that ``BranchTree/next(of:in:)`` returns should be returned
    /// once.
    mutating func next(_ tree: inout BranchTree, in transaction: Transaction) throws(GraphError) -> TraversalBranch?
}

/// A branch by its place in a ``BranchTree``.
public struct TraversalBranch: Sendable, Hashable {
    let index: Int
    /// The one from which all start nodes come; no position itself.
    public static let root = TraversalBranch(index: -1)
}

private struct BestFirstSelector: BranchSelector {
    let value: @Sendable (TraversalPosition) throws(GraphError) -> Double
    var waiting = MinimumHeap()
    var current: TraversalBranch? = .root

    mutating func next(
        _ tree: inout BranchTree, in transaction: Transaction
    ) throws(GraphError) -> TraversalBranch? {
        if let current {
            while let child = try tree.next(of: current, in: transaction) {
                waiting.push(try value(tree.position(of: child, in: transaction)), child.index)
            }
        }
        current = waiting.pop().map { TraversalBranch(index: $0.item) }
        return current
    }
}
