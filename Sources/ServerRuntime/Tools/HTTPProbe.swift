package import GraphModel
internal import JSON
internal import FileSystem
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import RESTServer
internal import Transport

/// Asks a member's HTTP server one thing; for the command line's own needs.
package enum HTTPProbe {
    package struct Answer: Sendable {
        package let status: Int
        package let body: [UInt8]
        /// The transaction that whoever goes on from here should see; nil when the server does not say.
        package let transaction: UInt64?
        /// Whether the request was carried out before, and this does not say what came of it.
        package let isRepetition: Bool

        /// The body as JSON; nil when it is none.
        package var json: Value? { try? JSONParser.parse(body) }
    }

    /// Longest body of an answer.
    static let bodyByteCountMaximum = 64 << 20

    /// Sends one request on a connection of its own.
    ///
    /// - Parameters:
    ///   - address: `host:port`, also with `http://` before and a path's slash after it.
    ///   - bookmark: the server answers once it has applied this transaction.
    ///   - requestID: of requests with the same one only one is carried out.
    /// - Throws: `.network` naming the address.
    package static func request(
        _ method: String = "GET", _ address: String, _ path: String, body: [UInt8]? = nil, contentType: String = "application/json",
        bookmark: UInt64? = nil, requestID: String? = nil, timeout: Milliseconds = 2000
    ) async throws(GraphError) -> Answer {
        var text = address
        if text.hasPrefix("http://") { text.removeFirst("http://".count) }
        while text.hasSuffix("/") { text.removeLast() }
        guard let target = HostPort(text) else {
            throw GraphError(.configuration, "\(address): expected host:port or http://host:port")
        }
        do {
            return try await exchange(method, target, path, body, contentType, bookmark, requestID, timeout)
        } catch {
            throw GraphError(.network, "\(target): \(error)")
        }
    }

    /// Of a request on a connection of its own.
    static func head(_ method: HTTPMethod, _ target: HostPort, _ path: String) -> HTTPRequestHead {
        var head = HTTPRequestHead(version: .http1_1, method: method, uri: path)
        head.headers.add(name: "Host", value: target.description)
        head.headers.add(name: "Connection", value: "close")
        head.headers.add(name: "Accept", value: "application/json")
        return head
    }

    /// Returns after some time: before a server that refused a connection is asked again.
    package static func pause(_ time: Milliseconds) async {
        let timer = MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: .milliseconds(Int64(time.rawValue))) {}
        try? await timer.futureResult.get()
    }

    private static func exchange(
        _ method: String, _ target: HostPort, _ path: String, _ body: [UInt8]?, _ contentType: String, _ bookmark: UInt64?,
        _ requestID: String?, _ timeout: Milliseconds
    ) async throws -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Answer.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .connectTimeout(.milliseconds(Int64(timeout.rawValue)))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(AnswerCollector(promise))
                    }
                }
                .connect(host: target.host, port: target.port).get()
        } catch {
            promise.fail(error)
            throw error
        }
        let limit = loop.scheduleTask(in: .milliseconds(Int64(timeout.rawValue))) {
            channel.close(promise: nil)
        }
        defer { limit.cancel() }
        var head = head(HTTPMethod(rawValue: method), target, path)
        if let bookmark { head.headers.add(name: "X-HA-Tx", value: String(bookmark)) }
        if let requestID { head.headers.add(name: "X-Request-Id", value: requestID) }
        if let body {
            head.headers.add(name: "Content-Type", value: contentType)
            head.headers.add(name: "Content-Length", value: "\(body.count)")
        }
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if let body {
            channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        return try await promise.futureResult.get()
    }
}

private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    private let promise: EventLoopPromise<HTTPProbe.Answer>
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(_ promise: EventLoopPromise<HTTPProbe.Answer>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(let buffer):
            guard body.count + buffer.readableBytes <= HTTPProbe.bodyByteCountMaximum else {
                promise.fail(
                    FileError(
                        .other, operation: "read", path: "answer",
                        detail: "it is longer than \(HTTPProbe.bodyByteCountMaximum) bytes"))
                return context.close(promise: nil)
            }
            body.append(contentsOf: buffer.readableBytesView)
        case .end:
            promise.succeed(
                .init(
                    status: head.map { Int($0.status.code) } ?? 0, body: body, transaction: head?.headers.first(name: "X-HA-Tx").flatMap { UInt64($0) },
                    isRepetition: head?.headers.contains(name: "X-Request-Replayed") ?? false))
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(FileError(.other, operation: "read", path: "answer", detail: "no answer came"))
    }
}
