internal import FileSystem
internal import GraphModel
internal import Synchronization

#if _endian(big)
#error("segments are mapped as they are: they need a little-endian machine")
#endif

/// The container of one segment: a header, a table of sections, the sections, each checksummed. Never changed once
/// written. Little-endian; sections start at multiples of 8.
///
/// Opening reads the header, the table and the small sections that describe the others; the bulk is verified when the
/// first reader comes (``verify(_:)``), so that opening a large store costs neither time nor memory.
///
/// | offset | field |
/// | --- | --- |
/// | 0 | magic `MSEG`, `UInt16` format version, `UInt8` kind, `UInt8` 0 |
/// | 8 | `UInt64` first id, `UInt32` slots, `UInt32` sections |
/// | 24 | `UInt64` length of the file, `UInt64` transaction id of the checkpoint |
/// | 40 | `UInt32` CRC-32C of the header (this field 0) and the section table, `UInt32` 0 |
/// | 48 | per section: `UInt32` tag, `UInt32` element width, `UInt64` offset, `UInt64` length, `UInt32` CRC-32C, `UInt32` 0 |
final class SegmentFile: Sendable {
    enum Kind: UInt8, Sendable {
        case nodes = 1
        case relationships = 2
        case index = 3
    }
    struct Section: Sendable {
        let tag: UInt32
        let width: Int
        let offset: Int
        let byteCount: Int
        let crc: UInt32
    }

    static let magic: [UInt8] = Array("MSEG".utf8)
    static let formatVersion: UInt16 = 2
    static let headerByteCount = 48
    static let sectionByteCount = 32

    let name: String
    let path: String
    let kind: Kind
    let firstID: UInt64
    let slotCount: Int
    let sections: [Section]
    private let mapped: MappedFile
    /// The first bytes, read instead of mapped: touching a mapping draws in far more than is asked for.
    private let head: [UInt8]
    private static let headByteCountMaximum = 4096
    private let fileSystem: any FileSystem
    private let obsoleteIn = Mutex<FileOwnership?>(nil)
    private let wasVerified = Atomic<Bool>(false)

    /// Maps a segment and verifies its header and its table of sections.
    init(directory: String, name: String, _ fileSystem: any FileSystem) throws(GraphError) {
        self.name = name
        self.fileSystem = fileSystem
        let path = directory + "/" + name
        self.path = path
        do {
            mapped = try fileSystem.map(path)
            var bytes = [UInt8](repeating: 0, count: min(mapped.bytes.count, Self.headByteCountMaximum))
            let file = try fileSystem.open(path, .readOnly)
            defer { file.close() }
            let count = try file.read(at: 0, into: &bytes)
            bytes.removeLast(bytes.count - count)
            let fileByteCount = mapped.bytes.count
            guard bytes.count >= Self.headerByteCount else { throw MalformedBytes(offset: 0, detail: "too short for a header") }
            var reader = ByteReader(Array(bytes[..<Self.headerByteCount]))
            guard Array(try reader.readRaw(4)) == Self.magic else {
                throw GraphError(.foreignStore, "\(path): not a Martlet segment")
            }
            let version: UInt16 = try reader.read()
            guard version == Self.formatVersion else {
                throw GraphError(.formatVersion, "\(path): expected segment format \(Self.formatVersion), found \(version)")
            }
            let kindNumber: UInt8 = try reader.read()
            guard let kind = Kind(rawValue: kindNumber) else {
                throw MalformedBytes(offset: 6, detail: "\(kindNumber) is no kind of segment")
            }
            _ = try reader.read(UInt8.self)
            self.kind = kind
            firstID = try reader.read()
            slotCount = Int(try reader.read(UInt32.self))
            let sectionCount = Int(try reader.read(UInt32.self))
            let byteCount: UInt64 = try reader.read()
            _ = try reader.read(UInt64.self)
            let crc: UInt32 = try reader.read()
            guard byteCount == UInt64(fileByteCount) else {
                throw MalformedBytes(offset: 24, detail: "the header says \(byteCount) bytes, the file has \(fileByteCount)")
            }
            let tableEnd = Self.headerByteCount + sectionCount * Self.sectionByteCount
            guard sectionCount < 1 << 20, tableEnd <= fileByteCount else {
                throw MalformedBytes(offset: 20, detail: "\(sectionCount) sections do not fit")
            }
            var head = tableEnd <= bytes.count ? Array(bytes[..<tableEnd]) : Array(mapped.bytes[..<tableEnd])
            self.head = bytes
            head.replaceSubrange(40..<44, with: [0, 0, 0, 0])
            guard CRC32C.checksum(head) == crc else {
                throw MalformedBytes(offset: 40, detail: "the header's checksum does not match")
            }
            var table = ByteReader(head[Self.headerByteCount...])
            var sections: [Section] = []
            for _ in 0..<sectionCount {
                let tag: UInt32 = try table.read()
                let width = Int(try table.read(UInt32.self))
                let offset: UInt64 = try table.read()
                let length: UInt64 = try table.read()
                let sectionCRC: UInt32 = try table.read()
                _ = try table.read(UInt32.self)
                guard offset % 8 == 0, offset <= byteCount, length <= byteCount - offset,
                    width == 0 || (width <= 8 && Int(length) % width == 0)
                else { throw MalformedBytes(offset: Int(clamping: offset), detail: "section \(tag) does not fit the file") }
                sections.append(
                    Section(tag: tag, width: width, offset: Int(offset), byteCount: Int(length), crc: sectionCRC))
            }
            self.sections = sections
        } catch let error as GraphError {
            throw error
        } catch let error as FileError {
            throw GraphError(error)
        } catch {
            throw GraphError(.corrupt, "\(path): \(error)")
        }
    }

    deinit {
        obsoleteIn.withLock { $0 }?.whileHeld { _ = try? fileSystem.remove(path) }
    }

    /// Tells segments of the same name apart: of the header and the table, which hold the checksums of all the rest.
    ///
    /// - Source: FNV-1a, 64 bits.
    var fingerprint: UInt64 {
        bytes[..<(Self.headerByteCount + sections.count * Self.sectionByteCount)].reduce(0xCBF2_9CE4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
    }

    /// Lets the file go with the last reader, or with the next opening of the store if that comes later.
    func markObsolete(in ownership: FileOwnership) { obsoleteIn.withLock { $0 = ownership } }

    var byteCount: Int { mapped.bytes.count }
    var bytes: UnsafeRawBufferPointer { mapped.bytes }

    /// Whether all of the segment was compared with its checksums since it was opened.
    @inline(__always)
    var isVerified: Bool { wasVerified.load(ordering: .acquiring) }

    /// Compares every section with its checksum, then asks whether what they hold is sound, so that no read can be led
    /// astray by damaged offsets. Any thread; again at every call.
    func verify(_ isSound: () -> Bool) throws(GraphError) {
        for section in sections { try verify(section, CRC32C.checksum(bytes(of: section))) }
        guard isSound() else {
            throw GraphError(.corrupt, "\(path): the checksums are right, but the content is not that of a segment")
        }
        wasVerified.store(true, ordering: .releasing)
    }

    /// Compares every section with its checksum, unless that was done since the segment was opened.
    func verifyBytes() throws(GraphError) {
        if isVerified { return }
        for section in sections { try verify(section, CRC32C.checksum(bytes(of: section))) }
    }

    /// Throws `.corrupt` when a section's bytes have another checksum than they should.
    func verify(_ section: Section, _ actual: UInt32) throws(GraphError) {
        guard actual == section.crc else {
            throw GraphError(
                .corrupt,
                "\(path): section \(section.tag) at offset \(section.offset) is damaged (CRC-32C \(String(actual, radix: 16)), expected \(String(section.crc, radix: 16)))")
        }
    }

    /// A small section that is needed before the rest is verified.
    func verifiedBytes(_ tag: UInt32) throws(GraphError) -> [UInt8] {
        let section = try section(tag)
        let end = section.offset + section.byteCount
        let bytes = end <= head.count ? Array(head[section.offset..<end]) : Array(bytes(of: section))
        try verify(section, CRC32C.checksum(bytes))
        return bytes
    }

    func bytes(of section: Section) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: mapped.bytes[section.offset..<section.offset + section.byteCount])
    }

    func section(_ tag: UInt32) throws(GraphError) -> Section {
        guard let section = sections.first(where: { $0.tag == tag }) else {
            throw GraphError(.corrupt, "\(path): section \(tag) is missing")
        }
        return section
    }

    /// Where a section of `count` elements of `width` bytes lies; some valid address for an empty one.
    func pointer(_ tag: UInt32, width: Int, count: Int) throws(GraphError) -> UnsafeRawPointer {
        let section = try section(tag)
        guard section.byteCount == count * width else {
            throw GraphError(
                .corrupt, "\(path): section \(tag) has \(section.byteCount) bytes, \(count) elements of \(width) are expected")
        }
        guard let base = bytes(of: section).baseAddress ?? UnsafeRawPointer(bitPattern: 8) else {
            throw GraphError(.corrupt, "\(path): section \(tag) has no address")
        }
        return base
    }

    /// A section as 32-bit words.
    func words(_ tag: UInt32, count: Int) throws(GraphError) -> UnsafePointer<UInt32> {
        try pointer(tag, width: 4, count: count).assumingMemoryBound(to: UInt32.self)
    }

    /// A section as block-coded integers.
    func blocks(_ tag: UInt32, count: Int) throws(GraphError) -> BlockIntegers {
        let section = try section(tag)
        guard let result = BlockIntegers(bytes(of: section), count: count) else {
            throw GraphError(.corrupt, "\(path): section \(tag) is too short for \(count) integers")
        }
        return result
    }
}

/// Whether the files of a store's directory are still this store's: once it is closed, the copy that took its place may lie
/// there, with files of the same names.
final class FileOwnership: Sendable {
    private let isHeld = Mutex(true)

    func whileHeld(_ body: () -> Void) {
        isHeld.withLock { if $0 { body() } }
    }

    func end() { isHeld.withLock { $0 = false } }
}

/// Puts sections together into the bytes of a segment.
struct SegmentAssembler {
    let kind: SegmentFile.Kind
    let firstID: UInt64
    let slotCount: Int
    let transactionID: TransactionID
    private var sections: [(tag: UInt32, width: Int, bytes: [UInt8])] = []

    init(kind: SegmentFile.Kind, firstID: UInt64, slotCount: Int, transactionID: TransactionID) {
        self.kind = kind
        self.firstID = firstID
        self.slotCount = slotCount
        self.transactionID = transactionID
    }

    mutating func add(_ tag: UInt32, width: Int = 1, _ bytes: [UInt8]) { sections.append((tag, width, bytes)) }

    mutating func add(_ tag: UInt32, blocks values: some RandomAccessCollection<UInt64>) {
        add(tag, BlockIntegers.encode(values))
    }

    mutating func add(_ tag: UInt32, words: [UInt32]) {
        add(tag, width: 4, words.withUnsafeBytes(Array.init))
    }

    func assemble() -> [UInt8] {
        let tableEnd = SegmentFile.headerByteCount + sections.count * SegmentFile.sectionByteCount
        var offset = (tableEnd + 7) & ~7
        var table = ByteWriter()
        for section in sections {
            table.write(section.tag)
            table.write(UInt32(section.width))
            table.write(UInt64(offset))
            table.write(UInt64(section.bytes.count))
            table.write(CRC32C.checksum(section.bytes))
            table.write(UInt32(0))
            offset = (offset + section.bytes.count + 7) & ~7
        }
        var writer = ByteWriter(reservingByteCount: offset)
        writer.write(raw: SegmentFile.magic)
        writer.write(SegmentFile.formatVersion)
        writer.write(kind.rawValue)
        writer.write(UInt8(0))
        writer.write(firstID)
        writer.write(UInt32(slotCount))
        writer.write(UInt32(sections.count))
        writer.write(UInt64(offset))
        writer.write(transactionID.rawValue)
        writer.write(UInt32(0))
        writer.write(UInt32(0))
        writer.write(raw: table.bytes)
        writer.patch(CRC32C.checksum(writer.bytes), at: 40)
        for section in sections {
            pad(&writer)
            writer.write(raw: section.bytes)
        }
        pad(&writer)
        return writer.bytes
    }

    private func pad(_ writer: inout ByteWriter) {
        while writer.byteCount % 8 != 0 { writer.write(UInt8(0)) }
    }
}
