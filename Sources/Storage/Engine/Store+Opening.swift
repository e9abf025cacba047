public import FileSystem
public import GraphModel

extension Store {
    package static let lockName = "store_lock"
    /// The file that makes a directory a store.
    package static let manifestName = Manifest.fileName

    /// Whether a directory holds a store, open or not.
    public static func exists(_ directory: String, fileSystem: any FileSystem = POSIXFileSystem()) -> Bool {
        fileSystem.exists(directory + "/" + Manifest.fileName)
    }

    /// Opens a store directory, creating an empty store when there is none, and recovers from whatever a crash left.
    ///
    /// Throws `.storeLocked` when another process has it, `.foreignStore` when the directory holds something else,
    /// `.formatVersion`, or `.corrupt` with file and offset.
    public static func open(
        _ directory: String, fileSystem: any FileSystem = POSIXFileSystem(), options: Options = Options()
    ) throws(GraphError) -> Store {
        if options.isReadOnly && !exists(directory, fileSystem: fileSystem) {
            throw GraphError(.readOnly, "\(directory) holds no store, and with read_only=true none is created")
        }
        let lock: any FileLock
        let bytes: [UInt8]
        do throws(FileError) {
            try fileSystem.createDirectory(directory)
            let manifestPath = directory + "/" + Manifest.fileName
            let isNew = !fileSystem.exists(manifestPath)
            if isNew {
                if let stranger = try firstStranger(directory, fileSystem) {
                    throw FileError(
                        .other, operation: "create a store in", path: directory,
                        detail: "the directory is not empty (\(stranger)) and holds no Martlet store")
                }
            }
            lock = try fileSystem.lock(directory + "/" + lockName)
            if isNew { try create(directory, fileSystem, options) }
            bytes = try fileSystem.readAll(manifestPath)
        } catch {
            if error.kind == .locked {
                throw GraphError(
                    .storeLocked, "\(directory) is in use by another process: stop it, or name another directory")
            }
            throw error.kind == .other ? GraphError(.foreignStore, error.description) : GraphError(error)
        }
        let manifest = try Manifest(decoding: bytes, path: directory + "/" + Manifest.fileName)
        if options.storeID != .none && options.storeID != manifest.storeID {
            throw GraphError(
                .foreignStore, "\(directory): this is store \(manifest.storeID), not \(options.storeID)")
        }
        try removeLeftovers(directory, fileSystem, manifest)
        let base = try Base.open(manifest, directory: directory, fileSystem, damage: StoreDamage())
        let hooks = Hooks()
        var logOptions = TransactionLog.Options()
        logOptions.rotationByteCount = options.logRotationByteCount
        logOptions.preallocationByteCount = options.logPreallocationByteCount
        logOptions.syncs = options.syncsLog
        logOptions.retention = options.logRetention
        let (log, recovery) = try TransactionLog.open(
            directory: directory, fileSystem: fileSystem, storeID: manifest.storeID, checkpoint: manifest.position,
            options: logOptions, tailMayBeCut: options.isClustered,
            onDurable: { position in hooks.onDurable?(position) },
            onFailure: { failure in hooks.onFailure?(failure) })
        let store = Store(
            directory: directory, fileSystem: fileSystem, options: options, log: log, lock: lock,
            state: AppliedState(
                view: StoreView(
                    base: base, layers: [Overlay()], schema: SchemaView(manifest.schema, runs: base.indexRuns)),
                position: manifest.position,
                counts: manifest.counts, tokens: manifest.tokens, nextNodeID: manifest.nextNodeID,
                nextRelationshipID: manifest.nextRelationshipID,
                wallClockMilliseconds: manifest.wallClockMilliseconds),
            unapplied: recovery.records, recoveryNote: recovery.note, hooks: hooks)
        if options.appliesWholeLog {
            try store.apply(upTo: store.last.transactionID)
        } else if let record = recovery.records.last {
            // What the last entry's writer knew to be committed stays committed.
            let header: LogEntryHeader
            do throws(MalformedBytes) { header = try LogEntryHeader.decode(record.bytes[...]) } catch {
                throw GraphError(.corrupt, "\(directory): \(record.position): \(error)")
            }
            try store.apply(upTo: header.commitPoint)
        }
        if options.usesLogThread { log.startThread() }
        return store
    }

    /// Whether a file of this name can belong to a store.
    package static func isOwn(_ name: String) -> Bool {
        name == Manifest.fileName || name == Manifest.fileName + ".new" || name == lockName || LogFile.isLogName(name)
            || name.hasSuffix(".seg")
    }

    private static func firstStranger(_ directory: String, _ fileSystem: any FileSystem) throws(FileError) -> String? {
        for name in try fileSystem.list(directory) {
            if !isOwn(name) { return name }
            // Creating a store writes this one segment first; any other belongs to a store that lost its manifest.
            if name.hasSuffix(".seg") && name != Manifest.segmentName(.nodes, range: 0, generation: 0) { return name }
            if LogFile.isLogName(name) {
                // A log that holds entries without a manifest is a damaged store, not a place for a new one.
                let file = try fileSystem.open(directory + "/" + name, .readOnly)
                var bytes = [UInt8](repeating: 0, count: 4)
                if try file.read(at: UInt64(LogFile.headerByteCount), into: &bytes) == 4, bytes != [0, 0, 0, 0] {
                    return name
                }
            }
        }
        return nil
    }

    private static func removeLeftovers(
        _ directory: String, _ fileSystem: any FileSystem, _ manifest: Manifest
    ) throws(GraphError) {
        let named = Set(manifest.allSegments.map(\.name))
        do throws(FileError) {
            for name in try fileSystem.list(directory) {
                if name == Manifest.fileName + ".new" || (name.hasSuffix(".seg") && !named.contains(name)) {
                    try fileSystem.remove(directory + "/" + name)
                }
            }
        } catch {
            throw GraphError(error)
        }
    }

    private static func create(_ directory: String, _ fileSystem: any FileSystem, _ options: Options) throws(FileError) {
        for name in try fileSystem.list(directory) where name != lockName {
            try fileSystem.remove(directory + "/" + name)
        }
        var storeID = options.storeID
        while storeID == .none { storeID = StoreID(UInt64.random(in: .min ... .max)) }
        var manifest = Manifest(
            storeID: storeID, nodeRangeBits: options.nodeRangeBits,
            relationshipRangeBits: options.relationshipRangeBits, wallClockMilliseconds: 0)
        if options.createsReferenceNode {
            var builder = NodeSegmentBuilder(firstID: 0, expectedCount: 1)
            builder.addEntity(labels: [], properties: [])
            builder.endNode()
            let bytes = builder.finish(transactionID: .zero)
            let name = Manifest.segmentName(.nodes, range: 0, generation: 0)
            try writeNewFile(directory + "/" + name, bytes, fileSystem)
            manifest.nodeSegments = [.init(range: 0, name: name, byteCount: UInt64(bytes.count))]
            manifest.counts.nodes = 1
            manifest.nextNodeID = 1
        }
        _ = try LogFile.create(in: directory, fileSystem, storeID: storeID, before: .zero)
        try fileSystem.replace(directory + "/" + Manifest.fileName, with: manifest.encode())
    }

    /// Writes and syncs a file; its name is durable after the directory is synced.
    ///
    /// - Parameter sliceByteCount: how much is written before each sync. A disk that has much to write at once keeps the
    ///   log's next sync waiting for all of it.
    static func writeNewFile(
        _ path: String, _ bytes: [UInt8], _ fileSystem: any FileSystem, sliceByteCount: Int = .max
    ) throws(FileError) {
        let file = try fileSystem.open(path, .createEmpty)
        defer { file.close() }
        var offset = 0
        while bytes.count - offset > sliceByteCount {
            try file.write(Array(bytes[offset..<offset + sliceByteCount]), at: UInt64(offset))
            try file.sync()
            offset += sliceByteCount
        }
        try file.write(offset == 0 ? bytes : Array(bytes[offset...]), at: UInt64(offset))
        try file.sync()
    }
}
