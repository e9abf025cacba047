import Database
import FileSystem
import GraphModel
import Storage
import Synchronization
import Testing

/// The cycle of begin, work, mark, finish, and what nests in it. The bodies run on a thread of their own, which is what
/// the transactions belong to.
@Suite struct TransactionTests {
    /// Runs a body on a thread, where it may block, and gives what it notes.
    private func run(
        _ configure: (inout Database.Options) -> Void = { _ in },
        _ body: @escaping @Sendable (TestDatabase, Notes) throws(GraphError) -> Void
    ) async throws -> (TestDatabase, [String]) {
        let test = try TestDatabase(configure)
        let notes = Notes()
        onThreads([{
            do throws(GraphError) { try body(test, notes) } catch { notes.note("threw \(error)") }
        }])
        return (test, notes.all)
    }

    /// TX-06: success commits; no mark, or failure, rolls back, in whatever order they are called.
    @Test func onlySuccessWithoutFailureCommits() async throws {
        let (test, notes) = try await run { test, notes throws(GraphError) in
            for marks in ["", "s", "f", "sf", "fs", "ss"] {
                let work = try test.database.beginTransaction()
                _ = try work.graph.createNode()
                for mark in marks { if mark == "s" { work.success() } else { work.failure() } }
                let committed = try work.finish() != nil
                notes.note("\(marks): \(committed)")
                if try work.finish() != nil { notes.note("committed twice") }
            }
        }
        #expect(notes == [": false", "s: true", "f: false", "sf: false", "fs: false", "ss: true"])
        #expect(test.store.nodeCount == 3)
        #expect(test.store.locks.statistics.lockedCount == 0)
    }

    /// TX-07, TX-11: what is finished, or dropped, holds nothing and takes nothing.
    @Test func finishedAndDroppedTransactionsAreClosed() async throws {
        let (test, notes) = try await run { test, notes throws(GraphError) in
            let work = try test.database.beginTransaction()
            let graph = try work.graph
            try graph.setProperty("p", to: .integer(1), ofNode: NodeID(0))
            notes.note("\(test.store.locks.statistics.lockedCount)")
            try work.finish()
            notes.note("\(test.store.locks.statistics.lockedCount)")
            notes.note("\(code { () throws(GraphError) in _ = try work.graph } == .transactionClosed)")
            notes.note("\(code { () throws(GraphError) in try work.acquireReadLock(on: NodeID(0)) } == .transactionClosed)")
            notes.note("\(code { () throws(GraphError) in _ = try graph.createNode() } == .transactionClosed)")
            do {
                let dropped = try test.database.beginTransaction()
                try dropped.graph.setProperty("p", to: .integer(1), ofNode: NodeID(0))
                dropped.success()
            }
            notes.note("\(test.store.locks.statistics.lockedCount)")
            // The next one is not nested in it.
            let next = try test.database.beginTransaction()
            _ = try next.graph.createNode()
            next.success()
            notes.note("\(try next.finish() != nil)")
        }
        #expect(notes == ["1", "0", "true", "true", "true", "0", "true"])
        #expect(test.property("p", of: NodeID(0)) == nil)
    }

    /// TX-09: an inner commit writes nothing; the outermost commits everything at once.
    @Test func innerTransactionsJoinTheOuter() async throws {
        let (test, notes) = try await run { test, notes throws(GraphError) in
            let outer = try test.database.beginTransaction()
            let node = try outer.graph.createNode()
            let inner = try test.database.beginTransaction()
            try inner.graph.setProperty("p", to: .integer(1), ofNode: node)
            inner.success()
            notes.note("\(try inner.finish() == nil) \(test.store.nodeCount)")
            let written = try test.database.writeBlocking { tx throws(GraphError) in
                try tx.setProperty("q", to: .integer(2), ofNode: node)
                return try test.database.readBlocking { tx throws(GraphError) in tx.properties(ofNode: node).count }
            }
            notes.note("\(written.value) \(written.transactionID == nil) \(test.store.nodeCount)")
            outer.success()
            notes.note("\(try outer.finish() != nil) \(test.store.nodeCount)")
        }
        #expect(notes == ["true 1", "2 true 1", "true 2"])
        #expect(test.store.applied.transactionID == TransactionID(1))
    }

    /// TX-10, TX-11: one that fails inside takes all with it, and nothing more can be written.
    @Test func innerFailureRollsBackEverything() async throws {
        let (test, notes) = try await run { test, notes throws(GraphError) in
            for kind in ["not marked", "failure", "dropped", "threw"] {
                let outer = try test.database.beginTransaction()
                _ = try outer.graph.createNode()
                switch kind {
                case "threw":
                    let thrown = code { () throws(GraphError) in
                        try test.database.writeBlocking { _ throws(GraphError) in throw GraphError(.argumentError, "no") }
                    }
                    if thrown != .argumentError { notes.note("\(String(describing: thrown))") }
                case "dropped": _ = try test.database.beginTransaction()
                default:
                    let inner = try test.database.beginTransaction()
                    if kind == "failure" {
                        inner.success()
                        inner.failure()
                    }
                    try inner.finish()
                }
                let write = code { () throws(GraphError) in _ = try outer.graph.createNode() }
                outer.success()
                let finish = code { () throws(GraphError) in _ = try outer.finish() }
                notes.note("\(kind): \(write == .transactionFailed) \(finish == .transactionFailed)")
            }
        }
        #expect(notes == ["not marked: true true", "failure: true true", "dropped: true true", "threw: true true"])
        #expect(test.store.nodeCount == 1 && test.store.locks.statistics.lockedCount == 0)
    }

    /// The closure form: an error in the nested one that the outer one swallows still rolls back.
    @Test func swallowedErrorOfANestedClosureStillRollsBack() async throws {
        let (test, notes) = try await run { test, notes throws(GraphError) in
            let outcome = code { () throws(GraphError) in
                try test.database.writeBlocking { tx throws(GraphError) in
                    _ = try tx.createNode()
                    let inner = code { () throws(GraphError) in
                        try test.database.writeBlocking { tx throws(GraphError) in
                            try tx.setProperty("p", to: .integer(1), ofNode: NodeID(99))
                        }
                    }
                    notes.note("\(inner == .entityNotFound)")
                }
            }
            notes.note("\(outcome == .transactionFailed)")
        }
        #expect(notes == ["true", "true"])
        #expect(test.store.nodeCount == 1)
    }

    /// TX-03: whatever fails, nothing of it is there.
    @Test func throwingBodyLeavesNothing() async throws {
        let test = try TestDatabase()
        let outcome = await code { () async throws(GraphError) in
            _ = try await test.database.write { tx throws(GraphError) in
                _ = try tx.createNode(labels: ["L"])
                try tx.setProperty("p", to: .integer(1), ofNode: NodeID(0))
                throw GraphError(.argumentError, "no")
            }
        }
        #expect(outcome == .argumentError)
        #expect(test.store.nodeCount == 1 && test.property("p", of: NodeID(0)) == nil)
        #expect(test.store.locks.statistics.lockedCount == 0)
        await test.database.close()
    }

    /// TX-08.
    @Test func handlesOfAnotherThreadAreRefused() async throws {
        final class Smuggled: @unchecked Sendable {
            // Safety: the other thread has it while this one waits for its end; the test is about what happens then.
            let work: OpenTransaction
            init(_ work: OpenTransaction) { self.work = work }
        }
        let (test, notes) = try await run { test, notes throws(GraphError) in
            let smuggled = Smuggled(try test.database.beginTransaction())
            _ = try smuggled.work.graph.createNode()
            smuggled.work.success()
            onThreads([{
                notes.note("\(code { () throws(GraphError) in _ = try smuggled.work.graph } == .transactionConfined)")
                notes.note("\(code { () throws(GraphError) in _ = try smuggled.work.finish() } == .transactionConfined)")
                // Another thread's transaction is its own.
                let own = code { () throws(GraphError) in
                    try test.database.writeBlocking { tx throws(GraphError) in try tx.createNode() }
                }
                notes.note("\(own == nil) \(test.store.nodeCount)")
            }])
            notes.note("\(try smuggled.work.finish() != nil) \(test.store.nodeCount)")
        }
        #expect(notes == ["true", "true", "true 2", "true 3"])
        _ = test
    }

    /// More ids than any block: by hand nothing can be run again, so they come while it runs.
    @Test func bulkWorkByHandGetsItsIDs() async throws {
        let (test, notes) = try await run { test, notes throws(GraphError) in
            let work = try test.database.beginTransaction()
            let graph = try work.graph
            var last = NodeID(0)
            for _ in 0..<5000 {
                let node = try graph.createNode()
                _ = try graph.createRelationship(type: "NEXT", from: last, to: node)
                last = node
            }
            work.success()
            try work.finish()
        }
        #expect(notes == [])
        #expect(test.store.nodeCount == 5001 && test.store.relationshipCount == 5000)
    }

    /// TX-12, through the front door.
    @Test func transactionLimitIsASetting() async throws {
        let (test, notes) = try await run({ $0.transactionByteCountMaximum = 1000 }) { test, notes throws(GraphError) in
            let outcome = code { () throws(GraphError) in
                try test.database.writeBlocking { tx throws(GraphError) in
                    for _ in 0..<100 { _ = try tx.createNode() }
                }
            }
            notes.note("\(outcome == .transactionTooLarge)")
            _ = try test.database.writeBlocking { tx throws(GraphError) in try tx.createNode() }
        }
        #expect(notes == ["true"])
        #expect(test.store.nodeCount == 2)
    }

    /// TX-34: every way to write says no, reading goes on.
    @Test func readOnlyDatabaseRejectsEveryWrite() async throws {
        let (test, notes) = try await run({ $0.isReadOnly = true }) { test, notes throws(GraphError) in
            notes.note("\(code { () throws(GraphError) in try test.database.writeBlocking { _ throws(GraphError) in } } == .readOnly)")
            notes.note("\(code { () throws(GraphError) in _ = try test.database.beginTransaction() } == .readOnly)")
            let query = code { () throws(GraphError) in
                try test.database.queryBlocking(Statement("CREATE (n)")) { RowCollector() }
            }
            notes.note("\(query == .readOnly)")
            let rows = try test.database.queryBlocking(Statement("MATCH (n) RETURN id(n)")) { RowCollector() }.consumer.rows
            notes.note("\(rows == [[.integer(0)]])")
        }
        #expect(notes == ["true", "true", "true", "true"])
        #expect(await code { () async throws(GraphError) in
            try await test.database.write { _ throws(GraphError) in }
        } == .readOnly)
        #expect(await code { () async throws(GraphError) in
            try await test.database.query(Statement("CREATE (n)")) { RowCollector() }
        } == .readOnly)
        await test.database.close()
    }

    /// A query on a thread runs in that thread's transaction.
    @Test func blockingQueryJoinsTheOpenTransaction() async throws {
        let (test, notes) = try await run { test, notes throws(GraphError) in
            let work = try test.database.beginTransaction()
            _ = try work.graph.createNode(labels: ["L"])
            _ = try test.database.queryBlocking(Statement("CREATE (:L)")) { RowCollector() }
            let rows = try test.database.queryBlocking(Statement("MATCH (n:L) RETURN count(n)")) { RowCollector() }
                .consumer.rows
            notes.note("\(rows == [[.integer(2)]]) \(test.store.nodeCount)")
            try work.finish()
            notes.note("\(test.store.nodeCount)")
        }
        #expect(notes == ["true 1", "1"])
        _ = test
    }

    /// TX-35.
    @Test func transactionIDsIncrease() async throws {
        let test = try TestDatabase()
        var last = TransactionID.zero
        for _ in 0..<5 {
            let id = try await test.database.write { tx throws(GraphError) in try tx.createNode() }.transactionID
            #expect(try #require(id) > last)
            last = try #require(id)
            #expect(test.database.status.applied.transactionID == last)
        }
        #expect(try await test.database.write { _ throws(GraphError) in }.transactionID == nil)
        await test.database.close()
    }
}
