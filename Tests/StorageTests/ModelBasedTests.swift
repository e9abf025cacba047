import FileSystem
import GraphModel
import Storage
import TestSupport
import Testing

@Suite struct ModelBasedTests {
    /// Random transactions, some given up, over checkpoints and reopenings, with snapshots held across all of it.
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func storeAgreesWithAPlainModelAtEveryStep(seed: UInt64) throws {
        let disk = CrashableFileSystem()
        var options = Store.Options()
        options.usesLogThread = false
        options.nodeRangeBits = 4
        options.relationshipRangeBits = 5
        options.logRotationByteCount = 4096
        options.logPreallocationByteCount = 1024
        options.logRetention = .bytes(8192)
        var store: Store? = try Store.open("store", fileSystem: disk, options: options)
        var committer: LocalCommitter? = try LocalCommitter(try #require(store))
        var workload = RandomWorkload(seed: seed)
        var model = ModelGraph()
        model.nodes[0] = .init()
        var snapshots: [(Transaction, ModelGraph)] = []
        for round in 0..<150 {
            let comment: Comment = "seed \(seed), round \(round)"
            let transaction = try #require(committer).begin()
            var attempt = model
            for _ in 0..<Int.random(in: 1...12, using: &workload.generator) {
                try workload.step(transaction, &attempt)
            }
            #expect(ModelGraph(reading: transaction) == attempt, comment)
            if Int.random(in: 0..<5, using: &workload.generator) > 0 {
                try #require(committer).commitAndWait(transaction)
                model = attempt
            }
            let read = try #require(store).beginRead()
            #expect(ModelGraph(reading: read) == model, comment)
            #expect(read.nodeCount() == model.nodes.count, comment)
            #expect(read.relationshipCount() == model.relationships.count, comment)
            for label in RandomWorkload.labels {
                let count = read.token(.label, label).map { read.nodeCount(label: $0) } ?? 0
                #expect(count == model.nodes.values.count { $0.labels.contains(label) }, comment)
            }
            if round % 10 == 0 {
                for direction in Direction.allCases {
                    for type in [nil, "KNOWS", "F"] as [String?] {
                        #expect(
                            ModelGraph.adjacency(read, direction, type: type) == model.adjacency(direction, type: type),
                            comment)
                    }
                }
                snapshots.append((read, model))
            }
            if Int.random(in: 0..<8, using: &workload.generator) == 0 { try #require(store).checkpoint() }
            if Int.random(in: 0..<20, using: &workload.generator) == 0 {
                try #require(store).close()
                snapshots.removeAll()
                committer = nil
                store = nil
                store = try Store.open("store", fileSystem: disk, options: options)
                committer = try LocalCommitter(try #require(store))
            }
        }
        for (snapshot, wanted) in snapshots { #expect(ModelGraph(reading: snapshot) == wanted, "seed \(seed)") }
    }

    @Test func lostConflictNamesTheWinner() throws {
        let (store, committer) = try makeStore()
        let first = committer.begin()
        let second = committer.begin()
        try first.setProperty("c", to: .integer(1), ofNode: NodeID(0))
        try second.setProperty("c", to: .integer(2), ofNode: NodeID(0))
        let winner = try committer.commitAndWait(first)
        #expect {
            try committer.commitAndWait(second)
        } throws: {
            ($0 as? GraphError)?.code == .conflict && ($0 as? GraphError)?.conflictingTransaction == winner
        }
        #expect(store.beginRead().properties(ofNode: NodeID(0)).map(\.value) == [.integer(1)])
    }

    @Test func relationshipsAtOneNodeDoNotConflictButItsDeletionDoes() throws {
        let (_, committer) = try makeStore()
        let transactions = (0..<3).map { _ in committer.begin() }
        let deletion = committer.begin()
        for transaction in transactions {
            let node = try transaction.createNode()
            _ = try transaction.createRelationship(type: "T", from: node, to: NodeID(0))
        }
        try deletion.deleteNode(NodeID(0))
        for transaction in transactions { try committer.commitAndWait(transaction) }
        #expect(throws: GraphError.self) { try committer.commitAndWait(deletion) }
    }

    @Test func nodeWithRelationshipsCannotBeDeleted() throws {
        let (_, committer) = try makeStore()
        let transaction = committer.begin()
        let node = try transaction.createNode()
        let relationship = try transaction.createRelationship(type: "T", from: node, to: NodeID(0))
        try committer.commitAndWait(transaction)
        let deletion = committer.begin()
        try deletion.deleteNode(node)
        #expect { try deletion.finish() } throws: { ($0 as? GraphError)?.code == .constraintViolation }
        try deletion.deleteRelationship(relationship)
        try committer.commitAndWait(deletion)
    }

    @Test func writingToADeletedEntityThrowsAtOnce() throws {
        let (_, committer) = try makeStore()
        let transaction = committer.begin()
        let node = try transaction.createNode()
        try transaction.deleteNode(node)
        #expect { try transaction.setProperty("a", to: .integer(1), ofNode: node) } throws: {
            ($0 as? GraphError)?.code == .entityDeleted
        }
        #expect { try transaction.setProperty("a", to: .integer(1), ofNode: NodeID(77)) } throws: {
            ($0 as? GraphError)?.code == .entityNotFound
        }
        #expect { try transaction.setProperty("a", to: .map(MapValue([])), ofNode: NodeID(0)) } throws: {
            ($0 as? GraphError)?.code == .typeError
        }
    }

    /// A backup of a cluster, used alone, goes on in the cluster's last epoch: its log must stay readable.
    @Test func storeOfAClusterGoesOnAlone() throws {
        let disk = CrashableFileSystem()
        var options = Store.Options()
        options.usesLogThread = false
        var store: Store? = try Store.open("store", fileSystem: disk, options: options)
        var sequencer = try Sequencer(try #require(store))
        try store?.append([sequencer.epochStart(Epoch(5), commitPoint: .zero, wallClockMilliseconds: 0)])
        store?.flush()
        try store?.apply(upTo: TransactionID(1))
        for number in 2...4 as ClosedRange<UInt64> {
            do {
                // The directory stays locked as long as anything refers to the store.
                let committer = try LocalCommitter(try #require(store))
                let transaction = committer.begin()
                _ = try transaction.createNode()
                #expect(try committer.commitAndWait(transaction) == TransactionID(number))
            }
            store?.close()
            store = nil
            store = try Store.open("store", fileSystem: disk, options: options)
            #expect(store?.applied.epoch == Epoch(5))
            #expect(store?.applied.transactionID == TransactionID(number))
        }
    }

    @Test func secondOpeningOfADirectoryIsRefused() throws {
        let disk = CrashableFileSystem()
        var options = Store.Options()
        options.usesLogThread = false
        let store = try Store.open("store", fileSystem: disk, options: options)
        #expect { try Store.open("store", fileSystem: disk, options: options) } throws: {
            ($0 as? GraphError)?.code == .storeLocked
        }
        store.close()
    }

    private func makeStore() throws -> (Store, LocalCommitter) {
        var options = Store.Options()
        options.usesLogThread = false
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: options)
        return (store, try LocalCommitter(store))
    }
}
