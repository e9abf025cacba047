import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Storage
import Testing
import TestSupport

extension EndToEnd {
    /// Full backups of a cluster that is written to, merges, rotates and prunes its log all the time, and loses members.
    @Suite(.serialized) struct FullBackupTests {
        private func number(_ name: String, _ otherwise: Int) -> Int {
            processEnvironment()[name].flatMap { Int($0) } ?? otherwise
        }

        /// A store that takes a while to copy, imported into a member's directory.
        private func importStore(megabytes: Int, into directory: String, _ cluster: LocalCluster) throws {
            let path = cluster.members[0].directory + "/people.csv"
            let file = try POSIXFileSystem().open(path, .createEmpty)
            var random = SeededGenerator(seed: 7)
            var block = Array(":ID,text\n".utf8)
            var offset: UInt64 = 0
            for id in 0..<megabytes * 1000 {
                block += Array("\(id),".utf8)
                for _ in 0..<60 { block += Array(String(random.next() | 1 << 63, radix: 16).utf8) }
                block.append(UInt8(ascii: "\n"))
                guard block.count > 1 << 20 || id == megabytes * 1000 - 1 else { continue }
                try file.write(block, at: offset)
                offset += UInt64(block.count)
                block.removeAll(keepingCapacity: true)
            }
            file.close()
            let imported = try Program.run(["import", "--into", directory, "--nodes", "Person=\(path)"])
            try #require(imported.status == 0, "\(imported.output)")
            try POSIXFileSystem().remove(path)
        }

        /// Number of the newest log file, and the last transaction within the segments.
        private func progress(_ cluster: TestCluster, _ member: LocalCluster.Member) -> (log: Int, checkpointed: Int) {
            let names = (try? POSIXFileSystem().list(member.directory + "/data/graph.db")) ?? []
            let logs = names.filter { $0.hasSuffix(".mlog") }.compactMap { Int($0.dropFirst(4).dropLast(5)) }
            let page = (try? cluster.client(member.httpPort).request("GET", "/metrics").text) ?? ""
            let line = page.split(separator: "\n").first { $0.hasPrefix("martlet_checkpointed_transaction ") }
            return (logs.max() ?? 0, line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0)
        }

        private func start(_ cluster: TestCluster, _ backup: String, _ rate: String) throws -> (pid: pid_t, output: String) {
            let output = cluster.directory + "/backup.\(monotonicNanoseconds()).out"
            let process = try ChildProcess.start(
                TestCluster.program, ["backup", "-full", "-from", cluster.backupSource, "-to", backup, "--max-rate", rate],
                outputPath: output, detached: false)
            return (process.processID, output)
        }

        private func text(_ path: String) -> String {
            String(decoding: (try? POSIXFileSystem().readAll(path)) ?? [], as: UTF8.self)
        }

        /// Which member is copied, once a part of its files is here.
        private func copied(_ cluster: TestCluster, _ backup: String, _ output: String) throws -> LocalCluster.Member {
            try waitUntil("files come") {
                let names = (try? POSIXFileSystem().list(backup + ".incomplete/store")) ?? []
                return names.filter { $0.hasSuffix(".seg") }.count > 1
            }
            let log = text(output)
            return try #require(cluster.members.first { log.contains("copying the store of 127.0.0.1:\($0.backupPort)\n") }, "\(log)")
        }

        private func wait(_ pid: pid_t) -> Int32 {
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            return status
        }

        private func disturb(_ round: Int, _ cluster: TestCluster, _ source: LocalCluster.Member) throws -> LocalCluster.Member? {
            let master = try cluster.master()
            switch round % 4 {
            case 0, 2:
                // The master dies; the member that is copied may be the next one.
                cluster.signal(master, SIGKILL)
                return master
            case 1:
                // The member that is copied becomes master, if it can.
                _ = try? Program.run([
                    "cluster", "switch-master", "--from", "127.0.0.1:\(master.httpPort)", "--to", "\(source.id)",
                ])
                return nil
            default:
                // The member that is copied dies.
                cluster.signal(source, SIGKILL)
                return source
            }
        }

        /// More rounds with MARTLET_FULL_BACKUP_ROUNDS, of larger stores with MARTLET_FULL_BACKUP_MEGABYTES; MARTLET_FULL_BACKUP_RATE
        /// is the pace in megabytes a second, low enough for the faults to fall into the copy.
        @Test func fullBackupsHoldThroughFailoversCheckpointsAndPrunedLogs() async throws {
            let (rounds, megabytes) = (number("MARTLET_FULL_BACKUP_ROUNDS", 4), number("MARTLET_FULL_BACKUP_MEGABYTES", 24))
            let rate = "\(number("MARTLET_FULL_BACKUP_RATE", 8))M"
            let cluster = try await TestCluster(
                "full-backup",
                settings: [
                    ("martlet.checkpoint.threshold", "256k"), ("logical_log_rotation_threshold", "64k"),
                    ("keep_logical_logs", "1M size"), ("ha.store_copy_rate", "0"),
                ]
            ) { cluster in
                try importStore(megabytes: megabytes, into: cluster.members[0].directory + "/data/graph.db", cluster)
            }
            try cluster.waitUntilWhole(seconds: 600)
            let writers = WriteLoad(clients: 3, ports: [cluster.writePort])
            let transfers = try TransferLoad(cluster) { writers.state.withLock(\.isStopped) }
            let backup = cluster.directory + "/backup"
            var (resumed, size) = (0, "")
            let begun = monotonicNanoseconds()
            for round in 0..<rounds {
                let acknowledged = writers.acknowledgedCount
                try waitUntil("writes go on in round \(round)") { writers.acknowledgedCount > acknowledged + 200 }
                let before = writers.acknowledgedKeys
                let start = cluster.members.map { progress(cluster, $0) }
                var (pid, output) = try self.start(cluster, backup, rate)
                let source = try copied(cluster, backup, output)
                // The log is rotated and merged while the files are on their way.
                try waitUntil("checkpoints and new log files in round \(round)") {
                    let now = progress(cluster, source)
                    let old = start[source.id - 1]
                    return now.log > old.log && now.checkpointed > old.checkpointed
                }
                #expect(kill(pid, 0) == 0 && waitpid(pid, nil, WNOHANG) == 0, "round \(round): the copy was over too early: \(text(output))")
                let killed = try disturb(round, cluster, source)
                var status = wait(pid)
                if status != 0, killed?.id == source.id {
                    // No other member took its place: what came whole is gone on with.
                    #expect(text(output).contains("goes on from there"), "round \(round): \(text(output))")
                    resumed += 1
                    (pid, output) = try self.start(cluster, backup, rate)
                    status = wait(pid)
                }
                #expect(status == 0, "round \(round): \(text(output))")
                size = text(output).split(separator: "\n").first { $0.hasPrefix("size ") }.map(String.init) ?? ""
                try TransferLoad.expectWhole(backup, cluster, before, "round \(round)")
                removeTree(backup)
                removeTree(backup + ".incomplete")
                // Its log is gone: it copies the whole store.
                if let killed { try cluster.restart(killed, seconds: 60 + UInt64(megabytes) / 20) }
                print("round \(round) after \((monotonicNanoseconds() - begun) / 1_000_000_000) s: \(size)")
            }
            writers.stop()
            transfers.join()
            print("\(rounds) full backups, \(resumed) of them gone on with, the last of \(size); writes: \(writers.summary)")
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }
    }
}
