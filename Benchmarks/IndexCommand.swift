internal import ArgumentParser
internal import FileSystem
internal import GraphModel
internal import Storage

/// Indexes over nodes with a unique number and a unique name: building them, look-ups, ordered scans, and what they add to
/// the creation of a node.
struct IndexCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "Time of look-ups and scans of schema indexes, and of building them.")

    @Option(help: "Directory to work in; empty or missing.")
    var dir: String

    @Option(help: "Nodes.")
    var nodes = 100_000

    @Option(help: "Look-ups per series and round.")
    var lookups = 200_000

    @Option(help: "Rounds.")
    var rounds = 7

    private static let batchNodeCount = 50_000

    func run() throws {
        let store = try Store.open(dir)
        let committer = try LocalCommitter(store)
        var plain = Series("create node", "ns")
        plain.add(try create(0..<nodes, committer) / Double(nodes))
        try store.checkpoint()
        var building = Series("create two uniqueness constraints", "ms")
        building.add(
            try seconds {
                let creation = committer.begin(nodes: 0, relationships: 0)
                try creation.createUniquenessConstraint(label: "Person", keys: ["number"], name: "number")
                try creation.createUniquenessConstraint(label: "Person", keys: ["name"], name: "name")
                try committer.commitAndWait(creation)
                try committer.finishSchemaWork()
            }.seconds * 1e3)
        var all = [plain, building]
        for index in ["number", "name"] { all += try read(store.beginRead(), index) }
        var indexed = Series("create node with two indexed properties", "ns")
        let more = max(1, nodes / 10)
        indexed.add(try create(nodes..<nodes + more, committer) / Double(more))
        all.append(indexed)
        all.append(try lookUp(store.beginRead(), "number", "unique number, a tenth of the nodes new", upTo: nodes + more))
        store.close()
        for series in all { series.print() }
    }

    /// The unique number of a node: in another order than the nodes.
    private static func number(_ node: Int) -> Int64 { Int64(node &* 7919 % 1_000_000_007) }

    /// Returns nanoseconds.
    private func create(_ range: Range<Int>, _ committer: LocalCommitter) throws -> Double {
        try seconds {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.batchNodeCount) {
                let transaction = committer.begin(nodes: Self.batchNodeCount, relationships: 0)
                for node in start..<min(start + Self.batchNodeCount, range.upperBound) {
                    _ = try transaction.createNode(
                        labels: ["Person"],
                        properties: [
                            ("number", .integer(Self.number(node))), ("name", .string("person \(node)")),
                            ("age", .integer(Int64(node % 90))),
                        ])
                }
                try committer.commitAndWait(transaction)
            }
        }.seconds * 1e9
    }

    private func read(_ transaction: Transaction, _ index: String) throws -> [Series] {
        guard let id = transaction.schemaRule(named: index)?.id else { return [] }
        var scans = [Series("index scan by \(index)", "ns/entry"), Series("index scan by \(index) descending", "ns/entry")]
        for round in 0...rounds {
            for (series, order) in [IndexOrder.ascending, .descending].enumerated() {
                var ids: ContiguousArray<UInt64> = []
                let time = try seconds {
                    var cursor = IndexCursor()
                    while try transaction.scan(id, .all, order: order, cursor: &cursor, limit: 1024, into: &ids) {}
                }.seconds
                if round > 0 { scans[series].add(time * 1e9 / Double(ids.count)) }
            }
        }
        return [try lookUp(transaction, index, "unique \(index)", upTo: nodes)] + scans
    }

    /// Finds nodes by value and reads another property of each.
    private func lookUp(_ transaction: Transaction, _ index: String, _ name: String, upTo end: Int) throws -> Series {
        var series = Series("point read by \(name)", "ns")
        guard let id = transaction.schemaRule(named: index)?.id, let age = transaction.token(.propertyKey, "age") else {
            return series
        }
        for round in 0...rounds {
            var random = FixedRandom(seed: UInt64(round + 1))
            let values: [Value] = (0..<lookups).map { _ in
                let node = random.next(below: end)
                return index == "number" ? .integer(Self.number(node)) : .string("person \(node)")
            }
            var ids: ContiguousArray<UInt64> = []
            var found = 0
            let time = try seconds {
                for value in values {
                    ids.removeAll(keepingCapacity: true)
                    try transaction.seek(id, equals: value, into: &ids)
                    if let node = ids.first, transaction.property(age, ofNode: NodeID(node)) != nil { found += 1 }
                }
            }.seconds
            guard found == lookups else { throw GraphError(.general, "\(lookups - found) look-ups found nothing") }
            if round > 0 { series.add(time * 1e9 / Double(lookups)) }
        }
        return series
    }
}
