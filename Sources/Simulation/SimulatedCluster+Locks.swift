internal import FileSystem
internal import GraphModel
internal import Replication
internal import Storage

/// The lock of the counter, as one client's transaction has it at its member.
struct CounterLock {
    /// Identifies the transaction at the master; 0: it has no explicit lock.
    let number: UInt64
    /// Holds it on the member.
    let session: LockSession
    /// Whether the cluster knows locks of others: in its first moments it speaks the version before.
    var holdsEverywhere = false
}

/// Clients that increment the counter under an explicit lock: whoever holds it sees nobody else change the counter,
/// whatever happens to members and messages.
extension SimulatedCluster {
    /// Longest wait for the lock.
    private static let lockTimeout: Milliseconds = 2000

    func lockCounter(_ client: SimulatedClient, _ node: SimulatedNode) {
        guard let engine = node.engine, let store = engine.store else { return }
        let session = store.locks.makeSession(.suspending, timeout: .init(.max))
        // Those of one member take turns elsewhere in the real world.
        do throws(GraphError) { try session.acquireExplicitly(LockTable.Key(NodeID(0)), .exclusive) } catch {
            return session.release()
        }
        let lock = CounterLock(
            number: random.next() | 1, session: session, holdsEverywhere: engine.core.clusterVersion >= 2)
        client.lock = lock
        client.pendingNode = node.index
        client.pendingIncarnation = node.incarnation
        let (answers, index, operation) = (answers, client.index, client.operation)
        engine.lock(
            .node(NodeID(0)), .exclusive, session: lock.number, isFirst: true, timeout: Self.lockTimeout, now: node.now
        ) { error in
            answers.give(.init(client: index, operation: operation, outcome: error.map { .notApplied($0.message) } ?? .locked))
        }
        settle(node)
    }

    /// The lock is held: the snapshot of now has what its last holder did.
    func incrementUnderLock(_ client: SimulatedClient, _ node: SimulatedNode) {
        guard let lock = client.lock, let engine = node.engine, let store = engine.store else {
            return finish(client, .notApplied("the member is gone"))
        }
        let transaction = store.beginWrite(engine.reserve)
        let writeSet: [UInt8]
        do throws(GraphError) {
            try increment(transaction)
            writeSet = try transaction.finish()
        } catch {
            return finish(client, .notApplied(error.message))
        }
        let (answers, index, operation) = (answers, client.index, client.operation)
        engine.commit(writeSet, lockSession: lock.number, now: node.now) { result in
            let outcome: SimulatedClient.Outcome =
                switch result {
                case .success(let transactionID): .committed(transactionID)
                case .failure(let error):
                    switch error.code {
                    case .outcomeUnknown: .unknown
                    case .conflict where lock.holdsEverywhere: .overtaken(error.message)
                    default: .notApplied(error.message)
                    }
                }
            answers.give(.init(client: index, operation: operation, outcome: outcome))
        }
        settle(node)
    }

    func releaseLock(of client: SimulatedClient) {
        guard let lock = client.lock else { return }
        client.lock = nil
        lock.session.release()
        guard lock.number != 0, let index = client.pendingNode else { return }
        let node = nodes[index]
        guard node.incarnation == client.pendingIncarnation, let engine = node.engine else { return }
        engine.unlock(session: lock.number, now: node.now)
        settle(node)
    }

    /// Lets everything that runs come to an end, without new requests, and says which locks are left over.
    package func leftoverLocks() -> String? {
        isSilent = true
        runUntil(now + 8_000_000_000)
        for node in members {
            guard let engine = node.engine, let store = engine.store else { continue }
            if engine.lockHolderCount > 0 || !store.locks.isEmpty || store.locks.hasExplicitLocks {
                return "member \(node.index + 1) still holds locks of \(engine.lockHolderCount) transactions, \(store.locks.statistics.lockedCount) in all"
            }
        }
        return nil
    }

    package var lockedIncrementCount: Int { clients.reduce(0) { $0 + $1.lockedIncrements } }
}
