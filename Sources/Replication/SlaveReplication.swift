internal import GraphModel

/// A slave's book-keeping of the master it follows.
struct SlaveReplication: Sendable {
    let master: MemberID
    let epoch: Epoch
    /// The log is known to equal the master's up to here.
    var verified = TransactionID.zero
    /// What is applied here is known to be the master's, too.
    var isVerified = false
    /// The master reported this as committed.
    var commitPoint = TransactionID.zero
    var lastHeardAt: Instant
    /// The connection broke and nothing has come since: what is sent there gets lost.
    var isCutOff = false
    /// What the master was told last, and when: saying the same again is worth something only for its lease.
    var acknowledged = TransactionID.zero
    var repliedAt: Instant?
    /// The heartbeat that the next acknowledgement renews.
    var sentAt: Instant
    /// Since when this member has known of commits that it has not applied.
    var behindSince: Instant?
    /// What has come of the log since this member follows: entries that were not here, and their bytes.
    var fetchedCount: UInt64 = 0
    var fetchedByteCount: UInt64 = 0
    /// Whether it has been told what it took to catch up.
    var hasToldFetched = false
}
