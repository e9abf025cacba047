import Backup
import FileSystem
import GraphModel
import Storage
import Synchronization
import Testing
import Transport

@Suite struct ToolTests {
    private func source(_ members: HostPort..., mode: String = "ha") throws -> BackupSource {
        try BackupSource("\(mode)://" + members.map(\.description).joined(separator: ","))
    }

    private final class Notes: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ event: BackupTool.Event) { if case .note(let line) = event { lines.withLock { $0.append(line) } } }
    }

    private func run(_ options: BackupTool.Options, _ notes: Notes = Notes()) async throws -> BackupTool.Summary {
        try await onThread { try BackupTool.run(options) { notes.add($0) } }
    }

    private func member(_ path: String, _ role: BackupRole = .master) async throws -> TestMember {
        var setup = TestMember.Setup()
        setup.clusterName = "martlet.ha"
        setup.member = .init(role: role)
        return try await TestMember(path, setup)
    }

    /// A slave that is first choice, and dies in the middle of the copy.
    private func dyingSlave(of member: TestMember) async throws -> FakeMember {
        let source = member.store.beginCopy()
        let header = CopyHeader(
            storeID: source.storeID, role: .slave, manifest: source.manifest,
            files: source.files.map { .init(name: $0.name, byteCount: $0.byteCount) }, base: source.basePosition,
            target: source.target)
        let part = try source.read(0, from: 0, maximumByteCount: 100)
        let status = BackupStatus(storeID: source.storeID, role: .slave, isAvailable: true, applied: source.target)
        return try await FakeMember { request in
            switch request.kind {
            case .status: frame(BackupAnswer.status(status).encode())
            case .full, .incremental, .resumed:
                frame(BackupAnswer.header(header).encode())
                    + frame(BackupAnswer.chunk(file: 0, offset: 0, bytes: part[...]).encode())
            }
        }
    }

    @Test func aBackupIsCheckedAndSummedUp() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await member(directory + "/store")
            try await onThread { try member.write(50) }
            let target = directory + "/new/place/backup/"
            let summary = try await run(.init(source: try source(member.address), directory: target))
            let check = try #require(summary.check)
            #expect(summary.host == member.address && summary.role == .master)
            #expect(summary.storeID == member.store.storeID && summary.position == member.store.applied)
            #expect(summary.directory == directory + "/new/place/backup")
            #expect(check.nodeCount == 101 && check.relationshipCount == 50 && check.problems == [])
            #expect(summary.isConsistent && summary.byteCount > 0 && summary.seconds >= summary.copySeconds)
            let here = try await onThread { member.store.check() }
            #expect(check.graphChecksum == here.checksum.description)
            #expect(try verify(target).applied == summary.position)
            #expect(try list(directory + "/new/place") == ["backup"])
            for part in ["copied from     \(member.address) (master)", "last            tx 50,", "consistent"] {
                #expect(summary.text.contains(part))
            }
            // A database that stands alone is asked without a cluster's name.
            let alone = try await TestMember(directory + "/alone")
            var options = BackupTool.Options(
                source: try source(alone.address, mode: "single"), directory: directory + "/copy")
            options.checksResult = false
            #expect(try await run(options).check == nil)
            _ = try verify(directory + "/copy")
            await member.close()
            await alone.close()
        }
    }

    @Test func anEmptyDirectoryIsFilledInPlace() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await member(directory + "/store")
            try await onThread {
                try member.write(30)
                try member.store.checkpoint()
                try member.write(30, from: 30)
            }
            let target = directory + "/mounted"
            try POSIXFileSystem().createDirectory(target)
            let seen = Mutex<[String]>([])
            let tool = try source(member.address)
            _ = try await onThread {
                try BackupTool.run(.init(source: tool, directory: target)) { event in
                    if case .copying = event { seen.withLock { $0 = (try? list(target)) ?? [] } }
                }
            }
            // While it was being made, no file of a store was where a store is looked for.
            #expect(seen.withLock { $0 } == ["backup.incomplete"])
            #expect(!(try list(target).contains { $0.contains("incomplete") }))
            #expect(try verify(target).applied == member.store.applied)
            #expect(try list(directory) == ["mounted", "store"])
            await member.close()
        }
    }

    @Test func aTargetThatIsNotEmptyIsRefusedBeforeAnythingIsAsked() async throws {
        try await withTemporaryDirectory { directory in
            let target = directory + "/target"
            try POSIXFileSystem().createDirectory(target)
            try POSIXFileSystem().replace(target + "/manifest", with: [1])
            let nobody = HostPort(host: "127.0.0.1", port: 1)
            let error = try await failure { _ = try await run(.init(source: try source(nobody), directory: target)) }
            #expect(error.message.contains("not empty (manifest)") && error.message.contains(target))
            #expect(try list(target) == ["manifest"])
            #expect(try list(directory) == ["target"])
            let file = directory + "/file"
            try POSIXFileSystem().replace(file, with: [1])
            _ = try await failure { _ = try await run(.init(source: try source(nobody), directory: file)) }
            #expect(try list(directory) == ["file", "target"])
        }
    }

    @Test func theNextMemberIsTriedWhenOneDiesOrRefuses() async throws {
        try await withTemporaryDirectory { directory in
            let master = try await member(directory + "/store")
            try await onThread {
                try master.write(30)
                try master.store.checkpoint()
            }
            let dying = try await dyingSlave(of: master)
            let gone = try await FakeMember { _ in [] }
            try await gone.close()
            let notes = Notes()
            let options = BackupTool.Options(
                source: try source(gone.address, dying.address, master.address), directory: directory + "/copy")
            let summary = try await run(options, notes)
            #expect(summary.host == master.address && summary.isConsistent)
            #expect(try verify(directory + "/copy").applied == master.store.applied)
            let copies = notes.all.filter { $0.hasPrefix("copying the store of ") }
            #expect(copies == ["copying the store of \(dying.address)", "copying the store of \(master.address)"])
            #expect(notes.all.contains { $0.contains("\(gone.address)") && $0.contains("refused") })
            #expect(notes.all.contains { $0.contains("\(dying.address) ended too early") })
            #expect(try list(directory) == ["copy", "store"])

            await master.service.close()
            let error = try await failure {
                _ = try await run(.init(source: options.source, directory: directory + "/none"))
            }
            for host in [gone.address, dying.address, master.address] { #expect(error.message.contains("\(host)")) }
            #expect(try list(directory) == ["copy", "store"])
            try await dying.close()
            await master.close()
        }
    }

    @Test func anUpToDateSlaveSparesTheMaster() async throws {
        try await withTemporaryDirectory { directory in
            let master = try await member(directory + "/master")
            try await onThread { try master.write(5) }
            try await BackupClient.copyStore(from: master.address, into: directory + "/slave")
            let slave = try await member(directory + "/slave", .slave)
            let summary = try await run(
                .init(source: try source(master.address, slave.address), directory: directory + "/copy"))
            #expect(summary.host == slave.address && summary.role == .slave)
            #expect(summary.position == master.store.applied)
            await slave.close()
            await master.close()
        }
    }

    @Test func theClusterNameMustBeRight() async throws {
        try await withTemporaryDirectory { directory in
            var setup = TestMember.Setup()
            setup.clusterName = "north"
            let member = try await TestMember(directory + "/store", setup)
            var options = BackupTool.Options(source: try source(member.address), directory: directory + "/copy")
            let error = try await failure { _ = try await run(options) }
            #expect(
                error.code == .configuration && error.message.contains("\"north\"")
                    && error.message.contains("-cluster"))
            #expect(try list(directory) == ["store"])
            options.clusterName = "north"
            #expect(try await run(options).isConsistent)
            await member.close()
        }
    }

    @Test func whatAnInterruptedBackupLeftIsClearedAndTwoDoNotMeet() async throws {
        try await withTemporaryDirectory { directory in
            let disk = POSIXFileSystem()
            let member = try await member(directory + "/store")
            // A process that was killed left these.
            let left = directory + "/copy.incomplete/store"
            try disk.createDirectory(left)
            for name in ["nodes.0.0.seg", "manifest", "log.1.mlog"] {
                try disk.replace(left + "/" + name, with: [1, 2])
            }
            #expect(throws: GraphError.self) { try Store.open(directory + "/copy.incomplete") }
            let options = BackupTool.Options(source: try source(member.address), directory: directory + "/copy")
            do {
                let lock = try disk.lock(directory + "/copy.incomplete/lock")
                let error = try await failure { _ = try await run(options) }
                withExtendedLifetime(lock) {}
                #expect(error.code == .storeLocked && error.message.contains("under way"))
            }
            #expect(try await run(options).isConsistent)
            #expect(try list(directory) == ["copy", "store"])
            await member.close()
        }
    }

    @Test func damageInTheGraphIsReported() async throws {
        var summary = BackupTool.Summary(
            directory: "/b", host: HostPort(host: "h", port: 1), role: .slave, storeID: StoreID(1), position: .zero,
            byteCount: 2_500_000_000, copySeconds: 10, seconds: 12.34)
        #expect(summary.text.hasSuffix("not checked"))
        summary.check = .init(nodeCount: 1, relationshipCount: 0, graphChecksum: "00", problems: ["node 1 is odd"])
        #expect(!summary.isConsistent)
        #expect(
            summary.text.contains("2.5 GB (2500000000 bytes)") && summary.text.contains("12.3 s, copied at 250.0 MB/s"))
        #expect(summary.text.contains("problem: node 1 is odd\nINCONSISTENT: 1 problem(s)"))
    }
}
