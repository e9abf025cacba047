public import GraphModel

// Named indexes: which there are.
extension Transaction {
    var currentSchema: Schema { writes?.schema ?? view.schema.schema }

    /// The named indexes of nodes or of relationships that this transaction sees, in the order of their creation.
    public func manualIndexes(_ entity: SchemaRule.EntityKind) -> [ManualIndex] {
        currentSchema.manualIndexes.filter { $0.entity == entity }
    }

    /// A named index; nil when there is none of the name.
    public func manualIndex(_ entity: SchemaRule.EntityKind, named name: String) -> ManualIndex? {
        if isReadOnly { return view.schema.schema.manualIndex(entity, named: name) }
        return currentSchema.manualIndex(entity, named: name)
    }

    /// Creates a named index, and gives it back when it is there already with all the settings that are given.
    ///
    /// - Parameter configuration: `type` (`exact`, `fulltext`), `provider` (`lucene`), `to_lower_case` (`true`, `false`),
    ///   `analyzer` (`keyword`, `lowercasekeyword`, `whitespace`, `simple`, `standard`, or a class name that ends so).
    /// - Throws: `.argumentError` for a configuration that cannot be, or an empty name; `.schemaRuleExists` when the index
    ///   is there with other settings.
    @discardableResult
    public func createManualIndex(
        _ entity: SchemaRule.EntityKind, named name: String, configuration: [String: String] = [:]
    ) throws(GraphError) -> ManualIndex {
        try requireWritable()
        if let known = manualIndex(entity, named: name) {
            if known.fits(configuration) { return known }
            throw GraphError(
                .schemaRuleExists,
                "\(entity.word) index `\(name)` exists with other settings (\(Self.text(known.configuration))): drop it first, or give those")
        }
        var schema = currentSchema
        let index = try ManualIndex(
            id: SchemaRuleID(schema.nextID), name: name, entity: entity, configuration: configuration)
        let command = Command.createManualIndex(index)
        try schema.apply(command)
        writes?.schema = schema
        try record(command)
        return index
    }

    private static func text(_ configuration: [String: String]) -> String {
        configuration.sorted { codeUnitOrder($0.key, $1.key) < 0 }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }

    /// Drops a named index with everything in it. Throws `.schemaRuleNotFound`.
    public func dropManualIndex(_ entity: SchemaRule.EntityKind, named name: String) throws(GraphError) {
        try requireWritable()
        var schema = currentSchema
        let index = try existing(entity, name)
        let command = Command.dropManualIndex(index.id)
        try schema.apply(command)
        writes?.schema = schema
        writes?.indexLayers[index.id] = nil
        writes?.fillings[index.id] = nil
        writes?.lastFilling = nil
        try record(command)
    }

    /// Throws `.schemaRuleNotFound`.
    func existing(_ entity: SchemaRule.EntityKind, _ name: String) throws(GraphError) -> ManualIndex {
        if let index = manualIndex(entity, named: name) { return index }
        throw GraphError(.schemaRuleNotFound, "Index `\(name)` does not exist: there is no \(entity.word) index of this name")
    }

    func reader(_ index: ManualIndex) -> ManualIndexReader {
        layerEntries(of: index)
        return ManualIndexReader(index, committedEntries(of: index), at: at, own: isReadOnly ? nil : writes?.indexLayers[index.id])
    }

    /// One that was created here has none.
    func committedEntries(of index: ManualIndex) -> IndexView {
        view.schema.manualEntries(index.id) ?? IndexView(rule: index.rule, run: nil, layers: [])
    }
}

// Named indexes: filling them.
extension Transaction {
    /// Adds a (key, value) pair for an entity; creates the index when it does not exist. A pair that is there already
    /// stays as it is.
    ///
    /// Throws `.entityNotFound`, `.entityDeleted`; `.indexIsReadOnly` for an automatic index; `.argumentError` for an
    /// empty name.
    public func add(
        _ entity: EntityID, toIndex name: String, key: String, value: IndexedValue
    ) throws(GraphError) {
        try requireWritable()
        try requireExists(entity)
        try requireFillable(entity.kind, name)
        try add(entity.number, try filling(entity.kind, name), key, value)
    }

    /// Takes out what was added for an entity: this pair, or all pairs of a key, or all. What is not there is no error.
    ///
    /// Throws `.schemaRuleNotFound`; `.indexIsReadOnly` for an automatic index.
    public func remove(
        _ entity: EntityID, fromIndex name: String, key: String? = nil, value: IndexedValue? = nil
    ) throws(GraphError) {
        try requireWritable()
        try requireFillable(entity.kind, name)
        let index = try existing(entity.kind, name)
        if let key, let value { return try remove(entity.number, from: index, key, value) }
        for (key, value) in reader(index).values(of: entity.number, key: key) {
            try remove(entity.number, from: index, key, value)
        }
    }

    /// Adds a pair for an entity unless an entity has it: that one is given back, and nothing changes. Of all who do this
    /// at once, on any member, one adds: the others lose a conflict, and find what it added when they run again.
    public func putIfAbsent(
        _ entity: EntityID, toIndex name: String, key: String, value: IndexedValue
    ) throws(GraphError) -> EntityID? {
        try requireWritable()
        try requireExists(entity)
        return try unique(entity.kind, name, key, value) { _ throws(GraphError) in entity }.found
    }

    /// The entity that has a pair; when there is none, makes one and adds the pair for it. As
    /// ``putIfAbsent(_:toIndex:key:value:)`` as to others who do the same.
    ///
    /// - Returns: the entity, and whether it was made here.
    public func getOrCreate(
        _ kind: SchemaRule.EntityKind, inIndex name: String, key: String, value: IndexedValue,
        _ make: (Transaction) throws(GraphError) -> EntityID
    ) throws(GraphError) -> (entity: EntityID, isNew: Bool) {
        let (found, made) = try unique(kind, name, key, value, make)
        if let found { return (found, false) }
        guard let made else { throw GraphError(.general, "neither found nor made an entity for index `\(name)`") }
        return (made, true)
    }

    private func unique(
        _ kind: SchemaRule.EntityKind, _ name: String, _ key: String, _ value: IndexedValue,
        _ make: (Transaction) throws(GraphError) -> EntityID
    ) throws(GraphError) -> (found: EntityID?, made: EntityID?) {
        try requireWritable()
        try requireFillable(kind, name)
        let index = try createManualIndex(kind, named: name)
        var ids: ContiguousArray<UInt64> = []
        lookUp(index, key, value, into: &ids)
        try requireIntact()
        if let id = ids.first { return (kind.entity(id), nil) }
        let made = try make(self)
        guard made.kind == kind else {
            throw GraphError(.argumentError, "index `\(name)` holds \(kind.word)s, and this is \(made)")
        }
        try requireExists(made)
        try add(made.number, to: index, key, value)
        let hash = ManualIndexKey.value(key, value).withUnsafeBytes { IndexKey.hash($0) }
        writes?.manualClaims.append(.init(rule: index.id, keyHash: hash))
        return (nil, made)
    }

    private func requireFillable(_ kind: SchemaRule.EntityKind, _ name: String) throws(GraphError) {
        guard codeUnitsEqual(name, kind.autoIndexName) else { return }
        throw GraphError(
            .indexIsReadOnly, "index `\(name)` follows properties by itself: nothing can be added or removed by hand")
    }

    private func requireExists(_ entity: EntityID) throws(GraphError) {
        switch entity {
        case .node(let id):
            if hasDeleted(id) { throw GraphError(.entityDeleted, "\(entity) has been deleted in this transaction") }
            if !nodeExists(id) { throw GraphError(.entityNotFound, "Node \(id.rawValue) not found") }
        case .relationship(let id):
            if hasDeleted(id) { throw GraphError(.entityDeleted, "\(entity) has been deleted in this transaction") }
            if relationship(id) == nil { throw GraphError(.entityNotFound, "Relationship \(id.rawValue) not found") }
        }
    }

    private func ownLayer(of index: ManualIndex) -> IndexLayer {
        if let known = writes?.indexLayers[index.id] { return known }
        let layer = IndexLayer(isShared: false)
        writes?.indexLayers[index.id] = layer
        writes?.fillings[index.id]?.own = layer
        return layer
    }

    /// An index to add to; made when it does not exist.
    private func filling(_ kind: SchemaRule.EntityKind, _ name: String) throws(GraphError) -> IndexFilling {
        if let last = writes?.lastFilling, last.index.entity == kind, codeUnitsEqual(last.index.name, name) { return last }
        return filling(of: try createManualIndex(kind, named: name))
    }

    private func filling(of index: ManualIndex) -> IndexFilling {
        if let last = writes?.lastFilling, last.index.id == index.id { return last }
        let filling =
            writes?.fillings[index.id]
            ?? IndexFilling(index, below: committedEntries(of: index), at: at, own: writes?.indexLayers[index.id])
        writes?.fillings[index.id] = filling
        writes?.lastFilling = filling
        return filling
    }

    func add(_ id: UInt64, to index: ManualIndex, _ key: String, _ value: IndexedValue) throws(GraphError) {
        try add(id, filling(of: index), key, value)
    }

    private func add(_ id: UInt64, _ filling: IndexFilling, _ key: String, _ value: IndexedValue) throws(GraphError) {
        var place = filling.find(id, key, value)
        if place == .perhapsAdded {
            filling.layer(into: ownLayer(of: filling.index))
            place = filling.find(id, key, value)
        }
        if place == .below { return }
        try record(.addToManualIndex(filling.index.id, entity: id, key: key, value: value.stored))
        filling.add(id, key, value)
    }

    /// Before this transaction asks an index what is in it: whoever only adds pays for no order among its own entries.
    func layerEntries(of index: ManualIndex) {
        guard let filling = writes?.fillings[index.id], !filling.isLayered else { return }
        filling.layer(into: ownLayer(of: index))
    }

    func remove(_ id: UInt64, from index: ManualIndex, _ key: String, _ value: IndexedValue) throws(GraphError) {
        let reader = reader(index)
        let isThere = ManualIndexKey.entity(id, key, value).withUnsafeBytes {
            reader.entries.containsPair($0, hash: IndexKey.hash($0), at: at, own: writes?.indexLayers[index.id])
        }
        guard isThere else { return }
        try record(.removeFromManualIndex(index.id, entity: id, key: key, value: value.stored))
        let layer = ownLayer(of: index)
        reader.remove(id, key, value) { layer.set(false, $0, id: id, transaction: 1) }
    }

    /// An entity that is deleted here leaves every named index; nobody needs a command to know that.
    func noteDeletion(_ kind: SchemaRule.EntityKind, _ id: UInt64) {
        if view.schema.manualIndexes.isEmpty && writes?.schema == nil { return }
        for index in currentSchema.manualIndexes where index.entity == kind {
            if reader(index).values(of: id).isEmpty { continue }
            // Before the reader, which has to see what goes as it goes.
            let layer = ownLayer(of: index)
            reader(index).removeAll(of: id) { layer.set(false, $0, id: id, transaction: 1) }
        }
    }
}

extension EntityID {
    public var kind: SchemaRule.EntityKind {
        switch self {
        case .node: .node
        case .relationship: .relationship
        }
    }
    var number: UInt64 {
        switch self {
        case .node(let id): id.rawValue
        case .relationship(let id): id.rawValue
        }
    }
}

extension SchemaRule.EntityKind {
    /// The entity of this kind with an id.
    public func entity(_ id: UInt64) -> EntityID { self == .node ? .node(NodeID(id)) : .relationship(RelationshipID(id)) }
}
