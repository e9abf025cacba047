import Database
import FileSystem
import GraphModel
import RESTServer
import Storage
import Synchronization
import Testing

/// How connections begin, go on and end.
@Suite struct ConnectionTests {
    /// Whether the server closes after the given head, and what it says.
    private func closes(_ client: HTTPClient, _ head: String) async throws -> (status: Int, field: String?, closes: Bool) {
        let raw = Array((head + "\r\n\r\n").utf8)
        let reply = try await client.exchange(raw, isHead: [false])[0]
        // A second request on the same connection is answered only if it was kept.
        let both = try? await client.exchange(raw + raw, isHead: [false, false])
        return (reply.status, reply["connection"], both == nil)
    }

    @Test func connectionsAreKeptAsTheClientWants() async throws {
        try await withServer { client async throws in
            for (head, isClosed) in [
                ("GET /hastatus/master HTTP/1.1\r\nHost: h", false),
                ("GET /hastatus/master HTTP/1.1\r\nHost: h\r\nConnection: Close", true),
                ("GET /hastatus/master HTTP/1.1\r\nHost: h\r\nConnection: keep-alive", false),
                ("OPTIONS /hastatus/master HTTP/1.0", true),
                ("GET /db/data/node/0 HTTP/1.0\r\nConnection: keep-alive", false),
            ] {
                let result = try await closes(client, head)
                #expect(result.status == 200)
                #expect(result.closes == isClosed, "\(head)")
                #expect((result.field == "close") == isClosed, "\(head)")
            }
        }
    }

    @Test func longBodiesAreParsedToo() async throws {
        try await withServer { client async throws in
            let text = String(repeating: "xyz\u{E9}", count: 300_000)
            let created = try await client.send("POST", "/db/data/node", body: "{\"text\":\"\(text)\",\"list\":[\(Array(repeating: "1", count: 50_000).joined(separator: ","))]}")
            #expect(created.status == 201)
            #expect(try await client.get("/db/data/node/1/properties/text").text == "\"\(text)\"")
            let broken = try await client.send("POST", "/db/data/node", body: "{\"text\":\"\(text)\",}")
            #expect(broken.status == 400)
        }
    }

    /// Commits only when told to.
    private final class GatedPipeline: CommitPipeline {
        let inner: SingleDatabase
        let held = Mutex<[@Sendable () -> Void]>([])
        init() throws { inner = try SingleDatabase(try storeInMemory()) }
        func readableStore() throws(GraphError) -> Store { try inner.readableStore() }
        var reserve: IDReserve { inner.reserve }
        func commit(_ writeSet: [UInt8], done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void) {
            held.withLock { $0.append { self.inner.commit(writeSet, done: done) } }
        }
        func reserveIDs(nodes: Int, relationships: Int, done: @escaping @Sendable (GraphError?) -> Void) {
            inner.reserveIDs(nodes: nodes, relationships: relationships, done: done)
        }
        func waitUntilApplied(_ transactionID: TransactionID, timeout: Milliseconds, done: @escaping @Sendable (Bool) -> Void) {
            inner.waitUntilApplied(transactionID, timeout: timeout, done: done)
        }
        func mayAcknowledge() -> Bool { true }
        func requireLinearizable() {}
        var status: DatabaseStatus { inner.status }
        func close() async { await inner.close() }
    }

    @Test func stoppingFinishesWhatIsUnderWay() async throws {
        let pipeline = try GatedPipeline()
        try await withService(pipeline) { client, service async throws in
            async let reply = client.send("POST", "/db/data/node")
            while pipeline.held.withLock({ $0.isEmpty }) { await Task.yield() }
            #expect(try await client.get("/hastatus/master").status == 200)
            async let stopped: Void = service.stop(limit: 20_000)
            // Nobody new gets in, and the one inside still has an answer to come.
            while (try? await client.get("/hastatus/master")) != nil { await Task.yield() }
            for commit in pipeline.held.withLock({ $0 }) { commit() }
            #expect(try await reply.status == 201)
            await stopped
        }
    }

    @Test func stoppingDoesNotWaitForever() async throws {
        let pipeline = try GatedPipeline()
        try await withService(pipeline) { client, service async throws in
            async let reply = client.send("POST", "/db/data/node")
            while pipeline.held.withLock({ $0.isEmpty }) { await Task.yield() }
            let start = monotonicNanoseconds()
            async let stopped: Void = service.stop(limit: 100)
            // The commit comes long after the limit; a write cannot be called back.
            try await Task.sleep(nanoseconds: 300_000_000)
            for commit in pipeline.held.withLock({ $0 }) { commit() }
            await stopped
            _ = try? await reply
            #expect(monotonicNanoseconds() - start < 10_000_000_000)
        }
    }
}
