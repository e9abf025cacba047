import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import TestSupport
import Testing

extension EndToEnd {
    /// Clusters whose processes speak TLS among each other.
    @Suite(.serialized) struct SecuredClusterTests {
        private func settings(_ certificates: TestCertificates, _ name: String) -> [(key: String, value: String)] {
            [
                ("ha.tls", "true"), ("ha.tls.ca", certificates.authority), ("ha.tls.certificate", certificates.certificate(name)),
                ("ha.tls.key", certificates.key(name)),
            ]
        }

        @Test func membersWithCertificatesFailOverCopyAndBackUp() async throws {
            let certificates = try TestCertificates(for: ["member", "operator"])
            let cluster = try await TestCluster("tls", settings: settings(certificates, "member"))
            let writers = WriteLoad(clients: 8, ports: [cluster.writePort])
            var gaps: [Double] = []
            for round in 1...3 { gaps.append(try cluster.loseMaster(under: writers, round: round).seconds) }
            print("failover with TLS after kill -9, seconds: \(gaps)")
            #expect(gaps.sorted()[1] <= 3)

            // A member without a store copies one, over TLS as well.
            let master = try cluster.master()
            let slave = try #require(cluster.members.first { $0.id != master.id })
            cluster.signal(slave, SIGKILL)
            try waitUntil("the slave has ended") { slave.process == nil }
            removeTree(slave.directory + "/data")
            try cluster.restart(slave)
            #expect(cluster.logLines(slave).contains { $0.contains("store copy finished") })

            // Backups need a certificate.
            let from = "single://127.0.0.1:\(master.backupPort)"
            let plain = try Program.run(["backup", "-full", "-from", from, "-to", cluster.directory + "/plain"])
            #expect(plain.status == 1, "\(plain.output)")
            let backup = try Program.run([
                "backup", "-full", "-from", from, "-to", cluster.directory + "/backup", "--tls-ca", certificates.authority,
                "--tls-certificate", certificates.certificate("operator"), "--tls-key", certificates.key("operator"),
            ])
            #expect(backup.status == 0, "\(backup.output)")
            writers.stop()
            try FailoverTests.expectAllThere(cluster, writers.acknowledgedKeys)
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }

        /// Without TLS, or with a certificate from another authority.
        @Test(arguments: ["plain", "foreign"]) func strangersCannotJoinAndDisturbNobody(kind: String) async throws {
            let certificates = try TestCertificates(for: ["member"])
            let cluster = try await TestCluster("tls-\(kind)", settings: settings(certificates, "member"))
            let writers = WriteLoad(clients: 4, ports: [cluster.writePort])
            let master = try cluster.master()
            let directory = try TestCluster.temporaryDirectory("stranger")
            let log = directory + "/log"
            let foreign = try TestCertificates(for: ["member"])
            var all = kind == "plain" ? [] : settings(foreign, "member")
            all += [
                ("org.neo4j.server.database.mode", "HA"), ("org.neo4j.server.database.location", directory + "/graph.db"),
                ("org.neo4j.server.webserver.port", "0"), ("online_backup_port", "0"), ("ha.server_id", "9"),
                ("ha.server", "127.0.0.1:\(try freePorts(1)[0])"),
                ("ha.coordinators", cluster.members.map { "127.0.0.1:\($0.coordinatorPort)" }.joined(separator: ",")),
            ]
            var arguments = ["server", "console"]
            for (key, value) in all { arguments += ["--set", "\(key)=\(value)"] }
            let stranger = try ChildProcess.start(TestCluster.program, arguments, outputPath: log, detached: false)
            try waitUntil("a member names the stranger") {
                cluster.members.contains { cluster.logLines($0).contains { $0.contains("TLS: ") } }
            }
            let since = monotonicNanoseconds()
            let before = writers.acknowledgedCount
            try waitUntil("five seconds have passed") { monotonicNanoseconds() > since + 5_000_000_000 }
            #expect(writers.acknowledgedCount > before + 200)
            let text = String(decoding: (try? POSIXFileSystem().readAll(log)) ?? [], as: UTF8.self)
            #expect(!text.contains("\nready "), "\(text)")
            withExtendedLifetime(foreign) { stranger.kill9() }
            try waitUntil("the stranger has ended") { !stranger.isRunning }
            removeTree(directory)
            #expect(try cluster.master().id == master.id)
            if case .list(let members)? = cluster.status(master)?["members"] { #expect(members.elements.count == 3) }
            writers.stop()
            #expect(writers.state.withLock { $0.refused.isEmpty && $0.unknown == 0 }, "\(writers.summary)")
            await cluster.stop()
        }
    }
}
