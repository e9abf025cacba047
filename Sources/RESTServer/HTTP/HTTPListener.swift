// Names of the error numbers that NIO reports.
internal import Glibc
internal import GraphModel
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Transport

/// One address on which requests are taken, in the clear or over TLS, until it is stopped.
final class HTTPListener: Sendable {
    private let server: Server<LoopBoundChannel>
    private let run: Task<Void, any Error>
    private let executors: EventLoopExecutors
    /// Where it listens; the kernel's choice if none was named.
    let port: Int

    /// What a connection may ask of the server before there is a request.
    struct Limits {
        var headerFieldByteCount = 16 << 10
        var headerByteCount = 64 << 10
        var headerFieldCount = 200
        /// Connections without a request for so long are closed.
        var idleTimeout: Milliseconds = 300_000
    }

    typealias Responder = @Sendable (Request, consuming ResponseWriter, any Channel, EventLoopExecutor) async throws -> Void

    /// Listens. Throws `.network` when the address cannot be listened on.
    init(
        host: String, port: Int, security: TLSServer?, limits: Limits, logger: Logger, responder: @escaping Responder
    ) async throws(GraphError) {
        let group = MultiThreadedEventLoopGroup.singleton
        let executors = EventLoopExecutors(group)
        var configuration = HTTP1Channel.Configuration(
            idleTimeout: .milliseconds(Int64(clamping: limits.idleTimeout.rawValue)))
        configuration.httpDecoder.maxHeaderFieldSize = limits.headerFieldByteCount
        configuration.httpDecoder.maxHeaderListSize = limits.headerByteCount
        configuration.httpDecoder.maxHeaderFieldCount = limits.headerFieldCount
        let channel = HTTP1Channel(
            responder: { request, writer, channel in
                try await responder(request, writer, channel, executors[channel.eventLoop])
            }, configuration: configuration)
        // The library's own lines about starting and stopping would repeat ours.
        var quiet = logger
        quiet.logLevel = .warning
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let server = Server(
            childChannelSetup: LoopBoundChannel(inner: channel, security: security, executors: executors),
            configuration: ServerConfiguration(address: .hostname(host, port: port), backlog: 1024),
            onServerRunning: { channel in
                listening.yield(channel.localAddress?.port ?? 0)
                listening.finish()
            }, eventLoopGroup: group, logger: quiet)
        let run = Task {
            defer { listening.finish() }
            try await server.run()
        }
        var actual: Int?
        for await port in ports { actual = port }
        guard let actual else {
            do { try await run.value } catch { throw Self.listenError(error, "\(host):\(port)") }
            throw GraphError(.network, "the HTTP server ended before it listened")
        }
        self.server = server
        self.run = run
        self.executors = executors
        self.port = actual
    }

    private static func listenError(_ error: any Error, _ place: String) -> GraphError {
        if let error = error as? IOError {
            switch error.errnoCode {
            case EADDRINUSE:
                return GraphError(
                    .network,
                    "\(place) is in use by another process: stop it, or name another port (0 lets the kernel choose one)"
                )
            case EACCES:
                return GraphError(.network, "\(place) may not be listened on by this user: name a port above 1023")
            case EADDRNOTAVAIL:
                return GraphError(.network, "\(place) cannot be listened on: it is not an address of this machine")
            default: break
            }
        }
        return GraphError(.network, "\(place) cannot be listened on: \(error)")
    }

    /// Stops listening, lets requests under way finish for at most `limit`, and closes all connections.
    func stop(limit: Milliseconds, _ logger: Logger) async {
        let run = run
        let watchdog = MultiThreadedEventLoopGroup.singleton.next().scheduleTask(
            in: .milliseconds(Int64(clamping: limit.rawValue))
        ) {
            logger.warning("requests still run after \(limit): their connections are closed")
            run.cancel()
        }
        // Ends when the last connection is closed.
        try? await server.shutdownGracefully()
        _ = await run.result
        watchdog.cancel()
        // Tasks of the connections ran on these until now.
        withExtendedLifetime(executors) {}
    }
}
