import FileSystem
import GraphModel
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct CopyTargetTests {
    /// Of several segments, with all that is in it.
    private func smallSource() throws -> (store: Store, source: StoreCopySource) {
        var options = Store.Options()
        options.nodeRangeBits = 4
        options.relationshipRangeBits = 4
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: options)
        let committer = try LocalCommitter(store)
        let transaction = committer.begin(nodes: 50, relationships: 49)
        var previous: NodeID?
        for number in 0..<50 {
            let node = try transaction.createNode(labels: ["N"], properties: [("number", .integer(Int64(number)))])
            if let previous { _ = try transaction.createRelationship(type: "R", from: previous, to: node) }
            previous = node
        }
        try committer.commitAndWait(transaction)
        let schema = committer.begin(nodes: 0, relationships: 0)
        try schema.createIndex(label: "N", keys: ["number"])
        try committer.commitAndWait(schema)
        try committer.finishSchemaWork()
        try store.checkpoint()
        return (store, store.beginCopy())
    }

    private func copy(_ source: StoreCopySource, to target: StoreCopyTarget, damaging damaged: Int? = nil) throws {
        for (index, file) in source.files.enumerated() {
            var bytes = try source.read(index, from: 0, maximumByteCount: Int(file.byteCount))
            if index == damaged { bytes[bytes.count - 20] ^= 1 }
            try target.write(file.name, bytes)
        }
    }

    @Test(arguments: [true, false])
    func whatNobodyWillReadSoonLeavesMemoryOnceItIsOnTheDisk(_ keepsCached: Bool) throws {
        let (store, source) = try smallSource()
        let disk = RecordingFileSystem()
        let target = try StoreCopyTarget(
            directory: "copy", fileSystem: disk, manifest: source.manifest, keepsCached: keepsCached)
        try copy(source, to: target)
        try target.append(try source.records(after: source.basePosition.transactionID, maximumByteCount: 1 << 20))
        try target.finish(expecting: store.applied)
        for kind in ["nodes.", "relationships.", "index."] { #expect(source.files.contains { $0.name.hasPrefix(kind) }, "\(kind)") }
        for file in source.files {
            let events = disk.events(of: "copy/" + file.name)
            #expect(events.last == (keepsCached ? .sync : .release), "\(file.name): \(events)")
            #expect(events.filter { $0 != .write } == (keepsCached ? [.sync] : [.sync, .release]), "\(file.name): \(events)")
        }
        let copied = try Store.open("copy", fileSystem: disk)
        #expect(copied.check().problems == [])
        #expect(copied.beginRead().graphChecksum() == store.beginRead().graphChecksum())
    }

    @Test func damageIsSeenBeforeTheRestHasCome() throws {
        let (_, source) = try smallSource()
        let disk = RecordingFileSystem()
        let target = try StoreCopyTarget(directory: "copy", fileSystem: disk, manifest: source.manifest)
        let error = #expect(throws: GraphError.self) { try copy(source, to: target, damaging: 0) }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains(source.files[0].name) == true, "\(error?.message ?? "")")
        // The one after it comes meanwhile.
        #expect(try disk.list("copy").count == 2)
    }
}

/// Notes in what order each file is written, synced and let go from memory.
private final class RecordingFileSystem: FileSystem {
    enum Event: Sendable { case write, sync, release }

    private let disk = CrashableFileSystem()
    private let recorded = Mutex<[String: [Event]]>([:])

    func events(of path: String) -> [Event] { recorded.withLock { $0[path] ?? [] } }
    fileprivate func note(_ event: Event, _ path: String) { recorded.withLock { $0[path, default: []].append(event) } }

    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File { RecordingFile(try disk.open(path, mode), self) }
    func exists(_ path: String) -> Bool { disk.exists(path) }
    func list(_ directory: String) throws(FileError) -> [String] { try disk.list(directory) }
    func createDirectory(_ path: String) throws(FileError) { try disk.createDirectory(path) }
    func rename(_ source: String, to target: String) throws(FileError) { try disk.rename(source, to: target) }
    func remove(_ path: String) throws(FileError) { try disk.remove(path) }
    func link(_ existing: String, as name: String) throws(FileError) { try disk.link(existing, as: name) }
    func syncDirectory(_ path: String) throws(FileError) { try disk.syncDirectory(path) }
    func map(_ path: String) throws(FileError) -> MappedFile { try disk.map(path) }
    func lock(_ path: String) throws(FileError) -> any FileLock { try disk.lock(path) }
}

private final class RecordingFile: File {
    private let file: any File
    private let owner: RecordingFileSystem

    init(_ file: any File, _ owner: RecordingFileSystem) {
        self.file = file
        self.owner = owner
    }

    var path: String { file.path }
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try file.read(at: offset, into: buffer)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        owner.note(.write, path)
        try file.write(bytes, at: offset)
    }
    func sync() throws(FileError) {
        owner.note(.sync, path)
        try file.sync()
    }
    func beginSync(from offset: UInt64, byteCount: UInt64) { file.beginSync(from: offset, byteCount: byteCount) }
    func releaseCache() {
        owner.note(.release, path)
        file.releaseCache()
    }
    func byteCount() throws(FileError) -> UInt64 { try file.byteCount() }
    func truncate(to byteCount: UInt64) throws(FileError) { try file.truncate(to: byteCount) }
    func preallocate(to byteCount: UInt64) throws(FileError) { try file.preallocate(to: byteCount) }
    func close() { file.close() }
}
