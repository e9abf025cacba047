import Database
import FileSystem
import GraphModel
import Storage
import Testing

/// Transactions that belong to no thread.
@Suite struct DetachedTransactionTests {
    @Test func stepsSeeEachOtherAndNobodyElseBeforeTheCommit() async throws {
        let test = try TestDatabase()
        let work = try await test.database.beginDetached()
        let node = try await work.run { tx throws(GraphError) in try tx.createNode(labels: ["A"]) }
        // Another thread may run the next step.
        for value in 1...20 {
            try await work.run { tx throws(GraphError) in
                try tx.setProperty("p", to: .integer(Int64(value)), ofNode: node)
            }
        }
        #expect(try await work.run { tx throws(GraphError) in tx.nodeExists(node) })
        #expect(!test.read.nodeExists(node))
        let transactionID = try await work.commit { _ throws(GraphError) in }.transactionID
        #expect(transactionID != nil)
        #expect(test.property("p", of: node) == .integer(20))
        #expect(await code { () async throws(GraphError) in try await work.run { _ in } } == .transactionClosed)
        #expect(test.store.locks.statistics.lockedCount == 0)
        await test.database.close()
    }

    @Test func aStepThatFailsRollsBackAndReleasesLocks() async throws {
        let test = try TestDatabase()
        let work = try await test.database.beginDetached()
        try await work.run { tx throws(GraphError) in try tx.setProperty("p", to: .integer(1), ofNode: NodeID(0)) }
        #expect(test.store.locks.statistics.lockedCount > 0)
        let failure = GraphError(.argumentError, "no")
        #expect(await code { () async throws(GraphError) in try await work.run { _ throws(GraphError) in throw failure } } == .argumentError)
        #expect(test.store.locks.statistics.lockedCount == 0)
        #expect(await code { () async throws(GraphError) in try await work.commit { _ in } } == .transactionClosed)
        #expect(test.property("p", of: NodeID(0)) == nil)
        await test.database.close()
    }

    @Test func rollingBackOrDroppingReleasesLocks() async throws {
        let test = try TestDatabase()
        do {
            let dropped = try await test.database.beginDetached()
            try await dropped.run { tx throws(GraphError) in try tx.setProperty("p", to: .integer(1), ofNode: NodeID(0)) }
        }
        // The thread that ran it lets go of it after it has answered.
        eventually("the locks are released") { test.store.locks.statistics.lockedCount == 0 }
        let work = try await test.database.beginDetached()
        try await work.run { tx throws(GraphError) in try tx.setProperty("p", to: .integer(1), ofNode: NodeID(0)) }
        try work.rollBack()
        try work.rollBack()
        #expect(test.store.locks.statistics.lockedCount == 0)
        #expect(test.property("p", of: NodeID(0)) == nil)
        await test.database.close()
    }

    /// A step that waits for a lock has its thread stood in for: what it waits for can go on, and so can readers.
    @Test func waitingForALockHoldsNobodyElseUp() async throws {
        let test = try TestDatabase()
        let holder = try await test.database.beginDetached()
        try await holder.run { tx throws(GraphError) in try tx.acquireWriteLock(on: NodeID(0)) }
        let waiters = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    let work = try await test.database.beginDetached()
                    try await work.run { tx throws(GraphError) in try tx.acquireWriteLock(on: NodeID(0)) }
                    _ = try await work.commit { _ throws(GraphError) in }
                    return 1
                }
            }
            while test.store.locks.statistics.waitingCount < 6 { await Task.yield() }
            #expect(try await test.database.read { $0.nodeExists(NodeID(0)) })
            _ = try await holder.commit { _ throws(GraphError) in }
            return try await group.reduce(0, +)
        }
        #expect(waiters == 6)
        await test.database.close()
    }

    @Test func twoStepsAtOnceAreRefused() async throws {
        let test = try TestDatabase()
        let work = try await test.database.beginDetached()
        let (started, ended) = (Gate(1), Gate(1))
        async let first: Void = work.run { _ in
            started.arrive()
            ended.pass()
        }
        started.pass()
        #expect(await code { () async throws(GraphError) in try await work.run { _ in } } == .transactionConfined)
        #expect(code { () throws(GraphError) in try work.rollBack() } == .transactionConfined)
        ended.arrive()
        try await first
        // The one that was refused changed nothing.
        try await work.run { _ in }
        try work.rollBack()
        await test.database.close()
    }

    @Test(.timeLimit(.minutes(5))) func onASlaveItIsCommittedByTheMaster() async throws {
        let cluster = try await TestMembers()
        let slave = try #require(cluster.slaves.first)
        let work = try await slave.database.beginDetached()
        let node = try await work.run { tx throws(GraphError) -> NodeID in
            // As for every explicit lock, the master is asked, and the thread is stood in for meanwhile.
            try tx.acquireWriteLock(on: NodeID(0))
            return try tx.createNode(labels: ["A"])
        }
        let id = try #require(try await work.commit { _ in }.transactionID)
        for member in cluster.all {
            var request = Database.RequestOptions()
            request.bookmark = id
            #expect(try await member.database.read(request) { $0.nodeExists(node) })
        }
        let locks = try #require(cluster.master).member.readableStore().locks
        await cluster.until { locks.isEmpty }
        #expect(cluster.failures == [])
        await cluster.close()
    }

    /// The one that held an open transaction's locks is gone: nothing of it is applied anywhere, and it says so.
    @Test(.timeLimit(.minutes(5))) func whenItsMasterIsGoneItFailsAndNothingIsApplied() async throws {
        let cluster = try await TestMembers()
        let master = try #require(cluster.master)
        let work = try await cluster.slaves[0].database.beginDetached()
        let holder = cluster.slaves[0]
        try await work.run { tx throws(GraphError) in
            try tx.acquireWriteLock(on: NodeID(0))
            try tx.setProperty("p", to: .integer(1), ofNode: NodeID(0))
        }
        await cluster.kill(master)
        await cluster.until { cluster.all.contains { $0.id != master.id && $0.database.status.isWritableMaster } }
        let failure = await code { () async throws(GraphError) in try await work.commit { _ in } }
        #expect(failure == .masterChanged || failure == .noMaster || failure == .network, "\(String(describing: failure))")
        #expect(await code { () async throws(GraphError) in try await work.run { _ in } } == .transactionClosed)
        let property = try await holder.database.read { tx throws(GraphError) in
            tx.token(.propertyKey, "p").flatMap { tx.property($0, ofNode: NodeID(0)) }
        }
        #expect(property == nil)
        await cluster.close()
    }
}
