internal import GraphModel
internal import Synchronization

/// A base and the overlays above it: what a reader pins. Together with a transaction id it is a snapshot.
final class StoreView: Sendable {
    let base: Base
    /// Newest first: the active overlay, then, while a checkpoint runs, the frozen one.
    let layers: [Overlay]
    /// Indexes and constraints, with what changed in the indexes since the base.
    let schema: SchemaView

    init(base: Base, layers: [Overlay], schema: SchemaView) {
        self.base = base
        self.layers = layers
        self.schema = schema
    }

    /// Whether an overlay has changed any relationship.
    var hasRelationships: Bool { layers.contains { $0.relationships.count > 0 } }

    // MARK: Nodes

    /// Whether an overlay has any node.
    var hasNodes: Bool { layers.contains { $0.nodes.count > 0 } }

    /// False when no overlay has a node with an id near this one.
    @inline(__always)
    func mayHaveChanged(_ node: UInt64) -> Bool {
        for index in 0..<layers.count where layers[index].nodes.mayHaveGroup(of: node) { return true }
        return false
    }

    private func version(ofNode id: UInt64, at transaction: UInt64) -> EntityVersion? {
        for index in 0..<layers.count where layers[index].nodes.mayHaveGroup(of: id) {
            if let version = layers[index].nodeVersion(id, at: transaction) { return version }
        }
        return nil
    }

    func nodeExists(_ id: UInt64, at transaction: UInt64) -> Bool {
        // The usual case of an old node while nothing was deleted: no look into the overlays.
        var hasDeletions = false
        for index in 0..<layers.count where layers[index].hasDeletedNodes { hasDeletions = true }
        if !hasDeletions && base.hasNode(id) { return true }
        for index in 0..<layers.count {
            if let exists = layers[index].nodeExists(id, at: transaction) { return exists }
        }
        return base.hasNode(id)
    }

    func hasLabel(_ label: TokenID, _ id: UInt64, at transaction: UInt64) -> Bool {
        if let version = version(ofNode: id, at: transaction) { return version.labels.contains(label) }
        guard let (segment, slot) = base.node(id) else { return false }
        return segment.hasLabel(label, slot)
    }

    func labels(ofNode id: UInt64, at transaction: UInt64) -> [TokenID] {
        if let version = version(ofNode: id, at: transaction) { return version.labels }
        guard let (segment, slot) = base.node(id) else { return [] }
        return segment.labels(slot)
    }

    func property(_ key: TokenID, ofNode id: UInt64, at transaction: UInt64) -> Value? {
        if let version = version(ofNode: id, at: transaction) { return version.properties.value(key) }
        return base.property(key, ofNode: id)
    }

    func properties(ofNode id: UInt64, at transaction: UInt64) -> [Property] {
        if let version = version(ofNode: id, at: transaction) { return version.properties }
        guard let (segment, slot) = base.node(id) else { return [] }
        return segment.columns.properties(slot: slot)
    }

    /// The end, at most `end`, of a run of ids from `id` on in which no overlay has a node; nil when there is none.
    func unchangedNodes(from id: UInt64, upTo end: UInt64) -> UInt64? {
        if !layers.contains(where: { $0.nodes.count > 0 }) { return end }
        var next = id
        while next < end, !layers.contains(where: { $0.nodes.mayHaveGroup(of: next) }) { next = (next | 63) + 1 }
        return next > id ? min(next, end) : nil
    }

    /// The same for relationships.
    func unchangedRelationships(from id: UInt64, upTo end: UInt64) -> UInt64? {
        if !layers.contains(where: { $0.relationships.count > 0 }) { return end }
        var next = id
        while next < end, !layers.contains(where: { $0.relationships.mayHaveGroup(of: next) }) { next = (next | 63) + 1 }
        return next > id ? min(next, end) : nil
    }

    // MARK: Relationships

    func relationship(_ id: UInt64, at transaction: UInt64) -> RelationshipRecord? {
        for layer in layers {
            guard let entry = layer.relationship(id) else { continue }
            if entry.pointee.deletedBy.load(ordering: .acquiring) <= transaction { return nil }
            if entry.pointee.createdBy > transaction { return nil }
            if entry.pointee.createdBy > 0 {
                return RelationshipRecord(
                    id: RelationshipID(id), type: entry.pointee.type, start: NodeID(entry.pointee.start),
                    end: NodeID(entry.pointee.end))
            }
        }
        guard let (segment, slot) = base.relationship(id) else { return nil }
        return segment.record(slot)
    }

    /// Whether one of the newest `layerCount` overlays hides a relationship.
    func isRemoved(_ id: UInt64, byFirst layerCount: Int, at transaction: UInt64) -> Bool {
        for layer in layers.prefix(layerCount) {
            if let entry = layer.relationship(id), entry.pointee.deletedBy.load(ordering: .acquiring) <= transaction {
                return true
            }
        }
        return false
    }

    private func version(ofRelationship id: UInt64, at transaction: UInt64) -> (EntityVersion?, isNew: Bool) {
        for layer in layers {
            guard let entry = layer.relationship(id) else { continue }
            if let version = Overlay.visible(entry.pointee.newestVersion.load(ordering: .acquiring), at: transaction) {
                return (version, true)
            }
            if entry.pointee.createdBy > 0 { return (nil, true) }
        }
        return (nil, false)
    }

    func property(_ key: TokenID, ofRelationship id: UInt64, at transaction: UInt64) -> Value? {
        let (version, isNew) = version(ofRelationship: id, at: transaction)
        if let version { return version.properties.value(key) }
        if isNew { return nil }
        guard let (segment, slot) = base.relationship(id) else { return nil }
        return segment.columns.value(key, slot: slot)
    }

    func properties(ofRelationship id: UInt64, at transaction: UInt64) -> [Property] {
        let (version, isNew) = version(ofRelationship: id, at: transaction)
        if let version { return version.properties }
        if isNew { return [] }
        guard let (segment, slot) = base.relationship(id) else { return [] }
        return segment.columns.properties(slot: slot)
    }
}

extension [Property] {
    /// Looks a key up among few, ascending ones.
    func value(_ key: TokenID) -> Value? {
        for property in self where property.key == key { return property.value }
        return nil
    }

    /// Sets a key, or with nil removes it, keeping the order.
    mutating func set(_ key: TokenID, _ value: Value?) {
        let index = firstIndex { $0.key >= key } ?? count
        if index < count && self[index].key == key {
            if let value { self[index] = Property(key: key, value: value) } else { remove(at: index) }
        } else if let value {
            insert(Property(key: key, value: value), at: index)
        }
    }
}
