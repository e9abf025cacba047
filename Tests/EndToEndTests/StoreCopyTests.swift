import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Storage
import TestSupport
import Testing

extension EndToEnd {
    /// Copies of a store that take a while, at the pace of `ha.store_copy_rate`.
    @Suite(.serialized) struct StoreCopyTests {
        /// A store of some 100 MB in strings that do not shrink.
        private func makeStore(_ directory: String, _ scratch: String) throws {
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
            var generator = SeededGenerator(seed: 7)
            var text = Array(":ID,payload\n".utf8)
            text.reserveCapacity(110_000_000)
            for row in 0..<500_000 {
                text += Array("\(row),".utf8)
                for _ in 0..<20 {
                    var bits = generator.next()
                    for _ in 0..<10 {
                        text.append(alphabet[Int(bits & 63)])
                        bits >>= 6
                    }
                }
                text.append(10)
            }
            let path = scratch + "/rows.csv"
            try POSIXFileSystem().replace(path, with: text)
            let outcome = try Program.run(["import", "--into", directory, "--nodes", "Row=" + path])
            #expect(outcome.status == 0, "\(outcome.output)")
            try POSIXFileSystem().remove(path)
        }

        /// Bytes of the copy that a member has taken so far; nil while it takes none.
        private func progress(_ member: LocalCluster.Member) -> UInt64? {
            let fileSystem = POSIXFileSystem()
            let directory = member.directory + "/data/graph.db.copy"
            guard let names = try? fileSystem.list(directory) else { return nil }
            return names.reduce(0) { sum, name in
                guard let file = try? fileSystem.open(directory + "/" + name, .readOnly) else { return sum }
                defer { file.close() }
                return sum + ((try? file.byteCount()) ?? 0)
            }
        }

        @Test func copiesBeginAnewWhenEitherEndIsKilledWhileWritesGoOn() async throws {
            let cluster = try await TestCluster("copy", settings: [("ha.store_copy_rate", "12M")]) { cluster in
                // Every member has it from the start, or the first copies would take their time too.
                let first = cluster.members[0].directory + "/data"
                try POSIXFileSystem().createDirectory(first)
                try makeStore(first + "/graph.db", cluster.options.directory)
                for member in cluster.members.dropFirst() {
                    try copyTree(first, member.directory + "/data")
                }
            }
            do {
                let writers = WriteLoad(clients: 4, ports: [cluster.writePort])
                let baseline = writers.acknowledgedCount
                try waitUntil("writes go on") { writers.acknowledgedCount > baseline + 2000 }
                let master = try cluster.master()
                let slaves = cluster.members.filter { $0.id != master.id }
                let wiped = slaves[0]
                let calm = (from: writers.state.withLock { $0.acknowledgedAt.first ?? 0 }, to: monotonicNanoseconds())

                cluster.signal(wiped, SIGKILL)
                try waitUntil("the slave has ended") { wiped.process == nil }
                removeTree(wiped.directory + "/data")
                try cluster.cluster.start(wiped)
                try waitUntil("a copy is under way") { (progress(wiped) ?? 0) > 20_000_000 }

                // The end that takes.
                cluster.signal(wiped, SIGKILL)
                try waitUntil("the slave has ended") { wiped.process == nil }
                let left = progress(wiped)
                #expect((left ?? 0) >= 20_000_000)
                let copyBegan = monotonicNanoseconds()
                try cluster.cluster.start(wiped)
                try waitUntil("the copy has begun anew") { progress(wiped).map { $0 < 20_000_000 } ?? false }
                // Who copies for so long no longer counts, so that the other two can go on without this one's vote.
                try waitUntil("the slave has left the sync set") {
                    guard case .list(let set)? = cluster.status(master)?["sync_set"] else { return false }
                    return set.elements.count == 2
                }
                let busy = (from: copyBegan, to: monotonicNanoseconds())
                let (before, during) = (writers.percentile99(from: calm.from, to: calm.to), writers.percentile99(from: busy.from, to: busy.to))
                print("writes before and during a store copy, p99 ms: \(before.milliseconds) (\(before.count)), \(during.milliseconds) (\(during.count))")
                // 3 times are meant; the machine is shared with others.
                #expect(during.milliseconds <= max(3 * before.milliseconds, 60))

                // The end that gives.
                #expect(progress(wiped) != nil, "the copy is through before its source was killed")
                cluster.signal(master, SIGKILL)
                let killedAt = writers.acknowledgedCount
                try waitUntil("writes go on at the other slave") { writers.acknowledgedCount > killedAt + 50 }
                try waitUntil("the copy is through", seconds: 60) {
                    progress(wiped) == nil && cluster.status(wiped)?["readable"] == .boolean(true)
                }
                try cluster.restart(master)
                writers.stop()
                print("writes: \(writers.summary)")
                try FailoverTests.expectAllThere(cluster, writers.acknowledgedKeys)
                // Nothing of the copies that were broken off is left.
                for member in cluster.members {
                    let names = try POSIXFileSystem().list(member.directory + "/data")
                    #expect(names.allSatisfy { !$0.contains(".copy") && !$0.contains(".replaced") && !$0.contains(".branched") }, "\(names)")
                }
                try await cluster.stopAndCompareStores()
            } catch {
                await cluster.stop(keep: true)
                throw error
            }
            await cluster.stop()
        }

        private func copyTree(_ source: String, _ target: String) throws {
            let fileSystem = POSIXFileSystem()
            try fileSystem.createDirectory(target)
            for name in try fileSystem.list(source) {
                if (try? fileSystem.list(source + "/" + name)) != nil {
                    try copyTree(source + "/" + name, target + "/" + name)
                } else {
                    try fileSystem.replace(target + "/" + name, with: fileSystem.readAll(source + "/" + name))
                }
            }
        }
    }
}
