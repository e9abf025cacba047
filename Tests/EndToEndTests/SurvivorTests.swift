import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Testing

extension EndToEnd {
    @Suite(.serialized) struct SurvivorTests {
        /// Two members with a coordinator each, and a third coordinator alone.
        private func twoMembers(_ name: String) async throws -> (TestCluster, arbiter: ChildProcess) {
            var started: ChildProcess?
            let cluster = try await TestCluster(name, memberCount: 2) { cluster in
                let arbiterPort = try freePorts(1)[0]
                let addresses = cluster.members.map { "127.0.0.1:\($0.coordinatorPort)" } + ["127.0.0.1:\(arbiterPort)"]
                let all = "ha.coordinators=" + addresses.joined(separator: ",")
                let fileSystem = POSIXFileSystem()
                for (member, address) in zip(cluster.members, addresses) {
                    let kept = String(decoding: try fileSystem.readAll(member.configurationPath), as: UTF8.self)
                        .split(separator: "\n").filter { !$0.hasPrefix("ha.coordinator") }
                    let text = (kept.map(String.init) + [all, "ha.coordinator=\(address)", ""]).joined(separator: "\n")
                    try fileSystem.replace(member.configurationPath, with: Array(text.utf8))
                }
                let directory = cluster.options.directory
                let text = "org.neo4j.server.database.location=arbiter/graph.db\n\(all)\nha.coordinator=\(addresses[2])\n"
                try fileSystem.replace(directory + "/arbiter.properties", with: Array(text.utf8))
                started = try ChildProcess.start(
                    TestCluster.program, ["coordinator", "console", "--config", directory + "/arbiter.properties"],
                    outputPath: directory + "/arbiter.log", detached: false)
            }
            return (cluster, try #require(started))
        }

        /// Seconds until a member takes a write.
        private func secondsUntilWrite(_ port: Int, _ key: Int, since began: UInt64) throws -> Double {
            try waitUntil("a write is taken") {
                (try? BlockingHTTPClient(port: port, timeoutSeconds: 10).cypher("CREATE (n:W {key: \(key)})").status) == 200
            }
            return Double(monotonicNanoseconds() - began) / 1e9
        }

        /// `role` and `unreachable_since` of a member in the list of another.
        private func view(of id: Int, by member: LocalCluster.Member, _ cluster: TestCluster) -> (role: String, since: String)? {
            guard case .list(let list)? = cluster.status(member)?["members"] else { return nil }
            for case .map(let entry) in list.elements where entry["id"] == .integer(Int64(id)) {
                guard case .string(let role)? = entry["role"], case .string(let since)? = entry["unreachable_since"] else { return nil }
                return (role.text, since.text)
            }
            return nil
        }

        @Test func theSurvivorOfTwoGoesOnSoonAndShowsTheOtherAsUnreachable() async throws {
            let (cluster, arbiter) = try await twoMembers("survivor")
            defer { arbiter.kill9() }
            do {
                let master = try cluster.master()
                let slave = try #require(cluster.members.first { $0.id != master.id })
                var killedAt = monotonicNanoseconds()
                cluster.signal(slave, SIGKILL)
                let withoutSlave = try secondsUntilWrite(master.httpPort, 1, since: killedAt)
                #expect(cluster.logLines(master).contains { $0.contains(" warning ") && $0.contains("member \(slave.id) out: connection refused") })
                try waitUntil("the killed member is shown as unreachable") { view(of: slave.id, by: master, cluster)?.role == "unreachable" }
                let since = try #require(view(of: slave.id, by: master, cluster)?.since)
                let shown = try Program.run(["cluster", "status", "--from", master.httpAddress])
                let line = try #require(shown.output.split(separator: "\n").first { $0.hasPrefix("\(slave.id) ") })
                #expect(line.contains("unreachable") && line.contains(since.prefix(10)), "\(shown.output)")
                try cluster.restart(slave)

                killedAt = monotonicNanoseconds()
                cluster.signal(master, SIGKILL)
                let withoutMaster = try secondsUntilWrite(slave.httpPort, 2, since: killedAt)
                print("of two members, seconds until the survivor takes a write: \(withoutSlave) without the slave, \(withoutMaster) without the master")
                // Silence alone is waited for for five seconds.
                #expect(withoutSlave < 3.5)
                #expect(withoutMaster < 4)
                try cluster.restart(master)
                try await cluster.stopAndCompareStores()
            } catch {
                await cluster.stop(keep: true)
                throw error
            }
            await cluster.stop()
        }

        /// Takes the end of a log away, from its last entry on.
        private func cutLog(_ store: String, byteCount: Int) throws {
            let fileSystem = POSIXFileSystem()
            let name = try #require(try fileSystem.list(store).filter { $0.hasSuffix(".mlog") }.max())
            let bytes = try fileSystem.readAll("\(store)/\(name)")
            let end = try #require(bytes.lastIndex { $0 != 0 })
            try #require(end > 2 * byteCount)
            #expect(truncate("\(store)/\(name)", end - byteCount) == 0)
        }

        /// A lone member that lost the end of its log waits for an operator, who is told what is lost.
        @Test func aLoneMemberCountsAgainOnceItsLossIsAccepted() async throws {
            let cluster = try await TestCluster("loss", memberCount: 1)
            do {
                let member = cluster.members[0]
                let store = member.directory + "/data/graph.db"
                for key in 0..<50 { #expect(try cluster.client(member.httpPort).cypher("CREATE (n:W {key: \(key)})").status == 200) }
                cluster.signal(member, SIGKILL)
                try waitUntil("the member has ended") { member.process == nil }
                try cutLog(store, byteCount: 1000)
                try cluster.cluster.start(member)
                try waitUntil("it serves what it has") { cluster.logLines(member).contains { $0.contains("hears no master") } }
                #expect(!cluster.isMaster(member))

                let command = ["cluster", "accept-loss", "--config", member.configurationPath]
                let running = try Program.run(command + ["--yes"])
                #expect(running.status == 1 && running.output.contains("in use by another process"), "\(running.output)")
                cluster.signal(member, SIGTERM)
                try waitUntil("the member has ended") { member.process == nil }
                let said = try Program.run(command)
                #expect(said.status == 1 && said.output.contains("LOST") && said.output.contains("nothing was changed"), "\(said.output)")
                let accepted = try Program.run(command + ["--yes"])
                #expect(accepted.status == 0 && accepted.output.contains("Accepted"), "\(accepted.output)")
                #expect(try Program.run(command).output.contains("Nothing is missing"))

                try cluster.cluster.start(member)
                try waitUntil("it is master again") { cluster.isMaster(member) }
                #expect(cluster.logLines(member).contains { $0.contains(" warning ") && $0.contains("by the word of an operator") })
                let client = cluster.client(member.httpPort)
                #expect(try client.cypher("CREATE (n:W {key: 100})").status == 200)
                let count = try client.rows("MATCH (n:W) RETURN count(n)")
                guard case .integer(let there)? = count.first?.first else { return #expect(Bool(false)) }
                #expect(there < 51 && there > 20)

                // Without the file of what it promised it cannot tell what it lacks either.
                cluster.signal(member, SIGTERM)
                try waitUntil("the member has ended") { member.process == nil }
                try POSIXFileSystem().remove(store + ".member")
                try cluster.cluster.start(member)
                try waitUntil("it says that the file is gone") { cluster.logLines(member).contains { $0.contains("but this store was a member's") } }
                try waitUntil("it has heard the coordinators") { cluster.logLines(member).contains { $0.contains("has lost its state") } }
                #expect(!cluster.isMaster(member))
                cluster.signal(member, SIGTERM)
                try waitUntil("the member has ended") { member.process == nil }
                let unknown = try Program.run(command + ["--yes"])
                #expect(unknown.status == 0 && unknown.output.contains("No transaction is known to be lost"), "\(unknown.output)")
                try cluster.cluster.start(member)
                try waitUntil("it is master again") { cluster.isMaster(member) }
                #expect(try cluster.client(member.httpPort).rows("MATCH (n:W) RETURN count(n)") == [[.integer(there)]])
            } catch {
                await cluster.stop(keep: true)
                throw error
            }
            await cluster.stop()
        }
    }
}
