public import GraphModel

extension Transaction {
    /// Appends only the other ends of a node's relationships, in the order of
    /// ``expand(_:_:types:neighbours:relationships:)``. On unchanged parts of the graph the relationships' ids are not
    /// even looked at.
    public func expand(
        _ node: NodeID, _ direction: Direction, types: [TokenID], neighbours: inout ContiguousArray<UInt64>
    ) {
        if writes == nil, view.expandUnchanged(node.rawValue, direction, types: types, neighbours: &neighbours) { return }
        var relationships: ContiguousArray<UInt64> = []
        expand(node, direction, types: types, neighbours: &neighbours, relationships: &relationships)
    }
}

extension StoreView {
    /// Appends a node's neighbours when no overlay changes them; else returns false and does nothing.
    func expandUnchanged(
        _ node: UInt64, _ direction: Direction, types: [TokenID], neighbours: inout ContiguousArray<UInt64>
    ) -> Bool {
        for layer in layers where layer.relationships.count > 0 {
            guard let entry = layer.node(node) else { continue }
            if entry.pointee.removedCount.load(ordering: .acquiring) > 0 { return false }
            if entry.pointee.newestEdge.load(ordering: .acquiring) != 0 { return false }
        }
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
