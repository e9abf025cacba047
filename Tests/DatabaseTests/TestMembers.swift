import Coordination
import Database
import FileSystem
import GraphModel
import Replication
import Storage
import Synchronization
import TestSupport

/// A cluster of real members in this process, each with its threads and its disk; frames go from one to the other
/// directly. Connections can be cut.
final class TestMembers: Sendable {
    final class Member: Sendable {
        let id: MemberID
        let address: String
        let member: ClusterMember
        let database: Database

        init(
            _ number: UInt32, _ directory: String, _ exchange: Exchange, _ configure: (inout ReplicationOptions) -> Void
        ) throws {
            id = MemberID(number)
            address = "member\(number)"
            var options = ReplicationOptions(
                member: .init(id: id, address: address, protocolVersion: UInt16(ReplicationMessage.protocolVersion)),
                clusterName: "test")
            options.foundingDelay = 200
            options.syncTimeout = 3000
            configure(&options)
            let (wanted, failures) = (address, exchange.failures)
            member = try ClusterMember(
                .init(replication: options, coordinators: [Exchange.coordinator], directory: "\(directory)/\(number)"),
                network: Endpoint(exchange: exchange, address: address), copier: Copier(exchange: exchange),
                note: { _, _ in }, onFailure: { failures.note("\(wanted): \($0)") })
            var databaseOptions = Database.Options()
            databaseOptions.queryThreadCount = 2
            databaseOptions.retryTimeout = 60_000
            database = Database(member, options: databaseOptions)
        }
    }

    /// Where all frames pass.
    final class Exchange: Sendable {
        static let coordinator = "coordinator"
        private struct State {
            var receivers: [String: Receiver] = [:]
            var members: [String: Member] = [:]
            var cut: Set<String> = []
            /// Who waits for the next frame, whichever it is.
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        private struct Receiver { let receive: @Sendable ([UInt8]) -> Void }
        private let state = Mutex(State())
        let failures = Notes()

        func attach(_ address: String, _ receive: @escaping @Sendable ([UInt8]) -> Void) {
            state.withLock { $0.receivers[address] = Receiver(receive: receive) }
        }
        func add(_ member: Member) {
            state.withLock { $0.members[member.address] = member }
            attach(member.address) { member.member.receive($0) }
        }
        func member(_ address: String) -> Member? { state.withLock { $0.members[address] } }
        func send(_ frame: [UInt8], from source: String, to address: String) {
            let (receiver, waiting) = state.withLock { state -> (Receiver?, [CheckedContinuation<Void, Never>]) in
                defer { state.waiting = [] }
                let isCut = state.cut.contains(source) || state.cut.contains(address)
                return (isCut ? nil : state.receivers[address], state.waiting)
            }
            receiver?.receive(frame)
            for continuation in waiting { continuation.resume() }
        }
        func nextFrame() async {
            await withCheckedContinuation { continuation in state.withLock { $0.waiting.append(continuation) } }
        }
        func cut(_ address: String) { _ = state.withLock { $0.cut.insert(address) } }
        func clear() {
            let waiting = state.withLock { state in
                defer { state = State() }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    private struct Endpoint: FrameNetwork {
        let exchange: Exchange
        let address: String
        func send(_ frame: [UInt8], to target: String) { exchange.send(frame, from: address, to: target) }
    }

    private struct Copier: StoreCopier {
        let exchange: Exchange

        func copyStore(
            of member: ClusterRegister.Member, storeID: StoreID, into directory: String, progress: (UInt64) -> Void
        ) throws(GraphError) {
            guard let store = try exchange.member(member.address)?.member.readableStore() else {
                throw GraphError(.network, "\(member.address) is not there")
            }
            let copy = store.beginCopy()
            let target = try StoreCopyTarget(directory: directory, manifest: copy.manifest)
            for (index, file) in copy.files.enumerated() {
                try target.write(file.name, try copy.read(index, from: 0, maximumByteCount: Int(file.byteCount)))
            }
            var position = copy.basePosition.transactionID
            while let records = try? copy.records(after: position, maximumByteCount: 1 << 20), let last = records.last {
                try target.append(records)
                position = last.position.transactionID
            }
            _ = try target.finish()
        }
    }

    private let directory: TemporaryDirectory
    private let exchange = Exchange()
    private let coordinator: CoordinatorNode
    let all: [Member]

    init(_ count: UInt32 = 3, _ configure: (inout ReplicationOptions) -> Void = { _ in }) async throws {
        directory = try TemporaryDirectory()
        let (directory, exchange) = (directory.path, exchange)
        coordinator = try CoordinatorNode(
            address: Exchange.coordinator, coordinators: [Exchange.coordinator], statePath: "\(directory)/coordinator",
            network: Endpoint(exchange: exchange, address: Exchange.coordinator),
            onFailure: { exchange.failures.note("coordinator: \($0)") })
        let coordinator = coordinator
        exchange.attach(Exchange.coordinator) { coordinator.receive($0) }
        all = try (1...count).map { try Member($0, directory, exchange, configure) }
        for member in all { exchange.add(member) }
        for member in all { try member.member.start(httpAddress: "", backupAddress: "") }
        await until {
            let statuses = self.all.map(\.database.status)
            return statuses.allSatisfy { $0.syncSet.count == Int(count) && $0.clusterVersion ?? 1 >= 2 && $0.isReadable }
                && statuses.contains { $0.isWritableMaster }
        }
    }

    /// Looks again with every frame until something holds: members that live say something every few moments. The test's
    /// time limit ends it.
    func until(_ holds: @Sendable () -> Bool) async {
        while !holds() { await exchange.nextFrame() }
    }

    var master: Member? { all.first { $0.database.status.isWritableMaster } }
    /// All but the present master, in the order of their ids: on a busy machine one may not follow it for a moment.
    var slaves: [Member] {
        let master = master
        return all.filter { $0 !== master }
    }
    var failures: [String] { exchange.failures.all }

    /// Ends a member as if its process were killed: the others see its connections break.
    func kill(_ member: Member) async {
        exchange.cut(member.address)
        for other in all where other !== member { other.member.linkDown(member.address) }
        await member.member.close()
    }

    /// What a member says, and what is said to it, gets lost from now on.
    func cut(_ member: Member) { exchange.cut(member.address) }

    /// Breaks the connections of a member for a moment.
    func breakConnections(of member: Member) {
        for other in all where other !== member {
            other.member.linkDown(member.address)
            member.member.linkDown(other.address)
        }
    }

    func close() async {
        for member in all { await member.database.close() }
        coordinator.close()
        exchange.clear()
    }
}
