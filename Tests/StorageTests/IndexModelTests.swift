import FileSystem
import GraphModel
import Storage
import TestSupport
import Testing

@Suite struct IndexModelTests {
    static var options: Store.Options {
        var options = Store.Options()
        options.usesLogThread = false
        options.nodeRangeBits = 4
        options.relationshipRangeBits = 5
        options.logRotationByteCount = 4096
        options.logPreallocationByteCount = 1024
        options.logRetention = .bytes(8192)
        options.indexChunkEntryCount = 4
        options.populationByteCount = 1024
        return options
    }

    /// Random changes of graph and schema, over checkpoints, populations and reopenings, with snapshots held across all
    /// of it; every index agrees with what the graph says it holds, inside transactions and after them.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func indexesAgreeWithAPlainModelAtEveryStep(seed: UInt64) throws {
        let disk = CrashableFileSystem()
        var store: Store? = try Store.open("store", fileSystem: disk, options: Self.options)
        var committer: LocalCommitter? = try LocalCommitter(try #require(store))
        var run = Run(seed: seed)
        for round in 0..<160 {
            try run.round(round, try #require(store), try #require(committer))
            if Int.random(in: 0..<20, using: &run.workload.generator) == 0 {
                let before = try #require(store).beginRead().graphChecksum()
                try #require(store).close()
                committer = nil
                store = nil
                store = try Store.open("store", fileSystem: disk, options: Self.options)
                committer = try LocalCommitter(try #require(store))
                #expect(store?.beginRead().graphChecksum() == before, "seed \(seed), round \(round)")
            }
        }
        try run.verifySnapshots()
        #expect(run.counts.allSatisfy { $0.value > 0 }, "seed \(seed) leaves something out: \(run.counts)")
    }

    struct Run {
        let seed: UInt64
        var workload: RandomWorkload
        var model = ModelGraph()
        var snapshots: [(Transaction, ModelGraph, [SchemaRuleStatus])] = []
        var counts = ["commits": 0, "online constraints": 0, "drops": 0, "looks": 0]

        init(seed: UInt64) {
            self.seed = seed
            workload = RandomWorkload(seed: seed)
            model.nodes[0] = .init()
        }

        mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &workload.generator) == 0 }

        mutating func round(_ round: Int, _ store: Store, _ committer: LocalCommitter) throws {
            let comment: Comment = "seed \(seed), round \(round)"
            let transaction = committer.begin()
            let rules = store.schemaStatus()
            var attempt = model
            for _ in 0..<Int.random(in: 1...12, using: &workload.generator) { try workload.step(transaction, &attempt) }
            for status in Self.readable(rules) {
                try IndexModel(status, attempt).verify(transaction, &workload.generator, "\(comment), in the transaction")
            }
            if !chance(5) {
                if rules.contains(where: { Self.breaks($0, attempt) }) {
                    #expect(performing: { try committer.commitAndWait(transaction) }, throws: {
                        ($0 as? GraphError)?.code == .constraintViolation
                    })
                } else {
                    try committer.commitAndWait(transaction)
                    counts["commits", default: 0] += 1
                    model = attempt
                }
            }
            if chance(4) { try changeSchema(store, committer) }
            if chance(3) { try committer.finishSchemaWork() }
            let read = store.beginRead()
            let now = Self.readable(store.schemaStatus())
            for status in now {
                counts["looks", default: 0] += 1
                try IndexModel(status, model).verify(read, &workload.generator, comment)
            }
            for status in store.schemaStatus() where status.rule.kind != .index && status.state == .online {
                counts["online constraints", default: 0] += 1
                #expect(!Self.breaks(status, model), comment)
            }
            if round % 10 == 0 { snapshots.append((read, model, now)) }
            if round % 20 == 19 { #expect(store.check().problems == [], comment) }
            if chance(6) { try store.checkpoint() }
        }

        mutating func verifySnapshots() throws {
            for (snapshot, wanted, rules) in snapshots {
                for status in rules {
                    try IndexModel(status, wanted).verify(
                        snapshot, &workload.generator, "seed \(seed), held snapshot", isCurrent: false)
                }
            }
        }

        static func readable(_ rules: [SchemaRuleStatus]) -> [SchemaRuleStatus] {
            rules.filter { $0.rule.kind != .existence && $0.state != .failed && $0.progress == 1 }
        }

        /// Whether a graph breaks a constraint that is in force.
        static func breaks(_ status: SchemaRuleStatus, _ graph: ModelGraph) -> Bool {
            guard status.rule.state == .online else { return false }
            switch status.rule.kind {
            case .index: return false
            case .uniqueness: return IndexModel(status, graph).hasDuplicates
            case .existence:
                return lacks(status, graph)
            }
        }

        static func lacks(_ status: SchemaRuleStatus, _ graph: ModelGraph) -> Bool {
            func lacks(_ properties: [String: Value]) -> Bool { status.keyNames.contains { properties[$0] == nil } }
            return status.rule.entity == .node
                ? graph.nodes.values.contains { $0.labels.contains(status.tokenName) && lacks($0.properties) }
                : graph.relationships.values.contains { $0.type == status.tokenName && lacks($0.properties) }
        }

        /// One change of the schema; what comes of a constraint must be what the graph says.
        mutating func changeSchema(_ store: Store, _ committer: LocalCommitter) throws {
            let transaction = committer.begin(nodes: 0, relationships: 0)
            let rules = transaction.schemaRules
            if rules.count > 6 || (!rules.isEmpty && chance(4)) {
                try transaction.dropSchemaRule(workload.pick(rules).id)
                counts["drops", default: 0] += 1
                try committer.commitAndWait(transaction)
                return
            }
            let keys = Array(RandomWorkload.keys.shuffled(using: &workload.generator).prefix(chance(3) ? 2 : 1))
            let label = workload.pick(RandomWorkload.labels)
            let type = workload.pick(RandomWorkload.types)
            let name = "rule \(Int.random(in: 0..<100_000, using: &workload.generator))"
            do throws(GraphError) {
                switch Int.random(in: 0..<8, using: &workload.generator) {
                case 0, 1, 2: try transaction.createIndex(label: label, keys: keys, name: name)
                case 3: try transaction.createIndex(relationshipType: type, keys: keys, name: name)
                case 4, 5: try transaction.createUniquenessConstraint(label: label, keys: keys, name: name)
                case 6: try transaction.createUniquenessConstraint(relationshipType: type, keys: keys, name: name)
                default: try transaction.createExistenceConstraint(label: label, keys: keys, name: name)
                }
            } catch {
                #expect(error.code == .schemaRuleExists, "seed \(seed): \(error)")
                return
            }
            try committer.commitAndWait(transaction)
            guard let made = store.schemaStatus().first(where: { $0.rule.name == name }), made.rule.kind != .index else {
                return
            }
            try committer.finishSchemaWork()
            let after = try #require(store.schemaStatus().first { $0.rule.name == name })
            let isBroken =
                made.rule.kind == .existence ? Self.lacks(after, model) : IndexModel(after, model).hasDuplicates
            #expect(after.state == (isBroken ? .failed : .online), "seed \(seed): \(after)")
        }
    }
}
