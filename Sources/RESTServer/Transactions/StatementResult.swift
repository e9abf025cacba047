internal import Database
internal import GraphModel
internal import QueryEngine
internal import Storage

/// Writes the result of one statement of the transactional endpoint: `{"columns": …, "data": …}`.
struct StatementResult: ResultConsumer, Sendable {
    private let input: StatementInput
    private let base: BaseURI
    private let layout: JSONWriter.Layout
    private let showsMetadata: Bool
    private let byteCountMaximum: Int
    private var json: JSONWriter

    /// - Parameters:
    ///   - showsMetadata: whether rows say which entities their values are of, as later versions do.
    ///   - byteCountMaximum: longest result.
    init(_ input: StatementInput, _ call: Call, showsMetadata: Bool, byteCountMaximum: Int) {
        self.input = input
        base = call.base
        layout = call.layout
        self.showsMetadata = showsMetadata
        self.byteCountMaximum = byteCountMaximum
        json = JSONWriter(layout)
    }

    var bytes: [UInt8] { json.bytes }

    mutating func begin(columns: [String], in transaction: Transaction) {
        json.beginObject()
        json.key("columns")
        json.strings(columns)
        json.key("data")
        json.beginList()
    }

    mutating func rows(_ batch: ResultBatch, in transaction: Transaction) throws(GraphError) {
        var writer = RepresentationWriter(continuing: json, base: base, transaction: transaction)
        // The writer has the only reference to the buffer while it grows.
        json = JSONWriter(layout)
        var values: [Value] = []
        for row in 0..<batch.rowCount {
            values.removeAll(keepingCapacity: true)
            for column in 0..<batch.columnCount { values.append(batch.value(row: row, column: column)) }
            self.row(values, &writer)
            if writer.json.byteCount > byteCountMaximum {
                throw GraphError(
                    .queryMemory, "the results of this request take more than \(byteCountMaximum) bytes: ask for fewer rows")
            }
        }
        json = writer.json
    }

    mutating func end(_ statistics: QueryStatistics, in transaction: Transaction) {
        json.endList()
        if input.includesStatistics {
            json.key("stats")
            Self.statistics(statistics, &json)
        }
        statistics.writePlan(to: &json, layout, base, transaction)
        json.endObject()
    }

    private func row(_ values: [Value], _ writer: inout RepresentationWriter) {
        writer.json.beginObject()
        for content in input.contents {
            switch content {
            case .row:
                writer.json.key("row")
                writer.json.beginList()
                for value in values { writer.plain(value) }
                writer.json.endList()
                guard showsMetadata else { continue }
                writer.json.key("meta")
                writer.json.beginList()
                for value in values { writer.metadata(of: value) }
                writer.json.endList()
            case .graph:
                writer.json.key("graph")
                writer.graph(values)
            case .rest:
                writer.json.key("rest")
                writer.json.beginList()
                for value in values { writer.value(value) }
                writer.json.endList()
            }
        }
        writer.json.endObject()
    }

    private static func statistics(_ statistics: QueryStatistics, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("contains_updates")
        json.value(statistics.containsUpdates)
        for (key, count) in [
            ("nodes_created", statistics.nodesCreated), ("nodes_deleted", statistics.nodesDeleted),
            ("properties_set", statistics.propertiesSet), ("relationships_created", statistics.relationshipsCreated),
            // As it was spelled.
            ("relationship_deleted", statistics.relationshipsDeleted), ("labels_added", statistics.labelsAdded),
            ("labels_removed", statistics.labelsRemoved), ("indexes_added", statistics.indexesAdded),
            ("indexes_removed", statistics.indexesRemoved), ("constraints_added", statistics.constraintsAdded),
            ("constraints_removed", statistics.constraintsRemoved),
        ] {
            json.key(key)
            json.value(Int64(count))
        }
        json.endObject()
    }
}
