internal import FileSystem
internal import GraphModel

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
    /// Where the last property went: rows tend to have the same properties in the same order.
    private var expected = 0

    init() {}

    mutating func add(slot: Int, _ properties: [Property]) {
        expected = 0
        for property in properties { add(slot: slot, property.key, property.value) }
    }

    mutating func add(slot: Int, _ key: TokenID, _ value: Value) {
        let index = self.index(key, ColumnKind(value))
        builders[index].slots.append(UInt64(slot))
        switch value {
        case .boolean(let flag): builders[index].numbers.append(flag ? 1 : 0)
        case .integer(let number): builders[index].numbers.append(UInt64(bitPattern: number) ^ (1 << 63))
        case .float(let number): builders[index].numbers.append(number.bitPattern)
        case .string(let string):
            builders[index].numbers.append(UInt64(builders[index].blob.count))
            builders[index].blob.append(contentsOf: string.text.utf8)
        default:
            builders[index].numbers.append(UInt64(builders[index].blob.count))
            var writer = ByteWriter()
            ValueCodec.encode(value, into: &writer)
            builders[index].blob.append(contentsOf: writer.bytes)
        }
    }

    private mutating func index(_ key: TokenID, _ kind: ColumnKind) -> Int {
        if expected < builders.count, builders[expected].key == key, builders[expected].kind == kind {
            defer { expected += 1 }
            return expected
        }
        let columnKey = ColumnKey(key: key, kind: kind)
        let index: Int
        if let known = indexes[columnKey] {
            index = known
        } else {
            index = builders.count
            indexes[columnKey] = index
            builders.append(Builder(key: key, kind: kind))
        }
        expected = index + 1
        return index
    }

    func finish(into assembler: inout SegmentAssembler) {
        let slotCount = assembler.slotCount
        var directory = ByteWriter()
        let ordered = builders.sorted { ($0.key, $0.kind.rawValue) < ($1.key, $1.kind.rawValue) }
        directory.write(UInt32(ordered.count))
        // The directory comes first: it is read when the segment is opened, together with what stands at its head.
        var sections: [(UInt32, [UInt8])] = []
        for (index, builder) in ordered.enumerated() {
            let isDense = builder.slots.count * 2 >= slotCount
            let tag = ColumnSet.firstColumnTag + UInt32(index) * ColumnSet.sectionsPerColumn
            let hasEnds = builder.kind == .string || builder.kind == .encoded
            let repeated = builder.kind == .string ? Repeated(builder.numbers, builder.blob) : nil
            let numbers = repeated?.numbers ?? builder.numbers
            let end = repeated == nil && hasEnds ? UInt64(builder.blob.count) : nil
            if isDense {
                sections.append((tag, Self.presence(builder.slots, slotCount)))
                let spread = Self.spread(numbers, builder.slots, slotCount, end: end)
                sections.append((tag + 1, BlockIntegers.encode(spread)))
            } else {
                sections.append((tag, BlockIntegers.encode(builder.slots)))
                sections.append((tag + 1, BlockIntegers.encode(end.map { numbers + [$0] } ?? numbers)))
            }
            sections.append((tag + 2, repeated.map { BlockIntegers.encode($0.starts) } ?? []))
            sections.append((tag + 3, repeated?.blob ?? builder.blob))
            directory.write(builder.key)
            directory.write((repeated == nil ? builder.kind : .repeatedString).rawValue)
            directory.write(isDense)
            directory.write(UInt32(isDense ? slotCount : builder.slots.count))
            directory.write(UInt32(repeated.map { $0.starts.count - 1 } ?? 0))
        }
        assembler.add(ColumnSet.directoryTag, directory.bytes)
        for (tag, bytes) in sections { assembler.add(tag, bytes) }
    }

    private static func presence(_ slots: [UInt64], _ slotCount: Int) -> [UInt8] {
        var bits = [UInt8](repeating: 0, count: (slotCount + 7) / 8)
        for slot in slots { bits[Int(slot >> 3)] |= 1 << UInt8(slot & 7) }
        return bits
    }

    /// A number per slot. A slot without a value takes that of the next one, so that starts stay ascending and the gap
    /// takes no bits.
    private static func spread(_ numbers: [UInt64], _ slots: [UInt64], _ slotCount: Int, end: UInt64?) -> [UInt64] {
        var result: [UInt64] = []
        result.reserveCapacity(slotCount + 1)
        for (slot, number) in zip(slots, numbers) {
            while result.count <= Int(slot) { result.append(number) }
        }
        while result.count < slotCount { result.append(end ?? numbers.last ?? 0) }
        if let end { result.append(end) }
        return result
    }
}

/// A column of strings with each different one stored once; made when at most every fourth is new.
private struct Repeated {
    private(set) var numbers: [UInt64] = []
    private(set) var starts: [UInt64] = []
    private(set) var blob: [UInt8] = []

    init?(_ begins: [UInt64], _ bytes: [UInt8]) {
        guard begins.count >= 16 else { return nil }
        var known: [ArraySlice<UInt8>: UInt64] = [:]
        numbers.reserveCapacity(begins.count)
        for (index, begin) in begins.enumerated() {
            let end = index + 1 < begins.count ? begins[index + 1] : UInt64(bytes.count)
            let text = bytes[Int(begin)..<Int(end)]
            if let number = known[text] {
                numbers.append(number)
                continue
            }
            // Soon hopeless: most columns of names are found out after a few rows.
            if known.count > 16 + index / 4 { return nil }
            let number = UInt64(known.count)
            known[text] = number
            numbers.append(number)
            starts.append(UInt64(blob.count))
            blob.append(contentsOf: text)
        }
        guard known.count * 4 <= begins.count else { return nil }
        starts.append(UInt64(blob.count))
    }
}
