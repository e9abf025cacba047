internal import FileSystem
internal import GraphModel
internal import LuceneQuery
internal import Storage

/// Named indexes: what an entry costs beside a property, look-ups by an exact value, and queries of two terms over as many
/// texts as there are nodes.
enum NamedIndexes {
    private static let batchNodeCount = 20_000
    private static let vocabularyCount = 50_000
    private static let wordCount = 8
    private static let rounds = 7

    static func run(_ directory: String, nodeCount: Int) throws {
        let store = try Store.open(directory)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        let remark = "\(nodeCount)"
        var generator = Generator(state: 1)
        var times: [String: Double] = [:]
        for start in stride(from: 0, to: nodeCount, by: batchNodeCount) {
            let nodes = start..<min(start + batchNodeCount, nodeCount)
            let texts = nodes.map { _ in generator.text() }
            var ids: [NodeID] = []
            func step(_ name: String, _ body: (Transaction) throws -> Void) throws {
                times[name, default: 0] += try timed {
                    let transaction = committer.begin(nodes: batchNodeCount, relationships: 0)
                    try body(transaction)
                    try committer.commitAndWait(transaction)
                }.seconds
            }
            try step("node") { transaction in for _ in nodes { ids.append(try transaction.createNode()) } }
            try step("property") { transaction in
                for (id, node) in zip(ids, nodes) { try transaction.setProperty("name", to: .string("person \(node)"), ofNode: id) }
            }
            try step("exact-entry") { transaction in
                for (id, node) in zip(ids, nodes) {
                    try transaction.add(.node(id), toIndex: "names", key: "name", value: .text("person \(node)"))
                }
            }
            try step("fulltext-entry") { transaction in
                if start == 0 { try transaction.createManualIndex(.node, named: "texts", configuration: ["type": "fulltext"]) }
                for (id, text) in zip(ids, texts) { try transaction.add(.node(id), toIndex: "texts", key: "text", value: .text(text)) }
            }
            if store.isCheckpointDue { try store.checkpoint() }
        }
        for name in ["property", "exact-entry", "fulltext-entry"] {
            report("add-\(name)", times[name, default: 0] * 1e9 / Double(nodeCount), "ns", remark)
        }
        try addOneByOne(committer, &generator, remark)
        report("checkpoint", try timed { try store.checkpoint() }.seconds * 1000, "ms", remark)
        try measure(store.beginRead(), nodeCount, remark)
    }

    /// The same where each is a transaction of its own, made durable.
    private static func addOneByOne(_ committer: LocalCommitter, _ generator: inout Generator, _ remark: String) throws {
        var times: [String: [Double]] = [:]
        for round in 0..<2000 {
            let text = generator.text()
            func step(_ name: String, _ body: (Transaction) throws -> Void) throws {
                times[name, default: []].append(
                    try timed {
                        let transaction = committer.begin(nodes: 0, relationships: 0)
                        try body(transaction)
                        try committer.commitAndWait(transaction)
                    }.seconds * 1e6)
            }
            let id = NodeID(UInt64(round))
            try step("property") { try $0.setProperty("text", to: .string(text), ofNode: id) }
            try step("exact-entry") { try $0.add(.node(id), toIndex: "names", key: "text", value: .text(text)) }
            try step("fulltext-entry") { try $0.add(.node(id), toIndex: "texts", key: "other", value: .text(text)) }
        }
        for name in ["property", "exact-entry", "fulltext-entry"] {
            report("commit-\(name)", (times[name] ?? []).sorted()[1000], "us", remark)
        }
    }

    private static func measure(_ transaction: Transaction, _ nodeCount: Int, _ remark: String) throws {
        var lookups: [Double] = []
        var generator = Generator(state: 2)
        for _ in 0..<rounds {
            var ids: ContiguousArray<UInt64> = []
            var time = 0.0
            for _ in 0..<500 {
                let values = (0..<200).map { _ in IndexedValue.text("person \(generator.below(nodeCount))") }
                time += try timed {
                    for value in values {
                        ids.removeAll(keepingCapacity: true)
                        try transaction.lookUp(.node, inIndex: "names", key: "name", value: value, into: &ids)
                    }
                }.seconds
                guard ids.count == 1 else { throw GraphError(.general, "a name was found \(ids.count) times") }
            }
            lookups.append(time * 1e9 / 100_000)
        }
        report("exact-look-up", lookups.sorted()[rounds / 2], "ns", remark)
        // By how common the terms are: word n is in about a tenth of a percent of the texts for n = 1000, and so on.
        for (name, query) in [
            ("rare-or-rare", "text:w9000 text:w12000"), ("rare-and-rare", "text:w900 AND text:w1200"),
            ("common-and-rare", "text:w1 AND text:w1200"), ("common-and-common", "text:w1 AND text:w3"),
            ("common-or-common", "text:w1 text:w3"), ("phrase", "text:\"w1 w20\""), ("prefix", "text:w999*"),
        ] {
            let parsed = try IndexQuery.parse(query)
            var times: [Double] = []
            var count = 0
            for _ in 0..<rounds {
                let (hits, time) = try timed { try transaction.query(.node, index: "texts", parsed) }
                times.append(time * 1000)
                count = hits.count
            }
            report("query-\(name)", times.sorted()[rounds / 2], "ms", "\(count) hits")
        }
    }

    /// Words as often as in a language: the nth most common one 1/n as often as the first (Zipf).
    private struct Generator {
        var state: UInt64
        private static let cumulative: [Double] = {
            var sum = 0.0
            return (1...vocabularyCount).map { rank in
                sum += 1 / Double(rank)
                return sum
            }
        }()

        mutating func below(_ count: Int) -> Int {
            // Knuth's MMIX generator.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }

        mutating func text() -> String {
            (0..<wordCount).map { _ in
                let total = Self.cumulative[vocabularyCount - 1]
                let wanted = Double(below(1 << 30)) / Double(1 << 30) * total
                var low = 0
                var high = vocabularyCount
                while low < high {
                    let middle = (low + high) / 2
                    if Self.cumulative[middle] <= wanted { low = middle + 1 } else { high = middle }
                }
                return "w\(low)"
            }.joined(separator: " ")
        }
    }
}
