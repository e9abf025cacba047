internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1
internal import Synchronization
internal import Transport

/// An HTTP/1.1 connection, over TLS or not, whose task runs on its own event loop.
struct LoopBoundChannel: ServerChildChannel {
    let inner: HTTP1Channel
    let security: TLSServer?
    let executors: EventLoopExecutors

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        inner.setup(channel: channel, logger: logger).flatMapThrowing { value in
            // Before the translation into version-free types, since it looks at the version.
            let pipeline = channel.pipeline.syncOperations
            let translation = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandler(ConnectionHandler(), position: .before(translation))
            try security?.secure(channel)
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(executors[value.channel.eventLoop]) {
            await inner.handle(value: value, logger: logger)
        }
    }
}

/// Knows two things of a connection that the layers above do not see: whether the client wants it kept, which depends
/// on the version of HTTP, and whether the client has gone while its request still runs.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    let client = ClientPresence()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), !head.isKeepAlive else {
            return context.fireChannelRead(data)
        }
        // The one spelling that the server understands, whatever the client wrote, or did not have to write before 1.1.
        head.headers.replaceOrAdd(name: "connection", value: "close")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { client.leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        client.leave()
        context.fireChannelInactive()
    }
}

/// Whether the client of a connection is still there, and what to do when it leaves.
final class ClientPresence: Sendable {
    private struct State {
        var hasLeft = false
        var onLeaving: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    /// The presence of a channel's client, for callers on its event loop; nil elsewhere.
    static func of(_ channel: any Channel) -> ClientPresence? {
        guard channel.eventLoop.inEventLoop else { return nil }
        return try? channel.pipeline.syncOperations.handler(type: ConnectionHandler.self).client
    }

    /// Runs `body` when the client leaves; at once when it has left already. Nil takes the body of an earlier call
    /// back.
    func onLeaving(_ body: (@Sendable () -> Void)?) {
        let isLate = state.withLock { state in
            state.onLeaving = body
            return state.hasLeft
        }
        if isLate { body?() }
    }

    func leave() {
        let body = state.withLock { state in
            state.hasLeft = true
            return state.onLeaving
        }
        body?()
    }
}
