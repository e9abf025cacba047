internal import FileSystem
internal import GraphModel
internal import Storage

/// JSON Lines as CSV files beside a new store, packed, for the time of its import.
struct ConvertedLines {
    private let directory: String
    private let export: CSVExport

    /// nil when there are none.
    ///
    /// - Throws: `.argumentError` for a line that is none, naming it, and for a file that is only a part.
    init?(_ inputs: [String], beside store: String, _ progress: ProgressDisplay) throws(GraphError) {
        if inputs.isEmpty { return nil }
        var paths: [String] = []
        for text in inputs { paths += try ImportTool.input(text, "--json-lines").paths }
        let reader = try ImportLineReader(paths)
        directory = store + ".json-lines"
        var export = try CSVExport(directory, isPacked: true)
        do throws(GraphError) {
            try Self.convert(reader, paths, &export, progress)
            _ = try export.finish()
        } catch {
            export.discard()
            Self.remove(directory)
            throw error
        }
        self.export = export
    }

    private static func convert(
        _ reader: ImportLineReader, _ paths: [String], _ export: inout CSVExport, _ progress: ProgressDisplay
    ) throws(GraphError) {
        var ends = ExportEnds()
        var count = 0
        while let lines = try reader.next() {
            for line in lines {
                let parsed: GraphLine
                do throws(BadField) { parsed = try GraphLine(try JSONLinesSource.object(line.bytes)) } catch {
                    throw GraphError(.argumentError, "\(paths[line.file]):\(line.number): \(error.text)")
                }
                switch parsed {
                case .beginning: ends.begin(paths[line.file])
                case .ending: ends.end()
                case .schema(let rule): export.take(rule)
                case .node(let node): try export.take(node)
                case .relationship(let relationship): try export.take(relationship)
                }
            }
            count += lines.count
            progress.update(
                stage: "JSON Lines", part: Double(reader.consumedByteCount) / Double(max(1, reader.byteCount)), rowCount: count)
        }
        try ends.require()
    }

    /// Names the files as sources.
    func add(to files: inout SourceFiles) throws(GraphError) {
        guard files.delimiter == ",", files.arrayDelimiter == ";", files.quote == "\"" else {
            throw GraphError(.configuration, "--json-lines goes without --delimiter, --array-delimiter and --quote")
        }
        files.nodes += export.importFiles(isNodes: true)
        files.relationships += export.importFiles(isNodes: false)
    }

    func remove() { Self.remove(directory) }

    private static func remove(_ directory: String) {
        let files = POSIXFileSystem()
        for name in (try? files.list(directory)) ?? [] { try? files.remove(directory + "/" + name) }
        try? files.remove(directory)
    }
}
