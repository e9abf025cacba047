internal import Synchronization

/// A disk in memory that crashes, fills up, fails and tears writes on command. The twin of ``POSIXFileSystem`` in tests.
///
/// What survives a crash is only what was synced: writes since a file's last sync survive whole, in part or not at all,
/// and creations, renames and removals since the last sync of their directory survive up to a point chosen by the
/// generator, as a journalling file system would do.
public final class CrashableFileSystem: FileSystem {
    /// What goes wrong at one operation.
    public enum Fault: Sendable {
        /// The machine stops before the operation; every later one fails with `.crashed`.
        case crash
        /// The operation fails once with "no space left" (a write may have been done in part).
        case noSpace
        /// The operation fails once with an I/O error.
        case ioError
    }

    final class Node: Sendable {
        struct Content: Sendable {
            var bytes: [UInt8] = []
            var durable: [UInt8] = []
            /// Since the last sync: bytes at an offset, or nil bytes for a truncation to it.
            var pending: [(offset: Int, bytes: [UInt8]?)] = []
        }
        let content = Mutex(Content())
        init() {}
    }

    struct State: Sendable {
        var names: [String: Node] = [:]
        var durableNames: [String: Node] = [:]
        /// Name changes since the last sync of the directory, in order: path and what it became.
        var pendingNames: [(changes: [(path: String, node: Node?)], directory: String)] = []
        var directories: Set<String> = [".", "/", ""]
        var locked: Set<String> = []
        var operationCount = 0
        var faults: [Int: Fault] = [:]
        var hasCrashed = false
        var log: [String] = []
    }

    let state: Mutex<State>

    public init() { state = Mutex(State()) }

    private init(_ initial: sending State) { state = Mutex(initial) }

    /// Number of operations that can fail so far: writes, syncs, truncations, preallocations, renames, removals,
    /// creations, directory syncs.
    public var operationCount: Int { state.withLock { $0.operationCount } }

    /// What each of those operations was, for messages.
    public func operationName(_ index: Int) -> String {
        state.withLock { index < $0.log.count ? $0.log[index] : "none" }
    }

    /// Lets the operation with this number (from 0) go wrong.
    public func inject(_ fault: Fault, at operation: Int) { state.withLock { $0.faults[operation] = fault } }

    /// The disk as it may look after the power failed now. The generator decides what of the unsynced data survived.
    public func crashClone(using generator: inout some RandomNumberGenerator) -> CrashableFileSystem {
        let (durable, pending, directories) = state.withLock { ($0.durableNames, $0.pendingNames, $0.directories) }
        var names = durable
        // Per directory a prefix of the name changes survived.
        var survivors: [String: Int] = [:]
        for directory in Set(pending.map(\.directory)).sorted() {
            let count = pending.count { $0.directory == directory }
            survivors[directory] = Int.random(in: 0...count, using: &generator)
        }
        for operation in pending {
            guard let left = survivors[operation.directory], left > 0 else { continue }
            survivors[operation.directory] = left - 1
            for change in operation.changes { names[change.path] = change.node }
        }
        var copies: [ObjectIdentifier: Node] = [:]
        var clone = State()
        for path in names.keys.sorted() {
            guard let node = names[path] else { continue }
            if let copy = copies[ObjectIdentifier(node)] {
                clone.names[path] = copy
                continue
            }
            let content = node.content.withLock { $0 }
            let copy = Node()
            let surviving = Self.survivingBytes(content, using: &generator)
            copy.content.withLock {
                $0.bytes = surviving
                $0.durable = surviving
            }
            copies[ObjectIdentifier(node)] = copy
            clone.names[path] = copy
        }
        clone.durableNames = clone.names
        // A directory is there as long as something in it is.
        clone.directories = directories.union(clone.names.keys.map(parentDirectory))
        return CrashableFileSystem(clone)
    }

    private static func survivingBytes(
        _ content: Node.Content, using generator: inout some RandomNumberGenerator
    ) -> [UInt8] {
        var bytes = content.durable
        for write in content.pending {
            guard let data = write.bytes else {
                if Bool.random(using: &generator) { Self.resize(&bytes, write.offset) }
                continue
            }
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: continue
            case 1: Self.put(&bytes, data, at: write.offset)
            default:
                // Torn at a sector boundary, as disks do.
                let sectors = data.count / 512
                let kept = sectors == 0 ? Int.random(in: 0...data.count, using: &generator)
                    : Int.random(in: 0...sectors, using: &generator) * 512
                Self.put(&bytes, Array(data[..<kept]), at: write.offset)
            }
        }
        return bytes
    }

    static func resize(_ bytes: inout [UInt8], _ count: Int) {
        if count < bytes.count { bytes.removeLast(bytes.count - count) } else {
            bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
        }
    }

    static func put(_ bytes: inout [UInt8], _ data: [UInt8], at offset: Int) {
        if data.isEmpty { return }
        if bytes.count < offset + data.count { resize(&bytes, offset + data.count) }
        bytes.replaceSubrange(offset..<offset + data.count, with: data)
    }

    /// Counts an operation and lets it fail when a fault is planned for it.
    func operation(_ name: String, _ path: String) throws(FileError) {
        let fault = try state.withLock { state throws(FileError) -> Fault? in
            if state.hasCrashed {
                throw FileError(.crashed, operation: name, path: path, detail: "the simulated machine is off")
            }
            let fault = state.faults[state.operationCount]
            state.operationCount += 1
            state.log.append("\(name) \(path)")
            if case .crash = fault { state.hasCrashed = true }
            return fault
        }
        switch fault {
        case nil: return
        case .crash: throw FileError(.crashed, operation: name, path: path, detail: "the simulated machine went off")
        case .noSpace: throw FileError(.noSpace, operation: name, path: path, detail: "no space left on device")
        case .ioError: throw FileError(.io, operation: name, path: path, detail: "input/output error")
        }
    }

    private func requireRunning(_ name: String, _ path: String) throws(FileError) {
        if state.withLock({ $0.hasCrashed }) {
            throw FileError(.crashed, operation: name, path: path, detail: "the simulated machine is off")
        }
    }

    // MARK: FileSystem

    public func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        try requireRunning("open", path)
        if let node = state.withLock({ $0.names[path] }) {
            if mode == .createEmpty {
                try operation("truncate", path)
                node.content.withLock {
                    $0.bytes = []
                    $0.pending.append((0, nil))
                }
            }
            return MemoryFile(self, node, path)
        }
        guard mode != .readOnly else {
            throw FileError(.notFound, operation: "open", path: path, detail: "no such file or directory")
        }
        try operation("create", path)
        let node = Node()
        state.withLock { state in
            state.names[path] = node
            state.pendingNames.append(([(path, node)], parentDirectory(path)))
        }
        return MemoryFile(self, node, path)
    }

    public func exists(_ path: String) -> Bool {
        state.withLock { $0.names[path] != nil || $0.directories.contains(path) }
    }

    public func list(_ directory: String) throws(FileError) -> [String] {
        try requireRunning("list", directory)
        return state.withLock { state in
            state.names.keys.filter { parentDirectory($0) == directory }
                .map { String($0.dropFirst(directory.count + 1)) }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    public func createDirectory(_ path: String) throws(FileError) {
        try requireRunning("create directory", path)
        state.withLock { _ = $0.directories.insert(path) }
    }

    public func rename(_ source: String, to target: String) throws(FileError) {
        try operation("rename to \(target)", source)
        guard let node = state.withLock({ $0.names[source] }) else {
            throw FileError(.notFound, operation: "rename", path: source, detail: "no such file or directory")
        }
        state.withLock { state in
            state.names[source] = nil
            state.names[target] = node
            state.pendingNames.append(([(source, nil), (target, node)], parentDirectory(target)))
        }
    }

    public func remove(_ path: String) throws(FileError) {
        try operation("remove", path)
        let found = state.withLock { state in
            state.pendingNames.append(([(path, nil)], parentDirectory(path)))
            return state.names.removeValue(forKey: path) != nil || state.directories.remove(path) != nil
        }
        if !found { throw FileError(.notFound, operation: "remove", path: path, detail: "no such file or directory") }
    }

    public func link(_ existing: String, as name: String) throws(FileError) {
        try operation("link \(existing) as", name)
        try state.withLock { state throws(FileError) in
            guard let node = state.names[existing] else {
                throw FileError(.notFound, operation: "link", path: existing, detail: "no such file or directory")
            }
            guard state.names[name] == nil else {
                throw FileError(.exists, operation: "link", path: name, detail: "file exists")
            }
            state.names[name] = node
            state.pendingNames.append(([(name, node)], parentDirectory(name)))
        }
    }

    public func syncDirectory(_ path: String) throws(FileError) {
        try operation("sync directory", path)
        state.withLock { state in
            for operation in state.pendingNames where operation.directory == path {
                for change in operation.changes { state.durableNames[change.path] = change.node }
            }
            state.pendingNames.removeAll { $0.directory == path }
        }
    }

    public func map(_ path: String) throws(FileError) -> MappedFile {
        try requireRunning("map", path)
        guard let node = state.withLock({ $0.names[path] }) else {
            throw FileError(.notFound, operation: "map", path: path, detail: "no such file or directory")
        }
        let content = node.content.withLock { $0.bytes }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 4096)
        copy.copyBytes(from: content)
        return MappedFile(bytes: UnsafeRawBufferPointer(copy)) { $0.deallocate() }
    }

    public func lock(_ path: String) throws(FileError) -> any FileLock {
        try requireRunning("lock", path)
        let isFree = state.withLock { $0.locked.insert(path).inserted }
        guard isFree else {
            throw FileError(.locked, operation: "lock", path: path, detail: "another process holds the lock")
        }
        return MemoryLock { [weak self] in self?.state.withLock { _ = $0.locked.remove(path) } }
    }

    /// Flips bits in a file behind everybody's back; for tests of checksums.
    public func corrupt(_ path: String, at offset: Int, xor mask: UInt8) {
        state.withLock { $0.names[path] }?.content.withLock {
            if offset < $0.bytes.count { $0.bytes[offset] ^= mask }
            if offset < $0.durable.count { $0.durable[offset] ^= mask }
        }
    }

    private final class MemoryLock: FileLock {
        private let release: @Sendable () -> Void
        init(_ release: @escaping @Sendable () -> Void) { self.release = release }
        deinit { release() }
    }
}

private final class MemoryFile: File {
    private let fileSystem: CrashableFileSystem
    private let node: CrashableFileSystem.Node
    let path: String

    init(_ fileSystem: CrashableFileSystem, _ node: CrashableFileSystem.Node, _ path: String) {
        self.fileSystem = fileSystem
        self.node = node
        self.path = path
    }

    func close() {}

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        if fileSystem.state.withLock({ $0.hasCrashed }) {
            throw FileError(.crashed, operation: "read", path: path, detail: "the simulated machine is off")
        }
        let bytes = node.content.withLock { $0.bytes }
        guard Int(offset) < bytes.count else { return 0 }
        let part = bytes[Int(offset)..<min(bytes.count, Int(offset) + buffer.count)]
        buffer.copyBytes(from: part)
        return part.count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        let data = Array(bytes)
        do throws(FileError) {
            try fileSystem.operation("write", path)
        } catch {
            // A full disk takes a part; a crash leaves the write to chance.
            let kept = error.kind == .noSpace ? data.count / 2 : data.count
            if error.kind == .noSpace || error.detail.hasSuffix("went off") { put(Array(data[..<kept]), offset) }
            throw error
        }
        put(data, offset)
    }

    private func put(_ data: [UInt8], _ offset: UInt64) {
        node.content.withLock {
            CrashableFileSystem.put(&$0.bytes, data, at: Int(offset))
            $0.pending.append((Int(offset), data))
        }
    }

    func beginSync(from offset: UInt64, byteCount: UInt64) {}

    func releaseCache() {}

    func sync() throws(FileError) {
        try fileSystem.operation("sync", path)
        node.content.withLock { content in
            // Not a copy of the whole: the next write would have to copy that again.
            for change in content.pending {
                if let bytes = change.bytes {
                    CrashableFileSystem.put(&content.durable, bytes, at: change.offset)
                } else {
                    CrashableFileSystem.resize(&content.durable, change.offset)
                }
            }
            content.pending = []
        }
    }

    func byteCount() throws(FileError) -> UInt64 { node.content.withLock { UInt64($0.bytes.count) } }

    func truncate(to byteCount: UInt64) throws(FileError) {
        try fileSystem.operation("truncate", path)
        node.content.withLock {
            CrashableFileSystem.resize(&$0.bytes, Int(byteCount))
            $0.pending.append((Int(byteCount), nil))
        }
    }

    func preallocate(to byteCount: UInt64) throws(FileError) {
        try fileSystem.operation("preallocate", path)
        node.content.withLock {
            if Int(byteCount) > $0.bytes.count {
                CrashableFileSystem.resize(&$0.bytes, Int(byteCount))
                $0.pending.append((Int(byteCount), nil))
            }
        }
    }
}
