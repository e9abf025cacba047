internal import FileSystem
internal import GraphModel
internal import JSON
internal import RESTServer

/// Runs statements at a server, or at whichever member of a cluster answers. What it is given may run twice: an answer can
/// be lost on its way, and then nobody knows.
final class UpsertClient {
    private let addresses: [String]
    private var current = 0
    private let patience: Milliseconds
    private let note: (String) -> Void
    private static let requestTimeout: Milliseconds = 120_000
    private static let pauses: [Milliseconds] = [100, 200, 400, 800, 1500]

    /// - Parameters:
    ///   - addresses: of HTTP servers, the first to be asked first.
    ///   - patience: how long to go on trying when none of them can.
    init(_ addresses: [String], patience: Milliseconds, note: @escaping (String) -> Void) {
        self.addresses = addresses
        self.patience = patience
        self.note = note
    }

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
        let text = String(decoding: body.bytes, as: UTF8.self)
        let start = monotonicNanoseconds()
        var attempt = 0
        while true {
            let problem: String
            do throws(GraphError) {
                return try Self.rows(
                    try await HTTPProbe.request(
                        "POST", addresses[current], "/db/neo4j/tx/commit", body: text, timeout: Self.requestTimeout))
            } catch {
                guard error.code == .network || error.isRetryable || error.code == .outcomeUnknown else { throw error }
                problem = "\(addresses[current]): \(error.message)"
            }
            guard monotonicNanoseconds() - start < patience.rawValue * 1_000_000 else {
                throw GraphError(.unavailable, "no member could go on for \(patience): \(problem)")
            }
            if attempt == 0 { note("\(problem); tries again") }
            current = (current + 1) % addresses.count
            await HTTPProbe.pause(Self.pauses[min(attempt, Self.pauses.count - 1)])
            attempt += 1
        }
    }

    /// The last transaction that the server had applied; nil when it does not say.
    func lastApplied() async -> UInt64? {
        guard let answer = try? await HTTPProbe.request("GET", addresses[current], "/hastatus"), case .map(let status)? = answer.json,
            case .map(let applied)? = status["applied"], case .integer(let number)? = applied["tx"]
        else { return nil }
        return UInt64(exactly: number)
    }

    /// Returns once the server has applied a transaction, or no longer waits for it.
    func waitUntilApplied(_ transaction: UInt64) async {
        _ = try? await HTTPProbe.request(
            "GET", addresses[current], "/db/data/relationship/types", bookmark: transaction, timeout: Self.requestTimeout)
    }

    private static func rows(_ answer: HTTPProbe.Answer) throws(GraphError) -> [[Value]] {
        guard case .map(let map)? = answer.json else {
            throw GraphError(.network, "answered \(answer.status) with something else than JSON")
        }
        if case .list(let errors)? = map["errors"], case .map(let error)? = errors.elements.first {
            throw fault(string(error["code"]), string(error["message"]))
        }
        guard answer.status == 200 else { throw fault(string(map["code"]), string(map["message"]), answer.status) }
        guard case .list(let results)? = map["results"], case .map(let result)? = results.elements.first,
            case .list(let data)? = result["data"]
        else { throw GraphError(.network, "answered without results") }
        return data.elements.map { row in
            if case .map(let row) = row, case .list(let values)? = row["row"] { values.elements } else { [] }
        }
    }

    private static func string(_ value: Value?) -> String {
        if case .string(let text)? = value { text.text } else { "" }
    }

    /// By its code as the server's, as far as it matters here.
    private static func fault(_ code: String, _ message: String, _ status: Int = 400) -> GraphError {
        if code.hasPrefix("Neo.TransientError.") || status == 503 { return GraphError(.unavailable, message) }
        if code == ErrorCode.outcomeUnknown.name { return GraphError(.outcomeUnknown, message) }
        if code == ErrorCode.schemaRuleExists.name { return GraphError(.schemaRuleExists, message) }
        return GraphError(.invalidRequest, message)
    }
}
