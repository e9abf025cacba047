public import FileSystem
public import GraphModel

/// Takes in a copy of a store: segments first, then the log, and the manifest last, so that an unfinished copy is never
/// mistaken for a store.
public final class StoreCopyTarget {
    private let directory: String
    private let fileSystem: any FileSystem
    private let manifestBytes: [UInt8]
    private let manifest: Manifest
    /// Of each segment.
    private let sizes: [String: UInt64]
    private var log: TransactionLog?
    private var current: (file: any File, name: String, offset: UInt64)?
    /// Bytes of the current file that are on their way to the disk.
    private var begunByteCount: UInt64 = 0
    /// Written, and not known to be on the disk: synced once the next one is written, so that the disk works while more comes.
    private var finished: (file: any File, name: String)?
    /// Segments that were compared with their checksums as soon as they were on the disk, while memory had them.
    private var verified: Set<String> = []
    private var received: [String: UInt64] = [:]
    /// Bytes of log entries that are not written yet: a sync for each part received would set the pace of the copy.
    private var unflushedByteCount = 0
    private static let flushByteCount = 8 << 20
    /// Bytes of a segment between two syncs. All at the end would keep the disk for a minute or more, from the members of
    /// other clusters on this machine too, and the sender would hear nothing meanwhile.
    private static let syncByteCount: UInt64 = 32 << 20
    /// Bytes after which the disk is given something to do.
    private static let beginSyncByteCount: UInt64 = 4 << 20
    private let hasMadeDirectory: Bool
    private let keepsCached: Bool
    private var isFinished = false

    private let logOptions: TransactionLog.Options

    /// Begins in a directory that must be empty or not exist.
    ///
    /// - Parameter isResumed: it may hold what is left of a copy; ``adopt(_:fingerprints:)`` has to be called then.
    /// - Parameter keepsCached: whether the copy will be read soon. Else each segment leaves memory once it is verified, and
    ///   the memory of whoever else works on this machine stays theirs.
    /// - Parameter logPreallocationByteCount: the copy's log grows in steps of this; as `Store.Options` have it without.
    public init(
        directory: String, fileSystem: any FileSystem = POSIXFileSystem(), manifest bytes: [UInt8],
        isResumed: Bool = false, keepsCached: Bool = true,
        logPreallocationByteCount: UInt64 = Store.Options().logPreallocationByteCount
    ) throws(GraphError) {
        var logOptions = TransactionLog.Options()
        logOptions.preallocationByteCount = logPreallocationByteCount
        self.logOptions = logOptions
        self.keepsCached = keepsCached
        self.directory = directory
        self.fileSystem = fileSystem
        manifestBytes = bytes
        manifest = try Manifest(decoding: bytes, path: "the received manifest")
        sizes = Dictionary(manifest.allSegments.map { ($0.name, $0.byteCount) }, uniquingKeysWith: max)
        hasMadeDirectory = !fileSystem.exists(directory)
        do throws(FileError) {
            try fileSystem.createDirectory(directory)
            let present = try fileSystem.list(directory)
            guard present.isEmpty || isResumed else {
                throw FileError(
                    .exists, operation: "copy a store to", path: directory,
                    detail: "the directory is not empty (\(present[0])); name an empty one")
            }
        } catch {
            throw GraphError(error)
        }
    }

    /// Takes over what an earlier try left, where it is the very file that the manifest means, and removes all the rest.
    /// Returns the files that need not be sent again.
    package func adopt(_ left: [LeftSegment], fingerprints: [String: UInt64]) throws(GraphError) -> [LeftSegment] {
        let adopted = left.filter { sizes[$0.name] == $0.byteCount && fingerprints[$0.name] == $0.fingerprint }
        for segment in adopted { received[segment.name] = segment.byteCount }
        do throws(FileError) {
            for name in try fileSystem.list(directory) where received[name] == nil {
                try fileSystem.remove(directory + "/" + name)
            }
        } catch {
            throw GraphError(error)
        }
        return adopted
    }

    public var storeID: StoreID { manifest.storeID }

    /// Adds a part of a segment; parts of one file come in order, one file after the other.
    public func write(_ name: String, _ bytes: [UInt8]) throws(GraphError) {
        guard Manifest.isSegmentName(name) else { throw GraphError(.corrupt, "a store copy contains no file \"\(name)\"") }
        if current?.name != name { try finishFile() }
        do throws(FileError) {
            if current == nil {
                current = (try fileSystem.open(directory + "/" + name, .createEmpty), name, 0)
                begunByteCount = 0
            }
            guard let (file, _, offset) = current else { return }
            try file.write(bytes, at: offset)
            let end = offset + UInt64(bytes.count)
            if offset / Self.syncByteCount != end / Self.syncByteCount {
                try file.sync()
                begunByteCount = end
            } else if end - begunByteCount >= Self.beginSyncByteCount {
                beginSync(file, end)
            }
            current = (file, name, end)
            received[name, default: 0] += UInt64(bytes.count)
        } catch {
            throw GraphError(error)
        }
    }

    private func finishFile() throws(GraphError) {
        guard let (file, name, end) = current else { return }
        current = nil
        beginSync(file, end)
        try syncFinished()
        finished = (file, name)
    }

    private func beginSync(_ file: any File, _ end: UInt64) {
        if end > begunByteCount { file.beginSync(from: begunByteCount, byteCount: end - begunByteCount) }
        begunByteCount = end
    }

    private func syncFinished() throws(GraphError) {
        guard let (file, name) = finished else { return }
        finished = nil
        do throws(FileError) { try file.sync() } catch { throw GraphError(error) }
        // Whether all of it is there is for `finish` to say.
        if received[name] == sizes[name] {
            try Base.verify(SegmentFile(directory: directory, name: name, fileSystem), of: manifest)
            verified.insert(name)
            if !keepsCached { file.releaseCache() }
        }
        file.close()
    }

    /// Adds log entries that follow the segments.
    public func append(_ records: [LogRecord]) throws(GraphError) {
        let log = try openLog()
        var verified: [LogRecord] = []
        for record in records {
            do throws(MalformedBytes) { verified.append(try LogRecord(verifying: record.bytes)) } catch {
                throw GraphError(.corrupt, "a received log entry is damaged: \(error)")
            }
        }
        try log.append(verified)
        unflushedByteCount += verified.reduce(0) { $0 + $1.bytes.count }
        if unflushedByteCount >= Self.flushByteCount { try flush(log) }
    }

    private func flush(_ log: TransactionLog) throws(GraphError) {
        log.flush()
        unflushedByteCount = 0
        if let failure = log.failure { throw failure }
    }

    private func openLog() throws(GraphError) -> TransactionLog {
        if let log { return log }
        let log = try TransactionLog.create(
            directory: directory, fileSystem: fileSystem, storeID: manifest.storeID, after: manifest.position,
            options: logOptions, onDurable: { _ in }, onFailure: { _ in })
        self.log = log
        return log
    }

    /// Makes the copy a store: everything named by the manifest must be there, whole. Returns where its log ends, which
    /// must be at `expected` when that is given.
    @discardableResult
    public func finish(expecting expected: LogPosition? = nil) throws(GraphError) -> LogPosition {
        let log = try openLog()
        try flush(log)
        if let expected, expected != log.last {
            throw GraphError(.corrupt, "the copy's log ends at \(log.last), expected was \(expected)")
        }
        try finishFile()
        try syncFinished()
        do throws(FileError) {
            try fileSystem.syncDirectory(directory)
        } catch {
            throw GraphError(error)
        }
        for reference in manifest.allSegments
        where received[reference.name] != reference.byteCount {
            throw GraphError(
                .corrupt, "the copy of \(reference.name) has \(received[reference.name] ?? 0) bytes, not \(reference.byteCount)")
        }
        try Base.open(manifest, directory: directory, fileSystem, damage: StoreDamage()).verifyNew(except: verified)
        do throws(FileError) {
            try fileSystem.replace(directory + "/" + Manifest.fileName, with: manifestBytes)
        } catch {
            throw GraphError(error)
        }
        isFinished = true
        return log.last
    }

    /// Takes away what an unfinished copy has written, and the directory if the copy made it. The directory was empty at
    /// the beginning, so whatever looks like a log is the copy's own. Does nothing once the copy is finished.
    public func discard() throws(GraphError) {
        if isFinished { return }
        log = nil
        current = nil
        finished = nil
        do throws(FileError) {
            for name in try fileSystem.list(directory)
            where received[name] != nil || LogFile.isLogName(name) || name == Manifest.fileName + ".new" {
                try fileSystem.remove(directory + "/" + name)
            }
            if hasMadeDirectory, try fileSystem.list(directory).isEmpty { try fileSystem.remove(directory) }
        } catch {
            throw GraphError(error)
        }
    }
}
