public import GraphModel

/// Everything that a transaction changes, compared with the snapshot that it began with. What it created and deleted
/// again does not appear.
public struct TransactionData: Sendable {
    public struct NodeProperty: Sendable, Equatable {
        public let node: NodeID
        public let key: String
        /// nil when the property is new.
        public let oldValue: Value?
        /// nil when the property is removed.
        public let newValue: Value?

        public init(node: NodeID, key: String, oldValue: Value?, newValue: Value?) {
            self.node = node
            self.key = key
            self.oldValue = oldValue
            self.newValue = newValue
        }
    }

    public struct RelationshipProperty: Sendable, Equatable {
        public let relationship: RelationshipID
        public let key: String
        public let oldValue: Value?
        public let newValue: Value?

        public init(relationship: RelationshipID, key: String, oldValue: Value?, newValue: Value?) {
            self.relationship = relationship
            self.key = key
            self.oldValue = oldValue
            self.newValue = newValue
        }
    }

    public struct NodeLabel: Sendable, Equatable {
        public let node: NodeID
        public let label: String

        public init(node: NodeID, label: String) {
            self.node = node
            self.label = label
        }
    }

    public struct Relationship: Sendable, Equatable {
        public let id: RelationshipID
        public let type: String
        public let start: NodeID
        public let end: NodeID

        public init(id: RelationshipID, type: String, start: NodeID, end: NodeID) {
            self.id = id
            self.type = type
            self.start = start
            self.end = end
        }
    }

    /// In the order of their creation.
    public internal(set) var createdNodes: [NodeID] = []
    /// Ascending, as all that follows.
    public internal(set) var deletedNodes: [NodeID] = []
    public internal(set) var createdRelationships: [Relationship] = []
    public internal(set) var deletedRelationships: [Relationship] = []
    /// Set to a new value; those of created nodes, too.
    public internal(set) var assignedNodeProperties: [NodeProperty] = []
    /// With the value they had; those of deleted nodes, too.
    public internal(set) var removedNodeProperties: [NodeProperty] = []
    public internal(set) var assignedRelationshipProperties: [RelationshipProperty] = []
    public internal(set) var removedRelationshipProperties: [RelationshipProperty] = []
    public internal(set) var assignedLabels: [NodeLabel] = []
    public internal(set) var removedLabels: [NodeLabel] = []
}

extension Transaction {
    /// What the transaction changes, so far. Its cost is that of the entities it touched.
    public func changes() -> TransactionData {
        var data = TransactionData()
        guard let writes else { return data }
        data.createdNodes = writes.createdNodes.filter { writes.nodes[$0]?.exists ?? false }.map { NodeID($0) }
        for (id, draft) in writes.nodes.sorted(by: { $0.key < $1.key }) { addChanges(ofNode: id, draft, to: &data) }
        for (_, draft) in writes.relationships.sorted(by: { $0.key < $1.key }) {
            addChanges(of: draft, to: &data)
        }
        return data
    }

    private func addChanges(ofNode id: UInt64, _ draft: Writes.NodeDraft, to data: inout TransactionData) {
        let node = NodeID(id)
        let existed = view.nodeExists(id, at: at)
        guard existed || draft.exists else { return }
        if existed && !draft.exists { data.deletedNodes.append(node) }
        let labels = existed ? view.labels(ofNode: id, at: at) : []
        for label in draft.labels where !labels.contains(label) {
            data.assignedLabels.append(.init(node: node, label: name(.label, label)))
        }
        for label in labels where !draft.labels.contains(label) {
            data.removedLabels.append(.init(node: node, label: name(.label, label)))
        }
        forEachDifference(existed ? view.properties(ofNode: id, at: at) : [], draft.properties) { key, old, new in
            let change = TransactionData.NodeProperty(node: node, key: key, oldValue: old, newValue: new)
            if new == nil { data.removedNodeProperties.append(change) } else { data.assignedNodeProperties.append(change) }
        }
    }

    private func addChanges(of draft: Writes.RelationshipDraft, to data: inout TransactionData) {
        let id = draft.record.id
        let existed = view.relationship(id.rawValue, at: at) != nil
        guard existed || draft.exists else { return }
        let relationship = TransactionData.Relationship(
            id: id, type: name(.relationshipType, draft.record.type), start: draft.record.start, end: draft.record.end)
        if existed && !draft.exists { data.deletedRelationships.append(relationship) }
        if !existed && draft.exists { data.createdRelationships.append(relationship) }
        let old = existed ? view.properties(ofRelationship: id.rawValue, at: at) : []
        forEachDifference(old, draft.properties) { key, old, new in
            let change = TransactionData.RelationshipProperty(
                relationship: id, key: key, oldValue: old, newValue: new)
            if new == nil {
                data.removedRelationshipProperties.append(change)
            } else {
                data.assignedRelationshipProperties.append(change)
            }
        }
    }

    private func forEachDifference(
        _ old: [Property], _ new: [Property], _ body: (_ key: String, _ old: Value?, _ new: Value?) -> Void
    ) {
        for property in new {
            let before = old.value(property.key)
            // 1 and 1.0 are equal, but not the same.
            if let before, before == property.value, before.kindName == property.value.kindName { continue }
            body(name(.propertyKey, property.key), before, property.value)
        }
        for property in old where new.value(property.key) == nil {
            body(name(.propertyKey, property.key), property.value, nil)
        }
    }
}
