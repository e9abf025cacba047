/// How far a copy is.
public struct BackupProgress: Sendable, Equatable {
    /// Bytes of files and log so far.
    public var receivedByteCount: UInt64
    /// Bytes to come as far as known: the files, and what has come of the log.
    public var totalByteCount: UInt64
    /// Of the last seconds.
    public var bytesPerSecond: Double
    /// Until the files are through; nil while that cannot be said.
    public var remainingSeconds: Double?

    public init(
        receivedByteCount: UInt64, totalByteCount: UInt64, bytesPerSecond: Double, remainingSeconds: Double?
    ) {
        self.receivedByteCount = receivedByteCount
        self.totalByteCount = totalByteCount
        self.bytesPerSecond = bytesPerSecond
        self.remainingSeconds = remainingSeconds
    }

    /// 0 to 1.
    public var part: Double { totalByteCount == 0 ? 0 : Double(receivedByteCount) / Double(totalByteCount) }
}

/// The rate of a transfer over its last seconds.
struct RateMeter {
    private static let windowNanoseconds: UInt64 = 5_000_000_000
    private static let sampleNanoseconds: UInt64 = 250_000_000
    private var samples: [(time: UInt64, byteCount: UInt64)]

    init(now: UInt64) { samples = [(now, 0)] }

    mutating func progress(received: UInt64, files: UInt64, now: UInt64) -> BackupProgress {
        if let last = samples.last, now >= last.time + Self.sampleNanoseconds {
            samples.append((now, received))
            while samples.count > 2, now - samples[1].time > Self.windowNanoseconds { samples.removeFirst() }
        }
        let oldest = samples[0]
        let seconds = Double(now - oldest.time) / 1e9
        let rate = seconds > 0 && received > oldest.byteCount ? Double(received - oldest.byteCount) / seconds : 0
        let total = max(files, received)
        let remaining = received < files && rate > 0 ? Double(files - received) / rate : nil
        return BackupProgress(
            receivedByteCount: received, totalByteCount: total, bytesPerSecond: rate, remainingSeconds: remaining)
    }
}
