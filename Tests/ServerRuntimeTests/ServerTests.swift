import Database
import FileSystem
import GraphModel
import Logging
import RESTServer
import ServerRuntime
import Storage
import Synchronization
import Testing

@Suite struct ServerTests {
    private func configuration(_ directory: String, _ more: [(key: String, value: String)] = []) throws -> Configuration {
        try Configuration(
            file: nil, environment: [:],
            overrides: [
                ("org.neo4j.server.webserver.port", "0"), ("online_backup_port", "0"),
                ("org.neo4j.server.database.location", directory + "/graph.db"),
            ] + more)
    }

    private func quiet() -> Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private func failure(_ body: () async throws -> Void) async -> GraphError? {
        do { try await body() } catch { return error as? GraphError }
        return nil
    }

    @Test func whatWasWrittenIsThereAfterARestart() async throws {
        try await withTemporaryDirectory { directory async throws in
            let first = Server(try configuration(directory), logger: quiet())
            try await first.start()
            try await first.untilServing()
            #expect(first.httpPort > 0)
            #expect(first.readyLine == "ready http://127.0.0.1:\(first.httpPort)/ mode=SINGLE store=\(directory)/graph.db")
            // Nothing may hold on to the database: its store stays locked as long as it lives.
            let written = try #require(try await first.database?.write { transaction throws(GraphError) in
                try transaction.createNode(properties: [("name", .string("a"))])
            })
            await first.stop()
            await first.stop()
            #expect(first.httpPort == 0)

            let second = Server(try configuration(directory), logger: quiet())
            try await second.start()
            let exists = try await second.database?.read { transaction throws(GraphError) in
                transaction.nodeExists(written.value)
            }
            #expect(exists == true)
            await second.stop()
        }
    }

    /// 14.12.1: what the file says is added to what the database knows.
    @Test func automaticIndexesAreConfigured() async throws {
        try await withTemporaryDirectory { directory async throws in
            func settings(_ more: [(key: String, value: String)]) async throws -> [AutoIndexing] {
                let server = Server(try configuration(directory, more), logger: quiet())
                try await server.start()
                try await server.untilServing()
                let found = try await server.database?.read { transaction throws(GraphError) in
                    [transaction.autoIndexing(.node), transaction.autoIndexing(.relationship)]
                }
                await server.stop()
                return found ?? []
            }
            let first = try await settings([
                ("node_auto_indexing", "true"), ("node_keys_indexable", "name, phone"), ("relationship_keys_indexable", "since"),
            ])
            #expect(first.map(\.isEnabled) == [true, false])
            #expect(first.map(\.keys) == [["name", "phone"], ["since"]])
            #expect(try await settings([]) == first)
            let last = try await settings([("node_auto_indexing", "false"), ("node_keys_indexable", "age")])
            #expect(last.map(\.isEnabled) == [false, false])
            #expect(last.map(\.keys) == [["name", "phone", "age"], ["since"]])
        }
    }

    @Test func aTakenPortIsAnErrorThatNamesIt() async throws {
        try await withTemporaryDirectory { directory async throws in
            let first = Server(try configuration(directory, [("ha.agent_check_port", "0")]), logger: quiet())
            try await first.start()
            #expect(first.agentCheckPort > 0)
            let taken = Server(
                try configuration(directory + "/taken", [("ha.agent_check_port", String(first.agentCheckPort))]), logger: quiet())
            let agentError = await failure { try await taken.start() }
            #expect(agentError?.message.contains("ha.agent_check_port=\(first.agentCheckPort): cannot listen on 127.0.0.1:") ?? false)
            let port = first.httpPort
            let other = Server(
                try configuration(directory + "/other", [("org.neo4j.server.webserver.port", String(port))]), logger: quiet())
            let error = await failure { try await other.start() }
            #expect(error?.message.contains("org.neo4j.server.webserver.port: 127.0.0.1:\(port) is in use by another process") ?? false)
            #expect(error.map { ExitStatus($0) } == .failure)
            // It left nothing open: the store can be opened again.
            let again = Server(try configuration(directory + "/other"), logger: quiet())
            try await again.start()
            await again.stop()
            await first.stop()
        }
    }

    @Test func storesThatCannotBeOpened() async throws {
        try await withTemporaryDirectory { directory async throws in
            let first = Server(try configuration(directory), logger: quiet())
            try await first.start()
            let locked = await failure { try await Server(try configuration(directory), logger: quiet()).start() }
            #expect(locked?.code == .storeLocked)
            #expect(locked?.message.contains("org.neo4j.server.database.location=\(directory)/graph.db") ?? false)
            await first.stop()

            try POSIXFileSystem().createDirectory(directory + "/other/graph.db")
            try POSIXFileSystem().replace(directory + "/other/graph.db/holiday.jpg", with: [1])
            let foreign = await failure { try await Server(try configuration(directory + "/other"), logger: quiet()).start() }
            #expect(foreign?.code == .foreignStore)
            #expect(foreign?.message.contains("holiday.jpg") ?? false)
            #expect(foreign.map { ExitStatus($0) } == .failure)

            let cluster = await failure {
                try await Server(try configuration(directory, [("org.neo4j.server.database.mode", "HA")]), logger: quiet()).start()
            }
            #expect(cluster.map { ExitStatus($0) } == .usage)
        }
    }

    @Test func aFactoryPlugsIntoStartAndStop() async throws {
        try await withTemporaryDirectory { directory async throws in
            let steps = Mutex<[String]>([])
            let box = StepBox(steps)
            let factory: DatabaseFactory = { configuration, logger throws(GraphError) in
                var assembly = try await DatabaseFactories.single(configuration, logger)
                assembly.isClustered = true
                assembly.httpIsListening = { host, port throws(GraphError) in box.add("listening \(host) \(port > 0)") }
                assembly.untilServing = { () throws(GraphError) in box.add("serving") }
                assembly.beforeListenerCloses = { () throws(GraphError) in box.add("handing over") }
                assembly.afterClose = { () throws(GraphError) in
                    box.add("closed")
                    throw GraphError(.general, "not the end of the world")
                }
                return assembly
            }
            let server = Server(try configuration(directory), factory: factory, logger: quiet())
            try await server.start()
            try await server.untilServing()
            await server.stop()
            #expect(box.all == ["listening 127.0.0.1 true", "serving", "handing over", "closed"])
        }
    }

    @Test func logLinesAreOneLineEach() {
        let lines = StepBox(Mutex([]))
        let logger = Logger(label: "server") { LineLogHandler(label: $0, level: .info) { lines.add($0) } }
        logger.info("two\nlines", metadata: ["b": "2", "a": "1"])
        logger.debug("unseen")
        #expect(lines.all.count == 1)
        #expect(lines.all[0].wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info    server: two\\nlines a=1 b=2/#) != nil)
    }
}

/// Collects texts from anywhere.
final class StepBox: Sendable {
    private let steps: Mutex<[String]>
    init(_ steps: consuming Mutex<[String]>) { self.steps = steps }
    func add(_ step: String) { steps.withLock { $0.append(step) } }
    var all: [String] { steps.withLock { $0 } }
}
