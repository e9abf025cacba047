internal import EtcdCoordination
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Transport

/// One connection to an endpoint of etcd, with one request at a time. Used on its event loop only; tells of nothing any
/// more once it is cut.
final class EtcdConnection {
    enum Event: Sendable {
        /// A whole answer to a question.
        case answered(status: Int, body: [UInt8])
        /// A part of the endless answer to a watch.
        case part(status: Int, [UInt8])
        case failed(reason: String)
    }

    /// More than any answer to a question: a register of a thousand members is a tenth of it.
    static let answerByteCountMaximum = 4 << 20

    let endpoint: String
    private let isStreaming: Bool
    private let report: (_ id: UInt64, Event) -> Void
    private var channel: (any Channel)?
    /// The request that is under way, or that waits for the connection.
    private var request: EtcdRegister.Request?
    private var isCut = false
    private var status = 0
    private var body: [UInt8] = []

    /// Connects and sends.
    ///
    /// - Parameters:
    ///   - isStreaming: whether answers are handed over in parts, as they come.
    ///   - report: called on the loop.
    init(
        _ request: EtcdRegister.Request, isStreaming: Bool, security: TLSClient?, loop: any EventLoop,
        report: @escaping (_ id: UInt64, Event) -> Void
    ) {
        // Before it connects: a connection may fail at once.
        self.request = request
        endpoint = request.endpoint
        self.isStreaming = isStreaming
        self.report = report
        guard let target = HostPort(endpoint) else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler(bound.value))
                    try security?.secure(channel, host: target.host)
                }
            }
            .connect(host: target.host, port: target.port)
            .whenComplete { result in
                switch result {
                case .success(let channel): bound.value.connected(channel)
                case .failure(let error): bound.value.failed(Self.describe(error))
                }
            }
    }

    /// Whether another request can be sent over it.
    var isUsable: Bool { !isCut }

    func send(_ request: EtcdRegister.Request) {
        self.request = request
        status = 0
        body = []
        if let channel { write(request, channel) }
    }

    /// Closes it; nothing is reported any more.
    func cut() {
        isCut = true
        request = nil
        channel?.close(promise: nil)
        channel = nil
    }

    private func connected(_ channel: any Channel) {
        if isCut { return channel.close(promise: nil) }
        self.channel = channel
        if let request { write(request, channel) }
    }

    private func write(_ request: EtcdRegister.Request, _ channel: any Channel) {
        let body = ByteBuffer(string: request.body)
        var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: request.path)
        head.headers.add(name: "Host", value: endpoint)
        head.headers.add(name: "Content-Type", value: "application/json")
        head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        if let token = request.token { head.headers.add(name: "Authorization", value: token) }
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }

    // MARK: What the channel says

    fileprivate func received(_ part: HTTPClientResponsePart) {
        guard let id = request?.id, !isCut else { return }
        switch part {
        case .head(let head): status = Int(head.status.code)
        case .body(let buffer):
            if isStreaming { return report(id, .part(status: status, Array(buffer.readableBytesView))) }
            body.append(contentsOf: buffer.readableBytesView)
            if body.count > Self.answerByteCountMaximum {
                failed("an answer of more than \(Self.answerByteCountMaximum) bytes")
            }
        case .end:
            if isStreaming { return failed("the watch ended") }
            request = nil
            let answer = body
            body = []
            report(id, .answered(status: status, body: answer))
        }
    }

    fileprivate func failed(_ reason: String) {
        guard !isCut else { return }
        let id = request?.id
        cut()
        if let id { report(id, .failed(reason: reason)) }
    }

    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return describe(first.error) }
            return "its name cannot be resolved"
        case let error as IOError where error.errnoCode == 111: return "connection refused"
        default: return "\(error)"
        }
    }
}

private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    private let connection: EtcdConnection

    init(_ connection: EtcdConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.received(unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) {
        connection.failed("the connection ended")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.failed(EtcdConnection.describe(error))
        context.close(promise: nil)
    }
}
