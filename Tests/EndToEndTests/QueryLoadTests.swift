import FileSystem
import Glibc
import GraphModel
import Synchronization
import Testing

extension EndToEnd {
    /// Long queries beside short ones, and results larger than the memory they may take, against a real server.
    @Suite(.serialized) struct QueryLoadTests {
        private typealias Server = ProcessTests.SingleServer

        /// Ten million rows pass through: the first comes soon, and the server's memory does not grow with them.
        @Test func tenMillionRowsNeedNoMemory() throws {
            let directory = try TestCluster.temporaryDirectory("stream")
            let server = try Server(directory: directory)
            _ = try BlockingHTTPClient(port: server.port).rows("RETURN 1")
            let before = try residentKiB(server.process.processID)
            var peak = before
            var byteCount = 0
            let reader = StreamReader(port: server.port)
            let start = monotonicNanoseconds()
            var firstRow: UInt64 = 0
            try reader.read("UNWIND range(1, 10000000) AS x RETURN x") { chunk in
                byteCount += chunk
                // The head and the names of the columns come with the first rows.
                if firstRow == 0, byteCount > 1000 { firstRow = monotonicNanoseconds() - start }
                peak = max(peak, (try? residentKiB(server.process.processID)) ?? 0)
            }
            print("first row after \(firstRow / 1_000_000) ms, \(byteCount >> 20) MiB, memory \(before) to \(peak) KiB")
            #expect(byteCount > 80_000_000)
            #expect(firstRow < 50_000_000)
            #expect(peak < before + 64 * 1024)
            try server.kill(SIGTERM)
            removeTree(directory)
        }

        /// A query that is ended, by name, by its time limit or because its client left, is soon gone.
        @Test func endedQueriesAreSoonGone() throws {
            let directory = try TestCluster.temporaryDirectory("ended")
            let server = try Server(directory: directory)
            let client = BlockingHTTPClient(port: server.port)
            let endless = "UNWIND range(1, 1000000000000) AS x WITH x WHERE x < 0 RETURN x"
            // By name.
            let ended = Mutex<UInt64>(0)
            let port = server.port
            let thread = DedicatedThread(name: "endless") {
                let answer = try? BlockingHTTPClient(port: port).cypher(endless)
                if answer?.status != 200 { ended.withLock { $0 = monotonicNanoseconds() } }
            }
            var name: Value?
            try waitUntil("the query runs") {
                name = try client.rows(
                    "SHOW TRANSACTIONS YIELD transactionId, currentQuery WHERE currentQuery CONTAINS '< 0 RETURN x' AND NOT currentQuery CONTAINS 'SHOW' RETURN transactionId"
                ).first?.first
                return name != nil
            }
            guard case .string(let text)? = name else { return }
            let told = monotonicNanoseconds()
            _ = try client.rows("TERMINATE TRANSACTIONS '\(text.text)'")
            thread.join()
            let delay = ended.withLock { $0 } - told
            print("ended \(delay / 1_000_000) ms after TERMINATE")
            #expect(delay < 100_000_000)
            // Because the client left.
            let leaving = StreamReader(port: server.port)
            try leaving.send(endless)
            try waitUntil("the query runs") { try running(client) == 1 }
            leaving.disconnect()
            let left = monotonicNanoseconds()
            try waitUntil("the query is gone") { try running(client) == 0 }
            print("gone \((monotonicNanoseconds() - left) / 1_000_000) ms after its client left")
            // Memory that a query gathered goes with it.
            let before = try residentKiB(server.process.processID)
            let greedy = try client.cypher("UNWIND range(1, 1000000000) AS x WITH x, toString(x) + 'abc' AS y ORDER BY y DESC RETURN count(*)")
            #expect(greedy.text.contains("memory"))
            #expect(greedy.status == 400)
            let after = try residentKiB(server.process.processID)
            print("memory \(before) KiB before, \(after) KiB after a query that was refused more")
            #expect(after < before + 300 * 1024)
            #expect(try client.rows("RETURN 1").count == 1)
            try server.kill(SIGTERM)
            removeTree(directory)
        }

        /// Short queries keep their pace while a long one runs.
        @Test func shortQueriesDoNotWaitForALongOne() throws {
            let directory = try TestCluster.temporaryDirectory("runaway")
            let server = try Server(directory: directory)
            let client = BlockingHTTPClient(port: server.port)
            _ = try client.rows("UNWIND range(1, 1000) AS x CREATE (:N {x: x})")
            let alone = try percentile99(port: server.port)
            let runaway = StreamReader(port: server.port)
            try runaway.send("UNWIND range(1, 1000000000000) AS x WITH x WHERE x < 0 RETURN x")
            try waitUntil("the query runs") { try running(client) == 1 }
            let beside = try percentile99(port: server.port)
            print("p99 of short queries: \(alone / 1000) us alone, \(beside / 1000) us beside a long one")
            #expect(beside < 3 * alone)
            runaway.disconnect()
            try server.kill(SIGTERM)
            removeTree(directory)
        }

        private func running(_ client: BlockingHTTPClient) throws -> Int {
            try client.rows(
                "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery CONTAINS '< 0 RETURN x' AND NOT currentQuery CONTAINS 'SHOW' RETURN 1"
            ).count
        }

        /// Of a thousand short queries in each of some rounds, all at once from as many connections as a client pool has.
        private func percentile99(port: Int) throws -> UInt64 {
            let times = Mutex<[UInt64]>([])
            let threads = (0..<50).map { index in
                DedicatedThread(name: "short-\(index)") {
                    let client = BlockingHTTPClient(port: port)
                    var own: [UInt64] = []
                    for query in 0..<60 {
                        let start = monotonicNanoseconds()
                        guard (try? client.rows("MATCH (n:N) WHERE n.x = \(query) RETURN n.x"))?.count == (query > 0 ? 1 : 0)
                        else { continue }
                        own.append(monotonicNanoseconds() - start)
                    }
                    let found = own
                    times.withLock { $0 += found }
                }
            }
            for thread in threads { thread.join() }
            let all = times.withLock { $0.sorted() }
            try #require(all.count == 3000)
            return all[all.count * 99 / 100]
        }
    }
}

/// Resident memory of a process in KiB.
func residentKiB(_ process: Int32) throws -> Int {
    // Files of /proc say that they are empty: read until nothing comes.
    let descriptor = open("/proc/\(process)/status", O_RDONLY)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    let count = read(descriptor, &bytes, bytes.count)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return try #require(line.flatMap { Int($0.filter(\.isNumber)) })
}

/// Sends a query and reads the answer piece by piece, keeping none of it.
private final class StreamReader {
    private var descriptor: Int32

    init(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit { disconnect() }

    func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    func send(_ query: String) throws {
        let body = "{\"query\": \"\(query)\"}"
        let text =
            "POST /db/data/cypher HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Stream: true\r\nConnection: close\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        let bytes = Array(text.utf8)
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw BlockingHTTPClient.Broken(description: "the query was not sent")
        }
    }

    func read(_ query: String, _ onChunk: (Int) -> Void) throws {
        try send(query)
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count <= 0 { return }
            onChunk(count)
        }
    }
}
