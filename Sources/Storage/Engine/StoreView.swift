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

    // MARK: Nodes

    private func version(ofNode id: UInt64, at transaction: UInt64) -> EntityVersion? {
        for layer in layers {
            if let version = layer.nodeVersion(id, at: transaction) { return version }
        }
        return nil
    }

    func nodeExists(_ id: UInt64, at transaction: UInt64) -> Bool {
        if let version = version(ofNode: id, at: transaction) { return version.exists }
        guard let (segment, slot) = base.node(id) else { return false }
        return segment.exists(slot)
    }

    func labels(ofNode id: UInt64, at transaction: UInt64) -> [TokenID] {
        if let version = version(ofNode: id, at: transaction) { return version.labels }
        guard let (segment, slot) = base.node(id) else { return [] }
        return segment.labels(slot)
    }

    func property(_ key: TokenID, ofNode id: UInt64, at transaction: UInt64) -> Value? {
        if let version = version(ofNode: id, at: transaction) { return version.properties.value(key) }
        guard let (segment, slot) = base.node(id) else { return nil }
        return segment.columns.value(key, slot: slot)
    }

    func properties(ofNode id: UInt64, at transaction: UInt64) -> [Property] {
        if let version = version(ofNode: id, at: transaction) { return version.properties }
        guard let (segment, slot) = base.node(id) else { return [] }
        return segment.columns.properties(slot: slot)
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

    func isRemoved(_ id: UInt64, at transaction: UInt64) -> Bool {
        for layer in layers {
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

    // MARK: Expansion

    /// Appends the ends and ids of a node's relationships.
    func expand(
        _ node: UInt64, _ direction: Direction, types: [TokenID], at transaction: UInt64,
        neighbours: inout ContiguousArray<UInt64>, relationships: inout ContiguousArray<UInt64>
    ) {
        var hasRemovals = false
        var hasEdges = false
        for layer in layers {
            if let entry = layer.node(node) {
                if entry.pointee.removedCount.load(ordering: .acquiring) > 0 { hasRemovals = true }
                if entry.pointee.newestEdge.load(ordering: .acquiring) != 0 { hasEdges = true }
            }
        }
        if let (segment, slot) = base.node(node) {
            segment.forEachGroup(slot, direction, types: types) { _, isIncoming, entries in
                if !hasRemovals && !(direction == .both && isIncoming) {
                    segment.append(entries, neighbours: &neighbours, relationships: &relationships)
                    return
                }
                for entry in entries {
                    let neighbour = segment.neighbour(entry)
                    // A self-relationship stands in both lists; for `.both` it counts once.
                    if direction == .both && isIncoming && neighbour == node { continue }
                    let id = segment.relationshipID(entry)
                    if hasRemovals && isRemoved(id, at: transaction) { continue }
                    neighbours.append(neighbour)
                    relationships.append(id)
                }
            }
        }
        guard hasEdges else { return }
        forEachAddedEdge(node, direction, types: types, at: transaction) { edge in
            neighbours.append(edge.neighbour)
            relationships.append(edge.entry.pointee.id)
        }
    }

    private func forEachAddedEdge(
        _ node: UInt64, _ direction: Direction, types: [TokenID], at transaction: UInt64, _ body: (AddedEdge) -> Void
    ) {
        for (index, layer) in layers.enumerated() {
            guard let entry = layer.node(node) else { continue }
            var address = entry.pointee.newestEdge.load(ordering: .acquiring)
            while address != 0, let pointer = UnsafePointer<AddedEdge>(bitPattern: address) {
                let edge = pointer.pointee
                address = edge.older
                if edge.transactionID > transaction { continue }
                if direction == .outgoing && !edge.isOutgoing || direction == .incoming && edge.isOutgoing { continue }
                if direction == .both && !edge.isOutgoing && edge.neighbour == node { continue }
                if !types.isEmpty && !types.contains(edge.type) { continue }
                if edge.entry.pointee.deletedBy.load(ordering: .acquiring) <= transaction { continue }
                if index > 0 && isRemoved(edge.entry.pointee.id, at: transaction) { continue }
                body(edge)
            }
        }
    }

    /// Everything at one node, for writing segments.
    func adjacency(_ node: UInt64, at transaction: UInt64) -> [AdjacencyEntry] {
        var result: [AdjacencyEntry] = []
        let hasRemovals = layers.contains { layer in
            layer.node(node).map { $0.pointee.removedCount.load(ordering: .acquiring) > 0 } ?? false
        }
        if let (segment, slot) = base.node(node) {
            segment.forEachGroup(slot, .both, types: []) { type, isIncoming, entries in
                for entry in entries {
                    let id = segment.relationshipID(entry)
                    if hasRemovals && isRemoved(id, at: transaction) { continue }
                    result.append(
                        AdjacencyEntry(
                            type: type, isIncoming: isIncoming, neighbour: segment.neighbour(entry), relationship: id))
                }
            }
        }
        for direction in [Direction.outgoing, .incoming] {
            forEachAddedEdge(node, direction, types: [], at: transaction) { edge in
                result.append(
                    AdjacencyEntry(
                        type: edge.type, isIncoming: direction == .incoming, neighbour: edge.neighbour,
                        relationship: edge.entry.pointee.id))
            }
        }
        return result
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
