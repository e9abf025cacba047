internal import GraphModel
internal import Storage

/// What a master holds for transactions of other members: their explicit locks, and write sets that wait for those of
/// others. All of it is in the lock table of its store, so that everybody's deadlocks are seen.
struct LockHolders {
    /// A transaction or a request, as its member numbers them.
    struct Key: Hashable, Comparable {
        let member: MemberID
        let number: UInt64
        static func < (a: Self, b: Self) -> Bool { (a.member, a.number) < (b.member, b.number) }
    }

    struct Holder {
        let session: LockSession
        var lockCount = 0
        var waiting: Wait?
        /// When its member last asked for a lock for it, and when it was last asked whether it still has it.
        var touchedAt: Instant
        var checkedAt: Instant
    }
    struct Wait {
        let id: UInt64
        let entity: EntityID
        let deadline: Instant
    }

    /// A write set that is ordered once nobody else has an explicit lock on what it changes.
    struct Commit {
        let writeSet: [UInt8]
        let session: LockSession
        /// The session is a transaction's with explicit locks, which go with the transaction.
        let isOfHolder: Bool
        let needed: [(key: LockTable.Key, mode: LockMode)]
        var next = 0
        var hasWaited = false
        var isWaiting = false
        let deadline: Instant
    }

    var transactions: [Key: Holder] = [:]
    var commits: [Key: Commit] = [:]

    /// Transactions of one member with locks here, and locks of one transaction: more is a program gone astray.
    static let transactionCountMaximum = 10_000
    static let lockCountMaximum = 1_000_000
    /// A transaction of which nothing is heard for so long is asked about.
    static let checkInterval: Milliseconds = 1000

    mutating func commitEnded(_ key: Key) {
        guard let commit = commits.removeValue(forKey: key), !commit.isOfHolder else { return }
        commit.session.release()
    }
}
