package import GraphModel
internal import Transport

/// What scripts may load, from HTTP servers that the operator names. No redirection is followed, and nothing but the
/// document comes back to the script.
package struct ScriptDocuments: Sendable {
    /// `host`, any port of which will do, or `host:port`.
    let allowed: [String]

    package init(allowed: [String]) { self.allowed = allowed }

    /// Fetches a document. Throws `.scriptFailure`.
    package func load(_ address: String) async throws(GraphError) -> [UInt8] {
        let (server, path) = try target(of: address)
        let answer: HTTPProbe.Answer
        do throws(GraphError) {
            answer = try await HTTPProbe.request("GET", server, path, timeout: 30_000)
        } catch {
            throw GraphError(.scriptFailure, "\(address) cannot be loaded: \(error.message)")
        }
        guard answer.status == 200 else {
            throw GraphError(.scriptFailure, "\(address) cannot be loaded: the answer was \(answer.status), expected 200")
        }
        return answer.body
    }

    /// Whom to ask for what; throws `.scriptFailure` when that is not allowed.
    package func target(of address: String) throws(GraphError) -> (server: String, path: String) {
        func refused(_ why: String) -> GraphError { GraphError(.scriptFailure, "\(address) is not loaded: \(why)") }
        let scheme = "http://"
        guard address.hasPrefix(scheme) else { throw refused("only http:// addresses are") }
        guard address.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { throw refused("it has characters that must be written as %XX") }
        let rest = address.dropFirst(scheme.count)
        let authority = String(rest.prefix { !"/?#\\".contains($0) })
        let path = String(rest.dropFirst(authority.count).prefix { $0 != "#" })
        guard let server = HostPort(authority) ?? HostPort(authority + ":80"), !server.host.contains("@") else {
            throw refused("it names no server")
        }
        guard path.isEmpty || path.hasPrefix("/") else { throw refused("the path must begin with /") }
        let isAllowed = allowed.contains { name in
            HostPort(name).map { $0 == server } ?? (name.lowercased() == server.host.lowercased())
        }
        guard isAllowed else { throw refused("martlet.gremlin.document_sources does not name \(server)") }
        return (server.description, path.isEmpty ? "/" : path)
    }
}
