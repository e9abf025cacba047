import Backup
import FileSystem
import GraphModel
import NIOCore
import Storage
import Testing
import Transport

/// Clients and members that go away, stall, or send nonsense.
@Suite struct FaultTests {
    /// A member with more data than sockets hold.
    private func bigMember(_ directory: String, _ service: BackupService.Options = .forgetful) async throws -> TestMember {
        var setup = TestMember.Setup()
        setup.service = service
        let member = try await TestMember(directory + "/store", setup)
        try await onThread {
            try member.write(12, byteCount: 4_000_000)
            try member.store.checkpoint()
            try member.write(5, from: 12)
        }
        return member
    }

    private let full = BackupRequest(kind: .full, clusterName: "", storeID: .none)

    @Test func aClientThatGoesAwayLetsGoOfTheStore() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await bigMember(directory)
            // In the middle of the stream, and before reading anything.
            for reads in [true, false] {
                // One that read from the start might have it all before anybody looks.
                let client = try await RawClient(member.address, reads: false)
                client.send(full)
                try await eventually("the copy is under way") { member.service.copyCount == 1 && member.store.pinCount == 1 }
                if reads {
                    client.channel.read()
                    try await eventually("something has come") { client.receivedByteCount > 0 }
                }
                try await client.channel.close().get()
                try await eventually("the store is free") {
                    member.store.pinCount == 0 && member.service.copyCount == 0
                }
            }
            await member.close()
        }
    }

    /// More than one file of log, and nothing but the latest is kept.
    private func overwriteLog(of member: TestMember) async throws {
        try await onThread {
            try member.write(10, byteCount: 100_000, from: 100)
            try member.store.checkpoint()
        }
    }

    /// Whether a member has the log from `end` on for who asks for it.
    private func hasLog(_ member: TestMember, from end: LogPosition) async throws -> Bool {
        let client = try await RawClient(member.address, reads: true)
        client.send(BackupRequest(kind: .incremental, clusterName: "", storeID: .none, position: end))
        try await eventually("an answer") { client.isClosed || client.receivedByteCount > 500_000 }
        let size = client.receivedByteCount
        // A member that refuses has closed it.
        _ = try? await client.channel.close().get()
        return size > 500_000
    }

    /// A copy of a large store takes a while to get to the disk, and longer still to be opened by a member that goes on from
    /// its end: with writers at work and a log that is kept for no longer than it must, that end would be gone.
    @Test(arguments: [true, false]) func theLogStaysUntilWhoHasTheCopyHasGoneOnFromIt(isInTime: Bool) async throws {
        try await withTemporaryDirectory { directory in
            var options = BackupService.Options()
            options.logKeepTime = isInTime ? 600_000 : 300
            let member = try await bigMember(directory, options)
            let end = member.store.applied
            let client = try await RawClient(member.address, reads: true)
            client.send(full)
            try await eventually("all has come") { client.receivedByteCount > 48_000_000 }
            try await overwriteLog(of: member)
            #expect(member.service.copyCount == 1 && member.store.pinCount > 0 && !client.isClosed)
            #expect(try await hasLog(member, from: end))
            try await client.channel.close().get()
            try await eventually("the copy is over") { member.service.copyCount == 0 }
            if !isInTime { try await eventually("the store is free") { member.store.pinCount == 0 } }
            try await overwriteLog(of: member)
            #expect(try await hasLog(member, from: end) == isInTime)
            await member.close()
        }
    }

    @Test func aClientThatHasItAllAndStaysIsCutOff() async throws {
        try await withTemporaryDirectory { directory in
            // On a machine that is busy with other tests, a client can take nothing for a while before it has it all.
            var options = BackupService.Options.forgetful
            options.finishTimeout = 500
            let member = try await bigMember(directory, options)
            let client = try await RawClient(member.address, reads: true)
            client.send(full)
            try await eventually("all has come") { client.receivedByteCount > 48_000_000 }
            try await eventually("it is cut off") { client.isClosed && member.store.pinCount == 0 }
            await member.close()
        }
    }

    @Test func aClientThatTakesNothingIsCutOff() async throws {
        try await withTemporaryDirectory { directory in
            var options = BackupService.Options.forgetful
            // Long enough to be seen on a machine that is busy with other tests.
            options.stallTimeout = 3000
            let member = try await bigMember(directory, options)
            let client = try await RawClient(member.address, reads: false)
            client.send(full)
            try await eventually("the copy is under way") { member.service.copyCount == 1 }
            try await eventually("the store is free") { member.store.pinCount == 0 && member.service.copyCount == 0 }
            try await client.channel.close().get()
            await member.close()
        }
    }

    @Test func aSlowClientIsNotCutOff() async throws {
        try await withTemporaryDirectory { directory in
            var options = BackupService.Options.forgetful
            options.stallTimeout = 2000
            let member = try await bigMember(directory, options)
            let client = try await RawClient(member.address, reads: false)
            try await client.channel.setOption(.maxMessagesPerRead, value: 1).get()
            try await client.channel.setOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 << 10)
            ).get()
            client.send(full)
            // Some 6 MB/s, for longer than the time-out; on the event loop, which no other test keeps busy.
            let channel = client.channel
            let pace = channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(10)) { _ in
                channel.read()
            }
            try await Task.sleep(for: .seconds(4))
            pace.cancel()
            #expect(!client.isClosed)
            #expect(member.service.copyCount == 1)
            try await client.channel.close().get()
            await member.close()
        }
    }

    @Test func copiesShareTheConfiguredPace() async throws {
        try await withTemporaryDirectory { directory in
            var options = BackupService.Options.forgetful
            options.copyByteCountPerSecond = 40_000_000
            let member = try await bigMember(directory, options)
            let size = try await BackupClient.copyStore(from: member.address, into: directory + "/alone").byteCount
            let began = ContinuousClock.now
            async let first = BackupClient.copyStore(from: member.address, into: directory + "/first")
            async let second = BackupClient.copyStore(from: member.address, into: directory + "/second")
            #expect(try await [first.byteCount, second.byteCount] == [size, size])
            // The last frames' pauses are nobody's wait.
            let atLeast = Double(2 * size - 4 << 20) / 40e6
            let took = (ContinuousClock.now - began) / .seconds(1)
            #expect(took > atLeast * 0.9, "\(took) s for two times \(size) bytes")
            await member.close()
        }
    }

    @Test func aClientThatAsksForNothingIsCutOff() async throws {
        try await withTemporaryDirectory { directory in
            var options = BackupService.Options.forgetful
            options.requestTimeout = 200
            let member = try await bigMember(directory, options)
            let silent = try await RawClient(member.address, reads: true)
            try await eventually("the silent client is cut off") { silent.isClosed }
            let stranger = try await RawClient(member.address, reads: true)
            stranger.write(Array("GET / HTTP/1.1\r\n\r\n".utf8))
            try await eventually("the stranger is cut off") { stranger.isClosed }
            #expect(stranger.receivedByteCount == 0)
            let talker = try await RawClient(member.address, reads: false)
            talker.send(full)
            talker.send(full)
            try await eventually("who goes on talking is cut off") { member.service.copyCount == 0 }
            talker.channel.close(promise: nil)
            await member.close()
        }
    }

    @Test func moreClientsThanAllowedAreToldSo() async throws {
        try await withTemporaryDirectory { directory in
            var options = BackupService.Options.forgetful
            options.copyCountMaximum = 1
            let member = try await bigMember(directory, options)
            let first = try await RawClient(member.address, reads: false)
            first.send(full)
            try await eventually("the copy is under way") { member.service.copyCount == 1 }
            let error = try await failure {
                try await BackupClient.copyStore(from: member.address, into: directory + "/copy")
            }
            #expect(error.code == .overloaded && error.message.contains("(1)"))
            // A status is still to be had.
            _ = try await onThread { try BackupClient.statusBlocking(of: member.address) }
            try await first.channel.close().get()
            try await eventually("there is room") { member.service.copyCount == 0 }
            try await BackupClient.copyStore(from: member.address, into: directory + "/copy")
            _ = try verify(directory + "/copy")
            await member.close()
        }
    }

    @Test func aServerThatStopsMidwayLeavesNoHalfCopy() async throws {
        try await withTemporaryDirectory { directory in
            // Slow enough that the copy cannot be through before the service has closed.
            var options = BackupService.Options.forgetful
            options.copyByteCountPerSecond = 20_000_000
            let member = try await bigMember(directory, options)
            let closing = Flag()
            let error = try await failure {
                try await BackupClient.copyStore(from: member.address, into: directory + "/copy") { received, files in
                    if received > 0, received < files, !closing.isSet {
                        closing.set()
                        let service = member.service
                        Task { await service.close() }
                    }
                }
            }
            #expect(error.code == .network)
            #expect(error.message.contains("\(member.address)") && error.message.contains("ended too early"))
            #expect(error.message.contains("bytes had arrived"))
            #expect(!exists(directory + "/copy"))
            try await eventually("the store is free") { member.store.pinCount == 0 }
            await member.close()
        }
    }

    @Test func anExistingEmptyDirectoryStaysAndAnUnfinishedCopyCanBeKept() async throws {
        try await withTemporaryDirectory { directory in
            let header = try await recordedHeader(directory)
            let fake = try await FakeMember { _ in frame(BackupAnswer.header(header).encode()) }
            let target = directory + "/target"
            try POSIXFileSystem().createDirectory(target)
            _ = try await failure { try await BackupClient.copyStore(from: fake.address, into: target) }
            #expect(try list(target) == [])
            let chunk = BackupAnswer.chunk(file: 0, offset: 0, bytes: [1, 2, 3])
            let other = try await FakeMember { _ in frame(BackupAnswer.header(header).encode()) + frame(chunk.encode())
            }
            var options = BackupClient.Options()
            options.keepsUnfinished = true
            _ = try await failure {
                try await BackupClient.copyStore(from: other.address, into: target, options: options)
            }
            #expect(try list(target) == [header.files[0].name])
            try await fake.close()
            try await other.close()
        }
    }

    @Test func aCancelledCopyEnds() async throws {
        try await withTemporaryDirectory { directory in
            let member = try await bigMember(directory)
            let begun = Flag()
            let task = Task {
                try await BackupClient.copyStore(from: member.address, into: directory + "/copy") { _, _ in
                    // Slow enough to be cancelled on the way.
                    begun.set()
                    let until = monotonicNanoseconds() + 20_000_000
                    while monotonicNanoseconds() < until {}
                }
            }
            try await eventually("the copy is under way") { begun.isSet }
            task.cancel()
            let error = try await failure { _ = try await task.value }
            #expect(error.code == .unavailable && error.message.contains("cancelled"), "\(error)")
            #expect(!exists(directory + "/copy"))
            try await eventually("the store is free") { member.store.pinCount == 0 }
            await member.close()
        }
    }

    @Test func aMemberThatFallsSilentIsGivenUp() async throws {
        try await withTemporaryDirectory { directory in
            let header = try await recordedHeader(directory)
            // Never closes: what follows the header's length is missing.
            let bytes = Array(frame(BackupAnswer.header(header).encode()).dropLast())
            let listener = try await FakeMember.silent(bytes)
            var options = BackupClient.Options()
            options.silenceTimeout = 200
            let error = try await failure {
                try await BackupClient.copyStore(from: listener.address, into: directory + "/copy", options: options)
            }
            #expect(error.code == .network && error.message.contains("has sent nothing"))
            try await listener.close()
        }
    }

    @Test func nobodyThere() async throws {
        try await withTemporaryDirectory { directory in
            let gone = try await FakeMember { _ in [] }
            try await gone.close()
            let error = try await failure {
                try await BackupClient.copyStore(from: gone.address, into: directory + "/copy")
            }
            #expect(error.code == .network)
            #expect(error.message.contains("\(gone.address)") && error.message.contains("online_backup_enabled"))
        }
    }

    // MARK: Nonsense

    /// The header of a true copy of one small segment.
    private func recordedHeader(_ directory: String) async throws -> CopyHeader {
        let store = try Store.open(directory + "/recorded")
        defer { store.close() }
        let source = store.beginCopy()
        return CopyHeader(
            storeID: source.storeID, role: .master, manifest: source.manifest,
            files: source.files.map { .init(name: $0.name, byteCount: $0.byteCount) }, base: source.basePosition,
            target: source.target)
    }

    @Test func whatBreaksTheProtocolIsRefusedAndLeavesNothing() async throws {
        try await withTemporaryDirectory { directory in
            let header = try await recordedHeader(directory)
            let byteCount = header.files[0].byteCount
            let content = try POSIXFileSystem().readAll(directory + "/recorded/" + header.files[0].name)
            func encoded(_ answers: [BackupAnswer]) -> [UInt8] { answers.flatMap { frame($0.encode()) } }
            let good: [BackupAnswer] = [
                .header(header), .chunk(file: 0, offset: 0, bytes: content[...]), .end(header.base),
            ]
            var damagedContent = content
            damagedContent[content.count / 2] ^= 1
            var damagedFrame = encoded(good)
            damagedFrame[damagedFrame.count / 2] ^= 0x10
            var otherStore = header
            otherStore.storeID = StoreID(1)
            var moreFiles = header
            moreFiles.files.append(.init(name: "../escaped.seg", byteCount: 3))
            let later = LogPosition(epoch: .zero, transactionID: TransactionID(5), checksum: 1)
            let cases: [(Comment, [UInt8], ErrorCode, String)] = [
                ("a damaged frame", damagedFrame, .network, "arrived damaged"),
                (
                    "a damaged segment",
                    encoded([good[0], .chunk(file: 0, offset: 0, bytes: damagedContent[...]), good[2]]), .corrupt,
                    ".seg"
                ),
                ("another protocol", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), .network, "no backup service"),
                ("nothing", [], .network, "ended too early"),
                ("no header", encoded([good[1]]), .network, "before the header"),
                ("two headers", encoded([good[0], good[0]]), .network, "second header"),
                ("the end before the files", encoded([good[0], good[2]]), .network, "the end while byte 0"),
                (
                    "log entries before the files", encoded([good[0], .records([[1]])]), .network,
                    "log entries while byte 0"
                ),
                ("a hole", encoded([good[0], .chunk(file: 0, offset: 1, bytes: [1])]), .network, "is due"),
                ("a wrong file", encoded([good[0], .chunk(file: 1, offset: 0, bytes: [1])]), .network, "is due"),
                (
                    "too much", encoded([good[0], good[1], .chunk(file: 0, offset: byteCount, bytes: [1])]), .network,
                    "is due"
                ),
                ("a wrong end", encoded([good[0], good[1], .end(later)]), .corrupt, "expected was"),
                (
                    "a damaged log entry", encoded([good[0], good[1], .records([[1, 2, 3]])]), .corrupt,
                    "log entry is damaged"
                ),
                ("another store", encoded([.header(otherStore)]), .network, "manifest of another"),
                ("a status", encoded([good[0], MessageTests.answers[1]]), .network, "status"),
                (
                    "a name that leads elsewhere",
                    encoded([.header(moreFiles), good[1], .chunk(file: 1, offset: 0, bytes: [1])]), .corrupt, "escaped"
                ),
                (
                    "a late refusal",
                    encoded([good[0], .refusal(GraphError(.storageIO, "the disk is gone"))]), .storageIO,
                    "the disk is gone"
                ),
            ]
            for (comment, bytes, code, part) in cases {
                let fake = try await FakeMember { _ in bytes }
                let error = try await failure {
                    try await BackupClient.copyStore(from: fake.address, into: directory + "/copy")
                }
                #expect(error.code == code, comment)
                #expect(error.message.contains(part), "\(comment): \(error.message)")
                #expect(!exists(directory + "/copy"), comment)
                try await fake.close()
            }
            #expect(try list(directory) == ["recorded"])
            // The same without a fault is a store.
            let bytes = encoded(good)
            let fake = try await FakeMember { _ in bytes }
            try await BackupClient.copyStore(from: fake.address, into: directory + "/copy")
            #expect(try verify(directory + "/copy").report.storeID == header.storeID)
            try await fake.close()
        }
    }
}
