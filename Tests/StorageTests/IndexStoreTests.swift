import FileSystem
import GraphModel
import Storage
import TestSupport
import Testing

@Suite struct IndexStoreTests {
    private static var options: Store.Options { IndexModelTests.options }

    private func fill(_ committer: LocalCommitter, _ numbers: Range<Int64>) throws {
        let transaction = committer.begin(nodes: numbers.count, relationships: 0)
        for number in numbers {
            _ = try transaction.createNode(
                labels: ["N"], properties: [("number", .integer(number)), ("tenth", .integer(number / 10))])
        }
        try committer.commitAndWait(transaction)
    }

    private func createIndex(_ committer: LocalCommitter, _ key: String) throws {
        let transaction = committer.begin(nodes: 0, relationships: 0)
        try transaction.createIndex(label: "N", keys: [key])
        try committer.commitAndWait(transaction)
    }

    /// A member that only applies the log has the same schema and the same checksum, and its own population.
    @Test func followerThatAppliesTheLogAgrees() throws {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: Self.options)
        let committer = try LocalCommitter(store)
        try fill(committer, 0..<50)
        let creation = committer.begin(nodes: 0, relationships: 0)
        try creation.createIndex(label: "N", keys: ["tenth"])
        try creation.createUniquenessConstraint(label: "N", keys: ["number"])
        try committer.commitAndWait(creation)
        try committer.finishSchemaWork()
        try fill(committer, 100..<120)
        var options = Self.options
        options.storeID = store.storeID
        let follower = try Store.open("follower", fileSystem: CrashableFileSystem(), options: options)
        let records = try #require(try store.records(after: .zero, maximumByteCount: 1 << 20))
        try follower.append(records)
        follower.flush()
        try follower.apply(upTo: store.applied.transactionID)
        #expect(follower.isPopulationDue)
        #expect(follower.schemaStatus().map(\.state) == [.populating, .populating])
        #expect(follower.schemaStatus().map(\.rule) == store.schemaStatus().map(\.rule))
        #expect(follower.beginRead().graphChecksum() == store.beginRead().graphChecksum())
        // What a member cannot check yet it does not let through.
        committer.reserveIDs(nodes: 2, relationships: 0)
        let early = follower.beginWrite(committer.reserve)
        _ = try early.createNode(labels: ["N"], properties: [("number", .integer(7))])
        #expect(performing: { try early.finish() }, throws: { ($0 as? GraphError)?.code == .unavailable })
        try follower.populateIndexes()
        let late = follower.beginWrite(committer.reserve)
        _ = try late.createNode(labels: ["N"], properties: [("number", .integer(7))])
        #expect(performing: { try late.finish() }, throws: { ($0 as? GraphError)?.code == .constraintViolation })
        #expect(follower.schemaStatus() == store.schemaStatus())
        #expect(follower.check().problems == [])
        #expect(follower.beginRead().graphChecksum() == store.beginRead().graphChecksum())
        follower.close()
        store.close()
    }

    /// A copy has the chunks, and after its log the same entries.
    @Test func copyOfAStoreHasItsIndexes() throws {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: Self.options)
        let committer = try LocalCommitter(store)
        try fill(committer, 0..<50)
        try createIndex(committer, "number")
        try committer.finishSchemaWork()
        try fill(committer, 50..<60)
        // Without its run, to be populated by whoever opens the copy.
        try createIndex(committer, "tenth")
        let source = store.beginCopy()
        #expect(source.files.contains { $0.name.hasPrefix("index.") })
        let disk = CrashableFileSystem()
        let target = try StoreCopyTarget(directory: "copy", fileSystem: disk, manifest: source.manifest)
        // The files stay readable although checkpoints replace them meanwhile.
        try fill(committer, 60..<70)
        try store.checkpoint()
        for (number, file) in source.files.enumerated() {
            var offset: UInt64 = 0
            while offset < file.byteCount {
                let part = try source.read(number, from: offset, maximumByteCount: 100)
                try target.write(file.name, part)
                offset += UInt64(part.count)
            }
        }
        var position = source.basePosition.transactionID
        while true {
            let records = try source.records(after: position, through: source.latest.transactionID, maximumByteCount: 4096)
            guard let last = records.last else { break }
            try target.append(records)
            position = last.position.transactionID
        }
        try target.finish(expecting: store.applied)
        let copy = try Store.open("copy", fileSystem: disk, options: Self.options)
        #expect(copy.schemaStatus().map(\.progress) == [1, 0])
        #expect(copy.beginRead().graphChecksum() == store.beginRead().graphChecksum())
        #expect(copy.check().problems == [])
        try copy.populateIndexes()
        #expect(copy.check().indexEntryCount == 140)
        #expect(copy.beginRead().graphChecksum() == store.beginRead().graphChecksum())
        copy.close()
        store.close()
    }

    @Test func checksumTellsIndexesApart() throws {
        func checksum(_ body: (Transaction) throws -> Void) throws -> GraphChecksum {
            let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: Self.options)
            let committer = try LocalCommitter(store)
            let transaction = committer.begin()
            _ = try transaction.createNode(labels: ["N"], properties: [("a", .integer(1)), ("b", .integer(1))])
            try body(transaction)
            try committer.commitAndWait(transaction)
            defer { store.close() }
            return store.beginRead().graphChecksum()
        }
        let checksums = [
            try checksum { _ in },
            try checksum { try $0.createIndex(label: "N", keys: ["a"], name: "i") },
            try checksum { try $0.createIndex(label: "N", keys: ["b"], name: "i") },
            try checksum { try $0.createIndex(label: "N", keys: ["a", "b"], name: "i") },
            try checksum { try $0.createIndex(label: "N", keys: ["a"], name: "j") },
            try checksum { try $0.createUniquenessConstraint(label: "N", keys: ["a"], name: "i") },
        ]
        #expect(Set(checksums.map(\.value)).count == checksums.count)
    }

    /// A checkpoint rewrites the chunks that changed, not the others.
    @Test func checkpointRewritesOnlyWhatChanged() throws {
        let disk = CrashableFileSystem()
        let store = try Store.open("store", fileSystem: disk, options: Self.options)
        let committer = try LocalCommitter(store)
        try fill(committer, 0..<200)
        try createIndex(committer, "number")
        try committer.finishSchemaWork()
        let before = Set(try disk.list("store").filter { $0.hasPrefix("index.") })
        #expect(before.count >= 40)
        // In a function: a transaction keeps the files of its snapshot.
        func change() throws {
            let change = committer.begin(nodes: 1, relationships: 0)
            _ = try change.createNode(labels: ["N"], properties: [("number", .float(100.5))])
            try committer.commitAndWait(change)
        }
        try change()
        try store.checkpoint()
        let after = Set(try disk.list("store").filter { $0.hasPrefix("index.") })
        #expect(before.subtracting(after).count == 1)
        #expect(after.subtracting(before).count == 1)
        #expect(store.check().problems == [])
        store.close()
    }

    /// Commits and checkpoints while an index is being populated, held up at every batch.
    @Test func populationTakesInWhatIsCommittedMeanwhile() throws {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: Self.options)
        let committer = try LocalCommitter(store)
        try fill(committer, 0..<30)
        try createIndex(committer, "number")
        var looks = 0
        var failure: (any Error)?
        try store.populateIndexes(isCancelled: {
            looks += 1
            guard looks < 5 else { return false }
            do {
                let change = committer.begin()
                _ = try change.createNode(labels: ["N"], properties: [("number", .integer(Int64(1000 + looks)))])
                try change.setProperty("number", to: .integer(Int64(-looks)), ofNode: NodeID(UInt64(looks)))
                try change.deleteNode(NodeID(UInt64(20 + looks)))
                try committer.commitAndWait(change)
                try store.checkpoint()
            } catch { failure = error }
            return false
        })
        #expect(failure == nil)
        #expect(looks >= 2)
        #expect(store.schemaStatus().map(\.state) == [.online])
        #expect(store.check().problems == [])
        var generator = SeededGenerator(seed: 1)
        let read = store.beginRead()
        try IndexModel(store.schemaStatus()[0], ModelGraph(reading: read)).verify(read, &generator, "after population")
        store.close()
    }

    @Test func populationStopsWhenTheStoreIsClosed() throws {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: Self.options)
        let committer = try LocalCommitter(store)
        try fill(committer, 0..<30)
        try createIndex(committer, "number")
        store.close()
        try store.populateIndexes()
        #expect(store.isPopulationDue)
    }

    @Test func readingAnIndexThatIsNotThereOrNotReadySaysSo() throws {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: Self.options)
        let committer = try LocalCommitter(store)
        try fill(committer, 0..<3)
        try createIndex(committer, "number")
        let read = store.beginRead()
        var ids: ContiguousArray<UInt64> = []
        #expect(performing: { try read.seek(SchemaRuleID(77), equals: .integer(1), into: &ids) }, throws: {
            ($0 as? GraphError)?.code == .schemaRuleNotFound
        })
        let id = try #require(read.schemaRules.first?.id)
        #expect(performing: { try read.seek(id, equals: .integer(1), into: &ids) }, throws: {
            ($0 as? GraphError)?.code == .unavailable
        })
        let label = try #require(read.token(.label, "N"))
        let key = try #require(read.token(.propertyKey, "number"))
        #expect(read.index(label: label, keys: [key]) == nil)
        try committer.finishSchemaWork()
        #expect(store.beginRead().index(label: label, keys: [key]) == id)
        store.close()
    }

    /// A manifest of version 1 is still read.
    @Test func storeWithoutSchemaOpens() throws {
        let disk = CrashableFileSystem()
        func create() throws -> StoreID {
            let store = try Store.open("store", fileSystem: disk, options: Self.options)
            defer { store.close() }
            return store.storeID
        }
        let storeID = try create()
        var bytes = try disk.readAll("store/manifest")
        // Version 2 ends with an empty schema (next id, no rules), no runs, and the checksum.
        bytes.removeLast(16)
        bytes[4] = 1
        var writer = ByteWriter()
        writer.write(raw: bytes)
        writer.write(CRC32C.checksum(bytes))
        try disk.replace("store/manifest", with: writer.bytes)
        let again = try Store.open("store", fileSystem: disk, options: Self.options)
        #expect(again.storeID == storeID)
        #expect(again.schemaStatus() == [])
        again.close()
    }
}
