internal import GraphModel
internal import NIOCore
internal import NIOPosix
internal import Transport

/// The port for HAProxy's `agent-check`: whoever connects is sent one line and the connection ends. The line comes from
/// memory, on an event loop: a busy database does not delay it.
final class AgentCheck: Sendable {
    /// Connections that may be open at once; a further one is closed without an answer.
    private static let connectionCountMaximum = 256

    /// The port that it listens on.
    let port: Int
    private let channels: OpenChannels

    /// Listens. Throws `.configuration` naming the address when it is taken or not local.
    static func start(on address: HostPort, line: @escaping @Sendable () -> String) async throws(GraphError) -> AgentCheck {
        let channels = OpenChannels()
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channels.add(channel) }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // The listener itself is among the open channels.
                    if channels.count > connectionCountMaximum { throw ChannelError.inputClosed }
                    try channels.add(channel)
                    try channel.pipeline.syncOperations.addHandler(AgentSession(line))
                }
            }
        do {
            let channel = try await bootstrap.bind(host: address.host, port: address.port).get()
            return AgentCheck(channel.localAddress?.port ?? address.port, channels)
        } catch {
            throw GraphError(
                .configuration,
                "\(Settings.agentCheckPort.name)=\(address.port): cannot listen on \(address): \(error). Is the port in use, or the address not of this machine?"
            )
        }
    }

    private init(_ port: Int, _ channels: OpenChannels) {
        self.port = port
        self.channels = channels
    }

    func close() async { await channels.close() }
}

/// Says its line, and waits for the other side to close: closing at once, with what a client may have sent unread,
/// would reset the connection and could lose the line.
private final class AgentSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let patience = TimeAmount.seconds(1)

    private let line: @Sendable () -> String
    private var timer: Scheduled<Void>?

    init(_ line: @escaping @Sendable () -> String) { self.line = line }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: line())), promise: nil)
        context.close(mode: .output, promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { timer?.cancel() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
