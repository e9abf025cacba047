internal import FileSystem
internal import GraphModel

/// How a column's values are stored.
enum ColumnKind: UInt8, Sendable {
    case boolean = 1
    /// With the sign bit flipped, so that their order is that of unsigned integers.
    case integer
    case float
    case string
    /// ``ValueCodec`` bytes: byte arrays, lists and all else.
    case encoded
    /// Few different strings, each once; per slot the number of its string.
    case repeatedString

    init(_ value: Value) {
        switch value {
        case .boolean: self = .boolean
        case .integer: self = .integer
        case .float: self = .float
        case .string: self = .string
        default: self = .encoded
        }
    }
}

/// The properties of one segment, a column per key and kind. A column is dense (a bit per slot, a value per slot) or
/// sparse (ascending slots, their values), whichever is smaller.
struct ColumnSet {
    struct Column {
        // Safety: the pointers lead into a mapped segment that the owner of this value keeps.
        let key: TokenID
        let kind: ColumnKind
        let isDense: Bool
        let slotCount: Int
        /// Dense: a bit per slot.
        let presence: UnsafePointer<UInt8>
        /// Sparse: the slots.
        let slots: BlockIntegers
        /// Values; for strings and encoded values where each begins in `blob`, and the end; for repeated strings numbers.
        let values: BlockIntegers
        /// Repeated strings: where each begins in `blob`, and the end.
        let repeated: BlockIntegers
        let blob: UnsafeRawBufferPointer

        /// Index into `values` for a slot; nil when the slot has no value here.
        @inline(__always)
        func index(of slot: Int) -> Int? {
            if isDense { return presence[slot >> 3] & (1 << UInt8(slot & 7)) != 0 ? slot : nil }
            return slots.firstIndex(of: UInt64(slot), in: 0..<slots.count)
        }

        @inline(__always)
        func integer(at index: Int) -> Int64 { Int64(bitPattern: values[index] ^ (1 << 63)) }

        /// Whether every slot of a range has a value here.
        func hasAll(_ range: Range<Int>) -> Bool {
            guard isDense else { return range.allSatisfy { index(of: $0) != nil } }
            var slot = range.lowerBound
            while slot < range.upperBound {
                if slot & 7 == 0, slot + 8 <= range.upperBound {
                    if presence[slot >> 3] != 0xFF { return false }
                    slot += 8
                } else {
                    if presence[slot >> 3] & (1 << UInt8(slot & 7)) == 0 { return false }
                    slot += 1
                }
            }
            return true
        }

        func value(at index: Int) -> Value {
            switch kind {
            case .boolean: return .boolean(values[index] != 0)
            case .integer: return .integer(Int64(bitPattern: values[index] ^ (1 << 63)))
            case .float: return .float(Double(bitPattern: values[index]))
            case .string: return .string(String(decoding: slice(values, index), as: UTF8.self))
            case .repeatedString:
                return .string(String(decoding: slice(repeated, Int(truncatingIfNeeded: values[index])), as: UTF8.self))
            case .encoded:
                var reader = ByteReader(Array(slice(values, index)))
                // The section's checksum was verified, so a failure here is a fault of the writer.
                return (try? ValueCodec.decode(&reader)) ?? .list([])
            }
        }

        @inline(__always)
        private func slice(_ starts: BlockIntegers, _ index: Int) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(
                rebasing: blob[Int(truncatingIfNeeded: starts[index])..<Int(truncatingIfNeeded: starts[index + 1])])
        }

        var isValid: Bool {
            guard slots.isValid, values.isValid, repeated.isValid else { return false }
            func climbs(_ values: BlockIntegers, to end: Int) -> Bool {
                var last: UInt64 = 0
                for index in 0..<values.count {
                    let value = values[index]
                    if value < last { return false }
                    last = value
                }
                return last <= UInt64(end)
            }
            if !isDense, !climbs(slots, to: max(slotCount - 1, 0)) { return false }
            switch kind {
            case .boolean, .integer, .float: return true
            case .string, .encoded: return climbs(values, to: blob.count)
            case .repeatedString:
                return climbs(repeated, to: blob.count)
                    && (0..<values.count).allSatisfy { values[$0] < UInt64(repeated.count - 1) }
            }
        }
    }

    static let directoryTag: UInt32 = 90
    static let firstColumnTag: UInt32 = 100
    static let sectionsPerColumn: UInt32 = 4

    let columns: [Column]

    /// Reads the directory; looks at nothing else.
    init(_ file: SegmentFile) throws(GraphError) {
        let directory = try file.verifiedBytes(Self.directoryTag)
        do {
            var reader = ByteReader(directory)
            let count = try reader.readCount(minimumByteCountOfElement: 14)
            var columns: [Column] = []
            for index in 0..<count {
                let key: TokenID = try reader.read()
                let kindNumber: UInt8 = try reader.read()
                guard let kind = ColumnKind(rawValue: kindNumber) else {
                    throw MalformedBytes(offset: 0, detail: "\(kindNumber) is no kind of column")
                }
                let isDense = try reader.readBool()
                let entryCount = Int(try reader.read(UInt32.self))
                let repeatedCount = Int(try reader.read(UInt32.self))
                let tag = Self.firstColumnTag + UInt32(index) * Self.sectionsPerColumn
                guard !isDense || entryCount == file.slotCount else {
                    throw MalformedBytes(offset: 0, detail: "column \(index) has \(entryCount) values")
                }
                let presence = try file.pointer(tag, width: 1, count: isDense ? (file.slotCount + 7) / 8 : file.section(tag).byteCount)
                let hasEnds = kind == .string || kind == .encoded
                columns.append(
                    Column(
                        key: key, kind: kind, isDense: isDense, slotCount: file.slotCount,
                        presence: presence.assumingMemoryBound(to: UInt8.self),
                        slots: isDense ? BlockIntegers() : try file.blocks(tag, count: entryCount),
                        values: try file.blocks(tag + 1, count: hasEnds ? entryCount + 1 : entryCount),
                        repeated: kind == .repeatedString
                            ? try file.blocks(tag + 2, count: repeatedCount + 1) : BlockIntegers(),
                        blob: file.bytes(of: try file.section(tag + 3))))
            }
            self.columns = columns
        } catch let error as GraphError {
            throw error
        } catch {
            throw GraphError(.corrupt, "\(file.path): column directory: \(error)")
        }
    }

    /// Whether no value lies outside its section.
    var isValid: Bool { columns.allSatisfy(\.isValid) }

    @inline(__always)
    func value(_ key: TokenID, slot: Int) -> Value? {
        for number in 0..<columns.count where columns[number].key == key {
            if let index = columns[number].index(of: slot) { return columns[number].value(at: index) }
        }
        return nil
    }

    /// All properties of a slot, ascending by key.
    func properties(slot: Int) -> [Property] {
        var result: [Property] = []
        for column in columns {
            if let index = column.index(of: slot) {
                result.append(Property(key: column.key, value: column.value(at: index)))
            }
        }
        return result
    }
}
