extension Node {
    /// A traversal that begins at this node. Nothing is done before its first result is asked for.
    public func traverse(
        _ description: TraversalDescription, control: TraversalControl = TraversalControl()
    ) -> Traverser { description.traverse(from: id, in: transaction, control: control) }

    /// One path from this node to another; nil when there is none. Throws as ``PathFinder`` does.
    public func findPath<Finder: PathFinder>(
        to end: Node, _ finder: Finder, control: TraversalControl = TraversalControl()
    ) throws(GraphError) -> Finder.Found? {
        try finder.findSinglePath(from: id, to: end.id, in: transaction, control: control)
    }

    /// All paths from this node to another.
    public func findPaths<Finder: PathFinder>(
        to end: Node, _ finder: Finder, control: TraversalControl = TraversalControl()
    ) throws(GraphError) -> [Finder.Found] {
        try finder.findAllPaths(from: id, to: end.id, in: transaction, control: control)
    }
}
