import Database
import FileSystem
import GraphModel
import Storage
import Synchronization
import Testing

/// Requests that name themselves have one effect, at once, one after the other, and at whichever member.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RequestIDTests {
    private static func request(_ text: String) -> Database.RequestOptions {
        var request = Database.RequestOptions()
        request.requestID = RequestID(text)
        return request
    }

    /// Creates a node; true when this try did it, with the transaction that did.
    private static func create(_ database: Database, _ text: String) async throws -> (did: Bool, transaction: TransactionID) {
        let made: TransactionID?
        do throws(GraphError) {
            made = try await database.write(request(text)) { tx throws(GraphError) in
                _ = try tx.createNode(labels: ["N"])
            }.transactionID
        } catch {
            return (false, try #require(error.committedTransaction, "\(error)"))
        }
        return (true, try #require(made))
    }

    @Test func ofManyAtOnceOneIsCarriedOut() async throws {
        let test = try TestDatabase()
        let outcomes = try await withThrowingTaskGroup(of: (did: Bool, transaction: TransactionID).self) { group in
            for _ in 0..<40 { group.addTask { try await Self.create(test.database, "same") } }
            var outcomes: [(did: Bool, transaction: TransactionID)] = []
            for try await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        #expect(outcomes.count(where: \.did) == 1)
        #expect(Set(outcomes.map(\.transaction)).count == 1)
        #expect(test.store.nodeCount == 2)
        #expect(test.store.locks.statistics.lockedCount == 0)
    }

    /// The node is gone when it looks for it.
    @Test func aRepetitionThatFailsOnTheFirstOnesWorkIsARepetition() async throws {
        let test = try TestDatabase()
        let node = try await test.database.write { tx throws(GraphError) in try tx.createNode() }.value
        for round in 0..<2 {
            let outcome = await code { () async throws(GraphError) in
                try await test.database.write(Self.request("delete")) { tx throws(GraphError) in try tx.deleteNode(node) }
            }
            #expect(outcome == (round == 0 ? nil : .requestCommitted))
        }
        #expect(test.store.nodeCount == 1)
    }

    @Test func aRequestThatWritesNothingRunsAgain() async throws {
        let test = try TestDatabase()
        for _ in 0..<2 {
            let result = try await test.database.write(Self.request("nothing")) { tx throws(GraphError) in tx.nodeExists(NodeID(0)) }
            #expect(result.value && result.transactionID == nil)
        }
        #expect(test.store.committedRequests.isEmpty)
    }

    @Test func transactionsByHandHaveNamesToo() async throws {
        let test = try TestDatabase()
        let notes = Notes()
        onThreads([{
            do throws(GraphError) {
                let id = RequestID("by-hand")
                let work = try test.database.beginTransaction(requestID: id)
                _ = try work.graph.createNode()
                notes.note("\(code { () throws(GraphError) in _ = try test.database.beginTransaction(requestID: id) } == .invalidRequest)")
                notes.note("\(code { () throws(GraphError) in _ = try test.database.writeBlocking(requestID: id) { _ throws(GraphError) in } } == .invalidRequest)")
                work.success()
                let transaction = try work.finish()
                notes.note("\(id.flatMap { test.store.transaction(of: $0) } == transaction)")
                notes.note("\(code { () throws(GraphError) in _ = try test.database.beginTransaction(requestID: id) } == .requestCommitted)")
                let again = code { () throws(GraphError) in
                    try test.database.writeBlocking(requestID: id) { tx throws(GraphError) in _ = try tx.createNode() }
                }
                notes.note("\(again == .requestCommitted)")
            } catch { notes.note("threw \(error)") }
        }])
        #expect(notes.all == Array(repeating: "true", count: 5))
        #expect(test.store.nodeCount == 2)
    }

    // MARK: Clusters

    @Test func anyMemberKnowsWhatAnyOtherCarriedOut() async throws {
        let cluster = try await TestMembers()
        let slaves = cluster.slaves
        let master = try #require(cluster.master)
        try #require(slaves.count == 2)
        for (number, member) in [slaves[0], master, slaves[1]].enumerated() {
            let first = try await Self.create(member.database, "request-\(number)")
            #expect(first.did)
            for other in cluster.all {
                let again = try await Self.create(other.database, "request-\(number)")
                #expect(!again.did && again.transaction == first.transaction)
                // Readable where it is told.
                #expect(other.database.status.applied.transactionID >= first.transaction)
            }
        }
        #expect(try master.member.readableStore().nodeCount == 4)
        #expect(cluster.failures == [])
        await cluster.close()
    }

    @Test func atAllMembersAtOnceOneIsCarriedOut() async throws {
        let cluster = try await TestMembers()
        for round in 0..<20 {
            let outcomes = try await withThrowingTaskGroup(of: (did: Bool, transaction: TransactionID).self) { group in
                for member in cluster.all + cluster.all {
                    group.addTask { try await Self.create(member.database, "round-\(round)") }
                }
                var outcomes: [(did: Bool, transaction: TransactionID)] = []
                for try await outcome in group { outcomes.append(outcome) }
                return outcomes
            }
            #expect(outcomes.count(where: \.did) == 1)
            #expect(Set(outcomes.map(\.transaction)).count == 1)
        }
        #expect(try #require(cluster.master).member.readableStore().nodeCount == 21)
        await cluster.close()
    }

    @Test func theNextMasterKnowsWhatTheLastOneCarriedOut() async throws {
        let cluster = try await TestMembers()
        let master = try #require(cluster.master)
        var transactions: [TransactionID] = []
        for number in 0..<20 { transactions.append(try await Self.create(master.database, "request-\(number)").transaction) }
        await cluster.kill(master)
        await cluster.until { cluster.all.contains { $0 !== master && $0.database.status.isWritableMaster } }
        for member in cluster.all where member !== master {
            for number in 0..<20 {
                let again = try await Self.create(member.database, "request-\(number)")
                #expect(!again.did && again.transaction == transactions[number])
            }
        }
        await cluster.close()
    }
}
