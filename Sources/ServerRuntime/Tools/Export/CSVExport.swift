internal import FileSystem
internal import GraphModel
internal import Storage

/// Files that `martlet import` reads: one for each set of labels and each type, each with a header in a file of its own,
/// for which columns there are is known at the end only. A property whose values have different types has a column for
/// each.
struct CSVExport: ExportFormat {
    private let directory: String
    private let isPacked: Bool
    private var nodes: [[CodeUnitKey]: Int] = [:]
    private var relationships: [CodeUnitKey: Int] = [:]
    private var tables: [Table] = []
    private var schema: [String] = []

    /// More sets of labels or types share a file.
    static let tableCountMaximum = 200

    init(_ directory: String, isPacked: Bool) throws(GraphError) {
        self.directory = directory
        self.isPacked = isPacked
        do throws(FileError) {
            let files = POSIXFileSystem()
            try files.createDirectory(directory)
            guard try files.list(directory).isEmpty else {
                throw FileError(.exists, operation: "export into", path: directory, detail: "the directory is not empty; name a new one")
            }
        } catch { throw GraphError(error) }
    }

    /// `--nodes FILES … --relationships FILES …`: how to read them again.
    var importArguments: [String] {
        var arguments: [String] = []
        for (option, isNodes) in [("--nodes", true), ("--relationships", false)] {
            let parts = importFiles(isNodes: isNodes)
            if !parts.isEmpty { arguments += [option] + parts }
        }
        return arguments
    }

    /// Header and rows of each table, as the options of an import take them.
    func importFiles(isNodes: Bool) -> [String] {
        tables.filter { $0.isNodes == isNodes }.map { "\($0.headerPath),\($0.file.path)" }
    }

    mutating func take(_ rule: GraphLine.Rule) { schema.append(CypherText.creation(of: rule) + ";\n") }

    mutating func take(_ node: GraphLine.Node) throws(GraphError) {
        let labels = node.labels.map { CodeUnitKey($0) }
        let place: Int
        if let known = nodes[labels] {
            place = known
        } else {
            place = try table(isNodes: true, node.labels)
            nodes[labels] = place
        }
        if let label = node.labels.first(where: { $0.utf8.contains(UInt8(ascii: ";")) }) {
            throw GraphError(.argumentError, "the label \"\(label)\" has a semicolon, which CSV files have between labels: export to another format")
        }
        try tables[place].add([node.id, node.labels.joined(separator: ";")], node.properties, "node \(node.id)")
    }

    mutating func take(_ relationship: GraphLine.Relationship) throws(GraphError) {
        let type = CodeUnitKey(relationship.type)
        let place: Int
        if let known = relationships[type] {
            place = known
        } else {
            place = try table(isNodes: false, [relationship.type])
            relationships[type] = place
        }
        try tables[place].add(
            [relationship.start.id, relationship.end.id, relationship.type], relationship.properties,
            "relationship \(relationship.id)")
    }

    private mutating func table(isNodes: Bool, _ names: [String]) throws(GraphError) -> Int {
        let count = tables.count { $0.isNodes == isNodes }
        if count >= Self.tableCountMaximum, let last = tables.lastIndex(where: { $0.isNodes == isNodes }) { return last }
        var name = "\(isNodes ? "nodes" : "relationships")-\(count + 1)"
        let readable = names.joined(separator: "_").unicodeScalars.filter {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
        }
        if count + 1 < Self.tableCountMaximum && !readable.isEmpty { name += "-" + String(String.UnicodeScalarView(readable)).prefix(60) }
        tables.append(try Table(directory + "/" + name, isNodes: isNodes, isPacked: isPacked))
        return tables.count - 1
    }

    mutating func finish() throws(GraphError) -> (paths: [String], byteCount: UInt64) {
        var paths: [String] = []
        var byteCount: UInt64 = 0
        if !tables.contains(where: \.isNodes) { _ = try table(isNodes: true, []) }
        for table in tables {
            try table.finish()
            paths += [table.headerPath, table.file.path]
            byteCount += table.file.byteCount
        }
        if !schema.isEmpty {
            let path = directory + "/schema.cypher"
            do throws(FileError) { try POSIXFileSystem().replace(path, with: Array(schema.joined().utf8)) } catch { throw GraphError(error) }
            paths.append(path)
        }
        return (paths, byteCount)
    }

    mutating func discard() { for table in tables { table.file.discard() } }

    /// One file of rows.
    private struct Table {
        private struct Column: Hashable {
            let name: CodeUnitKey
            let type: String
        }
        let isNodes: Bool
        let file: ExportFile
        let headerPath: String
        private var places: [Column: Int] = [:]
        private var columns: [Column] = []
        private var cells: [[UInt8]] = []

        init(_ path: String, isNodes: Bool, isPacked: Bool) throws(GraphError) {
            self.isNodes = isNodes
            headerPath = path + "-header.csv"
            file = try ExportFile(path + (isPacked ? ".csv.gz" : ".csv"), isPacked: isPacked)
        }

        mutating func add(
            _ leading: [String], _ properties: [(name: String, value: Value)], _ entity: String
        ) throws(GraphError) {
            for (name, value) in properties {
                guard let (type, text) = Self.cell(value) else {
                    throw GraphError(
                        .argumentError, "property \"\(name)\" of \(entity) is a list of byte arrays, which CSV files cannot hold: export to another format")
                }
                let column = Column(name: CodeUnitKey(name), type: type)
                let place: Int
                if let known = places[column] {
                    place = known
                } else {
                    place = columns.count
                    places[column] = place
                    columns.append(column)
                    cells.append([])
                }
                cells[place] = text
            }
            var line: [UInt8] = []
            for (index, text) in leading.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                line += Self.quoted(text)
            }
            // Columns that come later stay away: there is nothing in them.
            let count = (cells.lastIndex { !$0.isEmpty } ?? -1) + 1
            for place in 0..<count {
                line.append(UInt8(ascii: ","))
                line += cells[place]
                cells[place] = []
            }
            line.append(UInt8(ascii: "\n"))
            try file.write(line)
        }

        func finish() throws(GraphError) {
            var header = isNodes ? [":ID", ":LABEL"] : [":START_ID", ":END_ID", ":TYPE"]
            header += columns.map { "\($0.name.text):\($0.type)" }
            let line = header.map(Self.quoted).joined(separator: [UInt8(ascii: ",")])
            try file.finish()
            do throws(FileError) { try POSIXFileSystem().replace(headerPath, with: line + [UInt8(ascii: "\n")]) } catch {
                throw GraphError(error)
            }
        }

        /// The type of the column and what stands there; nil for what no column can hold.
        private static func cell(_ value: Value) -> (type: String, text: [UInt8])? {
            let type = value.importType
            switch value {
            case .bytes(let bytes):
                let numbers = bytes.bytes.map { String(Int8(bitPattern: $0)) }
                return (type, numbers.isEmpty ? quoted("") : Array(numbers.joined(separator: ";").utf8))
            case .list(let list):
                if type == "byte[][]" { return nil }
                let texts = list.elements.map(text)
                let isPlain = texts.allSatisfy { !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: ";")) }
                if isPlain { return (type, quoted(texts.joined(separator: ";"))) }
                // An element has the separator in it, or nothing.
                return (type.replacing("[]", with: "[json]"), quoted("[\(texts.map(json).joined(separator: ","))]"))
            case .string, .point, .temporal: return (type, quoted(text(value)))
            default: return (type, Array(text(value).utf8))
            }
        }

        private static func json(_ text: String) -> String { String(decoding: UpsertClient.json(text), as: UTF8.self) }

        private static func text(_ value: Value) -> String {
            switch value {
            case .boolean(let flag): flag ? "true" : "false"
            case .integer(let number): String(number)
            case .float(let number): number.description
            case .string(let text): text.text
            case .temporal(let temporal): temporal.description
            case .point(let point): point.description
            case .null, .bytes, .list, .map, .node, .relationship, .path: ""
            }
        }

        private static func quoted(_ text: String) -> [UInt8] {
            var bytes = [UInt8(ascii: "\"")]
            for byte in text.utf8 {
                if byte == UInt8(ascii: "\"") { bytes.append(byte) }
                bytes.append(byte)
            }
            bytes.append(UInt8(ascii: "\""))
            return bytes
        }
    }
}
