internal import FileSystem
internal import GraphModel
internal import Gzip

/// The bytes of an input file in order, unpacked when it is gzip (which its first two bytes say, not its name). The path `-`
/// is standard input.
struct ImportSource {
    /// nil: standard input.
    private let file: (any File)?
    /// Read ahead of it, to see what it is.
    private var ahead: [UInt8] = []
    private let path: String
    private var offset: UInt64 = 0
    private var inflater: Inflater?
    private var packed: [UInt8] = []
    private var isAtEnd = false

    /// Bytes on disk.
    let byteCount: UInt64
    /// Bytes on disk that were read so far.
    var consumedByteCount: UInt64 { offset }

    /// Of files on disk together.
    static func byteCount(_ paths: [String], _ fileSystem: any FileSystem) throws(FileError) -> UInt64 {
        var byteCount: UInt64 = 0
        for path in paths where path != standardInputPath {
            let file = try fileSystem.open(path, .readOnly)
            defer { file.close() }
            byteCount += try file.byteCount()
        }
        return byteCount
    }

    init(_ path: String, _ fileSystem: any FileSystem, blockByteCount: Int) throws(FileError) {
        self.path = path
        var magic: [UInt8] = [0, 0]
        let count: Int
        if path == standardInputPath {
            (file, byteCount) = (nil, 0)
            var result: Result<Int, FileError> = .success(0)
            magic.withUnsafeMutableBytes { buffer in
                result = Result { () throws(FileError) in try StandardInput.read(into: buffer) }
            }
            count = try result.get()
            ahead = Array(magic[..<count])
        } else {
            let file = try fileSystem.open(path, .readOnly)
            self.file = file
            byteCount = try file.byteCount()
            count = try file.read(at: 0, into: &magic)
        }
        if count == 2, magic == [0x1F, 0x8B] {
            inflater = Inflater()
            packed = [UInt8](repeating: 0, count: max(blockByteCount / 4, 4096))
        }
    }

    /// Fills the buffer as far as there is input; fewer bytes only at the end.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(GraphError) -> Int {
        guard let inflater else {
            do throws(FileError) {
                return try readPacked(into: buffer)
            } catch { throw GraphError(error) }
        }
        var done = 0
        while done < buffer.count && !isAtEnd {
            if inflater.needsInput {
                do throws(FileError) {
                    let count = try readPacked()
                    inflater.give(packed, count)
                    if count == 0 {
                        guard inflater.isBetweenMembers else { throw damage("the compressed data ends too early") }
                        isAtEnd = true
                        break
                    }
                } catch { throw GraphError(error) }
            }
            switch inflater.inflate(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...])) {
            case .bytes(let count): done += count
            case .failure(let what): throw GraphError(damage(what))
            }
        }
        return done
    }

    private mutating func readPacked() throws(FileError) -> Int {
        var bytes: [UInt8] = []
        swap(&bytes, &packed)
        defer { swap(&bytes, &packed) }
        var result: Result<Int, FileError> = .success(0)
        bytes.withUnsafeMutableBytes { buffer in
            do throws(FileError) { result = .success(try readPacked(into: buffer)) } catch { result = .failure(error) }
        }
        return try result.get()
    }

    /// The next bytes as they are in the file.
    private mutating func readPacked(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        if let file {
            let count = try file.read(at: offset, into: buffer)
            offset += UInt64(count)
            return count
        }
        let count = min(ahead.count, buffer.count)
        for index in 0..<count { buffer[index] = ahead[index] }
        ahead.removeFirst(count)
        let more = try StandardInput.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
        offset += UInt64(count + more)
        return count + more
    }

    private func damage(_ what: String) -> FileError {
        FileError(.io, operation: "unpack", path: path, detail: "\(what), before byte \(offset) of the file")
    }
}

/// Stands for standard input where a file can be named.
package let standardInputPath = "-"
