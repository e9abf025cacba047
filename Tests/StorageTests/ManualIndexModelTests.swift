import FileSystem
import GraphModel
import LuceneQuery
import Storage
import TestSupport
import Testing

@Suite struct ManualIndexModelTests {
    struct Entry: Hashable {
        let id: UInt64
        let key: String
        let value: String
    }
    /// By kind and name; whether it is fulltext, and what is in it.
    struct Model {
        var isFulltext: [String: Bool] = [:]
        var entries: [String: Set<Entry>] = [:]
        var nodes: Set<UInt64> = [0]

        func ids(_ index: String, _ isWanted: (Entry) -> Bool) -> [UInt64] {
            Set((entries[index] ?? []).filter(isWanted).map(\.id)).sorted()
        }
    }

    static let names = ["a", "b", "c"]
    static let keys = ["k", "key two", "é"]
    static let words = ["alpha", "Beta", "gamma", "Alpha"]

    /// Random changes of named indexes, over checkpoints and reopenings, with snapshots held across them: every way of
    /// asking agrees with a dictionary, inside transactions and after them.
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func indexesAgreeWithADictionaryAtEveryStep(seed: UInt64) throws {
        let disk = CrashableFileSystem()
        var store: Store? = try Store.open("store", fileSystem: disk, options: IndexModelTests.options)
        var committer: LocalCommitter? = try LocalCommitter(try #require(store))
        var run = Run(seed: seed)
        for round in 0..<150 {
            try run.round(round, try #require(store), try #require(committer))
            if Int.random(in: 0..<15, using: &run.generator) == 0 {
                let before = try #require(store).beginRead().graphChecksum()
                try #require(store).close()
                committer = nil
                store = nil
                store = try Store.open("store", fileSystem: disk, options: IndexModelTests.options)
                committer = try LocalCommitter(try #require(store))
                #expect(store?.beginRead().graphChecksum() == before, "seed \(seed), round \(round)")
            }
        }
        for (snapshot, model) in run.snapshots {
            try Self.verify(snapshot, model, &run.generator, "seed \(seed), held snapshot")
        }
    }

    struct Run {
        let seed: UInt64
        var generator: SeededGenerator
        var model = Model()
        var snapshots: [(Transaction, Model)] = []

        init(seed: UInt64) {
            self.seed = seed
            generator = SeededGenerator(seed: seed)
        }

        mutating func round(_ round: Int, _ store: Store, _ committer: LocalCommitter) throws {
            let comment: Comment = "seed \(seed), round \(round)"
            let transaction = committer.begin()
            var attempt = model
            for _ in 0..<Int.random(in: 1...10, using: &generator) { try ManualIndexModelTests.step(transaction, &attempt, &generator) }
            try ManualIndexModelTests.verify(transaction, attempt, &generator, comment)
            if Int.random(in: 0..<5, using: &generator) > 0 {
                try committer.commitAndWait(transaction)
                model = attempt
            } else {
                transaction.close()
            }
            let read = store.beginRead()
            try ManualIndexModelTests.verify(read, model, &generator, comment)
            if round % 10 == 0 { snapshots.append((read, model)) }
            if Int.random(in: 0..<6, using: &generator) == 0 { try store.checkpoint() }
            if round % 15 == 14 { #expect(store.check().problems == [], comment) }
        }
    }

    static func pick<T>(_ list: [T], _ generator: inout SeededGenerator) -> T {
        list[Int.random(in: 0..<list.count, using: &generator)]
    }

    static func value(_ generator: inout SeededGenerator) -> String {
        (0..<Int.random(in: 1...3, using: &generator)).map { _ in pick(words, &generator) }.joined(separator: " ")
    }

    static func step(_ transaction: Transaction, _ model: inout Model, _ generator: inout SeededGenerator) throws {
        let name = pick(names, &generator)
        let key = pick(keys, &generator)
        let node = pick(model.nodes.sorted(), &generator)
        switch Int.random(in: 0..<20, using: &generator) {
        case 0, 1: model.nodes.insert(try transaction.createNode().rawValue)
        case 2:
            guard model.nodes.count > 3 else { return }
            try transaction.deleteNode(NodeID(node))
            model.nodes.remove(node)
            for name in names { model.entries[name] = model.entries[name]?.filter { $0.id != node } }
        case 3:
            guard model.isFulltext[name] == nil else { return }
            let isFulltext = Bool.random(using: &generator)
            try transaction.createManualIndex(.node, named: name, configuration: ["type": isFulltext ? "fulltext" : "exact"])
            model.isFulltext[name] = isFulltext
        case 4:
            guard model.isFulltext[name] != nil, Bool.random(using: &generator) else { return }
            try transaction.dropManualIndex(.node, named: name)
            model.isFulltext[name] = nil
            model.entries[name] = nil
        case 5..<9:
            guard model.isFulltext[name] != nil else { return }
            switch Int.random(in: 0..<3, using: &generator) {
            case 0:
                try transaction.remove(.node(NodeID(node)), fromIndex: name)
                model.entries[name] = model.entries[name]?.filter { $0.id != node }
            case 1:
                try transaction.remove(.node(NodeID(node)), fromIndex: name, key: key)
                model.entries[name] = model.entries[name]?.filter { $0.id != node || $0.key != key }
            default:
                guard let entry = (model.entries[name] ?? []).min(by: { ($0.id, $0.value, $0.key) < ($1.id, $1.value, $1.key) }) else { return }
                try transaction.remove(.node(NodeID(entry.id)), fromIndex: name, key: entry.key, value: .text(entry.value))
                model.entries[name]?.remove(entry)
            }
        default:
            let value = value(&generator)
            try transaction.add(.node(NodeID(node)), toIndex: name, key: key, value: .text(value))
            if model.isFulltext[name] == nil { model.isFulltext[name] = false }
            model.entries[name, default: []].insert(Entry(id: node, key: key, value: value))
        }
    }

    static func verify(
        _ transaction: Transaction, _ model: Model, _ generator: inout SeededGenerator, _ comment: Comment
    ) throws {
        #expect(Set(transaction.manualIndexes(.node).map(\.name)) == Set(model.isFulltext.keys), comment)
        for (name, isFulltext) in model.isFulltext {
            let key = pick(keys, &generator)
            let value = value(&generator)
            var ids: ContiguousArray<UInt64> = []
            try transaction.lookUp(.node, inIndex: name, key: key, value: .text(value), into: &ids)
            #expect(Array(ids) == model.ids(name) { $0.key == key && $0.value == value }, comment)
            func query(_ query: IndexQuery) throws -> [UInt64] { try transaction.query(.node, index: name, query).map(\.id) }
            func tokens(_ entry: Entry) -> [String] {
                isFulltext ? entry.value.lowercased().split(separator: " ").map(String.init) : [entry.value]
            }
            let word = pick(words, &generator)
            let wanted = isFulltext ? word.lowercased() : word
            #expect(try query(.term(key, word)) == model.ids(name) { $0.key == key && tokens($0).contains(wanted) }, comment)
            let start = String(wanted.prefix(2))
            #expect(
                try query(.matching(key: key, .wildcard(.beginning(with: start))))
                    == model.ids(name) { $0.key == key && tokens($0).contains { $0.hasPrefix(start) } }, comment)
            let range = IndexQuery.matching(
                key: key, .range(.init(wanted, isIncluded: true), .init("gamma", isIncluded: false)))
            #expect(
                try query(range) == model.ids(name) { $0.key == key && tokens($0).contains { $0 >= wanted && $0 < "gamma" } },
                comment)
            let phrase = value.lowercased().split(separator: " ").map(String.init)
            if isFulltext {
                #expect(
                    try query(.term(key, value))
                        == model.ids(name) { entry in
                            let tokens = tokens(entry)
                            return entry.key == key
                                && tokens.indices.contains { Array(tokens[$0...].prefix(phrase.count)) == phrase }
                        }, comment)
            }
            #expect(
                try query(.combined([.init(.excluded, .term("k", word)), .init(.required, .everything)]))
                    == model.ids(name) { _ in true }.filter { id in
                        !(model.entries[name] ?? []).contains { $0.id == id && $0.key == "k" && tokens($0).contains(wanted) }
                    }, comment)
            if let id = model.nodes.sorted().first {
                #expect(
                    Set(try transaction.entries(of: .node(NodeID(id)), inIndex: name).map { Entry(id: id, key: $0.key, value: $0.value.text) })
                        == (model.entries[name] ?? []).filter { $0.id == id }, comment)
            }
        }
    }
}
