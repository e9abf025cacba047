internal import GraphModel

/// What indexes and constraints look at in an entity: labels or type, and properties.
struct IndexedContent {
    var tokens: [TokenID]
    /// Ascending by key.
    var properties: [Property]

    /// The entity's key in the index of a rule; false when it is not in it.
    func appendKey(of rule: SchemaRule, to key: inout [UInt8]) -> Bool {
        tokens.contains(rule.token) && IndexKey.append(properties, rule.keys, to: &key)
    }
}

extension Command {
    /// The entity whose place in indexes this command can change.
    var indexedEntity: (SchemaRule.EntityKind, UInt64)? {
        switch self {
        case .createNode(let id, _, _), .deleteNode(let id), .setNodeProperty(let id, _, _), .addLabel(let id, _),
            .removeLabel(let id, _):
            (.node, id)
        case .createRelationship(let id, _, _, _, _), .deleteRelationship(let id), .setRelationshipProperty(let id, _, _):
            (.relationship, id)
        case .createToken, .createSchemaRule, .dropSchemaRule, .setSchemaRuleState, .createManualIndex, .dropManualIndex,
            .addToManualIndex, .removeFromManualIndex, .setAutoIndexing, .noteRequest, .compareGraphs:
            nil
        }
    }
}

extension StoreView {
    /// What indexes look at in an entity; nil when it does not exist.
    func indexedContent(_ entity: SchemaRule.EntityKind, _ id: UInt64, at transaction: UInt64) -> IndexedContent? {
        switch entity {
        case .node:
            guard nodeExists(id, at: transaction) else { return nil }
            return IndexedContent(
                tokens: labels(ofNode: id, at: transaction), properties: properties(ofNode: id, at: transaction))
        case .relationship:
            guard let record = relationship(id, at: transaction) else { return nil }
            return IndexedContent(
                tokens: [record.type], properties: properties(ofRelationship: id, at: transaction))
        }
    }
}
