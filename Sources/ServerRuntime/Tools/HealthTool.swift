package import GraphModel
internal import RESTServer
internal import Transport

/// `martlet server health`: asks the server of a configuration whether it is well, for supervisors and containers.
package enum HealthTool {
    /// Returns the server's own word (`up`, `degraded`, `unavailable`). Throws `.unavailable` when the server says that it
    /// is not well, `.network` when it does not answer, `.configuration` when its port is not known.
    package static func ask(_ configuration: Configuration) async throws(GraphError) -> String {
        let port = configuration.value(Settings.webPort) ?? 7474
        guard port != 0 else {
            throw GraphError(.configuration, "\(Settings.webPort.name)=0: only the server knows its port; name one")
        }
        let host = configuration.value(Settings.webAddress) ?? "127.0.0.1"
        // Who listens everywhere listens here, too.
        let own = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
        let address = HostPort(host: own, port: port).description
        let answer = try await HTTPProbe.request("GET", address, "/health")
        var word = "HTTP status \(answer.status)"
        if case .map(let map)? = answer.json, case .string(let text)? = map["status"] { word = text.text }
        guard answer.status == 200 else { throw GraphError(.unavailable, "\(address) is not well: \(word)") }
        return word
    }
}
