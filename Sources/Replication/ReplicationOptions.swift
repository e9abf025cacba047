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
    /// Longest time that a commit waits for its quorum before its outcome is called unknown, and that a request waits for the
    /// master's answer or for a mastership to begin.
    public var writeTimeout: Milliseconds = 5000
    /// When this member, as master, acknowledges writes; in force once the register says so.
    public var commitMode = ClusterRegister.CommitMode.quorum
    /// Optimistic commits wait for the push to so many slaves, as long as that takes no longer than ``pushTimeout``.
    public var pushFactor = 1
    public var pushStrategy = PushStrategy.fixed
    public var pushTimeout: Milliseconds = 1000
    /// Above 0 this member, as a slave, asks for entries so often instead of getting them as they come. Only where its
    /// acknowledgements do not count: in optimistic mode, or slave-only.
    public var pullInterval: Milliseconds = 0
    public var branchedDataPolicy = BranchedDataPolicy.keepAll
    /// The master has the members' graphs compared so often; 0 is never.
    public var comparisonInterval: Milliseconds = 0
    /// Members that talk, and have not worked out a checksum after so long, are not waited for any longer.
    public var comparisonTimeout: Milliseconds = 3_600_000
    /// A member without data lets others with data come first for so long before it founds a cluster.
    public var foundingDelay: Milliseconds = 2000
    /// Rules that this member breaks on purpose: how the simulator proves that it would notice.
    package var brokenRules: Set<BrokenRule> = []

    public init(member: ClusterRegister.Member, clusterName: String) {
        self.member = member
        self.clusterName = clusterName
    }
}

/// To which slaves optimistic commits are pushed.
public enum PushStrategy: String, Sendable {
    /// Those with the highest ids: they are the likely next masters, because of two that have the same the higher id wins.
    case fixed
    /// Each commit to the next ones.
    case roundRobin = "round_robin"
}

/// What becomes of a store that has applied what the cluster has not, before it is replaced by a copy.
public enum BranchedDataPolicy: String, Sendable {
    case keepAll = "keep_all"
    /// Only the latest one is kept.
    case keepLast = "keep_last"
    case keepNone = "keep_none"
    /// The member stops; nothing is replaced.
    case shutdown
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
    /// A candidate decides as soon as it has its own answer.
    case electsWithoutQuorum
    /// A deposed master goes on.
    case ignoresDeposition
    /// A member takes up a mastership that it had before a restart.
    case resumesMastership
    /// A slave takes entries that do not continue its log.
    case skipsLogCheck
    /// A slave applies what is not on its own disk.
    case appliesBeforeSync
    /// A commit under a proposed sync set needs the old quorum only.
    case ignoresJointQuorum
    /// A new sync set is proposed before it has what was acknowledged.
    case proposesUnsafeSyncSet
    /// A master hands over before its target has everything.
    case handsOverTooEarly
    /// While a switchover is under way, what is not a client's goes on getting into the log.
    case ordersDuringHandover
    /// A master orders writes, and answers as such, without its lease.
    case ordersWithoutLease
    /// A write set that comes twice is ordered twice.
    case ordersTwice
    /// A member that was started again takes requests that come twice for ones it never ordered.
    case forgetsOrders
    /// A new master takes every request for a new one.
    case forgetsRequests
    /// A master that lost its epoch tells clients that nothing was applied.
    case callsUnknownNotApplied
    /// A member whose applied entries the cluster has not goes on with them.
    case keepsBranchedData
    /// A member that lost its state gives promises at once.
    case forgetsFencing
    /// A coordinator that lost its state votes and acknowledges at once.
    case countsWithoutState
}
