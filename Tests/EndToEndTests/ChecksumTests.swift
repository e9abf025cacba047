import FileSystem
import GraphModel
import ServerRuntime
import Storage
import Testing

extension EndToEnd {
    /// `martlet cluster checksums` on real members.
    @Suite(.serialized) struct ChecksumTests {
        /// A store whose node 1 has a value, and whose log goes on after a checkpoint.
        private static func makeStore(_ directory: String, value: Int64) throws {
            var options = Store.Options()
            options.storeID = StoreID(0xC0FFEE)
            let store = try Store.open(directory, options: options)
            defer { store.close() }
            let committer = try LocalCommitter(store)
            let first = committer.begin()
            _ = try first.createNode(labels: ["Altered"], properties: [("value", .integer(value))])
            try committer.commitAndWait(first)
            try store.checkpoint()
        }

        /// The same position and the same log as another store, over other segments.
        private static func disguise(_ altered: String, as sound: String) throws {
            let fileSystem = POSIXFileSystem()
            let original = try fileSystem.readAll(sound + "/manifest")
            var manifest = try fileSystem.readAll(altered + "/manifest")
            // Behind magic, version, store id and two bytes: epoch, transaction, checksum, time.
            manifest[16..<48] = original[16..<48]
            let checksum = CRC32C.checksum(Array(manifest.dropLast(4)))
            manifest.replaceSubrange((manifest.count - 4)..., with: withUnsafeBytes(of: checksum.littleEndian, Array.init))
            try fileSystem.replace(altered + "/manifest", with: manifest)
            for name in try fileSystem.list(altered) where name.hasSuffix(".mlog") { try fileSystem.remove(altered + "/" + name) }
            for name in try fileSystem.list(sound) where name.hasSuffix(".mlog") {
                try fileSystem.replace(altered + "/" + name, with: try fileSystem.readAll(sound + "/" + name))
            }
        }

        private static func copy(_ source: String, to target: String) throws {
            let fileSystem = POSIXFileSystem()
            try fileSystem.createDirectory(parentDirectory(target))
            try fileSystem.createDirectory(target)
            for name in try fileSystem.list(source) {
                try fileSystem.replace(target + "/" + name, with: try fileSystem.readAll(source + "/" + name))
            }
        }

        @Test func aStoreThatWasAlteredBehindItsBackIsNamed() async throws {
            let base = try TestCluster.temporaryDirectory("altered-base")
            defer { removeTree(base) }
            try Self.makeStore(base + "/sound", value: 1)
            try Self.makeStore(base + "/altered", value: 2)
            try Self.disguise(base + "/altered", as: base + "/sound")
            let cluster = try await TestCluster("altered") { cluster in
                for member in cluster.members {
                    try Self.copy(base + (member.id == 3 ? "/altered" : "/sound"), to: member.directory + "/data/graph.db")
                }
            }
            do {
                try cluster.waitUntilWhole()
                let writers = WriteLoad(clients: 3, ports: cluster.members.map(\.httpPort))
                try waitUntil("writes go on") { writers.acknowledgedCount > 100 }
                let outcome = try Program.run(["cluster", "checksums", "--from", "127.0.0.1:\(cluster.members[0].httpPort)"])
                writers.stop()
                #expect(outcome.status == 1, "\(outcome.output)")
                let lines = outcome.output.split(separator: "\n").map(String.init)
                let words = Dictionary(
                    uniqueKeysWithValues: lines.dropFirst().prefix(3).compactMap { line -> (String, String)? in
                        let words = line.split(separator: " ").map(String.init)
                        return words.count >= 3 ? (words[0], words[2]) : nil
                    })
                // Two of three agree, whoever is master.
                #expect(words == ["1": "equal", "2": "equal", "3": "DIFFERS"], "\(outcome.output)")
                let master = try cluster.master()
                #expect(cluster.logLines(master).contains { $0.contains("error") && $0.contains("GRAPHS DIFFER") && $0.contains("member 3 has checksum") })
                guard case .map(let comparison)? = cluster.status(master)?["graph_comparison"] else {
                    throw BlockingHTTPClient.Broken(description: "no comparison in the status")
                }
                #expect(comparison["running"] == .boolean(false))
            } catch {
                await cluster.stop(keep: true)
                throw error
            }
            await cluster.stop()
        }

        @Test func membersAgreeUnderWritesAndOnSchedule() async throws {
            let cluster = try await TestCluster("agree", settings: [("ha.checksum_interval", "1s")])
            do {
                try cluster.waitUntilWhole()
                let writers = WriteLoad(clients: 3, ports: cluster.members.map(\.httpPort))
                try waitUntil("writes go on") { writers.acknowledgedCount > 100 }
                let outcome = try Program.run(["cluster", "checksums", "--from", "127.0.0.1:\(cluster.members[0].httpPort)"])
                #expect(outcome.status == 0, "\(outcome.output)")
                #expect(outcome.output.split(separator: "\n").count { $0.hasSuffix("equal") } == 3, "\(outcome.output)")
                let master = try cluster.master()
                try waitUntil("the master compared by itself") {
                    cluster.logLines(master).count { $0.contains("the graphs of members 1, 2, 3 are equal") } >= 3
                }
                writers.stop()
                try await cluster.stopAndCompareStores()
            } catch {
                await cluster.stop(keep: true)
                throw error
            }
            await cluster.stop()
        }
    }
}
