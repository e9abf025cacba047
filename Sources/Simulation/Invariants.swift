import GraphModel
import Replication
import Storage

/// The invariants of `docs/cluster.md`, checked after every event at the node where it happened.
struct Invariants {
    private struct Seen {
        var masterEpoch: Epoch?
        var applied = TransactionID.zero
        var isKnown = false
    }
    /// What each machine promised on its disk; outlives its crashes.
    private var promised: [Int: Epoch] = [:]

    private var masters: [Epoch: MemberID] = [:]
    /// Checksum of every transaction that any member made readable.
    private var applied: [UInt64: UInt64] = [:]
    private var graphChecksums: [UInt64: GraphChecksum] = [:]
    private var committedRequests: [UInt64: [RequestID: TransactionID]] = [:]
    private var acknowledged: [UInt64: UInt64] = [:]
    private(set) var highestAcknowledged = TransactionID.zero
    private var highestCommittedEpoch = Epoch.zero
    private var seen: [Int: Seen] = [:]

    mutating func forget(_ node: SimulatedNode, disk: Bool = false) {
        seen[node.index] = nil
        if disk { promised[node.index] = nil }
    }

    /// A client was told that its transaction is committed.
    mutating func acknowledge(
        _ transactionID: TransactionID, by node: SimulatedNode, _ cluster: SimulatedCluster
    ) -> String? {
        // Optimistic commits are not promised to outlive their master.
        if cluster.schedule.commitMode == .optimistic { return nil }
        if let epoch = node.engine?.core.masterEpoch, epoch < highestCommittedEpoch {
            return "6: member \(node.memberID?.rawValue ?? 0) acknowledged \(transactionID) as master of \(epoch) after \(highestCommittedEpoch) had committed"
        }
        guard let store = node.engine?.store, let position = store.knownPosition(of: transactionID) else { return nil }
        if let known = acknowledged[transactionID.rawValue], known != position.checksum {
            return "2: \(transactionID) was acknowledged with two contents"
        }
        acknowledged[transactionID.rawValue] = position.checksum
        highestAcknowledged = max(highestAcknowledged, transactionID)
        if let known = applied[transactionID.rawValue], known != position.checksum {
            return "2: acknowledged \(transactionID) is not what members made readable"
        }
        return nil
    }

    mutating func check(_ node: SimulatedNode, _ cluster: SimulatedCluster) -> String? {
        guard let engine = node.engine, let id = node.memberID else { return nil }
        var before = seen[node.index] ?? Seen()
        defer { seen[node.index] = before }
        let epoch = engine.core.hard.promised
        if let old = promised[node.index], epoch < old { return "1: \(id) went from \(old) back to \(epoch)" }
        promised[node.index] = epoch
        if let epoch = engine.core.masterEpoch, epoch != before.masterEpoch {
            if let other = masters[epoch], other != id { return "1: \(other) and \(id) are both master of \(epoch)" }
            masters[epoch] = id
            // Who takes up a mastership late, after a newer epoch has committed, rules nobody and may lack what that has.
            if epoch > highestCommittedEpoch, let problem = checkLog(ofNewMaster: engine, id, epoch) { return problem }
        }
        before.masterEpoch = engine.core.masterEpoch
        if cluster.schedule.commitMode == .optimistic { return nil }
        if let store = engine.store {
            let now = store.applied.transactionID
            if before.isKnown && now < before.applied && !engine.core.isCopyingStore {
                return "4: \(id) went from \(before.applied) back to \(now)"
            }
            let from = max(before.applied.rawValue, now.rawValue > 200 ? now.rawValue - 200 : 0)
            if now.rawValue > from {
                for transaction in (from + 1)...now.rawValue {
                    guard let position = store.knownPosition(of: TransactionID(transaction)) else { continue }
                    if let known = applied[transaction], known != position.checksum {
                        return "3: \(id) made another \(TransactionID(transaction)) readable than an earlier member"
                    }
                    applied[transaction] = position.checksum
                    if position.epoch > highestCommittedEpoch {
                        highestCommittedEpoch = position.epoch
                        if let problem = checkLeases(cluster) { return problem }
                    }
                }
            }
            before.applied = now
        }
        before.isKnown = true
        return nil
    }

    /// Once an epoch has committed nobody may still believe to rule an older one: a linearizable read there would miss it.
    private func checkLeases(_ cluster: SimulatedCluster) -> String? {
        for node in cluster.members {
            guard let core = node.engine?.core, let epoch = core.masterEpoch, epoch < highestCommittedEpoch,
                core.leaseEnd(now: node.now) != nil
            else { continue }
            return "6: member \(node.memberID?.rawValue ?? 0) still has the lease of \(epoch) when \(highestCommittedEpoch) commits"
        }
        return nil
    }

    private func checkLog(ofNewMaster engine: MemberEngine, _ id: MemberID, _ epoch: Epoch) -> String? {
        guard highestAcknowledged > .zero, let checksum = acknowledged[highestAcknowledged.rawValue] else { return nil }
        guard let store = engine.store else { return "2: \(id) is master of \(epoch) without a store" }
        guard store.last.transactionID >= highestAcknowledged else {
            return "2: \(id) is master of \(epoch), its log ends at \(store.last.transactionID), \(highestAcknowledged) was acknowledged"
        }
        if let position = store.knownPosition(of: highestAcknowledged), position.checksum != checksum {
            return "2: \(id) is master of \(epoch) with another \(highestAcknowledged) than was acknowledged"
        }
        return nil
    }

    /// Two members at the same transaction hold the same graph, and know the same requests.
    mutating func checkGraph(_ node: SimulatedNode) -> String? {
        guard let store = node.engine?.store else { return nil }
        let transaction = store.beginRead()
        let position = transaction.snapshotTransactionID.rawValue
        let checksum = transaction.graphChecksum()
        if let known = graphChecksums[position], known != checksum {
            return "5: member \(node.memberID?.rawValue ?? 0) holds another graph at tx \(position) than an earlier member"
        }
        graphChecksums[position] = checksum
        let requests = store.committedRequests
        if let known = committedRequests[position], known != requests {
            return "5: member \(node.memberID?.rawValue ?? 0) remembers other requests at tx \(position) than an earlier member"
        }
        committedRequests[position] = requests
        return nil
    }
}
