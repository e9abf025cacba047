public import Database
internal import FileSystem
public import GraphModel
internal import HTTPTypes
public import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization
public import Transport

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
        /// Most jobs of one batch.
        public var batchJobCountMaximum = 100_000
        /// How long a transaction may be left open without a request, and how many may be open at once.
        public var transactionTimeout: Milliseconds = 60_000
        public var openTransactionCountMaximum = 1000
        /// Whether the API describes itself in WADL, too.
        public var generatesWADL = false
        /// The settings of this server, for whoever asks the management; secrets left out.
        public var configuration: [(name: String, description: String, value: String?)] = []
        /// What clients may keep open of paged traversals.
        public var pagedTraversals = PagedTraversalLimits()
        /// Fetches what a script's `loadGraphML` names, or throws `.scriptFailure` when that is not allowed or not there.
        public typealias DocumentLoader = @Sendable (_ address: String) async throws(GraphError) -> [UInt8]
        /// nil: scripts may load nothing.
        public var loadDocument: DocumentLoader?
        /// Whether answers carry this member's role and epoch.
        public var isClustered = false
        public init() {}
    }

    let database: Database
    let options: Options
    let logger: Logger
    let table: RouteTable
    let metrics: RequestMetrics
    let dateHeader = DateHeader()
    private let draining: DrainingFlag
    private let openTransactions: OpenTransactions
    private let state = Mutex(State())

    private struct State {
        var plain: HTTPListener?
        var secure: HTTPListener?
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
        RootRoutes().add(to: &table)
        NodeRoutes().add(to: &table)
        RelationshipRoutes().add(to: &table)
        PropertyRoutes().add(to: &table)
        IndexRoutes(database: database).add(to: &table)
        AutoIndexRoutes(database: database).add(to: &table)
        CypherRoutes(database: database, loadDocument: options.loadDocument).add(to: &table)
        LabelRoutes(database: database).add(to: &table)
        SchemaRoutes().add(to: &table)
        TraversalRoutes(database: database).add(to: &table)
        PathRoutes(database: database).add(to: &table)
        PagedTraversalRoutes(database: database, traversals: PagedTraversals(options.pagedTraversals)).add(to: &table)
        BatchRoutes(database: database, jobCountMaximum: options.batchJobCountMaximum, table: table).add(to: &table)
        openTransactions = OpenTransactions(
            database,
            OpenTransactions.Limits(
                timeout: options.transactionTimeout, countMaximum: options.openTransactionCountMaximum))
        TransactionRoutes(database: database, open: openTransactions).add(to: &table)
        ExportRoutes(database: database).add(to: &table)
        UpsertRoutes(database: database).add(to: &table)
        StatusRoutes(database: database, control: control, isDraining: isDraining).add(to: &table)
        let page = MetricsPage(database: database, openTransactions: openTransactions, isDraining: isDraining)
        let requests = MetricsBox()
        let metricsPage = Handler.own { _ in
            Answer(.ok, .prometheus, .bytes(Array(page.text(requests.metrics).utf8)))
        }
        let beans = ManagementBeans(
            database: database, control: control, configuration: options.configuration,
            openTransactions: openTransactions, metrics: { requests.metrics })
        ManagementRoutes(database: database, beans: beans).add(to: &table)
        WebAdminRoutes().add(to: &table)
        table.add("/metrics", isStatus: true, [(.get, metricsPage)])
        WADL.add(to: &table, isEnabled: options.generatesWADL)
        OpenAPIDocument.add(to: &table)
        self.table = table
        metrics = RequestMetrics(table)
        requests.set(metrics)
    }

    /// The port it listens on in the clear; 0 while it does not.
    public var port: Int { state.withLock { $0.plain?.port ?? 0 } }

    /// The port it listens on for HTTPS; 0 while it does not.
    public var securePort: Int { state.withLock { $0.secure?.port ?? 0 } }

    /// Methods and paths that the API's description lacks, or has in vain.
    package var undescribedOperations: [String] { OpenAPIDocument.differences(from: table) }

    /// Whether it wants no new work; see ``drain()``.
    package var isDraining: Bool { draining.value.load(ordering: .relaxed) }

    // MARK: Life

    /// Listens, and returns the port. Throws `.network` when the address cannot be listened on.
    public func start() async throws(GraphError) -> Int {
        let listener = try await listen(on: options.port, nil)
        state.withLock { $0.plain = listener }
        openTransactions.expireRegularly(on: MultiThreadedEventLoopGroup.singleton.next())
        return listener.port
    }

    /// Listens for HTTPS beside that, and returns the port. Throws `.network` when the address cannot be listened on.
    /// - Parameter port: 0 is chosen by the kernel.
    public func startSecure(on port: Int, _ security: TLSServer) async throws(GraphError) -> Int {
        let listener = try await listen(on: port, security)
        state.withLock { $0.secure = listener }
        return listener.port
    }

    private func listen(on port: Int, _ security: TLSServer?) async throws(GraphError) -> HTTPListener {
        var limits = HTTPListener.Limits()
        limits.idleTimeout = options.idleTimeout
        let isSecure = security != nil
        return try await HTTPListener(host: options.host, port: port, security: security, limits: limits, logger: logger) {
            [weak self] request, writer, channel, executor in
            guard let self else { throw ConnectionEnds() }
            try await self.respond(to: request, writer, Connection(channel: channel, executor: executor, isSecure: isSecure))
        }
    }

    /// From now on status endpoints say that this server wants no work; what comes all the same is still answered.
    public func drain() { draining.value.store(true, ordering: .relaxed) }

    /// Stops listening, lets requests under way finish for at most `limit`, and closes all connections.
    public func stop(limit: Milliseconds = 30_000) async {
        drain()
        let listeners = state.withLock { state in
            defer { state = State() }
            return [state.plain, state.secure].compactMap(\.self)
        }
        await withTaskGroup { group in
            for listener in listeners { group.addTask { [logger] in await listener.stop(limit: limit, logger) } }
        }
        openTransactions.close()
    }
}

/// Lets the metrics page know the metrics, which are made from the table that the page's own route is in.
private final class MetricsBox: Sendable {
    private let box = Mutex<RequestMetrics?>(nil)
    func set(_ metrics: RequestMetrics) { box.withLock { $0 = metrics } }
    var metrics: RequestMetrics { box.withLock { $0 } ?? RequestMetrics(RouteTable()) }
}

/// Where a request came from.
struct Connection: Sendable {
    let channel: any Channel
    /// Runs tasks where the connection lives.
    let executor: EventLoopExecutor
    /// Whether it is TLS that this server ends.
    let isSecure: Bool
}

/// Ends the connection after an answer that leaves it in no state to go on.
struct ConnectionEnds: Error {}
