internal import FileSystem
internal import Synchronization

/// Keeps all copies of a service together, or one of a client, below a number of bytes per second, so that clients keep their share of disk,
/// processors and network.
final class CopyPace: Sendable {
    private static let nanosecondsPerSecond: UInt64 = 1_000_000_000

    /// However slow the pace and large a frame: the other end must not take the silence for a broken connection.
    static let pauseMaximum: UInt64 = 10_000_000_000

    /// Who was held up by something else may catch up so much.
    private static let credit: UInt64 = 100_000_000

    private let byteCountPerSecond: UInt64
    /// When everything that was sent so far is paid for, on the monotonic clock.
    private let paidAt = Mutex<UInt64>(0)

    /// - Parameter byteCountPerSecond: 0 is no limit; else 1024 at least, whatever is said.
    init(byteCountPerSecond: UInt64) {
        self.byteCountPerSecond = byteCountPerSecond == 0 ? 0 : max(1024, byteCountPerSecond)
    }

    /// Takes note of bytes that are sent now; returns how many nanoseconds their copy pauses before it reads on. Of
    /// several copies each pays in turn, so that they share what there is.
    func pause(afterSending byteCount: Int, now: UInt64) -> UInt64 {
        guard byteCountPerSecond > 0 else { return 0 }
        // A frame is shorter than 4 GiB: this fits.
        let cost = UInt64(byteCount) * Self.nanosecondsPerSecond / byteCountPerSecond
        return paidAt.withLock { paidAt in
            paidAt = max(paidAt, now - min(now, Self.credit)) + cost
            return paidAt > now ? paidAt - now : 0
        }
    }
}

extension CopyPace {
    /// Has a client take its time after it has taken some bytes.
    func hold(_ connection: BackupConnection, after byteCount: UInt64) {
        let pause = pause(afterSending: Int(clamping: byteCount), now: monotonicNanoseconds())
        connection.pause(nanoseconds: min(pause, Self.pauseMaximum))
    }
}
