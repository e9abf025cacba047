import FileSystem
import GraphModel
import ServerRuntime
import Testing

@Suite struct ConfigurationTests {
    private func load(
        _ text: String? = nil, environment: [String: String] = [:], _ overrides: [(String, String)] = []
    ) throws -> Configuration {
        try withTemporaryDirectory { directory in
            var file: String?
            if let text {
                let path = directory + "/martlet.properties"
                try POSIXFileSystem().replace(path, with: Array(text.utf8))
                file = path
            }
            return try Configuration(
                file: file, environment: environment, overrides: overrides.map { (key: $0.0, value: $0.1) })
        }
    }

    private func failure(_ body: () throws -> Void) -> GraphError? {
        do { try body() } catch { return error as? GraphError }
        return nil
    }

    @Test func laterSourcesWin() throws {
        let key = "org.neo4j.server.webserver.port"
        #expect(try load().value(Settings.webPort) == 7474)
        #expect(try load("\(key)=1").value(Settings.webPort) == 1)
        let environment = ["MARTLET_ORG_NEO4J_SERVER_WEBSERVER_PORT": "2"]
        #expect(try load("\(key)=1", environment: environment).value(Settings.webPort) == 2)
        let configuration = try load("\(key)=1", environment: environment, [(key, "3")])
        #expect(configuration.value(Settings.webPort) == 3)
        #expect(configuration.dump.contains("\(key)=3  # command line"))
        #expect(configuration.dump.contains("ha.cluster_name=martlet.ha  # default"))
    }

    @Test func secretsAreShownToNobody() throws {
        let configuration = try load("ha.etcd.user=martlet\nha.etcd.password=opensesame\n")
        #expect(configuration.value(Settings.etcdPassword) == "opensesame")
        #expect(configuration.dump.contains("ha.etcd.user=martlet  # "))
        #expect(configuration.dump.contains("ha.etcd.password=…  # "))
        #expect(!configuration.dump.contains("opensesame"))
    }

    @Test func badValuesNamePlaceValueAndWhatIsAllowed() {
        let error = failure { _ = try load("# comment\n\norg.neo4j.server.webserver.port = many\n") }
        #expect(error?.code == .configuration)
        #expect(error?.message.hasSuffix("line 3: org.neo4j.server.webserver.port=many is not valid; allowed: 0 (chosen by the kernel) to 65535") ?? false)
        for (key, value) in [
            ("org.neo4j.server.webserver.port", "65536"), ("org.neo4j.server.database.mode", "BOTH"),
            ("ha.heartbeat_interval", "fast"), ("ha.heartbeat_interval", "1ms"), ("ha.server", "host"),
            ("ha.write_timeout", "0"), ("ha.write_timeout", "100ms"), ("ha.write_timeout", "1h"),
            ("ha.slave_only", "perhaps"), ("martlet.checkpoint.threshold", "64X"), ("martlet.log.level", "loud"),
        ] {
            let error = failure { _ = try load(nil, [(key, value)]) }
            #expect(error?.message.contains("command line: \(key)=\(value) is not valid; allowed: ") ?? false, "\(key)")
        }
        #expect(failure { _ = try load("no separator here") }?.message.contains("line 1: \"no separator here\" is not key=value") ?? false)
        #expect(failure { _ = try Configuration(file: "/nowhere/x", environment: [:], overrides: []) }?.code == .configuration)
    }

    @Test func unknownKeysAreWarnings() throws {
        let configuration = try load("ha.server_idd=1\nsomething.else=2\n")
        #expect(configuration.warnings.count == 2)
        #expect(configuration.warnings[0].hasSuffix("line 1: unknown key ha.server_idd is ignored. Did you mean ha.server_id?"))
    }

    @Test func everyDefaultIsAllowedAndDocumented() throws {
        let table = Configuration.documentation
        for setting in Settings.all {
            #expect(table.contains("| `\(setting.name)` |"))
            if let text = setting.defaultText {
                #expect(throws: Never.self) { try load(nil, [(setting.name, text)]) }
            }
        }
    }

    @Test func relativePathsStartAtTheFile() throws {
        let configuration = try load("org.neo4j.server.database.location=graph")
        #expect(configuration.path(Settings.location) == configuration.baseDirectory + "/graph")
        #expect(try load(nil, [("org.neo4j.server.database.location", "/abs")]).path(Settings.location) == "/abs")
    }
}
