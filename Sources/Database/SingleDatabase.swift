internal import FileSystem
public import GraphModel
public import Storage
internal import Synchronization

/// The pipeline of a database that stands alone: its own master, acknowledged once its own disk has it.
public final class SingleDatabase: CommitPipeline {
    private let store: Store
    private let committer: LocalCommitter
    private let checkpointer: Checkpointer
    private let schemaKeeper = SchemaKeeper()
    private let isClosed = Atomic<Bool>(false)

    public init(_ store: Store) throws(GraphError) {
        self.store = store
        committer = try LocalCommitter(store)
        checkpointer = Checkpointer()
        checkpointer.start { store }
        let committer = committer
        schemaKeeper.start({ store }, mayCommit: { !store.options.isReadOnly }) { writeSet, done in
            do throws(GraphError) {
                try committer.commit(writeSet) { id, failure in done(failure.map { .failure($0) } ?? .success(id)) }
            } catch {
                done(.failure(error))
            }
        }
    }

    public func readableStore() throws(GraphError) -> Store {
        if isClosed.load(ordering: .relaxed) { throw GraphError(.unavailable, "the database is closed") }
        return store
    }

    public var reserve: IDReserve { committer.reserve }

    public func commit(_ writeSet: [UInt8], done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void) {
        if isClosed.load(ordering: .relaxed) {
            return done(.failure(GraphError(.unavailable, "the database is closed")))
        }
        do throws(GraphError) {
            try committer.commit(writeSet) { transactionID, failure in
                done(failure.map { .failure($0) } ?? .success(transactionID))
            }
        } catch {
            done(.failure(error))
        }
    }

    public func commitAndWait(_ writeSet: [UInt8]) throws(GraphError) -> TransactionID {
        if isClosed.load(ordering: .relaxed) { throw GraphError(.unavailable, "the database is closed") }
        return try committer.commitAndWait(writeSet: writeSet)
    }

    public func reserveIDs(nodes: Int, relationships: Int, done: @escaping @Sendable (GraphError?) -> Void) {
        committer.reserveIDs(nodes: nodes, relationships: relationships)
        done(nil)
    }

    public func waitUntilApplied(
        _ transactionID: TransactionID, timeout: Milliseconds, done: @escaping @Sendable (Bool) -> Void
    ) {
        // A commit is answered once it is readable, so a client's later bookmark is from elsewhere; but who loses a
        // conflict may be waiting for a commit that is on its way to the disk.
        committer.whenApplied(transactionID, done: done)
    }

    public func mayAcknowledge() -> Bool { true }
    public func requireLinearizable() {}

    public var status: DatabaseStatus {
        var status = DatabaseStatus(mode: .single, role: .master)
        let failure = store.failure
        status.isReadable = !isClosed.load(ordering: .relaxed)
        status.isWritableMaster = status.isReadable && failure == nil && !store.options.isReadOnly
        status.storeID = store.storeID
        status.last = store.last
        status.applied = store.applied
        status.problem = failure?.message ?? (store.options.isReadOnly ? "the store is open read-only (read_only=true)" : nil)
        return status
    }

    public func close() async { closeBlocking() }

    public func closeBlocking() {
        guard !isClosed.exchange(true, ordering: .sequentiallyConsistent) else { return }
        schemaKeeper.stop()
        checkpointer.stop()
        store.close()
    }
}
