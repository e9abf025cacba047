import Backup
import FileSystem
import GraphModel
import NIOCore
import Storage
import Synchronization
import Testing
import Transport

@Suite struct CopyTests {
    @Test func aCopyOfAStoreThatIsWrittenToIsWholeAndUpToDate() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await TestMember(directory + "/store")
            try await onThread {
                try member.write(300)
                try member.store.checkpoint()
                try member.write(100, from: 300)
            }
            let stops = Flag()
            async let writer: Int = onThread {
                var number = 400
                while !stops.isSet {
                    try member.write(10, from: number)
                    number += 10
                    // Checkpoints replace files and prune the log while they are copied.
                    if number % 50 == 0 { try member.store.checkpoint() }
                }
                return number
            }
            for round in 0..<5 {
                let target = "\(directory)/copy\(round)"
                let before = member.store.applied
                let copied = try await BackupClient.copyStore(from: member.address, into: target)
                let (report, applied) = try verify(target)
                #expect(copied.storeID == member.store.storeID && report.storeID == copied.storeID)
                #expect(copied.role == .master)
                #expect(applied == copied.position)
                #expect(applied.transactionID >= before.transactionID)
                // Every transaction makes two nodes and one relationship; node 0 was there.
                #expect(report.relationshipCount == Int(applied.transactionID.rawValue))
                #expect(report.nodeCount == 2 * report.relationshipCount + 1)
            }
            stops.set()
            _ = try await writer
            let last = try await BackupClient.copyStore(from: member.address, into: directory + "/last")
            #expect(last.position == member.store.applied)
            let here = try await onThread { member.store.check() }
            #expect(try verify(directory + "/last").report.checksum == here.checksum)
            try await eventually("nothing is held any more") {
                member.store.pinCount == 0 && member.service.copyCount == 0
            }
            await member.close()
        }
    }

    @Test func transactionsCommittedDuringTheCopyAreInIt() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await TestMember(directory + "/store")
            try await onThread {
                try member.write(12, byteCount: 4_000_000)
                try member.store.checkpoint()
            }
            let before = member.store.applied
            let wrote = Flag()
            let copied = try await onThread {
                try BackupClient.copyStoreBlocking(from: member.address, into: directory + "/copy") { received, files in
                    // While most is still with the member, more than sockets and queues hold.
                    if received > 0, received < files, !wrote.isSet {
                        wrote.set()
                        try? member.write(3, from: 100)
                    }
                }
            }
            #expect(wrote.isSet)
            #expect(copied.base == before)
            #expect(copied.position.transactionID.rawValue == before.transactionID.rawValue + 3)
            #expect(copied.byteCount > 48_000_000)
            _ = try verify(directory + "/copy")
            await member.close()
        }
    }

    @Test func anEmptyStoreAndAHugeTransactionCanBeCopied() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await TestMember(directory + "/store")
            let empty = try await BackupClient.copyStore(from: member.address, into: directory + "/empty")
            #expect(empty.position == .zero && empty.base == .zero)
            #expect(try verify(directory + "/empty").report.nodeCount == 1)
            try await onThread { try member.write(1, byteCount: 5 << 20) }
            let huge = try await BackupClient.copyStore(from: member.address, into: directory + "/huge")
            #expect(huge.position.transactionID == TransactionID(1))
            #expect(try verify(directory + "/huge").report.nodeCount == 3)
            await member.close()
        }
    }

    @Test func theWrongMemberIsRefused() async throws {
        try await withTemporaryDirectory { directory in
            var setup = TestMember.Setup()
            setup.clusterName = "north"
            let member = try await TestMember(directory + "/a", setup)
            let alone = try await TestMember(directory + "/b")
            let target = directory + "/copy"
            let cluster = try await failure {
                try await BackupClient.copyStore(
                    from: member.address, into: target, options: .init(clusterName: "south"))
            }
            #expect(cluster.code == .configuration)
            #expect(cluster.message.contains("\"north\"") && cluster.message.contains("\"south\""))
            let other = StoreID(member.store.storeID.rawValue ^ 1)
            let store = try await failure {
                try await BackupClient.copyStore(from: member.address, into: target, options: .init(storeID: other))
            }
            #expect(store.code == .foreignStore)
            #expect(store.message.contains("\(other)") && store.message.contains("\(member.store.storeID)"))
            let single = try await failure {
                try await BackupClient.copyStore(
                    from: alone.address, into: target, options: .init(clusterName: "north"))
            }
            #expect(single.code == .configuration && single.message.contains("single://"))
            #expect(!exists(target))
            // The right ones are accepted.
            try await BackupClient.copyStore(
                from: member.address, into: target,
                options: .init(clusterName: "north", storeID: member.store.storeID))
            _ = try verify(target)
            await member.close()
            await alone.close()
        }
    }

    @Test func aMemberTellsItsStatus() async throws {
        try await withTemporaryDirectory { directory in
            var setup = TestMember.Setup()
            setup.clusterName = "north"
            setup.member = .init(role: .slave, lagTransactions: 7, lag: 250)
            let member = try await TestMember(directory + "/a", setup)
            try await onThread { try member.write(2) }
            let status = try await onThread {
                try BackupClient.statusBlocking(of: member.address, clusterName: "north")
            }
            #expect(
                status
                    == BackupStatus(
                        storeID: member.store.storeID, role: .slave, isAvailable: true, applied: member.store.applied,
                        lagTransactions: 7, lag: 250, clusterName: "north"))
            setup.hasStore = false
            setup.member = .init(role: .pending)
            let starting = try await TestMember(directory + "/b", setup)
            let none = try await onThread { try BackupClient.statusBlocking(of: starting.address) }
            #expect(none.role == .pending && !none.isAvailable && none.storeID == .none)
            let refused = try await failure {
                try await BackupClient.copyStore(from: starting.address, into: directory + "/copy")
            }
            #expect(refused.code == .unavailable && refused.message.contains("there is no store yet"))
            await member.close()
            await starting.close()
        }
    }

    @Test func aTargetThatIsNotEmptyIsLeftAlone() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await TestMember(directory + "/store")
            let target = directory + "/target"
            try POSIXFileSystem().createDirectory(target)
            try POSIXFileSystem().replace(target + "/log.7.mlog", with: [1])
            let error = try await failure { try await BackupClient.copyStore(from: member.address, into: target) }
            #expect(error.code == .storageIO)
            #expect(error.message.contains(target) && error.message.contains("log.7.mlog"))
            #expect(try list(target) == ["log.7.mlog"])
            await member.close()
        }
    }
}

/// A flag that is set once.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
