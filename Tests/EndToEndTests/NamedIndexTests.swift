import FileSystem
import Glibc
import GraphModel
import Storage
import Synchronization
import Testing

extension EndToEnd {
    @Suite(.serialized) struct NamedIndexTests {
        /// UQ-03: many clients ask all members for the same nodes at once, one of each comes to be, and every member finds
        /// it, one that was away and had its store wiped included.
        @Test func nodesAreUniqueAcrossTheClusterAndEveryMemberHasTheIndexes() async throws {
            let cluster = try await TestCluster(
                "named-indexes",
                settings: [("node_auto_indexing", "true"), ("node_keys_indexable", "name")])
            let keyCount = 40
            let found = Mutex<[Int: Set<String>]>([:])
            let failures = Mutex<[String]>([])
            let ports = cluster.members.map(\.httpPort)
            let threads = ports.flatMap { port in
                (0..<3).map { _ in
                    DedicatedThread(name: "client") {
                        let client = BlockingHTTPClient(port: port)
                        for key in 0..<keyCount {
                            do {
                                let answer = try client.request(
                                    "POST", "/db/data/index/node/people?unique",
                                    body: "{\"key\": \"name\", \"value\": \"person \(key)\"}")
                                let text = answer.text
                                guard answer.status == 200 || answer.status == 201,
                                    let place = text.firstRange(of: "/properties\"")
                                else {
                                    failures.withLock { $0.append("\(answer.status) \(text)") }
                                    continue
                                }
                                let node = text[..<place.lowerBound].split(separator: "/").last.map(String.init) ?? ""
                                found.withLock { _ = $0[key, default: []].insert(node) }
                            } catch {
                                failures.withLock { $0.append("\(error)") }
                            }
                        }
                    }
                }
            }
            for thread in threads { thread.join() }
            #expect(failures.withLock { $0 } == [])
            #expect(found.withLock { $0.values.allSatisfy { $0.count == 1 } && $0.count == keyCount })

            let master = try cluster.master()
            let slave = try #require(cluster.members.first { $0.id != master.id })
            cluster.signal(slave, SIGKILL)
            try waitUntil("the slave has ended") { slave.process == nil }
            removeTree(slave.directory + "/data")
            try cluster.restart(slave)
            try cluster.waitUntilEqual()
            for member in cluster.members {
                let client = cluster.client(member.httpPort)
                for index in ["people", "node_auto_index"] {
                    let rows = try client.rows("START n=node:\(index)('name:person*') RETURN count(n)")
                    #expect(rows == [[.integer(Int64(keyCount))]], "member \(member.id), \(index)")
                }
            }
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }
    }
}
