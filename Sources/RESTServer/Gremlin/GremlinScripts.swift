internal import Database
internal import GraphModel
internal import Gremlin
internal import HTTPTypes
internal import JSON
internal import NIOCore
internal import QueryEngine
internal import Storage

/// 18.18: Gremlin scripts, each in one transaction.
struct GremlinScripts: Sendable {
    let database: Database
    /// See ``RESTService/Options/loadDocument``.
    let loadDocument: RESTService.Options.DocumentLoader?

    var handler: Handler { .own(run, asJob: runAsJob) }

    private struct Request: Sendable {
        var text: String
        var parameters: [(key: String, value: Value)] = []
    }

    /// What came of the first look at a script.
    private enum First: Sendable {
        case answer([UInt8])
        case writes(GremlinScript)
    }

    private func run(_ call: Call) async throws(GraphError) -> Answer {
        let request = try await Self.request(call)
        let control = database.makeControl(call.options)
        // A script whose client has gone would only be in the way of others.
        let client = ClientPresence.of(call.channel)
        client?.onLeaving { control.cancel() }
        defer { client?.onLeaving(nil) }
        do throws(GraphError) {
            let first = try await database.read(call.options) { transaction throws(GraphError) -> First in
                let script = try GremlinScript(request.text)
                if script.mayWrite { return .writes(script) }
                do throws(GraphError) {
                    return .answer(try bytes(of: script, request, call, control, in: transaction))
                } catch {
                    if error.code == .readOnly { return .writes(script) }
                    throw error
                }
            }
            switch first {
            case .answer(let bytes): return call.json(.ok, bytes)
            case .writes(let script):
                // Before the transaction, which may have to run again.
                let documents = try await load(script.documents)
                let result = try await database.write(call.options) { transaction throws(GraphError) in
                    try bytes(of: script, request, documents: documents, call, control, in: transaction)
                }
                var answer = call.json(.ok, result.value)
                answer.transactionID = result.transactionID
                return answer
            }
        } catch {
            throw Self.legacy(error)
        }
    }

    private func runAsJob(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let request = try Self.request(try call.map())
        let control = call.control ?? database.makeControl(call.options)
        do throws(GraphError) {
            return call.json(.ok, try bytes(of: try GremlinScript(request.text), request, call, control, in: transaction))
        } catch {
            throw Self.legacy(error)
        }
    }

    private func bytes(
        of script: GremlinScript, _ request: Request, documents: [String: [UInt8]] = [:], _ call: Call,
        _ control: ExecutionControl, in transaction: Transaction
    ) throws(GraphError) -> [UInt8] {
        try database.attending(control) { () throws(GraphError) in
            let maximum = database.options.queryByteCountMaximum
            var output = GremlinAnswer(
                writer: RepresentationWriter(call.layout, base: call.base, transaction: transaction), byteCountMaximum: maximum)
            try script.run(
                in: transaction, parameters: request.parameters, documents: documents, byteCountMaximum: maximum, into: &output
            ) { () throws(GraphError) in try control.check() }
            try transaction.requireIntact()
            return output.bytes
        }
    }

    /// Fetches documents, which together may be as long as what a query holds.
    private func load(_ addresses: Set<String>) async throws(GraphError) -> [String: [UInt8]] {
        if addresses.isEmpty { return [:] }
        guard let loadDocument else {
            throw GraphError(
                .scriptFailure, "loadGraphML is refused: this server fetches nothing from addresses or files that a script names")
        }
        let maximum = database.options.queryByteCountMaximum
        var byteCount = 0
        var documents: [String: [UInt8]] = [:]
        for address in addresses {
            let document = try await loadDocument(address)
            byteCount += document.count
            if maximum > 0 && byteCount > maximum {
                throw GraphError(.queryMemory, "the documents take more than \(maximum) bytes: load them in several requests")
            }
            documents[address] = document
        }
        return documents
    }

    // MARK: What is asked for

    private static func request(_ call: Call) async throws(GraphError) -> Request {
        let type = call.head.headerFields[.contentType].map { $0.prefix { $0 != ";" }.lowercased() }
        guard type == "application/x-www-form-urlencoded" else {
            if let type, type != "application/json" { try ContentNegotiation.requireJSON(call.head.headerFields) }
            return try request(try await call.parsedMap())
        }
        guard let form = String(validating: call.body, as: UTF8.self) else {
            throw GraphError(.invalidRequest, "the body is not UTF-8")
        }
        var entries: [(key: String, value: Value)] = []
        for (name, value) in try Target.parameters(form[...]) { entries.append((name, .string(value))) }
        return try request(MapValue(entries))
    }

    private static func request(_ body: MapValue) throws(GraphError) -> Request {
        guard let text = try body.text("script") else {
            throw GraphError(.invalidRequest, "\"script\" must be a Gremlin script: there is none")
        }
        var request = Request(text: text)
        switch body["params"] {
        case nil, .null?: break
        case .map(let map)?: request.parameters = map.entries
        // A string that is JSON, as the manual's own words have it.
        case .string(let json)?:
            if json.text.isEmpty { break }
            let value: Value
            do throws(JSONError) { value = try JSONParser.parse(Array(json.text.utf8)) } catch { throw error.asInvalidRequest }
            guard case .map(let map) = value else {
                throw GraphError(.invalidRequest, "\"params\" must be a JSON object, not \(value.kindName)")
            }
            request.parameters = map.entries
        case let other?: throw GraphError(.invalidRequest, "\"params\" must be an object, not \(other.kindName)")
        }
        return request
    }

    /// Whatever a script does wrongly is bad input.
    private static func legacy(_ error: GraphError) -> GraphError {
        let own: [ErrorCode] = [.readOnly, .transactionTooLarge, .executionLimit, .queryMemory]
        guard (400..<500).contains(error.code.httpStatus), !own.contains(error.code) else { return error }
        return GraphError(ErrorCode(error.code.name, httpStatus: 400, legacyException: "BadInputException"), error.message)
    }
}

/// Writes the result of a script as the manual shows it.
private struct GremlinAnswer: GremlinOutput {
    private var writer: RepresentationWriter
    private let byteCountMaximum: Int
    private var depth = 0

    init(writer: RepresentationWriter, byteCountMaximum: Int) {
        (self.writer, self.byteCountMaximum) = (writer, byteCountMaximum)
    }

    var bytes: [UInt8] { writer.json.bytes }

    private var placement: Placement { depth == 0 ? .alone : .listed }

    private func check() throws(GraphError) {
        if byteCountMaximum > 0 && writer.json.byteCount > byteCountMaximum {
            throw GraphError(.queryMemory, "the result takes more than \(byteCountMaximum) bytes: ask for less, or in parts")
        }
    }

    mutating func value(_ value: Value) throws(GraphError) {
        writer.value(value)
        try check()
    }

    mutating func node(_ id: NodeID) throws(GraphError) {
        writer.node(id, placement)
        try check()
    }

    mutating func relationship(_ id: RelationshipID) throws(GraphError) {
        guard let record = writer.transaction.relationship(id) else { return writer.value(.relationship(id)) }
        writer.relationship(record, placement)
        try check()
    }

    mutating func beginList() {
        writer.json.beginList()
        depth += 1
    }

    mutating func endList() {
        writer.json.endList()
        depth -= 1
    }

    mutating func beginObject() {
        writer.json.beginObject()
        depth += 1
    }

    mutating func key(_ key: String) { writer.json.key(key) }

    mutating func endObject() {
        writer.json.endObject()
        depth -= 1
    }
}
