import FileSystem
import GraphModel
import Storage
import Synchronization
import Testing

/// Locks as transactions take them, with real threads.
@Suite struct LockingTests {
    private func makeStore() throws -> (Store, LocalCommitter) {
        var options = Store.Options()
        options.usesLogThread = false
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: options)
        return (store, try LocalCommitter(store))
    }

    private func session(_ store: Store, timeout: Milliseconds = 20_000) -> LockSession {
        store.locks.makeSession(.blocking, timeout: timeout)
    }

    private static func code(_ body: () throws(GraphError) -> Void) -> ErrorCode? {
        do throws(GraphError) { try body() } catch { return error.code }
        return nil
    }

    /// What another transaction gets when it asks for a lock and will not wait: whether it was free.
    private static func isFree(_ store: Store, _ key: LockTable.Key, _ mode: LockMode) -> Bool {
        let session = store.locks.makeSession(.blocking, timeout: 0)
        return code { () throws(GraphError) in _ = try session.acquire(key, mode) } == nil
    }

    /// TX-19: a property locks its node or relationship, whatever is done to it.
    @Test func changingAPropertyLocksTheEntityAlone() throws {
        let (store, committer) = try makeStore()
        let setUp = committer.begin()
        let (a, b) = (try setUp.createNode(properties: [("p", .integer(1))]), try setUp.createNode())
        let relationship = try setUp.createRelationship(type: "T", from: a, to: b, properties: [("p", .integer(1))])
        try committer.commitAndWait(setUp)
        let changes: [(Transaction) throws -> Void] = [
            { tx in try tx.setProperty("p", to: .integer(2), ofNode: a) },
            { tx in try tx.setProperty("p", to: .null, ofNode: a) },
            { tx in try tx.addLabel("L", to: a) },
        ]
        for change in changes {
            let locks = session(store)
            try change(committer.begin(locks: locks))
            #expect(!Self.isFree(store, LockTable.Key(a), .shared))
            #expect(!Self.isFree(store, LockTable.Key(a), .attaching))
            #expect(Self.isFree(store, LockTable.Key(b), .exclusive))
            #expect(Self.isFree(store, LockTable.Key(relationship), .exclusive))
            locks.release()
            #expect(Self.isFree(store, LockTable.Key(a), .exclusive))
        }
        let locks = session(store)
        try committer.begin(locks: locks).setProperty("p", to: .integer(2), ofRelationship: relationship)
        #expect(!Self.isFree(store, LockTable.Key(relationship), .shared))
        #expect(Self.isFree(store, LockTable.Key(a), .exclusive))
    }

    /// TX-20, TX-21: deletions lock the entity; relationships that come or go keep everybody from their ends but those
    /// who do the same.
    @Test func relationshipsLockBothTheirEndsAndDeletionsTheEntity() throws {
        let (store, committer) = try makeStore()
        let setUp = committer.begin()
        let (a, b) = (try setUp.createNode(), try setUp.createNode())
        let relationship = try setUp.createRelationship(type: "T", from: a, to: b)
        try committer.commitAndWait(setUp)
        let creating = session(store)
        _ = try committer.begin(locks: creating).createRelationship(type: "T", from: a, to: b)
        for node in [a, b] {
            #expect(!Self.isFree(store, LockTable.Key(node), .exclusive))
            #expect(!Self.isFree(store, LockTable.Key(node), .shared))
            #expect(Self.isFree(store, LockTable.Key(node), .attaching))
        }
        creating.release()
        let deleting = session(store)
        try committer.begin(locks: deleting).deleteRelationship(relationship)
        #expect(!Self.isFree(store, LockTable.Key(relationship), .shared))
        #expect(!Self.isFree(store, LockTable.Key(a), .exclusive) && !Self.isFree(store, LockTable.Key(b), .shared))
        deleting.release()
        let deletingNode = session(store)
        try committer.begin(locks: deletingNode).deleteNode(a)
        #expect(!Self.isFree(store, LockTable.Key(a), .attaching))
        #expect(Self.isFree(store, LockTable.Key(b), .exclusive))
    }

    /// What nobody else can see needs no lock: a bulk transaction does not pay for a million.
    @Test func entitiesOfTheTransactionItselfTakeNoEntries() throws {
        let (store, committer) = try makeStore()
        let transaction = committer.begin(nodes: 1010, relationships: 2010, locks: session(store))
        var nodes: [NodeID] = []
        for _ in 0..<1000 { nodes.append(try transaction.createNode()) }
        for index in 0..<1999 {
            let id = try transaction.createRelationship(type: "T", from: nodes[index % 1000], to: nodes[index / 2])
            try transaction.setProperty("p", to: .integer(1), ofRelationship: id)
        }
        try transaction.deleteNode(try transaction.createNode())
        #expect(store.locks.statistics.lockedCount == 0)
        _ = try transaction.createRelationship(type: "T", from: nodes[0], to: NodeID(0))
        #expect(store.locks.statistics.lockedCount == 1)
    }

    /// TX-02, TX-18: reading takes no lock, whatever is locked.
    @Test func readingInsideAndOutsideOfTransactionsLocksNothing() throws {
        let (store, committer) = try makeStore()
        let holder = session(store)
        try committer.begin(locks: holder).setProperty("p", to: .integer(1), ofNode: NodeID(0))
        let before = store.locks.statistics
        let read = store.beginRead()
        #expect(read.nodeExists(NodeID(0)) && read.properties(ofNode: NodeID(0)).isEmpty)
        let writing = committer.begin(locks: session(store))
        #expect(writing.nodeExists(NodeID(0)) && writing.degree(NodeID(0), .both, types: []) == 0)
        #expect(store.locks.statistics == before)
    }

    /// TX-16, TX-17: read locks are shared, keep writers out, and are held to the end.
    @Test func readLocksAreSharedAndKeepWritersOut() throws {
        let (store, committer) = try makeStore()
        let (first, second) = (session(store), session(store))
        let (one, two) = (committer.begin(locks: first), committer.begin(locks: second))
        try one.acquireReadLock(on: NodeID(0))
        try two.acquireReadLock(on: NodeID(0))
        let writer = committer.begin(locks: session(store, timeout: 0))
        #expect(Self.code { () throws(GraphError) in
            try writer.setProperty("p", to: .integer(1), ofNode: NodeID(0))
        } == .lockTimeout)
        // TX-11: it takes no more writes.
        #expect(Self.code { () throws(GraphError) in _ = try writer.createNode() } == .transactionFailed)
        #expect(Self.code { () throws(GraphError) in _ = try writer.finish() } == .lockTimeout)
        first.release()
        second.release()
        let later = committer.begin(locks: session(store, timeout: 0))
        try later.setProperty("p", to: .integer(1), ofNode: NodeID(0))
        #expect(store.locks.statistics.timeoutCount == 1)
    }

    @Test func locksOfWhatIsNotThereAndOfReadTransactionsAreRefused() throws {
        let (store, committer) = try makeStore()
        let transaction = committer.begin(locks: session(store))
        #expect(Self.code { () throws(GraphError) in try transaction.acquireWriteLock(on: NodeID(77)) } == .entityNotFound)
        #expect(Self.code { () throws(GraphError) in
            try transaction.acquireReadLock(on: RelationshipID(77))
        } == .entityNotFound)
        #expect(Self.code { () throws(GraphError) in
            try store.beginRead().acquireWriteLock(on: NodeID(0))
        } == .readOnly)
        #expect(Self.code { () throws(GraphError) in
            try committer.begin().acquireWriteLock(on: NodeID(0))
        } == .argumentError)
    }

    /// What was changed since the snapshot shows when the lock is taken, not only at the commit.
    @Test func explicitLockOfSomethingThatHasChangedIsAConflict() throws {
        let (store, committer) = try makeStore()
        let late = committer.begin(locks: session(store))
        let other = committer.begin()
        try other.setProperty("p", to: .integer(1), ofNode: NodeID(0))
        try committer.commitAndWait(other)
        #expect(Self.code { () throws(GraphError) in try late.acquireWriteLock(on: NodeID(0)) } == .conflict)
        #expect(late.failure?.code == .conflict)
    }

    /// TX-23, TX-24: exactly one gives way, keeps its locks until it ends, and then the others go on.
    @Test(arguments: 2...5) func ringOfTransactionsLosesExactlyOne(length: Int) throws {
        let (store, committer) = try makeStore()
        let setUp = committer.begin()
        var nodes: [NodeID] = []
        for _ in 0..<length { nodes.append(try setUp.createNode()) }
        try committer.commitAndWait(setUp)
        let holding = Monitor(0)
        let outcomes = Mutex<[ErrorCode?]>([])
        let heldAtDeadlock = Mutex<Bool>(false)
        let threads = (0..<length).map { [nodes] number in
            DedicatedThread(name: "ring-\(number)") {
                let locks = store.locks.makeSession(.blocking, timeout: 20_000)
                let transaction = store.beginWrite(committer.reserve, locks: locks)
                let code = Self.code { () throws(GraphError) in
                    try transaction.setProperty("p", to: .integer(1), ofNode: nodes[number])
                    holding.withLock { $0 += 1 }
                    holding.signal()
                    _ = holding.wait { $0 == length ? true : nil }
                    try transaction.setProperty("p", to: .integer(1), ofNode: nodes[(number + 1) % length])
                }
                if code == .deadlock {
                    let isHeld = !Self.isFree(store, LockTable.Key(nodes[number]), .exclusive)
                    heldAtDeadlock.withLock { $0 = isHeld }
                }
                outcomes.withLock { $0.append(code) }
                locks.release()
            }
        }
        for thread in threads { thread.join() }
        #expect(outcomes.withLock { $0.count { $0 == .deadlock } } == 1)
        #expect(outcomes.withLock { $0.count { $0 == nil } } == length - 1)
        #expect(heldAtDeadlock.withLock { $0 })
        let statistics = store.locks.statistics
        #expect(statistics.avertedDeadlockCount == 1 && statistics.lockedCount == 0 && statistics.waitingCount == 0)
    }

    @Test func deadlockErrorNamesTransactionsAndEntities() throws {
        let (store, _) = try makeStore()
        let (one, two) = (session(store), store.locks.makeSession(.suspending, timeout: 20_000))
        let (a, b) = (LockTable.Key(NodeID(1)), LockTable.Key(RelationshipID(2)))
        _ = try one.acquire(a, .exclusive)
        _ = try two.acquire(b, .exclusive)
        #expect(throws: GraphError.self) { try two.acquire(a, .exclusive) }
        #expect(two.isSuspended)
        #expect {
            try one.acquire(b, .exclusive)
        } throws: { error in
            guard let error = error as? GraphError else { return false }
            return error.code == .deadlock && error.isRetryable
                && error.message.contains("\(one.id) waits for Relationship[2], held by \(two.id) waits for Node[1]")
        }
        // The other one goes on when the loser has ended.
        one.release()
        let outcome = Mutex<String>("")
        two.whenLocked { error in outcome.withLock { $0 = error.map { $0.code.name } ?? "locked" } }
        #expect(outcome.withLock { $0 } == "locked")
    }

    /// Those who wait for one lock get it in the order in which they came.
    @Test func waitingThreadsGetTheirTurnInOrder() throws {
        let (store, _) = try makeStore()
        let key = LockTable.Key(NodeID(1))
        let holder = session(store)
        _ = try holder.acquire(key, .exclusive)
        let order = Mutex<[Int]>([])
        var threads: [DedicatedThread] = []
        for number in 0..<8 {
            threads.append(DedicatedThread(name: "waits-\(number)") {
                let session = store.locks.makeSession(.blocking, timeout: 20_000)
                if (try? session.acquire(key, .exclusive)) != nil { order.withLock { $0.append(number) } }
                session.release()
            })
            while store.locks.statistics.waitingCount <= number {}
        }
        holder.release()
        for thread in threads { thread.join() }
        #expect(order.withLock { $0 } == Array(0..<8))
        #expect(store.locks.statistics.waitCount == 8 && store.locks.statistics.waitNanoseconds > 0)
    }

    @Test func waitsWithoutAThreadEndWithTheirTime() throws {
        let (store, _) = try makeStore()
        let holder = session(store)
        let key = LockTable.Key(NodeID(1))
        _ = try holder.acquire(key, .exclusive)
        let (late, next) = (
            store.locks.makeSession(.suspending, timeout: 0), store.locks.makeSession(.suspending, timeout: 60_000)
        )
        #expect(throws: GraphError.self) { try late.acquire(key, .exclusive) }
        #expect(throws: GraphError.self) { try next.acquire(key, .exclusive) }
        let outcomes = Mutex<[String]>([])
        late.whenLocked { error in outcomes.withLock { $0.append(error?.code.name ?? "locked") } }
        next.whenLocked { error in outcomes.withLock { $0.append(error?.code.name ?? "locked") } }
        store.locks.expireWaits()
        #expect(outcomes.withLock { $0 } == [ErrorCode.lockTimeout.name])
        holder.release()
        #expect(outcomes.withLock { $0 } == [ErrorCode.lockTimeout.name, "locked"])
    }

    /// TX-07: dropped without an end, a session still gives its locks back.
    @Test func droppedSessionReleasesItsLocks() throws {
        let (store, committer) = try makeStore()
        do {
            let transaction = committer.begin(locks: session(store))
            try transaction.setProperty("p", to: .integer(1), ofNode: NodeID(0))
            #expect(store.locks.statistics.lockedCount == 1)
        }
        #expect(store.locks.statistics.lockedCount == 0)
    }
}
