import Cypher
import Database
import GraphModel
import Testing

/// Look-ups that are cheap enough for the thread that asks.
@Suite struct PointReadTests {
    private func here(_ test: TestDatabase, _ text: String, _ parameters: [String: Value] = [:]) async throws -> [[Value]]? {
        try await test.database.queryHere(Statement(text, parameters: parameters), { RowCollector() })?.rows
    }

    private func anywhere(_ test: TestDatabase, _ text: String, _ parameters: [String: Value] = [:]) async throws -> [[Value]] {
        try await test.database.query(Statement(text, parameters: parameters)) { RowCollector() }.consumer.rows
    }

    private func withPeople(_ body: (TestDatabase) async throws -> Void) async throws {
        let test = try TestDatabase()
        _ = try await anywhere(test, "CREATE INDEX ON :Person(id)")
        _ = try await anywhere(test, "UNWIND range(1, 100) AS i CREATE (:Person {id: i, name: 'p' + toString(i), group: i % 2})")
        _ = try await anywhere(test, "UNWIND range(1, 17) AS i CREATE (:Person {id: 'many'})")
        // Plans that are made before scan.
        eventually("the index is populated") { test.store.schemaStatus().allSatisfy { $0.progress == 1 } }
        try await body(test)
        await test.database.close()
    }

    @Test func whatIsKnownAndCheapIsAnsweredOnTheCallersThread() async throws {
        try await withPeople { test in
            let text = "MATCH (n:Person {id: $id}) RETURN n.name"
            // Planning is not for this thread.
            #expect(try await here(test, text, ["id": .integer(7)]) == nil)
            #expect(try await anywhere(test, text, ["id": .integer(7)]) == [[.string("p7")]])
            #expect(try await here(test, text, ["id": .integer(7)]) == [[.string("p7")]])
            #expect(try await here(test, text, ["id": .integer(1000)]) == [])
            _ = try await anywhere(test, "MATCH (n:Person {id: 7}) SET n.name = 'q'")
            #expect(try await here(test, text, ["id": .integer(7)]) == [[.string("q")]])
            await #expect(throws: GraphError.self) { _ = try await here(test, text) }
        }
    }

    /// A value that many have is left to the other threads, from then on for good.
    @Test func manyAreNotForTheCallersThread() async throws {
        try await withPeople { test in
            let text = "MATCH (n:Person {id: $id}) RETURN n.name"
            _ = try await anywhere(test, text, ["id": .integer(7)])
            #expect(try await here(test, text, ["id": .integer(7)]) != nil)
            #expect(try await here(test, text, ["id": .string("many")]) == nil)
            #expect(try await here(test, text, ["id": .integer(7)]) == nil)
            #expect(try await anywhere(test, text, ["id": .string("many")]).count == 17)
        }
    }

    @Test(arguments: [
        "MATCH (n:Person) RETURN n.name", "MATCH (n:Person {id: 7}) RETURN range(1, 10)", "MATCH (n:Person {id: 7})-->(m) RETURN m",
        "MATCH (n:Person) WHERE n.id IN [1, 2] RETURN n.name", "MATCH (n:Person {id: size([1, 2])}) RETURN n.name",
        "MATCH (n:Person {id: 7}) SET n.x = 1 RETURN n.name", "MATCH (n:Person {id: 7}) WHERE n.name STARTS WITH 'p' RETURN n.name",
        "MATCH (n:Person {id: 7}) RETURN count(n)", "PROFILE MATCH (n:Person {id: 7}) RETURN n.name", "RETURN 1",
    ])
    func nothingElseIs(_ text: String) async throws {
        try await withPeople { test in
            _ = try await anywhere(test, text)
            #expect(try await here(test, text) == nil)
        }
    }

    /// A plan whose index has gone would scan.
    @Test func aPlanWithoutItsIndexIsMadeAnew() async throws {
        try await withPeople { test in
            let text = "MATCH (n:Person {id: 7}) RETURN n.name"
            _ = try await anywhere(test, text)
            #expect(try await here(test, text) == [[.string("p7")]])
            _ = try await anywhere(test, "DROP INDEX ON :Person(id)")
            #expect(try await here(test, text) == nil)
            #expect(try await anywhere(test, text) == [[.string("p7")]])
            #expect(try await here(test, text) == nil)
        }
    }
}
