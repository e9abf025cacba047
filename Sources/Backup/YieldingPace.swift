internal import FileSystem
internal import Synchronization

/// The pace of backups: that of the service, and a quarter of it for all of them together while the machine's processors are
/// busy. Without a limit for the service there is none here either.
package final class YieldingPace: Sendable {
    /// Idle parts of the processors' time below which they are busy, and above which they are so no longer. Writers who wait
    /// for each other leave some of it idle and are slowed by a copy nevertheless. Far enough apart that what a copy needs
    /// itself does not make it go back and forth.
    private static let busyBelow = 0.25, idleAbove = 0.45
    private static let part: UInt64 = 4

    private let load = Mutex(ProcessorLoad())
    private let isBusy = Atomic(false)
    private let full: CopyPace
    private let slow: CopyPace

    /// - Parameter full: the service's, which other copies keep to as well; of so many bytes per second, 0 is no limit.
    init(_ full: CopyPace, byteCountPerSecond: UInt64) {
        self.full = full
        slow = CopyPace(byteCountPerSecond: byteCountPerSecond == 0 ? 0 : max(1, byteCountPerSecond / Self.part))
    }

    /// Reads a file: not for event loops.
    func look() {
        load.withLock { load in
            load.look(now: monotonicNanoseconds())
            let before = isBusy.load(ordering: .relaxed)
            isBusy.store(Self.isBusy(idleShare: load.idleShare, before: before), ordering: .relaxed)
        }
    }

    /// Who does not know goes at full pace.
    package static func isBusy(idleShare: Double?, before: Bool) -> Bool {
        guard let idleShare else { return false }
        return idleShare < (before ? idleAbove : busyBelow)
    }

    /// As of ``CopyPace``.
    func pause(afterSending byteCount: Int, now: UInt64) -> UInt64 {
        let pause = full.pause(afterSending: byteCount, now: now)
        return isBusy.load(ordering: .relaxed) ? max(pause, slow.pause(afterSending: byteCount, now: now)) : pause
    }
}
