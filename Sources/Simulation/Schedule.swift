package import Coordination
package import GraphModel
package import Replication

/// What one simulated run looks like. Everything follows from the seed.
package struct Schedule: Sendable {
    package var seed: UInt64
    package var memberCount = 3
    /// How many of the members, the last ones, are slave-only.
    package var slaveOnlyCount = 0
    /// Coordinators that run in the members' processes, the first ones.
    package var embeddedCoordinatorCount = 3
    /// Coordinators on machines of their own.
    package var arbiterCount = 0
    /// Virtual time with faults, then without.
    package var faultyMilliseconds: UInt64 = 7_000
    package var calmMilliseconds: UInt64 = 9_000
    /// Mean time between two faults.
    package var faultIntervalMilliseconds: UInt64 = 700
    package var faults: Set<FaultKind> = Set(FaultKind.allCases)
    package var clientCount = 4
    /// Longest time that a cut or a pause lasts.
    package var outageMilliseconds: UInt64 = 4000
    /// Longest time that a crashed machine stays down.
    package var downMilliseconds: UInt64 = 3000
    package var brokenRules: Set<BrokenRule> = []
    package var commitMode = ClusterRegister.CommitMode.quorum
    package var pushFactor = 1
    package var pushStrategy = PushStrategy.fixed
    package var branchedDataPolicy = BranchedDataPolicy.keepAll
    /// How many members, the last ones, ask for entries instead of getting them.
    package var pollingCount = 0
    package var pullInterval: Milliseconds = 300
    /// How many members, the first ones, speak the protocol of one version before until they start again in the second half
    /// of the time with faults.
    package var oldVersionCount = 0
    /// How many members, the last ones, start some time after the others.
    package var lateCount = 0
    /// Whether clients create nodes with names that a constraint keeps unique, instead of others.
    package var createsNamedNodes = false
    /// Whether most increments of the counter are made under an explicit lock.
    package var locksCounter = false
    /// Whether clients name their requests, and send those whose outcome they do not know again. Not together with the two
    /// above.
    package var retriesRequests = false

    /// How often masters have graphs compared; 0 is never.
    package var comparisonInterval: Milliseconds = 0

    package init(seed: UInt64) { self.seed = seed }

    /// Draws the shape of the cluster and the mix of faults from the seed.
    package static func random(_ seed: UInt64, brokenRules: Set<BrokenRule> = []) -> Schedule {
        var generator = SeededRandom(seed: seed ^ 0x5CED_0001)
        var schedule = Schedule(seed: seed)
        schedule.brokenRules = brokenRules
        switch generator.below(20) {
        case 0, 1: schedule.memberCount = 1
        case 2, 3: schedule.memberCount = 2
        case 4, 5, 6: schedule.memberCount = 5
        case 7, 8: schedule.memberCount = 4
        case 9: schedule.memberCount = 6
        case 10: schedule.memberCount = 7
        default: schedule.memberCount = 3
        }
        if schedule.memberCount > 2 && generator.below(3) == 0 { schedule.slaveOnlyCount = 1 }
        schedule.embeddedCoordinatorCount = min(3, schedule.memberCount)
        if generator.below(4) == 0 {
            schedule.arbiterCount = 3
            schedule.embeddedCoordinatorCount = 0
        } else if schedule.memberCount == 2 {
            schedule.arbiterCount = 1
        }
        schedule.faultIntervalMilliseconds = 120 + generator.below(500)
        schedule.faults = Set(FaultKind.allCases.filter { _ in generator.below(4) > 0 })
        schedule.clientCount = 1 + Int(generator.below(6))
        let members = UInt64(schedule.memberCount)
        if generator.below(5) == 0 { schedule.beOptimistic(&generator) }
        if generator.below(5) == 0 {
            schedule.pollingCount = 1 + Int(generator.below(members))
            schedule.pullInterval = Milliseconds(50 + generator.below(700))
        }
        if generator.below(6) == 0 { schedule.oldVersionCount = 1 + Int(generator.below(members)) }
        if generator.below(6) == 0 && members > 1 { schedule.lateCount = 1 + Int(generator.below(members - 1)) }
        schedule.retriesRequests = generator.below(2) == 0
        if generator.below(3) == 0 { schedule.comparisonInterval = Milliseconds(200 + generator.below(2000)) }
        return schedule
    }

    /// Commits that wait for nobody for long. What is lost with a disk was perhaps nowhere else: disks stay whole.
    private mutating func beOptimistic(_ generator: inout SeededRandom) {
        commitMode = .optimistic
        pushFactor = Int(generator.below(UInt64(memberCount)))
        pushStrategy = generator.below(2) == 0 ? .fixed : .roundRobin
        branchedDataPolicy = [.keepAll, .keepAll, .keepLast, .keepNone][Int(generator.below(4))]
        faults.remove(.wipe)
    }
}

extension Schedule {
    /// A schedule that gives a member that breaks a rule the chance to do harm.
    package static func provoking(_ rule: BrokenRule, seed: UInt64) -> Schedule {
        var schedule = Schedule(seed: seed)
        schedule.brokenRules = [rule]
        schedule.clientCount = 6
        schedule.faultIntervalMilliseconds = 250
        schedule.faults = [.crash, .partition, .oneWayPartition, .pause]
        switch rule {
        case .electionIgnoresPositions, .acknowledgesBeforeQuorum, .appliesBeforeCommitPoint:
            schedule.faults.insert(.badNetwork)
        case .ignoresLease: schedule.faults = [.partition]
        case .forgetsPromise: schedule.downMilliseconds = 50
        case .countsSlaveOnlyMembers:
            schedule.slaveOnlyCount = 1
            schedule.faults.insert(.slowDisk)
        case .acknowledgesBeforeSync:
            schedule.faults = [.powerFailure, .crash, .slowDisk]
            schedule.downMilliseconds = 300
        case .acceptsOlderEpoch:
            schedule.faults = [.partition, .oneWayPartition, .badNetwork, .pause]
            schedule.faultIntervalMilliseconds = 150
            schedule.faultyMilliseconds = 15_000
            schedule.embeddedCoordinatorCount = 0
            schedule.arbiterCount = 3
        case .changesSyncSetAtOnce:
            schedule.memberCount = 2
            schedule.embeddedCoordinatorCount = 0
            schedule.arbiterCount = 3
            schedule.faults = [.partition, .oneWayPartition]
            schedule.faultIntervalMilliseconds = 3000
            schedule.outageMilliseconds = 8000
            schedule.faultyMilliseconds = 20_000
        case .votesWithoutCatchingUp:
            schedule.faults = [.wipe, .partition, .crash, .slowDisk]
            schedule.downMilliseconds = 400
        case .electsWithoutQuorum, .ordersWithoutLease: schedule.faults = [.partition, .crash, .pause]
        case .ignoresDeposition: schedule.faults = [.partition, .pause, .switchover]
        case .resumesMastership:
            schedule.faults = [.crash, .slowDisk, .badNetwork]
            schedule.downMilliseconds = 30
        case .skipsLogCheck: schedule.faults = [.crash, .partition, .badNetwork, .slowDisk]
        case .appliesBeforeSync:
            schedule.faults = [.powerFailure, .crash, .slowDisk, .checkpoint]
            schedule.faultIntervalMilliseconds = 120
        // Scripts bring these about.
        case .ignoresJointQuorum, .proposesUnsafeSyncSet, .forgetsFencing: break
        case .handsOverTooEarly:
            schedule.faults = [.switchover, .slowDisk, .badNetwork]
            schedule.faultIntervalMilliseconds = 150
        case .ordersDuringHandover:
            schedule.faults = [.switchover, .slowDisk, .pause]
            schedule.faultIntervalMilliseconds = 150
            schedule.comparisonInterval = 20
        case .countsWithoutState:
            schedule.faults = [.coordinatorLoss, .crash, .partition]
            schedule.embeddedCoordinatorCount = 0
            schedule.arbiterCount = 3
            schedule.faultIntervalMilliseconds = 150
            schedule.faultyMilliseconds = 15_000
            schedule.downMilliseconds = 300
        case .ordersTwice: schedule.faults = [.badNetwork]
        case .forgetsOrders:
            // Who is paused does not hear that a connection broke, and waits on for the answer.
            schedule.faults = [.crash, .badNetwork, .pause]
            schedule.embeddedCoordinatorCount = 0
            schedule.arbiterCount = 3
            schedule.clientCount = 12
            schedule.faultIntervalMilliseconds = 100
            schedule.faultyMilliseconds = 15_000
            schedule.downMilliseconds = 1
        case .forgetsRequests: schedule.retriesRequests = true
        case .callsUnknownNotApplied: schedule.faults = [.partition, .oneWayPartition, .pause, .slowDisk]
        case .keepsBranchedData:
            schedule.commitMode = .optimistic
            schedule.pushFactor = 0
            schedule.faults = [.partition, .crash, .pause]
        }
        return schedule
    }
}

/// What goes wrong.
package enum FaultKind: String, CaseIterable, Sendable {
    /// The machine stops, unsynced data is lost in part or whole; it starts again later.
    case crash
    /// Machines are cut into two groups.
    case partition
    /// All machines stop at once and start again.
    case powerFailure
    /// Messages get lost in one direction only.
    case oneWayPartition
    /// A process is stopped for a while (SIGSTOP, a long garbage collection, a suspended machine).
    case pause
    /// Messages get lost, doubled and late.
    case badNetwork
    /// A machine's disk takes long to sync.
    case slowDisk
    /// A member loses its store and everything beside it.
    case wipe
    /// A master is asked to hand over.
    case switchover
    /// A clock runs a little fast or slow.
    case clockDrift
    /// Somebody sets a machine's wall clock, forward or back.
    case clockJump
    /// The log is checkpointed and pruned, so that late members need a store copy.
    case checkpoint
    /// An operator takes a member out of the cluster, and starts it again later.
    case removal
    /// A coordinator loses its state file, half of the time while its group elects a leader.
    case coordinatorLoss
}

/// SplitMix64 with the helpers that schedules use.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64
    package init(seed: UInt64) { state = seed }
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    /// 0 up to `limit`, exclusive.
    package mutating func below(_ limit: UInt64) -> UInt64 { limit == 0 ? 0 : next() % limit }
    package mutating func pick<T>(_ list: [T]) -> T { list[Int(below(UInt64(list.count)))] }
}
