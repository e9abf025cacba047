public import GraphModel

extension Transaction {
    /// Whether every node that has all of the given labels is known to have a property, and no two of them the same value
    /// (as `Value.==` has it).
    ///
    /// What proves it is a uniqueness constraint in force for one of the labels, or for a label that every node has, and
    /// an index of it with as many entries as nodes with the label. False where that cannot be seen at once: while
    /// changes of the index wait for a checkpoint, in a transaction that writes. O(number of rules).
    public func identifies(_ key: TokenID, nodesWithLabels labels: [TokenID]) -> Bool {
        guard isReadOnly else { return false }
        for index in view.schema.indexes {
            let rule = index.rule
            guard rule.kind == .uniqueness, rule.entity == .node, rule.keys == [key], rule.state == .online,
                // What is in the layers may be newer than the snapshot: only the run's count is exact.
                let run = index.run, index.isMerged
            else { continue }
            let count = nodeCount(label: rule.token)
            if run.entryCount == count && (labels.contains(rule.token) || count == nodeCount()) { return true }
        }
        return false
    }
}
