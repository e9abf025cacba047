public import GraphModel
public import Transport

/// Backups of a running database from a Swift program (manual, 23.2):
///
/// ```swift
/// let backup = try OnlineBackup.from("localhost")
/// try await backup.full("/backups/graph")
/// try await backup.incremental("/backups/graph")
/// ```
///
/// What `martlet backup` does, with its rules; more options are those of ``BackupTool``.
public struct OnlineBackup: Sendable {
    private let source: BackupSource
    /// `ha.cluster_name` where it is not the default; only of a cluster.
    public var clusterName: String?
    /// For members with `ha.tls=true`.
    public var security: TLSClient?

    /// A database that stands alone, by its host and `online_backup_port`.
    public static func from(_ host: String, port: Int = BackupSource.defaultPort) throws(GraphError) -> OnlineBackup {
        try OnlineBackup(uri: "single://\(host.contains(":") ? "[\(host)]" : host):\(port)")
    }

    /// `single://host[:port]` or `ha://host[:port],host[:port]`. Throws `.configuration` for anything else.
    public init(uri: String) throws(GraphError) { source = try BackupSource(uri) }

    /// Copies the database into a directory that must be empty or not exist. Throws as
    /// ``BackupTool/run(_:fileSystem:report:)`` does.
    @discardableResult
    public func full(_ directory: String) async throws(GraphError) -> BackupTool.Summary {
        try await run(.full, directory)
    }

    /// Adds to the backup in a directory what was committed since.
    @discardableResult
    public func incremental(_ directory: String) async throws(GraphError) -> BackupTool.Summary {
        try await run(.incremental, directory)
    }

    private func run(_ kind: BackupTool.Kind, _ directory: String) async throws(GraphError) -> BackupTool.Summary {
        var options = BackupTool.Options(source: source, directory: directory, kind: kind)
        options.clusterName = clusterName
        options.security = security
        return try await BackupClient.onThread { [options] () throws(GraphError) in try BackupTool.run(options) }
    }
}
