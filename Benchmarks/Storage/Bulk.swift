internal import FileSystem
internal import GraphModel
internal import Storage

/// Writes that are not about the disk.
enum Bulk {
    /// Creates relationships between nodes that are there, 10,000 a transaction, one thread, without syncing.
    static func relationships(_ directory: String, count: Int) throws {
        var options = Store.Options()
        options.syncsLog = false
        options.checkpointByteCount = .max / 8
        let store = try Store.open(directory, options: options)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        let nodeCount = UInt64(store.nodeCount)
        var random: UInt64 = 88_172_645_463_325_252
        func next() -> UInt64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random % nodeCount
        }
        let (_, seconds) = try timed {
            for _ in 0..<count / 10_000 {
                let transaction = committer.begin(nodes: 0, relationships: 10_000)
                for _ in 0..<10_000 {
                    _ = try transaction.createRelationship(type: "F", from: NodeID(next()), to: NodeID(next()))
                }
                try committer.commitAndWait(transaction)
            }
        }
        report("bulk", Double(count) / seconds, "relationships/s", "")
    }

    /// One node with very many relationships: what one more, one less, and one read cost, before a checkpoint, after it,
    /// and while the changes of both are there.
    static func hub(_ directory: String, degree: Int) throws {
        if !Store.exists(directory) { try importHub(directory, degree) }
        let store = try Store.open(directory)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        try changeHub(store, committer, "hub-before")
        let (_, seconds) = try timed { try store.checkpoint() }
        report("hub-checkpoint", seconds * 1000, "ms", "")
        try changeHub(store, committer, "hub-after")
    }

    private static func importHub(_ directory: String, _ degree: Int) throws {
        let fileSystem = POSIXFileSystem()
        var nodes = "id:ID\n0\n"
        for id in 1...1000 { nodes += "\(id)\n" }
        var relationships = ":START_ID,:END_ID\n"
        for index in 0..<degree { relationships += "0,\(1 + index % 1000)\n" }
        for (name, text) in [("nodes", nodes), ("relationships", relationships)] {
            let file = try fileSystem.open("\(directory).\(name).csv", .createEmpty)
            try file.write(Array(text.utf8), at: 0)
            file.close()
        }
        defer { for name in ["nodes", "relationships"] { _ = try? fileSystem.remove("\(directory).\(name).csv") } }
        _ = try BulkImporter(into: directory).run(
            nodes: [.init(path: "\(directory).nodes.csv")],
            relationships: [.init(path: "\(directory).relationships.csv", names: ["F"])])
    }

    private static func changeHub(_ store: Store, _ committer: LocalCommitter, _ name: String) throws {
        let hub = NodeID(0)
        let count = 1000
        var added: [RelationshipID] = []
        let old = UInt64(store.relationshipCount / 2)
        func median(_ what: String, _ body: (Int) throws -> Void) throws {
            var times: [UInt64] = []
            for index in 0..<count {
                let start = monotonicNanoseconds()
                try body(index)
                times.append(monotonicNanoseconds() - start)
            }
            times.sort()
            report("\(name)-\(what)", Double(times[count / 2]) / 1000, "us", "p99 \(Double(times[count * 99 / 100]) / 1000)")
        }
        try median("add-and-commit") { index in
            let transaction = committer.begin()
            added.append(try transaction.createRelationship(type: "F", from: hub, to: NodeID(UInt64(1 + index))))
            try committer.commitAndWait(transaction)
        }
        try median("delete-new-and-commit") { index in
            let transaction = committer.begin()
            try transaction.deleteRelationship(added[index])
            try committer.commitAndWait(transaction)
        }
        try median("delete-old-and-commit") { index in
            let transaction = committer.begin()
            var id = old + UInt64(index) * 3
            while transaction.relationship(RelationshipID(id)) == nil { id += 1 }
            try transaction.deleteRelationship(RelationshipID(id))
            try committer.commitAndWait(transaction)
        }
        try median("read-one") { index in
            let transaction = store.beginRead()
            guard transaction.relationship(RelationshipID(UInt64(index))) != nil else {
                throw GraphError(.general, "relationship \(index) is gone")
            }
        }
        try median("degree") { _ in _ = store.beginRead().degree(hub, .outgoing, types: []) }
    }
}
