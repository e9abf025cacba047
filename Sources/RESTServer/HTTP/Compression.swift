internal import GraphModel
internal import Gzip
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// gzip in both directions. Streams are packed as they go, so that rows arrive as early as without.
enum Compression {
    private static let level = 2
    /// Below it a packet more or less is no gain; above it the packed answer beside the plain one is too much to hold.
    private static let byteCounts = 1400...(64 << 20)
    /// What takes longer is packed and unpacked away from the event loop, which has other connections to serve.
    private static let inlineByteCountMaximum = 64 << 10

    /// Whether the client takes gzip (RFC 9110 12.5.3).
    static func isAccepted(_ fields: HTTPFields) -> Bool {
        guard let accept = fields[.acceptEncoding] else { return false }
        var everything = false
        for coding in accept.lowercased().split(separator: ",") {
            let parts = coding.split(separator: ";").map { $0.filter { $0 != " " } }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch parts.first {
            case "gzip", "x-gzip": return quality > 0
            case "*": everything = quality > 0
            default: break
            }
        }
        return everything
    }

    /// The answer packed, if that is worth while.
    static func packed(_ answer: Answer, for head: HTTPRequest) async -> Answer {
        var answer = answer
        switch answer.body {
        case .none: return answer
        case .bytes(let bytes) where !byteCounts.contains(bytes.count): return answer
        case .bytes(let bytes):
            if isAccepted(head.headerFields), let packed = await pack([ByteBuffer(bytes: bytes)], bytes.count) {
                answer.body = .bytes(packed)
                answer.headers.append(HTTPField(name: .contentEncoding, value: "gzip"))
            }
        case .buffers(let buffers):
            let byteCount = buffers.reduce(0) { $0 + $1.readableBytes }
            if !byteCounts.contains(byteCount) { return answer }
            if isAccepted(head.headerFields), let packed = await pack(buffers, byteCount) {
                answer.body = .bytes(packed)
                answer.headers.append(HTTPField(name: .contentEncoding, value: "gzip"))
            }
        case .stream(let stream):
            if isAccepted(head.headerFields) {
                answer.body = .stream { writer in
                    var packing: any ResponseBodyWriter = PackingWriter(inner: writer)
                    try await stream(&packing)
                }
                answer.headers.append(HTTPField(name: .contentEncoding, value: "gzip"))
            }
        }
        // Caches between here and the client must not give the one form to clients that want the other.
        answer.headers.append(HTTPField(name: .vary, value: "Accept-Encoding"))
        return answer
    }

    private static func pack(_ buffers: [ByteBuffer], _ byteCount: Int) async -> [UInt8]? {
        if byteCount <= inlineByteCountMaximum { return pack(buffers) }
        return await withTaskExecutorPreference(globalConcurrentExecutor) { await packElsewhere(buffers) }
    }

    private static func packElsewhere(_ buffers: [ByteBuffer]) async -> [UInt8]? { pack(buffers) }

    private static func pack(_ buffers: [ByteBuffer]) -> [UInt8]? {
        let deflater = Deflater(level: level)
        var packed: [UInt8] = []
        for buffer in buffers {
            guard buffer.withUnsafeReadableBytes({ deflater.deflate($0, .none, into: &packed) }) else { return nil }
        }
        return deflater.deflate(UnsafeRawBufferPointer(start: nil, count: 0), .finished, into: &packed) ? packed : nil
    }

    // MARK: Requests

    /// The body as the client meant it. Throws `.mediaType` for an encoding that is not known, `.bodyTooLarge` when it is
    /// longer than `maximum` once unpacked, `.invalidRequest` when it is damaged.
    static func unpacked(_ body: [UInt8], _ fields: HTTPFields, maximum: Int) async throws(GraphError) -> [UInt8] {
        guard let encoding = fields[.contentEncoding]?.lowercased(), encoding != "identity", !body.isEmpty else { return body }
        guard encoding == "gzip" || encoding == "x-gzip" else {
            throw GraphError(.mediaType, "the body is encoded as \(encoding); only gzip is understood here")
        }
        if body.count <= inlineByteCountMaximum / 8 { return try unpack(body, maximum) }
        let result = await withTaskExecutorPreference(globalConcurrentExecutor) { await unpackElsewhere(body, maximum) }
        return try result.get()
    }

    private static func unpackElsewhere(_ body: [UInt8], _ maximum: Int) async -> Result<[UInt8], GraphError> {
        Result { () throws(GraphError) -> [UInt8] in try unpack(body, maximum) }
    }

    private static func unpack(_ body: [UInt8], _ maximum: Int) throws(GraphError) -> [UInt8] {
        // zlib counts in 32 bits.
        if body.count > Int(UInt32.max) { throw GraphError(.bodyTooLarge, "a packed body of \(body.count) bytes is too long") }
        let inflater = Inflater()
        inflater.give(body, body.count)
        var plain: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while !inflater.needsInput {
            switch piece.withUnsafeMutableBytes(inflater.inflate(into:)) {
            case .bytes(let count): plain.append(contentsOf: piece[..<count])
            case .failure(let what): throw GraphError(.invalidRequest, "the body is not gzip: \(what)")
            }
            if plain.count > maximum { throw GraphError(.bodyTooLarge, "the body is longer than \(maximum) bytes once unpacked") }
        }
        if !inflater.isBetweenMembers { throw GraphError(.invalidRequest, "the body is not gzip: it ends too early") }
        return plain
    }

    /// Packs what is written, each piece so that the client can unpack it when it arrives.
    private struct PackingWriter: ResponseBodyWriter {
        var inner: any ResponseBodyWriter
        let deflater = Deflater(level: level)

        mutating func write(_ buffer: ByteBuffer) async throws {
            var packed: [UInt8] = []
            guard buffer.withUnsafeReadableBytes({ deflater.deflate($0, .flushed, into: &packed) }) else { throw ConnectionEnds() }
            if !packed.isEmpty { try await inner.write(ByteBuffer(bytes: packed)) }
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
            var packed: [UInt8] = []
            guard deflater.deflate(UnsafeRawBufferPointer(start: nil, count: 0), .finished, into: &packed) else {
                throw ConnectionEnds()
            }
            try await inner.write(ByteBuffer(bytes: packed))
            try await inner.finish(trailingHeaders)
        }
    }
}
