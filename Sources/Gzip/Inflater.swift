internal import CZlib

/// Unpacks one gzip file or body, which may have several members (RFC 1952). For one thread at a time.
public final class Inflater {
    // `stream` and `input` live as long as this object.
    public enum Outcome {
        case bytes(Int)
        case failure(String)
    }
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: UnsafeMutableBufferPointer<UInt8>
    private let isReady: Bool
    /// Whether everything given so far ends with the end of a member.
    public private(set) var isBetweenMembers = false
    private var hasOutput = false

    public init() {
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
    public var needsInput: Bool { stream.pointee.avail_in == 0 && !hasOutput }

    /// Takes a copy of the next bytes, the first `count`.
    public func give(_ bytes: [UInt8], _ count: Int) {
        if input.count < bytes.count {
            input.deallocate()
            input = .allocate(capacity: bytes.count)
        }
        _ = input.update(fromContentsOf: bytes[..<count])
        stream.pointee.next_in = input.baseAddress
        stream.pointee.avail_in = UInt32(count)
    }

    /// Fills the buffer as far as there is input; 0 bytes when there is none, or what follows the last member is padding.
    public func inflate(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
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
