/// What a query changed.
public struct QueryStatistics: Sendable, Equatable {
    public var nodesCreated = 0
    public var nodesDeleted = 0
    public var relationshipsCreated = 0
    public var relationshipsDeleted = 0
    /// Every assignment counts, removals of existing properties too.
    public var propertiesSet = 0
    public var labelsAdded = 0
    public var labelsRemoved = 0
    public var indexesAdded = 0
    public var indexesRemoved = 0
    public var constraintsAdded = 0
    public var constraintsRemoved = 0

    /// The plan: for EXPLAIN, and with what each operator did for PROFILE.
    public var plan: PlanDescription?

    public init() {}

    public var containsUpdates: Bool {
        var changes = self
        changes.plan = nil
        return changes != QueryStatistics()
    }
}
