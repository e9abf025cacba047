import FileSystem
import GraphModel
import Storage
import TestSupport
import Testing

/// A million operations against a plain model, and the same history under other settings. `MARTLET_MODEL_OPERATIONS`
/// sets how many, `MARTLET_MODEL_SEED` which.
@Suite struct LongModelTests {
    private static let seed =
        UInt64(processEnvironment()["MARTLET_MODEL_SEED"] ?? "") ?? UInt64.random(in: 0...UInt64.max)
    private static let operationCount = Int(processEnvironment()["MARTLET_MODEL_OPERATIONS"] ?? "") ?? 1_000_000

    /// Halves run at once, each with its own seed.
    @Test(arguments: [0, 1] as [UInt64])
    func storeAgreesWithTheModelForAMillionOperations(half: UInt64) throws {
        var history = History(seed: Self.seed &+ half, settings: half == 0 ? .small : .medium)
        while history.operationCount < Self.operationCount / 2 { try history.round(verifies: true) }
        try history.verifySnapshots()
        // A shorter run, as somebody may ask for, need not come by everything.
        let isComplete = Self.operationCount < 1_000_000 || history.counts.allSatisfy { $0.value > 0 }
        #expect(isComplete, "seed \(history.seed) leaves something out: \(history.counts)")
    }

    /// Segment size, log size and when checkpoints are made change nothing that a user can see.
    @Test func otherSettingsGiveTheSameHistory() throws {
        func run(_ settings: Settings) throws -> [GraphChecksum] {
            var history = History(seed: Self.seed, settings: settings)
            while history.operationCount < Self.operationCount / 5 { try history.round(verifies: false) }
            return history.checksums
        }
        let first = try run(.small)
        #expect(first.count > 20)
        for settings in [Settings.medium, .large] {
            let other = try run(settings)
            let difference = zip(first, other).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            #expect(difference == nil && first.count == other.count, "seed \(Self.seed), \(settings)")
        }
    }

    enum Settings {
        case small, medium, large

        var options: Store.Options {
            var options = Store.Options()
            options.usesLogThread = false
            options.storeID = StoreID(1)
            switch self {
            case .small:
                options.nodeRangeBits = 4
                options.relationshipRangeBits = 5
                options.logRotationByteCount = 4096
                options.logPreallocationByteCount = 1024
                options.logRetention = .none
                options.indexChunkEntryCount = 4
                options.populationByteCount = 1024
            case .medium:
                options.nodeRangeBits = 7
                options.relationshipRangeBits = 9
                options.logRotationByteCount = 64 << 10
                options.logPreallocationByteCount = 16 << 10
                options.logRetention = .transactions(50)
                options.indexChunkEntryCount = 32
            case .large:
                options.nodeRangeBits = 12
                options.relationshipRangeBits = 14
                options.logRotationByteCount = 1 << 20
                options.logPreallocationByteCount = 128 << 10
            }
            return options
        }
        /// A checkpoint after one of so many transactions.
        var checkpointInterval: Int {
            switch self {
            case .small: 12
            case .medium: 60
            case .large: 400
            }
        }
    }

    /// One store and what must be in it.
    struct History {
        let seed: UInt64
        private let settings: Settings
        private let disk = CrashableFileSystem()
        private var store: Store?
        private var committer: LocalCommitter?
        private var run: IndexModelTests.Run
        /// Decides what must not change the history.
        private var hidden: SeededGenerator
        private var snapshots: [(Transaction, ModelGraph, [SchemaRuleStatus])] = []
        private(set) var operationCount = 0
        private(set) var checksums: [GraphChecksum] = []
        private(set) var counts = [
            "commits": 0, "given up": 0, "violations": 0, "checkpoints": 0, "reopenings": 0, "snapshots": 0, "indexes": 0,
        ]
        private var roundNumber = 0

        init(seed: UInt64, settings: Settings) {
            self.seed = seed
            self.settings = settings
            run = IndexModelTests.Run(seed: seed)
            run.workload.nodeCountMaximum = 60
            hidden = SeededGenerator(seed: seed ^ UInt64(settings.options.nodeRangeBits))
        }

        private mutating func count(_ what: String) { counts[what, default: 0] += 1 }

        private mutating func open() throws -> (Store, LocalCommitter) {
            if let store, let committer { return (store, committer) }
            let opened = try Store.open("store", fileSystem: disk, options: settings.options)
            let committing = try LocalCommitter(opened)
            (store, committer) = (opened, committing)
            return (opened, committing)
        }

        mutating func round(verifies: Bool) throws {
            roundNumber += 1
            let comment: Comment = "seed \(seed), round \(roundNumber), \(settings)"
            let (store, committer) = try open()
            let stepCount = Int.random(in: 1...80, using: &run.workload.generator)
            let transaction = committer.begin(nodes: stepCount, relationships: stepCount)
            var attempt = run.model
            for _ in 0..<stepCount { try run.workload.step(transaction, &attempt) }
            operationCount += stepCount
            if verifies, run.chance(4) { #expect(ModelGraph(reading: transaction) == attempt, comment) }
            if run.chance(6) {
                count("given up")
            } else if store.schemaStatus().contains(where: { IndexModelTests.Run.breaks($0, attempt) }) {
                count("violations")
                #expect(performing: { try committer.commitAndWait(transaction) }, throws: {
                    ($0 as? GraphError)?.code == .constraintViolation
                })
            } else {
                count("commits")
                try committer.commitAndWait(transaction)
                run.model = attempt
            }
            if run.chance(25) {
                try run.changeSchema(store, committer)
                try committer.finishSchemaWork()
            }
            if Int.random(in: 0..<settings.checkpointInterval, using: &hidden) == 0 {
                try store.checkpoint()
                count("checkpoints")
            }
            if verifies { try verify(store, comment) } else { checksums.append(store.beginRead().graphChecksum()) }
            if run.chance(60) {
                store.close()
                self.store = nil
                self.committer = nil
                count("reopenings")
            }
        }

        private mutating func verify(_ store: Store, _ comment: Comment) throws {
            let read = store.beginRead()
            #expect(ModelGraph(reading: read) == run.model, comment)
            #expect(read.nodeCount() == run.model.nodes.count, comment)
            #expect(read.relationshipCount() == run.model.relationships.count, comment)
            if run.chance(20) {
                for direction in Direction.allCases {
                    for type in [nil, "KNOWS"] as [String?] {
                        #expect(
                            ModelGraph.adjacency(read, direction, type: type)
                                == run.model.adjacency(direction, type: type), comment)
                    }
                }
            }
            if run.chance(10) { verifyWalk(read, comment) }
            let rules = IndexModelTests.Run.readable(store.schemaStatus())
            if run.chance(20) {
                for status in rules {
                    count("indexes")
                    try IndexModel(status, run.model).verify(read, &run.workload.generator, comment)
                }
            }
            // Held for a while, over checkpoints and closed stores.
            if snapshots.count < 6, run.chance(20) { snapshots.append((read, run.model, rules)) }
            if run.chance(60), let held = snapshots.indices.randomElement(using: &run.workload.generator) {
                try verifySnapshot(snapshots.remove(at: held))
            }
            if run.chance(500) { #expect(store.check().problems == [], comment) }
        }

        /// Expanding many nodes at once, level by level, and the degrees of all.
        private mutating func verifyWalk(_ read: Transaction, _ comment: Comment) {
            let direction = Direction.allCases.randomElement(using: &run.workload.generator) ?? .both
            let type = run.chance(2) ? "KNOWS" : nil
            let types = type.map { read.token(.relationshipType, $0).map { [$0] } } ?? []
            guard let types else { return }
            let edges = run.model.adjacency(direction, type: type)
            for (node, _) in run.model.nodes {
                #expect(read.degree(NodeID(node), direction, types: types) == edges.count { $0[0] == node }, comment)
            }
            var wanted = Set(run.model.nodes.keys.prefix(3))
            var from = NodeSet()
            var to = NodeSet()
            for node in wanted { from.insert(NodeID(node)) }
            for _ in 0..<3 {
                to.removeAll()
                read.expandDistinct(from, direction, types: types, into: &to)
                wanted = Set(edges.filter { wanted.contains($0[0]) }.map { $0[1] })
                var found: [UInt64] = []
                to.forEach { found.append($0) }
                #expect(found.sorted() == wanted.sorted(), comment)
                #expect(wanted.allSatisfy { to.contains(NodeID($0)) }, comment)
                swap(&from, &to)
            }
        }

        private mutating func verifySnapshot(
            _ held: (transaction: Transaction, model: ModelGraph, rules: [SchemaRuleStatus])
        ) throws {
            count("snapshots")
            let comment: Comment = "seed \(seed), a snapshot looked at in round \(roundNumber)"
            #expect(ModelGraph(reading: held.transaction) == held.model, comment)
            for status in held.rules {
                try IndexModel(status, held.model).verify(
                    held.transaction, &run.workload.generator, comment, isCurrent: false)
            }
        }

        mutating func verifySnapshots() throws {
            for held in snapshots { try verifySnapshot(held) }
            snapshots = []
        }
    }
}
