import Glibc

/// The real disk.
public struct POSIXFileSystem: FileSystem {
    public init() {}

    public func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any File {
        let flags: Int32 =
            switch mode {
            case .readOnly: O_RDONLY
            case .readWrite: O_RDWR | O_CREAT
            case .createEmpty: O_RDWR | O_CREAT | O_TRUNC
            }
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw FileError(errno: errno, operation: "open", path: path) }
        return POSIXFile(descriptor: descriptor, path: path)
    }

    public func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    public func list(_ directory: String) throws(FileError) -> [String] {
        guard let stream = opendir(directory) else {
            throw FileError(errno: errno, operation: "list", path: directory)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    public func createDirectory(_ path: String) throws(FileError) {
        if path.isEmpty || path == "." || path == "/" { return }
        var info = stat()
        if stat(path, &info) == 0 {
            guard info.st_mode & S_IFMT == S_IFDIR else {
                throw FileError(.exists, operation: "create directory", path: path, detail: "a file of that name exists")
            }
            return
        }
        let parent = parentDirectory(path)
        try createDirectory(parent)
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else {
            throw FileError(errno: errno, operation: "create directory", path: path)
        }
        try syncDirectory(parent)
    }

    public func rename(_ source: String, to target: String) throws(FileError) {
        guard Glibc.rename(source, target) == 0 else {
            throw FileError(errno: errno, operation: "rename to \(target)", path: source)
        }
    }

    public func remove(_ path: String) throws(FileError) {
        guard Glibc.remove(path) == 0 else { throw FileError(errno: errno, operation: "remove", path: path) }
    }

    public func link(_ existing: String, as name: String) throws(FileError) {
        guard Glibc.link(existing, name) == 0 else {
            throw FileError(errno: errno, operation: "link \(existing) as", path: name)
        }
    }

    public func syncDirectory(_ path: String) throws(FileError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(errno: errno, operation: "sync directory", path: path) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(errno: errno, operation: "sync directory", path: path) }
    }

    public func map(_ path: String) throws(FileError) -> MappedFile {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(errno: errno, operation: "map", path: path) }
        defer { Glibc.close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw FileError(errno: errno, operation: "map", path: path) }
        let count = Int(info.st_size)
        if count == 0 { return MappedFile(bytes: UnsafeRawBufferPointer(start: nil, count: 0)) { _ in } }
        guard let address = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            throw FileError(errno: errno, operation: "map", path: path)
        }
        return MappedFile(bytes: UnsafeRawBufferPointer(start: address, count: count)) { bytes in
            munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        }
    }

    public func lock(_ path: String) throws(FileError) -> any FileLock {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw FileError(errno: errno, operation: "lock", path: path) }
        // flock belongs to the open file, so it also keeps out a second opening within this process.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            if code == EWOULDBLOCK {
                throw FileError(.locked, operation: "lock", path: path, detail: "another process holds the lock")
            }
            throw FileError(errno: code, operation: "lock", path: path)
        }
        return POSIXLock(descriptor: descriptor)
    }
}

private final class POSIXLock: FileLock {
    private let descriptor: Int32
    init(descriptor: Int32) { self.descriptor = descriptor }
    deinit { Glibc.close(descriptor) }
}

private final class POSIXFile: File {
    private let descriptor: Int32
    let path: String

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { Glibc.close(descriptor) }

    /// The descriptor goes when the last reference does, so that a reader on another thread never meets a reused one.
    func close() {}

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(errno: errno, operation: "read", path: path)
            }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(errno: errno, operation: "write", path: path)
            }
            done += count
        }
    }

    func sync() throws(FileError) {
        guard fdatasync(descriptor) == 0 else { throw FileError(errno: errno, operation: "sync", path: path) }
    }

    func beginSync(from offset: UInt64, byteCount: UInt64) {
        // Linux begins to write dirty pages back when it is told that they are not needed; it keeps them until then.
        _ = posix_fadvise(descriptor, off_t(offset), off_t(byteCount), POSIX_FADV_DONTNEED)
    }

    func releaseCache() {
        // All of it, with length 0. Pages that somebody has mapped stay.
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }

    func byteCount() throws(FileError) -> UInt64 {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw FileError(errno: errno, operation: "stat", path: path) }
        return UInt64(info.st_size)
    }

    func truncate(to byteCount: UInt64) throws(FileError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else {
            throw FileError(errno: errno, operation: "truncate", path: path)
        }
    }

    func preallocate(to byteCount: UInt64) throws(FileError) {
        let code = posix_fallocate(descriptor, 0, off_t(byteCount))
        guard code == 0 else { throw FileError(errno: code, operation: "preallocate", path: path) }
    }
}

extension FileError {
    package init(errno code: Int32, operation: String, path: String) {
        let kind: Kind =
            switch code {
            case ENOENT: .notFound
            case EEXIST: .exists
            case ENOSPC, EDQUOT: .noSpace
            case EIO: .io
            case EACCES, EPERM, EROFS: .permission
            default: .other
            }
        self.init(kind, operation: operation, path: path, detail: String(cString: strerror(code)))
    }
}
