import Database
import GraphModel
import Storage
import Synchronization
import Testing

/// Notes what it is told, and does what it is told to before the commit.
private struct Recorder: TransactionEventHandler {
    var name = "h"
    let notes: Notes
    var change: @Sendable (Transaction) throws -> Void = { _ in }

    func beforeCommit(_ data: TransactionData, in transaction: Transaction) throws -> (any Sendable)? {
        notes.note("\(name) before \(data.createdNodes.count)")
        try change(transaction)
        return "\(name)'s state"
    }

    func afterCommit(_ data: TransactionData, transactionID: TransactionID, state: (any Sendable)?) {
        notes.note("\(name) after \(data.createdNodes.count) \(transactionID) \(state as? String ?? "-")")
    }

    func afterRollback(_ data: TransactionData, state: (any Sendable)?) {
        notes.note("\(name) rollback \(data.createdNodes.count) \(state as? String ?? "-")")
    }
}

private struct Veto: Error {}

private final class Counter: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}

@Suite struct EventTests {
    private func create(_ test: TestDatabase) async -> ErrorCode? {
        await code { () async throws(GraphError) in
            try await test.database.write { tx throws(GraphError) in try tx.createNode() }
        }
    }

    /// TE-01, TE-02: only transactions that write and are to be committed; until it is taken off.
    @Test func handlersHearOfCommitsOnly() async throws {
        let test = try TestDatabase()
        let notes = Notes()
        let registration = test.database.register(Recorder(notes: notes))
        _ = try await test.database.read { tx throws(GraphError) in tx.nodeCount() }
        _ = try await test.database.write { tx throws(GraphError) in tx.nodeCount() }
        _ = await code { () async throws(GraphError) in
            try await test.database.write { tx throws(GraphError) in
                _ = try tx.createNode()
                throw GraphError(.argumentError, "no")
            }
        }
        #expect(notes.all == [])
        #expect(await create(test) == nil)
        #expect(notes.all == ["h before 1", "h after 1 tx 1 h's state"])
        #expect(test.database.unregister(registration))
        #expect(!test.database.unregister(registration))
        #expect(await create(test) == nil)
        #expect(notes.all.count == 2)
        await test.database.close()
    }

    /// TE-04: what a handler changes is committed, with the rest or not at all.
    @Test func handlersMayChangeMore() async throws {
        let test = try TestDatabase()
        let notes = Notes()
        test.database.register(Recorder(notes: notes) { tx in
            for id in tx.changes().createdNodes { try tx.setProperty("stamp", to: .integer(7), ofNode: id) }
        })
        let node = try await test.database.write { tx throws(GraphError) in try tx.createNode() }.value
        #expect(test.property("stamp", of: node) == .integer(7))
        await test.database.close()
    }

    /// TE-06: a veto rolls everything back, and all who were asked hear of it.
    @Test func vetoPreventsTheCommit() async throws {
        let test = try TestDatabase()
        let notes = Notes()
        test.database.register(Recorder(name: "a", notes: notes))
        test.database.register(Recorder(name: "b", notes: notes) { _ in throw Veto() })
        test.database.register(Recorder(name: "c", notes: notes))
        #expect(await create(test) == .handlerFailed)
        #expect(notes.all == ["a before 1", "b before 1", "a rollback 1 a's state", "b rollback 1 -"])
        #expect(test.store.nodeCount == 1 && test.store.locks.statistics.lockedCount == 0)
        await test.database.close()
    }

    @Test func vetoWithAnErrorOfItsOwnReachesTheWriter() async throws {
        let test = try TestDatabase()
        test.database.register(Recorder(notes: Notes()) { _ in throw GraphError(.argumentError, "not on Sundays") })
        #expect(await create(test) == .argumentError)
        await test.database.close()
    }

    /// TE-07: after a commit that fails in the end there is a rollback, not an `afterCommit`.
    @Test func commitThatFailsLaterIsARollback() async throws {
        let test = try TestDatabase()
        let notes = Notes()
        test.database.register(Recorder(notes: notes))
        _ = try await test.database.write { tx throws(GraphError) in
            _ = try tx.createRelationship(type: "T", from: NodeID(0), to: NodeID(0))
        }
        let outcome = await code { () async throws(GraphError) in
            try await test.database.write { tx throws(GraphError) in try tx.deleteNode(NodeID(0)) }
        }
        #expect(outcome == .constraintViolation)
        #expect(notes.all == ["h before 0", "h after 0 tx 1 h's state", "h before 0", "h rollback 0 h's state"])
        await test.database.close()
    }

    /// Handlers hear of statements and of transactions by hand alike.
    @Test func handlersHearOfQueriesAndOfWorkByHand() async throws {
        let test = try TestDatabase()
        let notes = Notes()
        test.database.register(Recorder(notes: notes))
        _ = try await test.database.query(Statement("CREATE (), ()")) { RowCollector() }
        onThreads([{
            do throws(GraphError) {
                _ = try test.database.queryBlocking(Statement("CREATE ()")) { RowCollector() }
                let work = try test.database.beginTransaction()
                for _ in 0..<3 { _ = try work.graph.createNode() }
                work.success()
                try work.finish()
                let given = try test.database.beginTransaction()
                _ = try given.graph.createNode()
                try given.finish()
            } catch {
                notes.note("\(error)")
            }
        }])
        #expect(notes.all == [
            "h before 2", "h after 2 tx 1 h's state", "h before 1", "h after 1 tx 2 h's state", "h before 3",
            "h after 3 tx 3 h's state",
        ])
        await test.database.close()
    }

    /// A lost conflict is a rollback; the next try is asked again.
    @Test func everyTryIsAskedAgain() async throws {
        let test = try TestDatabase()
        let notes = Notes()
        let tries = Counter()
        test.database.register(Recorder(notes: notes) { _ in
            // Stands for a write from another member, which takes no lock here.
            if tries.next() == 1 {
                throw GraphError(.conflict, "somebody was faster")
            }
        })
        #expect(await create(test) == nil)
        #expect(notes.all == ["h before 1", "h rollback 1 -", "h before 1", "h after 1 tx 1 h's state"])
        await test.database.close()
    }
}
