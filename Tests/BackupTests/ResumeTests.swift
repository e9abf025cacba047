import Backup
import FileSystem
import GraphModel
import Storage
import Testing
import Transport

@Suite struct ResumeTests {
    @Test func aFullBackupGoesOnWithTheSegmentsThatCameWhole() async throws {
        try await withTemporaryDirectory { directory in
            var setup = TestMember.Setup()
            setup.service.copyByteCountPerSecond = 60_000_000
            let member = try await TestMember(directory + "/store", setup)
            try await onThread {
                try member.write(400, byteCount: 80_000)
                try member.store.checkpoint()
            }
            let backup = directory + "/backup"
            var options = BackupTool.Options(source: try BackupSource("single://\(member.address)"), directory: backup)
            let closing = Flag()
            let broken = try await failure { [options] in
                _ = try await onThread {
                    try BackupTool.run(options) { event in
                        guard case .copying(let progress) = event, progress.part > 0.5, !closing.isSet else { return }
                        closing.set()
                        let service = member.service
                        Task { await service.close() }
                    }
                }
            }
            #expect(broken.code == .network && broken.message.contains("goes on"), "\(broken)")
            #expect(try list(directory) == ["backup.incomplete", "store"])
            // Some of the segments are others by now.
            try await onThread {
                try member.write(3, from: 400)
                try member.store.checkpoint()
            }
            let store = member.store
            let service = BackupService(
                clusterName: nil, group: group, store: { () throws(GraphError) in store }, member: { .init(role: .master) })
            options.source = try BackupSource("single://\(try await service.start(on: loopback))")
            let summary = try await onThread { [options] in try BackupTool.run(options) }
            let size = store.beginCopy().byteCount
            #expect(summary.adoptedByteCount > size / 4 && summary.adoptedByteCount < size)
            #expect(summary.byteCount < size - summary.adoptedByteCount + (1 << 20))
            #expect(summary.position == store.applied && summary.isConsistent)
            let here = try await onThread { store.check() }
            #expect(summary.check?.graphChecksum == here.checksum.description)
            #expect(try list(directory) == ["backup", "store"])
            // What is listed is what is there, also of segments that came earlier.
            _ = try await onThread { try RestoreTool.run(.init(source: backup, target: directory + "/copy")) }
            await service.close()
            await member.close()
        }
    }

    @Test func aSlaveThatLagsIsBroughtUpToWhatWasAcknowledged() async throws {
        try await withTemporaryDirectory { directory in
            let master = try await TestMember(directory + "/master", Self.setup(.master))
            try await onThread { try master.write(10) }
            try await BackupClient.copyStore(from: master.address, into: directory + "/slave")
            let slave = try await TestMember(directory + "/slave", Self.setup(.slave))
            try await onThread { try master.write(15, from: 10) }
            var options = BackupTool.Options(
                source: try BackupSource("ha://\(slave.address),\(master.address)"), directory: directory + "/copy")
            for checks in [true, false] {
                options.checksResult = checks
                options.directory += "x"
                let summary = try await onThread { [options] in try BackupTool.run(options) }
                #expect(summary.host == slave.address && summary.position == master.store.applied)
                #expect(try verify(options.directory).applied == master.store.applied)
            }
            await slave.close()
            await master.close()
        }
    }

    private static func setup(_ role: BackupRole) -> TestMember.Setup {
        var setup = TestMember.Setup()
        setup.clusterName = "martlet.ha"
        setup.member = .init(role: role)
        setup.retention = .all
        return setup
    }

    @Test func aClientCanTakeItsTime() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await TestMember(directory + "/store")
            try await onThread {
                try member.write(30, byteCount: 100_000)
                try member.store.checkpoint()
            }
            var options = BackupTool.Options(
                source: try BackupSource("single://\(member.address)"), directory: directory + "/copy")
            options.byteCountPerSecond = 2 << 20
            let began = ContinuousClock.now
            let summary = try await onThread { [options] in try BackupTool.run(options) }
            let seconds = (ContinuousClock.now - began) / .seconds(1)
            #expect(seconds > Double(summary.byteCount - 300_000) / Double(2 << 20), "\(seconds) s for \(summary.byteCount)")
            await member.close()
        }
    }
}
