internal import GraphModel
internal import NIOCore

/// What the jobs of a batch had to say, as the list that its client gets.
struct BatchOutput {
    private var json: JSONWriter
    private let isStreamed: Bool
    private var pieces: [ByteBuffer] = []
    private var pieceByteCount = 0

    private static let pieceByteCountMaximum = 256 << 10

    init(_ layout: JSONWriter.Layout, isStreamed: Bool) {
        json = JSONWriter(layout)
        self.isStreamed = isStreamed
        json.beginList()
    }

    var byteCount: Int { pieceByteCount + json.byteCount }

    /// The keys come in the order in which the manual shows them, another one for streams.
    mutating func append(_ id: Int64?, _ from: String, _ answer: Answer) {
        begin(id)
        if isStreamed {
            json.key("from")
            json.string(from)
            if case .none = answer.body {
                json.key("body")
                json.null()
            }
            body(answer)
            location(answer)
            json.key("status")
            json.value(Int64(answer.status.code))
        } else {
            location(answer)
            body(answer)
            json.key("from")
            json.string(from)
        }
        json.endObject()
        if json.byteCount >= Self.pieceByteCountMaximum { finishPiece() }
    }

    /// The job with which a stream ends.
    mutating func append(_ id: Int64?, _ from: String, _ error: GraphError) {
        begin(id)
        json.key("from")
        json.string(from)
        json.key("status")
        json.value(Int64(error.code.httpStatus))
        json.key("message")
        json.string(error.message.isEmpty ? error.code.legacyException : error.message)
        json.endObject()
    }

    /// Ends the list and hands it out.
    mutating func end() -> [ByteBuffer] {
        json.endList()
        finishPiece()
        return pieces
    }

    private mutating func begin(_ id: Int64?) {
        json.beginObject()
        if let id {
            json.key("id")
            json.value(id)
        }
    }

    private mutating func location(_ answer: Answer) {
        guard let location = answer.location else { return }
        json.key("location")
        json.string(location)
    }

    private mutating func body(_ answer: Answer) {
        switch answer.body {
        case .none, .stream: return
        case .bytes(let bytes):
            json.key("body")
            json.embed(bytes)
        case .buffers(let buffers):
            json.key("body")
            json.embed(buffers.flatMap { Array($0.readableBytesView) })
        }
    }

    private mutating func finishPiece() {
        let bytes = json.take()
        pieceByteCount += bytes.count
        pieces.append(ByteBuffer(bytes: bytes))
    }
}
