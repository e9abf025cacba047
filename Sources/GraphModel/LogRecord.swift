/// One entry of the transaction log, encoded exactly as it stands in the log file.
///
/// Replication treats `bytes` as opaque: a slave appends the very bytes its master wrote, so both logs are equal.
public struct LogRecord: Sendable, Equatable, CustomStringConvertible {
    /// Epoch and id of this entry, and the chained checksum up to and including it.
    public let position: LogPosition
    /// The chained checksum before this entry; an entry is only appended where it fits.
    public let previousChecksum: UInt64
    public let bytes: [UInt8]

    public init(position: LogPosition, previousChecksum: UInt64, bytes: [UInt8]) {
        self.position = position
        self.previousChecksum = previousChecksum
        self.bytes = bytes
    }

    public var description: String { "record \(position), \(bytes.count) bytes" }
}
