import Database
import FileSystem
import GraphModel
import Storage
import Testing

@Suite struct SchemaKeeperTests {
    /// Whoever creates a constraint waits for nothing: the database takes it to its end.
    @Test func databasePopulatesIndexesAndActivatesConstraintsByItself() async throws {
        let disk = CrashableFileSystem()
        let store = try Store.open("store", fileSystem: disk)
        let database = try SingleDatabase(store)
        func commit(_ body: (Transaction) throws -> Void) async throws {
            await withCheckedContinuation { continuation in
                database.reserveIDs(nodes: 10, relationships: 0) { _ in continuation.resume() }
            }
            let transaction = store.beginWrite(database.reserve)
            try body(transaction)
            let writeSet = try transaction.finish()
            let outcome = await withCheckedContinuation { continuation in
                database.commit(writeSet) { continuation.resume(returning: $0) }
            }
            _ = try outcome.get()
        }
        try await commit { transaction in
            for name in ["Ann", "Bea", "Bea"] {
                _ = try transaction.createNode(labels: ["Person"], properties: [("name", .string(name))])
            }
            try transaction.createIndex(label: "Person", keys: ["age"])
            try transaction.createUniquenessConstraint(label: "Person", keys: ["name"])
            try transaction.createExistenceConstraint(label: "Person", keys: ["name"])
        }
        eventually("the schema's work is done") { !store.isPopulationDue && !store.isSchemaStepDue }
        #expect(store.schemaStatus().map(\.state) == [.online, .failed, .online])
        await database.close()
    }
}
