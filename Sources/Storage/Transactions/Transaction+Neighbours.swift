public import GraphModel

extension Transaction {
    /// Appends only the other ends of a node's relationships, in the order of
    /// ``expand(_:_:types:neighbours:relationships:)``. On unchanged parts of the graph the relationships' ids are not
    /// even looked at.
    public func expand(
        _ node: NodeID, _ direction: Direction, types: [TokenID], neighbours: inout ContiguousArray<UInt64>
    ) {
        if isReadOnly, view.expandUnchanged(node.rawValue, direction, types: types, neighbours: &neighbours) {
            return
        }
        var relationships: ContiguousArray<UInt64> = []
        expand(node, direction, types: types, neighbours: &neighbours, relationships: &relationships)
    }
}

extension Transaction {
    /// Expands many nodes: appends their neighbours one node after the other, and to `counts` how many each has.
    ///
    /// On unchanged parts of the graph the look-ups of all nodes go side by side, so that the memory's latency is paid
    /// once for several of them.
    public func expand(
        _ nodes: ArraySlice<UInt64>, _ direction: Direction, types: [TokenID],
        neighbours: inout ContiguousArray<UInt64>, counts: inout ContiguousArray<Int>
    ) {
        guard isReadOnly, direction != .both else {
            for node in nodes {
                let before = neighbours.count
                expand(NodeID(node), direction, types: types, neighbours: &neighbours)
                counts.append(neighbours.count - before)
            }
            return
        }
        var runs: ContiguousArray<NeighbourRun?> = []
        runs.reserveCapacity(nodes.count)
        for node in nodes { runs.append(view.run(node, direction, types: types)) }
        // Touches every run before the first is copied: the misses overlap.
        for index in runs.indices { runs[index]?.touch() }
        for (node, run) in zip(nodes, runs) {
            let before = neighbours.count
            if let run {
                run.append(to: &neighbours)
            } else {
                expand(NodeID(node), direction, types: types, neighbours: &neighbours)
            }
            counts.append(neighbours.count - before)
        }
    }
}

/// The neighbours of one node as they lie in a segment. Valid while the view that gave it lives.
struct NeighbourRun {
    let neighbours: PackedIntegers
    let entries: Range<Int>
    private var first: UInt64 = 0

    init(_ neighbours: PackedIntegers, _ entries: Range<Int>) {
        self.neighbours = neighbours
        self.entries = entries
    }

    mutating func touch() { if !entries.isEmpty { first = neighbours[entries.lowerBound] } }

    func append(to target: inout ContiguousArray<UInt64>) { neighbours.append(entries, to: &target) }
}

extension StoreView {
    /// Whether some overlay has changed a node's relationships.
    private func changes(_ node: UInt64) -> Bool {
        for layer in layers where layer.relationships.count > 0 {
            guard let entry = layer.node(node) else { continue }
            if entry.pointee.removedCount.load(ordering: .acquiring) > 0 { return true }
            if entry.pointee.newestEdge.load(ordering: .acquiring) != 0 { return true }
        }
        return false
    }

    /// The single run that is a node's answer; nil when it has to be put together from more.
    func run(_ node: UInt64, _ direction: Direction, types: [TokenID]) -> NeighbourRun? {
        if changes(node) { return nil }
        guard let (segment, slot) = base.node(node) else { return nil }
        return segment.run(slot, direction, types: types)
    }

    /// Appends a node's neighbours when no overlay changes them; else returns false and does nothing.
    func expandUnchanged(
        _ node: UInt64, _ direction: Direction, types: [TokenID], neighbours: inout ContiguousArray<UInt64>
    ) -> Bool {
        if changes(node) { return false }
        guard let (segment, slot) = base.node(node) else { return true }
        segment.forEachGroup(slot, direction, types: types) { _, isIncoming, entries in
            if direction == .both && isIncoming {
                for entry in entries {
                    let neighbour = segment.neighbour(entry)
                    if neighbour != node { neighbours.append(neighbour) }
                }
            } else {
                segment.append(entries, neighbours: &neighbours)
            }
        }
        return true
    }
}
