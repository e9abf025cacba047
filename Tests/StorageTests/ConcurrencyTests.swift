import FileSystem
import GraphModel
import Storage
import Synchronization
import TestSupport
import Testing

/// Real threads on a real disk: writers, readers and checkpoints at once.
@Suite struct ConcurrencyTests {
    static let accountCount: UInt64 = 16
    static let total: Int64 = 1600

    /// Transfers between accounts keep their sum; every snapshot must show it, before, during and after checkpoints.
    @Test func everySnapshotShowsTheSameSumWhileTransfersAndCheckpointsRun() throws {
        let temporary = try TemporaryDirectory()
        let directory = temporary.path + "/store"
        var options = Store.Options()
        options.nodeRangeBits = 4
        options.relationshipRangeBits = 6
        options.logRotationByteCount = 64 << 10
        options.logPreallocationByteCount = 16 << 10
        options.logRetention = .bytes(64 << 10)
        var store: Store? = try Store.open(directory, options: options)
        var committer: LocalCommitter? = try LocalCommitter(try #require(store))
        let setUp = try #require(committer).begin()
        var accounts: [NodeID] = []
        for _ in 0..<Self.accountCount {
            accounts.append(try setUp.createNode(labels: ["Account"], properties: [("balance", .integer(Self.total / Int64(Self.accountCount)))]))
        }
        try setUp.createIndex(label: "Account", keys: ["balance"], name: "balances")
        try setUp.createExistenceConstraint(label: "Account", keys: ["balance"])
        try #require(committer).commitAndWait(setUp)

        let isStopped = Flag()
        let problems = Problems()
        let counts = Counts()
        var bodies: [@Sendable () -> Void] = []
        for number in 0..<3 as Range<UInt64> {
            bodies.append { [committer, accounts] in
                var generator = SeededGenerator(seed: number)
                while !isStopped.isSet, let committer {
                    do {
                        if try Self.transfer(committer, accounts, &generator) { counts.transfers.add(1, ordering: .relaxed) }
                    } catch {
                        problems.note("transfer: \(error)")
                    }
                }
            }
        }
        for _ in 0..<2 {
            bodies.append { [store, accounts] in
                while !isStopped.isSet, let store {
                    if let problem = Self.read(store.beginRead(), accounts) { problems.note(problem) }
                }
            }
        }
        bodies.append { [store] in
            while !isStopped.isSet, let store {
                do { try store.checkpoint() } catch { problems.note("checkpoint: \(error)") }
                counts.checkpoints.add(1, ordering: .relaxed)
            }
        }
        bodies.append { [committer] in
            // In the middle of everything the index becomes readable.
            do { try committer?.finishSchemaWork() } catch { problems.note("schema: \(error)") }
        }
        bodies.append { [store, accounts] in
            while !isStopped.isSet, let store {
                do {
                    if let problem = try Self.copy(store, accounts) { problems.note(problem) }
                } catch {
                    problems.note("copy: \(error)")
                }
                counts.copies.add(1, ordering: .relaxed)
            }
        }
        try withThreads(bodies, until: {
            counts.transfers.load(ordering: .relaxed) >= 600 && counts.checkpoints.load(ordering: .relaxed) >= 10
                && counts.copies.load(ordering: .relaxed) >= 5
        }, stop: { isStopped.set() })
        #expect(problems.all == [])
        let report = try #require(store).check()
        #expect(report.problems == [])
        try #require(store).close()
        // The directory stays locked as long as anything refers to the store.
        bodies = []
        committer = nil
        store = nil
        let again = try Store.open(directory, options: options)
        #expect(again.check().checksum == report.checksum)
        again.close()
    }

    private final class Flag: Sendable {
        private let flag = Atomic<Bool>(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }

    private final class Problems: Sendable {
        private let list = Mutex<[String]>([])
        var all: [String] { list.withLock { $0 } }
        func note(_ problem: String) { list.withLock { $0.append(problem) } }
    }

    private final class Counts: Sendable {
        let transfers = Atomic<Int>(0)
        let checkpoints = Atomic<Int>(0)
        let copies = Atomic<Int>(0)
    }

    /// Streams a copy, as a backup does, into another store and opens that; what is wrong with it.
    private static func copy(_ store: Store, _ accounts: [NodeID]) throws -> String? {
        let disk = CrashableFileSystem()
        let source = store.beginCopy()
        let target = try StoreCopyTarget(directory: "copy", fileSystem: disk, manifest: source.manifest)
        for (index, file) in source.files.enumerated() {
            var offset: UInt64 = 0
            while offset < file.byteCount {
                let bytes = try source.read(index, from: offset, maximumByteCount: 4096)
                try target.write(file.name, bytes)
                offset += UInt64(bytes.count)
            }
        }
        var position = source.basePosition.transactionID
        while case let records = try source.records(after: position, maximumByteCount: 4096), let last = records.last {
            try target.append(records)
            position = last.position.transactionID
        }
        try target.finish(expecting: source.target)
        let copy = try Store.open("copy", fileSystem: disk)
        defer { copy.close() }
        if let problem = copy.check().problems.first { return "a copy: \(problem)" }
        return read(copy.beginRead(), accounts)
    }

    /// What is wrong with a snapshot; looked at twice, with time for a checkpoint in between.
    private static func read(_ read: Transaction, _ accounts: [NodeID]) -> String? {
        guard let key = read.token(.propertyKey, "balance") else { return nil }
        for _ in 0..<2 {
            var sum: Int64 = 0
            for account in accounts {
                if case .integer(let balance)? = read.property(key, ofNode: account) { sum += balance }
            }
            if sum != total { return "a snapshot at \(read.snapshotTransactionID) shows \(sum)" }
            if let problem = readIndex(read, key, accounts) { return problem }
            var neighbours: ContiguousArray<UInt64> = []
            var relationships: ContiguousArray<UInt64> = []
            read.expand(accounts[0], .both, types: [], neighbours: &neighbours, relationships: &relationships)
            for id in relationships where read.relationship(RelationshipID(id)) == nil {
                return "relationship \(id) is listed but not there"
            }
        }
        return nil
    }

    /// The index of balances, once it can be read, agrees with the accounts of the same snapshot.
    private static func readIndex(_ read: Transaction, _ key: TokenID, _ accounts: [NodeID]) -> String? {
        guard let label = read.token(.label, "Account"), let index = read.index(label: label, keys: [key]) else { return nil }
        var ids: ContiguousArray<UInt64> = []
        var cursor = IndexCursor()
        do throws(GraphError) {
            while try read.scan(index, .all, cursor: &cursor, limit: 5, into: &ids) {}
            if ids.sorted() != accounts.map(\.rawValue).sorted() { return "the index holds \(ids)" }
            for account in accounts {
                ids.removeAll()
                guard let balance = read.property(key, ofNode: account) else { continue }
                try read.seek(index, equals: balance, into: &ids)
                if !ids.contains(account.rawValue) { return "the index does not find \(account) by \(balance)" }
            }
        } catch {
            return "index: \(error)"
        }
        return nil
    }

    /// Moves an amount and notes it as a relationship; false when somebody was faster.
    private static func transfer(
        _ committer: LocalCommitter, _ accounts: [NodeID], _ generator: inout SeededGenerator
    ) throws -> Bool {
        let from = accounts[Int.random(in: 0..<accounts.count, using: &generator)]
        let to = accounts[Int.random(in: 0..<accounts.count, using: &generator)]
        if from == to { return false }
        let transaction = committer.begin(nodes: 0, relationships: 4)
        guard let key = transaction.token(.propertyKey, "balance"),
            case .integer(let have)? = transaction.property(key, ofNode: from),
            case .integer(let has)? = transaction.property(key, ofNode: to)
        else { return false }
        let amount = Int64.random(in: 1...5, using: &generator)
        try transaction.setProperty("balance", to: .integer(have - amount), ofNode: from)
        try transaction.setProperty("balance", to: .integer(has + amount), ofNode: to)
        _ = try transaction.createRelationship(type: "PAID", from: from, to: to, properties: [("amount", .integer(amount))])
        do throws(GraphError) { try committer.commitAndWait(transaction) } catch {
            guard error.code == .conflict else { throw error }
            return false
        }
        return true
    }

    private func withThreads(
        _ bodies: [@Sendable () -> Void], until isDone: () -> Bool, stop: () -> Void
    ) throws {
        let threads = bodies.enumerated().map { DedicatedThread(name: "test-\($0.offset)", $0.element) }
        let clock = Monitor(())
        let deadline = monotonicNanoseconds() + 60_000_000_000
        while !isDone(), monotonicNanoseconds() < deadline {
            let woken: Void? = clock.wait(untilNanoseconds: monotonicNanoseconds() + 5_000_000) { _ in nil }
            _ = woken
        }
        stop()
        for thread in threads { thread.join() }
        #expect(isDone(), "too slow to mean anything")
    }
}
