public import GraphModel
public import Storage
internal import Synchronization

/// Learns of every transaction that writes something and is about to be committed through this `Database`. In a cluster:
/// on the member where the transaction began, and nowhere else.
///
/// The order among several handlers is not defined, and none need see what another one changes. A transaction that loses
/// a conflict is run again, and its handlers with it: an `afterRollback` for the first try, then `beforeCommit` again.
public protocol TransactionEventHandler: Sendable {
    /// Called right before the commit, on the thread of the transaction, which is still open: what the handler changes
    /// through `transaction` is committed, too. What it returns comes back in ``afterCommit(_:transactionID:state:)`` or
    /// ``afterRollback(_:state:)``.
    ///
    /// - Throws: whatever should keep the transaction from being committed. A `GraphError` reaches the writer as it is,
    ///   anything else as `.handlerFailed`.
    func beforeCommit(_ data: TransactionData, in transaction: Transaction) throws -> (any Sendable)?

    /// Called after the commit is durable and its locks are released. Only when no handler threw.
    func afterCommit(_ data: TransactionData, transactionID: TransactionID, state: (any Sendable)?)

    /// Called when, after `beforeCommit` was called, the transaction was not committed. Not called when nobody can say
    /// whether it was (`.outcomeUnknown`).
    func afterRollback(_ data: TransactionData, state: (any Sendable)?)
}

extension TransactionEventHandler {
    public func beforeCommit(_ data: TransactionData, in transaction: Transaction) throws -> (any Sendable)? { nil }
    public func afterCommit(_ data: TransactionData, transactionID: TransactionID, state: (any Sendable)?) {}
    public func afterRollback(_ data: TransactionData, state: (any Sendable)?) {}
}

/// Names a registered handler, for taking it off again.
public struct TransactionEventRegistration: Hashable, Sendable {
    fileprivate let number: UInt64
}

/// The handlers of a database.
final class TransactionEvents: Sendable {
    private struct State {
        var handlers: [(number: UInt64, handler: any TransactionEventHandler)] = []
        var lastNumber: UInt64 = 0
    }
    private let state = Mutex(State())
    /// Looked at by every write: without handlers that is all it costs.
    private let count = Atomic<Int>(0)

    func register(_ handler: any TransactionEventHandler) -> TransactionEventRegistration {
        state.withLock { state in
            state.lastNumber += 1
            state.handlers.append((state.lastNumber, handler))
            count.store(state.handlers.count, ordering: .relaxed)
            return TransactionEventRegistration(number: state.lastNumber)
        }
    }

    func unregister(_ registration: TransactionEventRegistration) -> Bool {
        state.withLock { state in
            let before = state.handlers.count
            state.handlers.removeAll { $0.number == registration.number }
            count.store(state.handlers.count, ordering: .relaxed)
            return state.handlers.count < before
        }
    }

    /// Asks all handlers about a transaction that is about to be committed; nil when there are none.
    func beforeCommit(_ transaction: Transaction) throws(GraphError) -> PendingEvents? {
        if count.load(ordering: .relaxed) == 0 { return nil }
        var pending = PendingEvents(data: transaction.changes())
        for (_, handler) in state.withLock({ $0.handlers }) {
            let failure: GraphError
            do {
                let state = try handler.beforeCommit(pending.data, in: transaction)
                pending.calls.append((handler, state))
                // A handler must not hide what ended the transaction while it made its own changes.
                guard let hidden = transaction.failure else { continue }
                failure = hidden
            } catch {
                pending.calls.append((handler, nil))
                failure =
                    transaction.failure ?? (error as? GraphError)
                    ?? GraphError(.handlerFailed, "a transaction event handler refused the commit: \(error)")
            }
            pending.afterRollback()
            throw failure
        }
        return pending
    }
}

/// Handlers that know of a transaction and have to learn how it ended.
struct PendingEvents: Sendable {
    let data: TransactionData
    var calls: [(handler: any TransactionEventHandler, state: (any Sendable)?)] = []

    init(data: TransactionData) { self.data = data }

    func afterCommit(_ transactionID: TransactionID) {
        for call in calls { call.handler.afterCommit(data, transactionID: transactionID, state: call.state) }
    }

    func afterRollback() { for call in calls { call.handler.afterRollback(data, state: call.state) } }

    /// After a commit that failed.
    func ended(_ error: GraphError) { if error.code != .outcomeUnknown { afterRollback() } }
}

extension Database {
    /// Lets a handler learn of every write from now on.
    @discardableResult
    public func register(_ handler: any TransactionEventHandler) -> TransactionEventRegistration {
        events.register(handler)
    }

    /// Takes a handler off; false when it is not registered. Transactions that are about to be committed may still
    /// call it.
    @discardableResult
    public func unregister(_ registration: TransactionEventRegistration) -> Bool { events.unregister(registration) }
}
