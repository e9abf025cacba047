public import GraphModel
public import Transport

/// Where a backup comes from: `single://host[:port]` or `ha://host[:port],host[:port],…`.
public struct BackupSource: Sendable, Equatable, CustomStringConvertible {
    public enum Mode: String, Sendable {
        /// A database that stands alone.
        case single
        /// A cluster; any of its members will do.
        case ha
    }

    /// `online_backup_port` unless configured otherwise.
    public static let defaultPort = 6362

    public let mode: Mode
    /// At least one; each once, in the order given.
    public let hosts: [HostPort]

    /// Throws `.configuration` saying which part is wrong and what is expected there.
    public init(_ text: String) throws(GraphError) {
        func wrong(_ what: String) -> GraphError {
            GraphError(
                .configuration, "-from \(text): \(what); expected single://host[:port] or ha://host[:port],host[:port]")
        }
        guard let separator = text.firstRange(of: "://") else { throw wrong("the running mode is missing") }
        let scheme = String(text[..<separator.lowerBound])
        guard let mode = Mode(rawValue: scheme.lowercased()) else { throw wrong("\"\(scheme)\" is no running mode") }
        var hosts: [HostPort] = []
        for part in text[separator.upperBound...].split(separator: ",", omittingEmptySubsequences: false) {
            switch Self.parse(part) {
            case .success(let host): if !hosts.contains(host) { hosts.append(host) }
            case .failure(let problem): throw wrong(problem.text)
            }
        }
        if mode == .single && hosts.count > 1 { throw wrong("single:// takes one host, not \(hosts.count)") }
        self.mode = mode
        self.hosts = hosts
    }

    private struct Problem: Error {
        let text: String
    }

    private static func parse(_ part: Substring) -> Result<HostPort, Problem> {
        if part.isEmpty { return .failure(Problem(text: "a host is missing")) }
        if let slash = part.firstIndex(of: "/") {
            return .failure(Problem(text: "\"\(part[slash...])\" follows the host \"\(part[..<slash])\""))
        }
        var host = part
        var port: Substring?
        if part.hasPrefix("[") {
            guard let bracket = part.lastIndex(of: "]") else {
                return .failure(Problem(text: "the bracket of \"\(part)\" is not closed"))
            }
            host = part[part.index(after: part.startIndex)..<bracket]
            let rest = part[part.index(after: bracket)...]
            if rest.hasPrefix(":") {
                port = rest.dropFirst()
            } else if !rest.isEmpty {
                return .failure(Problem(text: "\"\(rest)\" follows the address \"[\(host)]\""))
            }
        } else if let colon = part.firstIndex(of: ":") {
            host = part[..<colon]
            port = part[part.index(after: colon)...]
            if port?.contains(":") ?? false {
                return .failure(Problem(text: "\"\(part)\" has several colons: put an IPv6 address in brackets"))
            }
        }
        guard !host.isEmpty else { return .failure(Problem(text: "the host before \"\(part)\" is missing")) }
        guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return .failure(Problem(text: "\"\(host)\" is no host name"))
        }
        guard let port else { return .success(HostPort(host: String(host), port: defaultPort)) }
        guard !port.isEmpty, port.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(port), 1...65535 ~= number
        else {
            return .failure(Problem(text: "\"\(port)\" is no port, 1 to 65535"))
        }
        return .success(HostPort(host: String(host), port: number))
    }

    public var description: String { "\(mode.rawValue)://" + hosts.map(\.description).joined(separator: ",") }
}
