public import Coordination
public import GraphModel

/// How a member takes part in its cluster.
public struct ReplicationOptions: Sendable {
    /// This member as the others will know it; store and position are filled in when it starts.
    public var member: ClusterRegister.Member
    public var clusterName: String
    /// Time between two heartbeats of the master.
    public var heartbeatInterval: Milliseconds = 100
    /// Lease of the master: who acknowledged a heartbeat answers no election for so long.
    public var leaseTime: Milliseconds = 1000
    /// A member silent for so long leaves the sync set.
    public var syncTimeout: Milliseconds = 5000
    /// The sync set never gets smaller than this.
    public var syncSetMinimum = 1
    /// Bytes of entries that may be under way to one slave; a slow one costs this much and no more.
    public var windowByteCount = 16 << 20
    /// Longest time that commits wait while a planned switchover is under way.
    public var handoverTimeout: Milliseconds = 5000
    /// A member without data lets others with data come first for so long before it founds a cluster.
    public var foundingDelay: Milliseconds = 2000
    /// Rules that this member breaks on purpose: how the simulator proves that it would notice.
    package var brokenRules: Set<BrokenRule> = []

    public init(member: ClusterRegister.Member, clusterName: String) {
        self.member = member
        self.clusterName = clusterName
    }
}

/// One rule of the protocol that tests switch off.
package enum BrokenRule: String, CaseIterable, Sendable {
    /// The candidate makes itself master without comparing log positions.
    case electionIgnoresPositions
    /// The master acknowledges once its own disk has the transaction.
    case acknowledgesBeforeQuorum
    /// A slave makes entries readable as they arrive.
    case appliesBeforeCommitPoint
    /// A restarted member does not know what it promised, and does not wait for its lease to run out.
    case forgetsPromise
    /// Acknowledgements of slave-only members count.
    case countsSlaveOnlyMembers
    /// Members neither hold elections nor answers back for the lease that they acknowledged.
    case ignoresLease
    /// A slave acknowledges entries before they are on its disk.
    case acknowledgesBeforeSync
    /// A slave takes entries of an epoch older than it promised.
    case acceptsOlderEpoch
    /// A sync set change is in force before the register has it.
    case changesSyncSetAtOnce
    /// A wiped member votes as if it had everything.
    case votesWithoutCatchingUp
}
