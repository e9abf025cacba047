import Database
import FileSystem
import GraphModel
import Logging
import RESTServer
import Storage
import Synchronization

/// A server over a store in memory, alone.
func withServer(
    _ options: RESTService.Options = RESTService.Options(), _ body: (HTTPClient) async throws -> Void
) async throws {
    try await withServer(try SingleDatabase(try storeInMemory()), options, body)
}

func storeInMemory() throws -> Store {
    var options = Store.Options()
    // The simulated disk copies what is preallocated.
    options.logPreallocationByteCount = 64 << 10
    return try Store.open("/store", fileSystem: CrashableFileSystem(), options: options)
}

/// A server over any pipeline.
func withServer(
    _ pipeline: any CommitPipeline, _ options: RESTService.Options = RESTService.Options(),
    control: (any ClusterControl)? = nil, _ body: (HTTPClient) async throws -> Void
) async throws {
    try await withService(pipeline, options, control: control) { client, _ in try await body(client) }
}

func withService(
    _ pipeline: any CommitPipeline, _ options: RESTService.Options = RESTService.Options(),
    control: (any ClusterControl)? = nil, _ body: (HTTPClient, RESTService) async throws -> Void
) async throws {
    var options = options
    options.port = 0
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let database = Database(pipeline)
    let service = RESTService(database, options: options, control: control, logger: logger)
    let port = try await service.start()
    var failure: (any Error)?
    do { try await body(HTTPClient(port: port), service) } catch { failure = error }
    await service.stop(limit: 5000)
    await database.close()
    if let failure { throw failure }
}

/// A pipeline that says and does what a test wants.
final class FakePipeline: CommitPipeline {
    private struct State {
        var status: DatabaseStatus
        var commitFailure: GraphError?
        var isLinearizable = true
        var waitsAnswer = true
    }
    private let state: Mutex<State>
    private let inner: SingleDatabase?

    /// With a store, reads and writes work unless told otherwise.
    init(_ status: DatabaseStatus, hasStore: Bool = true) throws {
        state = Mutex(State(status: status))
        inner = hasStore ? try SingleDatabase(try storeInMemory()) : nil
    }

    func set(_ change: (inout DatabaseStatus) -> Void) { state.withLock { change(&$0.status) } }
    func failCommits(_ error: GraphError?) { state.withLock { $0.commitFailure = error } }
    func setLinearizable(_ value: Bool) { state.withLock { $0.isLinearizable = value } }
    func setWaitsAnswer(_ value: Bool) { state.withLock { $0.waitsAnswer = value } }

    func readableStore() throws(GraphError) -> Store {
        guard let inner, state.withLock({ $0.status.isReadable }) else {
            throw GraphError(.unavailable, "the store is being copied")
        }
        return try inner.readableStore()
    }

    var reserve: IDReserve { inner?.reserve ?? IDReserve() }

    func commit(_ writeSet: [UInt8], done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void) {
        if let error = state.withLock({ $0.commitFailure }) { return done(.failure(error)) }
        guard let inner else { return done(.failure(GraphError(.noMaster, "there is no master"))) }
        inner.commit(writeSet, done: done)
    }

    func reserveIDs(nodes: Int, relationships: Int, done: @escaping @Sendable (GraphError?) -> Void) {
        guard let inner else { return done(GraphError(.noMaster, "there is no master")) }
        inner.reserveIDs(nodes: nodes, relationships: relationships, done: done)
    }

    func waitUntilApplied(
        _ transactionID: TransactionID, timeout: Milliseconds, done: @escaping @Sendable (Bool) -> Void
    ) { done(state.withLock { $0.waitsAnswer }) }

    func mayAcknowledge() -> Bool { true }
    func requireLinearizable() throws(GraphError) {
        if !state.withLock({ $0.isLinearizable }) {
            throw GraphError(.noMaster, "only the master, under its lease, answers a linearizable read")
        }
    }

    var status: DatabaseStatus { state.withLock { $0.status } }

    func close() async { await inner?.close() }
}

/// A master of three, as its own status tells it.
func masterStatus() -> DatabaseStatus {
    var status = DatabaseStatus(mode: .ha, role: .master)
    status.isWritableMaster = true
    status.isReadable = true
    status.serverID = MemberID(1)
    status.masterID = MemberID(1)
    status.clusterName = "test"
    status.epoch = Epoch(7)
    status.storeID = StoreID(0xABC)
    status.syncSet = [MemberID(1), MemberID(2)]
    status.members = [
        DatabaseStatus.Member(
            id: MemberID(2), address: "127.0.0.1:6002", httpAddress: "127.0.0.1:7475", backupAddress: "", isSlaveOnly: false,
            isInSyncSet: true, role: .slave, acknowledged: TransactionID(41), silence: 12, protocolVersion: 3)
    ]
    return status
}

func slaveStatus() -> DatabaseStatus {
    var status = masterStatus()
    status.role = .slave
    status.isWritableMaster = false
    status.serverID = MemberID(2)
    return status
}
