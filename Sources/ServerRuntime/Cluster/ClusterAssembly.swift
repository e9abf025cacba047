internal import Coordination
internal import Database
internal import FileSystem
internal import GraphModel
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import RESTServer
internal import Replication
internal import Storage
internal import Transport

extension DatabaseFactories {
    /// A member of a cluster, with the coordinator and the backup service that its configuration asks for.
    public static let clustered: DatabaseFactory = { configuration, logger throws(GraphError) in
        let (failures, failed) = AsyncStream.makeStream(of: GraphError.self)
        let onFailure: @Sendable (GraphError) -> Void = { error in
            logger.critical("this member cannot go on: \(error.message)")
            failed.yield(error)
        }
        let coordinator =
            configuration.value(Settings.coordinator) == nil || configuration.value(Settings.coordination) == .etcd
            ? nil : try await CoordinatorService.start(configuration, logger: logger, onFailure: onFailure)
        let parts: ClusterParts
        do throws(GraphError) {
            parts = try await ClusterParts.start(configuration, coordinator, logger, onFailure: onFailure)
        } catch {
            await coordinator?.close()
            throw error
        }
        var assembly = DatabaseAssembly(parts.member, isClustered: true)
        assembly.control = MemberControl(
            member: parts.member, location: configuration.path(Settings.location),
            readTimeout: configuration.value(Settings.readTimeout) ?? 20_000)
        assembly.httpIsListening = { host, port throws(GraphError) in
            try parts.member.start(
                httpAddress: HostPort(host: host, port: port).description, backupAddress: parts.backup.address)
        }
        assembly.untilServing = { await parts.member.untilServing() }
        assembly.untilFailure = {
            for await error in failures { return error }
            return nil
        }
        assembly.beforeListenerCloses = { await parts.member.handOver() }
        assembly.afterClose = {
            await parts.close()
            await coordinator?.close()
        }
        return assembly
    }
}

/// What operators ask over HTTP, handed to the member.
private struct MemberControl: ClusterControl {
    let member: ClusterMember
    let location: String
    let readTimeout: Milliseconds

    func switchMaster(to target: MemberID?) async throws(GraphError) -> MemberID {
        try await member.switchMaster(to: target)
    }

    func removeMember(_ target: MemberID) async throws(GraphError) { try await member.removeMember(target) }

    func pullUpdates() async throws(GraphError) { try await member.pullUpdates(timeout: readTimeout) }

    func compareGraphs() async throws(GraphError) -> TransactionID { try await member.compareGraphs() }

    func untilCompared() async { await member.untilCompared(limit: 10_000) }

    func branchedStores() throws(GraphError) -> [BranchedStore] { try BranchedStore.list(beside: location) }
}

/// What a member consists of beside its coordinator.
private struct ClusterParts: Sendable {
    let member: ClusterMember
    let tcp: TCPNetwork
    let backup: BackupAssembly
    let etcd: EtcdCoordinator?

    static func start(
        _ configuration: Configuration, _ coordinator: CoordinatorService?, _ logger: Logger,
        onFailure: @escaping @Sendable (GraphError) -> Void
    ) async throws(GraphError) -> ClusterParts {
        let (address, hostPort) = try configuration.requiredAddress(Settings.haServer)
        let clusterName = configuration.value(Settings.clusterName) ?? "martlet.ha"
        let etcd =
            configuration.value(Settings.coordination) == .etcd
            ? try await EtcdCoordinator.make(configuration, clusterName: clusterName, logger) : nil
        let coordinators =
            etcd == nil
            ? try configuration.required(Settings.coordinators, because: "it names all coordinators of the cluster")
            : [EtcdCoordinator.address]
        let security = try PeerSecurity.configured(configuration)
        let tcp = TCPNetwork(ownAddress: address, security: security, group: MultiThreadedEventLoopGroup.singleton)
        let network = ProcessNetwork(tcp)
        if let coordinator { network.setLocal(coordinator.address) { coordinator.receive($0) } }
        if let etcd { network.setLocal(EtcdCoordinator.address) { etcd.receive($0) } }
        let member = try ClusterMember(
            memberConfiguration(configuration, address, coordinators, clusterName), network: network,
            copier: BackupStoreCopier(clusterName: clusterName, security: security?.client, logger: logger),
            note: { logger.note($0, $1) }, onFailure: onFailure)
        coordinator?.network.setLocal(address) { member.receive($0) }
        etcd?.setReceiver { member.receive($0) }
        tcp.setHandlers(
            .init(
                received: { frame, _ in member.receive(frame) }, linkDown: { member.linkDown($0) },
                connectionRefused: { member.connectionRefused($0) },
                refused: { logger.warning("\($0)") }))
        do {
            _ = try await tcp.listen(on: hostPort)
            guard
                let backup = try await BackupAssembly.start(
                    configuration, clusterName: clusterName, pipeline: member, logger)
            else {
                throw GraphError(
                    .configuration,
                    "\(Settings.backupEnabled.name)=false: a member of a cluster must serve store copies; set it to true")
            }
            return ClusterParts(member: member, tcp: tcp, backup: backup, etcd: etcd)
        } catch {
            await etcd?.close()
            await tcp.close()
            await member.close()
            throw error as? GraphError ?? GraphError(.configuration, "\(Settings.haServer.name)=\(address): \(error)")
        }
    }

    private static func memberConfiguration(
        _ configuration: Configuration, _ address: String, _ coordinators: [String], _ clusterName: String
    ) throws(GraphError) -> ClusterMember.Configuration {
        let options = try ReplicationOptions(configuration, address: address, clusterName: clusterName)
        return ClusterMember.Configuration(
            replication: options, coordinators: coordinators, directory: configuration.path(Settings.location),
            storeOptions: Store.Options(configuration))
    }

    func close() async {
        await backup.close()
        await etcd?.close()
        await tcp.close()
    }
}
