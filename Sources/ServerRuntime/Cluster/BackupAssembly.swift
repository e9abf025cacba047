internal import Backup
internal import Coordination
internal import Database
internal import FileSystem
internal import GraphModel
internal import Logging
internal import NIOPosix
internal import Replication
internal import Storage
internal import Transport

/// Store copies for a member that is new or too far behind: the same stream as a full backup.
struct BackupStoreCopier: StoreCopier {
    let clusterName: String
    let security: TLSClient?
    let logger: Logger

    func copyStore(
        of member: ClusterRegister.Member, storeID: StoreID, into directory: String, progress: (UInt64) -> Void
    ) throws(GraphError) {
        guard let source = HostPort(member.backupAddress) else {
            throw GraphError(.network, "member \(member.id.rawValue) has not said where it serves store copies")
        }
        let began = monotonicNanoseconds()
        var reported = began
        var received: UInt64 = 0
        var options = BackupClient.Options(clusterName: clusterName, storeID: storeID)
        options.security = security
        // The member takes away little by little what is left of it.
        options.keepsUnfinished = true
        try BackupClient.copyStoreBlocking(from: source, into: directory, options: options) { done, total in
            received = done
            progress(done)
            let now = monotonicNanoseconds()
            guard now - reported > 5_000_000_000 else { return }
            reported = now
            logger.info("store copy: \(done >> 20) of \(total >> 20) MiB")
        }
        let milliseconds = (monotonicNanoseconds() - began) / 1_000_000
        logger.info("store copy: \(received) bytes in \(milliseconds) ms from \(source)")
    }
}

/// The backup service of a server, in either mode.
struct BackupAssembly: Sendable {
    private let service: BackupService
    /// Where it listens.
    let address: String

    /// Nil when `online_backup_enabled` is false.
    static func start(
        _ configuration: Configuration, clusterName: String?, pipeline: any CommitPipeline, _ logger: Logger
    ) async throws(GraphError) -> BackupAssembly? {
        guard configuration.value(Settings.backupEnabled) ?? true else { return nil }
        var options = BackupService.Options()
        options.security = try PeerSecurity.configured(configuration)?.server
        if let value = configuration.value(Settings.copyRate) { options.copyByteCountPerSecond = value }
        let service = BackupService(
            clusterName: clusterName, options: options, group: MultiThreadedEventLoopGroup.singleton,
            store: { () throws(GraphError) -> Store in try pipeline.readableStore() },
            member: {
                let status = pipeline.status
                let role: BackupRole =
                    switch status.role {
                    case .master: .master
                    case .slave: .slave
                    case .pending: .pending
                    }
                return .init(role: role, lagTransactions: status.lagTransactions, lag: status.lag)
            })
        // Backups are asked for where replication is, so by the same address of the machine.
        let host =
            configuration.value(Settings.haServer).flatMap { HostPort($0)?.host }
            ?? configuration.value(Settings.webAddress) ?? "127.0.0.1"
        let wanted = HostPort(host: host, port: configuration.value(Settings.backupPort) ?? 6362)
        do throws(GraphError) {
            let address = try await service.start(on: wanted)
            logger.info("backup service listens", metadata: ["address": "\(address)"])
            return BackupAssembly(service: service, address: address.description)
        } catch {
            throw GraphError(error.code, "\(Settings.backupPort.name)=\(wanted.port): \(error.message)")
        }
    }

    func close() async { await service.close() }
}
