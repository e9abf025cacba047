internal import GraphModel
internal import HTTPTypes

/// Where the client believes this server to be: the start of every URI in an answer.
///
/// `X-Forwarded-Proto` and `X-Forwarded-Host` count before `Host`, so that answers through a proxy lead back through
/// it.
package struct BaseURI: Sendable {
    /// `http://localhost:7474`, safe within JSON and headers.
    let text: String
    /// `http://localhost:7474/db/data`
    let data: [UInt8]

    package init(_ text: String) {
        self.text = text
        var data = Array(text.utf8)
        data.append(contentsOf: "/db/data".utf8)
        self.data = data
    }

    /// Throws `.invalidRequest` for a host that cannot be one: it would end up inside the answer.
    init(of head: HTTPRequest, scheme: String, localAuthority: @autoclosure () -> String) throws(GraphError) {
        var scheme = scheme
        var host = head.authority ?? localAuthority()
        if let forwarded = head.headerFields[.forwardedHost], let first = Self.first(forwarded) { host = first }
        if let forwarded = head.headerFields[.forwardedProto], let first = Self.first(forwarded)?.lowercased() {
            guard first == "http" || first == "https" else {
                throw GraphError(.invalidRequest, "X-Forwarded-Proto is \"\(first)\"; it must be http or https")
            }
            scheme = first
        }
        if host.isEmpty { host = localAuthority() }
        guard host.utf8.count <= 255, host.utf8.allSatisfy(Self.isHostByte) else {
            throw GraphError(.invalidRequest, "the host of the request is not a host name with an optional port")
        }
        self.init("\(scheme)://\(host)")
    }

    /// Of a list that proxies have appended to, the first entry is the client's.
    private static func first(_ list: String) -> String? {
        let entry = list.prefix { $0 != "," }.filter { $0 != " " }
        return entry.isEmpty ? nil : entry
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "%"):
            true
        default: false
        }
    }
}
