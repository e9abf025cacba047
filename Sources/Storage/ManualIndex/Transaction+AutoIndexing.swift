public import GraphModel

// Automatic indexes: named indexes that this transaction's changes of properties keep in step.
extension Transaction {
    /// What the automatic index of nodes, or of relationships, follows.
    public func autoIndexing(_ kind: SchemaRule.EntityKind) -> AutoIndexing { currentSchema.autoIndexing(kind) }

    /// Switches automatic indexing on or off. Nothing that is there is indexed or taken out by it.
    public func setAutoIndexing(_ kind: SchemaRule.EntityKind, isEnabled: Bool) throws(GraphError) {
        var settings = autoIndexing(kind)
        settings.isEnabled = isEnabled
        try set(settings, kind)
    }

    /// From now on changes of a property are followed, once automatic indexing is on.
    /// - Throws: `argumentError` for an empty key, or when the followed keys would have more than 65,536 bytes together.
    public func startAutoIndexing(_ key: String, of kind: SchemaRule.EntityKind) throws(GraphError) {
        if key.isEmpty { throw GraphError(.argumentError, "a property key cannot be empty") }
        var settings = autoIndexing(kind)
        if !settings.follows(key) {
            let byteCount = settings.keys.reduce(key.utf8.count) { $0 + $1.utf8.count }
            guard byteCount <= AutoIndexing.keysByteCountMaximum else {
                throw GraphError(
                    .argumentError,
                    "automatic indexing would follow \(settings.keys.count + 1) \(kind.word) properties whose names have \(byteCount) bytes, at most \(AutoIndexing.keysByteCountMaximum) are allowed: take some out first")
            }
            settings.keys.append(key)
        }
        try set(settings, kind)
    }

    /// From now on a property is not followed. Entities that have it leave the index as they are changed.
    public func stopAutoIndexing(_ key: String, of kind: SchemaRule.EntityKind) throws(GraphError) {
        var settings = autoIndexing(kind)
        settings.keys.removeAll { codeUnitsEqual($0, key) }
        try set(settings, kind)
    }

    private func set(_ settings: AutoIndexing, _ kind: SchemaRule.EntityKind) throws(GraphError) {
        try requireWritable()
        if settings == autoIndexing(kind) { return }
        var schema = currentSchema
        let command = Command.setAutoIndexing(kind, settings)
        try schema.apply(command)
        writes?.schema = schema
        try record(command)
    }

    /// Whether changes of properties have to be followed at all.
    @inline(__always)
    var followsProperties: Bool { writes?.schema?.hasAutoIndexing ?? view.schema.hasAutoIndexing }

    /// Follows the change of one property of an entity.
    func follow(
        _ kind: SchemaRule.EntityKind, _ id: UInt64, _ token: TokenID, from old: Value?, to new: Value?
    ) throws(GraphError) {
        let settings = currentSchema.autoIndexing(kind)
        guard settings.isEnabled else { return }
        let key = name(.propertyKey, token)
        if let index = manualIndex(kind, named: kind.autoIndexName) {
            // What is followed no more goes when its entity is touched.
            for (other, value) in reader(index).values(of: id) where !settings.follows(other) {
                try remove(id, from: index, other, value)
            }
            for value in old.map(IndexedValue.values) ?? [] { try remove(id, from: index, key, value) }
        }
        guard let new, settings.follows(key) else { return }
        let index = try createManualIndex(kind, named: kind.autoIndexName)
        for value in IndexedValue.values(of: new) { try add(id, to: index, key, value) }
    }

    /// Follows the properties of an entity that is created.
    func follow(_ kind: SchemaRule.EntityKind, _ id: UInt64, _ properties: [Property]) throws(GraphError) {
        let settings = currentSchema.autoIndexing(kind)
        guard settings.isEnabled else { return }
        for property in properties {
            let key = name(.propertyKey, property.key)
            guard settings.follows(key) else { continue }
            let index = try createManualIndex(kind, named: kind.autoIndexName)
            for value in IndexedValue.values(of: property.value) { try add(id, to: index, key, value) }
        }
    }
}
