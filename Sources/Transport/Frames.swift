internal import FileSystem
public import NIOCore

/// The frames of every connection between members, coordinators and backup clients: `UInt32` length of the payload,
/// `UInt32` CRC-32C of the payload (both little-endian), payload.
public enum Frame {
    /// A larger frame ends the connection. One log entry must fit.
    public static let payloadByteCountMaximum = (1 << 30) + (1 << 16)
    static let headerByteCount = 8

    static func write(_ payload: [UInt8], into buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: headerByteCount + payload.count)
        buffer.writeInteger(UInt32(payload.count), endianness: .little)
        buffer.writeInteger(CRC32C.checksum(payload), endianness: .little)
        buffer.writeBytes(payload)
    }
}

/// A peer sent what is no frame; the connection is closed.
public struct FrameError: Error, CustomStringConvertible {
    public let description: String
}

/// Cuts the byte stream into payloads and verifies each.
public struct FrameDecoder: ByteToMessageDecoder, Sendable {
    public typealias InboundOut = [UInt8]

    public init() {}

    public mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, endianness: .little, as: UInt32.self) else {
            return .needMoreData
        }
        guard length <= Frame.payloadByteCountMaximum else {
            throw FrameError(description: "a frame of \(length) bytes is over the limit of \(Frame.payloadByteCountMaximum)")
        }
        guard buffer.readableBytes >= Frame.headerByteCount + Int(length) else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 4)
        guard let crc = buffer.readInteger(endianness: .little, as: UInt32.self),
            let payload = buffer.readBytes(length: Int(length))
        else { return .needMoreData }
        guard crc == CRC32C.checksum(payload) else {
            throw FrameError(description: "a frame of \(length) bytes arrived damaged")
        }
        context.fireChannelRead(NIOAny(payload))
        return .continue
    }

    public mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }
}

/// Wraps payloads into frames.
public struct FrameEncoder: MessageToByteEncoder, Sendable {
    public typealias OutboundIn = [UInt8]

    public init() {}

    public func encode(data: [UInt8], out: inout ByteBuffer) throws { Frame.write(data, into: &out) }
}

/// `host:port`, as configuration and messages write it.
public struct HostPort: Hashable, Sendable, CustomStringConvertible {
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// nil when it is not `host:port` with a port of 0 to 65535. An IPv6 address stands in brackets.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.init(host: host, port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
