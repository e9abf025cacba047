import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Storage
import Testing

extension EndToEnd {
    /// Incremental backups of a cluster that is written to, and what can be made of them.
    @Suite(.serialized) struct OnlineBackupTests {
        private static let accountCount = 20
        private static let balance = 100

        private func source(_ cluster: TestCluster) -> String {
            "ha://" + cluster.members.map { "127.0.0.1:\($0.backupPort)" }.joined(separator: ",")
        }

        /// Moves money between accounts until told to stop; whatever the answers, the sum stays.
        private func transfers(_ cluster: TestCluster, _ stops: @escaping @Sendable () -> Bool) -> DedicatedThread {
            let port = cluster.writePort
            return DedicatedThread(name: "transfers") {
                let client = BlockingHTTPClient(port: port)
                let clock = Monitor(())
                var number = 0
                while !stops() {
                    number += 1
                    let (from, to) = (number % Self.accountCount, (number * 7 + 3) % Self.accountCount)
                    if from == to { continue }
                    let answer = try? client.cypher(
                        "MATCH (a:Account {id: \(from)}), (b:Account {id: \(to)}) SET a.balance = a.balance - 1, b.balance = b.balance + 1")
                    if answer?.status != 200 { WriteLoad.rest(clock, 10_000_000) }
                }
            }
        }

        private func sumOfBalances(_ store: Store) throws -> Int64 {
            let read = store.beginRead()
            let label = try #require(read.token(.label, "Account"))
            let key = try #require(read.token(.propertyKey, "balance"))
            var cursor: UInt64 = 0
            var ids: ContiguousArray<UInt64> = []
            while read.scanNodes(label: label, cursor: &cursor, limit: 4096, into: &ids) {}
            #expect(ids.count == Self.accountCount)
            return ids.reduce(0) { sum, id in
                if case .integer(let number)? = read.property(key, ofNode: NodeID(id)) { sum + number } else { sum }
            }
        }

        /// A copy of the backup opens, is whole, and holds what was acknowledged before it began.
        private func expectWhole(_ backup: String, _ cluster: TestCluster, _ acknowledged: [Int64], _ what: String) throws {
            let copy = cluster.directory + "/copy"
            removeTree(copy)
            let restored = try Program.run(["restore", "--from", backup, "--to", copy])
            #expect(restored.status == 0, "\(what): \(restored.output)")
            let store = try Store.open(copy)
            defer { store.close() }
            #expect(store.check().problems == [], "\(what)")
            let missing = try RejoinTests.missing(acknowledged, in: store)
            #expect(missing.isEmpty, "\(what): \(missing.count) writes are missing that were acknowledged before")
            #expect(try sumOfBalances(store) == Int64(Self.accountCount * Self.balance), "\(what)")
        }

        /// More rounds with MARTLET_BACKUP_ROUNDS.
        @Test func backupsUnderTransfersHoldThroughFailoversAndKilledClients() async throws {
            let rounds = processEnvironment()["MARTLET_BACKUP_ROUNDS"].flatMap { Int($0) } ?? 6
            let cluster = try await TestCluster(
                "online-backup",
                settings: [("martlet.checkpoint.threshold", "1M"), ("logical_log_rotation_threshold", "256k")])
            let made = try cluster.client(cluster.writePort).cypher(
                "FOREACH (i IN range(0, \(Self.accountCount - 1)) | CREATE (:Account {id: i, balance: \(Self.balance)}))")
            #expect(made.status == 200, "\(made.text)")
            let writers = WriteLoad(clients: 3, ports: [cluster.writePort])
            let transfers = transfers(cluster) { writers.state.withLock(\.isStopped) }
            try waitUntil("writes go on") { writers.acknowledgedCount > 300 }
            let backup = cluster.directory + "/backup"
            var before = writers.acknowledgedKeys
            let full = try Program.run(["backup", "-full", "-from", source(cluster), "-to", backup])
            #expect(full.status == 0, "\(full.output)")
            try expectWhole(backup, cluster, before, "the full backup")
            let arguments = ["backup", "-incremental", "-from", source(cluster), "-to", backup]
            for round in 0..<rounds {
                let whole = before
                before = writers.acknowledgedKeys
                switch round % 3 {
                case 0:
                    let outcome = try Program.run(arguments)
                    #expect(outcome.status == 0, "round \(round): \(outcome.output)")
                    try expectWhole(backup, cluster, before, "round \(round)")
                case 1:
                    // The client is killed somewhere on its way; what is there is the backup before, or the new one.
                    let process = try ChildProcess.start(
                        TestCluster.program, arguments, outputPath: cluster.directory + "/killed.out", detached: false)
                    WriteLoad.rest(Monitor(()), UInt64(20_000_000 + round * 37_000_000 % 400_000_000))
                    kill(process.processID, SIGKILL)
                    var status: Int32 = 0
                    waitpid(process.processID, &status, 0)
                    try expectWhole(backup, cluster, whole, "round \(round), after the client was killed")
                default:
                    // The master dies meanwhile.
                    let master = try cluster.master()
                    let process = try ChildProcess.start(
                        TestCluster.program, arguments, outputPath: cluster.directory + "/failover.out", detached: false)
                    cluster.signal(master, SIGKILL)
                    var status: Int32 = 0
                    waitpid(process.processID, &status, 0)
                    try expectWhole(backup, cluster, status == 0 ? before : whole, "round \(round), the master died")
                    try cluster.restart(master)
                }
            }
            writers.stop()
            transfers.join()
            let last = try Program.run(arguments)
            #expect(last.status == 0, "\(last.output)")
            try expectWhole(backup, cluster, writers.acknowledgedKeys, "the last backup")
            print("\(rounds) rounds of incremental backups; writes: \(writers.summary)")
            try await cluster.stopAndCompareStores()
            await cluster.stop()
        }

        @Test func aSlaveThatIsSeededWithABackupFetchesOnlyWhatIsMissing() async throws {
            let cluster = try await TestCluster("seed")
            let writers = WriteLoad(clients: 3, ports: [cluster.writePort])
            try waitUntil("writes go on") { writers.acknowledgedCount > 1000 }
            let backup = cluster.directory + "/backup"
            let full = try Program.run(["backup", "-full", "-from", source(cluster), "-to", backup, "--no-check"])
            #expect(full.status == 0, "\(full.output)")
            let master = try cluster.master()
            let slave = try #require(cluster.members.first { $0.id != master.id })
            cluster.signal(slave, SIGKILL)
            try waitUntil("the slave has ended") { slave.process == nil }
            removeTree(slave.directory + "/data")
            let restored = try Program.run(["restore", "--from", backup, "--to", slave.directory + "/data/graph.db"])
            #expect(restored.status == 0, "\(restored.output)")
            let away = writers.acknowledgedCount
            try waitUntil("there is something to fetch") { writers.acknowledgedCount > away + 300 }
            try cluster.restart(slave)
            writers.stop()
            #expect(!cluster.logLines(slave).contains { $0.contains("store copy") })
            try FailoverTests.expectAllThere(cluster, writers.acknowledgedKeys)
            try await cluster.stopAndCompareStores()
            await cluster.stop()
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
