internal import FileSystem
package import GraphModel
internal import Synchronization

/// The handle by which a running query is stopped: from another thread, or by a deadline.
public final class ExecutionControl: Sendable {
    private let cancelled = Atomic<Bool>(false)
    private let deadline: UInt64
    /// Memory that the query may hold for rows it has to gather, roughly.
    let byteCountMaximum: Int
    let statementInstant: StatementInstant?
    private let foundCountMaximum: Int
    private let foundMore = Atomic<Bool>(false)
    /// When the query counts as long, on the monotonic clock; `.max` once that was told or nobody asked.
    private let longAt = Atomic<UInt64>(.max)
    private struct LongHook {
        var body: (@Sendable () -> Void)?
    }
    private let longHook = Mutex(LongHook())

    /// - Parameters:
    ///   - deadlineNanoseconds: a point on the monotonic clock (`monotonicNanoseconds()`); nil for no limit.
    ///   - byteCountMaximum: bytes that the query may hold for rows it has to gather; 0 is no limit.
    ///   - foundCountMaximum: entities that an index may find by one look-up; at more the query ends.
    public convenience init(
        deadlineNanoseconds: UInt64? = nil, byteCountMaximum: Int = 0, foundCountMaximum: Int = .max
    ) {
        self.init(
            deadlineNanoseconds: deadlineNanoseconds, byteCountMaximum: byteCountMaximum, statementInstant: nil,
            foundCountMaximum: foundCountMaximum)
    }

    /// - Parameter statementInstant: what the query takes for now, for tests; nil for what the clock says.
    package init(
        deadlineNanoseconds: UInt64? = nil, byteCountMaximum: Int = 0, statementInstant: StatementInstant?,
        foundCountMaximum: Int = .max
    ) {
        self.foundCountMaximum = foundCountMaximum
        deadline = deadlineNanoseconds ?? .max
        self.byteCountMaximum = byteCountMaximum > 0 ? byteCountMaximum : .max
        self.statementInstant = statementInstant
    }

    /// Makes the query end with `.executionLimit` at its next check. Any thread.
    public func cancel() { cancelled.store(true, ordering: .relaxed) }

    public var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// Calls `body` once, on the query's thread, when it still runs after a while.
    public func whenLong(afterNanoseconds delay: UInt64, _ body: @escaping @Sendable () -> Void) {
        longHook.withLock { $0.body = body }
        longAt.store(monotonicNanoseconds() + delay, ordering: .relaxed)
    }

    /// Forgets what ``whenLong(afterNanoseconds:_:)`` was asked for; the query has ended.
    public func forgetLong() {
        longAt.store(.max, ordering: .relaxed)
        longHook.withLock { $0.body = nil }
    }

    private func checkLong() {
        let at = longAt.load(ordering: .relaxed)
        guard at != .max, monotonicNanoseconds() >= at else { return }
        longAt.store(.max, ordering: .relaxed)
        let body = longHook.withLock { $0.body }
        body?()
    }

    /// Whether the query ended because an index found more than it was to.
    public var hasFoundMore: Bool { foundMore.load(ordering: .relaxed) }

    /// Throws `.executionLimit` when an index has found more than the query is to go on with; nil when it is gone.
    func checkFound(_ count: Int?) throws(GraphError) {
        guard count ?? .max > foundCountMaximum else { return }
        foundMore.store(true, ordering: .relaxed)
        throw GraphError(.executionLimit, "an index has found more than \(foundCountMaximum) entities")
    }

    /// Whether the query has to end.
    var isOver: Bool { isCancelled || deadline != .max && monotonicNanoseconds() >= deadline }

    /// Throws `.executionLimit` once the query has to end.
    package func check() throws(GraphError) {
        if isCancelled { throw GraphError(.executionLimit, "the query was cancelled") }
        if deadline != .max, monotonicNanoseconds() >= deadline {
            throw GraphError(.executionLimit, "the query did not end within its time limit")
        }
        checkLong()
    }
}

/// The instant that a statement takes for now.
package struct StatementInstant: Sendable {
    /// Since 1970 in UTC.
    package let seconds: Int64
    /// Below a second.
    package let nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// What the machine's clock says.
    static var current: StatementInstant {
        let (seconds, nanoseconds) = wallClockInstant()
        return StatementInstant(seconds: seconds, nanoseconds: nanoseconds)
    }
}
