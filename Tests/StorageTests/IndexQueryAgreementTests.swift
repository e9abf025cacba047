import FileSystem
import GraphModel
import LuceneQuery
import Storage
import TestSupport
import Testing

@Suite struct IndexQueryAgreementTests {
    private static let keys = ["name", "key two", "é"]
    private static let words = [
        "alpha", "Alpha", "alphabet", "beta", "Beta", "bet", "gamma", "gam", "a", "b", "c-d", "e:f", "g(h)", "Übel", "übel", "3", "7", "x*y",
        "AND", "q?", "two words",
    ]
    private static let entityCount = 120

    /// 51,200 random query strings over 32 random indexes agree with a reference in what they find and in the scores.
    @Test(arguments: 1...32 as ClosedRange<UInt64>)
    func queriesAgreeWithTheReference(seed: UInt64) throws {
        var generator = IndexQueryGenerator(generator: SeededGenerator(seed: seed), keys: Self.keys, words: Self.words)
        let (configuration, analysis) = generator.one(of: [
            (["type": "exact"], ReferenceAnalysis(splits: false, lowercases: false)),
            (["type": "exact", "to_lower_case": "true"], ReferenceAnalysis(splits: false, lowercases: true)),
            (["type": "fulltext"], ReferenceAnalysis(splits: true, lowercases: true)),
            (["type": "fulltext", "to_lower_case": "false"], ReferenceAnalysis(splits: true, lowercases: false)),
        ])
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: IndexModelTests.options)
        defer { store.close() }
        let committer = try LocalCommitter(store)
        var documents: [UInt64: ReferenceDocument] = [:]
        let first = committer.begin(nodes: Self.entityCount, relationships: 0)
        for _ in 0..<Self.entityCount { documents[try first.createNode().rawValue] = ReferenceDocument() }
        try first.createManualIndex(.node, named: "index", configuration: configuration)
        try committer.commitAndWait(first)
        // Entries in the files, in memory above them, and of the asking transaction itself.
        for _ in 0..<3 {
            let transaction = committer.begin()
            try Self.change(transaction, &documents, &generator)
            try committer.commitAndWait(transaction)
            if generator.chance(50) { try store.checkpoint() }
        }
        let own = committer.begin()
        try Self.change(own, &documents, &generator)
        for round in 0..<1600 {
            let defaultKey = generator.chance(30) ? generator.one(of: Self.keys) : nil
            let defaultOperator = generator.chance(30) ? IndexQuery.Operator.and : .or
            let (text, meaning) = generator.query(defaultKey: defaultKey, defaultOperator)
            let place = "seed \(seed), round \(round), \(configuration), default \(defaultKey ?? "none") \(defaultOperator): \(text)"
            let parsed: IndexQuery
            do { parsed = try IndexQuery.parse(text, key: defaultKey, defaultOperator: defaultOperator) } catch {
                Issue.record("\(error); \(place)")
                continue
            }
            let hits = try own.query(.node, index: "index", parsed)
            var expected: [(id: UInt64, score: Double)] = []
            for (id, document) in documents.sorted(by: { $0.key < $1.key }) {
                if let score = document.score(meaning, analysis) { expected.append((id, score)) }
            }
            guard hits.map(\.id) == expected.map(\.id) else {
                Issue.record("found \(hits.map(\.id)), expected \(expected.map(\.id)); \(place)")
                continue
            }
            for (hit, wanted) in zip(hits, expected) where abs(hit.score - wanted.score) > 1e-9 * max(1, wanted.score) {
                Issue.record("entity \(hit.id) scores \(hit.score), expected \(wanted.score); \(place)")
            }
        }
        own.close()
    }

    private static func change(
        _ transaction: Transaction, _ documents: inout [UInt64: ReferenceDocument], _ generator: inout IndexQueryGenerator
    ) throws {
        let ids = documents.keys.sorted()
        for _ in 0..<200 {
            let id = generator.one(of: ids)
            let key = generator.one(of: keys)
            let content: ReferenceDocument.Content
            switch generator.below(10) {
            case 0: content = .integer(Int64(generator.below(12)) - 1)
            case 1: content = .float(generator.one(of: [2.5, 1.0, -1.5, 3, 7.25]))
            default: content = .text((0..<1 + generator.below(4)).map { _ in generator.one(of: words) }.joined(separator: " "))
            }
            let value: IndexedValue =
                switch content {
                case .text(let text): .text(text)
                case .integer(let number): .integer(number)
                case .float(let number): .float(number)
                }
            if generator.chance(80) {
                try transaction.add(.node(NodeID(id)), toIndex: "index", key: key, value: value)
                documents[id]?.values[key, default: []].insert(content)
            } else if let there = documents[id]?.values[key]?.min(by: { "\($0)" < "\($1)" }) {
                let gone: IndexedValue =
                    switch there {
                    case .text(let text): .text(text)
                    case .integer(let number): .integer(number)
                    case .float(let number): .float(number)
                    }
                try transaction.remove(.node(NodeID(id)), fromIndex: "index", key: key, value: gone)
                documents[id]?.values[key]?.remove(there)
            }
        }
    }
}
