internal import FileSystem
internal import GraphModel

/// Carries one outcome from the thread that has it to the one that waits for it.
final class OneResult: Sendable {
    private let monitor = Monitor<GraphError??>(nil)

    init() {}

    func set(_ error: GraphError?) {
        monitor.withLock { $0 = .some(error) }
        monitor.signal()
    }

    func wait() -> GraphError? {
        monitor.wait { outcome -> GraphError?? in outcome } ?? nil
    }
}
