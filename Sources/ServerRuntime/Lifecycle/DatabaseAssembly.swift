public import Database
public import GraphModel
public import Logging
public import RESTServer
public import Storage

/// What a mode brings to a server: where commits go, and its steps in the server's life. Everything but the pipeline
/// may be left out.
public struct DatabaseAssembly: Sendable {
    public typealias Step = @Sendable () async throws(GraphError) -> Void

    public var pipeline: any CommitPipeline
    /// Whether answers carry this member's role and epoch.
    public var isClustered: Bool
    /// What operators can ask of the cluster.
    public var control: (any ClusterControl)?
    /// The HTTP server listens at this host and port: a cluster tells its members. It answers already, with what the
    /// pipeline's status says.
    public var httpIsListening: @Sendable (_ host: String, _ port: Int) async throws(GraphError) -> Void = { _, _ in }
    /// Returns once the database serves; the `ready` line waits for it.
    public var untilServing: Step = {}
    /// Returns an error when this member must not go on, a failed sync for instance: the process ends with code 1. Nil
    /// when it never says so.
    public var untilFailure: @Sendable () async -> GraphError? = { nil }
    /// The server drains but still answers: a master hands over, so that writes under way find the new one.
    public var beforeListenerCloses: Step = {}
    /// After the pipeline is closed: the rest of what the factory started.
    public var afterClose: Step = {}

    public init(_ pipeline: any CommitPipeline, isClustered: Bool = false) {
        self.pipeline = pipeline
        self.isClustered = isClustered
    }
}

/// Opens what a configuration names. Throws with the key that has to change.
public typealias DatabaseFactory =
    @Sendable (_ configuration: Configuration, _ logger: Logger) async throws(GraphError) -> DatabaseAssembly

/// The factories by mode.
public enum DatabaseFactories {
    /// The one that `org.neo4j.server.database.mode` names.
    public static let configured: DatabaseFactory = { configuration, logger throws(GraphError) in
        switch configuration.value(Settings.mode) ?? .single {
        case .single: return try await single(configuration, logger)
        case .ha:
            return try await clustered(configuration, logger)
        }
    }

    /// A database that stands alone.
    public static let single: DatabaseFactory = { configuration, logger throws(GraphError) in
        var options = Store.Options(configuration)
        options.isReadOnly = configuration.value(Settings.readOnly) ?? false
        let store = try openStore(configuration, options, logger)
        var assembly = DatabaseAssembly(try SingleDatabase(store))
        let pipeline = assembly.pipeline
        let backup: BackupAssembly?
        do throws(GraphError) {
            backup = try await BackupAssembly.start(configuration, clusterName: nil, pipeline: pipeline, logger)
        } catch {
            await pipeline.close()
            throw error
        }
        guard let backup else { return assembly }
        // Whoever is in the middle of a backup holds the store: it ends before the store closes.
        assembly.beforeListenerCloses = { await backup.close() }
        return assembly
    }
}

extension Store.Options {
    /// What the configuration says about the store, whatever the mode.
    public init(_ configuration: Configuration) {
        self.init()
        if let value = configuration.value(Settings.checkpointThreshold) { checkpointByteCount = Int(clamping: value) }
        if let value = configuration.value(Settings.logRotation) { logRotationByteCount = value }
        if let value = configuration.value(Settings.logRetention) { logRetention = value }
    }
}

/// Opens the store at the configured place and logs what opening found.
public func openStore(
    _ configuration: Configuration, _ options: Store.Options, _ logger: Logger
) throws(GraphError) -> Store {
    let directory = configuration.path(Settings.location)
    let store: Store
    do throws(GraphError) {
        store = try Store.open(directory, options: options)
    } catch {
        throw GraphError(error.code, "\(Settings.location.name)=\(directory): \(error.message)")
    }
    if let note = store.recoveryNote { logger.warning("\(note)") }
    logger.info(
        "store open",
        metadata: [
            "directory": "\(directory)", "store_id": "\(store.storeID)",
            "tx": "\(store.applied.transactionID.rawValue)",
            "nodes": "\(store.nodeCount)", "relationships": "\(store.relationshipCount)",
        ])
    return store
}
