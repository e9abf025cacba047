import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Testing

extension EndToEnd {
    /// `ha.agent_check_port` with the real HAProxy.
    @Suite(.serialized) struct AgentCheckTests {
        /// What HAProxy thinks of each member, from its statistics: status and weight.
        private func opinions(_ client: BlockingHTTPClient) throws -> [String: String] {
            let lines = try client.request("GET", "/haproxy?stats;csv").text.split(separator: "\n", omittingEmptySubsequences: false)
            guard let head = lines.first else { return [:] }
            let names = head.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            let columns = ["svname", "status", "weight", "agent_status"].map { names.firstIndex(of: $0) ?? 0 }
            var found: [String: String] = [:]
            for line in lines.dropFirst() where line.hasPrefix("members,member") {
                let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                found[fields[columns[0]]] = columns.dropFirst().map { fields[$0] }.joined(separator: " ")
            }
            return found
        }

        @Test func haproxyFollowsTheAgents() async throws {
            let set = try ConfigurationSet("small")
            defer { set.stop() }
            // The agents' words show here, with weights that show hundredths.
            let statistics = try freePorts(1)[0]
            let servers = (1...3).map {
                "    server member\($0) 127.0.0.1:\(set.httpPort($0)) weight 100 check inter 100ms agent-check agent-inter 100ms agent-port \(set.port(7490 + $0))\n"
            }.joined()
            let text = """
                defaults
                    mode http
                    timeout connect 250ms
                    timeout client 10s
                    timeout server 10s
                listen statistics
                    bind 127.0.0.1:\(statistics)
                    stats enable
                backend members
                \(servers)

                """
            try POSIXFileSystem().replace(set.directory + "/agent.cfg", with: Array(text.utf8))
            try set.startAll(members: 1...3, coordinators: nil)
            try set.startProxy("agent.cfg")
            let client = set.client(statistics)
            let well = "UP 100 L7OK"
            try waitUntil("all are well") {
                (try? opinions(client)) == ["member1": well, "member2": well, "member3": well]
            }

            // A member that stops says so first (martlet.shutdown.drain), and comes back as if nothing had been.
            let slave = try #require([1, 2, 3].first { !set.isMaster($0) })
            set.signal("member\(slave)", SIGTERM)
            try waitUntil("the member drains") { try opinions(client)["member\(slave)"]?.hasPrefix("DRAIN") ?? false }
            try waitUntil("the member has stopped") { !set.isRunning("member\(slave)") }
            try set.startMember(slave)
            try waitUntil("the member is well again") { try opinions(client)["member\(slave)"] == well }

            // A slave that hears no master serves, but should get less to do.
            let master = try set.master(of: 1...3)
            let other = try #require([1, 2, 3].first { $0 != master && $0 != slave })
            for silent in [master, other] { set.signal("member\(silent)", SIGSTOP) }
            try waitUntil("the lonely slave's weight falls") {
                guard let fields = try opinions(client)["member\(slave)"]?.split(separator: " "), fields.count == 3 else { return false }
                return fields[0] == "UP" && (1..<50).contains(Int(fields[1]) ?? 0)
            }
            for silent in [master, other] { set.signal("member\(silent)", SIGCONT) }
            try waitUntil("all are well again", seconds: 60) {
                (try? opinions(client)) == ["member1": well, "member2": well, "member3": well]
            }
        }
    }
}
