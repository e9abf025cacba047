import FileSystem
import GraphModel
import LuceneQuery
import Storage
import TestSupport
import Testing

/// A scripted workload with indexes and constraints, stopped at every single file operation.
@Suite struct IndexCrashTests {
    struct Run {
        var acknowledged = 0
        var attempted = 0
    }

    static var options: Store.Options {
        var options = CrashTests.options
        options.indexChunkEntryCount = 3
        options.populationByteCount = 1024
        return options
    }

    /// Numbered nodes before, while and after an index and a constraint are made; number n is transaction n of its kind.
    static func workload(_ disk: CrashableFileSystem, _ run: inout Run) throws {
        let store = try Store.open("store", fileSystem: disk, options: options)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        for number in 1...20 {
            let transaction = committer.begin(nodes: 1, relationships: 1)
            _ = try transaction.createNode(
                labels: ["N"], properties: [("number", .integer(Int64(number))), ("half", .integer(Int64(number / 2)))])
            if number > 3 {
                // Moves an older entry within the index.
                try transaction.setProperty("half", to: .integer(Int64(-number)), ofNode: NodeID(UInt64(number - 2)))
            }
            let node = NodeID(UInt64(number))
            try transaction.add(.node(node), toIndex: "named", key: "number \(number % 3)", value: .text("n \(number)"))
            if number == 2 {
                try transaction.createManualIndex(.node, named: "full", configuration: ["type": "fulltext"])
            }
            if number > 2 {
                try transaction.add(.node(node), toIndex: "full", key: "k", value: .text("each \(number)"))
                try transaction.remove(.node(NodeID(UInt64(number - 1))), fromIndex: "named")
            }
            run.attempted = number
            try committer.commitAndWait(transaction)
            run.acknowledged = number
            if number == 5 {
                let creation = committer.begin(nodes: 0, relationships: 0)
                try creation.createIndex(label: "N", keys: ["half"])
                try committer.commitAndWait(creation)
            }
            if number == 6 { try store.checkpoint() }
            if number == 9 {
                let creation = committer.begin(nodes: 0, relationships: 0)
                try creation.createUniquenessConstraint(label: "N", keys: ["number"])
                try creation.createExistenceConstraint(label: "N", keys: ["number", "half"])
                try committer.commitAndWait(creation)
                try committer.finishSchemaWork()
            }
            if number % 7 == 0 { try store.checkpoint() }
        }
    }

    /// After a crash, every index that says it can be read agrees with the nodes, and the schema work goes on to its end.
    static func verify(_ disk: CrashableFileSystem, _ run: Run, _ comment: Comment) throws {
        let store = try Store.open("store", fileSystem: disk, options: options)
        defer { store.close() }
        #expect(store.check().problems == [], comment)
        let count = store.nodeCount - 1
        #expect(count >= run.acknowledged && count <= run.attempted, comment)
        let committer = try LocalCommitter(store)
        let before = store.beginRead().graphChecksum()
        let isSettled = !store.isSchemaStepDue && !store.isPopulationDue
        try committer.finishSchemaWork()
        if isSettled { #expect(store.beginRead().graphChecksum() == before, comment) }
        let statuses = store.schemaStatus()
        #expect(statuses.allSatisfy { $0.state == .online && $0.progress == 1 }, comment)
        if run.acknowledged >= 6 { #expect(statuses.count >= 1, comment) }
        if run.acknowledged >= 10 { #expect(statuses.count == 3, comment) }
        var generator = SeededGenerator(seed: 1)
        let read = store.beginRead()
        let graph = ModelGraph(reading: read)
        for status in statuses where status.rule.kind != .existence {
            let model = IndexModel(status, graph)
            #expect(model.entries.count == count, comment)
            try model.verify(read, &generator, comment)
        }
        #expect(store.check().problems == [], comment)
        if count > 0 {
            let left = try read.query(.node, index: "named", .everything).map(\.id)
            #expect(left == (count < 3 ? Array(1...UInt64(count)) : [1, UInt64(count)]), comment)
        }
        if count > 2 {
            #expect(try read.query(.node, index: "full", .term("k", "Each")).count == count - 2, comment)
        }
    }

    static var operationCount: Int {
        get throws {
            let disk = CrashableFileSystem()
            var run = Run()
            try workload(disk, &run)
            #expect(run.acknowledged == 20)
            return disk.operationCount
        }
    }

    @Test func indexesAgreeAfterACrashAtEveryOperation() throws {
        for operation in 0..<(try Self.operationCount) {
            for seed in 0..<2 as Range<UInt64> {
                let disk = CrashableFileSystem()
                disk.inject(.crash, at: operation)
                var run = Run()
                #expect(throws: GraphError.self) { try Self.workload(disk, &run) }
                var generator = SeededGenerator(seed: seed &* 7919 &+ UInt64(operation))
                try Self.verify(
                    disk.crashClone(using: &generator), run,
                    "crash at operation \(operation) (\(disk.operationName(operation))), seed \(seed)")
            }
        }
    }

    @Test(arguments: [CrashableFileSystem.Fault.noSpace, .ioError])
    func indexesAgreeAfterAnOperationFailed(fault: CrashableFileSystem.Fault) throws {
        for operation in 0..<(try Self.operationCount) {
            let disk = CrashableFileSystem()
            disk.inject(fault, at: operation)
            var run = Run()
            do { try Self.workload(disk, &run) } catch is GraphError {}
            try Self.verify(disk, run, "\(fault) at operation \(operation) (\(disk.operationName(operation)))")
        }
    }

    /// A store with forty nodes and an index that waits to be populated.
    private static func unpopulated(_ disk: CrashableFileSystem) throws -> (Store, LocalCommitter) {
        let store = try Store.open("store", fileSystem: disk, options: options)
        let committer = try LocalCommitter(store)
        let transaction = committer.begin()
        for number in 0..<40 as Range<Int64> {
            _ = try transaction.createNode(labels: ["N"], properties: [("number", .integer(number % 13))])
        }
        try transaction.createIndex(label: "N", keys: ["number"])
        try committer.commitAndWait(transaction)
        return (store, committer)
    }

    @Test func populationThatFailsIsTriedAgainInTheSameStore() throws {
        let measured = CrashableFileSystem()
        let (store, _) = try Self.unpopulated(measured)
        let start = measured.operationCount
        try store.populateIndexes()
        let end = measured.operationCount
        store.close()
        var failureCount = 0
        for operation in start..<end {
            let disk = CrashableFileSystem()
            let (store, committer) = try Self.unpopulated(disk)
            disk.inject(.ioError, at: operation)
            do throws(GraphError) { try store.populateIndexes() } catch {
                failureCount += 1
                #expect(error.code == .storageIO, "operation \(operation): \(error)")
            }
            let change = committer.begin()
            _ = try change.createNode(labels: ["N"], properties: [("number", .integer(99))])
            try committer.commitAndWait(change)
            try store.populateIndexes()
            #expect(!store.isPopulationDue)
            #expect(store.check().problems == [], "operation \(operation)")
            #expect(store.check().indexEntryCount == 41, "operation \(operation)")
            store.close()
        }
        #expect(failureCount > (end - start) / 2)
    }

    @Test func flippedBitInAnIndexIsFoundWithFileAndOffset() throws {
        var generator = SeededGenerator(seed: 42)
        let disk = CrashableFileSystem()
        var run = Run()
        try Self.workload(disk, &run)
        let names = try disk.list("store").filter { $0.hasPrefix("index.") }
        #expect(names.count > 3)
        for name in names {
            let size = try disk.readAll("store/\(name)").count
            for _ in 0..<25 {
                let offset = Int.random(in: 0..<size, using: &generator)
                let mask = UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
                disk.corrupt("store/\(name)", at: offset, xor: mask)
                do throws(GraphError) {
                    // Padding between sections carries nothing; there a flip must change no answer.
                    let store = try Store.open("store", fileSystem: disk, options: Self.options)
                    defer { store.close() }
                    let read = store.beginRead()
                    for status in store.schemaStatus() where status.rule.kind != .existence {
                        var ids: ContiguousArray<UInt64> = []
                        var cursor = IndexCursor()
                        while try read.scan(status.rule.id, .all, cursor: &cursor, limit: 5, into: &ids) {}
                        #expect(ids.count == 20, "\(name) at \(offset)")
                    }
                    // Each of these looks at one of the three parts of a named index.
                    for index in read.manualIndexes(.node) {
                        #expect(try read.query(.node, index: index.name, .everything).count == (index.name == "full" ? 18 : 2))
                        _ = try read.query(.node, index: index.name, .matching(key: "k", .wildcard(.beginning(with: ""))))
                    }
                    _ = read.graphChecksum()
                    try read.requireIntact()
                    #expect(store.check().problems == [], "\(name) at \(offset)")
                } catch {
                    #expect([.corrupt, .formatVersion, .foreignStore].contains(error.code), "\(name) at \(offset): \(error)")
                    #expect(error.message.contains(name), "\(name) at \(offset): \(error)")
                }
                disk.corrupt("store/\(name)", at: offset, xor: mask)
            }
        }
    }
}
