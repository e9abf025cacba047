import Database
import GraphModel
import Storage
import Testing

@Suite struct UniqueEntityTests {
    struct Outcome: Sendable {
        let entity: EntityID
        let isNew: Bool
    }

    static func getOrCreate(_ index: String, _ database: Database) async throws -> Outcome {
        let result = try await database.write { transaction throws(GraphError) -> Outcome in
            let (entity, isNew) = try transaction.getOrCreate(.node, inIndex: index, key: "name", value: IndexedValue.text("one")) {
                transaction throws(GraphError) -> EntityID in EntityID.node(try transaction.createNode())
            }
            return Outcome(entity: entity, isNew: isNew)
        }
        return result.value
    }

    /// Who loses may have to wait for a winner that is on its way to the disk; nobody is turned away.
    @Test func ofManyTasksOneMakesTheNodeAndAllFindIt() async throws {
        let fixture = try TestDatabase()
        let database = fixture.database
        for round in 0..<30 {
            let name = "crowd \(round)"
            let found = try await withThrowingTaskGroup(of: Outcome.self) { group in
                for _ in 0..<16 { group.addTask { try await Self.getOrCreate(name, database) } }
                var found: [Outcome] = []
                for try await one in group { found.append(one) }
                return found
            }
            #expect(Set(found.map { $0.entity }).count == 1)
            #expect(found.filter { $0.isNew }.count == 1)
        }
        await database.close()
    }
}
