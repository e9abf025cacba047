internal import Coordination
public import FileSystem
public import GraphModel

/// What a member must not forget, kept beside its store: `UInt8` magic `MMBR`, `UInt16` version, fields in the order
/// below, `UInt32` CRC-32C.
public struct MemberHardState: Sendable, Equatable {
    /// Every older epoch is refused.
    public var promised = Epoch.zero
    /// The newest epoch in which this member was master; it never takes up an old mastership again.
    public var mastered = Epoch.zero
    /// Whether the log holds everything this member ever acknowledged: then it may answer elections.
    public var isComplete = false
    /// The highest position acknowledged, as far as it is not in ``AcknowledgedPosition``: a log that ends earlier has lost
    /// something.
    public var acknowledged = LogPosition.zero

    /// Whether this state was written by a member that had everything, and so knows what it acknowledged: a log that is not
    /// complete is so again once it reaches that far.
    public var knowsAcknowledged = false

    /// The store of the cluster that this member is about to found; `.none` otherwise. Who does not find it here must not
    /// make an empty store for a cluster that has begun.
    public var founding = StoreID.none

    /// Commits were optimistic when this log was written: its end may hold what clients were told, applied or not.
    public var isOptimistic = false

    /// What had been acknowledged when an operator accepted the loss of it; zero once that has been told.
    public var forgone = LogPosition.zero

    /// The log holds all that this member acknowledged.
    mutating func becomeComplete() {
        isComplete = true
        knowsAcknowledged = true
    }

    static let magic: [UInt8] = Array("MMBR".utf8)
    static let formatVersion: UInt16 = 3

    public init() {}

    public func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(raw: Self.magic)
        writer.write(Self.formatVersion)
        writer.write(promised.rawValue)
        writer.write(mastered.rawValue)
        writer.write(isComplete)
        writer.write(acknowledged.epoch.rawValue)
        writer.write(acknowledged.transactionID.rawValue)
        writer.write(acknowledged.checksum)
        writer.write(founding.rawValue)
        writer.write(isOptimistic)
        forgone.encode(into: &writer)
        writer.write(knowsAcknowledged)
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        // By version, from 1 on.
        let byteCounts = [59, 60, 85]
        guard byteCounts.contains(bytes.count), Array(bytes[..<4]) == Self.magic else {
            throw MalformedBytes(offset: 0, detail: "not a member's state")
        }
        var reader = ByteReader(bytes[4...])
        let version: UInt16 = try reader.read()
        guard version >= 1, version <= Self.formatVersion, byteCounts[Int(version) - 1] == bytes.count else {
            throw MalformedBytes(offset: 4, detail: "expected format 1 to \(Self.formatVersion), found \(version)")
        }
        promised = Epoch(try reader.read())
        mastered = Epoch(try reader.read())
        isComplete = try reader.readBool()
        acknowledged = LogPosition(
            epoch: Epoch(try reader.read()), transactionID: TransactionID(try reader.read()),
            checksum: try reader.read())
        founding = StoreID(try reader.read())
        if version >= 2 { isOptimistic = try reader.readBool() }
        if version >= 3 { forgone = try LogPosition(&reader) }
        knowsAcknowledged = version >= 3 ? try reader.readBool() : isComplete
        guard try reader.read(UInt32.self) == CRC32C.checksum(Array(bytes[..<(bytes.count - 4)])) else {
            throw MalformedBytes(offset: bytes.count - 4, detail: "the checksum does not match")
        }
    }
}
