internal import GraphModel

extension Application {
    /// Carries out an addition to a named index, or a removal.
    func changeManualIndex(
        _ id: SchemaRuleID, _ entity: UInt64, _ key: String, _ value: Value, isAddition: Bool, _ transaction: UInt64
    ) throws(GraphError) {
        guard let index = view.schema.schema.manualIndex(id), let entries = view.schema.manualEntries(id),
            let layer = entries.layers.first, let value = IndexedValue(stored: value)
        else { throw GraphError(.corrupt, "index \(id.rawValue) does not exist") }
        guard isAddition else {
            ManualIndexReader(index, entries, at: transaction).remove(entity, key, value) {
                layer.set(false, $0, id: entity, transaction: transaction)
            }
            return
        }
        let exists =
            index.entity == .node
            ? view.nodeExists(entity, at: transaction) : view.relationship(entity, at: transaction) != nil
        guard exists else { throw GraphError(.corrupt, "\(index.entity.word) \(entity) does not exist") }
        index.forEachKey(entity, key, value) { layer.set(true, $0, id: entity, transaction: transaction) }
    }

    /// An entity that goes leaves every named index.
    func dropManualEntries(_ entity: SchemaRule.EntityKind, _ id: UInt64, _ transaction: UInt64) {
        for index in view.schema.schema.manualIndexes where index.entity == entity {
            guard let entries = view.schema.manualEntries(index.id), let layer = entries.layers.first else { continue }
            ManualIndexReader(index, entries, at: transaction).removeAll(of: id) {
                layer.set(false, $0, id: id, transaction: transaction)
            }
        }
    }
}
