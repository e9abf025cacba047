internal import FileSystem
public import GraphModel
internal import RESTServer
internal import Storage

/// `martlet import`: loads CSV files, or JSON Lines, into a new store.
public enum ImportTool {
    public struct Options: Sendable {
        public var directory = ""
        public var files = SourceFiles()
        /// Bytes with an optional suffix `K`, `M`, `G`, in powers of 1024.
        public var memory = "1G"
        /// Where to report bad rows instead of on the display.
        public var badRowsPath: String?
        public var badRowCountMaximum = 1000
        public var asJSON = false
        public init() {}
    }

    static let leastMemoryByteCount = 128 << 20

    /// Runs the import, reports bad rows as they come, and prints the statistics.
    public static func run(
        _ options: Options, progress: ProgressDisplay, print: (String) -> Void
    ) throws(GraphError) {
        if !options.files.documents.isEmpty { throw GraphError(.configuration, "--documents: only --upsert and --compare read them") }
        var options = options
        let converted = try ConvertedLines(options.files.jsonLines, beside: options.directory, progress)
        defer { converted?.remove() }
        if let converted { try converted.add(to: &options.files) }
        let nodes = try options.files.nodes.map { text throws(GraphError) in try input(text, "--nodes") }
        let relationships = try options.files.relationships.map { text throws(GraphError) in try Self.relationships(text) }
        if nodes.isEmpty { throw GraphError(.configuration, "--nodes and --json-lines are missing: name at least one file of nodes") }
        let importOptions = try importerOptions(options)
        let badRows = try options.badRowsPath.map { path throws(GraphError) in try BadRowReport(path) }
        let importer = BulkImporter(
            into: options.directory, options: importOptions,
            onProgress: { progress.update(stage: $0.stage, part: $0.part, rowCount: $0.rowCount) },
            onBadRow: { row in
                if let badRows { badRows.add(row) } else { progress.note("bad row: \(row)") }
            })
        let statistics: BulkImporter.Statistics
        do throws(GraphError) {
            statistics = try importer.run(nodes: nodes, relationships: relationships)
        } catch {
            progress.finish()
            // The first failure is the one to tell.
            if let failure = badRows?.close() { progress.note("bad rows could not be reported: \(failure)") }
            throw error
        }
        progress.finish()
        let failure = badRows?.close()
        print(options.asJSON ? json(statistics) : text(statistics))
        if let failure { throw GraphError(failure) }
    }

    private static func importerOptions(_ options: Options) throws(GraphError) -> BulkImporter.Options {
        var result = BulkImporter.Options()
        (result.separator, result.arraySeparator, result.quote) = try characters(
            options.files.delimiter, options.files.arrayDelimiter, options.files.quote)
        result.memoryByteCountMaximum = try memory(options.memory)
        result.badRowCountMaximum = options.badRowCountMaximum
        return result
    }

    /// The characters between fields, between elements of arrays, and around fields.
    static func characters(
        _ delimiter: String, _ arrayDelimiter: String, _ quote: String
    ) throws(GraphError) -> (separator: UInt8, arraySeparator: UInt8, quote: UInt8?) {
        let separator = try character(delimiter, "--delimiter")
        let arraySeparator = try character(arrayDelimiter, "--array-delimiter")
        let mark = quote.uppercased() == "NONE" ? nil : try character(quote, "--quote")
        let all = [separator, arraySeparator] + (mark.map { [$0] } ?? [])
        guard Set(all).count == all.count else {
            throw GraphError(
                .configuration,
                "--delimiter \(delimiter), --array-delimiter \(arrayDelimiter), --quote \(quote): expected three different characters")
        }
        return (separator, arraySeparator, mark)
    }

    static func relationships(_ text: String) throws(GraphError) -> BulkImporter.Input {
        let input = try input(text, "--relationships")
        guard input.names.count <= 1 else {
            throw GraphError(.configuration, "--relationships \(text): a relationship has one type, not \(input.names.count)")
        }
        return input
    }

    private static func memory(_ text: String) throws(GraphError) -> Int {
        var digits = text[...]
        var shift = 0
        if let suffix = digits.last?.uppercased(), let index = ["K", "M", "G"].firstIndex(of: suffix) {
            shift = 10 * (index + 1)
            digits.removeLast()
        }
        guard let number = Int(digits), number > 0, number < Int.max >> shift, number << shift >= leastMemoryByteCount else {
            throw GraphError(.configuration, "--max-memory \(text): expected bytes, as 512M or 4G, and no less than 128M")
        }
        return number << shift
    }

    /// The names before a `=` are labels or a type; a path with a `=` of its own begins with `./` or `/`.
    static func input(_ text: String, _ option: String) throws(GraphError) -> BulkImporter.Input {
        guard let equals = text.firstIndex(of: "="), !text[..<equals].contains("/") else {
            let paths = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard !paths.contains("") else {
                throw GraphError(.configuration, "\(option) \(text): expected FILE, or NAME=FILE, or several files with commas between")
            }
            return BulkImporter.Input(paths: paths)
        }
        let names = text[..<equals].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let paths = text[text.index(after: equals)...].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !paths.contains(""), !names.contains("") else {
            throw GraphError(.configuration, "\(option) \(text): expected FILE, or NAME=FILE, or several files with commas between")
        }
        return BulkImporter.Input(paths: paths, names: names)
    }

    private static func character(_ text: String, _ option: String) throws(GraphError) -> UInt8 {
        if ["TAB", "tab", "\\t", "\t"].contains(text) { return 0x09 }
        if text.hasPrefix("U+"), let number = UInt8(text.dropFirst(2), radix: 16), number < 0x80, number != 10, number != 13 {
            return number
        }
        let bytes = Array(text.utf8)
        guard bytes.count == 1, bytes[0] >= 0x20, bytes[0] < 0x7F else {
            throw GraphError(.configuration, "\(option) \(text): expected one ASCII character, TAB, or its number as U+1F")
        }
        return bytes[0]
    }

    private static func text(_ statistics: BulkImporter.Statistics) -> String {
        func size(_ byteCount: UInt64) -> String { "\(ProgressDisplay.grouped(Int(clamping: byteCount))) bytes" }
        var lines = [
            "store           \(statistics.storeID)",
            "nodes           \(ProgressDisplay.grouped(statistics.nodeCount))",
        ]
        for (name, count) in statistics.labels { lines.append("  \(name)  \(ProgressDisplay.grouped(count))") }
        lines.append("relationships   \(ProgressDisplay.grouped(statistics.relationshipCount))")
        for (name, count) in statistics.types { lines.append("  \(name)  \(ProgressDisplay.grouped(count))") }
        lines += [
            "properties      \(ProgressDisplay.grouped(statistics.propertyCount)), \(statistics.propertyKeyCount) keys",
            "bad rows        \(ProgressDisplay.grouped(statistics.badRowCount))",
            "store size      \(size(statistics.storeByteCount))",
            "peak memory     \(size(statistics.peakMemoryByteCount))",
            "temporary files \(size(statistics.spilledByteCount))",
            "time            \(ProgressDisplay.oneDecimal(statistics.seconds)) s, \(ProgressDisplay.grouped(Int(statistics.rowsPerSecond))) rows/s",
        ]
        return lines.joined(separator: "\n")
    }

    private static func json(_ statistics: BulkImporter.Statistics) -> String {
        var json = JSONWriter(.manual)
        func counts(_ key: String, _ list: [(name: String, count: Int)]) {
            json.key(key)
            json.beginObject()
            for (name, count) in list {
                json.key(name)
                json.value(Int64(count))
            }
            json.endObject()
        }
        json.beginObject()
        json.key("store_id")
        json.string(statistics.storeID.description)
        for (key, count) in [
            ("nodes", statistics.nodeCount), ("relationships", statistics.relationshipCount),
            ("properties", statistics.propertyCount), ("property_keys", statistics.propertyKeyCount),
            ("bad_rows", statistics.badRowCount), ("store_bytes", Int(clamping: statistics.storeByteCount)),
            ("peak_memory_bytes", Int(clamping: statistics.peakMemoryByteCount)),
            ("temporary_bytes", Int(clamping: statistics.spilledByteCount)),
        ] {
            json.key(key)
            json.value(Int64(count))
        }
        counts("labels", statistics.labels.map { ($0.name, $0.nodeCount) })
        counts("types", statistics.types.map { ($0.name, $0.relationshipCount) })
        json.key("seconds")
        json.value(statistics.seconds)
        json.key("rows_per_second")
        json.value(statistics.rowsPerSecond.rounded())
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
