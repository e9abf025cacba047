internal import FileSystem
public import GraphModel
internal import RESTServer
internal import Storage

/// `martlet import`: loads CSV files into a new store.
public enum ImportTool {
    public struct Options: Sendable {
        public var directory = ""
        /// `FILE`, `Label=FILE` or `Label1:Label2=FILE`.
        public var nodes: [String] = []
        /// `FILE` or `TYPE=FILE`.
        public var relationships: [String] = []
        /// One character, or `TAB`.
        public var delimiter = ","
        public var badRowCountMaximum = 1000
        public var asJSON = false
        public init() {}
    }

    /// Runs the import, reports bad rows as they come, and prints the statistics.
    public static func run(
        _ options: Options, progress: ProgressDisplay, print: (String) -> Void
    ) throws(GraphError) {
        let nodes = try options.nodes.map { text throws(GraphError) in try input(text, "--nodes") }
        let relationships = try options.relationships.map { text throws(GraphError) in
            let input = try input(text, "--relationships")
            guard input.names.count <= 1 else {
                throw GraphError(
                    .configuration, "--relationships \(text): a relationship has one type, not \(input.names.count)")
            }
            return input
        }
        if nodes.isEmpty { throw GraphError(.configuration, "--nodes is missing: name at least one file of nodes") }
        var importOptions = BulkImporter.Options()
        importOptions.separator = try separator(options.delimiter)
        importOptions.badRowCountMaximum = options.badRowCountMaximum
        let importer = BulkImporter(
            into: options.directory, options: importOptions,
            onProgress: { progress.update(stage: $0.stage, part: $0.part, rowCount: $0.rowCount) },
            onBadRow: { progress.note("bad row: \($0)") })
        let statistics: BulkImporter.Statistics
        do throws(GraphError) {
            statistics = try importer.run(nodes: nodes, relationships: relationships)
        } catch {
            progress.finish()
            throw error
        }
        progress.finish()
        print(options.asJSON ? json(statistics, progress.seconds) : text(statistics, progress.seconds))
    }

    /// The names before a `=` are labels or a type; a path with a `=` of its own begins with `./` or `/`.
    private static func input(_ text: String, _ option: String) throws(GraphError) -> BulkImporter.Input {
        guard let equals = text.firstIndex(of: "="), !text[..<equals].contains("/") else {
            return BulkImporter.Input(path: text)
        }
        let names = text[..<equals].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let path = String(text[text.index(after: equals)...])
        guard !path.isEmpty, !names.contains("") else {
            throw GraphError(.configuration, "\(option) \(text): expected FILE, or NAME=FILE")
        }
        return BulkImporter.Input(path: path, names: names)
    }

    private static func separator(_ text: String) throws(GraphError) -> UInt8 {
        if ["TAB", "tab", "\\t", "\t"].contains(text) { return 0x09 }
        let bytes = Array(text.utf8)
        guard bytes.count == 1, bytes[0] >= 0x20, bytes[0] < 0x7F, bytes[0] != UInt8(ascii: "\"") else {
            throw GraphError(.configuration, "--delimiter \(text): expected one ASCII character, or TAB")
        }
        return bytes[0]
    }

    private static func text(_ statistics: BulkImporter.Statistics, _ seconds: Double) -> String {
        [
            "store           \(statistics.storeID)",
            "nodes           \(ProgressDisplay.grouped(statistics.nodeCount))",
            "relationships   \(ProgressDisplay.grouped(statistics.relationshipCount))",
            "properties      \(ProgressDisplay.grouped(statistics.propertyCount))",
            "bad rows        \(ProgressDisplay.grouped(statistics.badRowCount))",
            "store size      \(ProgressDisplay.grouped(Int(clamping: statistics.storeByteCount))) bytes",
            "time            \(ProgressDisplay.oneDecimal(seconds)) s",
        ].joined(separator: "\n")
    }

    private static func json(_ statistics: BulkImporter.Statistics, _ seconds: Double) -> String {
        var json = JSONWriter(.manual)
        json.beginObject()
        json.key("store_id")
        json.string(statistics.storeID.description)
        for (key, count) in [
            ("nodes", statistics.nodeCount), ("relationships", statistics.relationshipCount),
            ("properties", statistics.propertyCount), ("bad_rows", statistics.badRowCount),
            ("store_bytes", Int(clamping: statistics.storeByteCount)),
        ] {
            json.key(key)
            json.value(Int64(count))
        }
        json.key("seconds")
        json.value(seconds)
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
