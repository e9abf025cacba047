import GraphModel
import JSON
import RESTServer
import Testing

/// `X-Request-Id`: a write that is sent again.
@Suite struct RequestIDTests {
    private static func map(_ reply: Reply) throws -> MapValue {
        guard case .map(let map) = try JSONParser.parse(reply.body) else { throw GraphError(.general, "no object") }
        return map
    }

    @Test func aWriteThatIsSentAgainIsAnsweredWithItsTransaction() async throws {
        try await withServer { client async throws in
            for (method, path, body, status) in [
                ("POST", "/db/data/node", "{\"a\": 1}", 201), ("POST", "/db/data/node/0/relationships", "{\"to\": \"http://localhost:7474/db/data/node/0\", \"type\": \"T\"}", 201),
                ("PUT", "/db/data/node/0/properties/p", "1", 204), ("POST", "/db/data/cypher", "{\"query\": \"CREATE (n) RETURN n\"}", 200),
                ("DELETE", "/db/data/node/1", nil as String?, 204),
            ] {
                let id = "X-Request-Id: \(method)-\(path)"
                let first = try await client.send(method, path, [id], body: body)
                #expect(first.status == status, "\(method) \(path) \(first.status)")
                #expect(first["x-request-replayed"] == nil)
                let transaction = try #require(first["x-ha-tx"])
                for _ in 0..<2 {
                    let again = try await client.send(method, path, [id], body: body)
                    #expect(again.status == 200, "\(method) \(path)")
                    #expect(again["x-ha-tx"] == transaction)
                    #expect(again["x-request-replayed"] == "true")
                    let map = try Self.map(again)
                    #expect(map["replayed"] == .boolean(true))
                    #expect(map["transaction"] == .integer(try #require(Int64(transaction))))
                }
            }
        }
    }

    /// Gateways hand one id on to all that belongs to one request of theirs.
    @Test func anotherRequestUnderTheSameIdIsAnother() async throws {
        try await withServer { client async throws in
            let id = ["X-Request-Id: trace-1"]
            for body in ["{\"a\": 1}", "{\"a\": 2}"] {
                #expect(try await client.send("POST", "/db/data/node", id, body: body).status == 201)
            }
            #expect(try await client.send("PUT", "/db/data/node/1/properties/b", id, body: "1").status == 204)
            #expect(try await client.send("PUT", "/db/data/node/2/properties/b", id, body: "1").status == 204)
            // Sent again to another member, URIs in the body name another host.
            for (host, status) in [("one:7474", 201), ("two", 200)] {
                let body = "{\"to\": \"http://\(host)/db/data/node/1\", \"type\": \"T\"}"
                #expect(try await client.send("POST", "/db/data/node/2/relationships", id, body: body).status == status)
            }
            let other = "{\"to\": \"http://two/db/data/node/2\", \"type\": \"T\"}"
            #expect(try await client.send("POST", "/db/data/node/2/relationships", id, body: other).status == 201)
        }
    }

    @Test func whatIsNoNameIsRefusedForWritesAndIgnoredForReads() async throws {
        try await withServer { client async throws in
            for text in ["a b", String(repeating: "x", count: 129), "caf\u{E9}"] {
                let reply = try await client.send("POST", "/db/data/node", ["X-Request-Id: \(text)"], body: "{}")
                #expect(reply.status == 400, "\(text)")
                #expect(try await client.get("/db/data/node/0", ["X-Request-Id: \(text)"]).status == 200)
            }
            #expect(try await client.get("/db/data/node/1").status == 404)
        }
    }

    @Test func whatWritesNothingIsAnsweredAnewEachTime() async throws {
        try await withServer { client async throws in
            for query in ["MATCH (n) RETURN count(n)", "MATCH (n:None) SET n.p = 1 RETURN count(n)"] {
                for _ in 0..<2 {
                    let reply = try await client.send("POST", "/db/data/cypher", ["X-Request-Id: same"], body: "{\"query\": \"\(query)\"}")
                    #expect(reply.status == 200 && reply["x-request-replayed"] == nil)
                    #expect(try Self.map(reply)["data"] != nil)
                }
            }
        }
    }

    /// A refusal is not an outcome: the same request may still succeed.
    @Test func aRefusedWriteMayBeSentAgain() async throws {
        let pipeline = try FakePipeline(masterStatus())
        try await withServer(pipeline) { client async throws in
            pipeline.failCommits(GraphError(.noQuorum, "no quorum"))
            #expect(try await client.send("POST", "/db/data/node", ["X-Request-Id: one"], body: "{}").status == 503)
            pipeline.failCommits(nil)
            #expect(try await client.send("POST", "/db/data/node", ["X-Request-Id: one"], body: "{}").status == 201)
            #expect(try await client.send("POST", "/db/data/node", ["X-Request-Id: one"], body: "{}").status == 200)
        }
    }
}
