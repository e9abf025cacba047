import CZlib
import FileSystem
import GraphModel
import Storage
import TestSupport
import Testing

@Suite struct ImportTests {
    static func write(_ disk: CrashableFileSystem, _ path: String, _ bytes: [UInt8]) throws {
        try disk.createDirectory("in")
        try disk.replace("in/" + path, with: bytes)
    }

    static func write(_ disk: CrashableFileSystem, _ path: String, _ text: String) throws {
        try write(disk, path, Array(text.utf8))
    }

    static var options: BulkImporter.Options {
        var options = BulkImporter.Options()
        options.nodeRangeBits = 4
        options.relationshipRangeBits = 5
        return options
    }

    struct Outcome {
        let statistics: BulkImporter.Statistics
        let bad: [String]
    }

    static func load(
        _ disk: CrashableFileSystem, into directory: String = "store", nodes: [BulkImporter.Input],
        relationships: [BulkImporter.Input] = [], _ options: BulkImporter.Options = options
    ) throws -> Outcome {
        var bad: [String] = []
        let importer = BulkImporter(
            into: directory, fileSystem: disk, options: options, onBadRow: { bad.append($0.description) })
        let statistics = try importer.run(nodes: nodes, relationships: relationships)
        return Outcome(statistics: statistics, bad: bad)
    }

    static func read<R>(
        _ disk: CrashableFileSystem, _ directory: String = "store", _ body: (Transaction) throws -> R
    ) throws -> R {
        var options = Store.Options()
        options.usesLogThread = false
        let store = try Store.open(directory, fileSystem: disk, options: options)
        defer { store.close() }
        let report = store.check()
        #expect(report.isConsistent, "\(report.problems)")
        return try body(store.beginRead())
    }

    static func property(_ transaction: Transaction, _ node: UInt64, _ key: String) -> Value? {
        transaction.token(.propertyKey, key).flatMap { transaction.property($0, ofNode: NodeID(node)) }
    }

    @Test func everyTypeOfColumnComesBack() throws {
        let disk = CrashableFileSystem()
        let cases: [(column: String, field: String, value: Value?)] = [
            ("string", "a", .string("a")), ("", "u\u{308}", .string("u\u{308}")), ("string", "\"\"", .string("")),
            ("string", "", nil), ("string", "\"a \"\"b\"\",\nc\"", .string("a \"b\",\nc")),
            ("int", "-9223372036854775808", .integer(.min)), ("long", "9223372036854775807", .integer(.max)),
            ("byte", "-128", .integer(-128)), ("double", "-0.0", .float(-0.0)), ("float", "nan", .float(.nan)),
            ("double", "nan(0x123)", .float(Double(nan: 0x123, signaling: false))), ("double", "-inf", .float(-.infinity)),
            ("double", "Infinity", .float(.infinity)), ("double", "5e-324", .float(.leastNonzeroMagnitude)),
            ("boolean", "TRUE", .boolean(true)), ("date", "2024-02-29", try Self.temporal("2024-02-29", .date)),
            ("localtime", "12:30", try Self.temporal("12:30", .localTime)),
            ("time", "12:30:00.5+01:00", try Self.temporal("12:30:00.5+01:00", .time)),
            ("localdatetime", "2024-02-29T12:30", try Self.temporal("2024-02-29T12:30", .localDateTime)),
            (
                "datetime", "2024-02-29T12:30+01:00[Europe/Berlin]",
                try Self.temporal("2024-02-29T12:30+01:00[Europe/Berlin]", .dateTime)
            ),
            ("duration", "P1M2DT3.5S", try Self.temporal("P1M2DT3.5S", .duration)),
            ("point", "\"{latitude: 1, longitude: 2}\"", PointValue(.wgs84, [2, 1]).map { .point($0) }),
            ("point", "POINT(1 2)", PointValue(.cartesian, [1, 2]).map { .point($0) }),
            ("string[]", "a;b;", .list([.string("a"), .string("b"), .string("")])), ("string[]", "\"\"", .list([])),
            ("string[]", "", nil), ("int[]", "1;-2", .list([.integer(1), .integer(-2)])),
            ("double[]", "nan;-0.0", .list([.float(.nan), .float(-0.0)])), ("byte[]", "1;-1", .bytes(BytesValue([1, 255]))),
            ("byte[]", "\"\"", .bytes(BytesValue([]))), ("boolean[]", "true;false", .list([.boolean(true), .boolean(false)])),
            ("date[]", "2024-01-01;1970-01-01", .list([try Self.temporal("2024-01-01", .date), try Self.temporal("1970-01-01", .date)])),
            ("point[]", "POINT(1 2);POINT(3 4)", .list([[1, 2], [3, 4]].compactMap { PointValue(.cartesian, $0) }.map { .point($0) })),
            ("IGNORE", "x", nil),
        ]
        let header = ":ID," + cases.enumerated().map { "p\($0):\($1.column)" }.joined(separator: ",")
        let row = "1," + cases.map(\.field).joined(separator: ",")
        try Self.write(disk, "n.csv", header + "\r\n" + row + "\r\n")
        let outcome = try Self.load(disk, nodes: [.init(path: "in/n.csv", names: ["A"])])
        #expect(outcome.bad == [])
        #expect(outcome.statistics.propertyCount == cases.count { $0.value != nil })
        try Self.read(disk) { transaction in
            for (index, entry) in cases.enumerated() {
                let found = Self.property(transaction, 0, "p\(index)")
                #expect(found.map(ValueRoundTripTests.bits) == entry.value.map(ValueRoundTripTests.bits), "\(entry)")
            }
        }
    }

    static func temporal(_ text: String, _ sort: Temporal.Sort) throws -> Value {
        let content = try #require(Temporal(text, sort))
        return .temporal(try #require(TemporalValue(content)))
    }

    @Test func badRowsAreReportedWithFileLineAndReason() throws {
        let disk = CrashableFileSystem()
        try Self.write(
            disk, "n.csv",
            ":ID,age:int,day:date,:LABEL\n1,1,,A\n\"2\n\",x,,A\n,1,,A\n1,2,,A\n3,,2023-02-29,A\n4,1,,A,more\n\n5,\"6\"7,,\n6,7,,B;C\n7,\"8\n")
        try Self.write(disk, "r.csv", ":START_ID,:END_ID,:TYPE\n1,6,T\n1,9,T\n8,1,T\n1,6,\n1\n6,1,T\n")
        let outcome = try Self.load(disk, nodes: [.init(path: "in/n.csv")], relationships: [.init(path: "in/r.csv")])
        #expect(
            outcome.bad == [
                "in/n.csv:10: there is text behind a closing quote",
                "in/n.csv:12: the closing quote is missing",
                "in/n.csv:3: column \"age\": \"x\" is no integer", "in/n.csv:5: the :ID field is empty",
                "in/n.csv:6: id \"1\" occurs twice", "in/n.csv:7: column \"day\": \"2023-02-29\" is no date",
                "in/n.csv:8: 5 fields, the header has 4", "in/r.csv:3: no node has the :END_ID \"9\"",
                "in/r.csv:4: no node has the :START_ID \"8\"", "in/r.csv:5: the :TYPE field is empty",
                "in/r.csv:6: 1 fields, the header has 3",
            ])
        #expect(outcome.statistics.nodeCount == 2 && outcome.statistics.relationshipCount == 2)
        #expect(outcome.statistics.badRowCount == 11)
        #expect(outcome.statistics.labels.map(\.name) == ["A", "B", "C"])
        #expect(outcome.statistics.labels.map(\.nodeCount) == [1, 1, 1])
        #expect(outcome.statistics.types.map(\.relationshipCount) == [2])
        var strict = Self.options
        strict.badRowCountMaximum = 3
        #expect(throws: GraphError.self) {
            try Self.load(disk, into: "strict", nodes: [.init(path: "in/n.csv")], strict)
        }
        #expect(try disk.list("strict").isEmpty)
    }

    @Test func separatorsQuotesAndSeveralFilesOfAGroup() throws {
        let disk = CrashableFileSystem()
        try Self.write(disk, "header.csv", "\u{FEFF}:ID(p)\tname\ttags:string[]\t:LABEL")
        try Self.write(disk, "1.csv", "1\t'a''b\tc'\tx|y\tA|B\n")
        try Self.write(disk, "2.csv", Self.gzip(Array("2\tb\t\t\n".utf8)))
        try Self.write(disk, "3.csv", "")
        try Self.write(disk, "q.csv", ":ID(q)\n1\n")
        try Self.write(disk, "r.csv", ":START_ID(p)\t:END_ID(q)\n1\t1\n2\t1\n1\t2\n")
        var options = Self.options
        options.separator = 9
        options.arraySeparator = UInt8(ascii: "|")
        options.quote = UInt8(ascii: "'")
        let outcome = try Self.load(
            disk,
            nodes: [.init(paths: ["in/header.csv", "in/1.csv", "in/2.csv", "in/3.csv"]), .init(path: "in/q.csv", names: ["Q"])],
            relationships: [.init(path: "in/r.csv", names: ["T"])], options)
        #expect(outcome.bad == ["in/r.csv:4: no node has the :END_ID \"2\""])
        try Self.read(disk) { transaction in
            #expect(Self.property(transaction, 0, "name") == .string("a'b\tc"))
            #expect(Self.property(transaction, 0, "tags") == .list([.string("x"), .string("y")]))
            #expect(transaction.labels(of: NodeID(0)).count == 2)
            #expect(transaction.relationship(RelationshipID(1))?.start == NodeID(1))
            #expect(transaction.relationship(RelationshipID(1))?.end == NodeID(2))
        }
    }

    // MARK: Compressed input

    /// gzip with zlib.
    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        precondition(
            deflateInit2_(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        var input = bytes
        var output = [UInt8](repeating: 0, count: bytes.count + 1024)
        input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                _ = deflate(&stream, Z_FINISH)
            }
        }
        output.removeLast(Int(stream.avail_out))
        deflateEnd(&stream)
        return output
    }

    @Test func gzipInputIsUnpackedWithAllItsMembers() throws {
        let disk = CrashableFileSystem()
        var generator = SeededGenerator(seed: 11)
        var rows = (0..<30_000).map { "\($0),\(UInt64.random(in: 0 ... .max, using: &generator))\n" }
        rows.insert(":ID,name\n", at: 0)
        try Self.write(disk, "plain.csv", rows.joined())
        let members = [rows[..<10], rows[10..<25_000], rows[25_000...]].map { Self.gzip(Array($0.joined().utf8)) }
        try Self.write(disk, "packed.csv", members.flatMap { $0 } + [0, 0, 0])
        var options = BulkImporter.Options()
        options.memoryByteCountMaximum = 4 << 20
        let plain = try Self.load(disk, into: "plain", nodes: [.init(path: "in/plain.csv")], options)
        let packed = try Self.load(disk, into: "packed", nodes: [.init(path: "in/packed.csv")], options)
        #expect(plain.statistics.nodeCount == 30_000 && packed.statistics.nodeCount == 30_000)
        #expect(try Self.segments(disk, "plain") == Self.segments(disk, "packed"))
    }

    @Test func damagedOrCutGzipIsAnErrorThatNamesTheFile() throws {
        let whole = Self.gzip(Array((":ID\n" + (0..<5000).map { "\($0)\n" }.joined()).utf8))
        var damaged = whole
        damaged[whole.count / 2] ^= 0x55
        for (name, bytes) in [
            ("cut", Array(whole.dropLast(5))), ("half", Array(whole[..<(whole.count / 2)])), ("damaged", damaged),
            ("trailing", whole + [1, 2, 3]), ("empty", [0x1F, 0x8B]),
        ] {
            let disk = CrashableFileSystem()
            try Self.write(disk, name, bytes)
            let error = #expect(throws: GraphError.self, "\(name)") {
                try Self.load(disk, nodes: [.init(path: "in/" + name)])
            }
            #expect(error?.code == .storageIO && error?.message.contains("in/" + name) == true, "\(name): \(String(describing: error))")
            #expect(try disk.list("store").isEmpty)
        }
    }

    // MARK: Memory

    /// Names and bytes of all segments.
    static func segments(_ disk: CrashableFileSystem, _ directory: String) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for name in try disk.list(directory) where name.hasSuffix(".seg") { result[name] = try disk.readAll(directory + "/" + name) }
        return result
    }

    static func randomGraph(_ disk: CrashableFileSystem, _ seed: UInt64) throws -> (nodes: [BulkImporter.Input], relationships: [BulkImporter.Input]) {
        var generator = SeededGenerator(seed: seed)
        func random(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }
        var nodes = "id:ID,name,age:int,:LABEL\n"
        // Ids of every form: dense, far apart, texts.
        let ids = (0..<3000).map { $0 % 3 == 0 ? "\($0)" : $0 % 3 == 1 ? "\($0 * 1_000_003)" : "node \($0)" }
        for id in ids { nodes += "\(id),name \(random(0..<500)),\(random(0..<90)),\(["A", "B", "A;B", ""][random(0..<4)])\n" }
        var relationships = ":START_ID,:END_ID,:TYPE,since:int\n"
        for index in 0..<20_000 {
            // A hub, loops, gaps, and types in runs and mixed.
            let start = index % 10 == 0 ? ids[7] : ids[random(0..<ids.count)]
            let end = index % 100 == 0 ? start : ids[random(0..<ids.count)]
            let type = index < 5000 ? "FIRST" : "T\(random(0..<4))"
            relationships += "\(start),\(end),\(type),\(index % 3 == 0 ? "" : "\(index)")\n"
        }
        try write(disk, "nodes.csv", nodes)
        try write(disk, "relationships.csv", relationships)
        return ([.init(path: "in/nodes.csv", names: ["N"])], [.init(path: "in/relationships.csv")])
    }

    @Test(arguments: [1, 2] as [UInt64])
    func aSmallLimitGivesTheSameStoreAndLeavesNoFiles(seed: UInt64) throws {
        let disk = CrashableFileSystem()
        let (nodes, relationships) = try Self.randomGraph(disk, seed)
        let free = try Self.load(disk, into: "free", nodes: nodes, relationships: relationships)
        #expect(free.bad == [] && free.statistics.spilledByteCount == 0, "seed \(seed)")
        var options = Self.options
        options.memoryByteCountMaximum = 640 << 10
        let bounded = try Self.load(disk, into: "bounded", nodes: nodes, relationships: relationships, options)
        #expect(bounded.statistics.spilledByteCount > 100_000, "seed \(seed)")
        #expect(try Self.segments(disk, "free") == Self.segments(disk, "bounded"), "seed \(seed)")
        #expect(try disk.list("bounded").allSatisfy { Store.isOwn($0) }, "seed \(seed)")
        try Self.read(disk, "bounded") { transaction in
            #expect(transaction.nodeCount() == 3000 && transaction.relationshipCount() == 20_000)
        }
    }

    @Test func idsThatDoNotFitAreAnErrorThatSaysSo() throws {
        let disk = CrashableFileSystem()
        let (nodes, relationships) = try Self.randomGraph(disk, 1)
        var options = Self.options
        options.memoryByteCountMaximum = 32 << 10
        let error = #expect(throws: GraphError.self) { try Self.load(disk, nodes: nodes, relationships: relationships, options) }
        #expect(error?.message.contains("ids") == true)
        #expect(try disk.list("store").isEmpty)
    }

    /// A disk that fails once, at any operation of an import: the import fails or does not need it, and nothing is left.
    @Test func aFailedImportLeavesNothing() throws {
        let source = CrashableFileSystem()
        let (nodes, relationships) = try Self.randomGraph(source, 3)
        var options = Self.options
        options.memoryByteCountMaximum = 640 << 10
        options.nodeRangeBits = 9
        options.relationshipRangeBits = 12
        let first = source.operationCount
        _ = try Self.load(source, into: "whole", nodes: nodes, relationships: relationships, options)
        let count = source.operationCount - first
        #expect(count > 50)
        var failureCount = 0
        for operation in stride(from: 3, to: count, by: max(1, count / 12)) {
            let disk = CrashableFileSystem()
            let (nodes, relationships) = try Self.randomGraph(disk, 3)
            disk.inject(.ioError, at: disk.operationCount + operation)
            do {
                _ = try Self.load(disk, nodes: nodes, relationships: relationships, options)
                try Self.read(disk) { #expect($0.nodeCount() == 3000) }
            } catch let error as GraphError {
                failureCount += 1
                #expect(error.code == .storageIO || error.code == .argumentError, "operation \(operation): \(error)")
                #expect(try disk.list("store").isEmpty, "operation \(operation)")
            }
        }
        #expect(failureCount > 5)
    }
}
