import Database
import FileSystem
import GraphModel
import Storage
import Synchronization
import Testing

/// Explicit locks hold in the whole cluster, whichever members the transactions run on.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ClusterLockTests {
    private static let counter = NodeID(0)

    private static func increment(_ transaction: Transaction, _ node: NodeID = counter) throws(GraphError) {
        var count: Int64 = 0
        if let key = transaction.token(.propertyKey, "c"), case .integer(let now)? = transaction.property(key, ofNode: node) {
            count = now
        }
        try transaction.setProperty("c", to: .integer(count + 1), ofNode: node)
    }

    /// What every member reads once it has a transaction.
    private static func counts(_ members: [TestMembers.Member], _ bookmark: TransactionID?) async throws -> [Value?] {
        var counts: [Value?] = []
        for member in members {
            var request = Database.RequestOptions()
            request.bookmark = bookmark
            counts.append(
                try await member.database.read(request) { tx throws(GraphError) in
                    tx.token(.propertyKey, "c").flatMap { tx.property($0, ofNode: counter) }
                })
        }
        return counts
    }

    private static func makeNodes(_ count: Int, in cluster: TestMembers) async throws -> [NodeID] {
        let master = try #require(cluster.master)
        let (nodes, id) = try await master.database.write { tx throws(GraphError) -> [NodeID] in
            var nodes: [NodeID] = []
            for _ in 0..<count { nodes.append(try tx.createNode()) }
            return nodes
        }
        await cluster.until { cluster.all.allSatisfy { $0.database.status.applied.transactionID >= id ?? .zero } }
        return nodes
    }

    /// Locks one node by hand on a thread, and holds it until it may end.
    private static func hold(
        _ node: NodeID, on member: TestMembers.Member, _ isHeld: Gate, until mayEnd: Gate, _ notes: Notes = Notes(),
        _ change: @escaping @Sendable (Transaction) throws(GraphError) -> Void = { _ throws(GraphError) in }
    ) -> DedicatedThread {
        DedicatedThread(name: "holder") {
            do throws(GraphError) {
                let work = try member.database.beginTransaction()
                try work.acquireWriteLock(on: node)
                try change(try work.graph)
                isHeld.arrive()
                mayEnd.pass()
                work.success()
                try work.finish()
                notes.note("done")
            } catch {
                notes.note(error.code.name)
            }
        }
    }

    @Test func oppositeOrdersOnTwoSlavesMakeADeadlockAndNoTimeout() async throws {
        let cluster = try await TestMembers()
        let nodes = try await Self.makeNodes(2, in: cluster)
        let slaves = cluster.slaves
        try #require(slaves.count == 2)
        let both = Gate(2)
        let outcomes = Notes()
        let started = monotonicNanoseconds()
        onThreads((0..<2).map { number in
            {
                do throws(GraphError) {
                    let work = try slaves[number].database.beginTransaction()
                    try work.acquireWriteLock(on: nodes[number])
                    both.arrive()
                    both.pass()
                    try work.acquireWriteLock(on: nodes[1 - number])
                    try Self.increment(try work.graph, nodes[number])
                    work.success()
                    try work.finish()
                    outcomes.note("committed")
                } catch {
                    outcomes.note(error.code.name)
                }
            }
        })
        #expect(outcomes.all.sorted() == [ErrorCode.deadlock.name, "committed"].sorted())
        #expect(monotonicNanoseconds() - started < 10_000_000_000)
        let master = try #require(cluster.master)
        let locks = try master.member.readableStore().locks
        await cluster.until { locks.isEmpty }
        #expect(locks.statistics.avertedDeadlockCount == 1)
        #expect(cluster.failures == [])
        await cluster.close()
    }

    /// Nobody ever loses a conflict, because the lock comes before the snapshot, wherever its last holder was.
    @Test func incrementsByHandThroughAllMembersAddUpWithoutAConflict() async throws {
        let cluster = try await TestMembers()
        let failures = Notes()
        onThreads((0..<12).map { number in
            {
                for _ in 0..<10 {
                    do throws(GraphError) {
                        let work = try cluster.all[number % 3].database.beginTransaction()
                        try work.acquireWriteLock(on: Self.counter)
                        try Self.increment(try work.graph)
                        work.success()
                        try work.finish()
                    } catch {
                        failures.note("\(error)")
                    }
                }
            }
        })
        #expect(failures.all == [])
        let last = cluster.all.map(\.database.status.applied.transactionID).max()
        #expect(try await Self.counts(cluster.all, last) == Array(repeating: .integer(120), count: 3))
        #expect(cluster.failures == [])
        await cluster.close()
    }

    /// Explicit locks, locks of writes, on query threads and on others, all at once.
    @Test func incrementsOfAllKindsAddUp() async throws {
        let cluster = try await TestMembers()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<24 {
                group.addTask {
                    for _ in 0..<5 {
                        _ = try await cluster.all[number % 3].database.write { tx throws(GraphError) in
                            if number % 2 == 0 { try tx.acquireWriteLock(on: Self.counter) }
                            try Self.increment(tx)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let last = cluster.all.map(\.database.status.applied.transactionID).max()
        #expect(try await Self.counts(cluster.all, last) == Array(repeating: .integer(120), count: 3))
        await cluster.close()
    }

    @Test func plainWriteThroughAnotherMemberWaitsForALockHeldFromASlave() async throws {
        let cluster = try await TestMembers()
        let slaves = cluster.slaves
        let master = try #require(cluster.master)
        let (isHeld, mayEnd) = (Gate(), Gate())
        let holder = Self.hold(Self.counter, on: slaves[0], isHeld, until: mayEnd) { tx throws(GraphError) in
            try Self.increment(tx)
        }
        isHeld.pass()
        let ended = Notes()
        let writes = [slaves[1], master].map { member in
            Task {
                _ = try await member.database.write { tx throws(GraphError) in try Self.increment(tx) }
                ended.note("written")
            }
        }
        let locks = try master.member.readableStore().locks
        await cluster.until { locks.statistics.waitingCount == 2 }
        #expect(ended.all == [])
        // Others do not wait, and are through while those still do.
        for _ in 0..<20 {
            _ = try await slaves[1].database.write { tx throws(GraphError) in try tx.createNode() }
        }
        #expect(ended.all == [])
        #expect(locks.statistics.waitingCount == 2)
        mayEnd.arrive()
        holder.join()
        for write in writes { try await write.value }
        let last = cluster.all.map(\.database.status.applied.transactionID).max()
        #expect(try await Self.counts(cluster.all, last) == Array(repeating: .integer(3), count: 3))
        await cluster.close()
    }

    /// Bounded, and nothing was applied.
    @Test func plainWriteThroughAnotherSlaveGivesUpAfterItsTime() async throws {
        let cluster = try await TestMembers()
        let slaves = cluster.slaves
        let (isHeld, mayEnd) = (Gate(), Gate())
        let holder = Self.hold(Self.counter, on: slaves[0], isHeld, until: mayEnd)
        isHeld.pass()
        let seen = await code { () async throws(GraphError) in
            _ = try await slaves[1].database.write { tx throws(GraphError) in try Self.increment(tx) }
        }
        #expect(seen == .lockTimeout)
        mayEnd.arrive()
        holder.join()
        let id = try await slaves[1].database.write { tx throws(GraphError) in try Self.increment(tx) }.transactionID
        #expect(try await Self.counts(cluster.all, id) == Array(repeating: .integer(1), count: 3))
        await cluster.close()
    }

    @Test func killedSlaveKeepsNoLocks() async throws {
        let cluster = try await TestMembers()
        let slaves = cluster.slaves
        let (isHeld, mayEnd) = (Gate(), Gate())
        let notes = Notes()
        let holder = Self.hold(Self.counter, on: slaves[0], isHeld, until: mayEnd, notes) { tx throws(GraphError) in
            try Self.increment(tx)
        }
        isHeld.pass()
        let waiting = Task {
            try await slaves[1].database.write { tx throws(GraphError) in
                try tx.acquireWriteLock(on: Self.counter)
                try Self.increment(tx)
            }
        }
        let locks = try #require(cluster.master).member.readableStore().locks
        await cluster.until { locks.statistics.waitingCount == 1 }
        await cluster.kill(slaves[0])
        let id = try await waiting.value.transactionID
        mayEnd.arrive()
        holder.join()
        #expect(notes.all != ["done"])
        let left = cluster.all.filter { $0 !== slaves[0] }
        #expect(try await Self.counts(left, id) == [.integer(1), .integer(1)])
        await cluster.close()
    }

    /// Somebody else may have the lock under the new master: what was decided under it counts no more.
    @Test func changeOfMasterEndsTheLocksOfSlavesAndOfTheOldMaster() async throws {
        let cluster = try await TestMembers()
        let nodes = try await Self.makeNodes(3, in: cluster)
        let slaves = cluster.slaves
        let old = try #require(cluster.master)
        let (isHeld, mayEnd) = (Gate(3), Gate())
        let notes = Notes()
        let holders = zip(nodes, [slaves[0], slaves[1], old]).map { node, member in
            Self.hold(node, on: member, isHeld, until: mayEnd, notes) { tx throws(GraphError) in
                try Self.increment(tx, node)
            }
        }
        isHeld.pass()
        _ = try await old.member.switchMaster(to: slaves[0].id)
        await cluster.until { slaves[0].database.status.isWritableMaster && slaves[1].database.status.masterID == slaves[0].id }
        mayEnd.arrive()
        for holder in holders { holder.join() }
        #expect(notes.all == Array(repeating: ErrorCode.masterChanged.name, count: 3))
        // And all goes on under the new one, on every member.
        var last: TransactionID?
        for member in cluster.all {
            last = try await member.database.write { tx throws(GraphError) in
                try tx.acquireWriteLock(on: Self.counter)
                try Self.increment(tx)
            }.transactionID
        }
        #expect(try await Self.counts(cluster.all, last) == Array(repeating: .integer(3), count: 3))
        await cluster.close()
    }

    @Test func brokenConnectionEndsTheLocksOfASlave() async throws {
        let cluster = try await TestMembers()
        let slave = cluster.slaves[0]
        let (isHeld, mayEnd) = (Gate(), Gate())
        let notes = Notes()
        let holder = Self.hold(Self.counter, on: slave, isHeld, until: mayEnd, notes) { tx throws(GraphError) in
            try Self.increment(tx)
        }
        isHeld.pass()
        // Only the master notices.
        try #require(cluster.master).member.linkDown(slave.address)
        mayEnd.arrive()
        holder.join()
        #expect(notes.all == [ErrorCode.masterChanged.name])
        let id = try await slave.database.write { tx throws(GraphError) in
            try tx.acquireWriteLock(on: Self.counter)
            try Self.increment(tx)
        }.transactionID
        #expect(try await Self.counts(cluster.all, id) == Array(repeating: .integer(1), count: 3))
        await cluster.close()
    }
}
