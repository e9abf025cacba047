import Database
import FileSystem
import GraphModel
import JSON
import RESTServer
import Storage
import Synchronization
import Testing

/// Cypher in transactions over several requests.
@Suite struct TransactionRouteTests {
    private let base = "http://localhost:7474/db/data/transaction"
    private let streamed = ["X-Stream: true"]

    private func body(_ statements: String...) -> String {
        "{\"statements\": [\(statements.map { "{\"statement\": \"\($0)\"}" }.joined(separator: ","))]}"
    }

    private func post(_ client: HTTPClient, _ path: String, _ body: String? = nil) async throws -> Reply {
        try await client.send("POST", path, streamed, body: body)
    }

    /// Where an open transaction is, without the host.
    private func path(_ reply: Reply) throws -> String {
        let location = try #require(reply["location"])
        return String(try #require(location.split(separator: "7474").last))
    }

    private func map(_ reply: Reply) throws -> MapValue {
        guard case .map(let map) = try JSONParser.parse(reply.body) else { throw GraphError(.general, "no object") }
        return map
    }

    private func errorCode(_ reply: Reply) throws -> String? {
        guard case .list(let errors)? = try map(reply)["errors"], case .map(let error)? = errors.elements.first,
            case .string(let code)? = error["code"]
        else { return nil }
        return code.text
    }

    @Test func oneRequest() async throws {
        try await withServer { client async throws in
            let reply = try await post(client, "/db/data/transaction/commit", """
                {"statements": [
                  {"statement": "CREATE (n:P {name: $name})-[r:T {w: 1}]->(m) RETURN n, r, 1 AS one", "parameters": {"name": "x"},
                   "includeStats": true},
                  {"statement": "MATCH p = (n:P)-->() RETURN p"}]}
                """)
            #expect(reply.status == 200)
            #expect(reply["x-ha-tx"] != nil)
            #expect(
                reply.text == """
                    {"results":[{"columns":["n","r","one"],"data":[{"row":[{"name":"x"},{"w":1},1]}],"stats":{"contains_updates":true,\
                    "nodes_created":2,"nodes_deleted":0,"properties_set":2,"relationships_created":1,"relationship_deleted":0,\
                    "labels_added":1,"labels_removed":0,"indexes_added":0,"indexes_removed":0,"constraints_added":0,\
                    "constraints_removed":0}},{"columns":["p"],"data":[{"row":[[{"name":"x"},{"w":1},{}]]}]}],"errors":[]}
                    """)
            let read = try await post(client, "/db/data/transaction/commit", """
                {"statements": [{"statement": "MATCH (n:P)-[r]->() RETURN r", "resultDataContents": ["graph", "REST", "row"]}]}
                """)
            #expect(read["x-ha-tx"] == nil)
            #expect(read.text.hasPrefix(
                """
                {"results":[{"columns":["r"],"data":[{"graph":{"nodes":[{"id":"1","labels":["P"],"properties":{"name":"x"}},\
                {"id":"2","labels":[],"properties":{}}],"relationships":[{"id":"0","type":"T","startNode":"1","endNode":"2",\
                "properties":{"w":1}}]},"rest":[{"start":"http://localhost:7474/db/data/node/1"
                """))
            #expect(read.text.hasSuffix(#"],"row":[{"w":1}]}]}],"errors":[]}"#))
            // Later versions' name of the endpoint, and what their rows have beside.
            for name in ["neo4j", "graph.db", "data"] {
                let later = try await post(client, "/db/\(name)/tx/commit", body("MATCH (n:P) RETURN n, [n, 1]"))
                #expect(later.text == #"{"results":[{"columns":["n","[n, 1]"],"data":[{"row":[{"name":"x"},[{"name":"x"},1]],"meta":[{"id":1,"type":"node","deleted":false},{"id":1,"type":"node","deleted":false},null]}]}],"errors":[]}"#)
            }
            #expect(try await post(client, "/db/other/tx/commit", body("RETURN 1")).status == 404)
        }
    }

    @Test func severalRequests() async throws {
        try await withServer { client async throws in
            let begun = try await post(client, "/db/data/transaction", body("CREATE (n:A) RETURN 1"))
            #expect(begun.status == 201)
            let path = try path(begun)
            let map = try map(begun)
            #expect(map["commit"] == .string("http://localhost:7474\(path)/commit"))
            guard case .map(let transaction)? = map["transaction"], case .string(let expires)? = transaction["expires"] else {
                Issue.record("\(begun.text)")
                return
            }
            #expect(expires.text.hasSuffix(" +0000"))
            #expect(begun["x-ha-tx"] == nil)
            let more = try await post(client, path, body("MATCH (n:A) SET n.p = 1 RETURN n.p"))
            #expect(more.status == 200)
            #expect(more.text.contains(#""results":[{"columns":["n.p"],"data":[{"row":[1]}]}],"transaction":{"expires""#))
            // Nobody else sees it.
            #expect(try await post(client, "/db/data/transaction/commit", body("MATCH (n:A) RETURN count(n)")).text.contains(#""row":[0]"#))
            // No statements: it only lives longer.
            #expect(try errorCode(try await post(client, path)) == nil)
            let committed = try await post(client, path + "/commit", body("MATCH (n:A) RETURN count(n)"))
            #expect(committed.status == 200)
            #expect(committed["x-ha-tx"] == "1")
            #expect(committed.text == #"{"results":[{"columns":["count(n)"],"data":[{"row":[1]}]}],"errors":[]}"#)
            #expect(try await client.get("/db/data/label/A/nodes").text.contains("\"p\" : 1"))
            for method in ["POST", "DELETE"] {
                let gone = try await client.send(method, path)
                #expect(gone.status == 404)
                #expect(gone["x-error-code"] == "Neo.ClientError.Transaction.TransactionNotFound")
            }
        }
    }

    @Test func rollingBack() async throws {
        try await withServer { client async throws in
            let path = try path(try await post(client, "/db/data/transaction", body("CREATE (n:A)")))
            let ended = try await client.send("DELETE", path, streamed)
            #expect(ended.status == 200)
            #expect(ended.text == #"{"results":[],"errors":[]}"#)
            #expect(try await client.send("POST", path + "/commit").status == 404)
            #expect(try await client.get("/db/data/label/A/nodes").text == "[ ]")
        }
    }

    @Test func anErrorRollsBackAndIsTold() async throws {
        try await withServer { client async throws in
            for (statement, code) in [
                ("nonsense", "Neo.ClientError.Statement.SyntaxError"),
                ("RETURN $missing", "Neo.ClientError.Statement.ParameterMissing"),
                ("RETURN 1 / 0", "Neo.ClientError.Statement.ArithmeticError"),
            ] {
                let alone = try await post(client, "/db/data/transaction/commit", body("CREATE (n:A) RETURN 7", statement, "RETURN 8"))
                #expect(alone.status == 200)
                #expect(try errorCode(alone) == code)
                #expect(alone["x-error-code"] == code)
                #expect(alone.text.contains(#""row":[7]"#) && !alone.text.contains(#""row":[8]"#))
                let path = try path(try await post(client, "/db/data/transaction", body("CREATE (n:A)")))
                let failed = try await post(client, path, body(statement))
                #expect(failed.status == 200)
                #expect(try errorCode(failed) == code)
                #expect(try await client.send("POST", path + "/commit").status == 404)
                let first = try await post(client, "/db/data/transaction", body(statement))
                #expect(first.status == 200 && first["location"] == nil)
            }
            let path = try path(try await post(client, "/db/data/transaction", body("CREATE (n:A)")))
            #expect(try errorCode(try await post(client, path, "{")) == "Neo.ClientError.Request.Invalid")
            for wrong in [
                #"{"statements": 1}"#, #"{"statements": [1]}"#, #"{"statements": [{"statement": "RETURN 1", "parameters": 1}]}"#,
                #"{"statements": [{"statement": "RETURN 1", "resultDataContents": ["x"]}]}"#,
                #"{"statements": [{"statement": "RETURN 1", "includeStats": 1}]}"#,
            ] {
                #expect(try errorCode(try await post(client, "/db/data/transaction", wrong)) == "Neo.ClientError.Request.Invalid")
            }
            #expect(try await client.get("/db/data/label/A/nodes").text == "[ ]")
        }
    }

    @Test func aMemberWithoutAMasterSaysSoAtTheCommit() async throws {
        let pipeline = try FakePipeline(masterStatus())
        try await withServer(pipeline) { client async throws in
            let path = try path(try await post(client, "/db/data/transaction", body("MATCH (n) SET n.p = 1")))
            pipeline.failCommits(GraphError(.masterChanged, "the mastership ended"))
            let failed = try await post(client, path + "/commit")
            #expect(try errorCode(failed) == "Neo.TransientError.Cluster.MasterChanged")
            pipeline.failCommits(nil)
            #expect(try await client.send("POST", path + "/commit").status == 404)
            #expect(try await client.get("/db/data/node/0/properties").status == 204)
        }
    }

    @Test func theNumberOfOpenTransactionsIsBounded() async throws {
        var options = RESTService.Options()
        options.openTransactionCountMaximum = 2
        try await withServer(options) { client async throws in
            var paths: [String] = []
            for _ in 0..<2 { paths.append(try path(try await post(client, "/db/data/transaction"))) }
            #expect(try errorCode(try await post(client, "/db/data/transaction")) == "Neo.TransientError.General.Overloaded")
            #expect(try await client.send("DELETE", paths[0]).status == 200)
            #expect(try await post(client, "/db/data/transaction").status == 201)
        }
    }

    /// Increments in open transactions that wait for each other's locks: none is lost.
    @Test func concurrentTransactions() async throws {
        try await withServer { client async throws in
            _ = try await post(client, "/db/data/transaction/commit", body("MATCH (n) SET n.c = 0"))
            let committed = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        var count = 0
                        for _ in 0..<4 {
                            let begun = try await post(client, "/db/data/transaction", body("MATCH (n) SET n.c = n.c + 1"))
                            if begun["location"] == nil { continue }
                            let path = try path(begun)
                            let ended = try await post(client, path + "/commit")
                            if try errorCode(ended) == nil { count += 1 }
                        }
                        return count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(committed > 0)
            #expect(try await client.get("/db/data/node/0/properties/c").text == "\(committed)")
        }
    }
}

/// The open transactions by themselves, on a clock that the test moves.
@Suite struct OpenTransactionsTests {
    private final class Clock: Sendable {
        private let value = Atomic<UInt64>(0)
        var now: UInt64 { value.load(ordering: .relaxed) }
        func advance(_ milliseconds: UInt64) { value.wrappingAdd(milliseconds * 1_000_000, ordering: .relaxed) }
    }

    private func withTransactions(
        countMaximum: Int = 10, _ body: (OpenTransactions, Store, Clock) async throws -> Void
    ) async throws {
        let store = try storeInMemory()
        let database = Database(try SingleDatabase(store))
        let clock = Clock()
        let open = OpenTransactions(
            database, OpenTransactions.Limits(timeout: 1000, countMaximum: countMaximum), now: { clock.now })
        try await body(open, store, clock)
        open.close()
        await database.close()
    }

    private func code(_ body: () throws(GraphError) -> Void) -> ErrorCode? {
        do throws(GraphError) { try body() } catch { return error.code }
        return nil
    }

    @Test func whatIsLeftAloneIsRolledBack() async throws {
        try await withTransactions { open, store, clock in
            let (id, transaction) = try await open.begin(Database.RequestOptions())
            try await transaction.run { tx throws(GraphError) in try tx.setProperty("p", to: .integer(1), ofNode: NodeID(0)) }
            // A request that takes long is not one that stays away.
            clock.advance(5000)
            open.expire()
            #expect(open.count == 1)
            #expect(open.giveBack(id) == 1000)
            clock.advance(999)
            open.expire()
            _ = try open.use(id)
            _ = open.giveBack(id)
            clock.advance(999)
            #expect(store.locks.statistics.lockedCount > 0)
            _ = try open.use(id)
            _ = open.giveBack(id)
            clock.advance(1000)
            open.expire()
            #expect(open.count == 0)
            #expect(store.locks.statistics.lockedCount == 0)
            #expect(code { () throws(GraphError) in _ = try open.use(id) } == .transactionNotFound)
            #expect(code { () throws(GraphError) in _ = try open.use(nil) } == .transactionNotFound)
        }
    }

    @Test func oneRequestAtATime() async throws {
        try await withTransactions { open, _, _ in
            let (id, _) = try await open.begin(Database.RequestOptions())
            #expect(code { () throws(GraphError) in _ = try open.use(id) } == .transactionConfined)
            _ = open.giveBack(id)
            _ = try open.use(id)
            open.remove(id)
            #expect(code { () throws(GraphError) in _ = try open.use(id) } == .transactionNotFound)
        }
    }

    @Test func closingRollsBackAndBeginsNoMore() async throws {
        try await withTransactions { open, store, _ in
            let (idle, one) = try await open.begin(Database.RequestOptions())
            let (busy, two) = try await open.begin(Database.RequestOptions())
            try await one.run { tx throws(GraphError) in try tx.setProperty("p", to: .integer(1), ofNode: NodeID(0)) }
            try await two.run { tx throws(GraphError) in _ = try tx.createNode() }
            _ = open.giveBack(idle)
            open.close()
            #expect(open.count == 1)
            #expect(store.locks.statistics.lockedCount == 0)
            _ = open.giveBack(busy)
            #expect(open.count == 0)
            var refusal: ErrorCode?
            do { _ = try await open.begin(Database.RequestOptions()) } catch { refusal = (error as? GraphError)?.code }
            #expect(refusal == .unavailable)
        }
    }
}
