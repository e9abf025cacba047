internal import FileSystem
public import GraphModel
internal import RESTServer
internal import Storage

/// `martlet export`: a whole graph, as one transaction sees it, into files.
public enum ExportTool {
    public enum Format: String, Sendable, CaseIterable {
        /// Files for `martlet import`, in a directory.
        case csv
        /// One JSON object in each line.
        case jsonl
        /// Statements, one in each line.
        case cypher
    }

    public struct Options: Sendable {
        /// HTTP addresses of the server, or of members of the cluster; the first that serves is asked.
        public var addresses: [String] = []
        /// A store that no server has open, in place of a server.
        public var store: String?
        public var format = Format.jsonl
        /// A file, a new or empty directory for CSV, or `-`.
        public var target = "-"
        public var isPacked = false
        /// How long to go on looking for a member that serves.
        public var patience: Milliseconds = 120_000
        public var asJSON = false
        public init() {}
    }

    private struct Summary {
        var nodes = 0
        var relationships = 0
        var paths: [String] = []
        var byteCount: UInt64 = 0
        var importArguments: [String] = []
    }

    /// Runs the export and prints a summary.
    ///
    /// - Throws: `.configuration`, `.network` when the server ended before all was there. What was begun is removed then.
    public static func run(
        _ options: Options, progress: ProgressDisplay, print: (String) -> Void
    ) async throws(GraphError) {
        let start = monotonicNanoseconds()
        let summary: Summary
        do throws(GraphError) { summary = try await export(options, progress) } catch {
            progress.finish()
            throw error
        }
        progress.finish()
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        print(options.asJSON ? json(summary, seconds) : text(summary, seconds))
    }

    private static func export(_ options: Options, _ progress: ProgressDisplay) async throws(GraphError) -> Summary {
        switch options.format {
        case .csv:
            if options.target == standardInputPath { throw GraphError(.configuration, "--to -: CSV files go into a directory") }
            var format = try CSVExport(options.target, isPacked: options.isPacked)
            var summary = try await export(options, progress, &format)
            summary.importArguments = format.importArguments
            return summary
        case .cypher:
            var format = try CypherExport(options.target, isPacked: options.isPacked)
            return try await export(options, progress, &format)
        case .jsonl:
            var lines = try LinesExport(options.target, isPacked: options.isPacked)
            do throws(GraphError) {
                try await read(options, progress) { piece throws(GraphError) in
                    try lines.take(piece)
                    progress.update(stage: "export", part: 0, rowCount: lines.rowCount)
                }
                let end = try lines.finish()
                return Summary(nodes: end.nodes, relationships: end.relationships, paths: [end.path], byteCount: end.byteCount)
            } catch {
                lines.discard()
                throw error
            }
        }
    }

    private static func export(
        _ options: Options, _ progress: ProgressDisplay, _ format: inout some ExportFormat
    ) async throws(GraphError) -> Summary {
        var reader = ExportReader()
        do throws(GraphError) {
            try await read(options, progress) { piece throws(GraphError) in
                try reader.take(piece, &format)
                let count = reader.nodeCount + reader.relationshipCount
                progress.update(stage: "export", part: Double(count) / Double(max(1, reader.expectedCount)), rowCount: count)
            }
            try reader.requireEnd()
            let (paths, byteCount) = try format.finish()
            return Summary(nodes: reader.nodeCount, relationships: reader.relationshipCount, paths: paths, byteCount: byteCount)
        } catch {
            format.discard()
            throw error
        }
    }

    /// Hands out the bytes of the graph's lines.
    private static func read(
        _ options: Options, _ progress: ProgressDisplay, _ take: ([UInt8]) throws(GraphError) -> Void
    ) async throws(GraphError) {
        guard let directory = options.store else {
            return try await HTTPDownload.run(options.addresses, "/db/neo4j/export", patience: options.patience, progress, take)
        }
        guard Store.exists(directory) else { throw GraphError(.foreignStore, "\(directory): there is no Martlet store here") }
        var storeOptions = Store.Options()
        storeOptions.usesLogThread = false
        let store = try Store.open(directory, options: storeOptions)
        defer { store.close() }
        let transaction = store.beginRead()
        defer { transaction.close() }
        try withoutActuallyEscaping(take) { take throws(GraphError) in
            var lines = GraphLines(of: transaction, check: {}, send: take)
            try lines.write()
        }
    }

    // MARK: Summary

    private static func text(_ summary: Summary, _ seconds: Double) -> String {
        var lines = [
            "nodes           \(ProgressDisplay.grouped(summary.nodes))",
            "relationships   \(ProgressDisplay.grouped(summary.relationships))",
            "files           \(summary.paths.joined(separator: " "))",
            "size            \(ProgressDisplay.grouped(Int(clamping: summary.byteCount))) bytes",
            "time            \(ProgressDisplay.oneDecimal(seconds)) s",
        ]
        if !summary.importArguments.isEmpty {
            lines.append("read it with    martlet import --into DIR \(summary.importArguments.joined(separator: " "))")
        }
        return lines.joined(separator: "\n")
    }

    private static func json(_ summary: Summary, _ seconds: Double) -> String {
        var json = JSONWriter(.compact)
        json.beginObject()
        for (key, count) in [
            ("nodes", summary.nodes), ("relationships", summary.relationships), ("bytes", Int(clamping: summary.byteCount)),
        ] {
            json.key(key)
            json.value(Int64(count))
        }
        json.key("files")
        json.strings(summary.paths)
        json.key("import_arguments")
        json.strings(summary.importArguments)
        json.key("seconds")
        json.value(seconds)
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
