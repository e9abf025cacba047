import FileSystem
import GraphModel
import Storage
import TestSupport
import Testing

/// Bits that flip on the disk: found, with file and offset, or of no consequence. Never a crash, never a wrong answer.
@Suite struct DamageTests {
    static var options: Store.Options {
        var options = Store.Options()
        options.nodeRangeBits = 5
        options.relationshipRangeBits = 6
        options.logRotationByteCount = 6_000
        options.logPreallocationByteCount = 4096
        options.usesLogThread = false
        options.storeID = StoreID(7)
        return options
    }

    /// A store with every kind of column, several types, gaps, a checkpoint, and log files before and after it.
    static func makeStore(_ disk: CrashableFileSystem, after checkpointed: Int = 6) throws -> ModelGraph {
        let store = try Store.open("store", fileSystem: disk, options: options)
        let committer = try LocalCommitter(store)
        var nodes: [NodeID] = []
        func write(_ count: Int) throws {
            let transaction = committer.begin()
            for _ in 0..<count {
                let index = nodes.count
                let node = try transaction.createNode(
                    labels: index % 3 == 0 ? ["A"] : ["B", "C"],
                    properties: [
                        ("id", .integer(Int64(index))), ("name", .string("node \(index) ü")),
                        ("kind", .string("k\(index % 3)")), ("weight", .float(Double(index) / 7)),
                        ("even", .boolean(index % 2 == 0)),
                    ] + (index % 10 == 0 ? [("rare", .bytes(BytesValue([1, 2, UInt8(index)])))] : []))
                if index > 2 {
                    for other in [index / 2, index - 1] {
                        _ = try transaction.createRelationship(
                            type: index % 4 == 0 ? "T" : "U", from: node, to: nodes[other],
                            properties: index % 5 == 0 ? [("since", .integer(1990))] : [])
                    }
                }
                nodes.append(node)
            }
            try committer.commitAndWait(transaction)
        }
        for _ in 0..<6 { try write(10) }
        let schema = committer.begin()
        try schema.createUniquenessConstraint(label: "A", keys: ["id"])
        try schema.createIndex(label: "B", keys: ["kind", "weight"])
        try committer.commitAndWait(schema)
        try committer.finishSchemaWork()
        try store.checkpoint()
        for _ in 0..<checkpointed { try write(5) }
        let model = ModelGraph(reading: store.beginRead())
        store.close()
        return model
    }

    @Test func everyFlippedBitIsFoundOrHarmless() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let disk = CrashableFileSystem()
        let model = try Self.makeStore(disk)
        let files = try disk.list("store").filter { $0.hasSuffix(".seg") || $0.hasSuffix(".mlog") || $0 == "manifest" }
        #expect(files.count { $0.hasSuffix(".seg") } >= 4 && files.count { $0.hasSuffix(".mlog") } >= 2)
        let sizes = try files.map { try disk.readAll("store/\($0)").count }
        var found = 0
        for round in 0..<10_000 {
            // Files in turns, so that small ones are hit as often as large ones.
            let file = round % files.count
            let offset = Int.random(in: 0..<sizes[file], using: &generator)
            let mask = UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
            let place: Comment = "\(files[file]) at offset \(offset), bit mask \(mask), seed \(seed)"
            disk.corrupt("store/\(files[file])", at: offset, xor: mask)
            if let error = Self.findDamage(disk, model, place) {
                found += 1
                #expect([.corrupt, .formatVersion, .foreignStore].contains(error.code), "\(place): \(error)")
                #expect(error.message.contains(files[file]), "\(place): \(error)")
            }
            disk.corrupt("store/\(files[file])", at: offset, xor: mask)
        }
        // Padding and preallocated zeros are most of what is harmless.
        #expect(found > 6_000, "only \(found) flips were found, seed \(seed)")
        #expect(Self.findDamage(disk, model, "unchanged") == nil)
    }

    /// Opens, reads everything, and checks; the error that was met. Without one the answer must be right.
    private static func findDamage(_ disk: CrashableFileSystem, _ model: ModelGraph, _ place: Comment) -> GraphError? {
        // Opening may cut the log where a bit stands in what was zeros: the answer is still the right one.
        do throws(GraphError) {
            let store = try Store.open("store", fileSystem: disk, options: options)
            defer { store.close() }
            let transaction = store.beginRead()
            let seen = ModelGraph(reading: transaction)
            try transaction.requireIntact()
            #expect(seen == model, place)
            let report = store.check()
            return report.problems.first.map { GraphError(.corrupt, $0) }
        } catch {
            return error
        }
    }

    @Test func damageIsNotCopied() throws {
        let disk = CrashableFileSystem()
        _ = try Self.makeStore(disk, after: 0)
        let name = try #require(try disk.list("store").first { $0.hasPrefix("relationships.1.") })
        let bytes = try disk.readAll("store/\(name)")
        let place = try #require(bytes.lastIndex { $0 != 0 })
        disk.corrupt("store/\(name)", at: place, xor: 4)
        let store = try Store.open("store", fileSystem: disk, options: Self.options)
        defer { store.close() }
        let source = store.beginCopy()
        let file = try #require(source.files.firstIndex { $0.name == name })
        // In parts, as copies do: at the latest the part with the end of the damaged section is refused.
        #expect {
            var offset = 0
            while offset <= place {
                offset += try source.read(file, from: UInt64(offset), maximumByteCount: 100).count
                if offset >= bytes.count { break }
            }
            _ = try source.read(file, from: UInt64(offset), maximumByteCount: bytes.count)
        } throws: {
            ($0 as? GraphError)?.message.contains(name) ?? false
        }
        #expect(store.foundDamage?.code == .corrupt)
    }

    @Test func damageIsFoundByPartsOutOfOrder() throws {
        let disk = CrashableFileSystem()
        _ = try Self.makeStore(disk, after: 0)
        let name = try #require(try disk.list("store").first { $0.hasPrefix("relationships.1.") })
        let bytes = try disk.readAll("store/\(name)")
        disk.corrupt("store/\(name)", at: try #require(bytes.lastIndex { $0 != 0 }), xor: 4)
        let store = try Store.open("store", fileSystem: disk, options: Self.options)
        defer { store.close() }
        let source = store.beginCopy()
        let file = try #require(source.files.firstIndex { $0.name == name })
        #expect(throws: GraphError.self) { try source.read(file, from: 64, maximumByteCount: 8) }
    }

    @Test func damagedSegmentStopsReadsWritesAndCheckpoints() throws {
        let disk = CrashableFileSystem()
        _ = try Self.makeStore(disk, after: 0)
        let name = try #require(try disk.list("store").first { $0.hasPrefix("nodes.1.") })
        let bytes = try disk.readAll("store/\(name)")
        // Not zero, so not padding, and behind what opening reads.
        let place = try #require(bytes.lastIndex { $0 != 0 })
        disk.corrupt("store/\(name)", at: place, xor: 4)
        let store = try Store.open("store", fileSystem: disk, options: Self.options)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        let first = committer.begin()
        _ = try first.createNode()
        try committer.commitAndWait(first)
        let reader = store.beginRead()
        #expect(reader.nodeExists(NodeID(3)))
        try reader.requireIntact()
        #expect(!reader.nodeExists(NodeID(40)))
        #expect { try reader.requireIntact() } throws: { ($0 as? GraphError)?.message.contains(name) ?? false }
        #expect(store.foundDamage?.code == .corrupt)
        let writer = committer.begin()
        _ = try writer.createNode()
        #expect { try committer.commitAndWait(writer) } throws: { ($0 as? GraphError)?.code == .corrupt }
        #expect { try store.checkpoint() } throws: { ($0 as? GraphError)?.message.contains(name) ?? false }
        #expect(!store.check().isConsistent)
    }
}
