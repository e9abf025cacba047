internal import CBriefLock

/// A mutex for sections of some dozen nanoseconds that every query passes, by any number of threads.
///
/// The toolchain's mutex hands itself over to the thread that has waited longest, which must be woken first: once two
/// threads have met, all of them go on at the pace of the scheduler. This one is taken by whoever comes; who does not get
/// it lets others run and asks again. Nothing that waits or calls unknown code may happen inside.
///
/// Locking and unlocking are calls of C that the optimiser cannot look into. With atomics in Swift, inlined, it counted a
/// reference that was read inside only after the mutex was free again, when the object could be gone.
public struct BriefMutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // Safety: `value` is touched only by the thread that holds the lock of `word`.
    @usableFromInline let word: UnsafeMutablePointer<UInt32>
    @usableFromInline let value: UnsafeMutablePointer<Value>

    public init(_ value: consuming sending Value) {
        word = .allocate(capacity: 1)
        word.initialize(to: 0)
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
        word.deallocate()
    }

    @usableFromInline @inline(never)
    borrowing func lock() { martlet_brief_lock(word) }

    @usableFromInline @inline(never)
    borrowing func unlock() { martlet_brief_unlock(word) }

    @inlinable
    public borrowing func withLock<R: ~Copyable, E: Error>(
        _ body: (inout sending Value) throws(E) -> sending R
    ) throws(E) -> sending R {
        lock()
        defer { unlock() }
        return try body(&value.pointee)
    }
}
