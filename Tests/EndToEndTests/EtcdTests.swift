import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import TestSupport
import Testing

extension EndToEnd {
    /// Clusters whose register lies in a real etcd.
    @Suite(.serialized) struct EtcdTests {
        @Test func foundingFailoverAndSwitchoverGoThroughEtcd() async throws {
            let etcd = try EtcdEnsemble("etcd-one", count: 1)
            let cluster = try await TestCluster("on-etcd", etcdEndpoints: etcd.endpoints)
            var lines: [(member: Int, line: String)] = []
            let writers = WriteLoad(clients: 8, ports: [cluster.writePort])
            var gaps: [Double] = []
            for round in 1...5 {
                let loss = try cluster.loseMaster(under: writers, round: round)
                lines += loss.lines
                gaps.append(loss.seconds)
            }
            print("failover over etcd after kill -9, seconds: \(gaps)")
            #expect(gaps.sorted()[2] <= 3)
            let master = try cluster.master()
            let answer = try cluster.client(master.httpPort).request("POST", "/db/manage/server/ha/switch-master", body: "{}")
            #expect(answer.status == 200, "\(answer.text)")
            let before = writers.acknowledgedCount
            try waitUntil("writes go on after the switchover") { writers.acknowledgedCount > before + 200 }
            writers.stop()
            try FailoverTests.expectAllThere(cluster, writers.acknowledgedKeys)
            for member in cluster.members { lines += cluster.logLines(member).map { (member.id, $0) } }
            FailoverTests.expectOneMasterPerEpoch(lines)
            // What members agree on lies where the documentation says.
            let key = try etcd.control(["get", "/martlet/martlet.ha/register", "--keys-only"])
            #expect(key.output.contains("/martlet/martlet.ha/register"), "\(key.output)")
            try await cluster.stopAndCompareStores()
            await cluster.stop()
            etcd.stop()
        }

        @Test func lossOfEtcdStopsElectionsAndNothingElse() async throws {
            let etcd = try EtcdEnsemble("etcd-three", count: 3)
            let cluster = try await TestCluster("etcd-loss", etcdEndpoints: etcd.endpoints)
            let first = try cluster.master()
            let throughMaster = WriteLoad(clients: 4, ports: [first.httpPort])
            let throughSlaves = WriteLoad(
                clients: 4, ports: cluster.members.filter { $0.id != first.id }.map(\.httpPort), keys: 1_000_000_000)
            let readers = ReadLoad(clients: 2, port: cluster.readPort)
            func writesGoOn(_ when: String) throws {
                let before = (throughMaster.acknowledgedCount, throughSlaves.acknowledgedCount)
                try waitUntil("writes through the master go on \(when)") { throughMaster.acknowledgedCount > before.0 + 100 }
                try waitUntil("writes through slaves go on \(when)") { throughSlaves.acknowledgedCount > before.1 + 100 }
            }
            /// But for a lease that a machine with much else to do lets lapse for a moment.
            func nothingFailed(_ when: String) {
                for load in [throughMaster, throughSlaves] {
                    let isFine = load.state.withLock { state in
                        state.unknown == 0 && state.refused.allSatisfy { $0.key == 503 && $0.value <= state.acknowledged.count / 50 }
                    }
                    #expect(isFine, "\(when): \(load.summary)")
                }
            }
            try writesGoOn("at first")
            // One of three: the others answer.
            etcd.signal(0, SIGKILL)
            try writesGoOn("without one of etcd")
            // The rest falls silent, as if the network to it were gone, for longer than any time limit of a member.
            etcd.signal(1, SIGSTOP)
            etcd.signal(2, SIGSTOP)
            let silentAt = monotonicNanoseconds()
            try waitUntil("eight seconds have passed") { monotonicNanoseconds() > silentAt + 8_000_000_000 }
            try writesGoOn("without etcd")
            nothingFailed("while etcd was away")
            #expect(try cluster.master().id == first.id)

            // Now the master dies: nobody can take over, and everybody says so at once.
            cluster.signal(first, SIGKILL)
            let killedAt = monotonicNanoseconds()
            throughMaster.stop()
            let slaves = cluster.members.filter { $0.id != first.id }
            try waitUntil("five seconds have passed") { monotonicNanoseconds() > killedAt + 5_000_000_000 }
            let quietAt = monotonicNanoseconds()
            #expect(!slaves.contains(where: cluster.isMaster), "a master without a word of etcd")
            for slave in slaves {
                let write = try cluster.client(slave.httpPort).cypher("CREATE (n:W {key: 1})")
                #expect(write.status == 503, "\(write.status) \(write.text.prefix(200))")
                #expect(try cluster.client(slave.httpPort).rows("MATCH (n:W) RETURN count(n)").count == 1)
            }
            #expect(throughSlaves.firstAcknowledgement(after: quietAt) == nil)

            // etcd comes back, and with it the election.
            etcd.signal(1, SIGCONT)
            etcd.signal(2, SIGCONT)
            let returnedAt = monotonicNanoseconds()
            let gap = try throughSlaves.secondsUntilWrite(after: returnedAt)
            print("etcd returned → first write: \(gap) s")
            #expect(gap <= 10)
            try cluster.restart(first)
            readers.stop()
            throughSlaves.stop()
            #expect(readers.failures.count <= 20 + readers.doneCount / 20, "\(readers.failures.prefix(3))")
            try FailoverTests.expectAllThere(cluster, throughMaster.acknowledgedKeys + throughSlaves.acknowledgedKeys)
            // The members say what happened.
            let lines = slaves.flatMap(cluster.logLines)
            #expect(lines.contains { $0.contains("etcd cannot be used") })
            #expect(lines.contains { $0.contains("answers again") })
            try await cluster.stopAndCompareStores()
            await cluster.stop()
            etcd.stop()
        }

        @Test func tlsAndLoginAreUsed() async throws {
            let certificates = try TestCertificates(for: ["etcd", "operator", "member"])
            let etcd = try EtcdEnsemble("etcd-tls", count: 1, certificates: certificates)
            for command in [
                ["user", "add", "root:secret"], ["user", "grant-role", "root", "root"], ["user", "add", "martlet:pass"],
                ["role", "add", "martlet"], ["role", "grant-permission", "martlet", "readwrite", "/martlet/martlet.ha/register"],
                ["user", "grant-role", "martlet", "martlet"], ["auth", "enable"],
            ] {
                let outcome = try etcd.control(command)
                // "user grant-role root root" is said to be done already by some versions.
                if command[1] != "grant-role" { try #require(outcome.status == 0, "\(command): \(outcome.output)") }
            }
            let security = [
                ("ha.etcd.tls", "true"), ("ha.etcd.tls.ca", certificates.authority),
                ("ha.etcd.tls.certificate", certificates.certificate("member")), ("ha.etcd.tls.key", certificates.key("member")),
            ]
            let cluster = try await TestCluster(
                "tls-etcd", settings: security + [("ha.etcd.user", "martlet"), ("ha.etcd.password", "pass")],
                etcdEndpoints: etcd.endpoints)
            let writers = WriteLoad(clients: 4, ports: [cluster.writePort])
            try waitUntil("writes go on") { writers.acknowledgedCount > 200 }
            // Tokens do not outlive etcd's process.
            etcd.signal(0, SIGKILL)
            try etcd.start(0)
            let master = try cluster.master()
            let killedAt = monotonicNanoseconds()
            cluster.signal(master, SIGKILL)
            _ = try writers.secondsUntilWrite(after: killedAt)
            try cluster.restart(master)
            writers.stop()
            try FailoverTests.expectAllThere(cluster, writers.acknowledgedKeys)
            try await cluster.stopAndCompareStores()
            await cluster.stop()

            // What is wrong is named: the password, the missing certificate.
            for (name, settings, message) in [
                ("password", security + [("ha.etcd.user", "martlet"), ("ha.etcd.password", "wrong")], "invalid user ID or password"),
                ("certificate", Array(security[..<2]), "etcd cannot be used"),
            ] {
                let directory = try TestCluster.temporaryDirectory("etcd-\(name)")
                let log = directory + "/log"
                var arguments = ["server", "console"]
                let all =
                    settings + [
                        ("org.neo4j.server.database.mode", "HA"), ("org.neo4j.server.database.location", directory + "/graph.db"),
                        ("org.neo4j.server.webserver.port", "0"), ("online_backup_port", "0"), ("ha.server_id", "1"),
                        ("ha.server", "127.0.0.1:\(try freePorts(1)[0])"), ("ha.coordination", "etcd"),
                        ("ha.coordinators", etcd.endpoints[0]),
                    ]
                for (key, value) in all { arguments += ["--set", "\(key)=\(value)"] }
                let process = try ChildProcess.start(TestCluster.program, arguments, outputPath: log, detached: false)
                try waitUntil("the log names the \(name)") {
                    String(decoding: (try? POSIXFileSystem().readAll(log)) ?? [], as: UTF8.self).contains(message)
                }
                process.kill9()
                try waitUntil("it has ended") { !process.isRunning }
                removeTree(directory)
            }
            etcd.stop()
        }

        @Test func settingsThatDoNotGoTogetherAreNamed() throws {
            let directory = try TestCluster.temporaryDirectory("etcd-settings")
            let common = [
                "org.neo4j.server.database.mode=HA", "org.neo4j.server.database.location=\(directory)/graph.db", "ha.server_id=1",
                "ha.server=127.0.0.1:0", "ha.coordination=etcd", "ha.coordinators=127.0.0.1:1",
            ]
            for (settings, message) in [
                (["ha.coordinator=127.0.0.1:1"], "ha.coordinator=127.0.0.1:1"),
                (["ha.etcd.user=a"], "ha.etcd.user and ha.etcd.password go together"),
                (["ha.etcd.tls=true", "ha.etcd.tls.key=/k"], "ha.etcd.tls.certificate and ha.etcd.tls.key go together"),
                (["ha.etcd.tls=true", "ha.etcd.tls.ca=\(directory)/nowhere"], "\(directory)/nowhere"),
                (["ha.tls=true"], "ha.tls.ca is missing"), (["ha.coordination=zookeeper"], "embedded or etcd"),
            ] {
                let arguments = (common + settings).flatMap { ["--set", $0] }
                let outcome = try Program.run(["server", "console"] + arguments)
                #expect(outcome.status == 2, "\(settings): \(outcome.output)")
                #expect(outcome.output.contains(message), "\(settings): \(outcome.output)")
            }
            let coordinator = try Program.run(["coordinator", "console"] + common.flatMap { ["--set", $0] })
            #expect(coordinator.status == 2 && coordinator.output.contains("ha.coordination=etcd"), "\(coordinator.output)")
            removeTree(directory)
        }
    }
}
