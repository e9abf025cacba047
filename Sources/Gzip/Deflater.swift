internal import CZlib

/// Packs bytes as one gzip member (RFC 1952). For one thread at a time.
public final class Deflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private let isReady: Bool

    /// - Parameter level: 1 (fastest) to 9 (smallest).
    public init(level: Int) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        isReady = martlet_deflate_init(stream, Int32(level)) == Z_OK
    }

    deinit {
        if isReady { deflateEnd(stream) }
        stream.deallocate()
    }

    /// How far a call of ``deflate(_:_:into:)`` goes with what it was given.
    public enum End {
        /// More comes; it may keep some to pack it better.
        case none
        /// A reader can unpack everything so far.
        case flushed
        /// The member ends; nothing may follow.
        case finished
    }

    /// Appends what the bytes pack to. False when there is no memory for packing.
    public func deflate(_ bytes: UnsafeRawBufferPointer, _ end: End, into packed: inout [UInt8]) -> Bool {
        guard isReady else { return false }
        let flush =
            switch end {
            case .none: Z_NO_FLUSH
            case .flushed: Z_SYNC_FLUSH
            case .finished: Z_FINISH
            }
        // zlib takes its input as mutable and does not change it.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(bytes.count)
        var isDone = false
        while !isDone {
            let space = max(1024, Int(deflateBound(stream, UInt(stream.pointee.avail_in))))
            let start = packed.count
            packed.append(contentsOf: repeatElement(0, count: space))
            let written = packed.withUnsafeMutableBufferPointer { buffer in
                stream.pointee.next_out = buffer.baseAddress! + start
                stream.pointee.avail_out = UInt32(space)
                let code = CZlib.deflate(stream, flush)
                // With room to spare it had nothing more to say.
                isDone = stream.pointee.avail_out > 0 || code == Z_STREAM_END
                return space - Int(stream.pointee.avail_out)
            }
            packed.removeLast(space - written)
        }
        stream.pointee.next_in = nil
        return true
    }
}
