internal import FileSystem
public import GraphModel
internal import Storage

/// `martlet import --upsert`: brings a running graph up to date with files. Adds what is missing, updates what differs,
/// deletes nothing; doing it twice changes nothing the second time.
///
/// Nodes are told apart by a label and a property, relationships by their type and both nodes. An import that was ended may
/// be started again: what it did already is found unchanged.
public struct UpsertTool {
    public struct Options: Sendable {
        /// HTTP addresses of the server, or of members of the cluster.
        public var addresses: [String] = []
        /// As ``ImportTool/Options/nodes``; a label is needed.
        public var nodes: [String] = []
        public var relationships: [String] = []
        public var delimiter = ","
        public var arrayDelimiter = ";"
        public var quote = "\""
        /// The property that keeps the ids of :ID columns without a name.
        public var keyProperty: String?
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

    /// What became of the rows.
    struct Counts {
        var created = 0
        var updated = 0
        var unchanged = 0
        /// Rows of an entity that another row of the same batch had, too.
        var repeated = 0
        var failed = 0
        var rowCount: Int { created + updated + unchanged + repeated + failed }
    }

    private let options: Options
    private let progress: ProgressDisplay
    private let client: UpsertClient
    private var counts = (nodes: Counts(), relationships: Counts())
    private var badRows: BadRowReport?

    /// Runs the import, reports bad rows as they come, and prints the summary.
    ///
    /// - Throws: `.configuration`, `.argumentError` for what was asked for; `.unavailable` when no member could write for a
    ///   while; `.general` when more rows were bad than may be.
    public static func run(
        _ options: Options, progress: ProgressDisplay, print: (String) -> Void
    ) async throws(GraphError) {
        var tool = UpsertTool(options, progress)
        tool.badRows = try options.badRowsPath.map { path throws(GraphError) in try BadRowReport(path) }
        let start = monotonicNanoseconds()
        do throws(GraphError) { try await tool.run() } catch {
            progress.finish()
            if let failure = tool.badRows?.close() { progress.note("bad rows could not be reported: \(failure)") }
            throw error
        }
        progress.finish()
        let failure = tool.badRows?.close()
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        print(options.asJSON ? tool.json(seconds) : tool.text(seconds))
        if let failure { throw GraphError(failure) }
    }

    private init(_ options: Options, _ progress: ProgressDisplay) {
        self.options = options
        self.progress = progress
        client = UpsertClient(options.addresses, patience: options.patience) { progress.note($0) }
    }

    private mutating func run() async throws(GraphError) {
        let characters = try ImportTool.characters(options.delimiter, options.arrayDelimiter, options.quote)
        let nodes = try options.nodes.map { text throws(GraphError) in try ImportTool.input(text, "--nodes") }
        let relationships = try options.relationships.map { text throws(GraphError) in
            try ImportTool.relationships(text)
        }
        if nodes.isEmpty && relationships.isEmpty {
            throw GraphError(.configuration, "--nodes and --relationships are missing: name at least one file")
        }
        func open(_ input: BulkImporter.Input) throws(GraphError) -> ImportRowReader {
            try ImportRowReader(
                input.paths, separator: characters.separator, arraySeparator: characters.arraySeparator, quote: characters.quote)
        }
        // Every header is looked at before anything is written.
        var spaces: [String: UpsertKey] = [:]
        var groups: [(input: BulkImporter.Input, columns: UpsertGroup, reader: ImportRowReader)] = []
        for input in nodes {
            let reader = try open(input)
            let columns = try UpsertGroup.nodes(
                reader.columns, labels: input.names, keyProperty: options.keyProperty, path: input.paths[0])
            spaces[columns.space] = columns.key
            groups.append((input, .nodes(columns), reader))
        }
        for input in relationships {
            let reader = try open(input)
            let columns = try UpsertGroup.relationships(reader.columns, type: input.names.first, spaces: spaces, path: input.paths[0])
            groups.append((input, .relationships(columns), reader))
        }
        for key in Set(groups.flatMap { Self.keys($0.columns) }).sorted(by: { "\($0)" < "\($1)" }) { try await requireIndex(key) }
        for group in groups { try await upsert(group.input, group.columns, group.reader) }
    }

    private static func keys(_ group: UpsertGroup) -> [UpsertKey] {
        switch group {
        case .nodes(let columns): [columns.key]
        case .relationships(let columns): [columns.start, columns.end]
        }
    }

    /// A key that is unique is found fast, and two imports at once cannot make two nodes of it.
    private func requireIndex(_ key: UpsertKey) async throws(GraphError) {
        let label = key.label.replacing("`", with: "``")
        let property = key.property.replacing("`", with: "``")
        do throws(GraphError) {
            _ = try await client.run("CREATE CONSTRAINT ON (n:`\(label)`) ASSERT n.`\(property)` IS UNIQUE")
        } catch where error.code == .schemaRuleExists {
            // An index alone may be there; with it nodes are found as fast.
        } catch { throw error }
        let question = "CALL db.constraints() YIELD labelsOrTypes, properties, state, failureMessage WHERE labelsOrTypes = [$l] AND properties = [$p] RETURN state, failureMessage"
        var parameters = Array("{\"l\": ".utf8)
        parameters += UpsertBatch.json(key.label) + Array(", \"p\": ".utf8) + UpsertBatch.json(key.property) + Array("}".utf8)
        while true {
            let before = await client.lastApplied()
            let rows = try await client.run(question, parameters: parameters)
            guard case .string(let state)? = rows.first?.first, state.text != "ONLINE" else { return }
            if state.text == "FAILED" {
                throw GraphError(.constraintViolation, "\(key) is not unique in the graph: \(rows[0].last.map { "\($0)" } ?? "")")
            }
            progress.update(stage: "indexes \(key)", part: 0, rowCount: nil)
            // Each of its states comes with a transaction.
            if let before { await client.waitUntilApplied(before + 1) }
        }
    }

    // MARK: Rows

    private mutating func upsert(
        _ input: BulkImporter.Input, _ columns: UpsertGroup, _ reader: ImportRowReader
    ) async throws(GraphError) {
        var batches: [UpsertBatch.Target: UpsertBatch] = [:]
        let isNodes = if case .nodes = columns { true } else { false }
        while let rows = try reader.next() {
            for row in rows {
                let made: Result<(UpsertBatch.Target, UpsertRow), BadUpsertRow> = Result { () throws(BadUpsertRow) in
                    if let problem = row.problem { throw BadUpsertRow(text: problem) }
                    return try self.row(row, columns)
                }
                switch made {
                case .failure(let problem): try bad(input, row.file, row.line, problem.text, isNodes)
                case .success(let (target, row)):
                    let isNew = batches[target, default: UpsertBatch(target)].add(row)
                    if !isNew { count(isNodes) { $0.repeated += 1 } }
                    if batches[target]?.rows.count == options.batchRowCount, let full = batches.removeValue(forKey: target) {
                        try await send(full, 0..<full.rows.count, input, isNodes)
                    }
                }
            }
            progress.update(
                stage: isNodes ? "nodes" : "relationships",
                part: Double(reader.consumedByteCount) / Double(max(1, reader.byteCount)),
                rowCount: isNodes ? counts.nodes.rowCount : counts.relationships.rowCount)
        }
        for batch in batches.values { try await send(batch, 0..<batch.rows.count, input, isNodes) }
    }

    private struct BadUpsertRow: Error {
        let text: String
    }

    private func row(
        _ row: ImportRowReader.Row, _ columns: UpsertGroup
    ) throws(BadUpsertRow) -> (UpsertBatch.Target, UpsertRow) {
        func properties(_ list: [(column: Int, name: String)]) -> [(name: String, value: Value)] {
            list.compactMap { column, name in row.values[column].map { (name, $0) } }
        }
        switch columns {
        case .nodes(let nodes):
            var labels = nodes.labels
            for column in nodes.labelColumns {
                guard case .list(let list)? = row.values[column] else { continue }
                for case .string(let label) in list.elements where !labels.contains(label.text) { labels.append(label.text) }
            }
            return (
                .nodes(nodes.key, labels: labels),
                UpsertRow(
                    keys: [try id(row.values[nodes.idColumn], ":ID")], properties: properties(nodes.properties), file: row.file,
                    line: row.line)
            )
        case .relationships(let relationships):
            var type = relationships.type
            if type == nil, let column = relationships.typeColumn, case .string(let text)? = row.values[column], !text.text.isEmpty {
                type = text.text
            }
            guard let type else { throw BadUpsertRow(text: "the :TYPE field is empty") }
            return (
                .relationships(type: type, start: relationships.start, end: relationships.end),
                UpsertRow(
                    keys: [
                        try id(row.values[relationships.startColumn], ":START_ID"), try id(row.values[relationships.endColumn], ":END_ID"),
                    ], properties: properties(relationships.properties), file: row.file, line: row.line)
            )
        }
    }

    private func id(_ value: Value?, _ role: String) throws(BadUpsertRow) -> Value {
        guard case .string(let text)? = value, !text.text.isEmpty else { throw BadUpsertRow(text: "the \(role) field is empty") }
        guard options.idsAreIntegers else { return .string(text) }
        guard let number = Int64(text.text) else { throw BadUpsertRow(text: "the \(role) field is \"\(text.text)\", which is no integer") }
        return .integer(number)
    }

    /// Sends rows in one transaction. Where the server has something against them, the halves are tried, down to the row.
    private mutating func send(
        _ batch: UpsertBatch, _ range: Range<Int>, _ input: BulkImporter.Input, _ isNodes: Bool
    ) async throws(GraphError) {
        let rows: [[Value]]
        do throws(GraphError) {
            rows = try await client.run(batch.statement, parameters: batch.parameters(range))
        } catch where error.code == .invalidRequest {
            if range.count == 1 {
                let row = batch.rows[range.lowerBound]
                return try bad(input, row.file, row.line, error.message, isNodes)
            }
            let middle = range.lowerBound + range.count / 2
            try await send(batch, range.lowerBound..<middle, input, isNodes)
            return try await send(batch, middle..<range.upperBound, input, isNodes)
        } catch { throw error }
        for values in rows {
            guard values.count == 3, case .integer(let state) = values[0], let outcome = UpsertBatch.Outcome(rawValue: state),
                case .integer(let number) = values[1]
            else { throw GraphError(.network, "the server answered something else than the counts of an upsert") }
            switch outcome {
            case .unchanged: count(isNodes) { $0.unchanged += Int(number) }
            case .updated: count(isNodes) { $0.updated += Int(number) }
            case .created: count(isNodes) { $0.created += Int(number) }
            case .endless:
                guard case .list(let numbers) = values[2] else { continue }
                for case .integer(let index) in numbers.elements where batch.rows.indices.contains(Int(index)) {
                    let row = batch.rows[Int(index)]
                    try bad(input, row.file, row.line, "there is no node \(row.keys[0]) or no node \(row.keys[1])", isNodes)
                }
            }
        }
    }

    private mutating func count(_ isNodes: Bool, _ change: (inout Counts) -> Void) {
        if isNodes { change(&counts.nodes) } else { change(&counts.relationships) }
    }

    private mutating func bad(
        _ input: BulkImporter.Input, _ file: Int, _ line: UInt64, _ problem: String, _ isNodes: Bool
    ) throws(GraphError) {
        count(isNodes) { $0.failed += 1 }
        let row = BulkImporter.BadRow(path: input.paths[file], line: line, reason: problem)
        if let badRows { badRows.add(row) } else { progress.note("bad row: \(row)") }
        let failed = counts.nodes.failed + counts.relationships.failed
        guard failed <= options.badRowCountMaximum else {
            throw GraphError(.general, "\(failed) rows were bad, more than --bad-tolerance \(options.badRowCountMaximum)")
        }
    }

    // MARK: Summary

    private func text(_ seconds: Double) -> String {
        func line(_ name: String, _ counts: Counts) -> String {
            "\(name): \(counts.created) created, \(counts.updated) updated, \(counts.unchanged) unchanged, \(counts.repeated) repeated, \(counts.failed) failed"
        }
        let total = counts.nodes.rowCount + counts.relationships.rowCount
        let rate = Int(Double(total) / max(seconds, 0.001))
        return [
            line("nodes", counts.nodes), line("relationships", counts.relationships),
            "\(total) rows in \(ProgressDisplay.oneDecimal(seconds)) s, \(rate) rows/s",
        ].joined(separator: "\n")
    }

    private func json(_ seconds: Double) -> String {
        func object(_ counts: Counts) -> String {
            #"{"created": \#(counts.created), "updated": \#(counts.updated), "unchanged": \#(counts.unchanged), "repeated": \#(counts.repeated), "failed": \#(counts.failed)}"#
        }
        return #"{"nodes": \#(object(counts.nodes)), "relationships": \#(object(counts.relationships)), "seconds": \#(seconds)}"#
    }
}
