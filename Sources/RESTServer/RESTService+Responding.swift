internal import Database
internal import FileSystem
internal import GraphModel
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

extension RESTService {
    /// Reads one request, answers it, and counts it. Throws to end the connection.
    func respond(
        to request: Request, _ writer: consuming ResponseWriter, _ connection: Connection
    ) async throws {
        let start = monotonicNanoseconds()
        metrics.inFlight.add()
        defer { metrics.inFlight.subtract() }
        let found = find(request.head)
        var incoming = Incoming()
        if case .success(let found) = found, found.takesBody {
            incoming = try await read(request, writer)
        }
        let result = await answer(request.head, found, incoming, connection)
        let answer: Answer
        switch result {
        case .success(let made):
            // The last look before the answer leaves: a process that was stopped may have waited here for minutes.
            let refusal = made.transactionID.flatMap(database.refusalToAcknowledge)
            answer = refusal.map { self.answer(to: $0, request.head, found) } ?? made
        case .failure(let error): answer = self.answer(to: error, request.head, found)
        }
        defer {
            metrics.record(
                route: (try? found.get())?.resource, status: answer.status.code,
                nanoseconds: monotonicNanoseconds() - start)
            if answer.transactionID != nil && !answer.isRepetition { metrics.committedWrites.add() }
        }
        let packed = await Compression.packed(answer, for: request.head)
        try await write(packed, request.head, writer, endsConnection: incoming.hasMore)
        if incoming.hasMore { throw ConnectionEnds() }
    }

    // MARK: Routing

    private struct Found {
        let resource: Int
        let target: Target
        let parameters: [String]
        /// Nil when the resource does not have this method.
        let handler: Handler?
        let takesBody: Bool
    }

    private func find(_ head: HTTPRequest) -> Result<Found, GraphError> {
        Result { () throws(GraphError) -> Found in
            let target = try Target(head.path ?? "/")
            guard let (resource, parameters) = table.find(target.segments) else {
                let path = (head.path ?? "/").prefix { $0 != "?" }
                throw GraphError(.noSuchResource, "there is nothing at \(path): start at /db/data/")
            }
            let handler = table.resources[resource].handler(head.method)
            return Found(
                resource: resource, target: target, parameters: parameters, handler: handler,
                takesBody: handler != nil && (head.method == .post || head.method == .put))
        }
    }

    private func answer(
        _ head: HTTPRequest, _ found: Result<Found, GraphError>, _ incoming: Incoming, _ connection: Connection
    ) async -> Result<Answer, GraphError> {
        do throws(GraphError) {
            let found = try found.get()
            let resource = table.resources[found.resource]
            guard let handler = found.handler else {
                if head.method == .options { return .success(allowing(resource, .ok)) }
                throw GraphError(
                    .methodNotAllowed,
                    "\(head.method.rawValue) is not possible at \(resource.pattern); possible are \(resource.allowed)")
            }
            let negotiated = ContentNegotiation.accepted(head.headerFields)
            if !negotiated.isJSON && !resource.isStatus {
                throw GraphError(
                    .notAcceptable,
                    "Accept is \"\(head.headerFields[.accept] ?? "")\", but only application/json is offered")
            }
            if let error = incoming.error { throw error }
            let body = try await Compression.unpacked(
                incoming.body, head.headerFields, maximum: options.bodyByteCountMaximum)
            if !body.isEmpty && !resource.takesAnyBody { try ContentNegotiation.requireJSON(head.headerFields) }
            let call = Call(
                head: head, target: found.target, parameters: found.parameters, body: body,
                base: try BaseURI(
                    of: head, scheme: connection.isSecure ? "https" : "http",
                    localAuthority: "\(options.host):\(connection.isSecure ? securePort : port)"),
                isStreamed: negotiated.isStreamed, options: try Database.RequestOptions(head, body),
                executor: connection.executor, channel: connection.channel)
            return .success(try await handler.answer(call, database))
        } catch {
            if let first = error.committedTransaction { return .success(.repetition(of: first, error.message)) }
            return .failure(error)
        }
    }

    private func allowing(_ resource: Resource, _ status: HTTPResponse.Status) -> Answer {
        var answer = Answer(status)
        answer.headers.append(HTTPField(name: .allow, value: resource.allowed))
        return answer
    }

    private func answer(to error: GraphError, _ head: HTTPRequest, _ found: Result<Found, GraphError>) -> Answer {
        metrics.record(error)
        let path = (head.path ?? "/").prefix { $0 != "?" }
        let request = "\(head.method.rawValue) \(path)"
        if error.code.httpStatus >= 500 && !error.isRetryable {
            logger.error("\(request): \(error.code.name): \(error.message)")
        }
        var answer = Answer.error(error, request: request, isLegacy: path.hasPrefix("/db/data"))
        if error.code == .methodNotAllowed, case .success(let found) = found {
            answer.headers.append(HTTPField(name: .allow, value: table.resources[found.resource].allowed))
        }
        return answer
    }

    // MARK: Reading

    private struct Incoming {
        var body: [UInt8] = []
        var error: GraphError?
        /// Whether the client still sends a body that nobody wants.
        var hasMore = false
    }

    /// How much of a body that is too long is read all the same, so that the client gets to see the answer.
    private static let discardedByteCountMaximum = 8 << 20

    private func read(_ request: Request, _ writer: borrowing ResponseWriter) async throws -> Incoming {
        var incoming = Incoming()
        let maximum = options.bodyByteCountMaximum
        let announced = request.headers[.contentLength].flatMap { Int($0) }
        let tooLarge = GraphError(.bodyTooLarge, "the body is longer than \(maximum) bytes")
        if request.headers[.expect]?.lowercased() == "100-continue" {
            if let announced, announced > maximum {
                // Nothing of it has been sent yet, and nothing will be.
                incoming.error = tooLarge
                incoming.hasMore = true
                return incoming
            }
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        if let announced, announced > 0 { incoming.body.reserveCapacity(min(announced, maximum, 1 << 20)) }
        var byteCount = 0
        for try await part in request.body {
            byteCount += part.readableBytes
            if byteCount <= maximum {
                incoming.body.append(contentsOf: part.readableBytesView)
                continue
            }
            incoming.error = tooLarge
            incoming.body = []
            if byteCount > maximum + Self.discardedByteCountMaximum {
                incoming.hasMore = true
                break
            }
        }
        return incoming
    }

    // MARK: Writing

    private func write(
        _ answer: Answer, _ head: HTTPRequest, _ writer: consuming ResponseWriter, endsConnection: Bool
    ) async throws {
        var fields = HTTPFields()
        fields.reserveCapacity(8)
        fields.append(HTTPField(name: .date, value: dateHeader.text))
        fields.append(HTTPField(name: .server, value: Self.serverName))
        if let contentType = answer.contentType {
            fields.append(HTTPField(name: .contentType, value: contentType.rawValue))
        }
        if let location = answer.location { fields.append(HTTPField(name: .location, value: location)) }
        if let transactionID = answer.transactionID {
            fields.append(HTTPField(name: .highAvailabilityTransaction, value: String(transactionID.rawValue)))
        }
        if answer.isRepetition { fields.append(HTTPField(name: .requestReplayed, value: "true")) }
        if options.isClustered {
            let status = database.status
            let role = status.isWritableMaster || status.role == .master ? "master" : "slave"
            fields.append(HTTPField(name: .highAvailabilityRole, value: role))
            fields.append(HTTPField(name: .highAvailabilityEpoch, value: String(status.epoch.rawValue)))
        }
        for field in answer.headers { fields.append(field) }
        if endsConnection || head.headerFields[.connection] == "close" {
            fields.append(HTTPField(name: .connection, value: "close"))
        }
        func length(_ byteCount: Int) { fields.append(HTTPField(name: .contentLength, value: String(byteCount))) }
        let isHeadOnly = head.method == .head
        switch answer.body {
        case .none:
            // 204 has no length by definition; any other empty answer needs one.
            if answer.status != .noContent { length(0) }
            try await writer.writeResponse(HTTPResponse(status: answer.status, headerFields: fields))
        case .bytes(let bytes):
            length(bytes.count)
            let response = HTTPResponse(status: answer.status, headerFields: fields)
            if isHeadOnly { return try await writer.writeResponse(response) }
            try await writer.write(response: response, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .buffers(let buffers):
            length(buffers.reduce(0) { $0 + $1.readableBytes })
            let response = HTTPResponse(status: answer.status, headerFields: fields)
            if isHeadOnly { return try await writer.writeResponse(response) }
            if buffers.count == 1 {
                return try await writer.write(response: response, body: ResponseBody(byteBuffer: buffers[0]))
            }
            var body = try await writer.writeHead(response)
            for buffer in buffers { try await body.write(buffer) }
            try await body.finish(nil)
        case .stream(let stream):
            var body: any ResponseBodyWriter = try await writer.writeHead(
                HTTPResponse(status: answer.status, headerFields: fields))
            try await stream(&body)
        }
    }

    private static let serverName = "Martlet/\(martletVersion)"
}
