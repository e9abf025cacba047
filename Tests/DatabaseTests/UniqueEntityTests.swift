import Database
import GraphModel
import Storage
import Testing

@Suite struct UniqueEntityTests {
    /// Who loses may have to wait for a winner that is on its way to the disk; nobody is turned away.
    @Test func ofManyTasksOneMakesTheNodeAndAllFindIt() async throws {
        let fixture = try Fixture()
        let database = fixture.database
        for round in 0..<30 {
            let found = try await withThrowingTaskGroup(of: (EntityID, Bool).self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        let result = try await database.write { transaction throws(GraphError) -> (entity: EntityID, isNew: Bool) in
                            try transaction.getOrCreate(.node, inIndex: "crowd \(round)", key: "name", value: .text("one")) {
                                transaction throws(GraphError) in .node(try transaction.createNode())
                            }
                        }
                        return result.value
                    }
                }
                var found: [(EntityID, Bool)] = []
                for try await one in group { found.append(one) }
                return found
            }
            #expect(Set(found.map(\.0)).count == 1)
            #expect(found.filter(\.1).count == 1)
        }
        await database.close()
    }
}
