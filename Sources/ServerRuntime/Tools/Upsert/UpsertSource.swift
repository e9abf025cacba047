internal import GraphModel
internal import RESTServer
internal import Storage

/// What the command line names as sources of an import.
public struct SourceFiles: Sendable {
    /// `FILES`, `Label=FILES` or `Label1:Label2=FILES`, where `FILES` is one file or several with commas between; the
    /// first begins with the header. For an upsert a label is needed.
    public var nodes: [String] = []
    /// `FILES` or `TYPE=FILES`.
    public var relationships: [String] = []
    /// Files as `martlet export --format jsonl` writes them; `-` is standard input.
    public var jsonLines: [String] = []
    /// `FILES` or `Label=FILES`: exports of documents, a JSON object with `_id` and `_source` in each line.
    public var documents: [String] = []
    /// `field:TYPE:Label` or `field:TYPE:Label.property`: a field of documents has keys of other nodes.
    public var references: [String] = []
    /// One character, `TAB`, or `U+` and the hexadecimal number of one.
    public var delimiter = ","
    public var arrayDelimiter = ";"
    /// As `delimiter`, or `NONE`.
    public var quote = "\""
    public init() {}

    var isEmpty: Bool { nodes.isEmpty && relationships.isEmpty && jsonLines.isEmpty && documents.isEmpty }
}

/// All sources of an upsert, read one after the other: nodes first.
struct UpsertSource {
    private let csv: [CSVGroup]
    private let lines: [JSONLinesSource]
    private let documents: DocumentSource?

    /// - Throws: `.configuration`, `.argumentError` for what names no sources, or whose headers are wrong.
    init(_ files: SourceFiles, key: String?, idsAreIntegers: Bool) throws(GraphError) {
        if files.isEmpty {
            throw GraphError(
                .configuration, "--nodes and --relationships are missing, and --json-lines and --documents: name at least one file")
        }
        let keys = try UpsertKeys(key, idsAreIntegers: idsAreIntegers)
        csv = try CSVGroup.all(files, keys)
        lines = try files.jsonLines.map { text throws(GraphError) in
            try JSONLinesSource(try ImportTool.input(text, "--json-lines").paths, keys)
        }
        documents = files.documents.isEmpty ? nil : try DocumentSource(files, keys)
        if documents == nil, let reference = files.references.first {
            throw GraphError(.configuration, "--relationship \(reference): only --documents have fields")
        }
    }

    /// Those that are known before anything is read.
    var keys: [UpsertRequest.Key] { Set(csv.flatMap(\.columns.keys)).sorted { "\($0)" < "\($1)" } }

    mutating func read(into sink: inout some UpsertSink) async throws(GraphError) {
        for group in csv { try await group.read(into: &sink) }
        for source in lines { try await source.read(into: &sink) }
        try await documents?.read(into: &sink)
    }
}

/// CSV files with the same columns.
struct CSVGroup {
    let columns: UpsertGroup
    private let input: BulkImporter.Input
    private let reader: ImportRowReader
    private let keys: UpsertKeys
    private let spaces: SharedIDSpaces

    static func all(_ files: SourceFiles, _ keys: UpsertKeys) throws(GraphError) -> [CSVGroup] {
        let characters = try ImportTool.characters(files.delimiter, files.arrayDelimiter, files.quote)
        func open(_ input: BulkImporter.Input) throws(GraphError) -> ImportRowReader {
            try ImportRowReader(
                input.paths, separator: characters.separator, arraySeparator: characters.arraySeparator, quote: characters.quote)
        }
        let spaces = SharedIDSpaces()
        var groups: [CSVGroup] = []
        for text in files.nodes {
            let input = try ImportTool.input(text, "--nodes")
            let reader = try open(input)
            let columns = try UpsertGroup.nodes(
                reader.columns, labels: input.names, keyProperty: input.names.first.flatMap { keys.key(label: $0)?.property } ?? keys.idProperty,
                path: input.paths[0])
            spaces.add(columns.key, to: columns.space)
            groups.append(CSVGroup(columns: .nodes(columns), input: input, reader: reader, keys: keys, spaces: spaces))
        }
        for text in files.relationships {
            let input = try ImportTool.relationships(text)
            let reader = try open(input)
            let columns = try UpsertGroup.relationships(reader.columns, type: input.names.first, spaces: spaces, path: input.paths[0])
            groups.append(CSVGroup(columns: .relationships(columns), input: input, reader: reader, keys: keys, spaces: spaces))
        }
        return groups
    }

    private init(
        columns: UpsertGroup, input: BulkImporter.Input, reader: ImportRowReader, keys: UpsertKeys, spaces: SharedIDSpaces
    ) {
        self.columns = columns
        self.input = input
        self.reader = reader
        self.keys = keys
        self.spaces = spaces
    }

    func read(into sink: inout some UpsertSink) async throws(GraphError) {
        let isNodes = if case .nodes = columns { true } else { false }
        while let rows = try reader.next() {
            for row in rows {
                let origin = RowOrigin(path: input.paths[row.file], line: row.line)
                let made: Result<Made, BadField> = Result { () throws(BadField) in
                    if let problem = row.problem { throw BadField(text: problem) }
                    return try self.row(row)
                }
                switch made {
                case .failure(let problem): try sink.bad(origin, problem.text, isNodes: isNodes)
                case .success(let made): try await sink.add(made.target, made.keys, made.properties, origin)
                }
            }
            sink.show(isNodes ? "nodes" : "relationships", Double(reader.consumedByteCount) / Double(max(1, reader.byteCount)))
        }
    }

    private typealias Made = (target: UpsertRequest.Target, keys: [Value], properties: [(name: String, value: Value)])

    private func row(_ row: ImportRowReader.Row) throws(BadField) -> Made {
        func properties(_ list: [(column: Int, name: String)]) throws(BadField) -> [(name: String, value: Value)] {
            var result: [(name: String, value: Value)] = []
            result.reserveCapacity(list.count)
            for (column, name) in list {
                guard column < row.values.count, let value = row.values[column] else { continue }
                // Columns of one name stand side by side.
                if let last = result.last, codeUnitsEqual(last.name, name) {
                    throw BadField(text: "two columns have a value for the property \"\(name)\"")
                }
                result.append((name, value))
            }
            return result
        }
        switch columns {
        case .nodes(let nodes):
            var labels = nodes.labels
            for column in nodes.labelColumns {
                guard case .list(let list)? = row.values[column] else { continue }
                for case .string(let label) in list.elements where !labels.contains(where: { codeUnitsEqual($0, label.text) }) {
                    labels.append(label.text)
                }
            }
            let (text, id) = try id(row.values[nodes.idColumn], ":ID")
            spaces.note(text, nodes.key, in: nodes.space)
            return (.nodes(nodes.key, labels: labels), [id], try properties(nodes.properties))
        case .relationships(let relationships):
            var type = relationships.type
            if let column = relationships.typeColumn, case .string(let text)? = row.values[column], !text.text.isEmpty {
                type = text.text
            }
            guard let type else { throw BadField(text: "the :TYPE field is empty") }
            let start = try end(relationships.start, row.values[relationships.startColumn], ":START_ID")
            let end = try end(relationships.end, row.values[relationships.endColumn], ":END_ID")
            return (
                .relationships(type: type, start: start.key, end: end.key), [start.id, end.id], try properties(relationships.properties)
            )
        }
    }

    private func end(
        _ nodes: UpsertGroup.End, _ value: Value?, _ role: String
    ) throws(BadField) -> (key: UpsertRequest.Key, id: Value) {
        let (text, id) = try id(value, role)
        switch nodes {
        case .of(let key): return (key, id)
        case .shared(let space, let keys):
            if let key = spaces.key(of: text, in: space) { return (key, id) }
            let groups = keys.map(\.label).joined(separator: ", ")
            throw BadField(text: "the \(role) field is \"\(text)\", which no file of nodes has as its id (\(groups))")
        }
    }

    private func id(_ value: Value?, _ role: String) throws(BadField) -> (text: String, id: Value) {
        guard case .string(let text)? = value, !text.text.isEmpty else { throw BadField(text: "the \(role) field is empty") }
        guard let id = keys.id(text.text) else { throw BadField(text: "the \(role) field is \"\(text.text)\", which is no integer") }
        return (text.text, id)
    }
}
