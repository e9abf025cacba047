internal import GraphModel

/// What an index looks at in a transaction's own drafts.
protocol IndexedDraft {
    static var entityKind: SchemaRule.EntityKind { get }
    var indexedContent: IndexedContent { get }
}

extension Writes.NodeDraft: IndexedDraft {
    static var entityKind: SchemaRule.EntityKind { .node }
    var indexedContent: IndexedContent { IndexedContent(tokens: labels, properties: properties) }
}

extension Writes.RelationshipDraft: IndexedDraft {
    static var entityKind: SchemaRule.EntityKind { .relationship }
    var indexedContent: IndexedContent { IndexedContent(tokens: [record.type], properties: properties) }
}

extension Transaction {
    /// Keeps this transaction's own layers of the indexes in step with a change of an entity.
    func noteIndexes<Draft: IndexedDraft>(_ id: UInt64, from before: Draft?, to after: Draft?) {
        guard view.schema.concerns(Draft.entityKind) else { return }
        SchemaView.forEachChange(
            view.schema.indexes, Draft.entityKind, from: before?.indexedContent, to: after?.indexedContent
        ) { index, isPresent, key in
            let layer: IndexLayer
            if let known = writes?.indexLayers[index.rule.id] {
                layer = known
            } else {
                layer = IndexLayer(isShared: false)
                writes?.indexLayers[index.rule.id] = layer
            }
            layer.set(isPresent, key, id: id, transaction: 1)
        }
    }
}
