internal import GraphModel
internal import JSON

/// The target of a request: path segments, each decoded exactly once, and the query.
struct Target: Sendable {
    let segments: [String]
    /// Undecoded, without the question mark.
    let query: Substring

    /// Throws `.invalidRequest` when an escape is malformed or what it stands for is not UTF-8. Empty segments count
    /// for nothing, so `/node/` is `/node`. A target in absolute form, as proxies send it, loses its origin.
    init(_ text: String) throws(GraphError) {
        var rest = text[...]
        for scheme in ["http://", "https://"] where rest.hasPrefix(scheme) {
            let origin = rest.dropFirst(scheme.count)
            rest = origin[(origin.firstIndex { $0 == "/" || $0 == "?" } ?? origin.endIndex)...]
        }
        if let fragment = rest.utf8.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<fragment] }
        if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        } else {
            query = ""
        }
        var segments: [String] = []
        segments.reserveCapacity(6)
        for segment in rest.utf8.split(separator: UInt8(ascii: "/")) {
            segments.append(try percentDecoded(Substring(segment)))
        }
        self.segments = segments
    }

    /// The first value of a query parameter; empty when the parameter has none, nil when it is not there.
    func parameter(_ name: String) throws(GraphError) -> String? {
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let (key, value) = try Self.decoded(pair)
            if codeUnitsEqual(key, name) { return value }
        }
        return nil
    }

    /// All query parameters.
    func parameters() throws(GraphError) -> [(name: String, value: String)] { try Self.parameters(query) }

    /// The pairs of a query, or of a form.
    static func parameters(_ text: Substring) throws(GraphError) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) { parameters.append(try decoded(pair)) }
        return parameters
    }

    private static func decoded(_ pair: Substring.UTF8View) throws(GraphError) -> (name: String, value: String) {
        let equals = pair.firstIndex(of: UInt8(ascii: "="))
        let name = try percentDecoded(Substring(pair[..<(equals ?? pair.endIndex)]))
        guard let equals else { return (name, "") }
        let value = String(Substring(pair[pair.index(after: equals)...]).map { $0 == "+" ? " " : $0 })
        return (name, try percentDecoded(value[...]))
    }
}

/// Decodes `%41` and the like.
func percentDecoded(_ text: Substring) throws(GraphError) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let high = rest.popFirst().flatMap(hexDigitValue), let low = rest.popFirst().flatMap(hexDigitValue) else {
            throw GraphError(
                .invalidRequest, "\"\(text)\" in the URI: % must be followed by two hexadecimal digits (%25 is %)")
        }
        bytes.append(high << 4 | low)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
        throw GraphError(.invalidRequest, "\"\(text)\" in the URI does not stand for UTF-8")
    }
    return decoded
}

/// Encodes everything but RFC 3986's unreserved characters.
func percentEncoded(_ text: String) -> String {
    var encoded: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            encoded.append(byte)
        default:
            let digits = Array("0123456789ABCDEF".utf8)
            encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}
