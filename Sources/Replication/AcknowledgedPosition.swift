internal import FileSystem
internal import GraphModel

/// The highest position that a member acknowledged, written before the acknowledgement leaves and without waiting for the
/// disk. Outlives the process, so that a log that lost its end afterwards does not vote as if it were whole; what outlives
/// the machine is what was synced, by another thread, about a second ago: a member that waits for a slow disk here would
/// miss its heartbeats.
///
/// Two slots of 32 bytes, written in turns: position (24 bytes), CRC-32C, 4 bytes of zero.
struct AcknowledgedPosition {
    private static let slotByteCount = 32
    let file: any File
    private var slots: [LogPosition]
    private var next = 0

    init(_ path: String, _ fileSystem: any FileSystem) throws(FileError) {
        file = try fileSystem.open(path, .readWrite)
        slots = [.zero, .zero]
        for index in 0..<2 {
            var bytes = [UInt8](repeating: 0, count: Self.slotByteCount)
            guard try file.read(at: UInt64(index * Self.slotByteCount), into: &bytes) == Self.slotByteCount else { continue }
            var reader = ByteReader(bytes)
            // A slot that was being written says nothing; the other one does.
            guard let position = try? LogPosition(&reader), let checksum = try? reader.read(UInt32.self),
                checksum == CRC32C.checksum(Array(bytes[..<24]))
            else { continue }
            slots[index] = position
        }
        next = slots[0] > slots[1] ? 1 : 0
    }

    /// What a file holds, without making one.
    static func latest(_ path: String, _ fileSystem: any FileSystem) throws(FileError) -> LogPosition {
        try fileSystem.exists(path) ? AcknowledgedPosition(path, fileSystem).latest : .zero
    }

    var latest: LogPosition { max(slots[0], slots[1]) }

    mutating func note(_ position: LogPosition) throws(FileError) {
        if position > latest { try write(position) }
    }

    /// Forgets what was noted beyond a position: it is not missed any more.
    mutating func reset(to position: LogPosition) throws(FileError) {
        guard latest > position else { return }
        try write(position)
        try write(position)
    }

    private mutating func write(_ position: LogPosition) throws(FileError) {
        var writer = ByteWriter()
        position.encode(into: &writer)
        writer.write(CRC32C.checksum(writer.bytes))
        writer.write(UInt32(0))
        slots[next] = position
        try file.write(writer.bytes, at: UInt64(next * Self.slotByteCount))
        next = 1 - next
    }
}
