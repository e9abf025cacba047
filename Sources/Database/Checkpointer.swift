internal import FileSystem
internal import GraphModel
internal import Storage
internal import Synchronization

/// Looks every now and then whether a checkpoint is due and makes it, on a thread of its own; and whether somebody has
/// waited too long for a lock.
final class Checkpointer: Sendable {
    private let control = Monitor(false)
    private let thread = Mutex<DedicatedThread?>(nil)
    private static let interval: UInt64 = 250_000_000

    /// `currentStore` gives the store to look after, nil while there is none. A checkpoint that fails is tried again; the
    /// log still has everything.
    func start(_ currentStore: @escaping @Sendable () -> Store?) {
        let control = control
        let started = DedicatedThread(name: "martlet-chkpt") {
            lowerThreadPriority()
            while true {
                let stopped = control.wait(untilNanoseconds: monotonicNanoseconds() + Self.interval) { $0 ? true : nil }
                if stopped ?? false { return }
                guard let store = currentStore() else { continue }
                store.locks.expireWaits()
                guard store.failure == nil, store.isCheckpointDue else { continue }
                do throws(GraphError) { try store.checkpoint() } catch {
                    let retryAt = monotonicNanoseconds() + 5_000_000_000
                    if control.wait(untilNanoseconds: retryAt, { $0 ? true : nil }) ?? false { return }
                }
            }
        }
        thread.withLock { $0 = started }
    }

    func stop() {
        control.withLock { $0 = true }
        control.signal()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }
}
