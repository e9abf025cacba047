package import FileSystem
package import GraphModel

/// The header of one log entry, and how an entry is built and verified. All integers little-endian.
///
/// | offset | field |
/// | --- | --- |
/// | 0 | `UInt32` length of the whole entry; 0 marks the end of a preallocated file |
/// | 4 | `UInt32` CRC-32C of bytes 8 up to the length |
/// | 8 | `UInt16` format version, `UInt8` kind, `UInt8` 0 |
/// | 12 | `UInt32` number of commands |
/// | 16 | `UInt64` epoch |
/// | 24 | `UInt64` transaction id |
/// | 32 | `Int64` wall-clock time of the master, ms since 1970 |
/// | 40 | `UInt64` chained checksum before this entry |
/// | 48 | `UInt64` chained checksum up to and including this entry |
/// | 56 | `UInt64` the commit point the writer knew when it made the entry |
/// | 64 | commands |
package struct LogEntryHeader: Sendable, Equatable {
    package enum Kind: UInt8, Sendable {
        case transaction = 0
        /// A new master's first entry: no commands; earlier entries count as committed once it is.
        case epochStart = 1
    }

    package static let byteCount = 64
    package static let formatVersion: UInt16 = 1
    /// Limit of one entry, so that a length field read from damaged bytes cannot ask for absurd memory.
    package static let maximumByteCount = 1 << 30

    package let byteCount: Int
    package let kind: Kind
    package let commandCount: Int
    package let wallClockMilliseconds: Int64
    package let position: LogPosition
    package let previousChecksum: UInt64
    package let commitPoint: TransactionID

    /// Chains a checksum: SplitMix64's finaliser over the previous value and the CRC of the new content.
    static func chain(_ previous: UInt64, _ crc: UInt32, _ transactionID: UInt64) -> UInt64 {
        var z = previous ^ (UInt64(crc) << 32 | UInt64(crc)) &+ transactionID &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Builds the bytes of an entry that follows `previous`.
    package static func encode(
        kind: Kind, epoch: Epoch, following previous: LogPosition, wallClockMilliseconds: Int64,
        commitPoint: TransactionID, commandCount: Int, commands: ArraySlice<UInt8>
    ) -> LogRecord {
        var writer = ByteWriter(reservingByteCount: byteCount + commands.count)
        let transactionID = previous.transactionID.next
        writer.write(UInt32(byteCount + commands.count))
        writer.write(UInt32(0))
        writer.write(formatVersion)
        writer.write(kind.rawValue)
        writer.write(UInt8(0))
        writer.write(UInt32(commandCount))
        writer.write(epoch.rawValue)
        writer.write(transactionID.rawValue)
        writer.write(wallClockMilliseconds)
        writer.write(previous.checksum)
        writer.write(UInt64(0))
        writer.write(commitPoint.rawValue)
        writer.write(raw: commands)
        let content = contentCRC(writer.bytes[...])
        let checksum = chain(previous.checksum, content, transactionID.rawValue)
        writer.patch(checksum, at: 48)
        let whole = writer.bytes.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[8...])) }
        writer.patch(whole, at: 4)
        return LogRecord(
            position: LogPosition(epoch: epoch, transactionID: transactionID, checksum: checksum),
            previousChecksum: previous.checksum, bytes: writer.bytes)
    }

    /// CRC of what the chain covers: everything but the length, the CRC and the checksum itself.
    private static func contentCRC(_ entry: ArraySlice<UInt8>) -> UInt32 {
        entry.withUnsafeBytes { bytes in
            let front = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[8..<48]))
            return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[56...]), continuing: front)
        }
    }

    /// Reads and verifies the entry at the start of `bytes`, which may be longer.
    package static func decode(_ bytes: ArraySlice<UInt8>) throws(MalformedBytes) -> LogEntryHeader {
        var reader = ByteReader(bytes)
        let length = Int(try reader.read(UInt32.self))
        guard length >= byteCount, length <= maximumByteCount else {
            throw MalformedBytes(offset: 0, detail: "an entry cannot be \(length) bytes long")
        }
        guard bytes.count >= length else {
            throw MalformedBytes(offset: 0, detail: "the entry says \(length) bytes, \(bytes.count) are there")
        }
        let entry = bytes[bytes.startIndex..<bytes.startIndex + length]
        let crc: UInt32 = try reader.read()
        let actual = entry.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[8...])) }
        guard crc == actual else {
            throw MalformedBytes(offset: 4, detail: "CRC-32C is \(hex(actual)), the entry says \(hex(crc))")
        }
        let version: UInt16 = try reader.read()
        guard version == formatVersion else {
            throw MalformedBytes(offset: 8, detail: "expected entry format \(formatVersion), found \(version)")
        }
        let kindNumber: UInt8 = try reader.read()
        guard let kind = Kind(rawValue: kindNumber) else {
            throw MalformedBytes(offset: 10, detail: "\(kindNumber) is no kind of entry")
        }
        _ = try reader.read(UInt8.self)
        let commandCount: UInt32 = try reader.read()
        let epoch = Epoch(try reader.read())
        let transactionID = TransactionID(try reader.read())
        let wallClock: Int64 = try reader.read()
        let previous: UInt64 = try reader.read()
        let checksum: UInt64 = try reader.read()
        let commitPoint = TransactionID(try reader.read())
        guard checksum == chain(previous, contentCRC(entry), transactionID.rawValue) else {
            throw MalformedBytes(offset: 48, detail: "the chained checksum of \(transactionID) does not fit its content")
        }
        return LogEntryHeader(
            byteCount: length, kind: kind, commandCount: Int(commandCount), wallClockMilliseconds: wallClock,
            position: LogPosition(epoch: epoch, transactionID: transactionID, checksum: checksum),
            previousChecksum: previous, commitPoint: commitPoint)
    }

    /// The time in the header of an entry that is not verified; nil where there is none.
    static func wallClockMilliseconds(ofEntry bytes: [UInt8]) -> Int64? {
        guard bytes.count >= byteCount else { return nil }
        return bytes.withUnsafeBytes {
            $0.loadUnaligned(as: UInt32.self) == 0
                ? nil : Int64(littleEndian: $0.loadUnaligned(fromByteOffset: 32, as: Int64.self))
        }
    }

    /// Whether the entry at the start of `bytes` would be whole if one bit were the other way round.
    ///
    /// A CRC is linear: a flipped bit changes it by a pattern that depends only on how many bits follow, and the pattern
    /// of one bit more is one step of the CRC's shift register.
    static func isOneBitOff(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count >= byteCount else { return false }
        let (length, crc) = bytes.withUnsafeBytes {
            (UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)),
             UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        }
        func actual(_ length: UInt32) -> UInt32? {
            guard length >= byteCount, length <= maximumByteCount, Int(length) <= bytes.count else { return nil }
            return bytes.prefix(Int(length)).withUnsafeBytes {
                CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[8...]))
            }
        }
        for bit in 0..<32 where actual(length ^ 1 << UInt32(bit)) == crc { return true }
        guard let actual = actual(length) else { return false }
        let difference = actual ^ crc
        if difference.nonzeroBitCount == 1 { return true }
        var pattern: UInt32 = 0x82F6_3B78
        for _ in 0..<(Int(length) - 8) * 8 {
            if pattern == difference { return true }
            pattern = pattern >> 1 ^ (pattern & 1 == 1 ? 0x82F6_3B78 : 0)
        }
        return false
    }

    private static func hex(_ value: UInt32) -> String { String(value, radix: 16) }
}

extension LogRecord {
    /// Verifies bytes that came from outside and wraps them.
    package init(verifying bytes: [UInt8]) throws(MalformedBytes) {
        let header = try LogEntryHeader.decode(bytes[...])
        guard header.byteCount == bytes.count else {
            throw MalformedBytes(offset: 0, detail: "\(bytes.count - header.byteCount) bytes after the entry")
        }
        self.init(position: header.position, previousChecksum: header.previousChecksum, bytes: bytes)
    }

    /// Decodes the commands.
    package func commands() throws(MalformedBytes) -> [Command] { try decoded().commands }

    /// Verifies the entry and decodes all of it.
    func decoded() throws(MalformedBytes) -> (header: LogEntryHeader, commands: [Command]) {
        let header = try LogEntryHeader.decode(bytes[...])
        var reader = ByteReader(bytes[LogEntryHeader.byteCount...])
        var commands: [Command] = []
        commands.reserveCapacity(min(header.commandCount, reader.remainingByteCount))
        for _ in 0..<header.commandCount { commands.append(try Command.decode(&reader)) }
        guard reader.isAtEnd else {
            throw MalformedBytes(offset: reader.offset, detail: "\(reader.remainingByteCount) bytes after the last command")
        }
        return (header, commands)
    }
}
