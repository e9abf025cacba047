internal import FileSystem
internal import GraphModel

/// How a column's values are stored.
enum ColumnKind: UInt8, Sendable {
    case boolean = 1
    /// Zigzag, packed in the narrowest width.
    case integer
    case float
    case string
    /// ``ValueCodec`` bytes: byte arrays and lists.
    case encoded

    init(_ value: Value) {
        switch value {
        case .boolean: self = .boolean
        case .integer: self = .integer
        case .float: self = .float
        case .string: self = .string
        case .bytes, .list: self = .encoded
        case .null, .map, .node, .relationship, .path: preconditionFailure("a \(value.kindName) in a column")
        }
    }
}

/// The properties of one segment, a column per key and kind. A column is dense (a bit per slot, a value per slot) or
/// sparse (ascending slots, their values), whichever is smaller.
struct ColumnSet {
    struct Column {
        let key: TokenID
        let kind: ColumnKind
        /// Dense: presence bits. Sparse: the slots.
        let presence: PackedIntegers
        let isDense: Bool
        /// Values, or for strings and encoded values the `count + 1` ends in `blob`.
        let values: PackedIntegers
        let blob: UnsafeRawBufferPointer

        /// Index into `values` for a slot; nil when the slot has no value here.
        @inline(__always)
        func index(of slot: Int) -> Int? {
            if isDense {
                return presence[slot >> 3] & (1 << UInt64(slot & 7)) != 0 ? slot : nil
            }
            var low = 0
            var high = presence.count
            while low < high {
                let middle = (low + high) / 2
                if presence[middle] < UInt64(slot) { low = middle + 1 } else { high = middle }
            }
            return low < presence.count && presence[low] == UInt64(slot) ? low : nil
        }

        func value(at index: Int) -> Value {
            switch kind {
            case .boolean: return .boolean(values[index] != 0)
            case .integer:
                let bits = values[index]
                return .integer(Int64(bitPattern: bits >> 1) ^ -Int64(bits & 1))
            case .float: return .float(Double(bitPattern: values[index]))
            case .string: return .string(String(decoding: blobSlice(index), as: UTF8.self))
            case .encoded:
                var reader = ByteReader(Array(blobSlice(index)))
                // The section's checksum was verified, so a failure here is a fault of the writer.
                return (try? ValueCodec.decode(&reader)) ?? .list([])
            }
        }

        private func blobSlice(_ index: Int) -> UnsafeRawBufferPointer {
            let start = Int(clamping: values[index])
            let end = Int(clamping: values[index + 1])
            precondition(start <= end && end <= blob.count, "a value of key \(key) lies outside its segment")
            return UnsafeRawBufferPointer(rebasing: blob[start..<end])
        }
    }

    static let directoryTag: UInt32 = 90
    static let firstColumnTag: UInt32 = 100

    let columns: [Column]

    init(_ file: SegmentFile) throws(GraphError) {
        let section = try file.section(Self.directoryTag)
        do {
            var reader = ByteReader(Array(file.bytes(of: section)))
            let count = try reader.readCount(minimumByteCountOfElement: 6)
            var columns: [Column] = []
            for index in 0..<count {
                let key: TokenID = try reader.read()
                let kindNumber: UInt8 = try reader.read()
                guard let kind = ColumnKind(rawValue: kindNumber) else {
                    throw MalformedBytes(offset: 0, detail: "\(kindNumber) is no kind of column")
                }
                let isDense = try reader.readBool()
                let tag = Self.firstColumnTag + UInt32(index) * 3
                let presence = try file.integers(tag, count: isDense ? (file.slotCount + 7) / 8 : nil)
                let values = try file.integers(tag + 1)
                let blob = file.bytes(of: try file.section(tag + 2))
                let entries = isDense ? file.slotCount : presence.count
                let wanted = kind == .string || kind == .encoded ? entries + 1 : entries
                guard values.count == wanted else {
                    throw MalformedBytes(offset: 0, detail: "column \(index) has \(values.count) values, not \(wanted)")
                }
                columns.append(
                    Column(key: key, kind: kind, presence: presence, isDense: isDense, values: values, blob: blob))
            }
            self.columns = columns
        } catch let error as GraphError {
            throw error
        } catch {
            throw GraphError(.corrupt, "\(file.path): column directory: \(error)")
        }
    }

    func value(_ key: TokenID, slot: Int) -> Value? {
        for column in columns where column.key == key {
            if let index = column.index(of: slot) { return column.value(at: index) }
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

/// Collects properties slot by slot, in ascending order of slots, and writes them as columns.
struct ColumnSetBuilder {
    private struct Builder {
        let key: TokenID
        let kind: ColumnKind
        var slots: [UInt64] = []
        var numbers: [UInt64] = []
        var blob: [UInt8] = []
    }
    private struct ColumnKey: Hashable {
        let key: TokenID
        let kind: ColumnKind
    }
    private var builders: [Builder] = []
    private var indexes: [ColumnKey: Int] = [:]

    mutating func add(slot: Int, _ properties: [Property]) {
        for property in properties { add(slot: slot, property.key, property.value) }
    }

    mutating func add(slot: Int, _ key: TokenID, _ value: Value) {
        let columnKey = ColumnKey(key: key, kind: ColumnKind(value))
        let index: Int
        if let known = indexes[columnKey] {
            index = known
        } else {
            index = builders.count
            indexes[columnKey] = index
            builders.append(Builder(key: key, kind: columnKey.kind))
        }
        builders[index].slots.append(UInt64(slot))
        switch value {
        case .boolean(let flag): builders[index].numbers.append(flag ? 1 : 0)
        case .integer(let number):
            builders[index].numbers.append(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
        case .float(let number): builders[index].numbers.append(number.bitPattern)
        case .string(let string):
            builders[index].numbers.append(UInt64(builders[index].blob.count))
            builders[index].blob.append(contentsOf: string.text.utf8)
        case .bytes, .list:
            builders[index].numbers.append(UInt64(builders[index].blob.count))
            var writer = ByteWriter()
            ValueCodec.encode(value, into: &writer)
            builders[index].blob.append(contentsOf: writer.bytes)
        case .null, .map, .node, .relationship, .path: break
        }
    }

    func finish(into assembler: inout SegmentAssembler) {
        let slotCount = assembler.slotCount
        var directory = ByteWriter()
        let ordered = builders.sorted { ($0.key, $0.kind.rawValue) < ($1.key, $1.kind.rawValue) }
        directory.write(UInt32(ordered.count))
        for (index, builder) in ordered.enumerated() {
            let isDense = builder.slots.count * 2 >= slotCount
            directory.write(builder.key)
            directory.write(builder.kind.rawValue)
            directory.write(isDense)
            let tag = ColumnSet.firstColumnTag + UInt32(index) * 3
            let hasBlob = builder.kind == .string || builder.kind == .encoded
            if isDense {
                var bits = [UInt8](repeating: 0, count: (slotCount + 7) / 8)
                var values = [UInt64](repeating: 0, count: hasBlob ? slotCount + 1 : slotCount)
                var next = 0
                for slot in 0..<slotCount {
                    if next < builder.slots.count, builder.slots[next] == UInt64(slot) {
                        bits[slot >> 3] |= 1 << UInt8(slot & 7)
                        values[slot] = builder.numbers[next]
                        next += 1
                    } else if hasBlob {
                        values[slot] = next < builder.numbers.count ? builder.numbers[next] : UInt64(builder.blob.count)
                    }
                }
                if hasBlob { values[slotCount] = UInt64(builder.blob.count) }
                assembler.add(tag, bits)
                assembler.add(tag + 1, packing: values)
            } else {
                assembler.add(tag, packing: builder.slots)
                assembler.add(tag + 1, packing: hasBlob ? builder.numbers + [UInt64(builder.blob.count)] : builder.numbers)
            }
            assembler.add(tag + 2, builder.blob)
        }
        assembler.add(ColumnSet.directoryTag, directory.bytes)
    }
}
