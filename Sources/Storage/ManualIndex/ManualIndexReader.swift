internal import GraphModel
internal import LuceneQuery

/// A named index as a transaction sees it, or as it is while an entry of the log is applied.
struct ManualIndexReader {
    let index: ManualIndex
    let entries: IndexView
    /// Newest first.
    let layers: [(layer: IndexLayer, transaction: UInt64)]

    init(_ index: ManualIndex, _ entries: IndexView, at transaction: UInt64, own: IndexLayer? = nil) {
        self.index = index
        self.entries = entries
        var layers = entries.layers.map { (layer: $0, transaction: transaction) }
        if let own { layers.insert((own, .max), at: 0) }
        self.layers = layers
    }

    func merge(_ range: IndexRange) -> IndexMerge {
        IndexMerge(entries.run, layers, range, isDescending: false, after: nil)
    }

    /// Every entry whose key begins with some bytes, in order, until `body` returns false.
    func forEach(beginningWith prefix: [UInt8], _ body: (_ key: UnsafeRawBufferPointer, _ id: UInt64) -> Bool) {
        var merge = merge(.beginning(with: prefix))
        while let entry = merge.next() { if !body(entry.key, entry.id) { return } }
    }

    func contains(_ key: [UInt8], _ id: UInt64) -> Bool {
        key.withUnsafeBytes { key in
            for (layer, transaction) in layers {
                guard let node = layer.first(from: key, id: id), IndexKey.order(node.key, node.id, key, id) == 0 else { continue }
                if let isPresent = node.isPresent(at: transaction) { return isPresent }
            }
            guard let run = entries.run, let place = run.first(from: key, id: id) else { return false }
            return IndexKey.order(run.key(place), run.id(place), key, id) == 0
        }
    }

    /// The values that were added for an entity, of one key or of all.
    func values(of id: UInt64, key: String? = nil) -> [(key: String, value: IndexedValue)] {
        var result: [(key: String, value: IndexedValue)] = []
        forEach(beginningWith: ManualIndexKey.entity(id, key)) { bytes, _ in
            var reader = ManualIndexKey.Reader(bytes, from: 9)
            if let key = reader.string(), let value = reader.value() { result.append((key, value)) }
            return true
        }
        return result
    }

    // MARK: Removals

    /// The keys that a removal takes out: none when there is nothing. A token that another value has, too, stays.
    func remove(_ id: UInt64, _ key: String, _ value: IndexedValue, _ body: (UnsafeRawBufferPointer) -> Void) {
        let valueKey = ManualIndexKey.value(key, value)
        guard contains(valueKey, id) else { return }
        var gone = index.tokens(value)
        if !gone.isEmpty {
            for (_, other) in values(of: id, key: key)
            where ManualIndexKey.value(key, other) != valueKey {
                gone.subtract(index.tokens(other))
            }
        }
        valueKey.withUnsafeBytes(body)
        ManualIndexKey.entity(id, key, value).withUnsafeBytes(body)
        for token in gone {
            ManualIndexKey.token(key, String(decoding: token, as: UTF8.self)).withUnsafeBytes(body)
        }
    }

    /// What goes with an entity.
    func removeAll(of id: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) {
        for (key, value) in values(of: id) { remove(id, key, value, body) }
    }
}

extension IndexView {
    /// Whether a pair was added for an entity to a named index, by its ``ManualIndexKey/entity(_:_:_:)`` and the hash of
    /// that: no other entity has that key, so this costs the same however many have the value.
    ///
    /// - Parameter own: what the transaction that asks has changed itself.
    func containsPair(_ entityKey: UnsafeRawBufferPointer, hash: UInt64, at transaction: UInt64, own: IndexLayer?) -> Bool {
        func word(_ layer: IndexLayer, _ transaction: UInt64) -> Bool? {
            var word: Bool?
            if layer.count > 0 { layer.forEach(entityKey, hash: hash) { word = $0.isPresent(at: transaction) } }
            return word
        }
        if let own, let word = word(own, .max) { return word }
        for layer in layers { if let word = word(layer, transaction) { return word } }
        var isFound = false
        run?.forEachRun(entityKey, hash: hash) { _, _ in isFound = true }
        return isFound
    }
}

extension ManualIndex {
    /// The tokens of a value that queries find it by; none where they look at the values themselves.
    func tokens(_ value: IndexedValue) -> Set<[UInt8]> {
        guard !analyzer.isIdentity, case .text(let text) = value else { return [] }
        return Set(analyzer.tokens(text).map { Array($0.utf8) })
    }

    /// The keys that an addition puts in, one perhaps more than once. They are built in `memory`.
    func forEachKey(
        _ id: UInt64, _ key: String, _ value: IndexedValue, in memory: inout [UInt8], _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        ManualIndexKey.write(entity: id, key, value, into: &memory)
        memory.withUnsafeBytes(body)
        let start = ManualIndexKey.turnIntoValueKey(&memory)
        memory.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        guard !analyzer.isIdentity, case .text(let text) = value else { return }
        memory.removeAll(keepingCapacity: true)
        ManualIndexKey.appendTerms(key, isAnalyzed: true, to: &memory)
        let end = memory.count
        for token in analyzer.tokens(text) {
            memory.removeSubrange(end...)
            ManualIndexKey.append(token, to: &memory)
            memory.withUnsafeBytes(body)
        }
    }
}

extension IndexRange {
    /// All keys that begin with some bytes, which end between two parts.
    static func beginning(with prefix: [UInt8]) -> IndexRange {
        IndexRange(lower: prefix, upper: prefix + [IndexKey.end])
    }
}
