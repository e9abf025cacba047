public import GraphModel

extension Transaction {
    /// Appends only the other ends of a node's relationships, in the order of
    /// ``expand(_:_:types:neighbours:relationships:)``. The relationships' ids are not even looked at.
    public func expand(
        _ node: NodeID, _ direction: Direction, types: [TokenID], neighbours: inout ContiguousArray<UInt64>
    ) {
        if isReadOnly {
            if direction != .both, let run = view.run(
                node.rawValue, isIncoming: direction == .incoming, types: types, mayChange: hasChangedAdjacency)
            {
                return run.append(to: &neighbours)
            }
            return view.expand(node.rawValue, direction, types: types, at: at, neighbours: &neighbours)
        }
        var relationships: ContiguousArray<UInt64> = []
        expand(node, direction, types: types, neighbours: &neighbours, relationships: &relationships)
    }

    /// Expands many nodes: appends their neighbours one node after the other, and to `counts` how many each has.
    ///
    /// On unchanged parts of the graph the look-ups of many nodes go side by side, so that the memory's latency is paid
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
        nodes.withUnsafeBufferPointer { nodes in
            view.forEachRun(
                nodes, isIncoming: direction == .incoming, types: types, mayChange: hasChangedAdjacency
            ) { node, run in
                let before = neighbours.count
                if let run {
                    run.append(to: &neighbours)
                } else {
                    view.expand(node, direction, types: types, at: at, neighbours: &neighbours)
                }
                counts.append(neighbours.count - before)
            }
        }
    }

    /// One level of a breadth-first walk: adds the neighbours of all nodes of `from` to `into`, each once.
    ///
    /// `into` may hold nodes already; with what was visited before in it, only new ones are added. Repeating this with an
    /// empty `into` gives the distinct ends of a walk of k steps. Works on a snapshot or within a write transaction.
    public func expandDistinct(
        _ from: borrowing NodeSet, _ direction: Direction, types: [TokenID], into: inout NodeSet
    ) {
        into.reserve(upTo: max(state.nextNodeID, writes?.createdNodes.max().map { $0 + 1 } ?? 0))
        var neighbours: ContiguousArray<UInt64> = []
        guard isReadOnly, direction != .both else {
            from.forEach { node in
                neighbours.removeAll(keepingCapacity: true)
                expand(NodeID(node), direction, types: types, neighbours: &neighbours)
                for neighbour in neighbours { into.insert(neighbour) }
            }
            return
        }
        let isIncoming = direction == .incoming
        from.withNodes { nodes in
            if hasChangedAdjacency {
                view.forEachPart(
                    nodes, isIncoming: isIncoming, types: types, at: at,
                    run: { into.insert($0.run($2)) }, edge: { _, neighbour, _ in into.insert(neighbour) })
            } else {
                view.forEachRun(nodes, isIncoming: isIncoming, types: types, mayChange: false) { node, run in
                    if let run { return into.insert(run) }
                    neighbours.removeAll(keepingCapacity: true)
                    view.expand(node, direction, types: types, at: at, neighbours: &neighbours)
                    for neighbour in neighbours { into.insert(neighbour) }
                }
            }
        }
    }

    /// The same for a part of the nodes of `from`, by their places, and with the number of nodes in `into` after each of
    /// them appended to `ends`: so it can be said from which node each of `into` was reached first.
    public func expandDistinct(
        _ from: borrowing NodeSet, _ places: Range<Int>, _ direction: Direction, types: [TokenID],
        into: inout NodeSet, ends: inout ContiguousArray<Int>
    ) {
        into.reserve(upTo: max(state.nextNodeID, writes?.createdNodes.max().map { $0 + 1 } ?? 0))
        var neighbours: ContiguousArray<UInt64> = []
        guard isReadOnly, direction != .both, !hasChangedAdjacency else {
            for place in places {
                neighbours.removeAll(keepingCapacity: true)
                expand(NodeID(from[place]), direction, types: types, neighbours: &neighbours)
                for neighbour in neighbours { into.insert(neighbour) }
                ends.append(into.count)
            }
            return
        }
        from.withNodes { nodes in
            view.forEachRun(
                UnsafeBufferPointer(rebasing: nodes[places]), isIncoming: direction == .incoming, types: types,
                mayChange: false
            ) { node, run in
                if let run { into.insert(run) } else {
                    neighbours.removeAll(keepingCapacity: true)
                    view.expand(node, direction, types: types, at: at, neighbours: &neighbours)
                    for neighbour in neighbours { into.insert(neighbour) }
                }
                ends.append(into.count)
            }
        }
    }

    /// Adds the neighbours of the nodes at some places of a set to that set, and the number of its nodes after each of
    /// them to `ends`.
    public func expandDistinct(
        within nodes: inout NodeSet, _ places: Range<Int>, _ direction: Direction, types: [TokenID],
        ends: inout ContiguousArray<Int>
    ) {
        nodes.reserve(upTo: max(state.nextNodeID, writes?.createdNodes.max().map { $0 + 1 } ?? 0))
        var neighbours: ContiguousArray<UInt64> = []
        guard isReadOnly, direction != .both else {
            for place in places {
                neighbours.removeAll(keepingCapacity: true)
                expand(NodeID(nodes[place]), direction, types: types, neighbours: &neighbours)
                for neighbour in neighbours { nodes.insert(neighbour) }
                ends.append(nodes.count)
            }
            return
        }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: places.count) { sources in
            for (index, place) in places.enumerated() { sources.initializeElement(at: index, to: nodes[place]) }
            view.forEachRun(
                UnsafeBufferPointer(sources), isIncoming: direction == .incoming, types: types,
                mayChange: hasChangedAdjacency
            ) { node, run in
                if let run { nodes.insert(run) } else {
                    neighbours.removeAll(keepingCapacity: true)
                    view.expand(node, direction, types: types, at: at, neighbours: &neighbours)
                    for neighbour in neighbours { nodes.insert(neighbour) }
                }
                ends.append(nodes.count)
            }
        }
    }
}
