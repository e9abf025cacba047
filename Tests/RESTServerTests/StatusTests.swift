import Database
import GraphModel
import JSON
import RESTServer
import Storage
import Synchronization
import Testing

@Suite struct StatusTests {
    private static let paths = [
        "/hastatus/master", "/hastatus/slave", "/hastatus/read", "/hastatus/available", "/db/manage/server/ha/master",
        "/db/manage/server/ha/slave", "/db/manage/server/ha/available",
    ]

    /// Status and body of every path, and that HEAD and OPTIONS agree with GET.
    private func answers(_ client: HTTPClient) async throws -> [String] {
        var result: [String] = []
        for path in Self.paths {
            let reply = try await client.get(path)
            result.append("\(reply.status) \(reply.text)")
            for method in ["HEAD", "OPTIONS"] {
                #expect(try await client.send(method, path).status == reply.status, "\(method) \(path)")
            }
        }
        return result
    }

    @Test func master() async throws {
        try await withServer(try FakePipeline(masterStatus())) { client async throws in
            #expect(
                try await answers(client) == [
                    "200 true", "404 false", "200 true", "200 true", "200 true", "404 false", "200 master",
                ])
        }
    }

    @Test func slave() async throws {
        try await withServer(try FakePipeline(slaveStatus())) { client async throws in
            #expect(
                try await answers(client) == [
                    "404 false", "200 true", "200 true", "200 true", "404 false", "200 true", "200 slave",
                ])
        }
    }

    @Test func memberWithoutMasterStillServesReads() async throws {
        let pipeline = try FakePipeline(slaveStatus())
        pipeline.set { $0.role = .pending; $0.masterID = nil }
        try await withServer(pipeline) { client async throws in
            #expect(
                try await answers(client) == [
                    "404 false", "200 true", "200 true", "200 true", "404 false", "200 true", "200 slave",
                ])
        }
    }

    @Test func masterWithoutQuorumIsNoMaster() async throws {
        let pipeline = try FakePipeline(masterStatus())
        pipeline.set { $0.isWritableMaster = false }
        try await withServer(pipeline) { client async throws in
            #expect(try await client.get("/hastatus/master").status == 404)
            #expect(try await client.get("/hastatus/read").status == 200)
        }
    }

    @Test func pendingMemberWithoutStore() async throws {
        let pipeline = try FakePipeline(DatabaseStatus(mode: .ha, role: .pending), hasStore: false)
        try await withServer(pipeline) { client async throws in
            #expect(
                try await answers(client) == [
                    "404 false", "404 false", "404 false", "503 false", "404 false", "404 false", "404 UNKNOWN",
                ])
            // What the status promises holds: requests fail, with a word on when to come back.
            let reply = try await client.get("/db/data/node/0")
            #expect(reply.status == 503)
            #expect(reply["retry-after"] == "1")
            #expect(reply["x-error-code"] == "Neo.TransientError.General.DatabaseUnavailable")
            #expect(try await client.send("POST", "/db/data/node").status == 503)
            // A member that copies a store is well: nobody should restart it.
            #expect(try await client.get("/health").status == 200)
        }
    }

    @Test func drainingIsNothing() async throws {
        let nothing = ["404 false", "404 false", "404 false", "503 false", "404 false", "404 false", "404 UNKNOWN"]
        let pipeline = try FakePipeline(masterStatus())
        pipeline.set { $0.isDraining = true }
        try await withService(pipeline) { client, _ async throws in
            #expect(try await answers(client) == nothing)
            #expect(try await client.get("/health").status == 503)
        }
        try await withService(try FakePipeline(slaveStatus())) { client, service async throws in
            service.drain()
            #expect(try await answers(client) == nothing)
            // What comes all the same is still answered.
            #expect(try await client.get("/db/data/node/0").status == 200)
        }
    }

    @Test func singleServer() async throws {
        try await withServer { client async throws in
            #expect(
                try await answers(client) == [
                    "200 true", "404 false", "200 true", "200 true", "200 true", "404 false", "200 master",
                ])
            #expect(try await client.get("/db/manage/server/ha/members").text == "[ ]")
            #expect(try await client.get("/hastatus/master")["x-ha-role"] == nil)
            let reply = try await client.send("POST", "/db/manage/server/ha/switch-master", body: #"{"to":1}"#)
            #expect(reply.status == 409)
            #expect(reply.text.contains("\"code\" : \"Neo.ClientError.Cluster.NotAMember\""))
        }
    }

    @Test func lagLimits() async throws {
        let pipeline = try FakePipeline(slaveStatus())
        pipeline.set { $0.lag = 500; $0.lagTransactions = 20 }
        try await withServer(pipeline) { client async throws in
            for path in ["/hastatus/slave", "/hastatus/read"] {
                for (query, status) in [
                    ("?max_lag_ms=500", 200), ("?max_lag_ms=499", 404), ("?max_lag_tx=20", 200), ("?max_lag_tx=19", 404),
                    ("?max_lag_ms=500&max_lag_tx=0", 404), ("?other=1", 200), ("?max_lag_ms=soon", 400),
                ] {
                    #expect(try await client.get(path + query).status == status, "\(query)")
                }
            }
        }
    }

    @Test func fullStatus() async throws {
        let pipeline = try FakePipeline(masterStatus())
        pipeline.set {
            $0.applied = LogPosition(epoch: Epoch(7), transactionID: TransactionID(41), checksum: 0xFFFF_FFFF_FFFF_FFFF)
            $0.problem = "a \"word\""
            $0.roleSince = 1_700_000_000_123
            $0.protocolVersion = 3
            $0.fetched = .init(logByteCount: 815, storeCopyByteCount: 4711)
        }
        try await withServer(pipeline) { client async throws in
            let reply = try await client.get("/hastatus")
            #expect(reply.status == 200)
            guard case .map(let map) = try JSONParser.parse(reply.body) else { Issue.record("no object"); return }
            #expect(map["role"] == .string("master"))
            #expect(map["mode"] == .string("HA"))
            #expect(map["epoch"] == .integer(7))
            #expect(map["server_id"] == .integer(1))
            #expect(map["problem"] == .string("a \"word\""))
            #expect(map["since"] == .string("2023-11-14T22:13:20.123Z"))
            #expect(map["last_update"] == .null)
            #expect(map["version"] == .string(martletVersion))
            #expect(map["protocol_version"] == .integer(3))
            guard case .map(let fetched)? = map["fetched"] else { Issue.record("no bytes"); return }
            #expect(fetched["log_bytes"] == .integer(815) && fetched["copy_bytes"] == .integer(4711))
            #expect(map["sync_set"] == .list([.integer(1), .integer(2)]))
            guard case .map(let applied)? = map["applied"] else { Issue.record("no position"); return }
            #expect(applied["checksum"] == .string("ffffffffffffffff"))
            guard case .list(let members)? = map["members"], case .map(let member)? = members.elements.first else {
                Issue.record("no members")
                return
            }
            #expect(member["acknowledged_tx"] == .integer(41))
            #expect(member["http_address"] == .string("127.0.0.1:7475"))
            #expect(try await client.get("/db/manage/server/ha/members").text.hasPrefix("[ {\n  \"id\" : 2,"))
        }
    }

    @Test func agentReports() {
        func line(_ change: (inout DatabaseStatus) -> Void = { _ in }) -> String {
            var status = slaveStatus()
            change(&status)
            return AgentReport.line(status, isDraining: false)
        }
        #expect(AgentReport.line(masterStatus(), isDraining: false) == "ready up 100%\n")
        #expect(line() == "ready up 100%\n")
        for (lag, weight) in [(99, 100), (100, 90), (1000, 50), (9000, 10), (99_000, 1), (10_000_000, 1)] {
            #expect(line { $0.lag = Milliseconds(UInt64(lag)) } == "ready up \(weight)%\n", "\(lag) ms")
        }
        #expect(line { $0.lag = Milliseconds(.max) } == "ready up 1%\n")
        #expect(line { $0.role = .pending; $0.masterID = nil } == "ready up 100%\n")
        #expect(line { $0.isReadable = false } == "down\n")
        #expect(line { $0.isDraining = true } == "drain\n")
        #expect(AgentReport.line(masterStatus(), isDraining: true) == "drain\n")
        #expect(AgentReport.line(DatabaseStatus(mode: .ha, role: .pending), isDraining: true) == "drain\n")
    }

    private final class Control: ClusterControl {
        let asked = Mutex<[MemberID?]>([])
        func switchMaster(to member: MemberID?) async throws(GraphError) -> MemberID {
            asked.withLock { $0.append(member) }
            if member == MemberID(9) { throw GraphError(.argumentError, "there is no member 9") }
            return member ?? MemberID(2)
        }

        let removed = Mutex<[MemberID]>([])
        func removeMember(_ member: MemberID) async throws(GraphError) {
            if member == MemberID(9) { throw GraphError(.invalidRequest, "there is no member 9") }
            removed.withLock { $0.append(member) }
        }

        func compareGraphs() async throws(GraphError) -> TransactionID { TransactionID(42) }

        let comparisonWaits = Mutex(0)
        func untilCompared() async { comparisonWaits.withLock { $0 += 1 } }

        let updates = Mutex(0)
        func pullUpdates() async throws(GraphError) { updates.withLock { $0 += 1 } }

        func branchedStores() throws(GraphError) -> [BranchedStore] {
            let last = LogPosition(epoch: Epoch(3), transactionID: TransactionID(77), checksum: 5)
            return [BranchedStore(beside: "/data/graph.db", time: 99, storeID: StoreID(7), last: last, master: MemberID(2), byteCount: 12)]
        }
    }

    @Test func removeMemberUpdateAndBranches() async throws {
        let control = Control()
        try await withServer(try FakePipeline(masterStatus()), control: control) { client async throws in
            func remove(_ body: String) async throws -> Int {
                try await client.send("POST", "/db/manage/server/ha/remove-member", body: body).status
            }
            #expect(try await remove(#"{"id":3}"#) == 204)
            #expect(try await remove(#"{"id":9}"#) == 400)
            #expect(try await remove(#"{"id":"3"}"#) == 400)
            #expect(try await remove("{}") == 400)
            #expect(try await client.send("POST", "/db/manage/server/ha/update").status == 204)
            let branches = try await client.get("/db/manage/server/ha/branched-stores")
            guard case .list(let list) = try JSONParser.parse(branches.body), case .map(let branch)? = list.elements.first else {
                Issue.record("no list: \(branches.text)")
                return
            }
            #expect(branch["directory"] == .string("/data/graph.db.branched-99"))
            #expect(branch["largest_tx"] == .integer(77))
            #expect(branch["creation_time"] == .integer(99))
            #expect(branch["bytes"] == .integer(12))
        }
        #expect(control.removed.withLock { $0 } == [MemberID(3)])
        #expect(control.updates.withLock { $0 } == 1)
    }

    @Test func comparisonsOfGraphs() async throws {
        let pipeline = try FakePipeline(masterStatus())
        let path = "/db/manage/server/ha/checksums"
        let control = Control()
        try await withServer(pipeline, control: control) { client async throws in
            #expect(try await client.get(path).text == "null")
            #expect(control.comparisonWaits.withLock { $0 } == 0)
            #expect(try await client.get(path + "?wait=true").text == "null")
            #expect(control.comparisonWaits.withLock { $0 } == 1)
            let started = try await client.send("POST", path)
            #expect(started.status == 202 && started.text == "{\n  \"transaction\" : 42\n}")
            var comparison = GraphComparison(
                position: LogPosition(epoch: Epoch(7), transactionID: TransactionID(42), checksum: 1),
                startedAt: 1_700_000_000_123, members: (1...3).map { MemberID($0) }, master: MemberID(1))
            comparison.note(GraphChecksum(0xAB), of: MemberID(1))
            pipeline.set { [comparison] in $0.graphComparison = comparison }
            guard case .map(let running) = try JSONParser.parse(try await client.get(path).body) else { Issue.record("no object"); return }
            #expect(running["running"] == .boolean(true) && running["duration_ms"] == .null)
            comparison.note(GraphChecksum(0xCD), of: MemberID(3))
            comparison.finish(after: 12)
            pipeline.set { [comparison] in $0.graphComparison = comparison }
            guard case .map(let ended) = try JSONParser.parse(try await client.get(path).body), case .list(let list)? = ended["members"] else {
                Issue.record("no object")
                return
            }
            #expect(ended["running"] == .boolean(false) && ended["duration_ms"] == .integer(12))
            #expect(ended["transaction"] == .integer(42) && ended["checksum"] == .string("00000000000000ab"))
            let members = list.elements.compactMap { if case .map(let map) = $0 { map } else { nil } }
            #expect(members.map { $0["differs"] } == [.boolean(false), .boolean(false), .boolean(true)])
            #expect(members.map { $0["checksum"] } == [.string("00000000000000ab"), .null, .string("00000000000000cd")])
        }
        try await withServer(try FakePipeline(masterStatus())) { client async throws in
            #expect(try await client.send("POST", path).status == 501)
        }
    }

    @Test func switchMaster() async throws {
        let control = Control()
        try await withServer(try FakePipeline(masterStatus()), control: control) { client async throws in
            func ask(_ body: String) async throws -> Reply {
                try await client.send("POST", "/db/manage/server/ha/switch-master", body: body)
            }
            #expect(try await ask(#"{"to":2}"#).text == "{\n  \"master\" : 2\n}")
            #expect(try await ask("").status == 200)
            #expect(try await ask(#"{"to":9}"#).status == 400)
            #expect(try await ask(#"{"to":"x"}"#).status == 400)
            #expect(try await ask(#"{"to":-1}"#).status == 400)
        }
        #expect(control.asked.withLock { $0 } == [MemberID(2), nil, MemberID(9)])
        try await withServer(try FakePipeline(masterStatus())) { client async throws in
            #expect(try await client.send("POST", "/db/manage/server/ha/switch-master").status == 501)
        }
    }

    @Test func clusterHeadersAndBookmarks() async throws {
        var options = RESTService.Options()
        options.isClustered = true
        let pipeline = try FakePipeline(masterStatus())
        try await withServer(pipeline, options) { client async throws in
            let write = try await client.send("POST", "/db/data/node")
            #expect(write["x-ha-role"] == "master")
            #expect(write["x-ha-epoch"] == "7")
            #expect(write["x-ha-tx"] == "1")
            #expect(try await client.get("/nothing")["x-ha-role"] == "master")

            #expect(try await client.get("/db/data/node/0", ["X-HA-Tx: 1"]).status == 200)
            pipeline.setWaitsAnswer(false)
            let late = try await client.get("/db/data/node/0", ["X-HA-Tx: 99"])
            #expect(late.status == 503)
            #expect(late["x-error-code"] == "Neo.TransientError.Transaction.BookmarkTimeout")
            #expect(try await client.get("/db/data/node/0", ["X-HA-Tx: latest"]).status == 400)

            #expect(try await client.get("/db/data/node/0", ["X-HA-Read: linearizable"]).status == 200)
            pipeline.setLinearizable(false)
            #expect(try await client.get("/db/data/node/0", ["X-HA-Read: linearizable"]).status == 503)
            #expect(try await client.get("/db/data/node/0", ["X-HA-Read: sometimes"]).status == 400)
        }
    }

    @Test func faultsOfWritesHaveTheirStatus() async throws {
        let pipeline = try FakePipeline(masterStatus())
        try await withServer(pipeline) { client async throws in
            for (code, status) in [(ErrorCode.noQuorum, 503), (.noMaster, 503), (.outcomeUnknown, 504), (.storageIO, 500), (.readOnly, 403)] {
                pipeline.failCommits(GraphError(code, "said the test"))
                let reply = try await client.send("POST", "/db/data/node")
                #expect(reply.status == status)
                #expect(reply["retry-after"] == (status == 503 ? "1" : nil))
                #expect(reply["x-error-code"] == code.name)
                #expect(reply["x-ha-tx"] == nil)
            }
        }
    }

    @Test func metrics() async throws {
        try await withServer { client async throws in
            _ = try await client.send("POST", "/db/data/node")
            _ = try await client.get("/db/data/node/0")
            _ = try await client.get("/db/data/node/77")
            _ = try await client.get("/nothing")
            let page = try await client.get("/metrics")
            #expect(page["content-type"]?.hasPrefix("text/plain; version=0.0.4") ?? false)
            for line in [
                "martlet_nodes 2", "martlet_applied_transaction 1", "martlet_role{role=\"master\"} 1",
                "martlet_http_writes_committed_total 1",
                "martlet_http_requests_total{route=\"/db/data/node/{id}\",status=\"200\"} 1",
                "martlet_http_requests_total{route=\"/db/data/node/{id}\",status=\"404\"} 1",
                "martlet_http_requests_total{route=\"unknown\",status=\"404\"} 1",
                "martlet_http_request_seconds_count{route=\"/db/data/node/{id}\"} 2",
                "martlet_http_errors_total{code=\"Neo.ClientError.Request.NotFound\"} 1",
            ] {
                #expect(page.text.contains(line + "\n"), "\(line)")
            }
        }
    }
}
