import Database
import GraphModel
import JSON
import RESTServer
import Storage
import TestSupport
import Testing

/// 18.15: batches.
@Suite struct BatchTests {
    private let base = "http://localhost:7474/db/data"

    private func batch(_ client: HTTPClient, _ jobs: String, _ fields: [String] = []) async throws -> Reply {
        try await client.send("POST", "/db/data/batch", fields, body: jobs)
    }

    private func list(_ reply: Reply) throws -> [MapValue] {
        guard case .list(let list) = try JSONParser.parse(reply.body) else { throw GraphError(.general, "no list") }
        return list.elements.compactMap { if case .map(let map) = $0 { map } else { nil } }
    }

    private func nodeCount(_ client: HTTPClient) async throws -> String {
        try await client.send("POST", "/db/data/cypher", ["X-Stream: true"], body: #"{"query": "START n=node(*) RETURN count(n)"}"#).text
    }

    @Test func resultsComeInOrderAsTheManualShowsThem() async throws {
        try await withServer { client async throws in
            let reply = try await batch(client, """
                [{"method": "PUT", "to": "/node/0/properties", "body": {"age": 1}, "id": 0},
                 {"method": "GET", "to": "/node/0/properties", "id": 1},
                 {"method": "post", "to": "node", "body": {"a": "b"}},
                 {"method": "GET", "to": "http://elsewhere/db/data/node/1/properties/a", "id": 2},
                 {"method": "DELETE", "to": "/db/data/node/0/properties", "id": 9}]
                """)
            #expect(reply.status == 200)
            #expect(reply["content-type"] == "application/json")
            #expect(reply["x-ha-tx"] == "1")
            let node = try await client.get("/db/data/node/1").text.replacing("\n", with: "\n  ")
            #expect(
                reply.text == """
                    [ {
                      "id" : 0,
                      "from" : "/node/0/properties"
                    }, {
                      "id" : 1,
                      "body" : {
                        "age" : 1
                      },
                      "from" : "/node/0/properties"
                    }, {
                      "location" : "\(base)/node/1",
                      "body" : \(node),
                      "from" : "node"
                    }, {
                      "id" : 2,
                      "body" : "b",
                      "from" : "http://elsewhere/db/data/node/1/properties/a"
                    }, {
                      "id" : 9,
                      "from" : "/db/data/node/0/properties"
                    } ]
                    """)
            #expect(try await batch(client, "[]").text == "[ ]")
        }
    }

    @Test func streamed() async throws {
        try await withServer { client async throws in
            let reply = try await batch(client, """
                [{"method": "PUT", "to": "/node/0/properties/a", "body": 1, "id": 0},
                 {"method": "GET", "to": "/node/0/properties/a"}, {"method": "POST", "to": "/node", "id": 2}]
                """, ["X-Stream: true"])
            #expect(reply.status == 200)
            #expect(reply.text.hasPrefix(
                #"[{"id":0,"from":"/node/0/properties/a","body":null,"status":204},{"from":"/node/0/properties/a","body":1,"status":200},{"id":2,"from":"/node","body":{"extensions":{}"#))
            #expect(reply.text.hasSuffix(#","data":{}},"location":"\#(base)/node/1","status":201}]"#))
        }
    }

    @Test func jobsSeeWhatEarlierOnesMade() async throws {
        try await withServer { client async throws in
            let reply = try await batch(client, """
                [{"method": "POST", "to": "/node", "id": 0, "body": {"name": "bob {5} {0"}},
                 {"method": "POST", "to": "/node", "id": 12, "body": {"age": 12}},
                 {"method": "POST", "to": "{0}/relationships", "id": 3,
                  "body": {"to": "{12}", "data": {"since": "2010", "by": ["{0}"]}, "type": "KNOWS"}},
                 {"method": "POST", "to": "/index/relationship/my_rels", "id": 4,
                  "body": {"key": "since", "value": "2010", "uri": "{3}"}},
                 {"method": "GET", "to": "{0}/relationships/out"},
                 {"method": "POST", "to": "/cypher", "body": {"query": "START r=relationship({id}) RETURN r.by", "params": {"id": 0}}},
                 {"method": "POST", "to": "/index/node/u?unique", "body": {"key": "k", "value": "v", "uri": "{0}"}},
                 {"method": "PUT", "to": "/node/1/labels", "body": ["L"]}, {"method": "GET", "to": "/label/L/nodes"},
                 {"method": "POST", "to": "/index/auto/node/properties", "body": "name"},
                 {"method": "GET", "to": "/index/auto/node/properties"}]
                """, ["X-Stream: true"])
            #expect(reply.status == 200, "\(reply.text)")
            let results = try list(reply)
            #expect(results.count == 11)
            #expect(results[2]["from"] == .string("\(base)/node/1/relationships"))
            #expect(results[2]["location"] == .string("\(base)/relationship/0"))
            #expect(results[3]["location"] == .string("\(base)/index/relationship/my_rels/since/2010/0"))
            #expect(reply.text.contains(#""name":"bob {5} {0""#))
            #expect(reply.text.contains(#""data":[[["\#(base)/node/1"]]]"#))
            #expect(results[10]["body"] == .list([.string("name")]))
            #expect(try await client.get("/db/data/label/L/nodes", ["X-Stream: true"]).text.hasPrefix(#"[{"outgoing_rel"#))
        }
    }

    @Test func aJobThatFailsUndoesAll() async throws {
        try await withServer { client async throws in
            let before = try await nodeCount(client)
            let create = #"{"method": "POST", "to": "/node", "body": {"a": 1}, "id": 7}"#
            for (job, code, status) in [
                (#"{"method": "GET", "to": "/node/800000"}"#, "Neo.ClientError.Statement.EntityNotFound", 404),
                (#"{"method": "POST", "to": "/node", "body": {"a": null}}"#, "Neo.ClientError.Statement.TypeError", 400),
                (#"{"method": "POST", "to": "/nowhere"}"#, "Neo.ClientError.Request.NotFound", 404),
                (#"{"method": "PUT", "to": "/node"}"#, "Neo.ClientError.Request.MethodNotAllowed", 405),
                (#"{"method": "POST", "to": "/batch", "body": []}"#, "Neo.ClientError.Request.NotFound", 404),
                (#"{"method": "POST", "to": "/cypher", "body": {"query": "nonsense"}}"#, "Neo.ClientError.Statement.SyntaxError", 400),
                (#"{"method": "DELETE", "to": "{7}/properties/b"}"#, "Neo.ClientError.Statement.PropertyNotFound", 404),
                (#"{"method": "DELETE", "to": "{8}"}"#, "Neo.ClientError.Request.NotFound", 404),
            ] {
                let reply = try await batch(client, "[\(create), \(job)]")
                #expect(reply.status == 500, "\(job)")
                #expect(reply["x-error-code"] == code, "\(job)")
                #expect(reply.text.contains(#""exception" : "BatchOperationFailedException""#))
                #expect(reply.text.contains("job 1 of the batch"))
                let streamed = try await batch(client, "[\(create), \(job)]", ["X-Stream: true"])
                #expect(streamed.status == 200)
                let results = try list(streamed)
                #expect(results.count == 2)
                #expect(results.last?["status"] == .integer(Int64(status)), "\(job)")
                #expect(results.last?["message"] != nil)
                #expect(streamed["x-ha-tx"] == nil)
            }
            let unique = #"{"method": "POST", "to": "/index/node/u?uniqueness=create_or_fail", "body": {"key": "k", "value": "v"}}"#
            #expect(try await batch(client, "[\(unique), \(unique)]").status == 500)
            #expect(try await client.get("/db/data/index/node").status == 204)
            #expect(try await nodeCount(client) == before)
        }
    }

    @Test func whatIsNoBatchIsRefused() async throws {
        var options = RESTService.Options()
        options.batchJobCountMaximum = 3
        try await withServer(options) { client async throws in
            for (body, status) in [
                ("", 400), ("{}", 400), ("[1]", 400), ("[{}]", 400), (#"[{"method": "PATCH", "to": "/node"}]"#, 400),
                (#"[{"method": "GET"}]"#, 400), (#"[{"method": "GET", "to": "/node/0", "id": "x"}]"#, 400), ("[", 400),
                ("[1, 2, 3, 4]", 413),
            ] {
                #expect(try await batch(client, body).status == status, "\(body)")
            }
        }
    }

    /// A short body must not become a long one.
    @Test func whatReferencesStandForIsBounded() async throws {
        try await withServer { client async throws in
            let many = String(repeating: "{0}", count: 2_000_000)
            let reply = try await batch(client, """
                [{"method": "POST", "to": "/node", "id": 0}, {"method": "PUT", "to": "{0}/properties/p", "body": "\(many)"}]
                """)
            #expect(reply.status == 500)
            #expect(reply["x-error-code"] == "Neo.ClientError.Request.TooLarge")
            #expect(try await client.get("/db/data/propertykeys").text == "[ ]")
        }
    }

    /// Nodes and properties in random batches, some of which fail, against what is expected of them.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func randomBatchesDoAllOrNothing(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        // The property of each node; the graph begins with a node that has none.
        var model: [Int?] = [nil]
        try await withServer { client async throws in
            for _ in 0..<40 {
                var (after, jobs, fails) = (model, [String](), false)
                var made: [Int] = []
                for index in 0..<Int.random(in: 1...8, using: &random) {
                    let value = Int.random(in: 0..<100, using: &random)
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0..<4:
                        jobs.append(#"{"method": "POST", "to": "/node", "body": {"p": \#(value)}, "id": \#(index)}"#)
                        made.append(index)
                        after.append(value)
                    case 4..<8 where !made.isEmpty:
                        // The ids of nodes that a failed batch took are used up: only references tell where nodes are.
                        let chosen = Int.random(in: 0..<made.count, using: &random)
                        jobs.append(#"{"method": "PUT", "to": "{\#(made[chosen])}/properties/p", "body": \#(value)}"#)
                        after[after.count - made.count + chosen] = value
                    case 8:
                        jobs.append(#"{"method": "GET", "to": "/node/9999999/properties"}"#)
                        fails = true
                    default:
                        jobs.append(#"{"method": "PUT", "to": "/node/0/properties/p", "body": \#(value)}"#)
                        after[0] = value
                    }
                }
                let reply = try await batch(client, "[\(jobs.joined(separator: ","))]")
                #expect(reply.status == (fails ? 500 : 200), "seed \(seed): \(jobs)")
                if !fails { model = after }
                let rows = try await client.send(
                    "POST", "/db/data/cypher", ["X-Stream: true"],
                    body: #"{"query": "START n=node(*) RETURN n.p? ORDER BY id(n)"}"#)
                let expected = model.map { $0.map { "[\($0)]" } ?? "[null]" }.joined(separator: ",")
                #expect(rows.text.hasSuffix("\"data\":[\(expected)]}"), "seed \(seed)")
            }
        }
    }

    @Test func batchesThatOnlyReadNeedNoMaster() async throws {
        let pipeline = try FakePipeline(slaveStatus())
        pipeline.failCommits(GraphError(.noMaster, "there is no master"))
        try await withServer(pipeline) { client async throws in
            let read = #"[{"method": "GET", "to": "/node/0"}, {"method": "GET", "to": "/relationship/types"}]"#
            #expect(try await batch(client, read).status == 200)
            let write = try await batch(client, #"[{"method": "PUT", "to": "/node/0/properties/a", "body": 1}]"#)
            #expect(write.status == 503)
            #expect(write["x-error-code"] == "Neo.TransientError.Cluster.NoMaster")
        }
    }

    @Test func concurrentBatchesOnTheSameNodeAllHappen() async throws {
        try await withServer { client async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        let reply = try await batch(client, """
                            [{"method": "PUT", "to": "/node/0/properties/p\(index)", "body": \(index)},
                             {"method": "POST", "to": "/node/0/relationships", "body": {"to": "/node/0", "type": "T"}}]
                            """)
                        #expect(reply.status == 200, "\(reply.text)")
                    }
                }
                try await group.waitForAll()
            }
            let count = try await client.get("/db/data/node/0/degree/out")
            #expect(count.text == "8")
        }
    }

    @Test func sentAgainUnderItsNameItIsCarriedOutOnce() async throws {
        try await withServer { client async throws in
            let jobs = #"[{"method": "POST", "to": "/node"}]"#
            let before = try await nodeCount(client)
            #expect(try await batch(client, jobs, ["X-Request-Id: b1"]).status == 200)
            let after = try await nodeCount(client)
            let again = try await batch(client, jobs, ["X-Request-Id: b1"])
            #expect(again["x-request-replayed"] == "true")
            #expect(try await nodeCount(client) == after && after != before)
        }
    }
}
