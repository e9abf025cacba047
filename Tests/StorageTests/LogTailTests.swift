import FileSystem
import GraphModel
import Storage
import Testing

/// What can be read of a log before it is on disk.
@Suite struct LogTailTests {
    /// An entry that large pushes everything else out of memory.
    @Test func entriesThatAreNotOnDiskYetStayReadable() throws {
        var options = Store.Options()
        options.usesLogThread = false
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: options)
        defer { store.close() }
        var position = LogPosition.zero
        var records: [LogRecord] = []
        for byteCount in [10, 40 << 20, 10] {
            let record = LogEntryHeader.encode(
                kind: .transaction, epoch: Epoch(1), following: position, wallClockMilliseconds: 0, commitPoint: .zero,
                commandCount: 0, commands: [UInt8](repeating: 7, count: byteCount)[...])
            position = record.position
            records.append(record)
        }
        for record in records { try store.append([record]) }
        for record in records { #expect(try store.position(of: record.position.transactionID) == record.position) }
        #expect(try store.records(after: .zero, maximumByteCount: 100 << 20) == records)
        store.flush()
        for record in records { #expect(try store.position(of: record.position.transactionID) == record.position) }
        #expect(try store.records(after: TransactionID(1), maximumByteCount: 100) == [records[1]])
    }
}
