internal import GraphModel
internal import Synchronization

/// The first damage that a reader came upon in the files of a store.
///
/// Segments are verified when they are first read, where nothing can be thrown. A damaged one then reads as empty, and
/// the store says so here: whoever hands out what was read asks first, and never gives a wrong answer.
final class StoreDamage: Sendable {
    private let isDamaged = Atomic<Bool>(false)
    private let first = Mutex<GraphError?>(nil)

    init() {}

    func note(_ error: GraphError) {
        first.withLock { if $0 == nil { $0 = error } }
        isDamaged.store(true, ordering: .releasing)
    }

    var error: GraphError? { isDamaged.load(ordering: .acquiring) ? first.withLock { $0 } : nil }

    func requireNone() throws(GraphError) {
        if let error { throw error }
    }
}
