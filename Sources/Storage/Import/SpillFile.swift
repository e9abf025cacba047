internal import FileSystem

/// A temporary file that takes what memory may not hold. Created when the first part comes.
struct SpillFile: Sendable {
    struct Part: Sendable {
        let offset: UInt64
        let byteCount: Int
    }
    let path: String
    private let fileSystem: any FileSystem
    private var file: (any File)?
    private(set) var byteCount: UInt64 = 0

    init(_ path: String, _ fileSystem: any FileSystem) {
        self.path = path
        self.fileSystem = fileSystem
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) -> Part {
        let file: any File
        if let open = self.file { file = open } else {
            file = try fileSystem.open(path, .createEmpty)
            self.file = file
        }
        try file.write(bytes, at: byteCount)
        defer { byteCount += UInt64(bytes.count) }
        return Part(offset: byteCount, byteCount: bytes.count)
    }

    /// Reads a part; `buffer` has its length.
    func read(_ part: Part, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) {
        let count = try file?.read(at: part.offset, into: buffer) ?? 0
        guard count == part.byteCount else {
            throw FileError(
                .io, operation: "read", path: path, detail: "\(part.byteCount) bytes at \(part.offset) are gone")
        }
    }

    mutating func remove() throws(FileError) {
        guard let file else { return }
        file.close()
        self.file = nil
        try fileSystem.remove(path)
    }
}
