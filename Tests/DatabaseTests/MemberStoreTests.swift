import Coordination
import Database
import FileSystem
import GraphModel
import Replication
import Storage
import TestSupport
import Testing

/// What a member makes of the store that it finds when it starts.
@Suite struct MemberStoreTests {
    private struct NoNetwork: FrameNetwork {
        func send(_ frame: [UInt8], to address: String) {}
    }
    private struct NoCopier: StoreCopier {
        func copyStore(
            of member: ClusterRegister.Member, storeID: StoreID, into directory: String, progress: (UInt64) -> Void
        ) throws(GraphError) {
            throw GraphError(.network, "nobody is there")
        }
    }

    /// A store whose last entry does not know yet that it is committed.
    private func makeStore(_ directory: String) async throws -> (last: LogPosition, known: TransactionID) {
        let store = try Store.open(directory)
        let database = Database(try SingleDatabase(store))
        for _ in 0..<3 { _ = try await database.write { tx throws(GraphError) in try tx.createNode() } }
        let last = store.last
        let record = try #require(try store.records(after: TransactionID(last.transactionID.rawValue - 1), maximumByteCount: 1 << 20)?.first)
        let known = try LogEntryHeader.decode(record.bytes[...]).commitPoint
        await database.close()
        return (last, known)
    }

    private func applied(_ directory: String) throws -> (position: LogPosition, notes: [String]) {
        let notes = Notes()
        let member = try ClusterMember(
            .init(
                replication: .init(member: .init(id: MemberID(1), address: "m:1"), clusterName: "c"), coordinators: ["c:1"],
                directory: directory),
            network: NoNetwork(), copier: NoCopier(), note: { notes.note($1) }, onFailure: { _ in })
        let store = try member.readableStore()
        defer { store.close() }
        return (store.applied, notes.all)
    }

    @Test func allOfTheLogOfAStoreFromElsewhereCounts() async throws {
        let directory = try TemporaryDirectory()
        let store = directory.path + "/graph.db"
        let (last, _) = try await makeStore(store)
        let found = try applied(store)
        #expect(found.position == last)
        #expect(found.notes.isEmpty)
    }

    /// The file of what the member promised was deleted alone: the end of the log may never have been committed.
    @Test(arguments: [".acknowledged", ".addresses"])
    func theUncommittedEndOfAMembersLogIsNotAppliedWithoutItsState(trace: String) async throws {
        let directory = try TemporaryDirectory()
        let store = directory.path + "/graph.db"
        let (last, known) = try await makeStore(store)
        try #require(known < last.transactionID)
        var bytes: [UInt8] = [1]
        if trace == ".acknowledged" {
            var writer = ByteWriter()
            for _ in 0..<2 {
                var slot = ByteWriter()
                slot.write(last.epoch.rawValue)
                slot.write(last.transactionID.rawValue)
                slot.write(last.checksum)
                slot.write(CRC32C.checksum(slot.bytes))
                slot.write(UInt32(0))
                writer.write(raw: slot.bytes)
            }
            bytes = writer.bytes
        }
        try POSIXFileSystem().replace(store + ".member" + trace, with: bytes)
        let found = try applied(store)
        #expect(found.position.transactionID == known)
        #expect(found.notes.count == 1 && found.notes[0].contains(".member is gone, but this store was a member's"))
    }
}
