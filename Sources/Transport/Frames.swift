internal import FileSystem
public import NIOCore

/// The frames of every connection between members, coordinators and backup clients: `UInt32` length of the payload,
/// `UInt32` CRC-32C of the payload (both little-endian), payload.
public enum Frame {
    /// A larger frame ends the connection. One log entry must fit.
    public static let payloadByteCountMaximum = (1 << 30) + (1 << 16)
    public static let headerByteCount = 8

    /// Appends the frame of a payload.
    public static func write(_ payload: [UInt8], into buffer: inout ByteBuffer) { write(payload, [], into: &buffer) }

    /// Appends the frame of a payload that comes in two parts; large content need not be copied behind its header first.
    public static func write(_ front: [UInt8], _ back: [UInt8], into buffer: inout ByteBuffer) {
        let byteCount = front.count + back.count
        buffer.reserveCapacity(minimumWritableBytes: headerByteCount + byteCount)
        buffer.writeInteger(UInt32(byteCount), endianness: .little)
        buffer.writeInteger(CRC32C.checksum(back, continuing: CRC32C.checksum(front)), endianness: .little)
        buffer.writeBytes(front)
        buffer.writeBytes(back)
    }
}

/// A peer sent what is no frame; the connection is closed.
public struct FrameError: Error, CustomStringConvertible {
    public let description: String
}

/// Cuts the byte stream into payloads and verifies each.
public struct FrameDecoder: ByteToMessageDecoder, Sendable {
    public typealias InboundOut = [UInt8]

    private var byteCountMaximum: Int
    private let laterByteCountMaximum: Int

    /// A frame over its limit, in bytes of payload, throws before its content is waited for. The first frame, which
    /// anybody may send, can have a limit of its own.
    public init(byteCountMaximum: Int = Frame.payloadByteCountMaximum, firstByteCountMaximum: Int? = nil) {
        laterByteCountMaximum = byteCountMaximum
        self.byteCountMaximum = firstByteCountMaximum ?? byteCountMaximum
    }

    public mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, endianness: .little, as: UInt32.self) else {
            return .needMoreData
        }
        guard length <= byteCountMaximum else {
            throw FrameError(description: "a frame of \(length) bytes is over the limit of \(byteCountMaximum)")
        }
        guard buffer.readableBytes >= Frame.headerByteCount + Int(length) else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 4)
        guard let crc = buffer.readInteger(endianness: .little, as: UInt32.self),
            let payload = buffer.readBytes(length: Int(length))
        else { return .needMoreData }
        guard crc == CRC32C.checksum(payload) else {
            throw FrameError(description: "a frame of \(length) bytes arrived damaged")
        }
        byteCountMaximum = laterByteCountMaximum
        context.fireChannelRead(NIOAny(payload))
        return .continue
    }

    public mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }
}
