internal import GraphModel

/// The names that the one database has in paths.
enum DatabaseName {
    private static let all = ["data", "neo4j", "graph.db"]

    /// Throws `.databaseNotFound` for any other.
    static func require(_ name: String) throws(GraphError) {
        guard all.contains(name) else {
            throw GraphError(
                .databaseNotFound, "there is no database \"\(name)\": there is one, with the names \(all.joined(separator: ", "))")
        }
    }
}
