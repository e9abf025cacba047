internal import GraphModel
internal import Synchronization

extension StoreView {
    /// What the overlays know of a node, newest first; nil where one has not changed its relationships of a direction.
    typealias Changes = UnsafeMutableBufferPointer<UnsafeMutablePointer<NodeEntry>?>

    /// Finds what changed at a node; false when nothing did.
    @inline(__always)
    func findChanges(_ node: UInt64, isIncoming: Bool, into changes: Changes) -> Bool {
        var isChanged = false
        for index in 0..<layers.count {
            var entry: UnsafeMutablePointer<NodeEntry>?
            if layers[index].relationships.count > 0, let found = layers[index].node(node),
                !found.pointee.withDelta(isIncoming: isIncoming, { $0.isEmpty })
            {
                entry = found
                isChanged = true
            }
            changes.initializeElement(at: index, to: entry)
        }
        return isChanged
    }

    /// Calls `body` with the parts of a node's relationships of one direction that are visible: first runs of the base,
    /// then, one by one, what was added since.
    @inline(__always)
    func forEachPart(
        _ node: UInt64, isIncoming: Bool, types: [TokenID], at transaction: UInt64,
        run: (borrowing Adjacency, TokenID, Range<Int>) -> Void,
        edge: (TokenID, _ neighbour: UInt64, _ relationship: UInt64) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<NodeEntry>?.self, capacity: layers.count) { changes in
            let isChanged = findChanges(node, isIncoming: isIncoming, into: changes)
            let found = base.adjacency(node, isIncoming: isIncoming)
            if !isChanged {
                guard let (adjacency, slot) = found else { return }
                return adjacency.pointee.forEachGroup(slot, types: types) { run(adjacency.pointee, $0, $1) }
            }
            if let (adjacency, slot) = found {
                forEachRest(adjacency, slot, changes, isIncoming: isIncoming, types: types, at: transaction, run)
            }
            forEachAdded(changes, isIncoming: isIncoming, types: types, at: transaction, edge)
        }
    }

    /// The runs of the base without what overlays have removed.
    ///
    /// What was removed from a run is found in it by its place, known since its removal unless the base has changed, or
    /// by its id, as ids ascend within a type: the cost is that of the answer and of the changes, also for a node with
    /// ten million relationships of which two are gone.
    @inline(__always)
    func forEachRest(
        _ adjacency: UnsafePointer<Adjacency>, _ slot: Int, _ changes: Changes, isIncoming: Bool, types: [TokenID],
        at transaction: UInt64, _ body: (borrowing Adjacency, TokenID, Range<Int>) -> Void
    ) {
        var removedCount = 0
        for entry in changes {
            removedCount += entry?.pointee.withDelta(isIncoming: isIncoming) { $0.removed.elements.count } ?? 0
        }
        if removedCount == 0 { return adjacency.pointee.forEachGroup(slot, types: types) { body(adjacency.pointee, $0, $1) } }
        withUnsafeTemporaryAllocation(of: Int.self, capacity: removedCount) { holes in
            let holeCount = findHoles(adjacency, slot, changes, isIncoming: isIncoming, at: transaction, holes)
            var next = 0
            adjacency.pointee.forEachGroup(slot, types: types) { type, entries in
                var start = entries.lowerBound
                while next < holeCount, holes[next] < start { next += 1 }
                while next < holeCount, holes[next] < entries.upperBound {
                    if holes[next] > start { body(adjacency.pointee, type, start..<holes[next]) }
                    start = holes[next] + 1
                    next += 1
                }
                if start < entries.upperBound { body(adjacency.pointee, type, start..<entries.upperBound) }
            }
        }
    }

    /// The places of what is gone from a node's run, ascending.
    private func findHoles(
        _ adjacency: UnsafePointer<Adjacency>, _ slot: Int, _ changes: Changes, isIncoming: Bool,
        at transaction: UInt64, _ holes: UnsafeMutableBufferPointer<Int>
    ) -> Int {
        var count = 0
        for entry in changes {
            entry?.pointee.withDelta(isIncoming: isIncoming) { delta in
                let removed = delta.removed.elements
                for index in 0..<removed.count where removed[index].pointee.deletedBy <= transaction {
                    let edge = removed[index]
                    let place =
                        edge.pointee.generation == base.generation
                        ? edge.pointee.place
                        : adjacency.pointee.place(slot, type: edge.pointee.type, edge.pointee.relationship)
                            ?? RemovedEdge.noPlace
                    // Not in the base when it was added by the overlay that a checkpoint is merging.
                    if place == RemovedEdge.noPlace { continue }
                    holes.initializeElement(at: count, to: Int(place))
                    count += 1
                }
            }
        }
        if count > 16 {
            var part = UnsafeMutableBufferPointer(rebasing: holes[..<count])
            part.sort()
            return count
        }
        for index in 1..<max(count, 1) {
            let place = holes[index]
            var target = index
            while target > 0, holes[target - 1] > place {
                holes[target] = holes[target - 1]
                target -= 1
            }
            holes[target] = place
        }
        return count
    }

    @inline(__always)
    func forEachAdded(
        _ changes: Changes, isIncoming: Bool, types: [TokenID], at transaction: UInt64,
        _ body: (TokenID, UInt64, UInt64) -> Void
    ) {
        for (index, entry) in changes.enumerated() {
            entry?.pointee.withDelta(isIncoming: isIncoming) { delta in
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

    /// The neighbours of a node as they lie in the base; nil when they have to be put together. Overlays are asked only
    /// if they may have changed some relationship.
    @inline(__always)
    func run(_ node: UInt64, isIncoming: Bool, types: [TokenID], mayChange: Bool) -> NeighbourRun? {
        if mayChange {
            for layer in layers where layer.relationships.count > 0 {
                if let entry = layer.node(node), !entry.pointee.withDelta(isIncoming: isIncoming, { $0.isEmpty }) { return nil }
            }
        }
        guard let (adjacency, slot) = base.adjacency(node, isIncoming: isIncoming) else { return NeighbourRun.empty }
        guard let entries = adjacency.pointee.run(slot, types: types) else { return nil }
        return adjacency.pointee.run(entries)
    }
}
