internal import FileSystem
package import GraphModel
internal import Synchronization

/// The handle by which a running query is stopped: from another thread, or by a deadline.
public final class ExecutionControl: Sendable {
    private let cancelled = Atomic<Bool>(false)
    private let deadline: UInt64
    let statementInstant: StatementInstant?

    /// - Parameter deadlineNanoseconds: a point on the monotonic clock (`monotonicNanoseconds()`); nil for no limit.
    public convenience init(deadlineNanoseconds: UInt64? = nil) {
        self.init(deadlineNanoseconds: deadlineNanoseconds, statementInstant: nil)
    }

    /// - Parameter statementInstant: what the query takes for now, for tests; nil for what the clock says.
    package init(deadlineNanoseconds: UInt64? = nil, statementInstant: StatementInstant?) {
        deadline = deadlineNanoseconds ?? .max
        self.statementInstant = statementInstant
    }

    /// Makes the query end with `.executionLimit` at its next check. Any thread.
    public func cancel() { cancelled.store(true, ordering: .relaxed) }

    public var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// Throws `.executionLimit` once the query has to end.
    package func check() throws(GraphError) {
        if isCancelled { throw GraphError(.executionLimit, "the query was cancelled") }
        if deadline != .max, monotonicNanoseconds() >= deadline {
            throw GraphError(.executionLimit, "the query did not end within its time limit")
        }
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
