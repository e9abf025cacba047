internal import Synchronization

/// Bytes that this process has taken in with store copies, those of tries that failed included.
final class FetchMeter: Sendable {
    private let copied = Atomic<UInt64>(0)

    var storeCopyByteCount: UInt64 { copied.load(ordering: .relaxed) }

    func note(storeCopyByteCount: UInt64) { copied.store(storeCopyByteCount, ordering: .relaxed) }
}
