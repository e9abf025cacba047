public import Database
internal import FileSystem
public import GraphModel
public import Logging
internal import RESTServer
internal import Synchronization
internal import Transport

/// One server process: a database, and the front ends over it. Started once, stopped once.
public final class Server: Sendable {
    let configuration: Configuration
    private let factory: DatabaseFactory
    let logger: Logger
    private let parts = Mutex<Parts?>(nil)

    private struct Parts: Sendable {
        let assembly: DatabaseAssembly
        let database: Database
        let http: RESTService
        var agentCheck: AgentCheck?
    }

    public init(
        _ configuration: Configuration, factory: @escaping DatabaseFactory = DatabaseFactories.configured,
        logger: Logger
    ) {
        self.configuration = configuration
        self.factory = factory
        self.logger = logger
    }

    /// The database; nil while the server is not started.
    public var database: Database? { parts.withLock { $0?.database } }
    /// The port of the HTTP server; 0 while it does not listen.
    public var httpPort: Int { parts.withLock { $0?.http.port } ?? 0 }
    /// The port of HTTPS; 0 while there is none.
    public var securePort: Int { parts.withLock { $0?.http.securePort } ?? 0 }
    /// The port of the agent check; 0 while there is none.
    public var agentCheckPort: Int { parts.withLock { $0?.agentCheck?.port } ?? 0 }

    // MARK: Starting

    /// Opens the database and listens. After a throw nothing is left open. The error names the key that has to change.
    public func start() async throws(GraphError) {
        for warning in configuration.warnings { logger.warning("\(warning)") }
        let assembly = try await factory(configuration, logger)
        let database = Database(assembly.pipeline, options: Database.Options(configuration))
        let http = RESTService(
            database, options: RESTService.Options(configuration, isClustered: assembly.isClustered),
            control: assembly.control, logger: logger)
        parts.withLock { $0 = Parts(assembly: assembly, database: database, http: http) }
        do throws(GraphError) {
            let port = try await listen(http)
            let host = configuration.value(Settings.webAddress) ?? ""
            warnWhenOpen(host)
            logger.info("HTTP listens", metadata: ["address": "\(host):\(port)"])
            try await listenSecurely(http)
            if let agentPort = configuration.value(Settings.agentCheckPort) {
                try await startAgentCheck(HostPort(host: host, port: agentPort), database, http)
            }
            try await assembly.httpIsListening(host, port)
        } catch {
            await stop()
            throw error
        }
    }

    private func listen(_ http: RESTService) async throws(GraphError) -> Int {
        do throws(GraphError) { return try await http.start() } catch {
            throw GraphError(error.code, "\(Settings.webAddress.name), \(Settings.webPort.name): \(error.message)")
        }
    }

    private func startAgentCheck(_ address: HostPort, _ database: Database, _ http: RESTService) async throws(GraphError) {
        let check = try await AgentCheck.start(on: address) { [weak database, weak http] in
            guard let database, let http else { return "down\n" }
            return AgentReport.line(database.status, isDraining: http.isDraining)
        }
        parts.withLock { $0?.agentCheck = check }
        logger.info("agent check listens", metadata: ["address": "\(address.host):\(check.port)"])
    }

    private func warnWhenOpen(_ host: String) {
        if ["127.0.0.1", "::1", "localhost"].contains(host) { return }
        logger.warning(
            "\(Settings.webAddress.name)=\(host): reachable from other machines, and nobody is asked for a password"
        )
    }

    /// Returns once the database serves.
    public func untilServing() async throws(GraphError) {
        guard let parts = parts.withLock({ $0 }) else { return }
        try await parts.assembly.untilServing()
        let settings = AutoIndexSettings(configuration)
        if settings.isEmpty || parts.database.options.isReadOnly { return }
        do throws(GraphError) { try await settings.apply(to: parts.database) } catch {
            // Alone nobody else can be the reason. In a cluster the master may be on its way.
            guard error.isRetryable, parts.assembly.isClustered else { throw error }
            logger.warning("automatic indexes stay as they are in the database until the next start: \(error.message)")
        }
    }

    /// Returns when the database cannot go on and the process should end; nil when it never says so.
    func untilFailure() async -> GraphError? {
        guard let parts = parts.withLock({ $0 }) else { return nil }
        return await parts.assembly.untilFailure()
    }

    func logStopping(_ signal: String) { logger.info("stopping", metadata: ["signal": "\(signal)"]) }

    /// `ready http://127.0.0.1:7474/ mode=SINGLE store=/var/lib/martlet/graph.db`: what scripts wait for.
    public var readyLine: String {
        let host = configuration.value(Settings.webAddress) ?? ""
        let bracketed = host.contains(":") ? "[\(host)]" : host
        let mode = (configuration.value(Settings.mode) ?? .single).rawValue
        return "ready http://\(bracketed):\(httpPort)/ mode=\(mode) store=\(configuration.path(Settings.location))"
    }

    // MARK: Stopping

    /// Drains, finishes what is under way, closes. Status says that this server is not available from the first moment
    /// on. Safe to call more than once.
    public func stop() async {
        let taken = parts.withLock { parts in
            defer { parts = nil }
            return parts
        }
        guard let taken else { return }
        taken.http.drain()
        if let delay = configuration.value(Settings.drainDelay), delay.rawValue > 0, taken.http.port != 0 {
            logger.info("draining", metadata: ["delay": "\(delay)"])
            try? await Task.sleep(nanoseconds: delay.rawValue * 1_000_000)
        }
        await attempt("handing over", taken.assembly.beforeListenerCloses)
        await taken.http.stop(limit: configuration.value(Settings.stopLimit) ?? 30_000)
        await taken.agentCheck?.close()
        await taken.database.close()
        await attempt("stopping", taken.assembly.afterClose)
        logger.info("stopped")
    }

    private func attempt(_ what: String, _ step: DatabaseAssembly.Step) async {
        do throws(GraphError) { try await step() } catch { logger.error("\(what): \(error.message)") }
    }
}

extension Database.Options {
    /// What the configuration says about running queries.
    public init(_ configuration: Configuration) {
        self.init()
        if let value = configuration.value(Settings.queryThreads) { queryThreadCount = value }
        if let value = configuration.value(Settings.queryNiceness) { queryNiceness = value }
        if let value = configuration.value(Settings.queryTimeout) { queryTimeout = value }
        if let value = configuration.value(Settings.queryMemory) { queryByteCountMaximum = Int(clamping: value) }
        if let value = configuration.value(Settings.dialect) { dialect = value.dialect }
        if let value = configuration.value(Settings.readOnly) { isReadOnly = value }
        if let value = configuration.value(Settings.lockTimeout) { lockTimeout = value }
        if let value = configuration.value(Settings.transactionLimit) { transactionByteCountMaximum = Int(clamping: value) }
        if let value = configuration.value(Settings.readTimeout) { bookmarkTimeout = value }
    }
}

extension RESTService.Options {
    init(_ configuration: Configuration, isClustered: Bool) {
        self.init()
        if let value = configuration.value(Settings.webAddress) { host = value }
        if let value = configuration.value(Settings.webPort) { port = value }
        if let value = configuration.value(Settings.bodyLimit) { bodyByteCountMaximum = Int(clamping: value) }
        if let value = configuration.value(Settings.transactionTimeout) { transactionTimeout = value }
        if let value = configuration.value(Settings.wadl) { generatesWADL = value }
        if let allowed = configuration.value(Settings.documentSources), !allowed.isEmpty {
            let documents = ScriptDocuments(allowed: allowed)
            loadDocument = { address throws(GraphError) in try await documents.load(address) }
        }
        self.configuration = configuration.attributes
        self.isClustered = isClustered
    }
}
