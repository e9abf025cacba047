public import GraphModel
public import Storage

/// How to traverse: which relationships to follow, in which order, what to include, where to stop (manual, chapter 6).
///
/// A value: each call returns a new one and leaves the old as it was, so that one description can be the template of many.
///
/// ```swift
/// let friends = TraversalDescription().breadthFirst().relationships("KNOWS", .outgoing).evaluator(.excludeStartPosition)
/// for path in friends.traverse(from: joe, in: transaction) { … }
/// ```
public struct TraversalDescription: Sendable {
    private(set) var ordering = BranchOrdering.preorderDepthFirst
    private(set) var uniqueness = Uniqueness.nodeGlobal
    private(set) var expander = PathExpander()
    private(set) var evaluators: [Evaluator] = []

    /// All relationships in both directions, depth first, each node once, everything included.
    public init() {}

    private func with(_ change: (inout TraversalDescription) -> Void) -> TraversalDescription {
        var copy = self
        change(&copy)
        return copy
    }

    /// Follows relationships of a type as well. Without this all are followed, with it only those that were added.
    public func relationships(_ type: String, _ direction: Direction = .both) -> TraversalDescription {
        with { $0.expander = expander.adding(type, direction) }
    }

    /// Follows what an expander says, in the place of what was said before.
    public func expand(_ expander: PathExpander) -> TraversalDescription { with { $0.expander = expander } }

    /// Lets one more evaluator decide: a position is included only if all include it, and continued only if all do.
    public func evaluator(_ evaluator: Evaluator) -> TraversalDescription { with { $0.evaluators.append(evaluator) } }

    public func uniqueness(_ uniqueness: Uniqueness) -> TraversalDescription { with { $0.uniqueness = uniqueness } }

    public func order(_ ordering: BranchOrdering) -> TraversalDescription { with { $0.ordering = ordering } }
    /// The order ``BranchOrdering/preorderDepthFirst``.
    public func depthFirst() -> TraversalDescription { order(.preorderDepthFirst) }
    /// The order ``BranchOrdering/preorderBreadthFirst``.
    public func breadthFirst() -> TraversalDescription { order(.preorderBreadthFirst) }

    /// A traversal from one or more nodes. Nothing is done before its first result is asked for.
    public func traverse(
        from nodes: NodeID..., in transaction: Transaction, control: TraversalControl = TraversalControl()
    ) -> Traverser { Traverser(self, from: nodes, in: transaction, control: control) }

    /// The same from a list of nodes.
    public func traverse(
        from nodes: [NodeID], in transaction: Transaction, control: TraversalControl = TraversalControl()
    ) -> Traverser { Traverser(self, from: nodes, in: transaction, control: control) }
}
