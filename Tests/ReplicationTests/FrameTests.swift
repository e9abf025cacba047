import Coordination
import FileSystem
import GraphModel
import Replication
import Storage
import TestSupport
import Testing

@Suite struct FrameTests {
    static let position = LogPosition(epoch: Epoch(3), transactionID: TransactionID(77), checksum: 0xDEAD_BEEF_0123)

    static var register: ClusterRegister {
        var register = ClusterRegister()
        register.revision = 9
        register.clusterName = "größe"
        register.storeID = StoreID(5)
        register.epoch = Epoch(3)
        register.master = MemberID(2)
        register.startPosition = position
        register.syncSet = [MemberID(1), MemberID(2)]
        register.setMember(.init(id: MemberID(2), address: "b:1", httpAddress: "b:2", backupAddress: "b:3"))
        register.setMember(.init(id: MemberID(1), address: "a:1", isSlaveOnly: true, storeID: StoreID(5), position: position))
        return register
    }

    static var messages: [ReplicationMessage] {
        get throws {
            let record = try sampleRecord()
            return [
                .append(.init(epoch: Epoch(3), previous: .zero, records: [record], commitPoint: TransactionID(4), sentAt: Instant(nanoseconds: 8))),
                .append(.init(epoch: Epoch(3), previous: position, records: [], commitPoint: .zero, sentAt: Instant(nanoseconds: 0))),
                .appendReply(.init(status: .mismatch, promised: Epoch(1), acknowledged: TransactionID(2), last: position, applied: .zero, sentAt: Instant(nanoseconds: 7))),
                .storeCopyNeeded(epoch: Epoch(9), isDiverged: true), .pull(id: 5), .pullReply(id: 5, commitPoint: TransactionID(9)),
                .appendReply(.init(status: .accepted, promised: Epoch(1), acknowledged: TransactionID(2), last: position, applied: .zero, sentAt: Instant(nanoseconds: 7), isPolling: true)),
                .preVote(epoch: Epoch(2), revision: 4),
                .preVoteReply(epoch: Epoch(2), agrees: true), .prepare(epoch: Epoch(2), revision: 4),
                .prepareReply(epoch: Epoch(2), outcome: .promised(durable: position)),
                .prepareReply(epoch: Epoch(2), outcome: .refused(promised: Epoch(5))), .register(register),
                .commit(id: .max, writeSet: [1, 2, 3]), .commit(id: 2, writeSet: [], lockSession: .max, epoch: Epoch(3)),
                .lock(id: 4, .init(session: 9, isFirst: true, entity: .node(NodeID(.max)), mode: .exclusive, timeout: 20_000)),
                .lock(id: 5, .init(session: 9, isFirst: false, entity: .relationship(RelationshipID(3)), mode: .shared, timeout: .init(.max))),
                .lockReply(id: 4, session: 9, .granted(lastChange: TransactionID(7))),
                .lockReply(id: 5, session: 9, .failed(.deadlock, message: "a cycle")),
                .unlock(session: 9), .lockCheck(sessions: [9, .max]), .lockCheck(sessions: []),
                .graphChecksum(position, GraphChecksum(.max)), .graphChecksumWanted(.zero),
                .commitReply(id: 1, .failed(.requestCommitted, message: "before", winner: TransactionID(3))),
                .commitReply(id: 1, .committed(TransactionID(5), Epoch(2))),
                .commitReply(id: 1, .failed(.conflict, message: "no", winner: TransactionID(3))),
                .reserve(id: 4, nodes: 5, relationships: 6),
                .reserveReply(id: 4, .reserved(epoch: Epoch(2), nodes: 5..<9, relationships: 0..<0)),
                .reserveReply(id: 4, .failed(.noMaster, message: "none")),
            ]
        }
    }

    /// A record as a store writes it.
    static func sampleRecord() throws -> LogRecord {
        var options = Store.Options()
        options.usesLogThread = false
        let store = try Store.open("store", fileSystem: CrashableFileSystem(), options: options)
        let committer = try LocalCommitter(store)
        let transaction = committer.begin()
        _ = try transaction.createNode(labels: ["A"], properties: [("p", .string("ü"))])
        try committer.commitAndWait(transaction)
        return try #require(try store.records(after: .zero, maximumByteCount: 1 << 20)?.first)
    }

    @Test func everyMessageSurvivesTheWire() throws {
        for message in try Self.messages {
            guard case .member(let decoded, let sender, ReplicationMessage.protocolVersion) = try ClusterFrame(decoding: ClusterFrame.member(message, from: MemberID(7)).encode())
            else { return #expect(Bool(false), "\(message)") }
            #expect(decoded == message)
            #expect(sender == MemberID(7))
        }
    }

    @Test func registerRequestsAndRaftMessagesSurviveTheWire() throws {
        let entry = RaftEntry(index: 4, term: 2, register: Self.register)
        let raft: [RaftMessage] = [
            .preVote(term: 1, lastTerm: 2, lastIndex: 3), .preVoteReply(term: 1, granted: true),
            .vote(term: 1, lastTerm: 2, lastIndex: 3), .voteReply(term: 1, granted: false),
            .append(term: 1, entry: entry, commitIndex: 2, heartbeat: 3, nonce: 4),
            .append(term: 1, entry: nil, commitIndex: 2, heartbeat: 3, nonce: 0),
            .appendReply(term: 1, matchIndex: 2, heartbeat: 3), .newcomer(nonces: ["c:1": 5, "c:2": .max]),
            .founded(nonces: [:]),
        ]
        for message in raft {
            guard case .raft(message, from: "c:1") = try ClusterFrame(decoding: ClusterFrame.raft(message, from: "c:1").encode())
            else { return #expect(Bool(false), "\(message)") }
            var ofAnotherVersion = ClusterFrame.raft(message, from: "c:1").encode()
            ofAnotherVersion[1] += 1
            #expect(throws: MalformedBytes.self) { try ClusterFrame(decoding: ofAnotherVersion) }
        }
        let request = RegisterRequest(id: 3, operation: .compareAndSet(expected: 4, Self.register))
        guard case .registerRequest(request, from: "m:1") = try ClusterFrame(decoding: ClusterFrame.registerRequest(request, from: "m:1").encode())
        else { return #expect(Bool(false)) }
        for outcome in [.value(Self.register), .written(Self.register), .redirect("x:1"), .redirect(nil)] as [RegisterReply.Outcome] {
            let reply = RegisterReply(id: 6, outcome: outcome)
            guard case .registerReply(reply) = try ClusterFrame(decoding: ClusterFrame.registerReply(reply).encode())
            else { return #expect(Bool(false)) }
        }
    }

    /// Whatever arrives is decoded or refused; an entry never arrives changed.
    @Test func damagedFramesAreRefusedAndNeverTrap() throws {
        var generator = SeededGenerator(seed: 20_261)
        for message in try Self.messages {
            let frame = ClusterFrame.member(message, from: MemberID(7)).encode()
            for length in 0..<frame.count { #expect(throws: MalformedBytes.self) { try ClusterFrame(decoding: Array(frame[..<length])) } }
            for _ in 0..<300 {
                var damaged = frame
                let index = Int.random(in: 0..<damaged.count, using: &generator)
                damaged[index] ^= UInt8.random(in: 1...255, using: &generator)
                guard case .member(.append(let append), _, _)? = try? ClusterFrame(decoding: damaged) else { continue }
                guard case .append(let original) = message else { continue }
                #expect(append.records == original.records || append.records.isEmpty, "seed 20261")
            }
        }
        for _ in 0..<20_000 {
            let noise = (0..<Int.random(in: 0..<80, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try? ClusterFrame(decoding: noise)
        }
    }

    @Test func hardStatesSurviveTheDiskAndDamageIsNoticed() throws {
        var member = MemberHardState()
        member.promised = Epoch(4)
        member.mastered = Epoch(2)
        member.isComplete = true
        member.acknowledged = Self.position
        member.founding = StoreID(8)
        #expect(try MemberHardState(decoding: member.encode()) == member)
        var raft = RaftHardState()
        raft.term = 7
        raft.votedFor = "c:2"
        raft.entry = RaftEntry(index: 1, term: 7, register: Self.register)
        raft.nonce = 9
        raft.founders = ["c:1": 9, "c:2": 10]
        #expect(try RaftHardState(decoding: raft.encode()) == raft)
        for (bytes, decode) in [
            (member.encode(), { (bytes: [UInt8]) in _ = try MemberHardState(decoding: bytes) }),
            (raft.encode(), { (bytes: [UInt8]) in _ = try RaftHardState(decoding: bytes) }),
        ] {
            for index in bytes.indices {
                var damaged = bytes
                damaged[index] ^= 0x40
                #expect(throws: MalformedBytes.self) { try decode(damaged) }
            }
        }
    }

    @Test func twoQuorumsAlwaysMeet() {
        for count in 1...15 {
            #expect(Quorum.write(count) + Quorum.election(count) == count + 1)
            #expect(2 * Quorum.write(count) > count)
        }
    }
}
