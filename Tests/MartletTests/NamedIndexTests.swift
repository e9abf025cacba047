import GraphModel
import Martlet
import Testing

/// The code of the manual's chapter 14, in Swift.
@Suite struct NamedIndexTests {
    @Test func moviesOfTheManual() throws {
        try withDatabase { db throws in
            try db.write { tx throws in
                let movies = tx.nodeIndex("movies")
                #expect(!movies.exists)
                for (title, year) in [("The Matrix", 1999), ("The Matrix Reloaded", 2003), ("Malèna", 2000)] as [(String, Int64)] {
                    let movie = try tx.createNode("Movie", properties: ["title": .string(title)])
                    try movies.add(movie, key: "title", value: .string(title))
                    try movies.add(movie, key: "year", value: .integer(year))
                    try movies.add(movie, key: "year-numeric", value: .integer(year), isNumeric: true)
                }
                #expect(movies.exists)
            }
            try db.read { tx throws in
                let movies = tx.nodeIndex("movies")
                func titles(_ nodes: [Node]) throws -> [String] { try nodes.map { try $0.property("title", default: "?") } }
                #expect(try titles(movies.get("title", "The Matrix")) == ["The Matrix"])
                #expect(try titles(movies.query("title:*Matrix* AND year:1999")) == ["The Matrix"])
                #expect(
                    try titles(movies.query("*", key: "title", sortedBy: [.text(key: "title")]))
                        == ["Malèna", "The Matrix", "The Matrix Reloaded"])
                #expect(
                    try titles(movies.query("year-numeric:[1999 TO *]", sortedBy: [.number(key: "year-numeric", isReversed: true)]))
                        == ["The Matrix Reloaded", "Malèna", "The Matrix"])
                #expect(
                    try titles(movies.query(.matching(key: "title", .wildcard(.beginning(with: "The Matrix"))), sortedBy: [.score]))
                        == ["The Matrix", "The Matrix Reloaded"])
            }
        }
    }

    @Test func uniqueNodesAreInitialisedOnce() throws {
        try withDatabase { db throws in
            for _ in 0..<3 {
                try db.write { tx throws in
                    _ = try tx.nodeIndex("users").getOrCreate(key: "name", value: "Ada") { node throws(GraphError) in
                        try node.setProperty("visits", to: 0)
                    }
                }
            }
            try db.write { tx throws in
                let users = try tx.nodeIndex("users").get("name", "Ada")
                #expect(users.count == 1)
                #expect(try users[0].property("visits", default: -1) == 0)
                let other = try tx.createNode("N")
                #expect(try tx.nodeIndex("users").putIfAbsent(other, key: "name", value: "Ada") == users[0])
                try tx.nodeIndex("users").delete()
            }
            try db.read { tx throws in #expect(!tx.nodeIndex("users").exists) }
        }
    }

    @Test func relationshipsAreFoundBetweenNodes() throws {
        try withDatabase { db throws in
            try db.write { tx throws in
                let roles = try tx.createRelationshipIndex("roles", ["type": "exact"])
                let (reeves, matrix, reloaded) = (try tx.createNode("N"), try tx.createNode("N"), try tx.createNode("N"))
                for movie in [matrix, reloaded] {
                    let role = try reeves.createRelationship("ACTS_IN", to: movie)
                    try roles.add(role, key: "name", value: "Neo")
                }
                #expect(try roles.get("name", "Neo").count == 2)
                #expect(try roles.get("name", "Neo", from: reeves, to: matrix).count == 1)
                #expect(try roles.query("name:*eo", to: reloaded).count == 1)
                #expect(try roles.get("name", "Neo", from: matrix).isEmpty)
            }
        }
    }
}
