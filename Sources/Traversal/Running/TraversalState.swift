package import GraphModel
package import Storage

/// A traversal under way: ids alone, no transaction. Between two steps it may wait, and go on in another transaction.
package struct TraversalState: Sendable {
    private let order: BranchOrdering.Kind
    private var tree: BranchTree
    /// The place of the branch whose children come next; -1 is where start nodes come from.
    private var expanded = -1
    /// Whether that branch was the last result: in postorder it is left then.
    private var isExpandedVisited = false
    /// In postorder breadth first, once the whole tree has been walked.
    private var levels: LevelWalk?
    private var selector: (any BranchSelector)?
    private var isOver = false
    /// The place of the last result.
    private var current = -1

    package init(
        _ description: TraversalDescription, from starts: [NodeID], in transaction: Transaction,
        control: TraversalControl
    ) {
        order = description.ordering.kind
        tree = BranchTree(description, from: starts, in: transaction, control: control)
        if case .custom(let makeSelector) = order { selector = makeSelector() }
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
        if isOver { return false }
        do throws(GraphError) {
            while let index = try nextBranch(in: transaction) {
                if tree.branches[index].evaluation.includes {
                    current = index
                    return true
                }
            }
        } catch {
            isOver = true
            throw error
        }
        isOver = true
        return false
    }

    private mutating func nextBranch(in transaction: Transaction) throws(GraphError) -> Int? {
        switch order {
        case .preorderDepthFirst:
            while true {
                if let child = try take(expanded, in: transaction) {
                    expanded = child
                    return child
                }
                if expanded < 0 { return nil }
                leave()
            }
        case .postorderDepthFirst:
            if isExpandedVisited { leave() }
            while let child = try take(expanded, in: transaction) { expanded = child }
            isExpandedVisited = true
            return expanded < 0 ? nil : expanded
        case .preorderBreadthFirst: return try nextInBreadth(keepsAll: false, in: transaction)
        case .postorderBreadthFirst:
            if levels == nil {
                while try nextInBreadth(keepsAll: true, in: transaction) != nil {}
                levels = LevelWalk(end: tree.branches.count)
            }
            return levels?.next(tree.branches)
        case .custom:
            return try selector?.next(&tree, in: transaction).flatMap { $0.index < 0 ? nil : $0.index }
        }
    }

    private mutating func take(_ index: Int, in transaction: Transaction) throws(GraphError) -> Int? {
        index < 0 ? try tree.takeStart(in: transaction) : try tree.takeChild(of: index, in: transaction)
    }

    /// Depth first, the branches are those of one path: the last one is done with when the walk leaves it.
    private mutating func leave() {
        expanded = Int(tree.branches[expanded].parent)
        tree.removeLast()
    }

    private mutating func nextInBreadth(keepsAll: Bool, in transaction: Transaction) throws(GraphError) -> Int? {
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
