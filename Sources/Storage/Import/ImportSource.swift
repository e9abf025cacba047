internal import FileSystem
internal import GraphModel
internal import Gzip

/// The bytes of an input file in order, unpacked when it is gzip (which its first two bytes say, not its name).
struct ImportSource {
    private let file: any File
    private let path: String
    private var offset: UInt64 = 0
    private var inflater: Inflater?
    private var packed: [UInt8] = []
    private var isAtEnd = false

    /// Bytes on disk.
    let byteCount: UInt64
    /// Bytes on disk that were read so far.
    var consumedByteCount: UInt64 { offset }

    init(_ path: String, _ fileSystem: any FileSystem, blockByteCount: Int) throws(FileError) {
        self.path = path
        file = try fileSystem.open(path, .readOnly)
        byteCount = try file.byteCount()
        var magic: [UInt8] = [0, 0]
        if try file.read(at: 0, into: &magic) == 2, magic == [0x1F, 0x8B] {
            inflater = Inflater()
            packed = [UInt8](repeating: 0, count: max(blockByteCount / 4, 4096))
        }
    }

    /// Fills the buffer as far as there is input; fewer bytes only at the end.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(GraphError) -> Int {
        guard let inflater else {
            do throws(FileError) {
                let count = try file.read(at: offset, into: buffer)
                offset += UInt64(count)
                return count
            } catch { throw GraphError(error) }
        }
        var done = 0
        while done < buffer.count && !isAtEnd {
            if inflater.needsInput {
                do throws(FileError) {
                    let count = try file.read(at: offset, into: &packed)
                    offset += UInt64(count)
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

    private func damage(_ what: String) -> FileError {
        FileError(.io, operation: "unpack", path: path, detail: "\(what), before byte \(offset) of the file")
    }
}
