package import FileSystem
internal import GraphModel

/// One file of the transaction log. The header, little-endian, `byteCount` bytes:
/// magic `MLOG`, `UInt16` format version, `UInt16` 0, `UInt64` store id, then the position before the first entry
/// (`UInt64` epoch, transaction id, checksum), `UInt32` CRC-32C of all that, zeros.
struct LogFile {
    static let magic: [UInt8] = Array("MLOG".utf8)
    static let formatVersion: UInt16 = 1
    static let headerByteCount = 64

    let path: String
    let file: any File
    let storeID: StoreID
    /// The position before the first entry.
    let before: LogPosition
    /// Where each entry starts; nil until an old file's entries are asked for.
    var offsets: [UInt64]?
    /// Where the next entry goes.
    var endOffset: UInt64
    var allocatedByteCount: UInt64

    var firstTransactionID: TransactionID { before.transactionID.next }

    static func name(firstTransaction: TransactionID) -> String {
        let digits = String(firstTransaction.rawValue)
        return "log." + String(repeating: "0", count: 20 - digits.count) + digits + ".mlog"
    }

    static func isLogName(_ name: String) -> Bool { name.hasPrefix("log.") && name.hasSuffix(".mlog") }

    /// Creates a file whose header is durable, name included, before any entry can be written to it.
    static func create(
        in directory: String, _ fileSystem: any FileSystem, storeID: StoreID, before: LogPosition
    ) throws(FileError) -> LogFile {
        let path = directory + "/" + name(firstTransaction: before.transactionID.next)
        let file = try fileSystem.open(path, .createEmpty)
        var writer = ByteWriter()
        writer.write(raw: magic)
        writer.write(formatVersion)
        writer.write(UInt16(0))
        writer.write(storeID.rawValue)
        writer.write(before.epoch.rawValue)
        writer.write(before.transactionID.rawValue)
        writer.write(before.checksum)
        writer.write(CRC32C.checksum(writer.bytes))
        writer.write(raw: [UInt8](repeating: 0, count: headerByteCount - writer.byteCount))
        try file.write(writer.bytes, at: 0)
        try file.sync()
        try fileSystem.syncDirectory(directory)
        return LogFile(
            path: path, file: file, storeID: storeID, before: before, offsets: [], endOffset: UInt64(headerByteCount),
            allocatedByteCount: UInt64(headerByteCount))
    }

    /// What opening an existing file found.
    enum Opened {
        case file(LogFile)
        /// A crash came between creating the file and syncing its header: it never held an entry.
        case neverWritten
    }

    static func open(
        _ path: String, _ fileSystem: any FileSystem, mode: OpenMode = .readWrite
    ) throws(GraphError) -> Opened {
        do {
            let file = try fileSystem.open(path, mode)
            let size = try file.byteCount()
            var bytes = [UInt8](repeating: 0, count: headerByteCount)
            let count = try file.read(at: 0, into: &bytes)
            if count < headerByteCount || bytes.allSatisfy({ $0 == 0 }) {
                guard size <= UInt64(headerByteCount) else {
                    throw GraphError(.corrupt, "\(path): the header is empty, but entries follow it")
                }
                return .neverWritten
            }
            var reader = ByteReader(bytes)
            guard Array(try reader.readRaw(4)) == magic else {
                throw GraphError(.foreignStore, "\(path): not a Martlet transaction log")
            }
            let version: UInt16 = try reader.read()
            _ = try reader.read(UInt16.self)
            let storeID = StoreID(try reader.read())
            let before = LogPosition(
                epoch: Epoch(try reader.read()), transactionID: TransactionID(try reader.read()),
                checksum: try reader.read())
            let crc: UInt32 = try reader.read()
            guard crc == CRC32C.checksum(Array(bytes[..<(4 + 4 + 8 + 24)])) else {
                if size <= UInt64(headerByteCount) { return .neverWritten }
                throw GraphError(.corrupt, "\(path): checksum of the header at offset 40 does not match")
            }
            guard version == formatVersion else {
                throw GraphError(.formatVersion, "\(path): expected log format \(formatVersion), found \(version)")
            }
            return .file(
                LogFile(
                    path: path, file: file, storeID: storeID, before: before, offsets: nil,
                    endOffset: UInt64(headerByteCount), allocatedByteCount: size))
        } catch let error as GraphError {
            throw error
        } catch let error as FileError {
            throw GraphError(error)
        } catch {
            throw GraphError(.corrupt, "\(path): \(error)")
        }
    }

    /// Why a scan stopped before the end of the file's data.
    struct Damage {
        let offset: UInt64
        let expected: TransactionID
        let detail: String
        /// Highest commit point in entries that are whole but lie after the damage.
        let laterCommitPoint: TransactionID?
        /// Whether a single flipped bit explains it: no crash in the middle of a write does that.
        let isFlippedBit: Bool
    }

    /// Reads and verifies every entry, hands each to `visit`, and sets `offsets` and `endOffset`.
    mutating func scan(
        visit: (LogEntryHeader, ArraySlice<UInt8>) throws(GraphError) -> Void
    ) throws(GraphError) -> (last: LogPosition, damage: Damage?) {
        let bytes: [UInt8]
        do throws(FileError) {
            var content = [UInt8](repeating: 0, count: Int(try file.byteCount()))
            let count = try file.read(at: 0, into: &content)
            content.removeLast(content.count - count)
            bytes = content
        } catch {
            throw GraphError(error)
        }
        var found: [UInt64] = []
        var last = before
        var offset = Self.headerByteCount
        var damage: Damage?
        while offset < bytes.count {
            let rest = bytes[offset...]
            if rest.prefix(4).allSatisfy({ $0 == 0 }) && rest.prefix(LogEntryHeader.byteCount).allSatisfy({ $0 == 0 }) {
                if let later = Self.laterCommitPoint(in: bytes, from: offset, after: last) {
                    damage = Damage(
                        offset: UInt64(offset), expected: last.transactionID.next, detail: "zeros in place of an entry",
                        laterCommitPoint: later, isFlippedBit: false)
                }
                break
            }
            do {
                let header = try LogEntryHeader.decode(rest)
                guard header.previousChecksum == last.checksum, header.position.transactionID == last.transactionID.next,
                    header.position.epoch >= last.epoch
                else {
                    throw MalformedBytes(
                        offset: 0, detail: "\(header.position) does not follow \(last)")
                }
                try visit(header, rest.prefix(header.byteCount))
                found.append(UInt64(offset))
                last = header.position
                offset += header.byteCount
            } catch let error as GraphError {
                throw error
            } catch {
                damage = Damage(
                    offset: UInt64(offset), expected: last.transactionID.next, detail: "\(error)",
                    laterCommitPoint: Self.laterCommitPoint(in: bytes, from: offset + 1, after: last),
                    isFlippedBit: LogEntryHeader.isOneBitOff(rest))
                break
            }
        }
        offsets = found
        endOffset = UInt64(offset)
        return (last, damage)
    }

    /// Looks for whole entries after a damaged place; their commit point tells whether the damaged one was committed.
    private static func laterCommitPoint(in bytes: [UInt8], from start: Int, after last: LogPosition) -> TransactionID? {
        var highest: TransactionID?
        bytes.withUnsafeBytes { raw in
            var offset = start
            while offset + LogEntryHeader.byteCount <= raw.count {
                // A preallocated file is mostly zeros: the transaction id of an entry is not.
                let id = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
                if id == 0 {
                    offset += 1
                    while offset + LogEntryHeader.byteCount <= raw.count,
                        raw.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self) == 0
                    {
                        // Whatever begins within these eight bytes shows at their end.
                        offset += offset + 8 + LogEntryHeader.byteCount <= raw.count
                            && raw.loadUnaligned(fromByteOffset: offset + 32, as: UInt64.self) == 0 ? 8 : 1
                    }
                    continue
                }
                if id > last.transactionID.rawValue, id < last.transactionID.rawValue + 100_000_000,
                    let header = try? LogEntryHeader.decode(bytes[offset...])
                {
                    highest = max(highest ?? .zero, header.commitPoint)
                    offset += header.byteCount
                } else {
                    offset += 1
                }
            }
        }
        return highest
    }
}

extension GraphError {
    /// A file error as users see it.
    package init(_ error: FileError) {
        switch error.kind {
        case .locked: self.init(.storeLocked, error.description)
        case .notFound, .exists, .noSpace, .io, .permission, .crashed, .other: self.init(.storageIO, error.description)
        }
    }
}
