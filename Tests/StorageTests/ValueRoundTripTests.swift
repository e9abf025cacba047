import FileSystem
import GraphModel
import Storage
import TestSupport
import Testing

/// Values come back bit by bit: from the codec, from the overlay, from the log, from segments.
@Suite struct ValueRoundTripTests {
    /// A value with every bit of it told apart, where `==` is generous.
    static func bits(_ value: Value) -> [UInt8] {
        var writer = ByteWriter()
        ValueCodec.encode(value, into: &writer)
        return writer.bytes
    }

    static let hard: [Value] = [
        .float(0), .float(-0.0), .float(.infinity), .float(-.infinity), .float(.nan), .float(.signalingNaN),
        .float(Double(bitPattern: 0x7FF8_0000_0000_1234)), .float(Double(bitPattern: 0xFFF0_0000_0000_0001)),
        .float(.leastNonzeroMagnitude), .float(.greatestFiniteMagnitude), .integer(.min), .integer(.max), .integer(0),
        .boolean(true), .boolean(false), .string(""), .string("\u{0}"), .string("\u{301}"), .string("u\u{308}"),
        .string("\u{FC}"), .string("\u{FFFF}\u{10FFFF}"), .string("\u{1F468}\u{200D}\u{1F469}"), .string("\r\n"),
        .bytes(BytesValue([])), .bytes(BytesValue([0, 255])), .list([]), .list([.string("")]),
        .list([.float(.nan), .float(-0.0)]), .list([.bytes(BytesValue([])), .bytes(BytesValue([1]))]),
    ]

    /// Opens, works and closes; nothing keeps the store afterwards.
    private func withStore(_ disk: CrashableFileSystem, _ options: Store.Options, _ body: (Store) throws -> Void) throws {
        let store = try Store.open("store", fileSystem: disk, options: options)
        defer { store.close() }
        try body(store)
    }

    static func all(_ seed: UInt64) -> [Value] {
        var generator = SeededGenerator(seed: seed)
        let values = (0..<300).map { _ in SampleValues.value(using: &generator) }
        let lists = values.prefix(60).map { Value.list([$0, $0]) }
        return hard + values + lists
    }

    @Test(arguments: [1, 2] as [UInt64])
    func everyValueComesBackFromTheCodec(seed: UInt64) throws {
        for value in Self.all(seed) {
            #expect(value.isStorable, "\(value)")
            let bytes = Self.bits(value)
            var reader = ByteReader(bytes)
            let read = try ValueCodec.decode(&reader)
            #expect(reader.isAtEnd && read == value && Self.bits(read) == bytes, "seed \(seed): \(value)")
            for count in 0..<bytes.count {
                var cut = ByteReader(Array(bytes[..<count]))
                #expect(throws: MalformedBytes.self) { try ValueCodec.decode(&cut) }
            }
        }
    }

    @Test func theCodecRefusesWhatNoValueHas() {
        func refuses(_ write: (inout ByteWriter) -> Void) -> Bool {
            var writer = ByteWriter()
            write(&writer)
            var reader = ByteReader(writer.bytes)
            do throws(MalformedBytes) {
                _ = try ValueCodec.decode(&reader)
                return false
            } catch { return true }
        }
        #expect(refuses { $0.write(UInt8(15)) })
        #expect(refuses { $0.write(UInt8(8)); $0.write(Int64.max) })
        #expect(refuses { $0.write(UInt8(9)); $0.write(Int64(-1)) })
        #expect(refuses { $0.write(UInt8(14)); $0.write(UInt32(1)); $0.write(0.0.bitPattern); $0.write(0.0.bitPattern) })
        #expect(refuses { $0.write(UInt8(14)); $0.write(UInt32(4326)); $0.write(181.0.bitPattern); $0.write(0.0.bitPattern) })
    }

    @Test func valuesSurviveLogCheckpointAndReopening() throws {
        let disk = CrashableFileSystem()
        var options = Store.Options()
        options.usesLogThread = false
        options.nodeRangeBits = 5
        options.relationshipRangeBits = 5
        let values = Self.all(3)
        func verify(_ store: Store, _ ids: [NodeID], _ comment: Comment) {
            let transaction = store.beginRead()
            for (id, value) in zip(ids, values) {
                let token = transaction.token(.propertyKey, "v") ?? .max
                let read = transaction.property(token, ofNode: id) ?? .null
                #expect(read.isStorable && Self.bits(read) == Self.bits(value), "\(comment): \(value) and \(read)")
                #expect(transaction.property(transaction.token(.propertyKey, "w") ?? .max, ofNode: id) == .boolean(true))
            }
        }
        var ids: [NodeID] = []
        var checksum = GraphChecksum()
        try withStore(disk, options) { store in
            let committer = try LocalCommitter(store)
            for value in values {
                let transaction = committer.begin()
                ids.append(try transaction.createNode(labels: ["L"], properties: [("v", value), ("w", .boolean(true))]))
                try committer.commitAndWait(transaction)
            }
            checksum = store.beginRead().graphChecksum()
            verify(store, ids, "overlay")
        }
        try withStore(disk, options) { store in
            verify(store, ids, "log")
            try store.checkpoint()
            verify(store, ids, "segments")
        }
        try withStore(disk, options) { store in
            verify(store, ids, "reopened")
            #expect(store.beginRead().graphChecksum() == checksum)
            #expect(store.check().isConsistent)
        }
    }

    @Test func aStringOf64MiBSurvives() throws {
        let disk = CrashableFileSystem()
        var options = Store.Options()
        options.usesLogThread = false
        // Of two code units each, so that a copy by characters would show.
        let text = String(repeating: "u\u{308}xyz", count: (64 << 20) / 6) + "end!"
        #expect(text.utf8.count == 64 << 20)
        var id = NodeID(0)
        try withStore(disk, options) { store in
            let committer = try LocalCommitter(store)
            let transaction = committer.begin()
            id = try transaction.createNode(labels: [], properties: [("v", .string(text))])
            try committer.commitAndWait(transaction)
        }
        for round in 0..<2 {
            try withStore(disk, options) { store in
                let read = store.beginRead()
                guard case .string(let found)? = read.property(read.token(.propertyKey, "v") ?? .max, ofNode: id) else {
                    Issue.record("round \(round): no string")
                    return
                }
                let isEqual = codeUnitsEqual(found.text, text)
                #expect(isEqual, "round \(round)")
                if round == 0 { try store.checkpoint() }
            }
        }
    }

    @Test func keysAndValuesAreNotNormalised() throws {
        let disk = CrashableFileSystem()
        var options = Store.Options()
        options.usesLogThread = false
        let names = ["u\u{308}", "\u{FC}", "\u{308}", "\u{AC00}", "\u{1100}\u{1161}"]
        var id = NodeID(0)
        try withStore(disk, options) { store in
            let committer = try LocalCommitter(store)
            let transaction = committer.begin()
            id = try transaction.createNode(labels: ["u\u{308}", "\u{FC}"], properties: names.map { ($0, .string($0)) })
            try committer.commitAndWait(transaction)
        }
        for round in 0..<3 {
            try withStore(disk, options) { store in
                let read = store.beginRead()
                #expect(read.labels(of: id).count == 2)
                for name in names {
                    let token = try #require(read.token(.propertyKey, name))
                    #expect(codeUnitsEqual(read.name(.propertyKey, token), name))
                    #expect(read.property(token, ofNode: id) == .string(name), "round \(round)")
                }
                #expect(read.properties(ofNode: id).count == 5)
                if round == 1 { try store.checkpoint() }
            }
        }
    }
}
