import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Storage
import Testing

extension EndToEnd {
    /// What an operator meets when something is wrong: one clear line, the right exit code, nothing half done.
    @Suite(.serialized) struct ProcessTests {
        /// A single server in a directory of its own.
        final class SingleServer {
            let directory: String
            let process: ChildProcess
            let port: Int
            private let log: String
            var output: String { String(decoding: (try? POSIXFileSystem().readAll(log)) ?? [], as: UTF8.self) }

            init(directory: String, port: Int? = nil, settings: [String] = []) throws {
                self.directory = directory
                let log = directory + "/console.\(monotonicNanoseconds())"
                self.log = log
                process = try ChildProcess.start(
                    TestCluster.program,
                    ["server", "console"] + Self.settings(directory, port: port ?? 0) + settings.flatMap { ["--set", $0] },
                    outputPath: log, detached: false)
                let child = process
                var found: Int?
                try waitUntil("the server serves") {
                    let text = String(decoding: (try? POSIXFileSystem().readAll(log)) ?? [], as: UTF8.self)
                    guard let ready = text.split(separator: "\n").first(where: { $0.hasPrefix("ready http://127.0.0.1:") }) else {
                        if !child.isRunning { throw BlockingHTTPClient.Broken(description: text) }
                        return false
                    }
                    found = Int(ready.dropFirst("ready http://127.0.0.1:".count).prefix { $0.isNumber })
                    return found != nil
                }
                self.port = try #require(found)
            }

            static func settings(_ directory: String, port: Int) -> [String] {
                [
                    "--set", "org.neo4j.server.database.location=\(directory)/graph.db", "--set",
                    "org.neo4j.server.webserver.port=\(port)", "--set", "online_backup_port=0",
                ]
            }

            func kill(_ signal: Int32) throws {
                Glibc.kill(process.processID, signal)
                try waitUntil("the server has ended") { !process.isRunning }
            }
        }

        @Test func killedServerHasExactlyTheAcknowledgedWrites() throws {
            let directory = try TestCluster.temporaryDirectory("single")
            var acknowledged: [Int64] = []
            for round in 0..<10 as Range<Int64> {
                let server = try SingleServer(directory: directory)
                let load = WriteLoad(clients: 8, ports: [server.port], keys: round * 1_000_000_000)
                try waitUntil("writes go on") { load.acknowledgedCount > 300 }
                try server.kill(SIGKILL)
                load.stop()
                acknowledged += load.acknowledgedKeys
            }
            let server = try SingleServer(directory: directory)
            let rows = try BlockingHTTPClient(port: server.port).rows("MATCH (n:W) RETURN n.key")
            let there = Set(rows.compactMap { row -> Int64? in if case .integer(let key)? = row.first { key } else { nil } })
            #expect(there.count == rows.count)
            #expect(acknowledged.allSatisfy(there.contains))
            try server.kill(SIGTERM)
            #expect(try Program.run(["check", directory + "/graph.db"]).status == 0)
            removeTree(directory)
        }

        @Test func secondProcessOnAStoreOrAPortIsRefused() throws {
            let directory = try TestCluster.temporaryDirectory("locked")
            let server = try SingleServer(directory: directory)
            let store = try Program.run(["server", "console"] + SingleServer.settings(directory, port: 0))
            #expect(store.status == 1)
            #expect(store.output.contains("is in use by another process"), "\(store.output)")
            let port = try Program.run(["server", "console"] + SingleServer.settings(directory + "/other", port: server.port))
            #expect(port.status == 1)
            #expect(port.output.contains("org.neo4j.server.webserver.port"), "\(port.output)")
            // And the first one has not noticed.
            #expect(try BlockingHTTPClient(port: server.port).request("GET", "/db/data/node/0").status == 200)
            try server.kill(SIGTERM)
            removeTree(directory)
        }

        @Test func foreignAndDamagedStoresAreNamed() throws {
            let directory = try TestCluster.temporaryDirectory("foreign")
            let fileSystem = POSIXFileSystem()
            try fileSystem.createDirectory(directory + "/graph.db")
            try fileSystem.replace(directory + "/graph.db/neostore", with: Array("something else".utf8))
            let foreign = try Program.run(["server", "console"] + SingleServer.settings(directory, port: 0))
            #expect(foreign.status == 1)
            #expect(foreign.output.contains("neostore"), "\(foreign.output)")
            try fileSystem.remove(directory + "/graph.db/neostore")
            try fileSystem.replace(directory + "/graph.db/manifest", with: Array("MMAN but nothing that follows from it".utf8))
            let damaged = try Program.run(["server", "console"] + SingleServer.settings(directory, port: 0))
            #expect(damaged.status == 1)
            #expect(damaged.output.contains("manifest"), "\(damaged.output)")
            removeTree(directory)
        }

        @Test func mistakesInTheConfigurationAreNamed() throws {
            let directory = try TestCluster.temporaryDirectory("configuration")
            let path = directory + "/martlet.properties"
            try POSIXFileSystem().replace(path, with: Array("org.neo4j.server.database.mode=CLUSTER\n".utf8))
            let value = try Program.run(["server", "console", "--config", path])
            #expect(value.status == 2)
            #expect(value.output.contains("\(path) line 1") && value.output.contains("SINGLE or HA"), "\(value.output)")
            let member = try Program.run(["server", "console", "--set", "org.neo4j.server.database.mode=HA"])
            #expect(member.status == 2)
            #expect(member.output.contains("ha.server"), "\(member.output)")
            try POSIXFileSystem().replace(path, with: Array("org.neo4j.server.webserver.prot=1\n".utf8))
            let typo = try Program.run(["server", "config", "--dump", "--config", path])
            #expect(typo.status == 0)
            #expect(typo.output.contains("Did you mean org.neo4j.server.webserver.port?"), "\(typo.output)")
            let missing = try Program.run(["server", "console", "--config", directory + "/nowhere.properties"])
            #expect(missing.status == 2, "\(missing.output)")
            removeTree(directory)
        }

        @Test func badRequestsGetClearAnswersAndTheServerStaysUp() throws {
            let directory = try TestCluster.temporaryDirectory("requests")
            let server = try SingleServer(directory: directory)
            let client = BlockingHTTPClient(port: server.port)
            let before = try client.rows("START n=node(*) RETURN count(*)")
            let cases: [(method: String, path: String, body: String?, status: Int, part: String)] = [
                ("POST", "/db/data/cypher", "{\"query\": \"RETURN", 400, "offset"),
                ("POST", "/db/data/cypher", "{\"query\": \"START n=node(0) RETRUN n\"}", 400, "^"),
                ("POST", "/db/data/cypher", "{\"query\": \"CREATE (n {a: {m}})\", \"params\": {\"m\": {\"b\": {}}}}", 400, "Map"),
                ("POST", "/db/data/cypher", "{\"query\": \"START n=node({id}) RETURN n\", \"params\": {\"id\": 987654}}", 400, "987654"),
                ("POST", "/db/data/node", "{\"a\": {\"b\": 1}}", 400, ""), ("POST", "/db/data/node", "[1]", 400, ""),
                ("GET", "/db/data/node/987654", nil, 404, "987654"), ("GET", "/db/data/node/abc", nil, 404, ""),
                ("DELETE", "/db/data/relationship/5", nil, 404, "5"), ("PATCH", "/db/data/node/0", nil, 405, ""),
                ("GET", "/db/data/nowhere", nil, 404, "/db/data/nowhere"),
                ("POST", "/db/data/node", String(repeating: "[", count: 100_000), 400, ""),
            ]
            for (method, path, body, status, part) in cases {
                let answer = try client.request(method, path, body: body)
                #expect(answer.status == status, "\(method) \(path) \(body?.prefix(60) ?? ""): \(answer.text.prefix(300))")
                #expect(part.isEmpty || answer.text.contains(part), "\(method) \(path): \(answer.text.prefix(300))")
            }
            #expect(try client.rows("START n=node(*) RETURN count(*)") == before)
            try server.kill(SIGTERM)
            removeTree(directory)
        }
    }
}
