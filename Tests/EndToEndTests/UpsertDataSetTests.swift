import FileSystem
import Testing

/// Where the data sets are, beside the project; there need be none.
private let dataSets = "../shared/datasets"

extension EndToEnd.UpsertTests {
    private static let kinds = ["Character", "Film", "Planet", "Species", "Starship", "Vehicle"]
    private static let types = ["APPEARED_IN", "HOMEWORLD", "OF", "PILOT"]

    /// A data set of ten files, as it was published: run twice, then with rows that differ and without others.
    @Test(.enabled(if: POSIXFileSystem().exists(dataSets + "/star-wars")))
    func publishedDataSetIsBroughtUpToDate() throws {
        try withServer("upsert-star-wars") { directory, at, client in
            func node(_ kind: String) -> String { "/starwars.nodes.\(kind).csv" }
            func relationship(_ type: String) -> String { "/starwars.relationships.\(type).csv" }
            for name in Self.kinds.map(node) + Self.types.map(relationship) {
                try POSIXFileSystem().replace(directory + name, with: POSIXFileSystem().readAll(dataSets + "/star-wars" + name))
            }
            func run(_ mode: String) throws -> Program.Outcome {
                try Program.run(
                    ["import", mode, at, "--nodes"] + Self.kinds.map { "\($0)=\(directory)\(node($0))" } + ["--relationships"]
                        + Self.types.map { "\($0)=\(directory)\(relationship($0))" } + ["--key", "id", "--json"])
            }
            let first = try run("--upsert")
            #expect(first.status == 0, "\(first.output)")
            #expect(try summary(first).nodes == Summary(created: 260), "\(first.output)")
            #expect(try summary(first).relationships == Summary(created: 611), "\(first.output)")
            let second = try run("--upsert")
            #expect(try summary(second).nodes == Summary(unchanged: 260))
            #expect(try summary(second).relationships == Summary(unchanged: 611))
            #expect(try run("--compare").status == 0)

            func edit(_ name: String, _ change: ([Substring]) -> [Substring]) throws {
                let text = String(decoding: try POSIXFileSystem().readAll(directory + name), as: UTF8.self)
                try write(directory + name, change(text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()).map(String.init))
            }
            try edit(node("Character")) { lines in
                lines.dropLast(3).map { $0.hasPrefix("6,") ? Substring($0.replacing("19BBY,blue", with: "19BBY,green")) : $0 }
            }
            try edit(relationship("HOMEWORLD")) { $0.dropLast(5) }
            let third = try run("--upsert")
            #expect(third.status == 0, "\(third.output)")
            #expect(try summary(third).nodes == Summary(updated: 1, unchanged: 256), "\(third.output)")
            #expect(
                try client.rows("MATCH (n:Character) WHERE n.name = 'Luke Skywalker' RETURN n.eye_color, n.birth_year, n.height")
                    == [[.string("green"), .string("19BBY"), .string("172")]])
            #expect(try client.rows("MATCH (n) WHERE n.id IS NOT NULL RETURN count(n)") == [[.integer(260)]])
            #expect(try client.rows("MATCH ()-[r]->() RETURN count(r)") == [[.integer(611)]])
            // What is gone from the files is still in the graph, and a comparison says so.
            let compared = try run("--compare")
            #expect(compared.status == 1 && compared.output.contains("HOMEWORLD"), "\(compared.output)")
        }
    }
}
