public import GraphModel
public import Storage

/// Finds the shortest paths by walking breadth first from both ends, a level at a time, each time from the end whose level
/// has fewer nodes.
public struct ShortestPath: PathFinder {
    private let expander: PathExpander
    private let maxDepth: Int

    init(_ expander: PathExpander, maxDepth: Int) {
        self.expander = expander
        self.maxDepth = maxDepth
    }

    public func forEachPath(
        from start: NodeID, to end: NodeID, in transaction: Transaction, control: TraversalControl,
        _ body: (Path) throws(GraphError) -> Bool
    ) throws(GraphError) {
        try search(from: start, to: end, in: transaction, control, keepsTies: true, body)
    }

    public func findSinglePath(
        from start: NodeID, to end: NodeID, in transaction: Transaction, control: TraversalControl = TraversalControl()
    ) throws(GraphError) -> Path? {
        var found: Path?
        try search(from: start, to: end, in: transaction, control, keepsTies: false) { path in
            found = path
            return false
        }
        return found
    }

    private func search(
        from start: NodeID, to end: NodeID, in transaction: Transaction, _ control: TraversalControl, keepsTies: Bool,
        _ body: (Path) throws(GraphError) -> Bool
    ) throws(GraphError) {
        try requireDepth(maxDepth)
        try requireNodes(start, end, in: transaction)
        if start == end {
            _ = try body(Path(nodes: [start], relationships: []))
            return
        }
        var forward = try LevelSearch(from: start, expander, in: transaction)
        var backward = try LevelSearch(from: end, expander.reversed ?? expander, in: transaction)
        let isTwoSided = expander.reversed != nil
        var steps = StepCounter()
        while forward.depth + backward.depth < maxDepth {
            let isForward = !isTwoSided || forward.level.count <= backward.level.count
            if isForward {
                try forward.expandLevel(in: transaction, keepsTies: keepsTies, control, &steps, with: backward.byteCount)
            } else {
                try backward.expandLevel(in: transaction, keepsTies: keepsTies, control, &steps, with: forward.byteCount)
            }
            let reached = isForward ? forward : backward
            if reached.level.isEmpty { return }
            let other = isForward ? backward : forward
            var hasMet = false
            for slot in reached.level {
                guard let meeting = other.graph.find(reached.graph.node(slot)) else { continue }
                hasMet = true
                let (first, second) = isForward ? (slot, meeting) : (meeting, slot)
                if try !join(forward, first, backward, second, control, &steps, body) { return }
            }
            if hasMet { return }
        }
    }

    /// All paths that go through one node, which both sides have met: each way from the start with each way to the end.
    private func join(
        _ forward: LevelSearch, _ first: Int, _ backward: LevelSearch, _ second: Int, _ control: TraversalControl,
        _ steps: inout StepCounter, _ body: (Path) throws(GraphError) -> Bool
    ) throws(GraphError) -> Bool {
        var heads = BackwardPaths(forward.graph, from: first, to: 0, isLoopFree: true)
        while try heads.next(control, &steps) {
            var headNodes = [NodeID(forward.graph.node(first))]
            var headRelationships: [RelationshipID] = []
            heads.appendSteps(nodes: &headNodes, relationships: &headRelationships)
            headNodes.reverse()
            headRelationships.reverse()
            var tails = BackwardPaths(backward.graph, from: second, to: 0, isLoopFree: true)
            while try tails.next(control, &steps) {
                var (nodes, relationships) = (headNodes, headRelationships)
                tails.appendSteps(nodes: &nodes, relationships: &relationships)
                if try !body(Path(nodes: nodes, relationships: relationships)) { return false }
            }
        }
        return true
    }
}

/// A breadth-first search from one node, level by level.
struct LevelSearch: Sendable {
    private(set) var graph = SearchGraph()
    /// The places of the nodes of the last level.
    private(set) var level = 0..<1
    /// How many relationships the nodes of the last level are away.
    private(set) var depth = 0
    private let expander: ResolvedExpander

    init(from start: NodeID, _ expander: PathExpander, in transaction: Transaction) throws(GraphError) {
        self.expander = ResolvedExpander(expander, in: transaction)
        _ = try graph.take(start.rawValue)
    }

    var byteCount: Int { graph.byteCount }

    /// Walks one level further.
    /// - Parameters:
    ///   - keepsTies: whether all relationships that lead to a node in the least number of steps are kept, or one.
    ///   - otherByteCount: what the search holds elsewhere.
    mutating func expandLevel(
        in transaction: Transaction, keepsTies: Bool, _ control: TraversalControl, _ steps: inout StepCounter,
        with otherByteCount: Int
    ) throws(GraphError) {
        let levelEnd = graph.count
        var expansion = Expansion()
        for slot in level {
            expansion.removeAll()
            try expander.expand(graph.node(slot), in: transaction, into: &expansion)
            for place in expansion.neighbours.indices {
                if steps.step() { try control.require(byteCount + otherByteCount) }
                let (neighbour, isNew) = try graph.take(expansion.neighbours[place])
                if isNew || keepsTies && neighbour >= levelEnd {
                    graph.addEdge(to: neighbour, by: expansion.relationships[place], from: slot)
                }
            }
        }
        level = levelEnd..<graph.count
        depth += 1
    }
}
