import FileSystem
import Glibc
import Synchronization

/// Stands between clients and a server. Requests whose first line has a certain text reach the server, but their clients'
/// connections are cut at once: nobody hears the answer.
final class AnswerSwallower: Sendable {
    let port: Int
    private let listener: Int32
    private let serverPort: Int
    private let text: String
    private let state = Mutex((threads: [DedicatedThread](), swallowed: [Int]()))

    /// What the server answered to the requests whose answers were kept: their statuses.
    var swallowed: [Int] { state.withLock { $0.swallowed } }

    init(serverPort: Int, text: String) throws {
        self.serverPort = serverPort
        self.text = text
        port = try freePorts(1)[0]
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard code == 0, listen(listener, 16) == 0 else { throw BlockingHTTPClient.Broken(description: "cannot listen at \(port)") }
        add { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { return }
                add { [self] in serve(connection) }
            }
        }
    }

    private func add(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.threads.append(DedicatedThread(name: "test-swallower", body)) }
    }

    /// Returns once every request has had its answer.
    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        while let thread = state.withLock({ $0.threads.popLast() }) { thread.join() }
        Glibc.close(listener)
    }

    private func serve(_ connection: Int32) {
        let request = Self.request(from: connection)
        let client = BlockingHTTPClient(port: serverPort)
        if request.prefix(while: { $0 != 13 }).firstRange(of: Array(text.utf8)) != nil {
            Glibc.close(connection)
            let status = (try? client.request(raw: request, hasBody: true).status) ?? 0
            return state.withLock { $0.swallowed.append(status) }
        }
        if let answer = try? client.request(raw: request, hasBody: true) {
            let transaction = answer.headers["x-ha-tx"].map { "X-HA-Tx: \($0)\r\n" } ?? ""
            let head = "HTTP/1.1 \(answer.status) Answer\r\nContent-Length: \(answer.body.count)\r\n\(transaction)Connection: close\r\n\r\n"
            let bytes = Array(head.utf8) + answer.body
            _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
        Glibc.close(connection)
    }

    /// One whole request, or what came of it.
    private static func request(from connection: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var wanted = Int.max
        while bytes.count < wanted {
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(connection, &chunk, chunk.count, 0)
            if count <= 0 { break }
            bytes += chunk[..<count]
            guard wanted == .max, let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { continue }
            let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
            let length = lines.first { $0.lowercased().hasPrefix("content-length:") }?.split(separator: " ").last.flatMap { Int($0) }
            wanted = end + (length ?? 0)
        }
        return bytes
    }
}
