import FileSystem
import Glibc
import GraphModel
import ServerRuntime
import Testing
import TestSupport

extension EndToEnd {
    /// What goes wrong with a backup is told, and the backup before stays as it is.
    @Suite(.serialized) struct BackupFailureTests {
        typealias SingleServer = ProcessTests.SingleServer

        /// Where a server says that its backup service listens.
        private func source(_ server: SingleServer) throws -> String {
            let line = try #require(server.output.split(separator: "\n").first { $0.contains("backup service listens") })
            let address = try #require(line.split(separator: " ").last { $0.contains("address=") }?.split(separator: "=").last)
            return "single://\(address)"
        }

        private func server(_ directory: String, _ name: String, settings: [String] = []) throws -> SingleServer {
            try POSIXFileSystem().createDirectory(directory + "/" + name)
            return try SingleServer(directory: directory + "/" + name, settings: settings)
        }

        private func create(_ server: SingleServer, from first: Int, count: Int) throws {
            let answer = try BlockingHTTPClient(port: server.port).cypher(
                "FOREACH (i IN range(\(first), \(first + count - 1)) | CREATE (:W {key: i, text: 'something that takes a bit of room'}))")
            try #require(answer.status == 200, "\(answer.text)")
        }

        /// What a backup holds, by its checksum.
        private func contents(_ directory: String) throws -> String {
            let checked = try Program.run(["check", directory])
            #expect(checked.status == 0, "\(checked.output)")
            return checked.output
        }

        @Test func disabledServiceWrongPortAndForeignStoreAreNamed() throws {
            let directory = try TestCluster.temporaryDirectory("backup-failures")
            defer { removeTree(directory) }
            let server = try server(directory, "server")
            defer { server.process.kill9() }
            try create(server, from: 0, count: 100)
            let backup = directory + "/backup"
            let full = try Program.run(["backup", "-full", "-from", try source(server), "-to", backup])
            #expect(full.status == 0, "\(full.output)")
            let before = try contents(backup)

            let disabled = try self.server(directory, "disabled", settings: ["online_backup_enabled=false"])
            defer { disabled.process.kill9() }
            #expect(!disabled.output.contains("backup service listens"))
            let foreign = try self.server(directory, "foreign")
            defer { foreign.process.kill9() }
            let cases: [(from: String, status: Int32, expected: [String])] = [
                // Nothing listens where the service would.
                ("single://127.0.0.1:1", 1, ["connection refused", "online_backup_enabled"]),
                // The port of HTTP instead.
                ("single://127.0.0.1:\(disabled.port)", 1, ["no backup service", "online_backup_port"]),
                (try source(foreign), 1, ["this member has store", "the copy is to be of store"]),
                // No member of a cluster.
                ("ha://" + (try source(server)).dropFirst("single://".count), 2, ["ask with single://"]),
            ]
            for (from, status, expected) in cases {
                let outcome = try Program.run(["backup", "-incremental", "-from", from, "-to", backup])
                #expect(outcome.status == status, "\(from): \(outcome.output)")
                #expect(expected.allSatisfy(outcome.output.contains), "\(from): \(outcome.output)")
                #expect(outcome.output.split(separator: "\n").filter { $0.hasPrefix("martlet: error: ") }.count == 1)
                #expect(try contents(backup) == before, "\(from)")
            }
            let other = try Program.run(["backup", "-full", "-from", try source(foreign), "-to", backup])
            #expect(other.status != 0, "\(other.output)")
            #expect(try contents(backup) == before)
            // And the right one goes on where the first ended.
            try create(server, from: 100, count: 10)
            let next = try Program.run(["backup", "-incremental", "-from", try source(server), "-to", backup])
            #expect(next.status == 0, "\(next.output)")
            let after = try contents(backup)
            #expect(after.contains("nodes           111\n"), "\(after)")
        }

        /// The target is a file system of a few megabytes, in a mount namespace of its own.
        @Test func aFullTargetDiskIsNamedAndTheBackupBeforeStays() throws {
            let directory = try TestCluster.temporaryDirectory("full-target")
            defer { removeTree(directory) }
            let probe = try Program.run(["-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], program: "unshare")
            guard probe.status == 0 else { return print("no file system of its own can be mounted here: \(probe.output)") }
            let server = try server(directory, "server")
            defer { server.process.kill9() }
            try create(server, from: 0, count: 1000)
            let disk = directory + "/disk"
            try POSIXFileSystem().createDirectory(disk)
            let (from, program) = (try source(server), TestCluster.program)
            // Two backups, with so much written in between that the second does not fit; then a full one that never could.
            let write = "for i in $(seq 40); do curl -s -o /dev/null -H 'Content-Type: application/json' -d \"$body\" http://127.0.0.1:\(server.port)/db/data/cypher; done"
            let script = """
                set -u
                mount -t tmpfs -o size=12m tmpfs \(disk)
                \(program) backup -full -from \(from) -to \(disk)/backup || exit 20
                \(program) check \(disk)/backup > \(directory)/before || exit 21
                body='{"query": "FOREACH (i IN range(1, 2000) | CREATE (:Big {key: i, text: \\u0027\(String(repeating: "x", count: 200))\\u0027}))"}'
                \(write)
                \(program) backup -incremental -from \(from) -to \(disk)/backup
                echo "incremental ended with $?"
                \(program) check \(disk)/backup > \(directory)/after || exit 22
                cmp \(directory)/before \(directory)/after || exit 23
                ls -a \(disk)
                \(program) backup -full -from \(from) -to \(disk)/other
                echo "full ended with $?"
                test -e \(disk)/other && exit 24
                \(program) check \(disk)/backup > \(directory)/after || exit 25
                cmp \(directory)/before \(directory)/after || exit 26
                ls -a \(disk) \(disk)/backup > \(directory)/left
                """
            let outcome = try Program.run(["-rm", "sh", "-c", script], program: "unshare")
            #expect(outcome.status == 0, "\(outcome.output)")
            #expect(outcome.output.contains("incremental ended with 1") && outcome.output.contains("full ended with 1"), "\(outcome.output)")
            let errors = outcome.output.split(separator: "\n").filter { $0.hasPrefix("martlet: error: ") }
            #expect(errors.count == 2 && errors.allSatisfy { $0.contains("no space") || $0.contains("No space") }, "\(outcome.output)")
            let left = String(decoding: try POSIXFileSystem().readAll(directory + "/left"), as: UTF8.self)
            #expect(!left.contains("incomplete"), "\(left)")
        }

        /// More rounds with MARTLET_BACKUP_KILLS; MARTLET_SEED repeats one run's delays.
        @Test func clientsAndServersKilledAtRandomLeaveAWholeBackup() throws {
            let environment = processEnvironment()
            let rounds = environment["MARTLET_BACKUP_KILLS"].flatMap { Int($0) } ?? 12
            let seed = environment["MARTLET_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...1 << 32)
            var random = SeededGenerator(seed: seed)
            let directory = try TestCluster.temporaryDirectory("backup-kills")
            defer { removeTree(directory) }
            var server = try server(directory, "server")
            let backup = directory + "/backup"
            var (nodeCount, whole, made) = (20_000, 0, 0)
            for first in stride(from: 0, to: nodeCount, by: 2000) { try create(server, from: first, count: 2000) }
            for round in 0..<rounds {
                let isFirst = round == 0
                let arguments = ["backup", isFirst ? "-full" : "-incremental", "-from", try source(server), "-to", backup]
                if isFirst {
                    let full = try Program.run(arguments)
                    try #require(full.status == 0, "\(full.output)")
                    whole = nodeCount
                    continue
                }
                try create(server, from: nodeCount, count: 3000)
                nodeCount += 3000
                let output = directory + "/killed.\(round)"
                let process = try ChildProcess.start(TestCluster.program, arguments, outputPath: output, detached: false)
                WriteLoad.rest(Monitor(()), UInt64.random(in: 1_000_000...400_000_000, using: &random))
                let isServer = Bool.random(using: &random)
                if isServer { try server.kill(SIGKILL) } else { process.kill9() }
                var status: Int32 = 0
                waitpid(process.processID, &status, 0)
                if status == 0 { made += 1 }
                let count = try contents(backup).split(separator: "\n").first { $0.hasPrefix("nodes ") }
                    .flatMap { Int($0.split(separator: " ")[1]) } ?? 0
                // The reference node is one more.
                let allowed = status == 0 ? [nodeCount + 1] : [whole + 1, nodeCount + 1]
                #expect(allowed.contains(count), "seed \(seed), round \(round): \(count) nodes, \(allowed) may be")
                whole = count - 1
                if isServer { server = try SingleServer(directory: directory + "/server") }
            }
            let last = try Program.run(["backup", "-incremental", "-from", try source(server), "-to", backup])
            #expect(last.status == 0, "seed \(seed): \(last.output)")
            #expect(try contents(backup).contains("nodes           \(nodeCount + 1)"), "seed \(seed)")
            print("seed \(seed): \(rounds) rounds, \(made) backups were through before anybody died")
            try server.kill(SIGKILL)
        }
    }
}
