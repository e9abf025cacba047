/// The one seam to files. Storage and coordination touch disks only through it, so that tests can replace the disk by
/// ``CrashableFileSystem``. Calls block; they belong on the log thread or on background threads.
public protocol FileSystem: Sendable {
    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File
    func exists(_ path: String) -> Bool
    /// Names (not paths) in a directory, sorted by code units.
    func list(_ directory: String) throws(FileError) -> [String]
    /// Creates the directory and those above it; none of it is an error when it exists.
    func createDirectory(_ path: String) throws(FileError)
    /// Replaces `target` atomically. Durable once ``syncDirectory(_:)`` of its directory has returned.
    func rename(_ source: String, to target: String) throws(FileError)
    func remove(_ path: String) throws(FileError)
    /// Gives a file a second name (a hard link), for files that never change again. Durable like a rename.
    func link(_ existing: String, as name: String) throws(FileError)
    /// Makes creations, renames and removals in this directory durable.
    func syncDirectory(_ path: String) throws(FileError)
    /// Maps a whole file that never changes again, read-only.
    func map(_ path: String) throws(FileError) -> MappedFile
    /// Takes an exclusive lock that other processes respect; released when the returned object is dropped or the
    /// process ends. Throws `.locked` when it is taken.
    func lock(_ path: String) throws(FileError) -> any FileLock
}

public enum OpenMode: Sendable {
    case readOnly
    /// Opens for reading and writing; creates the file when it is missing.
    case readWrite
    /// Creates the file or, when it exists, empties it.
    case createEmpty
}

/// An open file. One thread at a time may write or sync; reads may come from any thread.
public protocol File: AnyObject, Sendable {
    var path: String { get }
    /// Reads up to `buffer.count` bytes; returns fewer only at the end of the file.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError)
    /// Makes all earlier writes and the file's length durable (`fdatasync`). After a failure nothing may be assumed
    /// about earlier writes; never retry it as if nothing had happened.
    func sync() throws(FileError)
    /// Has what was written begin its way to the disk, without waiting for it: a later ``sync()`` takes less time. Promises
    /// nothing.
    func beginSync(from offset: UInt64, byteCount: UInt64)
    /// Nobody will read what was written and synced for a while: the memory that caches it may go to others. Promises nothing.
    func releaseCache()
    func byteCount() throws(FileError) -> UInt64
    func truncate(to byteCount: UInt64) throws(FileError)
    /// Reserves space so that later writes below `byteCount` need no allocation; the visible length grows.
    func preallocate(to byteCount: UInt64) throws(FileError)
    func close()
}

/// Keeps a lock while it lives.
public protocol FileLock: AnyObject, Sendable {}

/// What a file operation reports.
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        case notFound, exists, noSpace, io, locked, permission
        /// Only from ``CrashableFileSystem``: the simulated machine is off.
        case crashed
        case other
    }
    public let kind: Kind
    public let operation: String
    public let path: String
    public let detail: String

    public init(_ kind: Kind, operation: String, path: String, detail: String) {
        self.kind = kind
        self.operation = operation
        self.path = path
        self.detail = detail
    }
    public var description: String { "\(operation) \(path): \(detail)" }
}

/// A whole file in memory, read-only, unmapped when the last reference goes.
public final class MappedFile: Sendable {
    // Safety: the bytes never change and live until deinit.
    public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
    private let release: @Sendable (UnsafeRawBufferPointer) -> Void

    public init(bytes: UnsafeRawBufferPointer, release: @escaping @Sendable (UnsafeRawBufferPointer) -> Void) {
        self.bytes = bytes
        self.release = release
    }

    deinit { release(bytes) }
}

extension FileSystem {
    /// Writes a small file so that after a crash either the old or the new content is there: write aside, sync, rename,
    /// sync the directory.
    public func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
        let aside = path + ".new"
        let file = try open(aside, .createEmpty)
        do throws(FileError) {
            try file.write(bytes, at: 0)
            try file.sync()
        } catch {
            file.close()
            throw error
        }
        file.close()
        try rename(aside, to: path)
        try syncDirectory(parentDirectory(path))
    }

    /// Copies a file, part by part, and syncs the copy; its name is durable after the directory is synced.
    ///
    /// - Parameter progress: gets the bytes of each part.
    public func copy(
        _ source: String, to target: String, progress: ([UInt8]) -> Void = { _ in }
    ) throws(FileError) {
        let from = try open(source, .readOnly)
        defer { from.close() }
        let to = try open(target, .createEmpty)
        defer { to.close() }
        var offset: UInt64 = 0
        try from.forEachPart { bytes throws(FileError) in
            try to.write(bytes, at: offset)
            offset += UInt64(bytes.count)
            progress(bytes)
        }
        try to.sync()
    }

    /// Reads a whole file.
    public func readAll(_ path: String) throws(FileError) -> [UInt8] {
        let file = try open(path, .readOnly)
        defer { file.close() }
        var bytes = [UInt8](repeating: 0, count: Int(try file.byteCount()))
        let count = try file.read(at: 0, into: &bytes)
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

extension File {
    /// Reads the file from its beginning, a mebibyte at a time.
    public func forEachPart(_ body: ([UInt8]) throws(FileError) -> Void) throws(FileError) {
        var offset: UInt64 = 0
        while true {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = try read(at: offset, into: &bytes)
            if count == 0 { return }
            bytes.removeLast(bytes.count - count)
            offset += UInt64(count)
            try body(bytes)
        }
    }

    public func write(_ bytes: [UInt8], at offset: UInt64) throws(FileError) {
        var failure: FileError?
        bytes.withUnsafeBytes { buffer in
            do throws(FileError) { try write(buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    public func read(at offset: UInt64, into bytes: inout [UInt8]) throws(FileError) -> Int {
        var failure: FileError?
        let count = bytes.withUnsafeMutableBytes { buffer in
            do throws(FileError) { return try read(at: offset, into: buffer) } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return count
    }
}

/// The part of a path after its last `/`.
public func lastPathComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
}

/// The part of a path before its last `/`; `.` when there is none.
public func parentDirectory(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
