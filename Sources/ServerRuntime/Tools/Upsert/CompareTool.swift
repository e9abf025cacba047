internal import FileSystem
public import GraphModel
internal import RESTServer
internal import Storage

/// `martlet import --compare`: how many nodes of each label and relationships of each type files have, and the graph.
public enum CompareTool {
    /// What a name stands for, and how often it is there.
    private struct Line {
        let kind: String
        let name: String
        let source: Int
        let graph: Int
    }

    /// Prints the counts. Options are those of an upsert.
    ///
    /// - Returns: `.failure` when a count differs.
    public static func run(
        _ options: UpsertTool.Options, progress: ProgressDisplay, print: (String) -> Void
    ) async throws(GraphError) -> ExitStatus {
        var source = try UpsertSource(options.files, key: options.key, idsAreIntegers: options.idsAreIntegers)
        let client = UpsertClient(options.addresses, patience: options.patience)
        var counter = SourceCounter(progress, badRowCountMaximum: options.badRowCountMaximum)
        try await source.read(into: &counter)
        progress.finish()
        var lines: [Line] = []
        for (kind, entities, pattern) in [
            ("node", counter.nodes, "(x:"), ("relationship", counter.relationships, "()-[x:"),
        ] {
            for (name, found) in entities.sorted(by: { $0.key.text < $1.key.text }) {
                let rows = try await client.run("MATCH \(pattern)\(name.text.cypherName)\(kind == "node" ? ")" : "]->()") RETURN count(x)")
                guard case .integer(let count)? = rows.first?.first else {
                    throw GraphError(.general, "the server answered something else than a count")
                }
                lines.append(Line(kind: kind, name: name.text, source: found.count, graph: Int(count)))
            }
        }
        let isEqual = lines.allSatisfy { $0.source == $0.graph }
        print(options.asJSON ? json(lines, isEqual, counter.badRowCount) : text(lines, isEqual, counter.badRowCount))
        return isEqual ? .success : .failure
    }

    private static func text(_ lines: [Line], _ isEqual: Bool, _ badRowCount: Int) -> String {
        var text = lines.map { line in
            let difference = line.graph - line.source
            let note = difference == 0 ? "" : "  (\(difference > 0 ? "+" : "")\(difference))"
            return "\(line.kind) \(line.name): \(line.source) in the source, \(line.graph) in the graph\(note)"
        }
        if badRowCount > 0 { text.append("\(badRowCount) rows could not be read") }
        text.append(isEqual ? "equal" : "different")
        return text.joined(separator: "\n")
    }

    private static func json(_ lines: [Line], _ isEqual: Bool, _ badRowCount: Int) -> String {
        var json = JSONWriter(.manual)
        json.beginObject()
        for (key, kind) in [("labels", "node"), ("types", "relationship")] {
            json.key(key)
            json.beginObject()
            for line in lines where line.kind == kind {
                json.key(line.name)
                json.beginObject()
                json.key("source")
                json.value(Int64(line.source))
                json.key("graph")
                json.value(Int64(line.graph))
                json.endObject()
            }
            json.endObject()
        }
        json.key("bad_rows")
        json.value(Int64(badRowCount))
        json.key("equal")
        json.value(isEqual)
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

/// Counts the entities of sources, each once however many rows it has. Keeps eight bytes of each: of two that agree in them
/// one is not counted, which among a thousand million happens once in forty times.
private struct SourceCounter: UpsertSink {
    private(set) var nodes: [CodeUnitKey: Set<UInt64>] = [:]
    private(set) var relationships: [CodeUnitKey: Set<UInt64>] = [:]
    private(set) var badRowCount = 0
    private let progress: ProgressDisplay
    private let badRowCountMaximum: Int

    init(_ progress: ProgressDisplay, badRowCountMaximum: Int) {
        self.progress = progress
        self.badRowCountMaximum = badRowCountMaximum
    }

    func show(_ stage: String, _ part: Double) { progress.update(stage: stage, part: part, rowCount: nil) }

    mutating func add(
        _ target: UpsertRequest.Target, _ keys: [Value], _ properties: [(name: String, value: Value)], _ origin: RowOrigin
    ) {
        var hasher = Hasher()
        hasher.combine(target.keys)
        var writer = ByteWriter()
        UpsertRequest.Row.encode(keys: keys, into: &writer)
        writer.bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        let entity = UInt64(bitPattern: Int64(hasher.finalize()))
        switch target {
        case .nodes(let key, let labels):
            nodes[CodeUnitKey(key.label), default: []].insert(entity)
            for label in labels { nodes[CodeUnitKey(label), default: []].insert(entity) }
        case .relationships(let type, _, _): relationships[CodeUnitKey(type), default: []].insert(entity)
        }
    }

    mutating func bad(_ origin: RowOrigin, _ problem: String, isNodes: Bool) throws(GraphError) {
        badRowCount += 1
        let row = BulkImporter.BadRow(path: origin.path, line: origin.line, reason: problem)
        progress.note("bad row: \(row)")
        guard badRowCount <= badRowCountMaximum else {
            throw GraphError(.general, "\(badRowCount) rows could not be read, more than \(badRowCountMaximum); the last: \(row)")
        }
    }
}
