import Database
import FileSystem
import GraphModel
import Storage
import Synchronization
import Testing

@Suite struct LockingTests {
    private static func increment(_ transaction: Transaction, _ node: NodeID) throws(GraphError) {
        var count: Int64 = 0
        if let key = transaction.token(.propertyKey, "c"), case .integer(let now)? = transaction.property(key, ofNode: node) {
            count = now
        }
        try transaction.setProperty("c", to: .integer(count + 1), ofNode: node)
    }

    /// More clients than there are threads, or stand-ins for them: none is lost, none is refused.
    @Test func concurrentIncrementsAddUp() async throws {
        let test = try TestDatabase()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    for _ in 0..<4 {
                        _ = try await test.database.write { tx throws(GraphError) in try Self.increment(tx, NodeID(0)) }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(test.property("c", of: NodeID(0)) == .integer(400))
        #expect(test.store.locks.statistics.lockedCount == 0)
        await test.database.close()
    }

    @Test func concurrentCypherIncrementsAddUp() async throws {
        let test = try TestDatabase()
        _ = try await test.database.write { tx throws(GraphError) in
            try tx.setProperty("c", to: .integer(0), ofNode: NodeID(0))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    for _ in 0..<5 {
                        _ = try await test.database.query(Statement("MATCH (n) WHERE id(n) = 0 SET n.c = n.c + 1")) {
                            RowCollector()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(test.property("c", of: NodeID(0)) == .integer(200))
        await test.database.close()
    }

    @Test func incrementsByBlockingThreadsAddUp() async throws {
        let test = try TestDatabase()
        let failures = Notes()
        onThreads((0..<16).map { _ in
            {
                for _ in 0..<20 {
                    do { _ = try test.database.writeBlocking { tx throws(GraphError) in try Self.increment(tx, NodeID(0)) } } catch {
                        failures.note("\(error)")
                    }
                }
            }
        })
        #expect(failures.all == [])
        #expect(test.property("c", of: NodeID(0)) == .integer(320))
        await test.database.close()
    }

    /// Pairs locked in both orders: deadlocks come up and are run again, until all is done.
    @Test func transfersInAnyOrderAllGetThrough() async throws {
        let test = try TestDatabase()
        let nodes = try await test.database.write { tx throws(GraphError) -> [NodeID] in
            var nodes: [NodeID] = []
            for _ in 0..<4 { nodes.append(try tx.createNode(properties: [("c", .integer(0))])) }
            return nodes
        }.value
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<24 {
                group.addTask {
                    for step in 0..<10 {
                        let first = nodes[(number + step) % 4]
                        let second = nodes[(number * 3 + step + 1) % 4]
                        _ = try await test.database.write { tx throws(GraphError) in
                            try Self.increment(tx, first)
                            try Self.increment(tx, second)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let sum = nodes.reduce(Int64(0)) { sum, node in
            if case .integer(let count)? = test.property("c", of: node) { sum + count } else { sum }
        }
        #expect(sum == 480)
        await test.database.close()
    }

    /// TX-16, and the manual's chapter on pessimistic locking: many look whether something is there, one makes it.
    @Test func explicitLockMakesCheckAndCreateSafe() async throws {
        let test = try TestDatabase()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    _ = try await test.database.write { tx throws(GraphError) in
                        try tx.acquireWriteLock(on: NodeID(0))
                        if let label = tx.token(.label, "User"), tx.nodeCount(label: label) > 0 { return }
                        _ = try tx.createNode(labels: ["User"])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(test.store.nodeCount == 2)
        await test.database.close()
    }

    /// The same by hand: the lock comes before the snapshot.
    @Test func handTakenLockIsFollowedByWhatTheLastHolderLeft() async throws {
        let test = try TestDatabase()
        let failures = Notes()
        onThreads((0..<12).map { _ in
            {
                do throws(GraphError) {
                    let work = try test.database.beginTransaction()
                    try work.acquireWriteLock(on: NodeID(0))
                    try Self.increment(try work.graph, NodeID(0))
                    work.success()
                    try work.finish()
                } catch {
                    failures.note("\(error)")
                }
            }
        })
        #expect(failures.all == [])
        #expect(test.property("c", of: NodeID(0)) == .integer(12))
        await test.database.close()
    }

    /// A writer that holds its locks and does not end: readers, and writers of other things, do not notice, however many
    /// wait for it.
    @Test func stuckWriterHoldsUpNobodyElse() async throws {
        let test = try TestDatabase()
        let other = try await test.database.write { tx throws(GraphError) in try tx.createNode() }.value
        let (isHolding, mayEnd) = (Gate(), Gate())
        let stuck = DedicatedThread(name: "stuck") {
            do throws(GraphError) {
                let work = try test.database.beginTransaction()
                try work.graph.setProperty("stuck", to: .boolean(true), ofNode: NodeID(0))
                isHolding.arrive()
                mayEnd.pass()
                work.success()
                try work.finish()
            } catch {}
        }
        isHolding.pass()
        let waiting = (0..<200).map { _ in
            Task { try await test.database.write { tx throws(GraphError) in try Self.increment(tx, NodeID(0)) } }
        }
        while test.store.locks.statistics.waitingCount < 200 { await Task.yield() }
        for _ in 0..<1000 {
            let sum = try await test.database.read { tx throws(GraphError) in
                tx.nodeCount() + tx.properties(ofNode: NodeID(0)).count
            }
            #expect(sum == 2)
        }
        for _ in 0..<50 {
            _ = try await test.database.write { tx throws(GraphError) in try Self.increment(tx, other) }
            _ = try await test.database.write { tx throws(GraphError) in
                _ = try tx.createRelationship(type: "T", from: other, to: other)
            }
        }
        #expect(test.store.locks.statistics.waitingCount == 200)
        mayEnd.arrive()
        stuck.join()
        for task in waiting { _ = try await task.value }
        #expect(test.property("c", of: NodeID(0)) == .integer(200))
        #expect(test.property("c", of: other) == .integer(50))
        await test.database.close()
    }

    @Test func waitingTransactionsGiveUpAfterTheirTime() async throws {
        let test = try TestDatabase { $0.lockTimeout = 50 }
        let (isHolding, mayEnd) = (Gate(), Gate())
        let holder = DedicatedThread(name: "holder") {
            do throws(GraphError) {
                let work = try test.database.beginTransaction()
                try work.acquireWriteLock(on: NodeID(0))
                isHolding.arrive()
                mayEnd.pass()
                try work.finish()
            } catch {}
        }
        isHolding.pass()
        let suspended = await code { () async throws(GraphError) in
            _ = try await test.database.write { tx throws(GraphError) in try Self.increment(tx, NodeID(0)) }
        }
        #expect(suspended == .lockTimeout)
        let blocked = Mutex<ErrorCode?>(nil)
        onThreads([{
            let seen = code { () throws(GraphError) in
                try test.database.writeBlocking { tx throws(GraphError) in try Self.increment(tx, NodeID(0)) }
            }
            blocked.withLock { $0 = seen }
        }])
        #expect(blocked.withLock { $0 } == .lockTimeout)
        mayEnd.arrive()
        holder.join()
        _ = try await test.database.write { tx throws(GraphError) in try Self.increment(tx, NodeID(0)) }
        #expect(test.property("c", of: NodeID(0)) == .integer(1))
        await test.database.close()
    }

    /// TX-23 to TX-25 by hand: nothing is run again, the error comes out, the other one goes on.
    @Test(arguments: 2...5) func ringByHandLosesExactlyOne(length: Int) async throws {
        let test = try TestDatabase()
        let nodes = try await test.database.write { tx throws(GraphError) -> [NodeID] in
            var nodes: [NodeID] = []
            for _ in 0..<length { nodes.append(try tx.createNode()) }
            return nodes
        }.value
        let all = Gate(length)
        let outcomes = Notes()
        onThreads((0..<length).map { number in
            {
                do throws(GraphError) {
                    let work = try test.database.beginTransaction()
                    // Only locks before the snapshot: whoever gets through has nothing to conflict with.
                    try work.acquireWriteLock(on: nodes[number])
                    all.arrive()
                    all.pass()
                    do throws(GraphError) {
                        try work.acquireWriteLock(on: nodes[(number + 1) % length])
                        try Self.increment(try work.graph, nodes[number])
                        try Self.increment(try work.graph, nodes[(number + 1) % length])
                        work.success()
                    } catch {
                        outcomes.note(error.code.name)
                        // TX-24: marked for rollback until it ends, whatever it says of itself.
                        work.success()
                        let write = code { () throws(GraphError) in _ = try work.graph.createNode() }
                        if write != .transactionFailed { outcomes.note("it could still write") }
                    }
                    try work.finish()
                    outcomes.note("committed")
                } catch {
                    outcomes.note("finish: \(error.code.name)")
                }
            }
        })
        let deadlock = ErrorCode.deadlock.name
        #expect(outcomes.all.sorted() == ([deadlock, "finish: \(deadlock)"] + Array(repeating: "committed", count: length - 1)).sorted())
        #expect(test.store.locks.statistics.avertedDeadlockCount == 1)
        #expect(test.store.nodeCount == length + 1)
        await test.database.close()
    }
}
