internal import FileSystem
internal import Synchronization

/// A thread of low priority that does something every now and then, until it is stopped.
final class PeriodicThread: Sendable {
    private let isStopped = Monitor(false)
    private let thread = Mutex<DedicatedThread?>(nil)
    private let name: String

    init(name: String) { self.name = name }

    /// - Parameter work: is done again and again; returns for how many nanoseconds to pause then.
    func start(_ work: @escaping @Sendable () -> UInt64) {
        let isStopped = isStopped
        let started = DedicatedThread(name: name) {
            lowerThreadPriority()
            var pause: UInt64 = 0
            while !(isStopped.wait(untilNanoseconds: monotonicNanoseconds() + pause) { $0 ? true : nil } ?? false) {
                pause = work()
            }
        }
        thread.withLock { $0 = started }
    }

    func stop() {
        isStopped.withLock { $0 = true }
        isStopped.signal()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }
}
