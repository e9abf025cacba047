package import GraphModel
package import Storage

/// A traversal under way: ids alone, no transaction. Between two steps it may wait, and go on in another transaction.
package struct TraversalState: Sendable {
    private enum Walk: Sendable {
        /// The branch that is expanded; -1 is where start nodes come from.
        case preorderDepthFirst(Int)
        /// The same; `isVisited` when it was the last result.
        case postorderDepthFirst(Int, isVisited: Bool)
        /// Branches are visited in the order of their places.
        case preorderBreadthFirst(Int)
        case postorderBreadthFirst(LevelWalk?)
        case custom(any BranchSelector)
        case ended
    }
    private var tree: BranchTree
    private var walk: Walk
    /// The place of the last result.
    private var current = -1

    package init(
        _ description: TraversalDescription, from starts: [NodeID], in transaction: Transaction,
        control: TraversalControl
    ) {
        tree = BranchTree(description, from: starts, in: transaction, control: control)
        walk =
            switch description.ordering.kind {
            case .preorderDepthFirst: .preorderDepthFirst(-1)
            case .postorderDepthFirst: .postorderDepthFirst(-1, isVisited: false)
            case .preorderBreadthFirst: .preorderBreadthFirst(-1)
            case .postorderBreadthFirst: .postorderBreadthFirst(nil)
            case .custom(let makeSelector): .custom(makeSelector())
            }
    }

    /// Goes on in another transaction than before, under a control of that one.
    package mutating func resume(in transaction: Transaction, control: TraversalControl = TraversalControl()) {
        tree.resume(in: transaction, control: control)
    }

    /// Bytes that it takes, roughly.
    package var byteCount: Int { tree.byteCount }

    // MARK: The result that was reached

    package var length: Int { Int(tree.branches[current].length) }
    package var endNode: NodeID { NodeID(tree.branches[current].node) }
    package var lastRelationship: RelationshipID? {
        length == 0 ? nil : RelationshipID(tree.branches[current].relationship)
    }
    package func path() -> Path { tree.branches.path(to: current) }

    // MARK: Steps

    /// Walks to the next result; false when there are no more. After an error it is over.
    package mutating func advance(in transaction: Transaction) throws(GraphError) -> Bool {
        do throws(GraphError) {
            while let index = try nextBranch(in: transaction) {
                if tree.branches[index].evaluation.includes {
                    current = index
                    return true
                }
            }
        } catch {
            walk = .ended
            throw error
        }
        walk = .ended
        return false
    }

    private mutating func nextBranch(in transaction: Transaction) throws(GraphError) -> Int? {
        switch walk {
        case .preorderDepthFirst(var expanded):
            defer { if case .preorderDepthFirst = walk { walk = .preorderDepthFirst(expanded) } }
            while true {
                if let child = try take(expanded, in: transaction) {
                    expanded = child
                    return child
                }
                if expanded < 0 { return nil }
                expanded = leave(expanded)
            }
        case .postorderDepthFirst(var expanded, let isVisited):
            if isVisited { expanded = leave(expanded) }
            while let child = try take(expanded, in: transaction) { expanded = child }
            walk = .postorderDepthFirst(expanded, isVisited: true)
            return expanded < 0 ? nil : expanded
        case .preorderBreadthFirst(var expanded):
            defer { walk = .preorderBreadthFirst(expanded) }
            return try nextInBreadth(&expanded, in: transaction)
        case .postorderBreadthFirst(nil):
            var expanded = -1
            while try nextInBreadth(&expanded, in: transaction, keepsAll: true) != nil {}
            var levels = LevelWalk(end: tree.branches.count)
            defer { walk = .postorderBreadthFirst(levels) }
            return levels.next(tree.branches)
        case .postorderBreadthFirst(.some(var levels)):
            defer { walk = .postorderBreadthFirst(levels) }
            return levels.next(tree.branches)
        case .custom(var selector):
            // Not in two places while it changes.
            walk = .ended
            let branch = try selector.next(&tree, in: transaction)
            walk = .custom(selector)
            return branch.flatMap { $0.index < 0 ? nil : $0.index }
        case .ended: return nil
        }
    }

    private mutating func take(_ index: Int, in transaction: Transaction) throws(GraphError) -> Int? {
        index < 0 ? try tree.takeStart(in: transaction) : try tree.takeChild(of: index, in: transaction)
    }

    /// Depth first, the branches are those of one path: the last one is done with when the walk leaves it.
    private mutating func leave(_ index: Int) -> Int {
        let parent = Int(tree.branches[index].parent)
        tree.removeLast()
        return parent
    }

    private mutating func nextInBreadth(
        _ expanded: inout Int, in transaction: Transaction, keepsAll: Bool = false
    ) throws(GraphError) -> Int? {
        // Nothing begins at the last result, which need not be kept then: of the last level there is one at a time.
        let last = tree.branches.count - 1
        if !keepsAll, last > expanded, !tree.branches[last].evaluation.continues { tree.removeLast() }
        while true {
            if let child = try take(expanded, in: transaction) { return child }
            expanded += 1
            if expanded >= tree.branches.count { return nil }
        }
    }
}

/// Goes through branches that stand level by level, the deepest level first.
private struct LevelWalk: Sendable {
    private var place: Int
    private var levelStart: Int
    private var levelEnd: Int

    init(end: Int) {
        place = end
        levelStart = end
        levelEnd = end
    }

    mutating func next(_ branches: ContiguousArray<Branch>) -> Int? {
        if place == levelEnd {
            if levelStart == 0 { return nil }
            levelEnd = levelStart
            let length = branches[levelEnd - 1].length
            while levelStart > 0, branches[levelStart - 1].length == length { levelStart -= 1 }
            place = levelStart
        }
        defer { place += 1 }
        return place
    }
}
