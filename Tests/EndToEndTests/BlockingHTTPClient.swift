import FileSystem
import Glibc
import GraphModel
import JSON
import RESTServer

/// One kept-alive HTTP/1.1 connection, used by one thread. Plain sockets: what a client sees is what counts here.
final class BlockingHTTPClient {
    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]
        var json: Value? { try? JSONParser.parse(body) }
        var text: String { String(decoding: body, as: UTF8.self) }
    }
    /// The connection broke before a whole answer came: the outcome is unknown.
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    private let port: Int
    private let timeoutSeconds: Int
    private var descriptor: Int32 = -1
    private var buffer: [UInt8] = []

    init(port: Int, timeoutSeconds: Int = 20) {
        self.port = port
        self.timeoutSeconds = timeoutSeconds
    }

    deinit { disconnect() }

    func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        buffer = []
    }

    private func connectIfNeeded() throws {
        if descriptor >= 0 { return }
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if code != 0 {
            disconnect()
            throw Broken(description: "cannot connect to port \(port)")
        }
    }

    func request(_ method: String, _ path: String, body: String? = nil, headers: [String: String] = [:]) throws -> Answer {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAccept: application/json\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
        text += "\r\n" + (body ?? "")
        return try request(raw: Array(text.utf8), hasBody: method != "HEAD")
    }

    /// Sends any bytes, and nothing after them, and reads whatever comes until the server ends the connection.
    func exchange(raw bytes: [UInt8]) throws -> [UInt8] {
        disconnect()
        try connectIfNeeded()
        defer { disconnect() }
        // The server may have answered, and closed, before it has everything.
        try? send(bytes)
        shutdown(descriptor, Int32(SHUT_WR))
        while true {
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0 && errno != ECONNRESET { throw Broken(description: "the connection was not ended in \(timeoutSeconds) s") }
            if count <= 0 { return buffer }
            buffer.append(contentsOf: chunk[..<count])
        }
    }

    /// Sends bytes that are one request and reads its answer, over a connection that is kept.
    func request(raw bytes: [UInt8], hasBody: Bool) throws -> Answer {
        try connectIfNeeded()
        do {
            try send(bytes)
            let answer = try readAnswer(hasBody: hasBody)
            if answer.headers["connection"]?.lowercased() == "close" { disconnect() }
            return answer
        } catch {
            disconnect()
            throw error
        }
    }

    private func send(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Broken(description: "the connection broke while sending") }
            done += count
        }
    }

    private func fill() throws {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { throw Broken(description: count == 0 ? "the connection ended" : "no answer in \(timeoutSeconds) s") }
        buffer.append(contentsOf: chunk[..<count])
    }

    private func readLine() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 1)
                return line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            try fill()
        }
    }

    private func readBytes(_ count: Int) throws -> [UInt8] {
        while buffer.count < count { try fill() }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    private func readAnswer(hasBody: Bool) throws -> Answer {
        let parts = try readLine().split(separator: " ")
        guard parts.count > 1, let status = Int(parts[1]) else { throw Broken(description: "no HTTP answer") }
        var headers: [String: String] = [:]
        while true {
            let line = try readLine()
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingPrefix(while: \.isWhitespace).description
        }
        var body: [UInt8] = []
        if hasBody && status != 204 && status != 304 {
            if headers["transfer-encoding"]?.lowercased() == "chunked" {
                while true {
                    guard let size = Int(try readLine(), radix: 16) else { throw Broken(description: "a chunk without a size") }
                    if size == 0 {
                        _ = try readLine()
                        break
                    }
                    body += try readBytes(size)
                    _ = try readLine()
                }
            } else if let length = headers["content-length"].flatMap({ Int($0) }) {
                body = try readBytes(length)
            }
        }
        return Answer(status: status, headers: headers, body: body)
    }

    /// Runs a Cypher statement at the legacy endpoint.
    func cypher(_ query: String, _ parameters: String = "{}", headers: [String: String] = [:]) throws -> Answer {
        try request("POST", "/db/data/cypher", body: "{\"query\": \"\(query)\", \"params\": \(parameters)}", headers: headers)
    }

    /// The rows of a statement.
    func rows(_ query: String, _ parameters: String = "{}") throws -> [[Value]] {
        let answer = try cypher(query, parameters)
        guard answer.status == 200, case .map(let map)? = answer.json, case .list(let data)? = map["data"] else {
            throw Broken(description: "\(query) at port \(port): \(answer.status) \(answer.text.prefix(300))")
        }
        return data.elements.map { row in
            if case .list(let list) = row { list.elements } else { [] }
        }
    }
}
