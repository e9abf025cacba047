internal import FileSystem
internal import GraphModel
internal import Storage
internal import Synchronization

/// Works out what graphs come to, one at a time, on a thread that lets everything else go first.
final class GraphSummer: Sendable {
    private struct State {
        /// Waits for the one before; a newer one takes its place.
        var next: MarkedGraph?
        var hasStarted = false
    }
    private let state = Monitor(State())
    private let isStopped = Atomic<Bool>(false)
    private let thread = Mutex<DedicatedThread?>(nil)

    /// Hands over a graph; `done` is called with its checksum, unless it is stopped, the store is damaged, or a newer graph
    /// comes before this one has its turn.
    func sum(_ graph: MarkedGraph, done: @escaping @Sendable (LogPosition, GraphChecksum) -> Void) {
        let isFirst = state.withLock { state in
            defer { state.hasStarted = true }
            state.next = graph
            return !state.hasStarted
        }
        state.signal()
        guard isFirst else { return }
        let started = DedicatedThread(name: "martlet-sums", niceness: 19) { [self] in
            while let graph = state.wait({ state -> MarkedGraph?? in
                if isStopped.load(ordering: .relaxed) { return .some(nil) }
                guard let next = state.next else { return nil }
                state.next = nil
                return .some(next)
            }) ?? nil {
                // Damage has been noted in the store, which answers for it.
                guard let checksum = (try? graph.checksum { isStopped.load(ordering: .relaxed) }) ?? nil else { continue }
                done(graph.position, checksum)
            }
        }
        thread.withLock { $0 = started }
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        state.signal()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }
}
