internal import FileSystem
internal import GraphModel
internal import Storage

/// Indexes over nodes with a unique number and a unique name: building them, look-ups, ordered scans, and what they add to
/// the creation of a node.
enum Indexes {
    private static let batchNodeCount = 50_000
    private static let batchLookupCount = 200
    private static let lookupCount = 200_000
    private static let rounds = 7

    /// Fills a new store with `nodeCount` nodes and measures.
    static func run(_ directory: String, nodeCount: Int) throws {
        let store = try Store.open(directory)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        let remark = "\(nodeCount)"
        report("create", try create(0..<nodeCount, committer), "ns/node", remark)
        try store.checkpoint()
        let (_, time) = try timed {
            let creation = committer.begin(nodes: 0, relationships: 0)
            try creation.createUniquenessConstraint(label: "Person", keys: ["number"], name: "number")
            try creation.createUniquenessConstraint(label: "Person", keys: ["name"], name: "name")
            try committer.commitAndWait(creation)
            try committer.finishSchemaWork()
        }
        report("constraints", time * 1000, "ms", remark)
        for index in ["number", "name"] {
            report("point-\(index)", try lookUp(store.beginRead(), index, upTo: nodeCount), "ns", remark)
            for order in [IndexOrder.ascending, .descending] {
                report("scan-\(index)-\(order)", try scan(store.beginRead(), index, order), "ns/entry", remark)
            }
        }
        let end = nodeCount + max(1, nodeCount / 10)
        report("create-indexed", try create(nodeCount..<end, committer), "ns/node", remark)
        report("point-number-changed-tenth", try lookUp(store.beginRead(), "number", upTo: end), "ns", remark)
    }

    /// The unique number of a node: in another order than the nodes.
    private static func number(_ node: Int) -> Int64 { Int64(node &* 7919 % 1_000_000_007) }

    private static func create(_ range: Range<Int>, _ committer: LocalCommitter) throws -> Double {
        try timed {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: batchNodeCount) {
                let transaction = committer.begin(nodes: batchNodeCount, relationships: 0)
                for node in start..<min(start + batchNodeCount, range.upperBound) {
                    _ = try transaction.createNode(
                        labels: ["Person"],
                        properties: [
                            ("number", .integer(number(node))), ("name", .string("person \(node)")),
                            ("age", .integer(Int64(node % 90))),
                        ])
                }
                try committer.commitAndWait(transaction)
            }
        }.seconds * 1e9 / Double(range.count)
    }

    private static func scan(_ transaction: Transaction, _ index: String, _ order: IndexOrder) throws -> Double {
        guard let id = transaction.schemaRule(named: index)?.id else { return 0 }
        var times: [Double] = []
        for _ in 0..<rounds {
            var ids: ContiguousArray<UInt64> = []
            let (_, time) = try timed {
                var cursor = IndexCursor()
                while try transaction.scan(id, .all, order: order, cursor: &cursor, limit: 1024, into: &ids) {}
            }
            times.append(time * 1e9 / Double(ids.count))
        }
        return times.sorted()[rounds / 2]
    }

    /// Finds nodes by value and reads another property of each; nanoseconds for both, the median of the rounds.
    private static func lookUp(_ transaction: Transaction, _ index: String, upTo end: Int) throws -> Double {
        guard let id = transaction.schemaRule(named: index)?.id, let age = transaction.token(.propertyKey, "age") else {
            return 0
        }
        var times: [Double] = []
        for round in 0..<rounds {
            var random = UInt64(round + 1)
            var ids: ContiguousArray<UInt64> = []
            var found = 0
            var time = 0.0
            // Values come hot from a query; here they are made for a few hundred look-ups at a time.
            for _ in 0..<lookupCount / batchLookupCount {
                let values: [Value] = (0..<batchLookupCount).map { _ in
                    // Knuth's MMIX generator.
                    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let node = Int(random >> 33) % end
                    return index == "number" ? .integer(number(node)) : .string("person \(node)")
                }
                time += try timed {
                    for value in values {
                        ids.removeAll(keepingCapacity: true)
                        try transaction.seek(id, equals: value, into: &ids)
                        if let node = ids.first, transaction.property(age, ofNode: NodeID(node)) != nil { found += 1 }
                    }
                }.seconds
            }
            guard found == lookupCount else { throw GraphError(.general, "\(lookupCount - found) look-ups found nothing") }
            times.append(time * 1e9 / Double(lookupCount))
        }
        return times.sorted()[rounds / 2]
    }
}
