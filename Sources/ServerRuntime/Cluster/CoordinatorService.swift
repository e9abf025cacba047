public import GraphModel
public import Logging
internal import Coordination
internal import FileSystem
internal import NIOCore
internal import NIOPosix
internal import Replication
internal import Transport

/// A coordinator with its listener: inside a member, or alone as an arbiter (`martlet coordinator`).
public final class CoordinatorService: Sendable {
    /// The address by which the cluster knows it.
    public let address: String
    let network: ProcessNetwork
    private let tcp: TCPNetwork
    private let node: CoordinatorNode

    /// Opens the state file beside the store and listens at `ha.coordinator`.
    public static func start(
        _ configuration: Configuration, logger: Logger, onFailure: @escaping @Sendable (GraphError) -> Void
    ) async throws(GraphError) -> CoordinatorService {
        if configuration.value(Settings.coordination) == .etcd {
            throw GraphError(
                .configuration, "\(Settings.coordination.name)=etcd: then etcd coordinates, and no coordinator of Martlet's own runs")
        }
        let (address, hostPort) = try configuration.requiredAddress(Settings.coordinator)
        let coordinators = try configuration.required(
            Settings.coordinators, because: "it names all coordinators of the cluster")
        guard coordinators.contains(address) else {
            throw GraphError(
                .configuration,
                "\(Settings.coordinator.name)=\(address) is not among \(Settings.coordinators.name)=\(coordinators.joined(separator: ","))")
        }
        let tcp = TCPNetwork(
            ownAddress: address, security: try PeerSecurity.configured(configuration), group: MultiThreadedEventLoopGroup.singleton)
        let network = ProcessNetwork(tcp)
        let node: CoordinatorNode
        do throws(GraphError) {
            node = try CoordinatorNode(
                address: address, coordinators: coordinators, statePath: configuration.path(Settings.location) + ".coordinator",
                network: network, note: { logger.note($0, $1) }, onFailure: onFailure)
        } catch {
            throw GraphError(error.code, "\(Settings.coordinator.name): \(error.message)")
        }
        tcp.setHandlers(
            .init(
                received: { frame, _ in node.receive(frame) }, linkDown: { _ in },
                refused: { logger.warning("\($0)") }))
        let service = CoordinatorService(address, network, tcp, node)
        do throws(GraphError) { _ = try await tcp.listen(on: hostPort) } catch {
            await service.close()
            throw GraphError(.configuration, "\(Settings.coordinator.name): \(error.message)")
        }
        logger.info("coordinator listens", metadata: ["address": "\(address)", "coordinators": "\(coordinators.count)"])
        return service
    }

    private init(_ address: String, _ network: ProcessNetwork, _ tcp: TCPNetwork, _ node: CoordinatorNode) {
        self.address = address
        self.network = network
        self.tcp = tcp
        self.node = node
    }

    /// Takes a frame from within the process.
    func receive(_ frame: [UInt8]) { node.receive(frame) }

    public func close() async {
        await tcp.close()
        node.close()
    }
}
