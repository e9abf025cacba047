internal import CZlib
internal import FileSystem
internal import GraphModel

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

/// zlib's state for one gzip file, which may have several members.
private final class Inflater: @unchecked Sendable {
    // Safety: used by the import's reading thread alone; `stream` and `input` live as long as this object.
    enum Outcome {
        case bytes(Int)
        case failure(String)
    }
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: UnsafeMutableBufferPointer<UInt8>
    private let isReady: Bool
    private(set) var isBetweenMembers = false
    private var hasOutput = false

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        input = .allocate(capacity: 0)
        isReady = martlet_inflate_init(stream) == Z_OK
    }

    deinit {
        if isReady { inflateEnd(stream) }
        stream.deallocate()
        input.deallocate()
    }

    /// Whether all input was used and all output that it gives was handed out.
    var needsInput: Bool { stream.pointee.avail_in == 0 && !hasOutput }

    /// Takes a copy of the next bytes of the file.
    func give(_ bytes: [UInt8], _ count: Int) {
        if input.count < bytes.count {
            input.deallocate()
            input = .allocate(capacity: bytes.count)
        }
        _ = input.update(fromContentsOf: bytes[..<count])
        stream.pointee.next_in = input.baseAddress
        stream.pointee.avail_in = UInt32(count)
    }

    func inflate(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        guard isReady else { return .failure("no memory for unpacking") }
        if isBetweenMembers {
            // Zeros may fill up the last block of a tape; anything else begins another member.
            while stream.pointee.avail_in > 0, stream.pointee.next_in.pointee == 0 {
                stream.pointee.next_in += 1
                stream.pointee.avail_in -= 1
            }
            if stream.pointee.avail_in == 0 { return .bytes(0) }
            isBetweenMembers = false
            guard inflateReset(stream) == Z_OK else { return .failure("cannot begin the next member") }
        }
        let space = min(buffer.count, 1 << 30)
        stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(space)
        let code = CZlib.inflate(stream, Z_NO_FLUSH)
        let count = space - Int(stream.pointee.avail_out)
        hasOutput = stream.pointee.avail_out == 0 && code == Z_OK
        switch code {
        case Z_STREAM_END: isBetweenMembers = true
        case Z_OK: break
        case Z_BUF_ERROR where count == 0: hasOutput = false
        default:
            let what = stream.pointee.msg.map { String(cString: $0) } ?? "error \(code)"
            return .failure("the compressed data is damaged (\(what))")
        }
        return .bytes(count)
    }
}
