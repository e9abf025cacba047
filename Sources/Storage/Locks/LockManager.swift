internal import FileSystem
public import GraphModel
internal import Synchronization

/// The locks of one store: a ``LockTable`` under a mutex, ``UncontendedLocks`` before it, and what it takes to wait.
///
/// The mutexes are held for the time of a few look-ups; nobody waits for a lock while holding one. Readers never come
/// here.
public final class LockManager: Sendable {
    /// Told once how a wait ended: nil when the lock is held.
    package typealias Waker = @Sendable (GraphError?) -> Void

    private struct Wait {
        let waker: Waker
        let key: LockTable.Key
        let since: UInt64
        let deadline: UInt64
    }

    private struct State {
        var table = LockTable()
        var waits: [LockSessionID: Wait] = [:]
    }

    private let uncontended = UncontendedLocks()
    /// Entities with explicit locks, and of how many sessions.
    private let explicit = Mutex<[LockTable.Key: Int]>([:])
    private let explicitCount = Atomic<Int>(0)
    /// Taken before a stripe's mutex where both are needed.
    private let state = Mutex(State())
    private let lastSession = Atomic<UInt64>(0)
    private let deadlocks = Atomic<UInt64>(0)
    private let waits = Atomic<UInt64>(0)
    private let timeouts = Atomic<UInt64>(0)
    private let waitNanoseconds = Atomic<UInt64>(0)

    package init() {}

    /// What happened since the store was opened.
    public struct Statistics: Sendable, Equatable {
        /// Requests that were refused because waiting would have closed a cycle.
        public var avertedDeadlockCount: UInt64
        /// Requests that had to wait, and those of them that gave up.
        public var waitCount: UInt64
        public var timeoutCount: UInt64
        /// Time that ended waits took, all together.
        public var waitNanoseconds: UInt64
        /// Entities locked now, and transactions that wait now.
        public var lockedCount: Int
        public var waitingCount: Int
    }

    public var statistics: Statistics {
        let waiting = state.withLock { $0.waits.count }
        return Statistics(
            avertedDeadlockCount: deadlocks.load(ordering: .relaxed), waitCount: waits.load(ordering: .relaxed),
            timeoutCount: timeouts.load(ordering: .relaxed), waitNanoseconds: waitNanoseconds.load(ordering: .relaxed),
            lockedCount: uncontended.count, waitingCount: waiting)
    }

    /// A new holder of locks.
    ///
    /// - Parameters:
    ///   - waiting: what happens where a lock is not free.
    ///   - timeout: longest time of one wait.
    ///   - authority: who else has to grant explicit locks; nil where this process is all there is.
    public func makeSession(
        _ waiting: LockSession.Waiting, timeout: Milliseconds, authority: (any LockAuthority)? = nil
    ) -> LockSession {
        let number = lastSession.wrappingAdd(1, ordering: .relaxed).newValue
        return LockSession(self, LockSessionID(number), waiting, timeout, authority)
    }

    /// Whether nobody holds any lock.
    package var isEmpty: Bool { uncontended.isEmpty }

    // MARK: Explicit locks

    /// Whether anybody holds, or waits for, a lock that was asked for by name.
    package var hasExplicitLocks: Bool { explicitCount.load(ordering: .sequentiallyConsistent) > 0 }

    /// Whether no other session may have an explicit lock on an entity.
    package func isFreeOfExplicitLocks(_ key: LockTable.Key, for session: LockSession) -> Bool {
        if explicit.withLock({ $0[key] == nil }) { return true }
        return uncontended.isFree(key, for: session.id)
    }

    /// Before the lock is acquired: who looks after that waits for it.
    func noteExplicit(_ key: LockTable.Key) {
        explicit.withLock { $0[key, default: 0] += 1 }
        explicitCount.add(1, ordering: .sequentiallyConsistent)
    }

    func forgetExplicit(_ keys: Set<LockTable.Key>) {
        explicit.withLock { explicit in
            for key in keys {
                let count = explicit[key] ?? 0
                explicit[key] = count > 1 ? count - 1 : nil
            }
        }
        explicitCount.subtract(keys.count, ordering: .sequentiallyConsistent)
    }

    /// Asks for a lock. With `.waits` the waker is called exactly once, later, on whatever thread ends the wait.
    ///
    /// - Parameter held: gets the key when it is to be released with the session and was not before.
    func acquire(
        _ key: LockTable.Key, _ mode: LockMode, for session: LockSessionID, timeout: Milliseconds,
        held: inout [LockTable.Key], makeWaker: () -> Waker
    ) -> LockTable.Outcome {
        switch uncontended.claim(key, mode, for: session) {
        case .isNew:
            held.append(key)
            return .granted
        case .isHeld: return .granted
        case .isContended: break
        }
        let outcome = state.withLock { state -> LockTable.Outcome in
            if let holder = uncontended.mark(key) { _ = state.table.acquire(key, holder.mode, for: holder.session) }
            let isHeld = state.table.mode(of: key, heldBy: session) != nil
            let outcome = state.table.acquire(key, mode, for: session)
            if outcome == .waits {
                let now = monotonicNanoseconds()
                let (limit, overflows) = timeout.rawValue.multipliedReportingOverflow(by: 1_000_000)
                let (deadline, overflowsToo) = now.addingReportingOverflow(limit)
                state.waits[session] = Wait(
                    waker: makeWaker(), key: key, since: now, deadline: overflows || overflowsToo ? .max : deadline)
            }
            switch outcome {
            case .granted, .waits: if !isHeld { held.append(key) }
            case .deadlock: break
            }
            return outcome
        }
        switch outcome {
        case .granted: break
        case .waits: waits.add(1, ordering: .relaxed)
        case .deadlock: deadlocks.add(1, ordering: .relaxed)
        }
        return outcome
    }

    /// Releases what a session holds or waits for: `held`, all of it. A wait of its own ends with an error.
    func release(_ held: [LockTable.Key], of session: LockSessionID) {
        let contended = held.filter { !uncontended.release($0, of: session) }
        if contended.isEmpty { return }
        finish { state in
            let own = state.waits.removeValue(forKey: session)
            let granted = state.table.release(session)
            for key in contended where !state.table.isLocked(key) { uncontended.unmark(key) }
            return (granted, own.map { [($0, Self.given(up: session))] } ?? [])
        }
    }

    /// Ends the waits whose time is over. Threads that block look at the clock themselves; for those who do not,
    /// somebody has to call this every now and then.
    public func expireWaits() {
        let now = monotonicNanoseconds()
        expire(now) { $0.value.deadline <= now }
    }

    /// Ends one session's wait, if it still waits.
    func expireWait(of session: LockSessionID) { expire(monotonicNanoseconds()) { $0.key == session } }

    private func expire(_ now: UInt64, _ isLate: ((key: LockSessionID, value: Wait)) -> Bool) {
        finish { state in
            if state.waits.isEmpty { return ([], []) }
            var granted: [LockSessionID] = []
            var expired: [(Wait, GraphError?)] = []
            for (session, wait) in state.waits.filter(isLate).sorted(by: { $0.key < $1.key }) {
                // One that went before may have let this one in.
                if granted.contains(session) { continue }
                granted += state.table.cancelWait(session)
                state.waits[session] = nil
                expired.append((wait, Self.timedOut(session, wait.key.entity, now &- wait.since)))
            }
            timeouts.add(UInt64(expired.count), ordering: .relaxed)
            return (granted, expired)
        }
    }

    /// Changes the table, then tells everybody whose wait ended with it, outside the mutex.
    private func finish(_ change: (inout State) -> (granted: [LockSessionID], failed: [(Wait, GraphError?)])) {
        let ended = state.withLock { state in
            let (granted, failed) = change(&state)
            if granted.isEmpty { return failed }
            return failed + granted.compactMap { session in 
                state.waits.removeValue(forKey: session).map { ($0, nil) }
            }
        }
        if ended.isEmpty { return }
        let now = monotonicNanoseconds()
        for (wait, error) in ended {
            waitNanoseconds.add(now &- wait.since, ordering: .relaxed)
            wait.waker(error)
        }
    }

    private static func given(up session: LockSessionID) -> GraphError {
        GraphError(.transactionClosed, "the transaction of \(session) ended while it waited for a lock")
    }

    private static func timedOut(_ session: LockSessionID, _ entity: EntityID, _ nanoseconds: UInt64) -> GraphError {
        GraphError(
            .lockTimeout,
            "\(session) waited \(nanoseconds / 1_000_000) ms for the lock of \(entity), which another transaction still holds: try again")
    }
}
