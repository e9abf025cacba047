import FileSystem
import Glibc
import GraphModel
import JSON
import ServerRuntime
import Storage
import Testing

extension EndToEnd {
    /// Incremental backups of a cluster that is written to, and what can be made of them.
    @Suite(.serialized) struct OnlineBackupTests {
        /// More rounds with MARTLET_BACKUP_ROUNDS.
        @Test func backupsUnderTransfersHoldThroughFailoversAndKilledClients() async throws {
            let rounds = processEnvironment()["MARTLET_BACKUP_ROUNDS"].flatMap { Int($0) } ?? 6
            let cluster = try await TestCluster(
                "online-backup",
                settings: [("martlet.checkpoint.threshold", "1M"), ("logical_log_rotation_threshold", "256k")])
            let writers = WriteLoad(clients: 3, ports: [cluster.writePort])
            let transfers = try TransferLoad(cluster) { writers.state.withLock(\.isStopped) }
            try waitUntil("writes go on") { writers.acknowledgedCount > 300 }
            let backup = cluster.directory + "/backup"
            var before = writers.acknowledgedKeys
            let full = try Program.run(["backup", "-full", "-from", cluster.backupSource, "-to", backup])
            #expect(full.status == 0, "\(full.output)")
            try TransferLoad.expectWhole(backup, cluster, before, "the full backup")
            let arguments = ["backup", "-incremental", "-from", cluster.backupSource, "-to", backup]
            for round in 0..<rounds {
                let whole = before
                before = writers.acknowledgedKeys
                switch round % 3 {
                case 0:
                    let outcome = try Program.run(arguments)
                    #expect(outcome.status == 0, "round \(round): \(outcome.output)")
                    try TransferLoad.expectWhole(backup, cluster, before, "round \(round)")
                case 1:
                    // The client is killed somewhere on its way; what is there is the backup before, or the new one.
                    let process = try ChildProcess.start(
                        TestCluster.program, arguments, outputPath: cluster.directory + "/killed.out", detached: false)
                    WriteLoad.rest(Monitor(()), UInt64(20_000_000 + round * 37_000_000 % 400_000_000))
                    kill(process.processID, SIGKILL)
                    var status: Int32 = 0
                    waitpid(process.processID, &status, 0)
                    try TransferLoad.expectWhole(backup, cluster, whole, "round \(round), after the client was killed")
                default:
                    // The master dies meanwhile.
                    let master = try cluster.master()
                    let process = try ChildProcess.start(
                        TestCluster.program, arguments, outputPath: cluster.directory + "/failover.out", detached: false)
                    cluster.signal(master, SIGKILL)
                    var status: Int32 = 0
                    waitpid(process.processID, &status, 0)
                    try TransferLoad.expectWhole(backup, cluster, status == 0 ? before : whole, "round \(round), the master died")
                    try cluster.restart(master)
                }
            }
            writers.stop()
            transfers.join()
            let last = try Program.run(arguments)
            #expect(last.status == 0, "\(last.output)")
            try TransferLoad.expectWhole(backup, cluster, writers.acknowledgedKeys, "the last backup")
            print("\(rounds) rounds of incremental backups; writes: \(writers.summary)")
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }

        @Test func aSlaveThatIsSeededWithABackupFetchesOnlyWhatIsMissing() async throws {
            let cluster = try await TestCluster("seed")
            let writers = WriteLoad(clients: 3, ports: [cluster.writePort])
            try waitUntil("writes go on") { writers.acknowledgedCount > 1000 }
            let backup = cluster.directory + "/backup"
            let full = try Program.run([
                "backup", "-full", "--compress", "-from", cluster.backupSource, "-to", backup, "--no-check",
            ])
            #expect(full.status == 0 && full.output.contains("on the way"), "\(full.output)")
            let master = try cluster.master()
            let slave = try #require(cluster.members.first { $0.id != master.id })
            cluster.signal(slave, SIGKILL)
            try waitUntil("the slave has ended") { slave.process == nil }
            removeTree(slave.directory + "/data")
            let restored = try Program.run(["restore", "--from", backup, "--to", slave.directory + "/data/graph.db"])
            #expect(restored.status == 0, "\(restored.output)")
            let backupEnd = try lastTransaction(slave.directory + "/data/graph.db")
            let away = writers.acknowledgedCount
            try waitUntil("there is something to fetch") { writers.acknowledgedCount > away + 300 }
            try cluster.restart(slave)
            writers.stop()
            #expect(!cluster.logLines(slave).contains { $0.contains("store copy") })
            try FailoverTests.expectAllThere(cluster, writers.acknowledgedKeys)
            try cluster.waitUntilEqual()
            try expectOnlyTheDifferenceWasFetched(cluster, slave, master, since: backupEnd)
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }

        private func lastTransaction(_ directory: String) throws -> TransactionID {
            let store = try Store.open(directory)
            defer { store.close() }
            return store.last.transactionID
        }

        /// What came over the wire, by the member's own status and log, against the master's log of the same transactions.
        private func expectOnlyTheDifferenceWasFetched(
            _ cluster: TestCluster, _ slave: LocalCluster.Member, _ master: LocalCluster.Member, since end: TransactionID
        ) throws {
            func fetched(_ key: String) -> Int64? {
                guard case .map(let fetched)? = cluster.status(slave)?["fetched"], case .integer(let bytes)? = fetched[key] else { return nil }
                return bytes
            }
            #expect(fetched("copy_bytes") == 0)
            let dump = try Program.run(["log", "dump", master.directory + "/data/graph.db", "--json"])
            let entries = dump.output.split(separator: "\n").compactMap { line -> (tx: Int64, bytes: Int64)? in
                guard case .map(let entry)? = try? JSONParser.parse(Array(line.utf8)), case .integer(let tx)? = entry["tx"],
                    case .integer(let bytes)? = entry["bytes"]
                else { return nil }
                return (tx, bytes)
            }
            func bytes(_ isIncluded: (Int64) -> Bool) -> Int64 { entries.filter { isIncluded($0.tx) }.reduce(0) { $0 + $1.bytes } }
            let (missing, all) = (bytes { $0 > Int64(end.rawValue) }, bytes { _ in true })
            // The dump may end with an entry of the master's own that is still under way.
            try waitUntil("what was missing came") { (fetched("log_bytes") ?? 0) >= missing }
            let logBytes = try #require(fetched("log_bytes"))
            print("seeded slave: \(logBytes) bytes of log came, \(missing) were missing, the whole log has \(all)")
            #expect(missing > 0 && missing < all)
            // Entries may come twice, when what was sent was given up for lost.
            #expect(logBytes <= missing + missing / 10 + 65_536)
            let line = cluster.logLines(slave).first { $0.contains("up to date with member") }
            #expect(line?.contains("bytes of log") == true, "\(line ?? "no line")")
            // The master may have had an entry of its own to send meanwhile.
            try waitUntil("the table shows the bytes") {
                guard let bytes = fetched("log_bytes") else { return false }
                let table = try Program.run(["cluster", "status", "--from", "127.0.0.1:\(slave.httpPort)"]).output
                return table.contains("log bytes") && table.contains(" \(bytes) ")
            }
        }

        @Test func mistakesAreToldAndDestroyNothing() throws {
            let directory = try TestCluster.temporaryDirectory("mistakes")
            defer { removeTree(directory) }
            func run(_ arguments: String...) throws -> Program.Outcome { try Program.run(arguments) }
            let none = try run("backup", "-incremental", "-from", "single://127.0.0.1:1", "-to", directory + "/none")
            #expect(none.status == 2 && none.output.contains("begin with -full"), "\(none.output)")
            let nobody = try run("backup", "-full", "-from", "single://127.0.0.1:1", "-to", directory + "/none")
            #expect(nobody.status == 1 && nobody.output.contains("online_backup_enabled"), "\(nobody.output)")
            let both = try run("backup", "-full", "-incremental", "-from", "single://h", "-to", directory + "/none")
            #expect(both.status == 2 && both.output.contains("either -full or -incremental"), "\(both.output)")
            let slow = try run("backup", "-full", "--max-rate", "7", "-from", "single://h", "-to", directory + "/none")
            #expect(slow.status == 2 && slow.output.contains("--max-rate 7"), "\(slow.output)")
            let nothing = try run("restore", "--from", directory + "/none", "--to", directory + "/data")
            #expect(nothing.status == 2 && nothing.output.contains("holds no backup"), "\(nothing.output)")
            #expect(try POSIXFileSystem().list(directory) == [])
        }
    }
}
