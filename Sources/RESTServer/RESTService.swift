public import Database
internal import FileSystem
// Names of the error numbers that NIO reports.
internal import Glibc
public import GraphModel
internal import HTTPTypes
internal import HummingbirdCore
public import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The HTTP front end of one database: the REST API of the manual, status for load balancers, metrics.
///
/// A request is read, answered and written on the event loop of its connection; what touches the graph runs on the
/// database's query threads, but for one entity by its id; status is answered from memory.
public final class RESTService: Sendable {
    public struct Options: Sendable {
        public var host = "127.0.0.1"
        /// 0 is chosen by the kernel.
        public var port = 7474
        /// Longest request body.
        public var bodyByteCountMaximum = 64 << 20
        /// Connections without a request for so long are closed.
        public var idleTimeout: Milliseconds = 300_000
        /// Whether answers carry this member's role and epoch.
        public var isClustered = false
        /// Where browsers are sent from `/`; nil while there is no page for them.
        public var webAdminPath: String?
        public init() {}
    }

    let database: Database
    let options: Options
    let logger: Logger
    let table: RouteTable
    let metrics: RequestMetrics
    let dateHeader = DateHeader()
    private let draining: DrainingFlag
    private let state = Mutex(State.new)

    private enum State {
        case new
        case running(Server<LoopBoundChannel>, Task<Void, any Error>, port: Int, EventLoopExecutors)
        case stopped
    }

    /// On its own so that routes can look at it without holding the service.
    private final class DrainingFlag: Sendable {
        let value = Atomic<Bool>(false)
    }

    public init(
        _ database: Database, options: Options = Options(), control: (any ClusterControl)? = nil, logger: Logger
    ) {
        self.database = database
        self.options = options
        self.logger = logger
        let draining = DrainingFlag()
        self.draining = draining
        let isDraining: @Sendable () -> Bool = { draining.value.load(ordering: .relaxed) }
        var table = RouteTable()
        RootRoutes(database: database, webAdminPath: options.webAdminPath).add(to: &table)
        NodeRoutes(database: database).add(to: &table)
        RelationshipRoutes(database: database).add(to: &table)
        PropertyRoutes(database: database).add(to: &table)
        IndexRoutes(database: database).add(to: &table)
        AutoIndexRoutes(database: database).add(to: &table)
        CypherRoutes(database: database).add(to: &table)
        StatusRoutes(database: database, control: control, isDraining: isDraining).add(to: &table)
        let page = MetricsPage(database: database, isDraining: isDraining)
        let requests = MetricsBox()
        let metricsPage: Handler = { _ in
            Answer(.ok, .prometheus, .bytes(Array(page.text(requests.metrics).utf8)))
        }
        table.add("/metrics", isStatus: true, [(.get, metricsPage)])
        self.table = table
        metrics = RequestMetrics(table)
        requests.set(metrics)
    }

    /// The port it listens on; 0 while it does not.
    public var port: Int {
        state.withLock { if case .running(_, _, let port, _) = $0 { port } else { 0 } }
    }

    /// Whether it wants no new work; see ``drain()``.
    package var isDraining: Bool { draining.value.load(ordering: .relaxed) }

    // MARK: Life

    /// Listens, and returns the port. Throws `.network` when the address cannot be listened on.
    public func start() async throws(GraphError) -> Int {
        let group = MultiThreadedEventLoopGroup.singleton
        let executors = EventLoopExecutors(group)
        var configuration = HTTP1Channel.Configuration(
            idleTimeout: .milliseconds(Int64(clamping: options.idleTimeout.rawValue)))
        configuration.httpDecoder.maxHeaderFieldSize = 16 << 10
        configuration.httpDecoder.maxHeaderListSize = 64 << 10
        configuration.httpDecoder.maxHeaderFieldCount = 200
        let channel = HTTP1Channel(
            responder: { [weak self] request, writer, channel in
                guard let self else { throw ConnectionEnds() }
                try await self.respond(to: request, writer, on: channel, executors[channel.eventLoop])
            }, configuration: configuration)
        // The library's own lines about starting and stopping would repeat ours.
        var quiet = logger
        quiet.logLevel = .warning
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let server = Server(
            childChannelSetup: LoopBoundChannel(inner: channel, executors: executors),
            configuration: ServerConfiguration(address: .hostname(options.host, port: options.port), backlog: 1024),
            onServerRunning: { channel in
                listening.yield(channel.localAddress?.port ?? 0)
                listening.finish()
            }, eventLoopGroup: group, logger: quiet)
        let run = Task {
            defer { listening.finish() }
            try await server.run()
        }
        for await port in ports {
            state.withLock { $0 = .running(server, run, port: port, executors) }
            return port
        }
        do { try await run.value } catch { throw listenError(error) }
        throw GraphError(.network, "the HTTP server ended before it listened")
    }

    private func listenError(_ error: any Error) -> GraphError {
        let place = "\(options.host):\(options.port)"
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
                return GraphError(
                    .network, "\(place) cannot be listened on: \(options.host) is not an address of this machine")
            default: break
            }
        }
        return GraphError(.network, "\(place) cannot be listened on: \(error)")
    }

    /// From now on status endpoints say that this server wants no work; what comes all the same is still answered.
    public func drain() { draining.value.store(true, ordering: .relaxed) }

    /// Stops listening, lets requests under way finish for at most `limit`, and closes all connections.
    public func stop(limit: Milliseconds = 30_000) async {
        drain()
        let running = state.withLock { state in
            defer { state = .stopped }
            return state
        }
        guard case .running(let server, let run, _, let executors) = running else { return }
        let watchdog = Task { [logger] in
            try await Task.sleep(nanoseconds: limit.rawValue * 1_000_000)
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

/// Lets the metrics page know the metrics, which are made from the table that the page's own route is in.
private final class MetricsBox: Sendable {
    private let box = Mutex<RequestMetrics?>(nil)
    func set(_ metrics: RequestMetrics) { box.withLock { $0 = metrics } }
    var metrics: RequestMetrics { box.withLock { $0 } ?? RequestMetrics(RouteTable()) }
}

/// Ends the connection after an answer that leaves it in no state to go on.
struct ConnectionEnds: Error {}
