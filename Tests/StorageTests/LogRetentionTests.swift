import FileSystem
import GraphModel
import Storage
import Testing

/// `keep_logical_logs`, each form at its edge.
@Suite struct LogRetentionTests {
    @Test(arguments: [
        ("true", LogRetention.all), ("FALSE", .none), ("10 files", .files(10)), ("300M size", .bytes(300 << 20)),
        ("1G size", .bytes(1 << 30)), ("500k txs", .transactions(500_000)), ("2M txs", .transactions(2_000_000)),
        ("12 hours", .age(12 * 3_600_000)), ("  7   days ", .age(7 * 86_400_000)),
    ])
    func forms(text: String, expected: LogRetention) { #expect(LogRetention(text) == expected) }

    @Test(arguments: [
        "", "yes", "7", "days", "7 weeks", "-1 days", "0 files", "1.5G size", "k txs", "7 days 2G size",
        "99999999999999999999 txs", "18446744073709551615k size",
    ])
    func otherTextIsRefused(text: String) { #expect(LogRetention(text) == nil) }

    /// Ten log files of some transactions each, then a checkpoint; the first transaction that is still there.
    private static func firstAvailable(_ retention: LogRetention, age: Int64 = 0) throws -> (first: UInt64, last: UInt64) {
        var options = Store.Options()
        options.usesLogThread = false
        options.logRotationByteCount = 1000
        options.logPreallocationByteCount = 512
        options.logRetention = retention
        let disk = CrashableFileSystem()
        let store = try Store.open("store", fileSystem: disk, options: options)
        defer { store.close() }
        var sequencer = try Sequencer(store)
        let reserve = IDReserve()
        reserve.add(nodes: sequencer.reserveNodeIDs(1000), relationships: 0..<0, epoch: Epoch(1))
        while try disk.list("store").count(where: { $0.hasSuffix(".mlog") }) < 10 {
            let transaction = store.beginWrite(reserve)
            _ = try transaction.createNode(properties: [("text", .string(String(repeating: "x", count: 100)))])
            let record = try sequencer.sequence(
                try transaction.finish(), epoch: Epoch(1), commitPoint: .zero,
                wallClockMilliseconds: wallClockMilliseconds() - age)
            try store.append([record])
            store.flush()
            try store.apply(upTo: record.position.transactionID)
        }
        try store.checkpoint()
        #expect(store.check().isConsistent)
        return (store.firstAvailable.rawValue, store.last.transactionID.rawValue)
    }

    @Test func allKeepsAll() throws { #expect(try Self.firstAvailable(.all).first == 1) }

    @Test func noneKeepsTheLatestFileWithAnEntry() throws {
        let (first, last) = try Self.firstAvailable(.none)
        #expect(first > 1 && first <= last)
    }

    @Test func filesAreCounted() throws {
        let all = try Self.firstAvailable(.none).first
        let perFile = (all - 1) / 9
        #expect(try Self.firstAvailable(.files(10)).first == 1)
        #expect(try Self.firstAvailable(.files(9)).first == 1 + perFile)
        #expect(try Self.firstAvailable(.files(1)).first == all)
    }

    @Test func transactionsAreKeptAtLeast() throws {
        let (first, last) = try Self.firstAvailable(.none)
        let perFile = (first - 1) / 9
        // Exactly what all but the first file hold, and one more.
        #expect(try Self.firstAvailable(.transactions(last - perFile)).first == 1 + perFile)
        #expect(try Self.firstAvailable(.transactions(last - perFile + 1)).first == 1)
    }

    @Test func bytesAreKeptAtMost() throws {
        #expect(try Self.firstAvailable(.bytes(1 << 30)).first == 1)
        let some = try Self.firstAvailable(.bytes(4000)).first
        let none = try Self.firstAvailable(.bytes(0)).first
        #expect(some > 1 && some < none)
    }

    @Test func ageIsThatOfTheLastEntry() throws {
        let hour: Int64 = 3_600_000
        #expect(try Self.firstAvailable(.age(UInt64(hour)), age: hour / 2).first == 1)
        #expect(try Self.firstAvailable(.age(UInt64(hour)), age: 2 * hour).first > 1)
    }
}
