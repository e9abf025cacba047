internal import GraphModel
internal import Storage

/// Looks every now and then whether a checkpoint is due and makes it, on a thread of its own; and whether somebody has
/// waited too long for a lock.
final class Checkpointer: Sendable {
    private let thread = PeriodicThread(name: "martlet-chkpt")
    private static let interval: UInt64 = 250_000_000
    private static let intervalAfterFailure: UInt64 = 5_000_000_000

    /// `currentStore` gives the store to look after, nil while there is none. A checkpoint that fails is tried again; the
    /// log still has everything.
    func start(_ currentStore: @escaping @Sendable () -> Store?) {
        thread.start {
            guard let store = currentStore() else { return Self.interval }
            store.locks.expireWaits()
            guard store.failure == nil, store.isCheckpointDue else { return Self.interval }
            do throws(GraphError) { try store.checkpoint() } catch { return Self.intervalAfterFailure }
            return Self.interval
        }
    }

    func stop() { thread.stop() }
}
