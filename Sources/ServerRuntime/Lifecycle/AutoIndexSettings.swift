internal import Database
internal import GraphModel
internal import Storage

/// What the configuration says of the automatic indexes. Their state is in the database, the same for all members; the
/// configuration adds to it when a server starts.
struct AutoIndexSettings: Sendable {
    private struct Part: Sendable {
        let kind: SchemaRule.EntityKind
        let isEnabled: Bool?
        let keys: [String]
    }
    private let parts: [Part]

    init(_ configuration: Configuration) {
        parts = [
            Part(
                kind: .node, isEnabled: configuration.value(Settings.nodeAutoIndexing),
                keys: configuration.value(Settings.nodeKeys) ?? []),
            Part(
                kind: .relationship, isEnabled: configuration.value(Settings.relationshipAutoIndexing),
                keys: configuration.value(Settings.relationshipKeys) ?? []),
        ]
    }

    var isEmpty: Bool { parts.allSatisfy { $0.isEnabled == nil && $0.keys.isEmpty } }

    /// Writes nothing where everything is as configured already.
    func apply(to database: Database) async throws(GraphError) {
        let parts = parts
        _ = try await database.write { transaction throws(GraphError) in
            for part in parts {
                for key in part.keys { try transaction.startAutoIndexing(key, of: part.kind) }
                if let isEnabled = part.isEnabled { try transaction.setAutoIndexing(part.kind, isEnabled: isEnabled) }
            }
        }
    }
}
