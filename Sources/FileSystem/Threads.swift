internal import Glibc

/// A mutex with a condition variable around some state: for the few threads that own a file or an event queue and have
/// to sleep until there is work. Where nobody sleeps, `Synchronization.Mutex` is the tool.
public final class Monitor<State>: @unchecked Sendable {
    // Safety: `state` is touched only while `mutex` is held.
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    public init(_ state: sending State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    public func withLock<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Wakes every sleeper after a change of the state.
    public func signal() { pthread_cond_broadcast(condition) }

    /// Wakes one sleeper, where any one will do.
    public func signalOne() { pthread_cond_signal(condition) }

    /// Runs `body` until it returns a value, sleeping between the tries until ``signal()`` or, when given, until the
    /// monotonic clock reaches `deadlineNanoseconds`; nil after that.
    public func wait<R>(untilNanoseconds deadline: UInt64? = nil, _ body: (inout State) -> R?) -> R? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            if let deadline {
                // Conditions know no clock that goes on while the machine is suspended.
                let now = monotonicNanoseconds()
                let end = nanoseconds(of: CLOCK_MONOTONIC) &+ (deadline > now ? deadline - now : 0)
                var time = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
                if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { return body(&state) }
            } else {
                pthread_cond_wait(condition, mutex)
            }
        }
    }
}

#if MARTLET_TSAN
/// Stands in for `Synchronization.Mutex` under the thread sanitizer, which sees what a POSIX mutex orders and not what
/// the toolchain's does. Every module that uses mutexes names it `Mutex`.
public struct VisibleMutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // Safety: `value` is touched only while `mutex` is held.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    public init(_ value: consuming sending Value) {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    public borrowing func withLock<R: ~Copyable, E: Error>(
        _ body: (inout sending Value) throws(E) -> sending R
    ) throws(E) -> sending R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
#endif

/// A dedicated operating-system thread.
public final class DedicatedThread: Sendable {
    private let handle: pthread_t

    /// Starts `body` on a new thread. The name (at most 15 bytes) shows up in `top -H` and in debuggers.
    ///
    /// - Parameter niceness: 0 to 19; a thread with more lets others of the process go first when processors are short.
    public init(name: String, niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var handle = pthread_t()
        let named: @Sendable () -> Void = {
            let comm = Glibc.open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
            if comm >= 0 {
                let bytes = Array(name.utf8.prefix(15))
                _ = Glibc.write(comm, bytes, bytes.count)
                Glibc.close(comm)
            }
            // On Linux this is the calling thread's alone. One that cannot be nicer runs as it is.
            if niceness > 0 { _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, niceness) }
            body()
        }
        let box = Unmanaged.passRetained(Box(named))
        let code = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        precondition(code == 0, "cannot start thread \(name): error \(code)")
        self.handle = handle
    }

    /// Waits for the thread to end.
    public func join() { pthread_join(handle, nil) }
}

/// Tells the threads of this process apart; a number may come again after its thread has ended.
public func currentThreadNumber() -> UInt { UInt(pthread_self()) }

/// A place that holds another object on every thread; none at first. Ends its object's reference when the thread ends.
public final class ThreadLocal<Object: AnyObject>: Sendable {
    private let key: pthread_key_t

    /// One of the few (1024) places of the process: for globals, not for every instance of something.
    public init() {
        var key = pthread_key_t()
        let code = pthread_key_create(&key) { pointer in
            if let pointer { Unmanaged<AnyObject>.fromOpaque(pointer).release() }
        }
        precondition(code == 0, "no place for a thread's own data: error \(code)")
        self.key = key
    }

    /// This thread's object.
    public var current: Object? {
        get {
            // Safety: only `set` below writes the place, always an `Object` that it retained.
            pthread_getspecific(key).map { unsafeDowncast(Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue(), to: Object.self) }
        }
        set {
            let before = pthread_getspecific(key)
            pthread_setspecific(key, newValue.map { Unmanaged<AnyObject>.passRetained($0).toOpaque() })
            if let before { Unmanaged<AnyObject>.fromOpaque(before).release() }
        }
    }
}

/// Lets every other thread go first when the processors are busy: for work in the background. For the calling thread, for
/// good; where that is not allowed nothing happens.
public func lowerThreadPriority() {
    // On Linux a nice value is a thread's own, and 0 is the calling one.
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
}

/// Lets the calling thread rest. For threads that may block.
public func pauseThread(nanoseconds: UInt64) {
    var rest = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    var left = timespec()
    while nanosleep(&rest, &left) != 0 && errno == EINTR { rest = left }
}

/// Nanoseconds on the machine's monotonic clock.
public func monotonicNanoseconds() -> UInt64 {
    nanoseconds(of: CLOCK_BOOTTIME)
}

private func nanoseconds(of clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Milliseconds since 1970 on the wall clock. For people and log entries; never for deciding anything.
public func wallClockMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// Seconds since 1970 on the wall clock, and nanoseconds below a second. For the values that queries ask for.
public func wallClockInstant() -> (seconds: Int64, nanoseconds: Int32) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return (Int64(time.tv_sec), Int32(time.tv_nsec))
}

/// Number of processors that this process may use, at least 1.
public func processorCount() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
