import FileSystem
import GraphModel
import Storage
import Testing

@Suite struct LogDumpTests {
    /// A store with a few transactions in several log files, closed. The first transaction makes the reference node.
    private static func makeStore(checkpoint: Bool = false) throws -> CrashableFileSystem {
        let disk = CrashableFileSystem()
        var options = Store.Options()
        options.usesLogThread = false
        options.logRotationByteCount = 512
        options.logPreallocationByteCount = 256
        let store = try Store.open("store", fileSystem: disk, options: options)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        func commit(_ body: (Transaction) throws -> Void) throws {
            let transaction = committer.begin()
            try body(transaction)
            try committer.commitAndWait(transaction)
        }
        var node = NodeID(0)
        var relationship = RelationshipID(0)
        try commit { node = try $0.createNode(labels: ["Person"], properties: [("name", .string("A\n\"nn\"")), ("age", .integer(3))]) }
        try commit { relationship = try $0.createRelationship(type: "KNOWS", from: node, to: node, properties: [("since", .float(1.5))]) }
        if checkpoint { try store.checkpoint() }
        try commit { try $0.setProperty("age", to: .integer(4), ofNode: node) }
        for _ in 0..<8 { try commit { try $0.setProperty("name", to: .string("B"), ofNode: node) } }
        try commit { try $0.deleteRelationship(relationship) }
        return disk
    }

    private static func dump(_ disk: CrashableFileSystem, _ options: LogDump.Options = .init()) throws -> (entries: [LogDump.Entry], damage: [LogDump.Damage]) {
        var entries: [LogDump.Entry] = []
        let damage = try LogDump.run("store", fileSystem: disk, options: options) { entries.append($0) }
        return (entries, damage)
    }

    @Test(arguments: [false, true])
    func entriesOfAllFilesComeWithTheirCommands(checkpoint: Bool) throws {
        let disk = try Self.makeStore(checkpoint: checkpoint)
        let count = disk.operationCount
        var options = LogDump.Options()
        options.withCommands = true
        let (entries, damage) = try Self.dump(disk, options)
        #expect(damage == [])
        #expect(disk.operationCount == count, "something was written")
        #expect(Set(entries.map(\.file)).count > 1)
        for (a, b) in zip(entries, entries.dropFirst()) { #expect(b.position.transactionID == a.position.transactionID.next) }
        #expect(entries.allSatisfy { $0.commands.count == $0.commandCount && $0.time.hasPrefix("20") && $0.time.hasSuffix("Z") })
        let commands = entries.flatMap(\.commands)
        #expect(commands.contains("create label 0 \"Person\""))
        #expect(commands.contains { $0.hasPrefix("create node 1 :Person {") && $0.contains("name: \"A\\n\\\"nn\\\"\"") && $0.contains("age: 3") })
        #expect(commands.contains("create relationship 0 (1)-[:KNOWS]->(1) {since: 1.5}"))
        #expect(commands.contains("set node 1 age = 4"))
        #expect(commands.last == "delete relationship 0")
    }

    @Test func aRangeIsShownAndNothingElse() throws {
        let disk = try Self.makeStore()
        let all = try Self.dump(disk).entries
        for withCommands in [false, true] {
            for first in all.indices {
                var options = LogDump.Options()
                options.withCommands = withCommands
                options.first = all[first].position.transactionID
                options.last = all[min(first + 2, all.count - 1)].position.transactionID
                let (entries, damage) = try Self.dump(disk, options)
                #expect(entries.map(\.position) == all[first...].prefix(3).map(\.position))
                #expect(entries.map(\.offset) == all[first...].prefix(3).map(\.offset))
                #expect(damage == [])
            }
        }
    }

    @Test func namesComeFromTheLogWhenTheManifestIsDamaged() throws {
        let disk = try Self.makeStore()
        disk.corrupt("store/manifest", at: 20, xor: 1)
        var options = LogDump.Options()
        options.withCommands = true
        #expect(try Self.dump(disk, options).entries.flatMap(\.commands).contains("set node 1 age = 4"))
    }

    @Test func damageIsToldWithFileAndOffset() throws {
        let whole = try Self.dump(try Self.makeStore())
        let files = Set(whole.entries.map(\.file)).sorted()
        for entry in whole.entries {
            let disk = try Self.makeStore()
            disk.corrupt("store/" + entry.file, at: Int(entry.offset) + 20, xor: 0x10)
            let (entries, damage) = try Self.dump(disk)
            #expect(damage.first?.path == "store/" + entry.file && damage.first?.offset == entry.offset, "\(entry.position)")
            #expect(damage.count == 1)
            // All before, and the files behind.
            let wanted = whole.entries.filter { $0.file != entry.file || $0.offset < entry.offset }
            #expect(entries.map(\.position.transactionID) == wanted.map(\.position.transactionID))
        }
        let disk = try Self.makeStore()
        disk.corrupt("store/" + files[0], at: 10, xor: 1)
        let (entries, damage) = try Self.dump(disk)
        #expect(damage.first?.path == "store/" + files[0] && damage.first?.detail.contains("offset 40") == true)
        #expect(entries.count == whole.entries.count { $0.file != files[0] })
    }

    @Test func aDirectoryWithoutALogIsAnError() throws {
        let disk = CrashableFileSystem()
        try disk.createDirectory("store")
        #expect(throws: GraphError.self) { try Self.dump(disk) }
    }
}
