internal import FileSystem
public import GraphModel
internal import Synchronization

/// How far the populations of a store are, and the lock that lets one run at a time.
final class Populations: Sendable {
    private let parts = Mutex<[SchemaRuleID: Double]>([:])
    let running = Mutex(())

    private let stopped = Atomic(false)

    /// Whether the store is closed.
    var isStopped: Bool { stopped.load(ordering: .relaxed) }

    /// Ends what runs and lets nothing begin any more.
    func stop() {
        stopped.store(true, ordering: .relaxed)
        running.withLock { _ in }
    }

    subscript(_ id: SchemaRuleID) -> Double { parts.withLock { $0[id] ?? 0 } }
    func set(_ id: SchemaRuleID, _ part: Double) { parts.withLock { $0[id] = part } }
    func remove(_ id: SchemaRuleID) { parts.withLock { $0[id] = nil } }
}

extension Store {
    /// Whether an index waits to be populated on this member.
    public var isPopulationDue: Bool { state.view.schema.indexes.contains { !$0.isComplete } }

    /// Populates every index that is not yet, one after the other, on the calling thread: for background threads.
    ///
    /// Works on a snapshot while commits and checkpoints go on, in memory bounded by `populationByteCount`, and ends each
    /// with a checkpoint. What a member has in its indexes is its own matter: nothing of this is in the log, a crash begins
    /// it anew. Stops early, without an error, once `isCancelled` says so or the store is closed.
    public func populateIndexes(isCancelled: () -> Bool = { false }) throws(GraphError) {
        try populations.running.withLock { _ throws(GraphError) in
            while !isCancelled(), !populations.isStopped {
                guard let index = state.view.schema.indexes.first(where: { !$0.isComplete }) else { return }
                do throws(GraphError) {
                    guard let populated = try populate(index.rule, isCancelled) else { return }
                    try checkpoint(installing: populated)
                } catch {
                    populations.remove(index.rule.id)
                    if populations.isStopped { return }
                    throw error
                }
                populations.remove(index.rule.id)
            }
        }
    }

    private func populate(_ rule: SchemaRule, _ isCancelled: () -> Bool) throws(GraphError) -> PopulatedIndex? {
        let chunks: [(name: String, byteCount: UInt64)]
        do throws(FileError) {
            guard let written = try writeChunks(rule, isCancelled) else { return nil }
            chunks = written
        } catch {
            throw GraphError(error)
        }
        var files: [SegmentFile] = []
        for chunk in chunks { files.append(try SegmentFile(directory: directory, name: chunk.name, fileSystem)) }
        return PopulatedIndex(
            rule: rule.id, run: try IndexRun(rule.id, files, damage: damage),
            chunks: chunks.enumerated().map { .init(range: UInt64($0), name: $1.name, byteCount: $1.byteCount) })
    }

    /// Scans, sorts and writes; nil when it was cancelled.
    private func writeChunks(
        _ rule: SchemaRule, _ isCancelled: () -> Bool
    ) throws(FileError) -> [(name: String, byteCount: UInt64)]? {
        let read = beginRead()
        var sorter = EntrySorter(
            fileSystem, path: "\(directory)/index.\(rule.id.rawValue)",
            byteCountMaximum: max(options.populationByteCount, 1024))
        guard try collect(rule, read, &sorter, isCancelled) else {
            try sorter.removeFiles()
            return nil
        }
        var writer = IndexChunkWriter(
            self, rule.id, read.snapshotTransactionID, name: "p\(read.snapshotTransactionID.rawValue)")
        var count = 0
        try sorter.finish { key, id throws(FileError) in
            count += 1
            if count % 65_536 == 0, populations.isStopped {
                throw FileError(.other, operation: "populate", path: directory, detail: "the store was closed")
            }
            try writer.add(key, id)
        }
        populations.set(rule.id, 0.9)
        return try writer.finish()
    }

    /// Reads every entity of a rule; false when it was cancelled.
    private func collect(
        _ rule: SchemaRule, _ read: Transaction, _ sorter: inout EntrySorter, _ isCancelled: () -> Bool
    ) throws(FileError) -> Bool {
        let total =
            rule.entity == .node ? read.nodeCount(label: rule.token) : read.relationshipCount(type: rule.token)
        var done = 0
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        var key: [UInt8] = []
        var more = true
        while more {
            if isCancelled() || populations.isStopped { return false }
            populations.set(rule.id, 0.8 * Double(done) / Double(max(total, 1)))
            ids.removeAll(keepingCapacity: true)
            more = read.scan(rule, &cursor, limit: 4096, into: &ids)
            for id in ids {
                guard let content = read.content(rule.entity, id) else { continue }
                key.removeAll(keepingCapacity: true)
                if content.appendKey(of: rule, to: &key) { try sorter.add(key, id) }
            }
            done += ids.count
        }
        return true
    }
}

extension Transaction {
    /// Scans the entities that a rule is about; like ``scanNodes(label:cursor:limit:into:)``.
    func scan(
        _ rule: SchemaRule, _ cursor: inout UInt64, limit: Int, into ids: inout ContiguousArray<UInt64>
    ) -> Bool {
        switch rule.entity {
        case .node: scanNodes(label: rule.token, cursor: &cursor, limit: limit, into: &ids)
        case .relationship: scanRelationships(type: rule.token, cursor: &cursor, limit: limit, into: &ids)
        }
    }
}
