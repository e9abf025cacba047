internal import FileSystem
internal import GraphModel
internal import JSON
internal import RESTServer
internal import Synchronization

/// Runs statements at a server, or at whichever member of a cluster answers. Each sees what was answered before, at whatever
/// member. A statement may run twice: an answer can be lost on its way, and then nobody knows. Rows of a request are written once.
final class UpsertClient: Sendable {
    private let addresses: [String]
    private let current = Mutex(0)
    /// The last transaction that an answer named.
    private let bookmark = Mutex<UInt64?>(nil)
    private let patience: Milliseconds
    private let notes = Mutex<[String]>([])
    private static let requestTimeout: Milliseconds = 120_000
    private static let pauses: [Milliseconds] = [100, 200, 400, 800, 1500]

    /// - Parameters:
    ///   - addresses: of HTTP servers, the first to be asked first.
    ///   - patience: how long to go on trying when none of them can.
    init(_ addresses: [String], patience: Milliseconds) {
        self.addresses = addresses
        self.patience = patience
    }

    /// What went wrong since the last call.
    func takeNotes() -> [String] {
        notes.withLock { notes in
            defer { notes = [] }
            return notes
        }
    }

    private var address: String { addresses[current.withLock { $0 }] }

    /// The rows of one statement, committed.
    ///
    /// - Parameter parameters: a JSON object.
    /// - Throws: what the server has against the statement; `.unavailable` when no member could run it in time.
    func run(_ statement: String, parameters: [UInt8] = Array("{}".utf8)) async throws(GraphError) -> [[Value]] {
        var body = JSONWriter(.compact, capacity: parameters.count + 1024)
        body.beginObject()
        body.key("statements")
        body.beginList()
        body.beginObject()
        body.key("statement")
        body.string(statement)
        body.key("parameters")
        body.embed(parameters)
        body.endObject()
        body.endList()
        body.endObject()
        let answer = try await post("/db/neo4j/tx/commit", body.bytes, "application/json")
        guard case .list(let results)? = answer?["results"], case .map(let result)? = results.elements.first,
            case .list(let data)? = result["data"]
        else { throw GraphError(.network, "answered without results") }
        return data.elements.map { row in
            if case .map(let row) = row, case .list(let values)? = row["row"] { values.elements } else { [] }
        }
    }

    /// What became of the rows of a request.
    struct Outcome: Sendable {
        let created: Int
        let updated: Int
        let unchanged: Int
        /// Numbers of the relationships that lack a node.
        let endless: [Int]
    }

    /// ``upsert(_:)``, with what it throws.
    func tryUpsert(_ request: [UInt8]) async -> Result<Outcome, GraphError> {
        do throws(GraphError) { return .success(try await upsert(request)) } catch { return .failure(error) }
    }

    /// The rows of an ``UpsertRequest``, committed. Throws like ``run(_:parameters:)``.
    private func upsert(_ request: [UInt8]) async throws(GraphError) -> Outcome {
        // A member that lags, or works at it still, could else create again what a try whose answer was lost creates.
        let id = String(UInt64.random(in: 0 ... .max), radix: 36) + String(UInt64.random(in: 0 ... .max), radix: 36)
        let (path, type) = ("/db/neo4j/upsert", "application/octet-stream")
        var answer = try await post(path, request, type, requestID: id)
        // What it did is there now, and is found unchanged.
        if answer == nil { answer = try await post(path, request, type) }
        func number(_ name: String) -> Int? {
            if case .integer(let number)? = answer?[name] { Int(exactly: number) } else { nil }
        }
        guard let created = number("created"), let updated = number("updated"), let unchanged = number("unchanged"),
            case .list(let list)? = answer?["endless"]
        else { throw GraphError(.general, "the server answered something else than the counts of an upsert") }
        var endless: [Int] = []
        for case .integer(let number) in list.elements { endless.append(Int(number)) }
        return Outcome(created: created, updated: updated, unchanged: unchanged, endless: endless)
    }

    /// Posts to one member after the other until one of them does it. Nil when the request of that id was carried out by an
    /// earlier try.
    private func post(
        _ path: String, _ body: [UInt8], _ contentType: String, requestID: String? = nil
    ) async throws(GraphError) -> MapValue? {
        let start = monotonicNanoseconds()
        var attempt = 0
        while true {
            let problem: String
            let number = current.withLock { $0 }
            let address = addresses[number]
            do throws(GraphError) {
                let answer = try await HTTPProbe.request(
                    "POST", address, path, body: body, contentType: contentType, bookmark: bookmark.withLock { $0 },
                    requestID: requestID, timeout: Self.requestTimeout)
                let content = answer.isRepetition ? nil : try Self.content(answer)
                if let transaction = answer.transaction { bookmark.withLock { $0 = max($0 ?? 0, transaction) } }
                return content
            } catch {
                guard error.code == .network || error.isRetryable || error.code == .outcomeUnknown else { throw error }
                problem = "\(address): \(error.message)"
            }
            guard monotonicNanoseconds() - start < patience.rawValue * 1_000_000 else {
                throw GraphError(.unavailable, "no member could go on for \(patience): \(problem)")
            }
            if attempt == 0 { notes.withLock { $0.append("\(problem); tries again") } }
            // Another request may have turned to the next already.
            current.withLock { if $0 == number { $0 = (number + 1) % addresses.count } }
            await HTTPProbe.pause(Self.pauses[min(attempt, Self.pauses.count - 1)])
            attempt += 1
        }
    }

    /// The last transaction that the server had applied; nil when it does not say.
    func lastApplied() async -> UInt64? {
        guard let answer = try? await HTTPProbe.request("GET", address, "/hastatus"), case .map(let status)? = answer.json,
            case .map(let applied)? = status["applied"], case .integer(let number)? = applied["tx"]
        else { return nil }
        return UInt64(exactly: number)
    }

    /// Returns once the server has applied a transaction, or no longer waits for it.
    func waitUntilApplied(_ transaction: UInt64) async {
        _ = try? await HTTPProbe.request(
            "GET", address, "/db/data/relationship/types", bookmark: transaction, timeout: Self.requestTimeout)
    }

    static func json(_ text: String) -> [UInt8] {
        var json = JSONWriter(.compact)
        json.string(text)
        return json.bytes
    }

    private static func content(_ answer: HTTPProbe.Answer) throws(GraphError) -> MapValue {
        guard case .map(let map)? = answer.json else {
            throw GraphError(.network, "answered \(answer.status) with something else than JSON")
        }
        if case .list(let errors)? = map["errors"], case .map(let error)? = errors.elements.first {
            throw fault(string(error["code"]), string(error["message"]))
        }
        guard answer.status == 200 else { throw fault(string(map["code"]), string(map["message"]), answer.status) }
        return map
    }

    private static func string(_ value: Value?) -> String {
        if case .string(let text)? = value { text.text } else { "" }
    }

    /// By its code as the server's, as far as it matters here.
    private static func fault(_ code: String, _ message: String, _ status: Int = 400) -> GraphError {
        if code.hasPrefix("Neo.TransientError.") || status == 503 { return GraphError(.unavailable, message) }
        if code == ErrorCode.outcomeUnknown.name { return GraphError(.outcomeUnknown, message) }
        if code == ErrorCode.schemaRuleExists.name { return GraphError(.schemaRuleExists, message) }
        // No other rows would be better.
        if [404, 405, 415].contains(status) { return GraphError(.general, "the server takes no upserts of this version: \(message)") }
        return GraphError(.invalidRequest, message)
    }
}
