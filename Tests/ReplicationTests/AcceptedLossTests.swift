import FileSystem
import GraphModel
import Replication
import Testing

/// The word of an operator that a member counts although it lost what it had acknowledged.
@Suite struct AcceptedLossTests {
    private let fileSystem = CrashableFileSystem()
    private static let path = "store.member"

    private static func position(_ transaction: UInt64) -> LogPosition {
        LogPosition(epoch: Epoch(2), transactionID: TransactionID(transaction), checksum: transaction * 7)
    }

    private func loss(logEndsAt end: UInt64) throws -> AcceptedLoss {
        try AcceptedLoss(hardStatePath: Self.path, fileSystem: fileSystem, end: Self.position(end))
    }

    private func write(acknowledged: UInt64, isComplete: Bool = true) throws {
        var hard = MemberHardState()
        hard.promised = Epoch(2)
        hard.mastered = Epoch(2)
        hard.isComplete = isComplete
        hard.acknowledged = Self.position(acknowledged)
        try fileSystem.replace(Self.path, with: hard.encode())
    }

    private var state: MemberHardState {
        get throws { try MemberHardState(decoding: try fileSystem.readAll(Self.path)) }
    }

    @Test func saysWhatIsLostAndChangesNothing() throws {
        try write(acknowledged: 20)
        let before = try fileSystem.readAll(Self.path)
        let loss = try loss(logEndsAt: 15)
        #expect(loss.lost == 16...20)
        #expect(!loss.isWhole)
        #expect(try fileSystem.readAll(Self.path) == before)
        #expect(!fileSystem.exists(Self.path + ".acknowledged"))
    }

    @Test func aWholeMemberHasLostNothing() throws {
        try write(acknowledged: 20)
        #expect(try loss(logEndsAt: 20).isWhole)
        #expect(try loss(logEndsAt: 23).lost == nil)
    }

    @Test func aMemberThatCannotTellIsNotWhole() throws {
        #expect(try !loss(logEndsAt: 20).isWhole)
        try write(acknowledged: 20, isComplete: false)
        #expect(try !loss(logEndsAt: 20).isWhole)
        #expect(try loss(logEndsAt: 20).lost == nil)
    }

    @Test func acceptedItCountsAgainAndSaysSoOnce() throws {
        try write(acknowledged: 20, isComplete: false)
        try loss(logEndsAt: 15).accept()
        let accepted = try state
        #expect(accepted.isComplete)
        #expect(accepted.acknowledged == Self.position(15))
        #expect(accepted.forgone == Self.position(20))
        #expect(accepted.promised == Epoch(2) && accepted.mastered == Epoch(2))
        #expect(try loss(logEndsAt: 15).isWhole)

        var core = MemberCore(
            options: .init(member: .init(id: MemberID(1), address: "m:1"), clusterName: "c"), hardState: accepted,
            hasStore: true, log: Log(), seed: 1, now: Instant(nanoseconds: 1))
        #expect(core.hard.isComplete)
        var actions: [MemberCore.Action] = []
        core.step(.tick, log: Log(), now: Instant(nanoseconds: 2), into: &actions)
        #expect(actions.contains { if case .note(.warning, let line) = $0 { line.contains("by the word of an operator") } else { false } })
        #expect(actions.contains { if case .persist(let hard) = $0 { hard.forgone == .zero } else { false } })
        actions = []
        core.step(.tick, log: Log(), now: Instant(nanoseconds: 3), into: &actions)
        #expect(!actions.contains { if case .note = $0 { true } else { false } })
    }

    private struct Log: ReplicatedLog {
        var last: LogPosition { AcceptedLossTests.position(15) }
        var durable: LogPosition { last }
        var applied: LogPosition { last }
        var firstAvailable: TransactionID { TransactionID(1) }
        func knownPosition(of transactionID: TransactionID) -> LogPosition? { AcceptedLossTests.position(transactionID.rawValue) }
    }
}
