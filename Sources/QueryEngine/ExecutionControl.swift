internal import FileSystem
internal import GraphModel
internal import Synchronization

/// The handle by which a running query is stopped: from another thread, or by a deadline.
public final class ExecutionControl: Sendable {
    private let cancelled = Atomic<Bool>(false)
    private let deadline: UInt64

    /// - Parameter deadlineNanoseconds: a point on the monotonic clock (`monotonicNanoseconds()`); nil for no limit.
    public init(deadlineNanoseconds: UInt64? = nil) { deadline = deadlineNanoseconds ?? .max }

    /// Makes the query end with `.executionLimit` at its next check. Any thread.
    public func cancel() { cancelled.store(true, ordering: .relaxed) }

    public var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func check() throws(GraphError) {
        if isCancelled { throw GraphError(.executionLimit, "the query was cancelled") }
        if deadline != .max, monotonicNanoseconds() >= deadline {
            throw GraphError(.executionLimit, "the query did not end within its time limit")
        }
    }
}
