import FileSystem
import Glibc

/// What came back.
struct Reply: Sendable {
    var status = 0
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// Whether a chunked body ended as it should.
    var isComplete = true

    var text: String { String(decoding: body, as: UTF8.self) }

    subscript(_ name: String) -> String? { fields.first { $0.name == name.lowercased() }?.value }
}

/// A client of the simplest kind, over a socket of its own, on a thread of its own: tests see every byte, can send what
/// no library would, and never block the threads that the server's tasks run on.
struct HTTPClient: Sendable {
    let port: Int

    func get(_ path: String, _ fields: [String] = []) async throws -> Reply { try await send("GET", path, fields) }

    func send(
        _ method: String, _ path: String, _ fields: [String] = [], body: String? = nil,
        contentType: String? = "application/json"
    ) async throws -> Reply {
        var head = ["\(method) \(path) HTTP/1.1", "Host: localhost:7474"] + fields
        var bytes: [UInt8] = []
        if let body {
            if let contentType { head.append("Content-Type: \(contentType)") }
            head.append("Content-Length: \(body.utf8.count)")
            bytes = Array(body.utf8)
        }
        let raw = Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + bytes
        return try await exchange(raw, isHead: [method == "HEAD"])[0]
    }

    /// Sends bytes over one connection and reads as many answers as asked for, by which of them have no body.
    func exchange(_ raw: [UInt8], isHead: [Bool]) async throws -> [Reply] {
        let port = port
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<[Reply], ClientError>, Never>) in
            _ = DedicatedThread(name: "test-client") {
                continuation.resume(returning: Result { () throws(ClientError) in
                    let connection = try Connection(port: port)
                    defer { connection.close() }
                    // The server may answer, and close, before it has read everything.
                    try? connection.write(raw)
                    var replies: [Reply] = []
                    for isHead in isHead { replies.append(try connection.read(isHead: isHead)) }
                    return replies
                })
            }
        }
        return try result.get()
    }
}

struct ClientError: Error, CustomStringConvertible {
    let description: String
}

/// A blocking connection to loopback.
final class Connection {
    private let descriptor: Int32
    private var buffered: [UInt8] = []

    init(port: Int) throws(ClientError) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 {
            let code = errno
            Glibc.close(descriptor)
            throw ClientError(description: "connect: \(String(cString: strerror(code)))")
        }
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    func close() { Glibc.close(descriptor) }

    func write(_ bytes: [UInt8]) throws(ClientError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { throw ClientError(description: "send: \(String(cString: strerror(errno)))") }
            done += count
        }
    }

    private func fill() throws(ClientError) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0 { throw ClientError(description: "receive: \(String(cString: strerror(errno)))") }
        buffered += chunk[..<max(count, 0)]
        return count > 0
    }

    private func line() throws(ClientError) -> String {
        while true {
            if let end = buffered.firstIndex(of: 0x0A) {
                let line = buffered[..<end].filter { $0 != 0x0D }
                buffered.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            if !(try fill()) { throw ClientError(description: "the server closed the connection") }
        }
    }

    private func take(_ count: Int) throws(ClientError) -> [UInt8] {
        while buffered.count < count {
            if !(try fill()) { throw ClientError(description: "the server closed the connection within a body") }
        }
        defer { buffered.removeFirst(count) }
        return Array(buffered[..<count])
    }

    /// Reads one answer.
    func read(isHead: Bool = false) throws(ClientError) -> Reply {
        var reply = Reply()
        let status = try line().split(separator: " ")
        reply.status = status.count > 1 ? Int(status[1]) ?? 0 : 0
        while true {
            let field = try line()
            if field.isEmpty { break }
            let parts = field.split(separator: ":", maxSplits: 1)
            reply.fields.append((parts[0].lowercased(), parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""))
        }
        if isHead || reply.status == 204 || reply.status < 200 { return reply }
        if reply["transfer-encoding"] == "chunked" {
            do throws(ClientError) {
                while let count = Int(try line(), radix: 16), count > 0 {
                    reply.body += try take(count)
                    _ = try line()
                }
                _ = try line()
            } catch {
                reply.isComplete = false
            }
        } else {
            reply.body = try take(reply["content-length"].flatMap { Int($0) } ?? 0)
        }
        return reply
    }
}
