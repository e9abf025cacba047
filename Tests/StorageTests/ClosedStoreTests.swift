import FileSystem
import GraphModel
import Storage
import Testing

/// A closed store leaves its directory alone: a copy may lie there by then, with files of the same names.
@Suite struct ClosedStoreTests {
    private static func commit(_ committer: LocalCommitter) throws {
        let transaction = committer.begin(nodes: 1, relationships: 1)
        _ = try transaction.createNode(labels: ["N"])
        try committer.commitAndWait(transaction)
    }

    @Test func aCheckpointAfterClosingChangesNothing() throws {
        let disk = CrashableFileSystem()
        let store = try Store.open("store", fileSystem: disk, options: CrashTests.options)
        try Self.commit(LocalCommitter(store))
        store.close()
        let names = try disk.list("store")
        let manifest = try disk.readAll("store/" + Store.manifestName)
        try store.checkpoint()
        #expect(try disk.list("store") == names)
        #expect(try disk.readAll("store/" + Store.manifestName) == manifest)
    }

    @Test func aReaderThatOutlivesTheStoreRemovesNoFile() throws {
        let disk = CrashableFileSystem()
        let store = try Store.open("store", fileSystem: disk, options: CrashTests.options)
        let before = try disk.list("store").filter { $0.hasSuffix(".seg") }
        #expect(!before.isEmpty)
        var reader: Transaction? = store.beginRead()
        try Self.commit(LocalCommitter(store))
        try store.checkpoint()
        store.close()
        #expect(reader?.nodeExists(NodeID(0)) ?? false)
        reader = nil
        for name in before { #expect(disk.exists("store/" + name), "\(name)") }
    }
}
