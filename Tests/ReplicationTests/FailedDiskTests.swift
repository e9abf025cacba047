import GraphModel
import Replication
import Testing

@Suite struct FailedDiskTests {
    /// A write that a master with a failed disk turned away is no fault of its client's, at whichever member it was asked.
    @Test func aWriteThatTheDiskRefusesMayBeTriedAgain() {
        let refusal = MemberEngine.refusal(for: GraphError(.storageIO, "no space left"))
        #expect(refusal.code == .unavailable && refusal.isRetryable)
        #expect(ReplicationMessage.FailureReason(refusal.code).code == .unavailable)
        #expect(MemberEngine.refusal(for: GraphError(.conflict, "")).code == .conflict)
    }
}
