internal import GraphModel
internal import NIOCore
internal import Storage

/// Writes a list whose elements come one by one, within one transaction: it leaves in pieces, or all of it is kept.
struct ListEncoder {
    private var writer: RepresentationWriter
    private let output: PipedWork.Output
    private var kept: [ByteBuffer] = []
    private(set) var elementCount = 0
    /// Bytes that were written.
    private var sentByteCount = 0

    private static let pieceByteCount = 64 << 10

    init(_ call: Call, in transaction: Transaction, _ output: PipedWork.Output) {
        writer = RepresentationWriter(call.layout, base: call.base, transaction: transaction)
        self.output = output
        writer.json.beginList()
    }

    var byteCount: Int { sentByteCount + writer.json.byteCount }

    /// One more element. Throws `.queryMemory` when more would be kept than may be, and what the pipe throws.
    mutating func append(_ write: (inout RepresentationWriter) -> Void) throws(GraphError) {
        write(&writer)
        elementCount += 1
        if writer.json.byteCount < Self.pieceByteCount { return }
        let piece = writer.json.take()
        sentByteCount += piece.count
        switch output {
        case .pipe(let pipe): try pipe.send(piece)
        case .kept(let byteCountMaximum):
            kept.append(ByteBuffer(bytes: piece))
            if sentByteCount > byteCountMaximum && byteCountMaximum > 0 {
                throw GraphError(
                    .queryMemory,
                    "the result takes more than \(byteCountMaximum) bytes: ask for less, or outside of a batch")
            }
        }
    }

    /// What was kept, with the end of the list.
    mutating func end() -> [ByteBuffer] {
        writer.json.endList()
        return kept + [ByteBuffer(bytes: writer.json.take())]
    }
}
