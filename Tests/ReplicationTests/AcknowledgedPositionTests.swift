import Coordination
import GraphModel
import Replication
import Testing

/// What a member acknowledged is never written down as less than it was.
@Suite struct AcknowledgedPositionTests {
    /// A log that is on disk and applied, and does not change.
    private struct StillLog: ReplicatedLog {
        let last: LogPosition
        var durable: LogPosition { last }
        var applied: LogPosition { last }
        var firstAvailable: TransactionID { TransactionID(1) }
        func knownPosition(of transactionID: TransactionID) -> LogPosition? {
            transactionID == last.transactionID ? last : nil
        }
    }

    @Test func aPromiseDoesNotForgetWhatWasAcknowledgedBefore() {
        let log = StillLog(last: LogPosition(epoch: Epoch(3), transactionID: TransactionID(7), checksum: 99))
        var hard = MemberHardState()
        hard.promised = Epoch(3)
        hard.isComplete = true
        let options = ReplicationOptions(member: .init(id: MemberID(1), address: "one"), clusterName: "cluster")
        var now = Instant(nanoseconds: 1_000_000_000)
        var core = MemberCore(options: options, hardState: hard, hasStore: true, log: log, seed: 1, now: now)
        var register = ClusterRegister()
        register.revision = 5
        register.clusterName = "cluster"
        register.epoch = Epoch(3)
        register.master = MemberID(2)
        register.syncSet = [1, 2, 3].map { MemberID($0) }
        register.members = (1...3).map { .init(id: MemberID($0), address: "\($0)") }
        var actions: [MemberCore.Action] = []
        core.step(.registerObserved(register), log: log, now: now, into: &actions)
        let heartbeat = ReplicationMessage.Append(
            epoch: Epoch(3), previous: log.last, records: [], commitPoint: log.last.transactionID, sentAt: now)
        core.step(.received(.append(heartbeat), from: MemberID(2)), log: log, now: now, into: &actions)
        #expect(actions.contains(.noteAcknowledged(log.last)))

        actions = []
        now = now + 5000
        core.step(.received(.prepare(epoch: Epoch(4), revision: 5), from: MemberID(3)), log: log, now: now, into: &actions)
        let written = actions.compactMap { action -> MemberHardState? in
            if case .persist(let state) = action { state } else { nil }
        }
        #expect(written.last?.promised == Epoch(4))
        #expect(written.last?.acknowledged == log.last)
    }

    /// The latest acknowledgements may not have been written down when the machine stopped; the log was.
    @Test func aMemberThatStartsMayHaveAcknowledgedAllOfItsLog() {
        let log = StillLog(last: LogPosition(epoch: Epoch(3), transactionID: TransactionID(7), checksum: 99))
        var hard = MemberHardState()
        hard.promised = Epoch(3)
        hard.isComplete = true
        hard.acknowledged = LogPosition(epoch: Epoch(3), transactionID: TransactionID(2), checksum: 5)
        let options = ReplicationOptions(member: .init(id: MemberID(1), address: "one"), clusterName: "cluster")
        func acknowledged(_ hard: MemberHardState) -> LogPosition {
            MemberCore(
                options: options, hardState: hard, hasStore: true, log: log, seed: 1, now: Instant(nanoseconds: 1)
            ).hard.acknowledged
        }
        #expect(acknowledged(hard) == log.last)
        hard.isComplete = false
        #expect(acknowledged(hard) == hard.acknowledged)
    }
}
