import FileSystem
import GraphModel
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct ConstraintTests {
    private func makeStore(_ options: Store.Options = IndexModelTests.options) throws -> (Store, LocalCommitter) {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: options)
        return (store, try LocalCommitter(store))
    }

    @discardableResult
    private func add(_ committer: LocalCommitter, _ name: Value, label: String = "Person") throws -> NodeID {
        let transaction = committer.begin()
        let node = try transaction.createNode(labels: [label], properties: [("name", name)])
        try committer.commitAndWait(transaction)
        return node
    }

    private func makeUnique(_ committer: LocalCommitter) throws {
        let transaction = committer.begin()
        try transaction.createUniquenessConstraint(label: "Person", keys: ["name"], name: "people")
        try committer.commitAndWait(transaction)
        try committer.finishSchemaWork()
    }

    @Test func violationNamesBothNodesTheValueTheLabelTheKeyAndTheConstraint() throws {
        let (_, committer) = try makeStore()
        let first = try add(committer, .string("Ann"))
        try makeUnique(committer)
        let transaction = committer.begin()
        let second = try transaction.createNode(labels: ["Person"], properties: [("name", .string("Ann"))])
        #expect(performing: { try committer.commitAndWait(transaction) }, throws: { error in
            guard let error = error as? GraphError else { return false }
            return error.code == .constraintViolation
                && ["\(first.rawValue)", "\(second.rawValue)", "Person", "name", "'Ann'", "people"]
                    .allSatisfy { error.message.contains($0) }
        })
        // Labels, other kinds of the same number, and values given up and taken within the transaction count alike.
        try add(committer, .integer(1))
        #expect(throws: GraphError.self) { try add(committer, .float(1)) }
        try add(committer, .string("Ann"), label: "Dog")
        let swap = committer.begin()
        try swap.setProperty("name", to: .string("Bea"), ofNode: first)
        _ = try swap.createNode(labels: ["Person"], properties: [("name", .string("Ann"))])
        try committer.commitAndWait(swap)
    }

    @Test func constraintOverDuplicatesFailsNamesThemAndRefusesNothing() throws {
        let (store, committer) = try makeStore()
        let ids = [try add(committer, .string("Ann")), try add(committer, .string("Ann"))]
        try makeUnique(committer)
        let status = try #require(store.schemaStatus().first)
        #expect(status.state == .failed)
        for id in ids { #expect(status.rule.failure.contains("\(id.rawValue)")) }
        #expect(status.rule.failure.contains("'Ann'"))
        try add(committer, .string("Ann"))
        // Mended, it can be made anew under the same name.
        let mend = committer.begin()
        for node in try nodes(store).dropFirst() { try mend.setProperty("name", to: .null, ofNode: NodeID(node)) }
        try committer.commitAndWait(mend)
        try makeUnique(committer)
        #expect(store.schemaStatus().map(\.state) == [.online])
        #expect(store.check().problems == [])
    }

    private func nodes(_ store: Store) throws -> ContiguousArray<UInt64> {
        let read = store.beginRead()
        let label = try #require(read.token(.label, "Person"))
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        while read.scanNodes(label: label, cursor: &cursor, limit: 100, into: &ids) {}
        return ids
    }

    @Test func secondOfTwoClaimsLosesAsAConflictAndItsRetrySeesTheViolation() throws {
        let (store, committer) = try makeStore()
        try makeUnique(committer)
        let transactions = [committer.begin(), committer.begin()]
        for transaction in transactions {
            _ = try transaction.createNode(labels: ["Person"], properties: [("name", .string("Ann"))])
        }
        let winner = try committer.commitAndWait(transactions[0])
        #expect(performing: { try committer.commitAndWait(transactions[1]) }, throws: {
            ($0 as? GraphError)?.code == .conflict && ($0 as? GraphError)?.conflictingTransaction == winner
        })
        #expect(performing: { try add(committer, .string("Ann")) }, throws: {
            ($0 as? GraphError)?.code == .constraintViolation
        })
        #expect(store.beginRead().nodeCount() == 2)
    }

    @Test func transactionFromBeforeAConstraintRunsAgain() throws {
        let (_, committer) = try makeStore()
        try add(committer, .string("Ann"))
        let old = committer.begin()
        _ = try old.createNode(labels: ["Person"], properties: [("name", .string("Ann"))])
        let creation = committer.begin()
        try creation.createExistenceConstraint(label: "Person", keys: ["age"])
        try committer.commitAndWait(creation)
        #expect(performing: { try committer.commitAndWait(old) }, throws: { ($0 as? GraphError)?.code == .conflict })
    }

    @Test func existenceHoldsForNodesAndRelationships() throws {
        let (store, committer) = try makeStore()
        let creation = committer.begin()
        try creation.createExistenceConstraint(label: "Person", keys: ["name"], name: "named")
        try creation.createExistenceConstraint(relationshipType: "KNOWS", keys: ["since"])
        try committer.commitAndWait(creation)
        try committer.finishSchemaWork()
        #expect(store.schemaStatus().map(\.state) == [.online, .online])
        let node = try add(committer, .string("Ann"))
        func refused(_ body: (Transaction) throws -> Void) throws {
            let transaction = committer.begin()
            try body(transaction)
            #expect(performing: { try committer.commitAndWait(transaction) }, throws: {
                ($0 as? GraphError)?.code == .constraintViolation && "\($0)".contains("must have property")
            })
        }
        try refused { _ = try $0.createNode(labels: ["Person"]) }
        try refused { try $0.setProperty("name", to: .null, ofNode: node) }
        try refused { try $0.addLabel("Person", to: NodeID(0)) }
        try refused { _ = try $0.createRelationship(type: "KNOWS", from: node, to: node) }
        let fine = committer.begin()
        let person = try fine.createNode(labels: ["Person"])
        try fine.setProperty("name", to: .string("Bea"), ofNode: person)
        try fine.removeLabel("Person", from: node)
        try fine.setProperty("name", to: .null, ofNode: node)
        _ = try fine.createRelationship(type: "KNOWS", from: node, to: node, properties: [("since", .integer(1999))])
        try committer.commitAndWait(fine)
        #expect(store.check().problems == [])
    }

    @Test func ruleOfTheSameMeaningOrNameIsRefused() throws {
        let (_, committer) = try makeStore()
        try makeUnique(committer)
        let transaction = committer.begin()
        #expect(performing: { try transaction.createIndex(label: "Person", keys: ["name"]) }, throws: {
            ($0 as? GraphError)?.code == .schemaRuleExists
        })
        #expect(performing: { try transaction.createIndex(label: "Dog", keys: ["name"], name: "people") }, throws: {
            ($0 as? GraphError)?.code == .schemaRuleExists
        })
        #expect(performing: { try transaction.createIndex(label: "Dog", keys: ["a", "a"]) }, throws: {
            ($0 as? GraphError)?.code == .argumentError
        })
        #expect(performing: { try transaction.createIndex(label: "Dog", keys: []) }, throws: {
            ($0 as? GraphError)?.code == .argumentError
        })
        #expect(performing: { try transaction.dropSchemaRule(SchemaRuleID(99)) }, throws: {
            ($0 as? GraphError)?.code == .schemaRuleNotFound
        })
    }

    @Test func twoChangesOfTheSchemaConflict() throws {
        let (_, committer) = try makeStore()
        let transactions = [committer.begin(), committer.begin()]
        for transaction in transactions { try transaction.createIndex(label: "Person", keys: ["name"]) }
        try committer.commitAndWait(transactions[0])
        #expect(performing: { try committer.commitAndWait(transactions[1]) }, throws: {
            ($0 as? GraphError)?.code == .conflict
        })
    }

    /// Threads that all create the same values on a real disk, while the constraint is being made and checkpoints run:
    /// once it is in force there is exactly one node for each.
    @Test func ofConcurrentCreationsOfOneValueExactlyOneWins() throws {
        let directory = "\(processEnvironment()["TMPDIR"] ?? "/tmp")/martlet-index-test.\(UInt64.random(in: .min ... .max))"
        defer {
            let fileSystem = POSIXFileSystem()
            for name in (try? fileSystem.list(directory)) ?? [] { try? fileSystem.remove(directory + "/" + name) }
            try? fileSystem.remove(directory)
        }
        var options = Store.Options()
        options.nodeRangeBits = 6
        options.indexChunkEntryCount = 16
        let store = try Store.open(directory, options: options)
        let committer = try LocalCommitter(store)
        let creation = committer.begin()
        try creation.createUniquenessConstraint(label: "Person", keys: ["name"])
        try committer.commitAndWait(creation)
        try committer.finishSchemaWork()
        let valueCount = 150 as Int64
        let wins = Atomic<Int>(0)
        let losses = Atomic<Int>(0)
        let problems = Mutex<[String]>([])
        let counters = Counters(wins, losses, problems)
        let threads = (0..<4).map { number in
            DedicatedThread(name: "unique-\(number)") {
                for value in 0..<valueCount {
                    var isDecided = false
                    while !isDecided {
                        do throws(GraphError) {
                            let transaction = committer.begin(nodes: 1, relationships: 0)
                            _ = try transaction.createNode(labels: ["Person"], properties: [("name", .integer(value))])
                            try committer.commitAndWait(transaction)
                            counters.wins.add(1, ordering: .relaxed)
                            isDecided = true
                        } catch {
                            if error.code == .constraintViolation {
                                counters.losses.add(1, ordering: .relaxed)
                                isDecided = true
                            } else if error.code != .conflict {
                                counters.problems.withLock { $0.append("\(error)") }
                                isDecided = true
                            }
                        }
                    }
                    if number == 0 && value % 20 == 0 {
                        do throws(GraphError) { try store.checkpoint() } catch {
                            counters.problems.withLock { $0.append("\(error)") }
                        }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(counters.problems.withLock { $0 } == [])
        #expect(counters.wins.load(ordering: .relaxed) == Int(valueCount))
        #expect(counters.losses.load(ordering: .relaxed) == 3 * Int(valueCount))
        #expect(store.check().problems == [])
        store.close()
    }

    private final class Counters: Sendable {
        let wins: Atomic<Int>
        let losses: Atomic<Int>
        let problems: Mutex<[String]>
        init(_ wins: consuming Atomic<Int>, _ losses: consuming Atomic<Int>, _ problems: consuming Mutex<[String]>) {
            self.wins = wins
            self.losses = losses
            self.problems = problems
        }
    }
}
