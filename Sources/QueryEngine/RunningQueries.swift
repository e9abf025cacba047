internal import FileSystem
internal import Synchronization

/// The queries that run now, so that they can be listed and ended by name.
public final class RunningQueries: Sendable {
    public struct Entry: Sendable {
        /// What SHOW TRANSACTIONS calls it, like `query-12`.
        public let name: String
        public let text: String
        public let elapsedNanoseconds: UInt64
        public let isCancelled: Bool
    }

    private struct Running: Sendable {
        let text: String
        let start: UInt64
        let control: ExecutionControl
    }

    private struct State {
        var last: UInt64 = 0
        var queries: [UInt64: Running] = [:]
    }
    private let state = BriefMutex(State())

    public init() {}

    /// Runs a query's body under a name.
    public func tracking<R, Failure: Error>(
        _ text: String, _ control: ExecutionControl, _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        let query = Running(text: text, start: monotonicNanoseconds(), control: control)
        let number = state.withLock { state in
            state.last += 1
            state.queries[state.last] = query
            return state.last
        }
        defer { state.withLock { _ = $0.queries.removeValue(forKey: number) } }
        return try body()
    }

    /// The oldest first.
    public func list() -> [Entry] {
        let now = monotonicNanoseconds()
        return state.withLock { $0.queries }.sorted { $0.key < $1.key }.map { number, query in
            Entry(
                name: "query-\(number)", text: query.text, elapsedNanoseconds: now - min(now, query.start),
                isCancelled: query.control.isCancelled)
        }
    }

    /// Cancels a query; false when none of that name runs.
    public func terminate(_ name: String) -> Bool {
        guard let number = name.hasPrefix("query-") ? UInt64(name.dropFirst("query-".count)) : nil,
            let query = state.withLock({ $0.queries[number] })
        else { return false }
        query.control.cancel()
        return true
    }
}
