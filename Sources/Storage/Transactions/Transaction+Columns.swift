public import GraphModel

extension Transaction {
    /// Replaces `values` by an integer property of many nodes, in their order; false, with anything in `values`, as soon as
    /// one of the nodes lacks it or has a value of another kind.
    ///
    /// Nodes whose ids follow each other are read as a slice of a column.
    public func integers(
        _ key: TokenID, ofNodes nodes: ContiguousArray<UInt64>, into values: inout ContiguousArray<Int64>
    ) -> Bool {
        values.removeAll(keepingCapacity: true)
        values.append(contentsOf: repeatElement(0, count: nodes.count))
        let isUnchanged = isReadOnly && !hasChangedNodes
        return nodes.withUnsafeBufferPointer { nodes in
            values.withUnsafeMutableBufferPointer { values in
                guard let target = values.baseAddress else { return true }
                return integers(key, nodes, isUnchanged, into: target)
            }
        }
    }

    private func integers(
        _ key: TokenID, _ nodes: UnsafeBufferPointer<UInt64>, _ isUnchanged: Bool,
        into values: UnsafeMutablePointer<Int64>
    ) -> Bool {
        var index = 0
        var known: (range: Int, slotCount: Int, column: ColumnSet.Column)?
        while index < nodes.count {
            let node = nodes[index]
            guard isUnchanged || isReadOnly && !view.mayHaveChanged(node) else {
                guard case .integer(let value)? = property(key, ofNode: NodeID(node)) else { return false }
                values[index] = value
                index += 1
                continue
            }
            guard let (range, slot) = base.place(ofNode: node) else { return false }
            if known?.range != range {
                guard let column = base.integers(key, range: range) else { return false }
                known = (range, base.slotCount(range: range), column)
            }
            guard let (_, slotCount, column) = known else { return false }
            var end = index + 1
            let endMaximum = min(nodes.count, index + slotCount - slot)
            while end < endMaximum, nodes[end] == node &+ UInt64(end &- index),
                isUnchanged || !view.mayHaveChanged(nodes[end])
            {
                end += 1
            }
            let slots = slot..<slot + end - index
            if column.isDense {
                guard column.hasAll(slots) else { return false }
                if slots.count == 1 {
                    // One after the other at random places: what comes is asked for.
                    if index + Self.lookAhead < nodes.count {
                        column.values.prefetch(Int(truncatingIfNeeded: nodes[index + Self.lookAhead] &- node) &+ slot)
                    }
                    values[index] = column.integer(at: slot)
                } else {
                    column.values.read(slots, turning: 1 << 63, into: values + index)
                }
            } else {
                for slot in slots {
                    guard let place = column.index(of: slot) else { return false }
                    values[index + slot - slots.lowerBound] = column.integer(at: place)
                }
            }
            index = end
        }
        return true
    }
}
