internal import FileSystem
internal import GraphModel

/// An index that was populated as of some transaction not after the next checkpoint; its files are on disk, named by no
/// manifest yet.
struct PopulatedIndex {
    let rule: SchemaRuleID
    let run: IndexRun
    let chunks: [Manifest.SegmentReference]
}

extension Store {
    /// Merges what changed in each populated index into its chunks. Chunks that nothing changed in stay as they are.
    func writeIndexRuns(
        _ frozen: AppliedState, installing populated: PopulatedIndex?, generation: UInt64
    ) throws(FileError) -> [Manifest.IndexRunReference] {
        let manifest = frozen.view.base.manifest
        var result: [Manifest.IndexRunReference] = []
        for index in frozen.view.schema.indexes {
            let id = index.rule.id
            let isNew = populated?.rule == id && index.run == nil
            guard let run = isNew ? populated?.run : index.run else { continue }
            let old = isNew ? populated?.chunks : manifest.indexRuns.first { $0.rule == id }?.chunks
            var writer = IndexChunkWriter(self, id, frozen.position.transactionID, name: "\(generation)")
            let chunks = try merge(run, old ?? [], index, frozen.position.transactionID, &writer)
            result.append(.init(rule: id, chunks: chunks))
        }
        for index in frozen.view.schema.manualIndexes {
            let old = manifest.indexRuns.first { $0.rule == index.id }?.chunks
            var writer = IndexChunkWriter(self, index.id, frozen.position.transactionID, name: "\(generation)")
            let chunks = try merge(index.run, old ?? [], index, frozen.position.transactionID, &writer)
            result.append(.init(rule: index.id, chunks: chunks))
        }
        return result.sorted { $0.rule < $1.rule }
    }

    private func merge(
        _ run: IndexRun?, _ old: [Manifest.SegmentReference], _ index: IndexView, _ transaction: TransactionID,
        _ writer: inout IndexChunkWriter
    ) throws(FileError) -> [Manifest.SegmentReference] {
        if index.isMerged { return old }
        var changes = LayerChanges(index.layers, transaction.rawValue)
        var change = changes.next()
        guard let run, run.chunkCount > 0 else {
            while let current = change {
                if current.isPresent { try writer.add(current.key, current.id) }
                change = changes.next()
            }
            return try writer.finish().enumerated().map { .init(range: UInt64($0), name: $1.name, byteCount: $1.byteCount) }
        }
        var chunks: [(name: String, byteCount: UInt64)] = []
        for number in 0..<run.chunkCount {
            let end = number + 1 < run.chunkCount ? run[number + 1] : nil
            func belongs(_ change: LayerChanges.Change) -> Bool {
                guard let end else { return true }
                return IndexKey.order(change.key, change.id, end.key(0), end.id(end.entries(0).lowerBound)) < 0
            }
            guard let first = change, belongs(first) else {
                chunks.append((old[number].name, old[number].byteCount))
                continue
            }
            // The chunk's entries and the changes, one after the other as they come.
            let chunk = run[number]
            writer.expect(chunk.entryCount)
            var key = 0
            while key < chunk.keyCount {
                let bytes = chunk.key(key)
                for entry in chunk.entries(key) {
                    let id = chunk.id(entry)
                    var isKept = true
                    while let current = change, belongs(current) {
                        let order = IndexKey.order(current.key, current.id, bytes, id)
                        if order > 0 { break }
                        if order == 0 { isKept = current.isPresent } else if current.isPresent {
                            try writer.add(current.key, current.id)
                        }
                        change = changes.next()
                    }
                    if isKept { try writer.add(bytes, id) }
                }
                key += 1
            }
            while let current = change, belongs(current) {
                if current.isPresent { try writer.add(current.key, current.id) }
                change = changes.next()
            }
            chunks += try writer.finish()
        }
        return chunks.enumerated().map { .init(range: UInt64($0), name: $1.name, byteCount: $1.byteCount) }
    }
}

/// The last word of some layers on each entry as of a transaction, ascending.
struct LayerChanges {
    typealias Change = (key: UnsafeRawBufferPointer, id: UInt64, isPresent: Bool)
    private var nodes: [IndexLayer.Node?]
    private let transaction: UInt64

    /// - Parameter layers: newest first.
    init(_ layers: [IndexLayer], _ transaction: UInt64) {
        let start = UnsafeRawBufferPointer(start: nil, count: 0)
        nodes = layers.map { $0.first(from: start, id: 0) }
        self.transaction = transaction
    }

    mutating func next() -> Change? {
        while true {
            var best: IndexLayer.Node?
            for case let node? in nodes {
                if let known = best, IndexKey.order(known.key, known.id, node.key, node.id) <= 0 { continue }
                best = node
            }
            guard let best else { return nil }
            var word: Bool?
            for index in nodes.indices {
                guard let node = nodes[index], IndexKey.order(node.key, node.id, best.key, best.id) == 0 else { continue }
                word = word ?? node.isPresent(at: transaction)
                nodes[index] = node.next
            }
            if let word { return (best.key, best.id, word) }
        }
    }
}

/// Writes entries, given in ascending order, as chunk files of about equal size.
struct IndexChunkWriter {
    private let store: Store
    private let rule: SchemaRuleID
    private let transactionID: TransactionID
    private let name: String
    private let target: Int
    private var limit: Int
    private var builder = IndexChunkBuilder()
    private var written: [(name: String, byteCount: UInt64)] = []
    private var number = 0
    /// Keys of a chunk hold no more bytes than about this.
    private static let byteCountMaximum = 16 << 20

    /// - Parameter name: goes into the names of the files, which must not be in use.
    init(_ store: Store, _ rule: SchemaRuleID, _ transactionID: TransactionID, name: String) {
        self.store = store
        self.rule = rule
        self.transactionID = transactionID
        self.name = name
        target = min(max(store.options.indexChunkEntryCount, 1), IndexChunk.keyCountMaximum / 2)
        limit = target
    }

    /// About so many entries, and some more, follow until ``finish()``: up to twice the target they stay together.
    mutating func expect(_ count: Int) { limit = 2 * count < 3 * target ? 2 * target : target }

    mutating func add(_ key: UnsafeRawBufferPointer, _ id: UInt64) throws(FileError) {
        if builder.entryCount >= limit || builder.byteCount >= Self.byteCountMaximum { try flush() }
        builder.add(key, id)
    }

    private mutating func flush() throws(FileError) {
        guard builder.entryCount > 0 else { return }
        let bytes = builder.finish(rule, transactionID: transactionID)
        let name = "index.\(rule.rawValue).\(number).\(self.name).seg"
        number += 1
        try Store.writeNewFile(
            store.directory + "/" + name, bytes, store.fileSystem, sliceByteCount: Store.checkpointSliceByteCount)
        written.append((name, UInt64(bytes.count)))
        limit = target
    }

    /// Writes what is left; gives the files since the last time, in order.
    mutating func finish() throws(FileError) -> [(name: String, byteCount: UInt64)] {
        try flush()
        defer { written = [] }
        limit = target
        return written
    }
}
