internal import GraphModel
internal import Synchronization

extension StoreView {
    /// Whether some overlay has changed a node's relationships of one direction.
    @inline(__always)
    func changes(_ node: UInt64, isIncoming: Bool) -> Bool {
        for layer in layers where layer.relationships.count > 0 {
            if let entry = layer.node(node), !entry.pointee.withDelta(isIncoming: isIncoming, { $0.isEmpty }) { return true }
        }
        return false
    }

    /// Calls `body` with the parts of a node's relationships of one direction that are visible: first runs of the base,
    /// then, one by one, what was added since.
    ///
    /// What was removed from a run is found in it by its id, as ids ascend within a type, and left out: the cost is that
    /// of the answer and of the changes, also for a node with ten million relationships of which two are gone.
    @inline(__always)
    func forEachPart(
        _ node: UInt64, isIncoming: Bool, types: [TokenID], at transaction: UInt64,
        run: (borrowing Adjacency, TokenID, Range<Int>) -> Void,
        edge: (TokenID, _ neighbour: UInt64, _ relationship: UInt64) -> Void
    ) {
        let isChanged = changes(node, isIncoming: isIncoming)
        if let (adjacency, slot) = base.adjacency(node, isIncoming: isIncoming) {
            if isChanged {
                forEachRest(adjacency, slot, node, isIncoming: isIncoming, types: types, at: transaction, run)
            } else {
                adjacency.pointee.forEachGroup(slot, types: types) { run(adjacency.pointee, $0, $1) }
            }
        }
        if isChanged { forEachAdded(node, isIncoming: isIncoming, types: types, at: transaction, edge) }
    }

    /// The runs of the base without what overlays have removed.
    private func forEachRest(
        _ adjacency: UnsafePointer<Adjacency>, _ slot: Int, _ node: UInt64, isIncoming: Bool, types: [TokenID],
        at transaction: UInt64, _ body: (borrowing Adjacency, TokenID, Range<Int>) -> Void
    ) {
        var holes: ContiguousArray<Int> = []
        for layer in layers {
            guard let entry = layer.node(node) else { continue }
            entry.pointee.withDelta(isIncoming: isIncoming) { delta in
                let removed = delta.removed.elements
                for index in 0..<removed.count {
                    let edge = removed[index]
                    if edge.pointee.deletedBy > transaction { continue }
                    if !types.isEmpty && !types.contains(edge.pointee.type) { continue }
                    // Not in the base when it was added by the overlay that a checkpoint is merging.
                    if let hole = adjacency.pointee.relationshipIDs.firstIndex(
                        of: edge.pointee.relationship, in: adjacency.pointee.run(slot, type: edge.pointee.type))
                    {
                        holes.append(hole)
                    }
                }
            }
        }
        if holes.count > 1 { holes.sort() }
        var next = 0
        adjacency.pointee.forEachGroup(slot, types: types) { type, entries in
            var start = entries.lowerBound
            while next < holes.count, holes[next] < entries.upperBound {
                if holes[next] > start { body(adjacency.pointee, type, start..<holes[next]) }
                start = max(start, holes[next] + 1)
                next += 1
            }
            if start < entries.upperBound { body(adjacency.pointee, type, start..<entries.upperBound) }
        }
    }

    private func forEachAdded(
        _ node: UInt64, isIncoming: Bool, types: [TokenID], at transaction: UInt64,
        _ body: (TokenID, UInt64, UInt64) -> Void
    ) {
        for (index, layer) in layers.enumerated() {
            guard let entry = layer.node(node) else { continue }
            entry.pointee.withDelta(isIncoming: isIncoming) { delta in
                let added = delta.added.elements
                for place in 0..<added.count {
                    let edge = added[place]
                    guard edge.pointee.isVisible(at: transaction) else { continue }
                    if !types.isEmpty && !types.contains(edge.pointee.type) { continue }
                    if index > 0 && isRemoved(edge.pointee.relationship, byFirst: index, at: transaction) { continue }
                    body(edge.pointee.type, edge.pointee.neighbour, edge.pointee.relationship)
                }
            }
        }
    }

    /// Appends the ends and ids of a node's relationships.
    func expand(
        _ node: UInt64, _ direction: Direction, types: [TokenID], at transaction: UInt64,
        neighbours: inout ContiguousArray<UInt64>, relationships: inout ContiguousArray<UInt64>
    ) {
        if direction != .incoming {
            forEachPart(
                node, isIncoming: false, types: types, at: transaction,
                run: { adjacency, _, entries in
                    adjacency.append(entries, to: &neighbours)
                    adjacency.relationshipIDs.append(entries, to: &relationships)
                },
                edge: { _, neighbour, relationship in
                    neighbours.append(neighbour)
                    relationships.append(relationship)
                })
        }
        if direction == .outgoing { return }
        // A self-relationship stands in both lists; for `.both` it counts once.
        let skipsLoops = direction == .both
        forEachPart(
            node, isIncoming: true, types: types, at: transaction,
            run: { adjacency, _, entries in
                if !skipsLoops {
                    adjacency.append(entries, to: &neighbours)
                    adjacency.relationshipIDs.append(entries, to: &relationships)
                    return
                }
                for entry in entries where adjacency.neighbour(entry) != node {
                    neighbours.append(adjacency.neighbour(entry))
                    relationships.append(adjacency.relationshipIDs[entry])
                }
            },
            edge: { _, neighbour, relationship in
                if skipsLoops && neighbour == node { return }
                neighbours.append(neighbour)
                relationships.append(relationship)
            })
    }

    /// Appends only the ends; the relationships' ids are not looked at.
    func expand(
        _ node: UInt64, _ direction: Direction, types: [TokenID], at transaction: UInt64,
        neighbours: inout ContiguousArray<UInt64>
    ) {
        if direction != .incoming {
            forEachPart(
                node, isIncoming: false, types: types, at: transaction,
                run: { adjacency, _, entries in adjacency.append(entries, to: &neighbours) },
                edge: { _, neighbour, _ in neighbours.append(neighbour) })
        }
        if direction == .outgoing { return }
        let skipsLoops = direction == .both
        forEachPart(
            node, isIncoming: true, types: types, at: transaction,
            run: { adjacency, _, entries in
                if !skipsLoops { return adjacency.append(entries, to: &neighbours) }
                for entry in entries where adjacency.neighbour(entry) != node {
                    neighbours.append(adjacency.neighbour(entry))
                }
            },
            edge: { _, neighbour, _ in if !skipsLoops || neighbour != node { neighbours.append(neighbour) } })
    }

    /// How many relationships a node has. Looks at the neighbours only to count self-relationships for `.both`.
    func degree(_ node: UInt64, _ direction: Direction, types: [TokenID], at transaction: UInt64) -> Int {
        var count = 0
        if direction != .incoming {
            forEachPart(
                node, isIncoming: false, types: types, at: transaction, run: { count += $2.count },
                edge: { _, _, _ in count += 1 })
        }
        if direction == .outgoing { return count }
        let skipsLoops = direction == .both
        forEachPart(
            node, isIncoming: true, types: types, at: transaction,
            run: { adjacency, _, entries in
                count += entries.count
                if skipsLoops { for entry in entries where adjacency.neighbour(entry) == node { count -= 1 } }
            },
            edge: { _, neighbour, _ in if !skipsLoops || neighbour != node { count += 1 } })
        return count
    }

    /// The neighbours of a node as they lie in the base; nil when they have to be put together.
    @inline(__always)
    func run(_ node: UInt64, isIncoming: Bool, types: [TokenID]) -> NeighbourRun? {
        if changes(node, isIncoming: isIncoming) { return nil }
        guard let (adjacency, slot) = base.adjacency(node, isIncoming: isIncoming) else { return NeighbourRun.empty }
        guard let entries = adjacency.pointee.run(slot, types: types) else { return nil }
        return NeighbourRun(adjacency.pointee.pointer(entries), isWide: adjacency.pointee.isWide, count: entries.count)
    }

    /// Adds a node's relationships of one direction to a segment that is being built: those of the base that are left,
    /// and the new ones where their ids belong.
    func copyAdjacency(_ node: UInt64, isIncoming: Bool, at transaction: UInt64, to builder: inout AdjacencyBuilder) {
        if !changes(node, isIncoming: isIncoming) {
            guard let (adjacency, slot) = base.adjacency(node, isIncoming: isIncoming) else { return }
            return adjacency.pointee.forEachGroup(slot, types: []) { builder.add(type: $0, $1, of: adjacency.pointee) }
        }
        var new: [AdjacencyEntry] = []
        forEachAdded(node, isIncoming: isIncoming, types: [], at: transaction) {
            new.append(AdjacencyEntry(type: $0, neighbour: $1, relationship: $2))
        }
        new.sort { ($0.type, $0.relationship) < ($1.type, $1.relationship) }
        var next = 0
        func addNew(before type: TokenID, _ relationship: UInt64) {
            while next < new.count, (new[next].type, new[next].relationship) < (type, relationship) {
                builder.add(
                    type: new[next].type, neighbour: new[next].neighbour, relationship: new[next].relationship)
                next += 1
            }
        }
        if let (adjacency, slot) = base.adjacency(node, isIncoming: isIncoming) {
            forEachRest(adjacency, slot, node, isIncoming: isIncoming, types: [], at: transaction) { adjacency, type, run in
                var start = run.lowerBound
                while start < run.upperBound {
                    addNew(before: type, adjacency.relationshipIDs[start])
                    // As far as nothing new comes between.
                    var end = run.upperBound
                    if next < new.count, new[next].type == type {
                        end = adjacency.relationshipIDs.lowerBound(of: new[next].relationship, in: start..<end)
                    }
                    builder.add(type: type, start..<end, of: adjacency)
                    start = end
                }
            }
        }
        addNew(before: .max, .max)
    }
}
