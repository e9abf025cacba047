public import GraphModel

extension Transaction {
    private func requireStorable(_ value: Value, _ key: String) throws(GraphError) {
        if key.isEmpty { throw GraphError(.argumentError, "a property key cannot be empty") }
        guard value.isStorable else {
            throw GraphError(
                .typeError,
                "property \"\(key)\" cannot hold a value of type \(value.kindName): allowed are booleans, numbers, strings, byte arrays, dates and times, points, and lists of one of these kinds")
        }
    }

    func number(_ kind: TokenKind, _ name: String) throws(GraphError) -> TokenID {
        if name.isEmpty {
            let what =
                switch kind {
                case .label: "label"
                case .relationshipType: "relationship type"
                case .propertyKey: "property key"
                }
            throw GraphError(.argumentError, "a \(what) cannot be empty")
        }
        guard let token = writes?.number(kind, name, state.tokens) else {
            throw GraphError(.readOnly, "this transaction is read-only")
        }
        return token
    }

    private func numbered(_ properties: [(key: String, value: Value)]) throws(GraphError) -> [Property] {
        var result: [Property] = []
        result.reserveCapacity(properties.count)
        for (key, value) in properties where !value.isNull {
            try requireStorable(value, key)
            result.set(try number(.propertyKey, key), value)
        }
        return result
    }

    /// The node's state for changing it; throws when it does not exist.
    private func nodeDraft(_ id: NodeID) throws(GraphError) -> Writes.NodeDraft {
        try requireWritable()
        if let draft = writes?.nodes[id.rawValue] {
            guard draft.exists else {
                throw GraphError(.entityDeleted, "Node \(id.rawValue) has been deleted in this transaction")
            }
            return draft
        }
        guard view.nodeExists(id.rawValue, at: at) else {
            throw GraphError(.entityNotFound, "Node \(id.rawValue) not found")
        }
        try lock(id, .exclusive)
        return Writes.NodeDraft(
            exists: true, labels: view.labels(ofNode: id.rawValue, at: at),
            properties: view.properties(ofNode: id.rawValue, at: at))
    }

    private func relationshipDraft(_ id: RelationshipID) throws(GraphError) -> Writes.RelationshipDraft {
        try requireWritable()
        if let draft = writes?.relationships[id.rawValue] {
            guard draft.exists else {
                throw GraphError(.entityDeleted, "Relationship \(id.rawValue) has been deleted in this transaction")
            }
            return draft
        }
        guard let record = view.relationship(id.rawValue, at: at) else {
            throw GraphError(.entityNotFound, "Relationship \(id.rawValue) not found")
        }
        try lock(id, .exclusive)
        return Writes.RelationshipDraft(
            record: record, exists: true, properties: view.properties(ofRelationship: id.rawValue, at: at))
    }

    // MARK: Nodes

    /// Creates a node. A null among the properties is left out; a label given twice counts once.
    public func createNode(
        labels: [String] = [], properties: [(key: String, value: Value)] = []
    ) throws(GraphError) -> NodeID {
        try requireWritable()
        var labelNumbers: [TokenID] = []
        for label in labels {
            let token = try number(.label, label)
            if !labelNumbers.contains(token) { labelNumbers.append(token) }
        }
        let stored = try numbered(properties)
        let id = try takeNodeID()
        try record(.createNode(id, labels: labelNumbers, properties: stored))
        let draft = Writes.NodeDraft(exists: true, labels: labelNumbers, properties: stored)
        noteIndexes(id, from: nil, to: draft)
        writes?.nodes[id] = draft
        writes?.createdNodes.append(id)
        writes?.nodeCountChange += 1
        for label in labelNumbers { writes?.labelCountChanges[label, default: 0] += 1 }
        if followsProperties { try follow(.node, id, stored) }
        return NodeID(id)
    }

    /// Deletes a node. That it has no relationships left is checked when the transaction commits.
    public func deleteNode(_ id: NodeID) throws(GraphError) {
        let draft = try nodeDraft(id)
        noteIndexes(id.rawValue, from: draft, to: nil)
        noteDeletion(.node, id.rawValue)
        try record(.deleteNode(id.rawValue))
        writes?.nodes[id.rawValue] = Writes.NodeDraft(exists: false, labels: [], properties: [])
        writes?.deletedNodes.append(id.rawValue)
        writes?.nodeCountChange -= 1
        for label in draft.labels { writes?.labelCountChanges[label, default: 0] -= 1 }
    }

    /// Sets a property; null removes it.
    public func setProperty(_ key: String, to value: Value, ofNode id: NodeID) throws(GraphError) {
        var draft = try nodeDraft(id)
        let stored = value.isNull ? nil : value
        if let stored { try requireStorable(stored, key) }
        if stored == nil && token(.propertyKey, key) == nil { return }
        let token = try number(.propertyKey, key)
        if stored == nil && draft.properties.value(token) == nil { return }
        let before = draft
        draft.properties.set(token, stored)
        noteIndexes(id.rawValue, from: before, to: draft)
        try record(.setNodeProperty(id.rawValue, key: token, value: stored))
        writes?.nodes[id.rawValue] = draft
        if followsProperties { try follow(.node, id.rawValue, token, from: before.properties.value(token), to: stored) }
    }

    /// Makes the given properties the only ones.
    public func replaceProperties(ofNode id: NodeID, with properties: [(key: String, value: Value)]) throws(GraphError) {
        let wanted = try numbered(properties)
        for property in try nodeDraft(id).properties where wanted.value(property.key) == nil {
            try setProperty(name(.propertyKey, property.key), to: .null, ofNode: id)
        }
        for property in wanted { try setProperty(name(.propertyKey, property.key), to: property.value, ofNode: id) }
    }

    public func addLabel(_ label: String, to id: NodeID) throws(GraphError) {
        var draft = try nodeDraft(id)
        let token = try number(.label, label)
        guard !draft.labels.contains(token) else { return }
        let before = draft
        draft.labels.append(token)
        noteIndexes(id.rawValue, from: before, to: draft)
        try record(.addLabel(id.rawValue, token))
        writes?.nodes[id.rawValue] = draft
        writes?.labelCountChanges[token, default: 0] += 1
    }

    public func removeLabel(_ label: String, from id: NodeID) throws(GraphError) {
        var draft = try nodeDraft(id)
        guard let token = token(.label, label), draft.labels.contains(token) else { return }
        let before = draft
        draft.labels.removeAll { $0 == token }
        noteIndexes(id.rawValue, from: before, to: draft)
        try record(.removeLabel(id.rawValue, token))
        writes?.nodes[id.rawValue] = draft
        writes?.labelCountChanges[token, default: 0] -= 1
    }

    // MARK: Relationships

    /// Makes sure that a node is there and stays until the commit.
    private func requireAttachable(_ node: NodeID) throws(GraphError) {
        if let exists = writes?.nodes[node.rawValue]?.exists {
            if exists { return }
            throw GraphError(.entityDeleted, "Node \(node.rawValue) has been deleted in this transaction")
        }
        guard view.nodeExists(node.rawValue, at: at) else {
            throw GraphError(.entityNotFound, "Node \(node.rawValue) not found")
        }
        try lockForAttaching(node)
    }

    /// Creates a relationship between two nodes, which may be the same.
    public func createRelationship(
        type: String, from start: NodeID, to end: NodeID, properties: [(key: String, value: Value)] = []
    ) throws(GraphError) -> RelationshipID {
        try requireWritable()
        try requireAttachable(start)
        try requireAttachable(end)
        let typeNumber = try number(.relationshipType, type)
        let stored = try numbered(properties)
        let id = try takeRelationshipID()
        try record(
            .createRelationship(
                id, type: typeNumber, start: start.rawValue, end: end.rawValue, properties: stored))
        let draft = Writes.RelationshipDraft(
            record: RelationshipRecord(id: RelationshipID(id), type: typeNumber, start: start, end: end), exists: true,
            properties: stored)
        noteIndexes(id, from: nil, to: draft)
        writes?.relationships[id] = draft
        writes?.edges[start.rawValue, default: []].append(
            .init(relationship: id, neighbour: end.rawValue, type: typeNumber, isOutgoing: true))
        writes?.edges[end.rawValue, default: []].append(
            .init(relationship: id, neighbour: start.rawValue, type: typeNumber, isOutgoing: false))
        writes?.createdRelationships.append(id)
        writes?.relationshipCountChange += 1
        writes?.typeCountChanges[typeNumber, default: 0] += 1
        if followsProperties { try follow(.relationship, id, stored) }
        return RelationshipID(id)
    }

    public func deleteRelationship(_ id: RelationshipID) throws(GraphError) {
        var draft = try relationshipDraft(id)
        try lockForAttaching(draft.record.start)
        try lockForAttaching(draft.record.end)
        noteIndexes(id.rawValue, from: draft, to: nil)
        noteDeletion(.relationship, id.rawValue)
        draft.exists = false
        draft.properties = []
        try record(.deleteRelationship(id.rawValue))
        writes?.relationships[id.rawValue] = draft
        writes?.removed.insert(id.rawValue)
        writes?.nodesWithRemovals.insert(draft.record.start.rawValue)
        writes?.nodesWithRemovals.insert(draft.record.end.rawValue)
        writes?.relationshipCountChange -= 1
        writes?.typeCountChanges[draft.record.type, default: 0] -= 1
    }

    /// Sets a property; null removes it.
    public func setProperty(_ key: String, to value: Value, ofRelationship id: RelationshipID) throws(GraphError) {
        var draft = try relationshipDraft(id)
        let stored = value.isNull ? nil : value
        if let stored { try requireStorable(stored, key) }
        if stored == nil && token(.propertyKey, key) == nil { return }
        let token = try number(.propertyKey, key)
        if stored == nil && draft.properties.value(token) == nil { return }
        let before = draft
        draft.properties.set(token, stored)
        noteIndexes(id.rawValue, from: before, to: draft)
        try record(.setRelationshipProperty(id.rawValue, key: token, value: stored))
        writes?.relationships[id.rawValue] = draft
        if followsProperties {
            try follow(.relationship, id.rawValue, token, from: before.properties.value(token), to: stored)
        }
    }

    /// Makes the given properties the only ones.
    public func replaceProperties(
        ofRelationship id: RelationshipID, with properties: [(key: String, value: Value)]
    ) throws(GraphError) {
        let wanted = try numbered(properties)
        for property in try relationshipDraft(id).properties where wanted.value(property.key) == nil {
            try setProperty(name(.propertyKey, property.key), to: .null, ofRelationship: id)
        }
        for property in wanted {
            try setProperty(name(.propertyKey, property.key), to: property.value, ofRelationship: id)
        }
    }
}
