internal import FileSystem
public import GraphModel
internal import Synchronization

/// Holds the locks of one transaction until they are released, over all its tries.
///
/// Thread-safe only in that the locks may be released from any thread; one thread at a time acquires.
public final class LockSession: Sendable {
    /// What a transaction does where a lock is not free.
    public enum Waiting: Sendable {
        /// Blocks the thread. For threads that belong to the caller.
        case blocking
        /// The same on a thread of a pool, which others need: the wait takes place within what the function is given, and
        /// another thread stands in meanwhile. For transactions that cannot run again.
        case standingIn(@Sendable (() -> Void) -> Void)
        /// Throws and leaves the rest to the caller, who waits without a thread (``LockSession/whenLocked(_:)``) and runs
        /// the transaction again. For threads of a pool, which readers need.
        case suspending

        /// Runs a body that waits.
        public func around(_ body: () -> Void) {
            if case .standingIn(let run) = self { run(body) } else { body() }
        }
    }

    private enum Suspension {
        case none
        case waiting
        case ended(GraphError?)
        case watched(LockManager.Waker)
    }

    // In a struct: a function that is itself the state of a mutex is wrapped anew by every access.
    private struct State {
        var suspension = Suspension.none
        /// What is to be released, the lock that is waited for included.
        var held: [LockTable.Key] = []
        /// Those of them that were asked for by name.
        var explicit: Set<LockTable.Key> = []
    }

    public let manager: LockManager
    public let id: LockSessionID
    public let waiting: Waiting
    private let timeout: Milliseconds
    /// Who else has to grant explicit locks.
    public let authority: (any LockAuthority)?
    private let state = Mutex(State())

    init(
        _ manager: LockManager, _ id: LockSessionID, _ waiting: Waiting, _ timeout: Milliseconds,
        _ authority: (any LockAuthority)?
    ) {
        self.authority = authority
        self.manager = manager
        self.id = id
        self.waiting = waiting
        self.timeout = timeout
    }

    deinit { release() }

    /// Acquires a lock, and returns whether that took a wait.
    ///
    /// - Throws: `.deadlock` naming the cycle, `.lockTimeout`, and ``suspended`` where waiting is left to the caller.
    @discardableResult
    package func acquire(_ key: LockTable.Key, _ mode: LockMode) throws(GraphError) -> Bool {
        var thread: BlockedThread?
        let outcome = state.withLock { state in
            manager.acquire(key, mode, for: id, timeout: timeout, held: &state.held) {
                if case .suspending = waiting {
                    state.suspension = .waiting
                    return { [weak self] in self?.endWait($0) }
                }
                let blocked = BlockedThread()
                thread = blocked
                return { blocked.wake($0) }
            }
        }
        switch outcome {
        case .granted: return false
        case .deadlock(let cycle):
            throw GraphError(
                .deadlock,
                "\(id) cannot wait for the lock of \(key.entity), all would wait for ever: \(cycle). This transaction is to be rolled back; run it again")
        case .waits:
            guard let thread else { throw Self.suspended }
            var failure: GraphError?
            waiting.around { failure = thread.wait(timeout, expire: { manager.expireWait(of: id) }) }
            if let failure { throw failure }
            return true
        }
    }

    /// Acquires a lock that somebody asked for by name, here and with the ``authority``.
    ///
    /// - Throws: what ``acquire(_:_:)`` and ``LockAuthority/acquire(_:_:timeout:)`` throw.
    package func acquireExplicitly(_ key: LockTable.Key, _ mode: LockMode) throws(GraphError) {
        if state.withLock({ $0.explicit.insert(key).inserted }) { manager.noteExplicit(key) }
        try acquire(key, mode)
        try authority?.acquire(key.entity, mode, timeout: timeout)
    }

    /// Ends a wait before its time, with `.lockTimeout`; does nothing when there is none.
    package func giveUpWaiting() { manager.expireWait(of: id) }

    /// Releases everything. What waits for it goes on.
    public func release() {
        var (held, explicit): ([LockTable.Key], Set<LockTable.Key>) = ([], [])
        state.withLock { state in
            swap(&held, &state.held)
            swap(&explicit, &state.explicit)
        }
        if held.isEmpty && explicit.isEmpty { return }
        authority?.release()
        manager.release(held, of: id)
        if !explicit.isEmpty { manager.forgetExplicit(explicit) }
        state.withLock { $0.suspension = .none }
    }

    // MARK: Waiting without a thread

    /// Thrown through the transaction's body to whoever runs it; clients never see it.
    static let suspended = GraphError(.conflict, "the transaction waits for a lock and is run again when it has it")

    /// Whether the transaction ended because it has to wait for a lock.
    public var isSuspended: Bool {
        state.withLock { if case .none = $0.suspension { false } else { true } }
    }

    /// Calls `body` once the wait has ended: with nil when the lock is held.
    public func whenLocked(_ body: @escaping @Sendable (GraphError?) -> Void) {
        let ended = state.withLock { state -> GraphError?? in
            if case .ended(let error) = state.suspension {
                state.suspension = .none
                return .some(error)
            }
            state.suspension = .watched(body)
            return nil
        }
        if let ended { body(ended) }
    }

    private func endWait(_ error: GraphError?) {
        let watcher = state.withLock { state -> LockManager.Waker? in
            if case .watched(let watcher) = state.suspension {
                state.suspension = .none
                return watcher
            }
            state.suspension = .ended(error)
            return nil
        }
        watcher?(error)
    }
}

/// A thread that sleeps until somebody tells it how its wait ended.
private final class BlockedThread: Sendable {
    private let outcome = Monitor<GraphError??>(nil)

    func wake(_ error: GraphError?) {
        outcome.withLock { $0 = .some(error) }
        outcome.signal()
    }

    /// At the end of the time `expire` makes sure that ``wake(_:)`` is called, if it was not by then.
    func wait(_ timeout: Milliseconds, expire: () -> Void) -> GraphError? {
        let (limit, overflows) = timeout.rawValue.multipliedReportingOverflow(by: 1_000_000)
        let (deadline, overflowsToo) = monotonicNanoseconds().addingReportingOverflow(limit)
        let isEndless = overflows || overflowsToo
        if let ended = outcome.wait(untilNanoseconds: isEndless ? nil : deadline, { $0 }) { return ended }
        expire()
        return outcome.wait { $0 } ?? nil
    }
}
