internal import GraphModel

/// One try to become, or make somebody else, the master of an epoch.
struct Election: Sendable {
    enum Phase: Sendable {
        /// Asks whether the others would agree; changes nothing anywhere.
        case preVote(agreed: Set<MemberID>)
        /// Collects promises and log positions.
        case prepare(positions: [MemberID: LogPosition])
        /// Waits for the coordinators' word.
        case decided
    }
    let epoch: Epoch
    /// The register's revision whose sync set is asked; a change of it voids the election.
    let revision: UInt64
    var phase: Phase
    /// When this phase began. With optimistic commits who has not answered a while later is taken for dead.
    var phaseSince: Instant
    /// Somebody still hears a master.
    var isContested = false
    var givesUpAt: Instant
}
