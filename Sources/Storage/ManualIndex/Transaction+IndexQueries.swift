public import GraphModel
public import LuceneQuery

/// What of an index of relationships is wanted: only those that begin or end at a node.
public struct RelationshipEnds: Sendable {
    public var start: NodeID?
    public var end: NodeID?
    public init(start: NodeID? = nil, end: NodeID? = nil) {
        self.start = start
        self.end = end
    }
    var isAny: Bool { start == nil && end == nil }
}

// Named indexes: asking them.
extension Transaction {
    /// Appends the ids of all entities for which exactly this pair was added, ascending; in any index whole values, never
    /// tokens. O(log n).
    ///
    /// Throws `.schemaRuleNotFound` when there is no such index. An automatic index that is switched on and holds nothing
    /// yet counts as an empty one.
    public func lookUp(
        _ kind: SchemaRule.EntityKind, inIndex name: String, key: String, value: IndexedValue,
        ends: RelationshipEnds = RelationshipEnds(), into ids: inout ContiguousArray<UInt64>
    ) throws(GraphError) {
        guard let index = try readable(kind, name) else { return }
        let start = ids.count
        lookUp(index, key, value, into: &ids)
        if !ends.isAny && kind == .relationship {
            let kept = ids[start...].filter { isBetween($0, ends) }
            ids.replaceSubrange(start..., with: kept)
        }
        try requireIntact()
    }

    /// The entities that a query finds, in the order of the index: ascending by id.
    ///
    /// - Parameter checkpoint: called now and then during a long search; may throw to end it.
    /// - Throws: as ``lookUp(_:inIndex:key:value:ends:into:)``, and what `checkpoint` throws.
    public func query(
        _ kind: SchemaRule.EntityKind, index name: String, _ query: IndexQuery,
        ends: RelationshipEnds = RelationshipEnds(), checkpoint: @escaping () throws(GraphError) -> Void = {}
    ) throws(GraphError) -> [IndexHit] {
        guard let index = try readable(kind, name) else { return [] }
        let hits = try ManualIndexSearch(reader: reader(index), checkpoint: checkpoint).hits(query)
        try requireIntact()
        return ends.isAny || kind == .node ? hits : hits.filter { isBetween($0.id, ends) }
    }

    /// All pairs that were added for an entity, by key and value.
    public func entries(of entity: EntityID, inIndex name: String) throws(GraphError) -> [(key: String, value: IndexedValue)] {
        guard let index = try readable(entity.kind, name) else { return [] }
        let values = reader(index).values(of: entity.number)
        try requireIntact()
        return values
    }

    private func readable(_ kind: SchemaRule.EntityKind, _ name: String) throws(GraphError) -> ManualIndex? {
        if manualIndex(kind, named: name) == nil, currentSchema.autoIndexing(kind).isEnabled,
            codeUnitsEqual(name, kind.autoIndexName) { return nil }
        return try existing(kind, name)
    }

    func lookUp(
        _ index: ManualIndex, _ key: String, _ value: IndexedValue, into ids: inout ContiguousArray<UInt64>
    ) {
        layerEntries(of: index)
        let entries = committedEntries(of: index)
        ManualIndexKey.value(key, value).withUnsafeBytes { seek(entries, $0, into: &ids) }
    }

    private func isBetween(_ id: UInt64, _ ends: RelationshipEnds) -> Bool {
        guard let record = relationship(RelationshipID(id)) else { return false }
        return (ends.start.map { $0 == record.start } ?? true) && (ends.end.map { $0 == record.end } ?? true)
    }
}
