public import GraphModel
public import Storage

// Explicit locks of this member's own transactions.
extension MemberEngine {
    /// Gets a lock for a transaction of this member, which holds it here already, from the master. `done` is called once,
    /// on the thread that drives the engine: with nil when the lock is held and what its last holder did is readable here.
    ///
    /// - Parameters:
    ///   - session: identifies the transaction; not 0, never used again after ``unlock(session:now:)``.
    ///   - isFirst: the transaction has nothing from the master yet.
    ///   - timeout: longest time to wait for other holders.
    public func lock(
        _ entity: EntityID, _ mode: LockMode, session: UInt64, isFirst: Bool, timeout: Milliseconds, now: Instant,
        done: @escaping @Sendable (GraphError?) -> Void
    ) {
        guard isFirst || lockRequests.sessions.contains(session) else {
            return done(Self.lostLocks("this member follows another master, or lost touch with it"))
        }
        if core.expectsMaster(now: now) {
            return hold(
                now,
                { [unowned self] in
                    lock(entity, mode, session: session, isFirst: isFirst, timeout: timeout, now: $0, done: done)
                },
                orElse: done)
        }
        if core.isMaster {
            if let refusal = core.refusalOfCommits(now: now) { return done(refusal) }
            lockRequests.sessions.insert(session)
            return finishLock(entity, sequencer?.lastChange(of: entity) ?? .zero, now, done)
        }
        guard let master = core.knownMaster(now: now) else {
            return done(GraphError(.noMaster, "there is no master now that could lock \(entity): try again"))
        }
        lockRequests.sessions.insert(session)
        // A master of the version before knows no locks of others.
        if core.clusterVersion < 2 { return done(nil) }
        let id = waiters.makeID()
        let limit = min(timeout, Self.lockTimeMaximum)
        let request = ReplicationMessage.LockRequest(
            session: session, isFirst: isFirst, entity: entity, mode: mode, timeout: limit)
        lockRequests.pending[id] = .init(
            request: request, completion: done, deadline: now + limit + LockRequests.answerTime, sentAt: now)
        send(.lock(id: id, request), to: master)
    }

    /// The transaction has ended: what it has from the master is released.
    public func unlock(session: UInt64, now: Instant) {
        lockRequests.sessions.remove(session)
        for pending in lockRequests.removePending(where: { $0.request.session == session }) {
            pending.completion(GraphError(.transactionClosed, "the transaction ended while it waited for a lock"))
        }
        // Where this gets lost the master asks.
        if !core.isMaster, core.clusterVersion >= 2, let master = core.knownMaster(now: now) {
            send(.unlock(session: session), to: master)
        }
    }

    private static let lockTimeMaximum: Milliseconds = 86_400_000

    func lockAnswered(
        _ id: UInt64, _ session: UInt64, _ outcome: ReplicationMessage.LockOutcome, from sender: MemberID, _ now: Instant
    ) {
        guard let pending = lockRequests.pending.removeValue(forKey: id) else {
            return answerLockCheck([session], from: sender)
        }
        switch outcome {
        case .granted(let lastChange): finishLock(pending.request.entity, lastChange, now, pending.completion)
        case .failed(let reason, let message): pending.completion(GraphError(reason.code, message))
        }
    }

    func answerLockCheck(_ sessions: [UInt64], from sender: MemberID) {
        for session in sessions where !lockRequests.sessions.contains(session) {
            send(.unlock(session: session), to: sender)
        }
    }

    private func finishLock(
        _ entity: EntityID, _ lastChange: TransactionID, _ now: Instant, _ done: @escaping @Sendable (GraphError?) -> Void
    ) {
        let timeout = options.writeTimeout
        waitUntilApplied(lastChange, deadline: now + timeout) { arrived in
            done(
                arrived
                    ? nil
                    : GraphError(
                        .lockTimeout,
                        "\(lastChange), which changed \(entity) last, did not become readable here within \(timeout): try again"))
        }
    }

    /// The mastership under which transactions of this member have locks is over.
    func loseLocks(_ reason: String) {
        if lockRequests.sessions.isEmpty { return }
        lockRequests.sessions = []
        for pending in lockRequests.removePending(where: { _ in true }) { pending.completion(Self.lostLocks(reason)) }
    }

    static func lostLocks(_ reason: String) -> GraphError {
        GraphError(.masterChanged, "the explicit locks of this transaction are gone: \(reason). Nothing was applied, run it again")
    }

    func expireLockRequests(_ now: Instant) {
        if lockRequests.pending.isEmpty { return }
        for pending in lockRequests.removePending(where: { $0.deadline <= now }) {
            pending.completion(
                GraphError(.lockTimeout, "the master did not answer a request for the lock of \(pending.request.entity): try again"))
        }
        guard !core.isMaster, let master = core.knownMaster(now: now) else { return }
        for id in lockRequests.pending.keys.sorted() {
            guard let pending = lockRequests.pending[id],
                now.milliseconds(since: pending.sentAt) >= LockRequests.resendInterval
            else { continue }
            lockRequests.pending[id]?.sentAt = now
            send(.lock(id: id, pending.request), to: master)
        }
    }
}
