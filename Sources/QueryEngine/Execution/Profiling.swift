internal import FileSystem
internal import GraphModel

/// What each operator of a profiled execution did, by its number in the plan.
final class Profile {
    struct Entry {
        var rowCount = 0
        /// Records read: entities found, properties looked up.
        var hitCount = 0
        var nanoseconds: UInt64 = 0
    }
    var entries: ContiguousArray<Entry>

    init(operatorCount: Int) { entries = ContiguousArray(repeating: Entry(), count: operatorCount) }
}

/// An operator with two others around it: one takes the time of all that happens in it, the other counts what it gives
/// and takes off the time of what comes after.
struct ProfiledPlan: OperatorPlan {
    let plan: any OperatorPlan
    let number: Int
    /// Whether each row that it gives was read from the store.
    let readsRows: Bool

    func make(_ frame: Frame, next: Operator) -> Operator {
        let after = ProfileBoundary(frame, next: next, self, isBefore: false)
        return ProfileBoundary(frame, next: plan.make(frame, next: after), self, isBefore: true)
    }
}

private final class ProfileBoundary: Operator {
    private let number: Int
    private let readsRows: Bool
    private let isBefore: Bool

    init(_ frame: Frame, next: Operator, _ plan: ProfiledPlan, isBefore: Bool) {
        number = plan.number
        readsRows = plan.readsRows
        self.isBefore = isBefore
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        let rowCount = batch.rowCount
        let (start, hits) = (monotonicNanoseconds(), frame.hitCount)
        let result = try pass(batch)
        account(start, hits, rowCount: rowCount)
        return result
    }

    override func finish() throws(GraphError) {
        let (start, hits) = (monotonicNanoseconds(), frame.hitCount)
        try super.finish()
        account(start, hits, rowCount: 0)
    }

    private func account(_ start: UInt64, _ hits: Int, rowCount: Int) {
        guard let profile = frame.profile else { return }
        let elapsed = monotonicNanoseconds() - start
        if isBefore {
            profile.entries[number].nanoseconds &+= elapsed
            profile.entries[number].hitCount += frame.hitCount - hits
        } else {
            profile.entries[number].nanoseconds &-= elapsed
            profile.entries[number].hitCount += (readsRows ? rowCount : 0) - (frame.hitCount - hits)
            profile.entries[number].rowCount += rowCount
        }
    }
}
