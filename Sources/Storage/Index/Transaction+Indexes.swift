public import GraphModel

/// How far a scan of an index has come. Good for the transaction that it was used in.
public struct IndexCursor: Sendable {
    var last: (key: [UInt8], id: UInt64)?
    var isAtEnd = false
    public init() {}
}

/// The order of a scan.
public enum IndexOrder: Sendable {
    case ascending, descending
}

/// What a planner wants to know of an index. It speaks of now, not of the snapshot.
public struct IndexStatistics: Sendable, Equatable {
    public let entryCount: Int
    /// Estimated; at least 1 when there are entries.
    public let distinctKeyCount: Int
}

extension Transaction {
    /// Changes when an index can be read from now on, or is gone: whoever chose among them then should choose anew.
    public var readableIndexesVersion: UInt64 { view.schema.readableIndexesVersion }

    /// The keys of all indexes over the nodes with a label that can be read.
    public func indexedKeys(label: TokenID) -> [[TokenID]] { indexedKeys(.node, label) }

    /// The keys of all indexes over the relationships of a type that can be read.
    public func indexedKeys(relationshipType: TokenID) -> [[TokenID]] { indexedKeys(.relationship, relationshipType) }

    private func indexedKeys(_ entity: SchemaRule.EntityKind, _ token: TokenID) -> [[TokenID]] {
        view.schema.indexes.filter { $0.isComplete && $0.rule.entity == entity && $0.rule.token == token }.map(\.rule.keys)
    }

    /// The index over exactly these properties of the nodes with a label; nil when there is none that can be read.
    public func index(label: TokenID, keys: [TokenID]) -> SchemaRuleID? { index(.node, label, keys) }

    /// The index over exactly these properties of the relationships of a type; nil when there is none that can be read.
    public func index(relationshipType: TokenID, keys: [TokenID]) -> SchemaRuleID? {
        index(.relationship, relationshipType, keys)
    }

    private func index(_ entity: SchemaRule.EntityKind, _ token: TokenID, _ keys: [TokenID]) -> SchemaRuleID? {
        for index in view.schema.indexes
        where index.isComplete && index.rule.entity == entity && index.rule.token == token && index.rule.keys == keys {
            return index.rule.id
        }
        return nil
    }

    func readable(_ id: SchemaRuleID) throws(GraphError) -> IndexView {
        guard let index = view.schema.index(id) else {
            throw GraphError(.schemaRuleNotFound, "\(id) is no index that this transaction knows")
        }
        guard index.isComplete else {
            throw GraphError(
                .unavailable, "index \"\(index.rule.name)\" is still being populated on this member: try again later")
        }
        return index
    }

    /// Appends the ids of all entities whose first keys have these values; ascending, when there is a value for every key.
    ///
    /// Values compare as in `Value.order`: numbers across kinds, strings by code units, NaN equals NaN. Throws
    /// `.schemaRuleNotFound`, `.unavailable` while the index is being populated, `.corrupt` when a file is damaged.
    public func seek(
        _ id: SchemaRuleID, equals values: [Value], into ids: inout ContiguousArray<UInt64>
    ) throws(GraphError) {
        let index = try readable(id)
        guard values.count == index.keyCount else {
            var cursor = IndexCursor()
            let range = IndexRange.equal(values)
            while try scan(id, range, cursor: &cursor, limit: 4096, into: &ids) {}
            return
        }
        var key = takeScratch()
        defer { giveBack(key) }
        for value in values where !IndexKey.append(value, to: &key) { return }
        key.withUnsafeBytes { seek(index, $0, into: &ids) }
        try requireIntact()
    }

    /// The same for an index of one key.
    public func seek(
        _ id: SchemaRuleID, equals value: Value, into ids: inout ContiguousArray<UInt64>
    ) throws(GraphError) {
        let index = try readable(id)
        guard index.keyCount == 1 else { return try seek(id, equals: [value], into: &ids) }
        var key = takeScratch()
        defer { giveBack(key) }
        guard IndexKey.append(value, to: &key) else { return }
        key.withUnsafeBytes { seek(index, $0, into: &ids) }
        try requireIntact()
    }

    /// Appends the ids that have a key, ascending: those of the run, with what the layers say put in.
    func seek(_ index: IndexView, _ key: UnsafeRawBufferPointer, into ids: inout ContiguousArray<UInt64>) {
        let hash = IndexKey.hash(key)
        var words: [(id: UInt64, isPresent: Bool)] = []
        func ask(_ layer: IndexLayer, _ transaction: UInt64) {
            layer.forEach(key, hash: hash) { node in
                if let isPresent = node.isPresent(at: transaction) { words.append((node.id, isPresent)) }
            }
        }
        let own = isReadOnly ? nil : writes?.indexLayers[index.id]
        if let own { ask(own, .max) }
        for layer in index.layers where layer.count > 0 { ask(layer, at) }
        let start = ids.count
        index.run?.forEachRun(key, hash: hash) { chunk, entries in
            if entries.count == 1 { ids.append(chunk.id(entries.lowerBound)) } else { chunk.append(entries, to: &ids) }
        }
        if words.isEmpty { return }
        if words.count == 1 {
            let (id, isPresent) = words[0]
            let index = ids[start...].firstIndex { $0 >= id } ?? ids.endIndex
            let isFound = index < ids.endIndex && ids[index] == id
            if isPresent && !isFound { ids.insert(id, at: index) }
            if !isPresent && isFound { ids.remove(at: index) }
            return
        }
        // The first word on an entity is the newest.
        var decided: [UInt64: Bool] = [:]
        for word in words where decided[word.id] == nil { decided[word.id] = word.isPresent }
        var found = ids[start...].filter { decided[$0] == nil }
        for (id, isPresent) in decided where isPresent { found.append(id) }
        found.sort()
        ids.replaceSubrange(start..., with: found)
    }

    /// Whether an entity is in an index under a key. O(log n), however many have the same key.
    func contains(_ index: IndexView, _ key: UnsafeRawBufferPointer, _ id: UInt64) -> Bool {
        var layers = index.layers.map { (layer: $0, transaction: at) }
        if let own = writes?.indexLayers[index.id] { layers.insert((own, .max), at: 0) }
        for (layer, transaction) in layers {
            guard let node = layer.first(from: key, id: id), IndexKey.order(node.key, node.id, key, id) == 0 else { continue }
            if let isPresent = node.isPresent(at: transaction) { return isPresent }
        }
        guard let run = index.run, let place = run.first(from: key, id: id) else { return false }
        return IndexKey.order(run.key(place), run.id(place), key, id) == 0
    }

    /// Appends up to `limit` ids of a range of an index, in its order, and moves the cursor on; entities with equal keys
    /// come by id. Returns false once there are no more. Throws like ``seek(_:equals:into:)-swift.method``.
    public func scan(
        _ id: SchemaRuleID, _ range: IndexRange, order: IndexOrder = .ascending, cursor: inout IndexCursor, limit: Int,
        into ids: inout ContiguousArray<UInt64>
    ) throws(GraphError) -> Bool {
        if cursor.isAtEnd { return false }
        let index = try readable(id)
        var merge = merge(index, range, order, after: cursor.last)
        var left = limit
        var last: (key: UnsafeRawBufferPointer, id: UInt64)?
        while left > 0 {
            let before = ids.count
            guard let taken = merge.take(left, into: &ids) else {
                cursor.isAtEnd = true
                try requireIntact()
                return false
            }
            last = taken
            left -= ids.count - before
        }
        if let last { cursor.last = (Array(last.key), last.id) }
        try requireIntact()
        return true
    }

    func merge(
        _ index: IndexView, _ range: IndexRange, _ order: IndexOrder, after cursor: (key: [UInt8], id: UInt64)? = nil
    ) -> IndexMerge {
        var layers = index.layers.map { (layer: $0, transaction: at) }
        if let own = writes?.indexLayers[index.id] { layers.insert((own, .max), at: 0) }
        return IndexMerge(index.run, layers, range, isDescending: order == .descending, after: cursor)
    }

    /// How many entries an index has and how many different keys, nearly. O(1).
    public func statistics(_ id: SchemaRuleID) -> IndexStatistics {
        guard let index = view.schema.index(id) else { return IndexStatistics(entryCount: 0, distinctKeyCount: 0) }
        let entries = max(0, index.entryCount + (writes?.indexLayers[id]?.netCount ?? 0))
        guard entries > 0 else { return IndexStatistics(entryCount: 0, distinctKeyCount: 0) }
        // What was added since is as varied as what was there before; without a before, every key is its own.
        let share = index.run.map { $0.entryCount == 0 ? 1 : Double($0.keyCount) / Double($0.entryCount) } ?? 1
        let distinct = index.rule.kind == .uniqueness ? entries : max(1, Int(Double(entries) * share))
        return IndexStatistics(entryCount: entries, distinctKeyCount: distinct)
    }
}
