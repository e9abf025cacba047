import FileSystem
import GraphModel
import Storage
import TestSupport
import Testing

/// A scripted workload, stopped at every single file operation.
@Suite struct CrashTests {
    struct Run {
        var acknowledged = 0
        var attempted = 0
    }

    static var options: Store.Options {
        var options = Store.Options()
        options.usesLogThread = false
        options.nodeRangeBits = 4
        options.relationshipRangeBits = 4
        options.logRotationByteCount = 2048
        options.logPreallocationByteCount = 1024
        options.logRetention = .bytes(2048)
        return options
    }

    /// 24 transactions that each create one numbered node joined to the one before, with checkpoints between.
    static func workload(_ disk: CrashableFileSystem, _ run: inout Run) throws {
        let store = try Store.open("store", fileSystem: disk, options: options)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        for number in 1...24 {
            let transaction = committer.begin(nodes: 1, relationships: 1)
            let node = try transaction.createNode(
                labels: ["N"], properties: [("number", .integer(Int64(number))), ("text", .string("\(number) \(number)"))])
            _ = try transaction.createRelationship(type: "NEXT", from: NodeID(node.rawValue - 1), to: node)
            run.attempted = number
            try committer.commitAndWait(transaction)
            run.acknowledged = number
            if number % 7 == 0 { try store.checkpoint() }
        }
    }

    /// The store after a crash holds transactions 1…n whole, nothing else, with every acknowledged one among them.
    static func verify(_ disk: CrashableFileSystem, _ run: Run, _ comment: Comment) throws {
        let store = try Store.open("store", fileSystem: disk, options: options)
        defer { store.close() }
        let read = store.beginRead()
        let model = ModelGraph(reading: read)
        let count = model.nodes.count - 1
        #expect(count >= run.acknowledged, comment)
        #expect(count <= run.attempted, comment)
        #expect(model.relationships.count == count, comment)
        for number in 0..<max(count, 0) {
            let properties = model.nodes[UInt64(number + 1)]?.properties
            #expect(properties?["number"] == .integer(Int64(number + 1)), comment)
            #expect(properties?["text"] == .string("\(number + 1) \(number + 1)"), comment)
        }
        #expect(ModelGraph.adjacency(read, .both, type: "NEXT") == model.adjacency(.both, type: "NEXT"), comment)
        // And it goes on.
        let committer = try LocalCommitter(store)
        let transaction = committer.begin()
        _ = try transaction.createNode(labels: ["After"])
        try committer.commitAndWait(transaction)
        try store.checkpoint()
        #expect(store.nodeCount == count + 2, comment)
    }

    static var operationCount: Int {
        get throws {
            let disk = CrashableFileSystem()
            var run = Run()
            try workload(disk, &run)
            #expect(run.acknowledged == 24)
            return disk.operationCount
        }
    }

    @Test func reopensWithExactlyTheAcknowledgedTransactionsAfterACrashAtEveryOperation() throws {
        let total = try Self.operationCount
        for operation in 0..<total {
            for seed in 0..<3 as Range<UInt64> {
                let disk = CrashableFileSystem()
                disk.inject(.crash, at: operation)
                var run = Run()
                #expect(throws: GraphError.self) { try Self.workload(disk, &run) }
                var generator = SeededGenerator(seed: seed &* 7919 &+ UInt64(operation))
                let after = disk.crashClone(using: &generator)
                try Self.verify(
                    after, run, "crash at operation \(operation) (\(disk.operationName(operation))), seed \(seed)")
            }
        }
    }

    @Test(arguments: [CrashableFileSystem.Fault.noSpace, .ioError])
    func failedOperationLosesNothingAcknowledgedAndInventsNothing(fault: CrashableFileSystem.Fault) throws {
        let total = try Self.operationCount
        for operation in 0..<total {
            let disk = CrashableFileSystem()
            disk.inject(fault, at: operation)
            var run = Run()
            do { try Self.workload(disk, &run) } catch is GraphError {}
            let comment: Comment = "\(fault) at operation \(operation) (\(disk.operationName(operation)))"
            try Self.verify(disk, run, comment)
            var generator = SeededGenerator(seed: UInt64(operation))
            let second = CrashableFileSystem()
            second.inject(fault, at: operation)
            var secondRun = Run()
            do { try Self.workload(second, &secondRun) } catch is GraphError {}
            try Self.verify(second.crashClone(using: &generator), secondRun, comment)
        }
    }

    @Test func storeIsReadOnlyAfterTheLogFailed() throws {
        let disk = CrashableFileSystem()
        let store = try Store.open("store", fileSystem: disk, options: Self.options)
        let committer = try LocalCommitter(store)
        let first = committer.begin()
        _ = try first.createNode()
        disk.inject(.ioError, at: disk.operationCount + 1)
        #expect { try committer.commitAndWait(first) } throws: { ($0 as? GraphError)?.code == .storageIO }
        let second = committer.begin()
        _ = try second.createNode()
        #expect { try committer.commitAndWait(second) } throws: { ($0 as? GraphError)?.code == .storageIO }
        #expect(store.beginRead().nodeCount() == 1)
        store.close()
    }

    @Test func damageBeforeTheTailRefusesToOpenAndSaysWhere() throws {
        let disk = CrashableFileSystem()
        var run = Run()
        var options = Self.options
        options.logRotationByteCount = 1 << 20
        do {
            let store = try Store.open("store", fileSystem: disk, options: options)
            let committer = try LocalCommitter(store)
            for _ in 0..<5 {
                let transaction = committer.begin()
                _ = try transaction.createNode()
                try committer.commitAndWait(transaction)
                run.acknowledged += 1
            }
            store.close()
        }
        let log = try #require(try disk.list("store").first { $0.hasSuffix(".mlog") })
        disk.corrupt("store/\(log)", at: 64 + 70, xor: 0x10)
        #expect { try Store.open("store", fileSystem: disk, options: options) } throws: {
            guard let error = $0 as? GraphError else { return false }
            return error.code == .corrupt && error.message.contains(log) && error.message.contains("offset 64")
        }
    }
}
