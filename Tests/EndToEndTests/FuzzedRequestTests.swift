import FileSystem
import Glibc
import GraphModel
import JSON
import Synchronization
import Testing

extension EndToEnd {
    /// Any bytes at all: an answer that makes sense or a closed connection, a server that goes on, and nothing kept.
    @Suite(.serialized) struct FuzzedRequestTests {
        /// `MARTLET_FUZZED_REQUESTS` says how many (100,000 when it is not set), `MARTLET_FUZZ_SEED` where to begin.
        @Test func noRequestDoesHarm() throws {
            let environment = { (name: String) in getenv(name).flatMap { UInt64(String(cString: $0)) } }
            let count = environment("MARTLET_FUZZED_REQUESTS") ?? 100_000
            let firstSeed = environment("MARTLET_FUZZ_SEED") ?? 1
            let directory = try TestCluster.temporaryDirectory("fuzz")
            let server = try ProcessTests.SingleServer(directory: directory)
            let port = server.port
            let client = BlockingHTTPClient(port: port)
            let description = try #require(try client.request("GET", "/openapi.json").json)
            // Some requests have a bookmark of transaction 1: one of a transaction that nobody made is a 503, as documented.
            _ = try client.rows("CREATE (n) DELETE n")

            // The first tenth fills caches and pools; from then on nothing may grow but the graph, which is kept small.
            let threadCount: UInt64 = 4
            func run(_ requests: UInt64, _ seed: UInt64) throws -> [String] {
                let problems = Mutex<[String]>([])
                let statuses = Mutex<[Int: Int]>([:])
                let threads = (0..<threadCount).map { thread in
                    DedicatedThread(name: "fuzzer") {
                        do {
                            try Self.send(
                                requests / threadCount, to: port, seed: seed + thread, description, problems, statuses)
                        } catch {
                            problems.withLock { $0.append("seed \(seed + thread): \(error)") }
                        }
                    }
                }
                for thread in threads { thread.join() }
                let kinds = statuses.withLock { $0 }
                // The fuzzer is worth something only if it gets through to the operations.
                #expect(kinds[200, default: 0] > Int(requests) / 50 && kinds[201, default: 0] > 0 && kinds[204, default: 0] > 0, "\(kinds)")
                #expect(kinds[400, default: 0] > Int(requests) / 50 && kinds[404, default: 0] > 0, "\(kinds)")
                // Idle for long, it may have been closed.
                client.disconnect()
                _ = try client.rows("MATCH (n) WHERE id(n) > 3 DETACH DELETE n")
                return problems.withLock { $0 }
            }
            let early = try run(count / 10, firstSeed)
            #expect(early.isEmpty, "\(early.joined(separator: "\n"))")
            let before = try Footprint(server.process.processID)
            let late = try run(count - count / 10, firstSeed + 1000)
            #expect(late.isEmpty, "\(late.joined(separator: "\n"))")
            #expect(server.process.isRunning)
            client.disconnect()
            try waitUntil("all connections are closed") {
                (try Footprint(server.process.processID)).socketCount <= before.socketCount
            }
            let after = try Footprint(server.process.processID)
            // Files of the store: they grow in number with what is in it, and not with what is asked.
            #expect(after.fileCount < before.fileCount + 100, "\(before) -> \(after)")
            // What a store keeps of its recent changes, and an allocator of what was freed, is more than a request's worth.
            #expect(after.residentKiB < before.residentKiB + 192 << 10, "\(before) -> \(after)")
            print("fuzzed requests: \(count), seed \(firstSeed), \(before) -> \(after)")
            try server.kill(SIGTERM)
            #expect(try Program.run(["check", directory + "/graph.db"]).status == 0)
            removeTree(directory)
        }

        /// What a process holds.
        private struct Footprint: CustomStringConvertible {
            let socketCount: Int
            let fileCount: Int
            let residentKiB: Int

            init(_ processID: pid_t) throws {
                let directory = "/proc/\(processID)/fd"
                let targets = try POSIXFileSystem().list(directory).map { name in
                    var target = [CChar](repeating: 0, count: 64)
                    let count = readlink("\(directory)/\(name)", &target, target.count)
                    return String(decoding: target.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
                }
                socketCount = targets.count { $0.hasPrefix("socket:") }
                fileCount = targets.count - socketCount
                residentKiB = try EndToEndTests.residentKiB(processID)
            }

            var description: String { "\(socketCount) sockets, \(fileCount) files, \(residentKiB >> 10) MiB" }
        }

        private static func send(
            _ count: UInt64, to port: Int, seed: UInt64, _ description: Value, _ problems: borrowing Mutex<[String]>,
            _ statuses: borrowing Mutex<[Int: Int]>
        ) throws {
            var fuzzer = try RequestFuzzer(seed: seed, description: description)
            let kept = BlockingHTTPClient(port: port)
            let other = BlockingHTTPClient(port: port)
            for index in 0..<count {
                let request = fuzzer.next()
                func report(_ what: String) {
                    let text = String(decoding: request.bytes.prefix(600), as: UTF8.self)
                    problems.withLock { if $0.count < 10 { $0.append("seed \(seed), request \(index): \(what)\n\(text)") } }
                }
                do {
                    if request.isSound {
                        let answer = try kept.request(raw: request.bytes, hasBody: !request.isHead)
                        statuses.withLock { $0[answer.status, default: 0] += 1 }
                        if let problem = problem(answer) { report(problem) }
                    } else {
                        let bytes = try other.exchange(raw: request.bytes)
                        if !bytes.isEmpty && !bytes.starts(with: "HTTP/1.1 ".utf8) { report("an answer that is not HTTP") }
                        if bytes.starts(with: "HTTP/1.1 5".utf8), !isFailedBatch(String(decoding: bytes, as: UTF8.self)) {
                            report("\(String(decoding: bytes.prefix(400), as: UTF8.self))")
                        }
                    }
                } catch {
                    report("\(error)")
                }
            }
        }

        /// The manual's way to say that a job of a batch was wrong.
        private static func isFailedBatch(_ text: String) -> Bool {
            text.contains("\"exception\" : \"BatchOperationFailedException\"")
        }

        private static func problem(_ answer: BlockingHTTPClient.Answer) -> String? {
            // What is not even HTTP gets no more than that.
            if answer.status == 400, answer.body.isEmpty, answer.headers["connection"] == "close" { return nil }
            if answer.status >= 500, !isFailedBatch(answer.text) { return "\(answer.status): \(answer.text.prefix(400))" }
            if answer.status >= 400, answer.headers["x-error-code"] == nil, answer.headers["content-type"] != "text/plain; charset=utf-8" {
                return "\(answer.status) without a code: \(answer.text.prefix(400))"
            }
            if answer.headers["content-type"] == "application/json", answer.headers["content-encoding"] == nil, answer.json == nil,
                !answer.body.isEmpty
            {
                return "\(answer.status) with a body that is not JSON: \(answer.text.prefix(400))"
            }
            return nil
        }
    }
}
