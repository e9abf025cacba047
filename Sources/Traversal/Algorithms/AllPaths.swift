public import GraphModel
public import Storage

/// Finds all paths up to a length, depth first.
///
/// A few levels are walked from the end before: what is not among them cannot reach the end in the relationships that are
/// left, and is not followed.
public struct AllPaths: PathFinder {
    private let expander: PathExpander
    private let maxDepth: Int
    private let isSimple: Bool

    init(_ expander: PathExpander, maxDepth: Int, isSimple: Bool) {
        self.expander = expander
        self.maxDepth = maxDepth
        self.isSimple = isSimple
    }

    public func forEachPath(
        from start: NodeID, to end: NodeID, in transaction: Transaction, control: TraversalControl,
        _ body: (Path) throws(GraphError) -> Bool
    ) throws(GraphError) {
        try requireDepth(maxDepth)
        try requireNodes(start, end, in: transaction)
        var description = TraversalDescription().expand(expander)
            .uniqueness(isSimple ? .nodePath : .relationshipPath)
            .evaluator(.toDepth(maxDepth))
            .evaluator(
                .endNode(
                    isOneOf: [end], matching: isSimple ? .includeAndPrune : .includeAndContinue,
                    otherwise: .excludeAndContinue))
        if let reversed = expander.reversed {
            description = description.evaluator(try nearing(end, reversed, in: transaction, control))
        }
        try description.traverse(from: start, in: transaction, control: control).forEachPath(body)
    }

    /// Prunes where the end is too far away.
    private func nearing(
        _ end: NodeID, _ reversed: PathExpander, in transaction: Transaction, _ control: TraversalControl
    ) throws(GraphError) -> Evaluator {
        var search = try LevelSearch(from: end, reversed, in: transaction)
        var levelEnds: [Int] = [1]
        var steps = StepCounter()
        while search.depth < maxDepth / 2, !search.level.isEmpty {
            try search.expandLevel(in: transaction, keepsTies: false, control, &steps, with: 0)
            levelEnds.append(search.level.upperBound)
        }
        let (graph, ends, maxDepth, isWhole) = (search.graph, levelEnds, maxDepth, search.level.isEmpty)
        return .pruning { position in
            let left = maxDepth - position.length
            if left >= ends.count && !isWhole { return false }
            // Places are given level by level: those before the end of a level are at most that far away.
            return graph.find(position.endNode.rawValue).map { $0 >= ends[min(left, ends.count - 1)] } ?? true
        }
    }
}
