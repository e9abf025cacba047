internal import GraphModel
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// What a route gives back: everything but the headers that every answer has.
struct Answer: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        case buffers([ByteBuffer])
        /// Bytes that are made while they are sent; the closure must finish the writer.
        case stream(@Sendable (inout any ResponseBodyWriter) async throws -> Void)
    }

    var status: HTTPResponse.Status
    var contentType: ContentType?
    var body: Body
    var location: String?
    /// Further headers, rarely any.
    var headers: [HTTPField] = []
    /// The transaction that a write made: the client's bookmark.
    var transactionID: TransactionID?
    /// Whether that was made by an earlier try of the request.
    var isRepetition = false

    init(_ status: HTTPResponse.Status, _ contentType: ContentType? = nil, _ body: Body = .none) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    static func noContent(_ transactionID: TransactionID? = nil) -> Answer {
        var answer = Answer(.noContent)
        answer.transactionID = transactionID
        return answer
    }

    static func text(_ status: HTTPResponse.Status, _ text: String) -> Answer {
        Answer(status, .text, .bytes(Array(text.utf8)))
    }
}

enum ContentType: String, Sendable {
    case json = "application/json"
    case streamedJSON = "application/json; stream=true"
    /// One JSON value in each line.
    case jsonLines = "application/x-ndjson"
    case text = "text/plain; charset=utf-8"
    case html = "text/html; charset=utf-8"
    case wadl = "application/vnd.sun.wadl+xml"
    case prometheus = "text/plain; version=0.0.4; charset=utf-8"
}

extension HTTPField.Name {
    /// A header name that is known to be valid.
    private static func known(_ name: String) -> HTTPField.Name {
        guard let result = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header name") }
        return result
    }

    static let highAvailabilityRole = known("X-HA-Role")
    static let highAvailabilityEpoch = known("X-HA-Epoch")
    static let highAvailabilityTransaction = known("X-HA-Tx")
    static let highAvailabilityRead = known("X-HA-Read")
    static let requestID = known("X-Request-Id")
    static let requestReplayed = known("X-Request-Replayed")
    static let errorCode = known("X-Error-Code")
    static let stream = known("X-Stream")
    static let forwardedHost = known("X-Forwarded-Host")
    static let forwardedProto = known("X-Forwarded-Proto")
    static let maximumExecutionTime = known("Max-Execution-Time")
}
