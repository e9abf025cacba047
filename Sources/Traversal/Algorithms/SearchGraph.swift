internal import GraphModel

/// The part of the graph that a search has met: nodes by the places they were given, and by which relationships each is
/// reached best, as lists in one array.
struct SearchGraph: Sendable {
    struct Edge: Sendable {
        let relationship: UInt64
        /// The place of the node that it comes from.
        let previous: Int
        /// The next edge to the same node; -1 at the end.
        fileprivate(set) var next: Int
    }
    private(set) var slots = SlotTable()
    private var firstEdges: ContiguousArray<Int> = []
    private(set) var edges: ContiguousArray<Edge> = []

    var count: Int { slots.count }
    var byteCount: Int { slots.byteCount + firstEdges.count * 8 + edges.count * 24 }

    func node(_ slot: Int) -> UInt64 { slots.ids[slot] }
    func find(_ node: UInt64) -> Int? { slots.find(node) }
    /// The first edge to a node; -1 when there is none.
    func firstEdge(_ slot: Int) -> Int { firstEdges[slot] }

    mutating func take(_ node: UInt64) throws(GraphError) -> (slot: Int, isNew: Bool) {
        guard slots.count < Int(Int32.max) else {
            throw GraphError(.queryMemory, "a path search visits at most \(Int32.max) nodes: limit its depth")
        }
        let taken = slots.take(node)
        if taken.isNew { firstEdges.append(-1) }
        return taken
    }

    /// One more way to a node that is as good as those known.
    mutating func addEdge(to slot: Int, by relationship: UInt64, from previous: Int) {
        edges.append(Edge(relationship: relationship, previous: previous, next: firstEdges[slot]))
        firstEdges[slot] = edges.count - 1
    }

    /// A way to a node that is better than all known.
    mutating func setEdge(to slot: Int, by relationship: UInt64, from previous: Int) {
        firstEdges[slot] = -1
        addEdge(to: slot, by: relationship, from: previous)
    }
}

/// Goes through all paths along a search's edges, back from one node to where the search began. No node comes twice in a
/// path: edges of no cost may form cycles.
struct BackwardPaths {
    private let graph: SearchGraph
    private let start: Int
    private let isLoopFree: Bool
    private let target: Int
    /// The edges of the path so far, from the target on.
    private(set) var chosen: ContiguousArray<Int> = []
    private var isInPath: Set<Int>
    private var hasBegun = false

    /// - Parameter isLoopFree: whether the edges are known to form no cycle.
    init(_ graph: SearchGraph, from target: Int, to start: Int, isLoopFree: Bool) {
        self.graph = graph
        self.start = start
        self.target = target
        self.isLoopFree = isLoopFree
        isInPath = isLoopFree ? [] : [target]
    }

    /// Whether there is another path, whose edges are in ``chosen`` then.
    mutating func next(_ control: TraversalControl, _ steps: inout StepCounter) throws(GraphError) -> Bool {
        var candidate: Int
        if hasBegun {
            candidate = stepBack()
        } else {
            hasBegun = true
            if target == start { return true }
            candidate = graph.firstEdge(target)
        }
        while true {
            if steps.step() { try control.require(0) }
            if candidate < 0 {
                if chosen.isEmpty { return false }
                candidate = stepBack()
                continue
            }
            let previous = graph.edges[candidate].previous
            if !isLoopFree && !isInPath.insert(previous).inserted {
                candidate = graph.edges[candidate].next
                continue
            }
            chosen.append(candidate)
            if previous == start { return true }
            candidate = graph.firstEdge(previous)
        }
    }

    /// Takes the last edge back; the one to try in its place, -1 for none.
    private mutating func stepBack() -> Int {
        guard let last = chosen.popLast() else { return -1 }
        if !isLoopFree { isInPath.remove(graph.edges[last].previous) }
        return graph.edges[last].next
    }

    /// The path's relationships and the nodes before them, from the target to the start.
    func appendSteps(nodes: inout [NodeID], relationships: inout [RelationshipID]) {
        for edge in chosen {
            relationships.append(RelationshipID(graph.edges[edge].relationship))
            nodes.append(NodeID(graph.node(graph.edges[edge].previous)))
        }
    }
}
