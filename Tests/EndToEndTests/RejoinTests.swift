import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Storage
import Testing

extension EndToEnd {
    @Suite(.serialized) struct RejoinTests {
        @Test func killedAndWipedSlavesConvergeAndABackupHoldsWhatWasAcknowledged() async throws {
            // Small logs and frequent checkpoints, so that a member that was away needs a store copy.
            let cluster = try await TestCluster(
                "rejoin",
                settings: [
                    ("martlet.checkpoint.threshold", "1M"), ("logical_log_rotation_threshold", "256k"),
                    ("keep_logical_logs", "256k size"),
                ])
            let writers = WriteLoad(clients: 4, ports: [cluster.writePort])
            try waitUntil("writes go on") { writers.acknowledgedCount > 500 }
            let master = try cluster.master()
            let slaves = cluster.members.filter { $0.id != master.id }

            // A killed slave comes back.
            cluster.signal(slaves[0], SIGKILL)
            let killedAt = writers.acknowledgedCount
            try waitUntil("writes go on without the slave") { writers.acknowledgedCount > killedAt + 1000 }
            try cluster.restart(slaves[0])

            // A wiped slave takes a copy of the store while writes go on.
            cluster.signal(slaves[1], SIGKILL)
            try waitUntil("the slave has ended") { slaves[1].process == nil }
            removeTree(slaves[1].directory + "/data")
            let wipedAt = writers.acknowledgedCount
            try cluster.restart(slaves[1])
            #expect(writers.acknowledgedCount > wipedAt)
            #expect(cluster.logLines(slaves[1]).contains { $0.contains("store copy finished") })

            // A full backup under load.
            let target = cluster.directory + "/backup"
            let acknowledged = writers.acknowledgedKeys
            let hosts = cluster.members.map { "127.0.0.1:\($0.backupPort)" }.joined(separator: ",")
            let backup = try Program.run(["backup", "-full", "-from", "ha://" + hosts, "-to", target])
            #expect(backup.status == 0, "\(backup.output)")
            let during = writers.acknowledgedCount
            #expect(during > acknowledged.count)
            let check = try Program.run(["check", target])
            #expect(check.status == 0, "\(check.output)")
            let store = try Store.open(target)
            let missing = try Self.missing(acknowledged, in: store)
            #expect(missing.isEmpty, "the backup misses \(missing.count) writes acknowledged before it began")
            store.close()

            writers.stop()
            print("writes: \(writers.summary)")
            try FailoverTests.expectAllThere(cluster, writers.acknowledgedKeys)
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }

        /// A flipped bit in a file of a slave's store: the first query that comes upon it fails, and from then on nobody is
        /// sent there until the member has copied the store anew.
        @Test func aSlaveWhoseStoreIsDamagedCopiesAnother() async throws {
            let cluster = try await TestCluster("damage", settings: [("martlet.checkpoint.threshold", "256k")])
            let writers = WriteLoad(clients: 4, ports: [cluster.writePort])
            try waitUntil("there is something to damage") { writers.acknowledgedCount > 6000 }
            writers.stop()
            try cluster.waitUntilEqual()
            let master = try cluster.master()
            let slave = try #require(cluster.members.first { $0.id != master.id })
            cluster.signal(slave, SIGTERM)
            try waitUntil("the slave has ended") { slave.process == nil }
            let store = slave.directory + "/data/graph.db"
            let fileSystem = POSIXFileSystem()
            let segments = try fileSystem.list(store).filter { $0.hasSuffix(".seg") }
            let names = segments.isEmpty ? try fileSystem.list(store) : segments
            #expect(!segments.isEmpty, "files: \(names)")
            for name in segments {
                let file = try fileSystem.open(store + "/" + name, .readWrite)
                let length = try file.byteCount()
                var byte: [UInt8] = [0]
                for offset in stride(from: UInt64(200), to: length, by: 997) {
                    _ = try file.read(at: offset, into: &byte)
                    try file.write([byte[0] ^ 0x10], at: offset)
                }
                file.close()
            }
            try cluster.cluster.start(slave)
            let client = BlockingHTTPClient(port: slave.httpPort)
            var failed = 0
            try waitUntil("the slave has copied a store") {
                if let answer = try? client.cypher("MATCH (n:W) RETURN sum(n.key)"), answer.status == 500 { failed += 1 }
                return cluster.logLines(slave).contains { $0.contains("store copy finished") }
            }
            try cluster.waitUntilWhole()
            #expect(try client.cypher("MATCH (n:W) RETURN sum(n.key)").status == 200)
            #expect(cluster.logLines(slave).contains { $0.contains("DAMAGED") })
            print("queries that failed on the damaged store: \(failed)")
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }

        static func missing(_ keys: [Int64], in store: Store) throws -> [Int64] {
            let read = store.beginRead()
            let label = try #require(read.token(.label, "W"))
            let key = try #require(read.token(.propertyKey, "key"))
            var cursor: UInt64 = 0
            var ids: ContiguousArray<UInt64> = []
            while read.scanNodes(label: label, cursor: &cursor, limit: 4096, into: &ids) {}
            var there: Set<Int64> = []
            for id in ids {
                if case .integer(let number)? = read.property(key, ofNode: NodeID(id)) { there.insert(number) }
            }
            return keys.filter { !there.contains($0) }
        }
    }
}
