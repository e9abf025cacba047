internal import GraphModel
internal import Storage

/// An expander whose names are numbers of one store.
struct ResolvedExpander: Sendable {
    private struct Group {
        let direction: Direction
        /// Empty is all.
        var types: [TokenID]
    }
    private var groups: [Group] = []
    private let custom: (@Sendable (TraversalPosition) throws(GraphError) -> [RelationshipID])?

    init(_ expander: PathExpander, in transaction: Transaction) {
        switch expander.kind {
        case .all(let direction):
            groups = [Group(direction: direction, types: [])]
            custom = nil
        case .types(let rules, let isOrdered):
            custom = nil
            for rule in rules {
                // A type that nobody has used has no relationships.
                guard let type = transaction.token(.relationshipType, rule.type) else { continue }
                if !isOrdered, let same = groups.firstIndex(where: { $0.direction == rule.direction }) {
                    groups[same].types.append(type)
                } else {
                    groups.append(Group(direction: rule.direction, types: [type]))
                }
            }
        case .custom(let body, _): custom = body
        }
    }

    /// Whether it looks at more than the node.
    var isCustom: Bool { custom != nil }

    /// Appends the relationships of a node, and their other ends. `position` is made only for a closure.
    ///
    /// Throws `.argumentError` when a closure names a relationship that is not at the node.
    func expand(
        _ node: UInt64, in transaction: Transaction, position: @autoclosure () -> TraversalPosition,
        into expansion: inout Expansion
    ) throws(GraphError) {
        for group in groups {
            transaction.expand(
                NodeID(node), group.direction, types: group.types, neighbours: &expansion.neighbours,
                relationships: &expansion.relationships)
        }
        guard let custom else { return }
        for id in try custom(position()) {
            guard let record = transaction.relationship(id) else { continue }
            let isOutgoing = record.start.rawValue == node
            guard isOutgoing || record.end.rawValue == node else {
                throw GraphError(
                    .argumentError,
                    "the expander named relationship \(id.rawValue) at node \(node), but it goes from node \(record.start.rawValue) to node \(record.end.rawValue)")
            }
            expansion.neighbours.append(isOutgoing ? record.end.rawValue : record.start.rawValue)
            expansion.relationships.append(id.rawValue)
        }
    }

    /// The same for a caller that has no paths.
    func expand(
        _ node: UInt64, in transaction: Transaction, into expansion: inout Expansion
    ) throws(GraphError) {
        try expand(
            node, in: transaction, position: TraversalPosition(NodeID(node), in: transaction), into: &expansion)
    }
}
