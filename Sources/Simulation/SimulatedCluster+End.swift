import GraphModel
import Replication
import Storage

// What must hold once faults have ended.
extension SimulatedCluster {
    /// How long a cluster must have been in order before its run ends early.
    private static let settledNanoseconds: UInt64 = 1_000_000_000

    /// Faults end; everything must converge, and the graph hold what clients were told.
    func converge() {
        becomeCalm()
        runUntilSettled(now + schedule.calmMilliseconds * 1_000_000)
        if violation == nil { checkConvergence() }
    }

    /// Runs until everything has been in order for a while, and clients have written in the meantime; at most until `end`.
    private func runUntilSettled(_ end: UInt64) {
        var settled: (epoch: Epoch, since: UInt64, committedCount: Int)?
        while violation == nil, now < end {
            runUntil(min(end, now + Self.settledNanoseconds / 4))
            guard let epoch = epochInOrder else {
                settled = nil
                continue
            }
            guard let begun = settled, begun.epoch == epoch else {
                settled = (epoch, now, committedCount)
                continue
            }
            if now - begun.since >= Self.settledNanoseconds, committedCount > begun.committedCount { return }
        }
    }

    /// The epoch of the one master, when every member follows it and whoever can count does.
    private var epochInOrder: Epoch? {
        let masters = members.filter { $0.engine?.core.leaseEnd(now: $0.now) != nil }
        guard masters.count == 1, let engine = masters[0].engine, let epoch = engine.core.masterEpoch,
            let register = engine.core.register, register.epoch == epoch, let master = engine.store
        else { return nil }
        let isInOrder = members.allSatisfy { node in
            guard let id = node.memberID, let engine = node.engine, let store = engine.store else { return false }
            return engine.core.hard.promised == epoch && !engine.core.isCopyingStore && hasCaughtUp(store, with: master)
                && (node.isSlaveOnly || register.syncSet.contains(id))
        }
        return isInOrder ? epoch : nil
    }

    /// But for what is on its way.
    private func hasCaughtUp(_ store: Store, with master: Store) -> Bool {
        store.applied.transactionID.rawValue + 50 >= master.applied.transactionID.rawValue
    }

    /// Invariant 7, and that the graph holds exactly what clients were told.
    private func checkConvergence() {
        let masters = members.filter { $0.engine?.core.leaseEnd(now: $0.now) != nil }
        guard masters.count == 1, let master = masters.first?.engine?.store else {
            violation = "7: \(masters.count) members are master with a lease at the end"
            return
        }
        for client in clients {
            if client.pendingNode != nil { finish(client, .unknown) }
            if client.isUncertain && client.isIncrement { client.possibleIncrements += 1 }
        }
        for node in members {
            guard let store = node.engine?.store, hasCaughtUp(store, with: master) else {
                violation = "7: member \(node.memberID?.rawValue ?? 0) has not caught up: \(node.engine?.store?.applied.description ?? "no store") of \(master.applied)"
                return
            }
            violation = violation ?? invariants.checkGraph(node)
            let report = store.check()
            if !report.isConsistent { violation = violation ?? "5: member \(node.memberID?.rawValue ?? 0): \(report.problems[0])" }
        }
        if violation == nil { violation = checkPromises(master.beginRead()) ?? checkNames(master.beginRead()) }
    }

    /// Every mark in a graph; a mark that is there twice goes into `doubled`.
    private func marks(in transaction: Transaction, doubled: inout UInt64?) -> Set<UInt64> {
        var marks: Set<UInt64> = []
        if let key = transaction.token(.propertyKey, Self.markKey) {
            var cursor: UInt64 = 0
            var ids: ContiguousArray<UInt64> = []
            while transaction.scanNodes(label: nil, cursor: &cursor, limit: 1000, into: &ids) {}
            for id in ids {
                if case .integer(let mark)? = transaction.property(key, ofNode: NodeID(id)) {
                    if !marks.insert(UInt64(mark)).inserted { doubled = UInt64(mark) }
                }
            }
        }
        return marks
    }

    /// A store is about to be replaced: with optimistic commits it may hold what clients were told and nobody else has.
    func keepMarks(of node: SimulatedNode, setAside: Bool) {
        guard let store = node.openSeparately() else { return }
        if setAside {
            branchCount += 1
            var doubled: UInt64?
            keptMarks.formUnion(marks(in: store.beginRead(), doubled: &doubled))
        } else if schedule.branchedDataPolicy == .keepNone {
            hasLostBranches = true
        }
        store.close()
    }

    private func checkPromises(_ transaction: Transaction) -> String? {
        var doubled: UInt64?
        let marks = marks(in: transaction, doubled: &doubled)
        if let doubled { return "2: mark \(doubled) is there twice" }
        var counter: Int64 = 0
        if let key = transaction.token(.propertyKey, Self.counterKey),
            case .integer(let value)? = transaction.property(key, ofNode: NodeID(0))
        {
            counter = value
        }
        for client in clients {
            for mark in client.committedMarks where !marks.contains(mark) && !keptMarks.contains(mark) && !hasLostBranches {
                return "2: client \(client.index) was told that its write \(mark & 0xFFFF_FFFF) is committed; it is not there"
            }
            for mark in client.refusedMarks where marks.contains(mark) {
                return "client \(client.index) was told that its write \(mark & 0xFFFF_FFFF) was not applied; it is there"
            }
        }
        let certain = Int64(clients.reduce(0) { $0 + $1.committedIncrements })
        let possible = certain + Int64(clients.reduce(0) { $0 + $1.possibleIncrements })
        // Increments in stores that were set aside are not added up.
        if branchCount == 0 && !hasLostBranches && counter < certain || counter > possible {
            return "2: the counter is \(counter), between \(certain) and \(possible) increments were made"
        }
        return nil
    }
}
