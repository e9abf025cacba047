import Backup
import FileSystem
import GraphModel
import NIOCore
import Storage
import Testing
import TestSupport
import Transport

@Suite struct IncrementalTests {
    private func member(_ directory: String, _ retention: LogRetention = .all) async throws -> TestMember {
        var setup = TestMember.Setup()
        setup.retention = retention
        return try await TestMember(directory + "/store", setup)
    }

    private func options(_ member: TestMember, _ directory: String, _ kind: BackupTool.Kind) throws -> BackupTool.Options {
        .init(source: try BackupSource("single://\(member.address)"), directory: directory, kind: kind)
    }

    private func run(_ options: BackupTool.Options) async throws -> BackupTool.Summary {
        try await onThread { try BackupTool.run(options) }
    }

    /// Every transaction makes two nodes and one relationship; node 0 was there.
    private func expectWhole(_ check: BackupTool.Summary.Check?, _ position: LogPosition) throws {
        let check = try #require(check)
        #expect(check.problems == [])
        #expect(check.relationshipCount == Int(position.transactionID.rawValue))
        #expect(check.nodeCount == 2 * check.relationshipCount + 1)
    }

    /// 200 rounds with MARTLET_BACKUP_ROUNDS=200.
    @Test func manyInARowUnderLoadAreEachWholeAndCostWhatWasCommitted() async throws {
        let rounds = processEnvironment()["MARTLET_BACKUP_ROUNDS"].flatMap { Int($0) } ?? 20
        try await withTemporaryDirectory { directory in
            let member = try await member(directory)
            try await onThread { try member.write(2000) }
            let (backup, copy) = (directory + "/backup", directory + "/copy")
            let full = try await run(try options(member, backup, .full))
            // So many transactions a round at most, or the last rounds would check a hundred times what the first do.
            let allowance = Monitor((number: 2200, isStopped: false))
            async let writer: Int = onThread {
                var number = 2000
                while true {
                    let isStopped = allowance.wait { state in state.isStopped || number < state.number ? state.isStopped : nil }
                    if isStopped ?? true { break }
                    try member.write(5, from: number)
                    number += 5
                    // Checkpoints replace files and logs rotate meanwhile.
                    if number % 200 == 0 { try member.store.checkpoint() }
                }
                return number
            }
            var last = full.position
            var (byteCount, transactionCount): (UInt64, UInt64) = (0, 0)
            for _ in 0..<rounds {
                allowance.withLock { $0.number += 200 }
                allowance.signal()
                let before = member.store.applied
                let summary = try await run(try options(member, backup, .incremental))
                #expect(summary.kind == .incremental && summary.previous == last)
                #expect(summary.position.transactionID >= before.transactionID)
                try expectWhole(summary.check, summary.position)
                let count = try #require(summary.transactionCount)
                // An entry of these transactions is shorter than 600 bytes.
                #expect(summary.byteCount <= 600 * count && summary.byteCount >= 100 * count)
                byteCount += summary.byteCount
                transactionCount += count
                // Opened and checked in a copy.
                let restored = try await onThread { try RestoreTool.run(.init(source: backup, target: copy)) }
                #expect(restored.position == summary.position)
                try expectWhole(restored.check, summary.position)
                for name in try list(copy) { try POSIXFileSystem().remove(copy + "/" + name) }
                last = summary.position
            }
            allowance.withLock { $0.isStopped = true }
            allowance.signal()
            _ = try await writer
            let end = try await run(try options(member, backup, .incremental))
            #expect(end.position == member.store.applied)
            let here = try await onThread { member.store.check() }
            #expect(end.check?.graphChecksum == here.checksum.description)
            #expect(try list(directory).sorted() == ["backup", "copy", "store"])
            #expect(!(try list(backup).contains { $0.contains("incomplete") }))
            try await eventually("nothing is held any more") { member.store.pinCount == 0 }
            print("\(rounds) incremental backups: \(byteCount) bytes for \(transactionCount) transactions; the full one \(full.byteCount)")
            await member.close()
        }
    }

    @Test func whenTheLogIsPrunedItSaysSoAndAFullOneTakesItsPlaceOnlyWhenAsked() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await member(directory, .none)
            let backup = directory + "/backup"
            try await onThread { try member.write(50) }
            let full = try await run(try options(member, backup, .full))
            try await onThread {
                // Several files of log, of which a checkpoint leaves the last.
                try member.write(40, byteCount: 100_000, from: 50)
                try member.store.checkpoint()
            }
            let names = try list(backup)
            let error = try await failure { _ = try await run(try options(member, backup, .incremental)) }
            #expect(error.code == .logPruned && error.message.contains("keep_logical_logs"), "\(error)")
            #expect(try list(backup) == names)
            #expect(try verify(backup).applied == full.position)
            var fallback = try options(member, backup, .incremental)
            fallback.fallsBackToFull = true
            let second = try await run(fallback)
            #expect(second.kind == .full && second.previous == nil && second.position == member.store.applied)
            #expect(try verify(backup).applied == second.position)
            #expect(try list(directory) == ["backup", "store"])
            #expect(try BackupListing.read(backup)?.position == second.position)
            await member.close()
        }
    }

    @Test func packedCopiesAndLogsTransferLess() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await member(directory)
            try await onThread {
                try member.write(200, byteCount: 5000)
                try member.store.checkpoint()
                try member.write(100, byteCount: 5000, from: 200)
            }
            let backup = directory + "/backup"
            var options = try options(member, backup, .full)
            options.compresses = true
            let full = try await run(options)
            try expectWhole(full.check, full.position)
            #expect(full.byteCount > 1_000_000 && full.transferredByteCount < full.byteCount / 10)
            #expect(full.text.contains("on the way"))
            try await onThread { try member.write(100, byteCount: 5000, from: 300) }
            options.kind = .incremental
            let next = try await run(options)
            try expectWhole(next.check, next.position)
            #expect(next.position == member.store.applied)
            #expect(next.byteCount > 500_000 && next.transferredByteCount < next.byteCount / 10)
            // Unpacked a little more goes over the network than what it is about.
            options.compresses = false
            try await onThread { try member.write(10, from: 400) }
            let plain = try await run(options)
            #expect(plain.transferredByteCount >= plain.byteCount && !plain.text.contains("on the way"))
            await member.close()
        }
    }

    @Test func generationsStandOnTheirOwn() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await member(directory)
            let backups = directory + "/backups"
            func make(_ kind: BackupTool.Kind) async throws -> BackupTool.Summary {
                try await onThread { try member.write(30) }
                var options = try options(member, backups, kind)
                options.keep = 3
                return try await run(options)
            }
            let nothing = try await failure { _ = try await make(.incremental) }
            #expect(nothing.code == .configuration && nothing.message.contains("-full"))
            var made = [try await make(.full)]
            for _ in 0..<4 { made.append(try await make(.incremental)) }
            #expect(try list(backups).count == 3)
            #expect(try list(backups) == made.suffix(3).map { lastName($0.directory) })
            #expect(lastName(made[4].directory).hasPrefix("000005."))
            // A server that runs on one does not reach the others.
            let oldest = made[2].directory
            do {
                let store = try Store.open(oldest)
                defer { store.close() }
                #expect(store.applied == made[2].position)
                let committer = try LocalCommitter(store)
                let transaction = committer.begin(nodes: 1, relationships: 0)
                _ = try transaction.createNode(labels: ["New"], properties: [])
                try committer.commitAndWait(transaction)
                try store.checkpoint()
            }
            for summary in made.suffix(2) {
                #expect(try verify(summary.directory).applied == summary.position)
                let restored = try await onThread {
                    try RestoreTool.run(.init(source: summary.directory, target: directory + "/restored"))
                }
                #expect(restored.position == summary.position)
                for name in try list(directory + "/restored") { try POSIXFileSystem().remove(directory + "/restored/" + name) }
            }
            let mixed = try await failure { _ = try await run(try options(member, backups, .incremental)) }
            #expect(mixed.code == .configuration && mixed.message.contains("--keep"))
            // A full one is a generation, too; the latest is what is restored.
            let full = try await make(.full)
            let latest = try await onThread { try RestoreTool.run(.init(source: backups, target: directory + "/restored")) }
            #expect(latest.position == full.position && latest.source == full.directory)
            await member.close()
        }
    }

    private func lastName(_ path: String) -> String { lastPathComponent(of: path) }

    @Test func theWrongMemberAndPartedHistoriesAreRefused() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await member(directory)
            let other = try await TestMember(directory + "/other")
            let backup = directory + "/backup"
            try await onThread { try member.write(20) }
            let full = try await run(try options(member, backup, .full))
            let foreign = try await failure { _ = try await run(try options(other, backup, .incremental)) }
            #expect(foreign.code == .foreignStore && foreign.message.contains("\(member.store.storeID)"))
            // One with the same store that went another way, and one that is not as far.
            try await BackupClient.copyStore(from: member.address, into: directory + "/parted")
            let parted = try await TestMember(directory + "/parted")
            try await onThread {
                try member.write(10, from: 20)
                try parted.write(3, from: 900)
            }
            let behind = try await run(try options(member, backup, .incremental))
            let early = try await failure { _ = try await run(try options(parted, backup, .incremental)) }
            #expect(early.code == .unavailable && early.message.contains("tx 23") && early.message.contains("tx 30"))
            try await onThread { try parted.write(30, from: 950) }
            let gone = try await failure { _ = try await run(try options(parted, backup, .incremental)) }
            #expect(gone.code == .foreignStore && gone.message.contains("parted"), "\(gone)")
            #expect(try verify(backup).applied == behind.position)
            #expect(behind.previous == full.position)
            let none = try await failure { _ = try await run(try options(member, directory + "/none", .incremental)) }
            #expect(none.code == .configuration && none.message.contains("-full"))
            #expect(!exists(directory + "/none"))
            // In use by a server.
            do {
                let store = try Store.open(backup)
                defer { store.close() }
                let used = try await failure { _ = try await run(try options(member, backup, .incremental)) }
                #expect(used.code == .storeLocked && used.message.contains(backup))
            }
            for member in [member, other, parted] { await member.close() }
        }
    }

    @Test func flippedBitsAreFoundOnTheDiskAndOnTheWay() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await member(directory)
            let backup = directory + "/backup"
            try await onThread {
                try member.write(20)
                try member.store.checkpoint()
                try member.write(20, from: 20)
            }
            let full = try await run(try options(member, backup, .full))
            let listing = try #require(try BackupListing.read(backup))
            #expect(listing.position == full.position && listing.storeID == member.store.storeID)
            let disk = POSIXFileSystem()
            for file in listing.files {
                let path = backup + "/" + file.name
                let whole = try disk.readAll(path)
                var flipped = whole
                flipped[whole.count / 3] ^= 4
                try disk.replace(path, with: flipped)
                let error = try await failure { _ = try await run(try options(member, backup, .incremental)) }
                #expect(error.code == .corrupt && error.message.contains(file.name), "\(error)")
                let restore = try await failure {
                    _ = try await onThread { try RestoreTool.run(.init(source: backup, target: directory + "/copy")) }
                }
                #expect(restore.code == .corrupt && restore.message.contains(file.name), "\(restore)")
                #expect(!exists(directory + "/copy"))
                try disk.replace(path, with: whole)
            }
            // On the way: the frame, and an entry within a frame that is whole.
            try await onThread { try member.write(5, from: 40) }
            let records = try #require(try member.store.records(after: full.position.transactionID, maximumByteCount: 1 << 20))
            let header = CopyHeader(
                storeID: member.store.storeID, role: .master, manifest: [], files: [], base: full.position,
                target: member.store.applied)
            var damagedEntry = records.map(\.bytes)
            damagedEntry[2][70] ^= 1
            var damagedFrame = frame(BackupAnswer.records(records.map(\.bytes)).encode())
            damagedFrame[damagedFrame.count / 2] ^= 8
            let end = frame(BackupAnswer.end(member.store.applied).encode())
            let cases: [([UInt8], ErrorCode)] = [
                (damagedFrame + end, .network), (frame(BackupAnswer.records(damagedEntry).encode()) + end, .corrupt),
                (frame(BackupAnswer.records(Array(records.map(\.bytes).dropFirst())).encode()) + end, .network),
                (frame(BackupAnswer.records(Array(records.map(\.bytes).dropLast())).encode()) + end, .corrupt),
            ]
            for (bytes, code) in cases {
                let fake = try await FakeMember { _ in frame(BackupAnswer.header(header).encode()) + bytes }
                let options = BackupTool.Options(
                    source: try BackupSource("single://\(fake.address)"), directory: backup, kind: .incremental)
                let error = try await failure { _ = try await run(options) }
                #expect(error.code == code, "\(error)")
                #expect(try BackupListing.read(backup) == listing)
                #expect(try verify(backup).applied == full.position)
                try await fake.close()
            }
            #expect(try await run(try options(member, backup, .incremental)).position == member.store.applied)
            await member.close()
        }
    }

    /// The machine stops, the disk is full or fails at each operation of an incremental backup in turn.
    @Test func whereverItEndsTheBackupBeforeOrTheNewOneIsWhole() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await member(directory)
            try await onThread {
                try member.write(20)
                try member.store.checkpoint()
                try member.write(20, from: 20)
            }
            let disk = CrashableFileSystem()
            try disk.createDirectory("/b")
            let source = try options(member, "/b", .full)
            let full = try await onThread { try BackupTool.run(source, fileSystem: disk) }
            try await onThread { try member.write(30, from: 40) }
            let target = member.store.applied
            let next = try options(member, "/b", .incremental)
            var generator = SeededGenerator(seed: 11)
            let start = disk.crashClone(using: &generator)
            let trial = start.crashClone(using: &generator)
            _ = try await onThread { try BackupTool.run(next, fileSystem: trial) }
            let (first, count) = (start.operationCount, trial.operationCount)
            #expect(count - first > 20)
            var (old, new) = (0, 0)
            for number in first..<count {
                for fault in [CrashableFileSystem.Fault.crash, number % 2 == 0 ? .noSpace : .ioError] {
                    let disk = start.crashClone(using: &generator)
                    disk.inject(fault, at: number)
                    let what = "\(fault) at \(trial.operationName(number))"
                    let failed = try await onThread {
                        do { _ = try BackupTool.run(next, fileSystem: disk) } catch { return true }
                        return false
                    }
                    let after = disk.crashClone(using: &generator)
                    var storeOptions = Store.Options()
                    storeOptions.usesLogThread = false
                    let store = try Store.open("/b", fileSystem: after, options: storeOptions)
                    #expect(store.check().problems == [], "\(what)")
                    #expect(store.applied == full.position || store.applied == target, "\(what): \(store.applied)")
                    #expect(failed || store.applied == target, "\(what)")
                    if store.applied == target { new += 1 } else { old += 1 }
                    store.close()
                    let again = after.crashClone(using: &generator)
                    let summary = try await onThread { try BackupTool.run(next, fileSystem: again) }
                    #expect(summary.position == target && summary.isConsistent, "\(what)")
                }
            }
            #expect(old > 0 && new > 0)
            print("an incremental backup broken off \(old + new) times: \(old) times the old one was there, \(new) times the new one")
            await member.close()
        }
    }
}
