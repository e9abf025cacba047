internal import GraphModel
internal import HTTPTypes

/// What `Accept`, `X-Stream` and `Content-Type` say.
enum ContentNegotiation {
    /// Whether the client takes JSON at all, and whether it wants it as a stream.
    static func accepted(_ fields: HTTPFields) -> (isJSON: Bool, isStreamed: Bool) {
        var isStreamed = fields[.stream].map { $0.lowercased() == "true" } ?? false
        guard let accept = fields[.accept] else { return (true, isStreamed) }
        if codeUnitsEqual(accept, "application/json") || codeUnitsEqual(accept, "*/*") { return (true, isStreamed) }
        var isJSON = false
        for range in accept.lowercased().split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\"" } }
            guard let type = parts.first, ["application/json", "application/*", "*/*"].contains(type) else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if quality <= 0 { continue }
            isJSON = true
            if parts.dropFirst().contains("stream=true") { isStreamed = true }
        }
        return (isJSON, isStreamed)
    }

    /// Throws `.mediaType` unless a body is JSON or does not say what it is.
    static func requireJSON(_ fields: HTTPFields) throws(GraphError) {
        guard let type = fields[.contentType], !codeUnitsEqual(type, "application/json") else { return }
        let kind = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        if kind != "application/json" {
            throw GraphError(.mediaType, "the body is \(type); only application/json is understood here")
        }
    }
}
