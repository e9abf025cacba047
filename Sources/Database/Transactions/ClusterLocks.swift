public import GraphModel
public import Storage
internal import Synchronization

/// The explicit locks of one transaction of a cluster member, as far as the master has to grant them.
final class ClusterLocks: LockAuthority {
    private struct State {
        /// Identifies the transaction at the master; 0 before it asks for anything.
        var session: UInt64 = 0
        var held: [EntityID: LockMode] = [:]
    }

    private let member: ClusterMember
    private let whileBlocked: @Sendable (() -> Void) -> Void
    private let state = Mutex(State())

    /// - Parameter whileBlocked: runs a body that waits, so that others need not wait for its thread.
    init(_ member: ClusterMember, whileBlocked: @escaping @Sendable (() -> Void) -> Void) {
        self.member = member
        self.whileBlocked = whileBlocked
    }

    /// 0 while it has asked for nothing.
    var session: UInt64 { state.withLock { $0.session } }

    func acquire(_ entity: EntityID, _ mode: LockMode, timeout: Milliseconds) throws(GraphError) {
        let missing = state.withLock { state -> (session: UInt64, isFirst: Bool)? in
            if let held = state.held[entity], held == mode || held == .exclusive { return nil }
            if state.session == 0 { state.session = .random(in: 1 ... .max) }
            return (state.session, state.held.isEmpty)
        }
        guard let missing else { return }
        var failure: GraphError?
        whileBlocked {
            failure = waitForOutcome { done in
                member.lock(
                    entity, mode, session: missing.session, isFirst: missing.isFirst, timeout: timeout, done: done)
            }
        }
        if let failure { throw failure }
        state.withLock { $0.held[entity] = $0.held[entity] == nil ? mode : .exclusive }
    }

    func release() {
        let session = state.withLock { state in
            defer { state = State() }
            return state.session
        }
        if session != 0 { member.unlock(session: session) }
    }
}

extension ClusterMember {
    public func makeLockAuthority(
        whileBlocked: @escaping @Sendable (() -> Void) -> Void
    ) -> (any LockAuthority)? {
        ClusterLocks(self, whileBlocked: whileBlocked)
    }

    public func commit(
        _ writeSet: [UInt8], under authority: (any LockAuthority)?,
        done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void
    ) {
        let session = (authority as? ClusterLocks)?.session ?? 0
        let accepted = enqueue { engine, now in engine.commit(writeSet, lockSession: session, now: now, done: done) }
        if !accepted { done(.failure(Self.closed)) }
    }

    fileprivate func lock(
        _ entity: EntityID, _ mode: LockMode, session: UInt64, isFirst: Bool, timeout: Milliseconds,
        done: @escaping @Sendable (GraphError?) -> Void
    ) {
        let accepted = enqueue { engine, now in
            engine.lock(entity, mode, session: session, isFirst: isFirst, timeout: timeout, now: now, done: done)
        }
        if !accepted { done(Self.closed) }
    }

    fileprivate func unlock(session: UInt64) {
        enqueue { engine, now in engine.unlock(session: session, now: now) }
    }
}
