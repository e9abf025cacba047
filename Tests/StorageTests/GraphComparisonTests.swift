import FileSystem
import GraphModel
import Storage
import Synchronization
import Testing

/// What the members' graphs come to at one transaction.
@Suite struct GraphComparisonTests {
    private static let position = LogPosition(epoch: Epoch(2), transactionID: TransactionID(9), checksum: 7)

    /// Checksums by member, 1 up; 0 is none. The master is the last member.
    private static func comparison(_ values: [UInt64]) -> GraphComparison {
        let members = (1...UInt32(values.count)).map { MemberID($0) }
        var comparison = GraphComparison(
            position: position, startedAt: 0, members: members.reversed(), master: members[members.count - 1])
        for (member, value) in zip(members, values) where value != 0 { comparison.note(GraphChecksum(value), of: member) }
        return comparison
    }

    @Test(arguments: [
        ([5, 5, 5], 5, [], []), ([5, 6, 5], 5, [2], []), ([6, 5, 5], 5, [1], []), ([5, 5, 6], 5, [3], []),
        ([5, 0, 5], 5, [], [2]), ([5, 0, 6], 6, [1], [2]), ([7, 5, 6], 6, [1, 2], []), ([5, 6, 5, 6, 0], 5, [2, 4], [5]),
        ([9], 9, [], []),
    ] as [([UInt64], UInt64, [UInt32], [UInt32])])
    func whoDiffersFromMost(values: [UInt64], agreed: UInt64, differing: [UInt32], missing: [UInt32]) {
        let comparison = Self.comparison(values)
        #expect(comparison.agreed == GraphChecksum(agreed))
        #expect(comparison.differing == differing.map { MemberID($0) })
        #expect(comparison.missing == missing.map { MemberID($0) })
    }

    @Test func nobodysWordIsNoAgreement() {
        let comparison = Self.comparison([0, 0])
        #expect(comparison.agreed == nil && comparison.differing == [] && comparison.missing.count == 2)
    }

    @Test func strangersAndLateAnswersDoNotCount() {
        var comparison = Self.comparison([5, 0])
        comparison.note(GraphChecksum(6), of: MemberID(9))
        comparison.finish(after: 20)
        comparison.note(GraphChecksum(6), of: MemberID(2))
        #expect(comparison.checksums == [MemberID(1): GraphChecksum(5)])
        #expect(comparison.duration == 20)
    }

    @Test func theLineNamesWhoDiffersAndWhoIsSilent() {
        #expect(Self.comparison([5, 5, 0]).summary == "the graphs of members 1, 2 are equal at tx 9: checksum 0000000000000005; no answer from 3")
        #expect(Self.comparison([5, 6, 5]).summary == "GRAPHS DIFFER at tx 9: member 2 has checksum 0000000000000006, the others 0000000000000005")
    }

    // MARK: The entry

    private static func open(_ name: String, _ disk: CrashableFileSystem) throws -> Store {
        var options = Store.Options()
        options.usesLogThread = false
        options.isClustered = true
        options.appliesWholeLog = false
        options.storeID = StoreID(5)
        return try Store.open(name, fileSystem: disk, options: options)
    }

    /// Entries on both sides of it, applied at once: the graph is read as it is between them.
    @Test func theGraphIsReadAsItIsAtTheEntry() throws {
        let disk = CrashableFileSystem()
        let store = try Self.open("store", disk)
        var sequencer = try Sequencer(store)
        let reserve = IDReserve()
        reserve.add(nodes: sequencer.reserveNodeIDs(100), relationships: 0..<0, epoch: Epoch(1))
        var records: [LogRecord] = []
        func write(_ key: String) throws {
            let transaction = store.beginWrite(reserve)
            _ = try transaction.createNode(labels: ["N"], properties: [(key, .integer(1))])
            records.append(try sequencer.sequence(
                try transaction.finish(), epoch: Epoch(1), commitPoint: .zero, wallClockMilliseconds: 0))
        }
        for key in ["a", "b", "c"] { try write(key) }
        let mark = sequencer.graphComparison(Epoch(1), commitPoint: .zero, wallClockMilliseconds: 0)
        records.append(mark)
        for key in ["a", "d"] { try write(key) }
        let heard = Mutex<[MarkedGraph]>([])
        store.onGraphComparison { graph in heard.withLock { $0.append(graph) } }
        try store.append(records)
        store.flush()
        try store.apply(upTo: store.last.transactionID)
        #expect(store.nodeCount == 6 && store.applied == store.last)
        let graph = try #require(heard.withLock { $0.first })
        #expect(heard.withLock { $0.count } == 1 && graph.position == mark.position)

        let other = try Self.open("other", disk)
        try other.append(Array(records.prefix(4)))
        other.flush()
        try other.apply(upTo: mark.position.transactionID)
        let expected = other.beginRead().graphChecksum()
        #expect(try graph.checksum { false } == expected)
        #expect(store.beginRead().graphChecksum() != expected)
        // Also after the overlay it is in has been merged.
        try store.checkpoint()
        #expect(try graph.checksum { false } == expected)
        #expect(try graph.checksum { true } == nil)
        #expect(store.check().problems == [])
    }

    @Test func aWriteSetMayNotAskForIt() throws {
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: {
            var options = Store.Options()
            options.usesLogThread = false
            return options
        }())
        let committer = try LocalCommitter(store)
        let transaction = committer.begin()
        try transaction.addLabel("N", to: NodeID(0))
        let bytes = try transaction.finish()
        // The only command, *add label*, with its fields, becomes *compare graphs*, which has none.
        let command = try #require(bytes.firstIndex(of: 10))
        let forged = Array(bytes[..<command]) + [21] + bytes[(command + 13)...]
        do throws(GraphError) {
            try committer.commitAndWait(writeSet: forged)
            Issue.record("it was taken")
        } catch { #expect(error.code == .invalidRequest) }
    }
}
