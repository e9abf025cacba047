internal import Database
internal import GraphModel
internal import HTTPTypes
internal import JSON
internal import NIOCore
internal import QueryEngine
internal import Storage

/// One request, as far as routes need to know it.
struct Call: Sendable {
    let head: HTTPRequest
    var target: Target
    /// The values of the path's parameters.
    var parameters: [String]
    /// Empty when the request had none.
    var body: [UInt8]
    /// What the body says, for work on the graph; nil when there is none.
    var input: Value?
    /// What ends a larger transaction that this is a part of.
    var control: ExecutionControl?
    let base: BaseURI
    let isStreamed: Bool
    let options: Database.RequestOptions
    /// Where the connection lives; work beside the request's own task stays there.
    let executor: EventLoopExecutor
    let channel: any Channel

    var layout: JSONWriter.Layout { isStreamed ? .compact : .manual }
    var contentType: ContentType { isStreamed ? .streamedJSON : .json }

    // MARK: Answering

    func json(_ status: HTTPResponse.Status, _ bytes: [UInt8]) -> Answer { Answer(status, contentType, .bytes(bytes)) }

    func json(_ status: HTTPResponse.Status, _ write: (inout JSONWriter) -> Void) -> Answer {
        var json = JSONWriter(layout)
        write(&json)
        return self.json(status, json.bytes)
    }

    /// An answer about the graph, as one transaction sees it.
    func json(
        _ status: HTTPResponse.Status, _ transaction: Transaction,
        _ write: (inout RepresentationWriter) throws(GraphError) -> Void
    ) throws(GraphError) -> Answer {
        var writer = RepresentationWriter(layout, base: base, transaction: transaction)
        try write(&writer)
        return json(status, writer.json.bytes)
    }

    // MARK: The body

    /// The same with what the body says.
    func parsed() async throws(GraphError) -> Call {
        if hasBlankBody { return self }
        var call = self
        call.input = try await parsedBody()
        return call
    }

    /// What the body says. Throws `.invalidRequest` when there is none.
    func value() throws(GraphError) -> Value {
        guard let input else { throw GraphError(.invalidRequest, "the body must be a JSON value: there is none") }
        return input
    }

    /// What the body says as a map; no body at all is an empty one, as the original had it.
    func map() throws(GraphError) -> MapValue {
        switch input {
        case nil: return MapValue([])
        case .map(let map)?: return map
        default: throw GraphError(.invalidRequest, "the body must be a JSON object")
        }
    }

    private var hasBlankBody: Bool { body.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) } }

    /// The body as a value. A long one is parsed away from the event loop, which has other connections to serve.
    func parsedBody() async throws(GraphError) -> Value {
        if body.count <= Self.inlineByteCountMaximum { return try Self.parse(body) }
        let body = body
        let result = await withTaskExecutorPreference(globalConcurrentExecutor) {
            await Self.parseElsewhere(body)
        }
        return try result.get()
    }

    private static let inlineByteCountMaximum = 64 << 10

    private static func parseElsewhere(_ body: [UInt8]) async -> Result<Value, GraphError> {
        Result { () throws(GraphError) -> Value in try parse(body) }
    }

    private static func parse(_ body: [UInt8]) throws(GraphError) -> Value {
        do throws(JSONError) { return try JSONParser.parse(body) } catch { throw error.asInvalidRequest }
    }

    /// ``map()`` for handlers of their own.
    func parsedMap() async throws(GraphError) -> MapValue { try await parsed().map() }

    // MARK: Parameters

    func nodeID(_ index: Int = 0) throws(GraphError) -> NodeID {
        guard let id = UInt64(parameters[index]) else { throw .nodeNotFound(parameters[index]) }
        return NodeID(id)
    }

    func relationshipID(_ index: Int = 0) throws(GraphError) -> RelationshipID {
        guard let id = UInt64(parameters[index]) else { throw .relationshipNotFound }
        return RelationshipID(id)
    }
}

extension Database.RequestOptions {
    /// What the headers ask for. Throws `.invalidRequest` for a value that is not one.
    init(_ head: HTTPRequest, _ body: [UInt8]) throws(GraphError) {
        self.init()
        let fields = head.headerFields
        // Reads take no notice of it: gateways put one on everything.
        if [.post, .put, .delete].contains(head.method), let text = fields[.requestID] {
            guard let id = RequestID(text, fingerprint: RequestFingerprint.of(head, body)) else {
                throw GraphError(
                    .invalidRequest,
                    "X-Request-Id has \(text.utf8.count) characters; it must be 1 to \(RequestID.characterCountMaximum) visible ASCII characters")
            }
            requestID = id
        }
        if let text = fields[.highAvailabilityTransaction] {
            guard let number = UInt64(text) else {
                throw GraphError(.invalidRequest, "X-HA-Tx is \"\(text)\"; it must be the number of a transaction")
            }
            bookmark = TransactionID(number)
        }
        if let text = fields[.highAvailabilityRead] {
            guard text.lowercased() == "linearizable" else {
                throw GraphError(.invalidRequest, "X-HA-Read is \"\(text)\"; the only value is linearizable")
            }
            isLinearizable = true
        }
        if let text = fields[.maximumExecutionTime] {
            guard let number = UInt64(text) else {
                throw GraphError(
                    .invalidRequest, "Max-Execution-Time is \"\(text)\"; it must be a number of milliseconds")
            }
            timeout = Milliseconds(number)
        }
    }
}
