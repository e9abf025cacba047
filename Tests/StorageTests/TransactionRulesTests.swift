import FileSystem
import GraphModel
import Storage
import Synchronization
import Testing

/// Life, limits and deletions of single transactions; the names are those of the contract's rows.
@Suite struct TransactionRulesTests {
    private func makeStore(isReadOnly: Bool = false, disk: CrashableFileSystem = CrashableFileSystem()) throws -> (
        Store, LocalCommitter
    ) {
        var options = Store.Options()
        options.usesLogThread = false
        options.isReadOnly = isReadOnly
        let store = try Store.open("store", fileSystem: disk, options: options)
        return (store, try LocalCommitter(store))
    }

    private func code(_ body: () throws(GraphError) -> Void) -> ErrorCode? {
        do throws(GraphError) { try body() } catch { return error.code }
        return nil
    }

    private func code(of write: (Transaction) throws -> Void, _ transaction: Transaction) -> ErrorCode? {
        do { try write(transaction) } catch { return (error as? GraphError)?.code }
        return nil
    }

    /// TX-12: the transaction fails, the store does not notice.
    @Test func tooLargeTransactionFailsAndLeavesTheStoreAlone() throws {
        let (store, committer) = try makeStore()
        var options = WriteOptions()
        options.writeSetByteCountMaximum = 10_000
        let transaction = committer.begin(nodes: 1000, options: options)
        var count = 0
        let failure = code { () throws(GraphError) in
            while true {
                _ = try transaction.createNode(properties: [("p", .string(String(repeating: "x", count: 100)))])
                count += 1
            }
        }
        #expect(failure == .transactionTooLarge)
        #expect((40...100).contains(count))
        #expect(code { () throws(GraphError) in _ = try transaction.createNode() } == .transactionFailed)
        #expect(code { () throws(GraphError) in _ = try transaction.finish() } == .transactionTooLarge)
        let next = committer.begin(options: options)
        _ = try next.createNode()
        try committer.commitAndWait(next)
        #expect(store.nodeCount == 2 && store.check().problems == [])
    }

    /// TX-06, TX-07: after its end a transaction takes nothing more.
    @Test func finishedTransactionThrows() throws {
        let (_, committer) = try makeStore()
        let transaction = committer.begin()
        let node = try transaction.createNode()
        try committer.commitAndWait(transaction)
        #expect(code { () throws(GraphError) in
            try transaction.setProperty("p", to: .integer(1), ofNode: node)
        } == .transactionClosed)
        #expect(code { () throws(GraphError) in _ = try transaction.finish() } == .transactionClosed)
        let given = committer.begin()
        given.close()
        #expect(code { () throws(GraphError) in _ = try given.createNode() } == .transactionClosed)
        #expect(code { () throws(GraphError) in try given.requireOpen() } == .transactionClosed)
    }

    /// TX-11: marked for rollback, whoever marked it.
    @Test func markedTransactionRejectsEveryWriteAndTheCommit() throws {
        let (store, committer) = try makeStore()
        let transaction = committer.begin()
        let node = try transaction.createNode()
        transaction.markForRollback(GraphError(.argumentError, "enough"))
        transaction.markForRollback(GraphError(.typeError, "the second reason does not count"))
        for write in [
            { tx in _ = try tx.createNode() },
            { tx in try tx.deleteNode(node) },
            { tx in try tx.addLabel("L", to: node) },
            { tx in try tx.setProperty("p", to: .integer(1), ofNode: NodeID(0)) },
            { tx in _ = try tx.createRelationship(type: "T", from: node, to: node) },
        ] as [(Transaction) throws -> Void] {
            #expect(code(of: write, transaction) == .transactionFailed)
        }
        #expect(transaction.nodeExists(node))
        #expect(code { () throws(GraphError) in _ = try committer.commitAndWait(transaction) } == .argumentError)
        #expect(store.nodeCount == 1)
    }

    /// TX-08: an error, not a race.
    @Test func anotherThreadCannotWriteInATransaction() throws {
        final class Smuggled: @unchecked Sendable {
            // Safety: the other thread has it while this one waits for its end; the test is about what happens then.
            let transaction: Transaction
            init(_ transaction: Transaction) { self.transaction = transaction }
        }
        let (_, committer) = try makeStore()
        let smuggled = Smuggled(committer.begin())
        let seen = Mutex<ErrorCode?>(nil)
        DedicatedThread(name: "stranger") {
            do throws(GraphError) { _ = try smuggled.transaction.createNode() } catch { seen.withLock { $0 = error.code } }
        }.join()
        #expect(seen.withLock { $0 } == .transactionConfined)
        // The owner is not harmed.
        _ = try smuggled.transaction.createNode()
        try committer.commitAndWait(smuggled.transaction)
    }

    /// TX-34.
    @Test func readOnlyStoreRefusesWritesAndIsNotCreated() throws {
        #expect(code { () throws(GraphError) in
            var options = Store.Options()
            options.isReadOnly = true
            _ = try Store.open("missing", fileSystem: CrashableFileSystem(), options: options)
        } == .readOnly)
        let disk = CrashableFileSystem()
        do {
            let (store, _) = try makeStore(disk: disk)
            store.close()
        }
        let (store, committer) = try makeStore(isReadOnly: true, disk: disk)
        let transaction = committer.begin()
        _ = try transaction.createNode()
        #expect(code { () throws(GraphError) in _ = try committer.commitAndWait(transaction) } == .readOnly)
        #expect(store.nodeCount == 1 && store.beginRead().nodeExists(NodeID(0)) && !store.isCheckpointDue)
    }

    /// DL-01, DL-05, DL-06: gone for reading, still there to be named, closed to writing.
    @Test func deletedEntitiesUntilTheCommit() throws {
        let (_, committer) = try makeStore()
        let setUp = committer.begin()
        let node = try setUp.createNode(labels: ["L"], properties: [("p", .integer(1))])
        let relationship = try setUp.createRelationship(type: "T", from: node, to: node, properties: [("p", .integer(1))])
        try committer.commitAndWait(setUp)
        let transaction = committer.begin()
        try transaction.deleteNode(node)
        #expect(!transaction.nodeExists(node) && transaction.hasDeleted(node))
        #expect(transaction.properties(ofNode: node).isEmpty && transaction.labels(of: node).isEmpty)
        // DL-02: its relationship is still there.
        #expect(transaction.relationship(relationship) != nil && !transaction.hasDeleted(relationship))
        try transaction.deleteRelationship(relationship)
        #expect(transaction.relationship(relationship) == nil && transaction.hasDeleted(relationship))
        #expect(transaction.properties(ofRelationship: relationship).isEmpty)
        for write in [
            { tx in try tx.deleteNode(node) },
            { tx in try tx.addLabel("L", to: node) },
            { tx in try tx.removeLabel("L", from: node) },
            { tx in try tx.setProperty("p", to: .null, ofNode: node) },
            { tx in try tx.replaceProperties(ofNode: node, with: []) },
            { tx in _ = try tx.createRelationship(type: "T", from: node, to: NodeID(0)) },
            { tx in try tx.deleteRelationship(relationship) },
            { tx in try tx.setProperty("p", to: .integer(2), ofRelationship: relationship) },
        ] as [(Transaction) throws -> Void] {
            #expect(code(of: write, transaction) == .entityDeleted)
        }
        // DL-04: the node went first, and it commits.
        try committer.commitAndWait(transaction)
        // DL-07.
        let after = committer.begin()
        #expect(!after.hasDeleted(node) && after.relationship(relationship) == nil)
        #expect(code { () throws(GraphError) in try after.deleteNode(node) } == .entityNotFound)
        #expect(code { () throws(GraphError) in try after.deleteRelationship(relationship) } == .entityNotFound)
        #expect(code { () throws(GraphError) in
            _ = try after.createRelationship(type: "T", from: NodeID(0), to: node)
        } == .entityNotFound)
        // DL-08: the ids do not come back.
        #expect(try after.createNode() != node)
        #expect(try after.createRelationship(type: "T", from: NodeID(0), to: NodeID(0)) != relationship)
    }

    /// DL-03: the commit fails, not the deletion, and all of it is rolled back.
    @Test func nodeThatKeepsARelationshipFailsTheWholeCommit() throws {
        let (store, committer) = try makeStore()
        let setUp = committer.begin()
        let node = try setUp.createNode()
        _ = try setUp.createRelationship(type: "T", from: node, to: NodeID(0))
        try committer.commitAndWait(setUp)
        let transaction = committer.begin()
        _ = try transaction.createNode()
        try transaction.deleteNode(node)
        #expect(code { () throws(GraphError) in _ = try committer.commitAndWait(transaction) } == .constraintViolation)
        #expect(store.nodeCount == 2 && store.relationshipCount == 1)
        // A relationship of the same transaction counts, too.
        let second = committer.begin()
        let new = try second.createNode()
        _ = try second.createRelationship(type: "T", from: new, to: NodeID(0))
        try second.deleteNode(new)
        #expect(code { () throws(GraphError) in _ = try second.finish() } == .constraintViolation)
    }

    /// TE-03: the whole difference, with what was there before.
    @Test func changesAreTheWholeDifference() throws {
        let (_, committer) = try makeStore()
        let setUp = committer.begin()
        let kept = try setUp.createNode(labels: ["Old", "Same"], properties: [("a", .integer(1)), ("b", .integer(2)), ("c", .integer(3))])
        let gone = try setUp.createNode(labels: ["Gone"], properties: [("g", .string("was"))])
        let tie = try setUp.createRelationship(type: "T", from: kept, to: gone, properties: [("w", .float(0.5))])
        let stays = try setUp.createRelationship(type: "U", from: kept, to: kept)
        try committer.commitAndWait(setUp)
        let transaction = committer.begin()
        #expect(transaction.changes().createdNodes.isEmpty && transaction.changes().assignedLabels.isEmpty)
        let new = try transaction.createNode(labels: ["New"], properties: [("n", .boolean(true))])
        let passing = try transaction.createNode()
        try transaction.deleteNode(passing)
        try transaction.setProperty("a", to: .float(1), ofNode: kept)
        try transaction.setProperty("b", to: .null, ofNode: kept)
        try transaction.setProperty("c", to: .integer(4), ofNode: kept)
        try transaction.setProperty("c", to: .integer(3), ofNode: kept)
        try transaction.addLabel("Extra", to: kept)
        try transaction.removeLabel("Old", from: kept)
        try transaction.deleteRelationship(tie)
        try transaction.deleteNode(gone)
        try transaction.setProperty("s", to: .integer(9), ofRelationship: stays)
        let made = try transaction.createRelationship(type: "V", from: new, to: kept, properties: [("m", .integer(1))])
        let data = transaction.changes()
        #expect(data.createdNodes == [new])
        #expect(data.deletedNodes == [gone])
        #expect(data.createdRelationships == [.init(id: made, type: "V", start: new, end: kept)])
        #expect(data.deletedRelationships == [.init(id: tie, type: "T", start: kept, end: gone)])
        #expect(data.assignedNodeProperties == [
            .init(node: kept, key: "a", oldValue: .integer(1), newValue: .float(1)),
            .init(node: new, key: "n", oldValue: nil, newValue: .boolean(true)),
        ])
        #expect(data.assignedNodeProperties.first?.newValue?.kindName == "Float")
        #expect(data.removedNodeProperties == [
            .init(node: kept, key: "b", oldValue: .integer(2), newValue: nil),
            .init(node: gone, key: "g", oldValue: .string("was"), newValue: nil),
        ])
        #expect(data.assignedRelationshipProperties == [
            .init(relationship: stays, key: "s", oldValue: nil, newValue: .integer(9)),
            .init(relationship: made, key: "m", oldValue: nil, newValue: .integer(1)),
        ])
        #expect(data.removedRelationshipProperties == [
            .init(relationship: tie, key: "w", oldValue: .float(0.5), newValue: nil)
        ])
        #expect(data.assignedLabels == [.init(node: kept, label: "Extra"), .init(node: new, label: "New")])
        #expect(data.removedLabels == [.init(node: kept, label: "Old"), .init(node: gone, label: "Gone")])
    }
}
