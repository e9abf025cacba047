public import GraphModel

extension Transaction {
    /// Appends the positions, ascending, of those of some nodes that have a label; `UInt64.max`
    /// stands for no node. The look-ups of many nodes overlap.
    public func select(
        _ label: TokenID, among nodes: ContiguousArray<UInt64>, into positions: inout ContiguousArray<Int>
    ) {
        let isUnchanged = isReadOnly && !hasChangedNodes
        var known: (range: Int, labelSet: UInt16, hasLabel: Bool)?
        for position in 0..<nodes.count {
            if position + Self.lookAhead < nodes.count { base.prefetchNode(nodes[position + Self.lookAhead]) }
            let node = nodes[position]
            if node == .max { continue }
            guard isUnchanged || isReadOnly && !view.mayHaveChanged(node) else {
                if hasLabel(label, NodeID(node)) { positions.append(position) }
                continue
            }
            guard let (range, labelSet) = base.labelSet(ofNode: node) else { continue }
            if let known, known.range == range && known.labelSet == labelSet {
                if known.hasLabel { positions.append(position) }
                continue
            }
            let hasLabel = base.labelSet(labelSet, range: range, contains: label)
            known = (range, labelSet, hasLabel)
            if hasLabel { positions.append(position) }
        }
    }

    /// How many nodes further on memory is asked for: enough to hide its latency.
    static let lookAhead = 8
}
