import Database
import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Storage
import Testing

extension EndToEnd {
    /// The manual's commits and what may come of them (22.2.4, 22.3), with real processes.
    @Suite(.serialized) struct BranchedDataTests {
        private func write(_ cluster: TestCluster, _ member: LocalCluster.Member, _ label: String, _ count: Int) throws {
            let client = BlockingHTTPClient(port: member.httpPort)
            for _ in 0..<count {
                let answer = try client.cypher("CREATE (n:\(label) {at: \(monotonicNanoseconds())})")
                #expect(answer.status == 200, "\(answer.text)")
            }
        }

        /// Lets the master write alone, then the others without it, as much; then all are there again.
        private func branch(_ cluster: TestCluster, _ master: LocalCluster.Member) throws -> LocalCluster.Member {
            let others = cluster.members.filter { $0.id != master.id }
            for slave in others { cluster.signal(slave, SIGKILL) }
            for slave in others { try waitUntil("slave \(slave.id) has ended") { slave.process == nil } }
            // With every slave down commits go on at once, and later on, when they are known to be away.
            try write(cluster, master, "Old", 10)
            cluster.signal(master, SIGKILL)
            try waitUntil("the master has ended") { master.process == nil }
            for slave in others { try cluster.cluster.start(slave) }
            let next = try cluster.master()
            // One more entry than the new master's own, which began its epoch: as many on both sides.
            try write(cluster, next, "New", 9)
            return next
        }

        @Test(arguments: [("keep_all", 2), ("keep_last", 1), ("keep_none", 0)])
        func anOldMasterWithCommitsOfItsOwnIsBranched(policy: String, keptCount: Int) async throws {
            let cluster = try await TestCluster(
                "branch-\(policy)",
                settings: [("ha.commit_mode", "optimistic"), ("ha.branched_data_policy", policy), ("ha.tx_push_factor", "1")])
            do {
                let first = try cluster.master()
                for _ in 0..<2 {
                    var master = try cluster.master()
                    if master.id != first.id {
                        let switched = try Program.run(
                            ["cluster", "switch-master", "--from", master.httpAddress, "--to", "\(first.id)"])
                        #expect(switched.status == 0, "\(switched.output)")
                        try waitUntil("the first master is master again") { cluster.isMaster(first) }
                        master = first
                    }
                    let next = try branch(cluster, master)
                    try cluster.cluster.start(master)
                    try cluster.waitUntilWhole()
                    try cluster.waitUntilEqual()
                    #expect(cluster.isMaster(next))
                    #expect(cluster.logLines(master).contains { $0.contains("BRANCHED") })
                    let count = try BlockingHTTPClient(port: master.httpPort).cypher("MATCH (n:Old) RETURN count(n)")
                    #expect(count.text.contains("[ [ 0 ] ]") || count.text.contains("[[0]]"), "\(count.text)")
                }
                let kept = try BranchedStore.list(beside: first.directory + "/data/graph.db")
                #expect(kept.count == keptCount)
                for branch in kept {
                    #expect(branch.byteCount > 0)
                    #expect(try Self.count("Old", in: branch.directory) == 10)
                }
                let listed = try Program.run(["cluster", "branches", "--config", first.configurationPath])
                #expect(listed.output.split(separator: "\n").count == max(1, keptCount), "\(listed.output)")
                try await cluster.stopAndCompareStores()
            } catch {
                await cluster.stop()
                throw error
            }
            await cluster.stop()
        }

        @Test func withPolicyShutdownTheOldMasterStops() async throws {
            let cluster = try await TestCluster(
                "branch-shutdown",
                settings: [("ha.commit_mode", "optimistic"), ("ha.branched_data_policy", "shutdown")])
            do {
                let master = try cluster.master()
                _ = try branch(cluster, master)
                try cluster.cluster.start(master)
                try waitUntil("the old master has stopped") { master.process == nil }
                #expect(cluster.logLines(master).contains { $0.contains("branched") && $0.contains("shutdown") })
                #expect(try Self.count("Old", in: master.directory + "/data/graph.db") == 10)
            } catch {
                await cluster.stop()
                throw error
            }
            await cluster.stop()
        }

        /// Nodes with a label in a store that nobody has open, its log's end included.
        private static func count(_ label: String, in directory: String) throws -> Int {
            let store = try Store.open(directory)
            defer { store.close() }
            let read = store.beginRead()
            guard let token = read.token(.label, label) else { return 0 }
            var cursor: UInt64 = 0
            var ids: ContiguousArray<UInt64> = []
            while read.scanNodes(label: token, cursor: &cursor, limit: 4096, into: &ids) {}
            return ids.count
        }

        @Test func membersAreTakenOutAndSlavesThatPollAreToldToCatchUp() async throws {
            let cluster = try await TestCluster(
                "membership",
                settings: [("ha.commit_mode", "optimistic"), ("ha.tx_push_factor", "0"), ("ha.pull_interval", "1h")])
            do {
                let master = try cluster.master()
                let slaves = cluster.members.filter { $0.id != master.id }
                try write(cluster, master, "Late", 5)
                let slave = BlockingHTTPClient(port: slaves[0].httpPort)
                let before = try slave.cypher("MATCH (n:Late) RETURN count(n) AS c")
                #expect(!before.text.contains("5"), "\(before.text)")
                #expect(try slave.request("POST", "/db/manage/server/ha/update").status == 204)
                let after = try slave.cypher("MATCH (n:Late) RETURN count(n) AS c")
                #expect(after.text.contains("5"), "\(after.text)")
                // A write through a slave that polls is there at once.
                try write(cluster, slaves[1], "Own", 1)
                let own = try BlockingHTTPClient(port: slaves[1].httpPort).cypher("MATCH (n:Own) RETURN count(n) AS c")
                #expect(own.text.contains("1"), "\(own.text)")

                let refused = try Program.run(["cluster", "remove-member", "77", "--from", master.httpAddress])
                #expect(refused.status != 0 && refused.output.contains("77"), "\(refused.output)")
                let removed = try Program.run(["cluster", "remove-member", "\(slaves[1].id)", "--from", master.httpAddress])
                #expect(removed.status == 0, "\(removed.output)")
                try waitUntil("who was taken out ends") { slaves[1].process == nil }
                #expect(cluster.logLines(slaves[1]).contains { $0.contains("taken out") })
                guard case .list(let members)? = cluster.status(master)?["members"] else {
                    Issue.record("no members")
                    return await cluster.stop()
                }
                #expect(members.elements.count == 2)
                try cluster.cluster.start(slaves[1])
                try waitUntil("it is a member again") {
                    guard case .boolean(true)? = cluster.status(slaves[1])?["readable"],
                        case .list(let members)? = cluster.status(master)?["members"]
                    else { return false }
                    return members.elements.count == 3
                }
            } catch {
                await cluster.stop()
                throw error
            }
            await cluster.stop()
        }
    }
}
