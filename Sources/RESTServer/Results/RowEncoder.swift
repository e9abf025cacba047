internal import Database
package import GraphModel
package import NIOCore
package import QueryEngine
package import Storage

/// Writes a query's result as `{"columns": …, "data": …}` while it runs.
///
/// Rows of a read leave through the pipe in pieces. Rows of a write are kept until the commit is acknowledged: before
/// that they may never have happened, and a lost conflict makes them again. Without a pipe all rows are kept.
package struct RowEncoder: ResultConsumer, Sendable {
    private let base: BaseURI
    private let layout: JSONWriter.Layout
    private let pipe: ResultPipe?
    private var json: JSONWriter
    private var isKept = false
    /// Finished pieces that did not go through the pipe.
    package private(set) var kept: [ByteBuffer] = []

    private static let pieceByteCount = 64 << 10

    package init(_ layout: JSONWriter.Layout, base: BaseURI, pipe: ResultPipe?) {
        self.layout = layout
        self.base = base
        self.pipe = pipe
        json = JSONWriter(layout)
    }

    package mutating func begin(columns: [String], in transaction: Transaction) throws(GraphError) {
        isKept = !transaction.isReadOnly
        json.beginObject()
        json.key("columns")
        json.strings(columns)
        json.key("data")
        json.beginList()
    }

    package mutating func rows(_ batch: ResultBatch, in transaction: Transaction) throws(GraphError) {
        var writer = RepresentationWriter(continuing: json, base: base, transaction: transaction)
        // The writer has the only reference to the buffer while it grows.
        json = JSONWriter(layout)
        for row in 0..<batch.rowCount {
            writer.json.beginList()
            for column in 0..<batch.columnCount { writer.value(batch.value(row: row, column: column)) }
            writer.json.endList()
            if writer.json.byteCount >= Self.pieceByteCount { try finishPiece(&writer.json) }
        }
        json = writer.json
    }

    package mutating func end(_ statistics: QueryStatistics, in transaction: Transaction) throws(GraphError) {
        json.endList()
        statistics.writePlan(to: &json, layout, base, transaction)
        json.endObject()
        kept.append(ByteBuffer(bytes: json.take()))
    }

    private mutating func finishPiece(_ json: inout JSONWriter) throws(GraphError) {
        let piece = json.take()
        if let pipe, !isKept { try pipe.send(piece) } else { kept.append(ByteBuffer(bytes: piece)) }
    }
}

extension QueryStatistics {
    /// The plan, where one was asked for, as a member of the object that is open.
    func writePlan(to json: inout JSONWriter, _ layout: JSONWriter.Layout, _ base: BaseURI, _ transaction: Transaction) {
        guard let plan else { return }
        var writer = RepresentationWriter(continuing: json, base: base, transaction: transaction)
        // The writer has the only reference to the buffer while it grows.
        json = JSONWriter(layout)
        writer.json.key("plan")
        writer.value(plan.value)
        json = writer.json
    }
}
