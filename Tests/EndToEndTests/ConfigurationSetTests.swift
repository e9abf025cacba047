import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Testing

extension EndToEnd {
    /// The files of `cluster-configs` with the real HAProxy.
    @Suite(.serialized) struct ConfigurationSetTests {
        /// Writes through the proxy, then reads on slaves and on the slave of a user.
        static func expectServing(_ set: ConfigurationSet) throws {
            let writes = set.client(set.writePort)
            #expect(try writes.cypher("CREATE (n:Ada {name: {name}})", "{\"name\": \"Ada\"}").status == 200)
            let reads = set.client(set.readPort)
            try waitUntil("the slaves have it") { (try? reads.rows("MATCH (n:Ada) RETURN n.name")) == [[.string("Ada")]] }
            try expectSharding(set)
        }

        /// Who answers a user, on a connection of its own: it is the user that counts.
        private static func member(of user: Int, _ set: ConfigurationSet) throws -> Int64? {
            let answer = try set.client(set.shardedPort).request("GET", "/hastatus?user_id=\(user)")
            if case .map(let map)? = answer.json, case .integer(let id)? = map["server_id"] { return id }
            return nil
        }

        /// Requests with the same parameter reach one slave, those with others several. The server ignores it.
        static func expectSharding(_ set: ConfigurationSet) throws {
            try waitUntil("requests of users go to several slaves") {
                let role = try set.client(set.shardedPort).request("GET", "/hastatus?user_id=1").headers["x-ha-role"]
                return try role == "slave" && Set((0..<20).map { try member(of: $0, set) }).count > 1
            }
            var membersOfUsers: [Set<Int64?>] = []
            for user in 0..<20 {
                membersOfUsers.append(Set(try (0..<3).map { _ in try member(of: user, set) }))
                let node = try set.client(set.shardedPort).request("GET", "/db/data/node/0?user_id=\(user)")
                #expect([200, 404].contains(node.status), "\(node.status) \(node.text)")
            }
            #expect(membersOfUsers.allSatisfy { $0.count == 1 }, "\(membersOfUsers)")
        }

        @Test func smallSetServesAndSwitchesOverWithoutAFailure() async throws {
            let set = try ConfigurationSet("small")
            defer { set.stop() }
            try set.startAll(members: 1...3, coordinators: nil)
            try Self.expectServing(set)

            let writers = WriteLoad(clients: 8, ports: [set.writePort])
            let readers = ReadLoad(clients: 8, port: set.readPort)
            try waitUntil("writes go on") { writers.acknowledgedCount > 500 }
            var gaps: [Double] = []
            for round in 1...5 {
                let before = try set.master(of: 1...3)
                let moment = monotonicNanoseconds()
                let outcome = try Program.run(["cluster", "switch-master", "--from", "127.0.0.1:\(set.httpPort(before))"])
                #expect(outcome.status == 0, "\(outcome.output)")
                #expect(try set.master(of: 1...3) != before)
                let done = writers.acknowledgedCount
                try waitUntil("writes go on after switchover \(round)") { writers.acknowledgedCount > done + 300 }
                gaps.append(writers.longestGap(since: moment))
            }
            // An orderly stop of the master hands over first, and load balancers are told before requests are refused.
            let stopped = try set.master(of: 1...3)
            let moment = monotonicNanoseconds()
            set.signal("member\(stopped)", SIGTERM)
            try waitUntil("the master has stopped") { !set.isRunning("member\(stopped)") }
            let done = writers.acknowledgedCount
            try waitUntil("writes go on without it") { writers.acknowledgedCount > done + 300 }
            let stopGap = writers.longestGap(since: moment)
            readers.stop()
            writers.stop()
            print(
                "longest write gaps of planned switchovers, ms: \(gaps.map { Int($0.rounded()) }), of a stop: \(Int(stopGap.rounded())); writes: \(writers.summary); reads: \(readers.doneCount) done"
            )
            #expect(writers.state.withLock { $0.refused.isEmpty && $0.unknown == 0 }, "\(writers.summary)")
            #expect(readers.failures == [])
            // The middle one: tests share the machine with others.
            #expect(gaps.sorted()[gaps.count / 2] <= 150)
        }

        @Test func mediumSetWritesDownToOneMember() async throws {
            let set = try ConfigurationSet("medium")
            defer { set.stop() }
            try set.startAll(members: 1...5, coordinators: 1...3)
            try Self.expectServing(set)
            // Masters and slaves in turn, as they come: the master first.
            var alive = Set(1...5)
            var gaps: [Double] = []
            var killsMaster = true
            while alive.count > 1 {
                let master = try set.master(of: alive.sorted())
                let victim = killsMaster ? master : try #require(alive.sorted().first { $0 != master })
                killsMaster.toggle()
                set.signal("member\(victim)", SIGKILL)
                let killedAt = monotonicNanoseconds()
                alive.remove(victim)
                // The outcome of a write under way may be unknown: a number of its own for each try.
                try waitUntil("a write succeeds with members \(alive.sorted())") {
                    (try? set.client(set.writePort).cypher("CREATE (n:Left {count: \(alive.count), at: \(monotonicNanoseconds())})").status) == 200
                }
                gaps.append(Double(monotonicNanoseconds() - killedAt) / 1e9)
                // The next may go once this one no longer counts.
                try waitUntil("the sync set is \(alive.sorted())") { try set.syncSet(set.master(of: alive.sorted())) == alive.sorted() }
            }
            print("medium set: seconds from each kill to a write: \(gaps.map { ($0 * 100).rounded() / 100 })")
            let rows = try set.client(set.readPort).rows("MATCH (n:Left) RETURN DISTINCT n.count ORDER BY n.count")
            #expect(rows == [1, 2, 3, 4].map { [.integer($0)] })
            #expect(try set.client(set.readPort).rows("MATCH (n:Ada) RETURN n.name") == [[.string("Ada")]])
        }

        @Test func largeSetSurvivesTwoCoordinatorsAndTheMaster() async throws {
            let set = try ConfigurationSet("large")
            defer { set.stop() }
            try set.startAll(members: 1...3, coordinators: 1...5)
            try Self.expectServing(set)
            for coordinator in 1...2 { set.signal("coordinator\(coordinator)", SIGKILL) }
            let master = try set.master(of: 1...3)
            set.signal("member\(master)", SIGKILL)
            let rest = (1...3).filter { $0 != master }
            try waitUntil("a write succeeds under another master") {
                (try? set.client(set.writePort).cypher("CREATE (n:After {at: \(monotonicNanoseconds())})").status) == 200
            }
            #expect(try set.master(of: rest) != master)
            try set.startMember(master)
            try waitUntil("the killed member counts again") { try set.syncSet(set.master(of: rest)) == [1, 2, 3] }
            try Self.expectSharding(set)
            // A member more: a file like the others', the same coordinators, an empty directory.
            try set.addMember(4, like: 1)
            try set.startMember(4)
            try waitUntil("the new member counts", seconds: 60) { try set.syncSet(set.master(of: 1...3)) == [1, 2, 3, 4] }
            #expect(try set.client(set.httpPort(4)).rows("MATCH (n:Ada) RETURN n.name") == [[.string("Ada")]])
        }

        /// 22.6 word for word, but for addresses and ports.
        @Test func manualsExamplesServe() async throws {
            let set = try ConfigurationSet("small")
            defer { set.stop() }
            try set.startAll(members: 1...3, coordinators: nil)
            try Self.expectServing(set)
            let fileSystem = POSIXFileSystem()
            for name in ["balance.cfg", "slaves.cfg", "sharding.cfg"] {
                let ports = try freePorts(2)
                let path = ConfigurationSet.repository + "/cluster-configs/manual/" + name
                var text = String(decoding: try fileSystem.readAll(path), as: UTF8.self)
                for member in 1...3 { text = text.replacing("10.0.1.\(9 + member):7474", with: "127.0.0.1:\(set.httpPort(member))") }
                text = text.replacing("bind *:8080\n", with: "bind 127.0.0.1:\(ports[1])\n").replacing("bind *:80\n", with: "bind 127.0.0.1:\(ports[0])\n")
                try fileSystem.replace(set.directory + "/" + name, with: Array(text.utf8))
                try set.startProxy(name)
                try waitUntil("\(name) serves") { (try? set.client(ports[0]).request("GET", "/db/data/").status) == 200 }
                func members(_ path: String, _ count: Int) throws -> Set<Int64> {
                    var found: Set<Int64> = []
                    for _ in 0..<count {
                        let answer = try set.client(ports[0]).request("GET", path)
                        if case .map(let map)? = answer.json, case .integer(let id)? = map["server_id"] { found.insert(id) }
                    }
                    return found
                }
                let master = Int64(try set.master(of: 1...3))
                switch name {
                case "balance.cfg":
                    #expect(try members("/hastatus", 6) == [1, 2, 3])
                    // Any member takes any request: writes on slaves too (LB-01).
                    for _ in 0..<3 { #expect(try set.client(ports[0]).request("POST", "/db/data/node", body: "{\"a\": 1}").status == 201) }
                case "slaves.cfg":
                    // HAProxy takes everybody for well until it has asked three times, 2 s apart, as this example has it.
                    let slaves = Set<Int64>([1, 2, 3]).subtracting([master])
                    try waitUntil("only slaves are asked") { (try? members("/hastatus", 6)) == slaves }
                default:
                    #expect(try members("/hastatus?user_id=7", 6).count == 1)
                    var all: Set<Int64> = []
                    for user in 1...20 { all.formUnion(try members("/hastatus?user_id=\(user)", 1)) }
                    #expect(all.count > 1)
                }
                #expect(try set.client(ports[1]).request("GET", "/haproxy?stats").status == 200)
            }
        }
    }
}
