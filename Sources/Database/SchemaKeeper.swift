internal import FileSystem
internal import GraphModel
internal import Storage
internal import Synchronization

/// Populates new indexes and takes constraints through their states, on a thread of its own: work that no request waits
/// for.
final class SchemaKeeper: Sendable {
    private struct Control {
        var isStopped = false
        /// Of the step that was handed to the pipeline; nil while it is under way.
        var outcome: Result<TransactionID, GraphError>?
    }
    private let control = Monitor(Control())
    private let thread = Mutex<DedicatedThread?>(nil)
    /// Between two looks, in nanoseconds; a look at a store without work reads its schema and nothing else.
    private static let interval: UInt64 = 50_000_000
    private static let intervalAfterFailure: UInt64 = 5_000_000_000

    /// - Parameters:
    ///   - currentStore: the store to look after, nil while there is none.
    ///   - mayCommit: whether this member orders commits: only the master takes constraints on.
    ///   - commit: orders a write set, as ``CommitPipeline/commit(_:done:)`` does.
    func start(
        _ currentStore: @escaping @Sendable () -> Store?, mayCommit: @escaping @Sendable () -> Bool,
        commit:
            @escaping @Sendable (
                _ writeSet: [UInt8], _ done: @escaping @Sendable (Result<TransactionID, GraphError>) -> Void
            ) -> Void
    ) {
        let control = control
        let started = DedicatedThread(name: "martlet-schema") {
            lowerThreadPriority()
            var pause = Self.interval
            while true {
                let stopped = control.wait(untilNanoseconds: monotonicNanoseconds() + pause) { $0.isStopped ? true : nil }
                if stopped ?? false { return }
                pause = Self.interval
                guard let store = currentStore(), store.failure == nil else { continue }
                do throws(GraphError) {
                    if store.isPopulationDue {
                        try store.populateIndexes(isCancelled: { control.withLock { $0.isStopped } })
                    }
                    if store.isSchemaStepDue, mayCommit(), let step = store.nextSchemaStep() {
                        try Self.carryOut(step, control, commit)
                        // The next step can follow at once.
                        pause = 0
                    }
                } catch {
                    // A conflict is another change of the schema: look again. Anything else needs time to pass.
                    if error.code != .conflict { pause = Self.intervalAfterFailure }
                }
            }
        }
        thread.withLock { $0 = started }
    }

    private static func carryOut(
        _ step: [UInt8], _ control: Monitor<Control>,
        _ commit: ([UInt8], @escaping @Sendable (Result<TransactionID, GraphError>) -> Void) -> Void
    ) throws(GraphError) {
        control.withLock { $0.outcome = nil }
        commit(step) { outcome in
            control.withLock { $0.outcome = outcome }
            control.signal()
        }
        let outcome = control.wait { control -> Result<TransactionID, GraphError>?? in
            control.outcome.map { .some($0) } ?? (control.isStopped ? .some(nil) : nil)
        }
        if case .failure(let error)?? = outcome { throw error }
    }

    func stop() {
        control.withLock { $0.isStopped = true }
        control.signal()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }
}
