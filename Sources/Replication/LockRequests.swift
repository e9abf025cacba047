internal import GraphModel

/// What a member asked its master for on behalf of its own transactions' explicit locks.
struct LockRequests {
    struct Pending {
        let request: ReplicationMessage.LockRequest
        let completion: @Sendable (GraphError?) -> Void
        let deadline: Instant
        var sentAt: Instant
    }

    /// Transactions that have, or want, locks of the present mastership.
    var sessions: Set<UInt64> = []
    var pending: [UInt64: Pending] = [:]
    /// Transactions that have ended, whose locks the master may still hold; with when it was told last.
    var unlocking: [UInt64: Instant] = [:]

    /// The network loses messages: what is not answered is asked again.
    static let resendInterval: Milliseconds = 500
    /// How much longer than the master a member waits for the end of a wait.
    static let answerTime: Milliseconds = 2000

    mutating func removePending(where isOver: (Pending) -> Bool) -> [Pending] {
        let ids = pending.keys.filter { pending[$0].map(isOver) ?? false }.sorted()
        return ids.compactMap { pending.removeValue(forKey: $0) }
    }
}
