internal import GraphModel

/// What one transaction adds to named indexes, until something asks what is in them.
struct GatheredAdditions {
    /// Those of one kind of keys, which begin alike.
    private struct Part {
        let index: SchemaRuleID
        let section: UInt8
        let layer: IndexLayer
        var additions = LayerAdditions()
    }
    private var parts: [Part] = []
    /// An index to add to. An object, since it is looked at for every entry.
    final class Target {
        let index: ManualIndex
        let layer: IndexLayer

        init(_ index: ManualIndex, _ layer: IndexLayer) {
            self.index = index
            self.layer = layer
        }
    }
    /// The index that was added to last.
    private var last: Target?
    private var memory: [UInt8] = []
    /// Of the keys of one part: there is no more to win by gathering on.
    private static let byteCountMaximum = 16 << 20

    /// An index of a view; nil when it does not exist.
    mutating func target(_ id: SchemaRuleID, _ schema: SchemaView) -> Target? {
        if let last, last.index.id == id { return last }
        guard let index = schema.schema.manualIndex(id), let layer = schema.manualEntries(id)?.layers.first else { return nil }
        let target = Target(index, layer)
        last = target
        return target
    }

    mutating func add(_ id: UInt64, to target: Target, _ key: String, _ value: IndexedValue, _ transaction: UInt64) {
        target.index.forEachKey(id, key, value, in: &memory) { key in
            let section = key.first ?? 0
            let number = parts.firstIndex { $0.section == section && $0.index == target.index.id } ?? parts.count
            if number == parts.count { parts.append(Part(index: target.index.id, section: section, layer: target.layer)) }
            parts[number].additions.add(key, id: id)
            if parts[number].additions.byteCount >= Self.byteCountMaximum {
                parts[number].additions.put(into: target.layer, transaction: transaction)
            }
        }
    }

    /// Puts everything into the layers.
    mutating func put(_ transaction: UInt64) {
        for number in parts.indices { parts[number].additions.put(into: parts[number].layer, transaction: transaction) }
        // What comes next may go to other layers.
        last = nil
        parts.removeAll(keepingCapacity: true)
    }
}

extension Application {
    /// Carries out an addition to a named index, or a removal.
    mutating func changeManualIndex(
        _ id: SchemaRuleID, _ entity: UInt64, _ key: String, _ value: Value, isAddition: Bool, _ transaction: UInt64
    ) throws(GraphError) {
        func missing() -> GraphError { GraphError(.corrupt, "index \(id.rawValue) does not exist") }
        guard let value = IndexedValue(stored: value) else { throw missing() }
        if isAddition {
            guard let target = gathered.target(id, view.schema) else { throw missing() }
            let kind = target.index.entity
            let exists =
                kind == .node ? view.nodeExists(entity, at: transaction) : view.relationship(entity, at: transaction) != nil
            guard exists else { throw GraphError(.corrupt, "\(kind.word) \(entity) does not exist") }
            gathered.add(entity, to: target, key, value, transaction)
        } else {
            gathered.put(transaction)
            guard let index = view.schema.schema.manualIndex(id), let entries = view.schema.manualEntries(id),
                let layer = entries.layers.first
            else { throw missing() }
            ManualIndexReader(index, entries, at: transaction).remove(entity, key, value) {
                layer.set(false, $0, id: entity, transaction: transaction)
            }
        }
    }

    /// An entity that goes leaves every named index.
    mutating func dropManualEntries(_ entity: SchemaRule.EntityKind, _ id: UInt64, _ transaction: UInt64) {
        gathered.put(transaction)
        for index in view.schema.schema.manualIndexes where index.entity == entity {
            guard let entries = view.schema.manualEntries(index.id), let layer = entries.layers.first else { continue }
            ManualIndexReader(index, entries, at: transaction).removeAll(of: id) {
                layer.set(false, $0, id: id, transaction: transaction)
            }
        }
    }
}
