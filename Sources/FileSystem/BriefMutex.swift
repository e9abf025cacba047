internal import Glibc
public import Synchronization

/// A mutex for sections of some dozen nanoseconds that every query passes, by any number of threads.
///
/// The toolchain's mutex hands itself over to the thread that has waited longest, which must be woken first: once two
/// threads have met, all of them go on at the pace of the scheduler. This one is taken by whoever comes; who does not get
/// it lets others run and asks again. Nothing that waits or calls unknown code may happen inside.
public struct BriefMutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // Safety: `value` is touched only by the thread that has set `isLocked`.
    @usableFromInline let isLocked = Atomic<Bool>(false)
    @usableFromInline let value: UnsafeMutablePointer<Value>
    private static var spinCountMaximum: Int { 64 }
    /// Then its holder is one of lower priority, perhaps: yielding would never let that run.
    private static var yieldCountMaximum: Int { 256 }

    public init(_ value: consuming sending Value) {
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
    }

    @inlinable
    public borrowing func withLock<R: ~Copyable, E: Error>(
        _ body: (inout sending Value) throws(E) -> sending R
    ) throws(E) -> sending R {
        if isLocked.exchange(true, ordering: .acquiring) { wait() }
        defer { isLocked.store(false, ordering: .releasing) }
        return try body(&value.pointee)
    }

    @usableFromInline @inline(never)
    borrowing func wait() {
        var count = 0
        while true {
            if !isLocked.load(ordering: .relaxed), !isLocked.exchange(true, ordering: .acquiring) { return }
            count += 1
            if count < Self.spinCountMaximum { continue }
            if count < Self.yieldCountMaximum {
                sched_yield()
            } else {
                var pause = timespec(tv_sec: 0, tv_nsec: 20_000)
                nanosleep(&pause, nil)
            }
        }
    }
}
