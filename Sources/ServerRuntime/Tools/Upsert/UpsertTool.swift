internal import FileSystem
public import GraphModel
internal import RESTServer
internal import Storage

/// `martlet import --upsert`: brings a running graph up to date with files. Adds what is missing, updates what differs,
/// deletes nothing; doing it twice changes nothing the second time.
///
/// Nodes are told apart by a label and a property, relationships by their type and both nodes. An import that was ended may
/// be started again: what it did already is found unchanged.
public enum UpsertTool {
    public struct Options: Sendable {
        /// HTTP addresses of the server, or of members of the cluster.
        public var addresses: [String] = []
        public var files = SourceFiles()
        /// The property that keeps the ids of :ID columns without a name, and of JSON; or labels with their keys.
        public var key: String?
        /// Whether ids are integers in the graph.
        public var idsAreIntegers = false
        /// Rows in one transaction, 1 or more.
        public var batchRowCount = 20_000
        /// How long to go on trying when no member can write.
        public var patience: Milliseconds = 120_000
        public var badRowsPath: String?
        public var badRowCountMaximum = 1000
        public var asJSON = false
        public init() {}
    }

    /// Runs the import, reports bad rows as they come, and prints the summary.
    ///
    /// - Throws: `.configuration`, `.argumentError` for what was asked for; `.unavailable` when no member could write for a
    ///   while; `.general` when more rows were bad than may be.
    public static func run(
        _ options: Options, progress: ProgressDisplay, print: (String) -> Void
    ) async throws(GraphError) {
        let badRows = try options.badRowsPath.map { path throws(GraphError) in try BadRowReport(path) }
        let start = monotonicNanoseconds()
        let counts: (nodes: UpsertCounts, relationships: UpsertCounts)
        do throws(GraphError) { counts = try await upsert(options, progress, badRows) } catch {
            progress.finish()
            if let failure = badRows?.close() { progress.note("bad rows could not be reported: \(failure)") }
            throw error
        }
        progress.finish()
        let failure = badRows?.close()
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        print(options.asJSON ? json(counts.nodes, counts.relationships, seconds) : text(counts.nodes, counts.relationships, seconds))
        if let failure { throw GraphError(failure) }
    }

    private static func upsert(
        _ options: Options, _ progress: ProgressDisplay, _ badRows: BadRowReport?
    ) async throws(GraphError) -> (nodes: UpsertCounts, relationships: UpsertCounts) {
        // Every header is looked at before anything is written.
        var source = try UpsertSource(options.files, key: options.key, idsAreIntegers: options.idsAreIntegers)
        let client = UpsertClient(options.addresses, patience: options.patience)
        var queue = UpsertQueue(
            client, batchRowCount: options.batchRowCount, badRowCountMaximum: options.badRowCountMaximum, progress: progress,
            badRows: badRows)
        for key in source.keys { try await queue.requireIndex(key) }
        try await source.read(into: &queue)
        try await queue.finish()
        return queue.counts
    }

    // MARK: Summary

    private static func text(_ nodes: UpsertCounts, _ relationships: UpsertCounts, _ seconds: Double) -> String {
        func line(_ name: String, _ counts: UpsertCounts) -> String {
            "\(name): \(counts.created) created, \(counts.updated) updated, \(counts.unchanged) unchanged, \(counts.repeated) repeated, \(counts.failed) failed"
        }
        let total = nodes.rowCount + relationships.rowCount
        let rate = Int(Double(total) / max(seconds, 0.001))
        return [
            line("nodes", nodes), line("relationships", relationships),
            "\(total) rows in \(ProgressDisplay.oneDecimal(seconds)) s, \(rate) rows/s",
        ].joined(separator: "\n")
    }

    private static func json(_ nodes: UpsertCounts, _ relationships: UpsertCounts, _ seconds: Double) -> String {
        func object(_ counts: UpsertCounts) -> String {
            #"{"created": \#(counts.created), "updated": \#(counts.updated), "unchanged": \#(counts.unchanged), "repeated": \#(counts.repeated), "failed": \#(counts.failed)}"#
        }
        return #"{"nodes": \#(object(nodes)), "relationships": \#(object(relationships)), "seconds": \#(seconds)}"#
    }
}
