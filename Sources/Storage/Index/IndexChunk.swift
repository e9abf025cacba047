internal import FileSystem
internal import GraphModel

/// A part of an index in a segment file: distinct keys in ascending order, for each the ids of its entities, and a table
/// by hash for finding a key at once. Only a view: the run that it belongs to keeps the file mapped.
///
/// Every access stays inside the sections whatever they hold, so damage that no checksum caught gives wrong entries at
/// worst, never a stray read.
struct IndexChunk {
    enum Tag {
        static let keyStarts: UInt32 = 1
        static let keyBytes: UInt32 = 2
        static let entryStarts: UInt32 = 3
        static let ids: UInt32 = 4
        static let directory: UInt32 = 5
    }
    /// A slot of the directory: 1 + number of the key, and above it a part of the key's hash.
    static let numberBits: UInt32 = 18
    static let numberMask: UInt32 = (1 << numberBits) - 1
    /// More distinct keys than a directory can number are never put into one chunk.
    static let keyCountMaximum = 1 << 17

    let keyCount: Int
    let entryCount: Int
    // Safety: all of these lead into the mapping of the chunk's file, which the owning run keeps.
    /// `keyCount + 1` offsets into `keyBytes`, or one number: the length that all keys have.
    private let keyStarts: PackedIntegers
    private let keyBytes: UnsafeRawBufferPointer
    /// `keyCount + 1` indexes into `ids`, or none: each key has one entry.
    private let entryStarts: PackedIntegers
    private let ids: PackedIntegers
    private let directory: PackedIntegers
    private let fixedKeyByteCount: Int

    init(_ file: SegmentFile) throws(GraphError) {
        guard file.kind == .index else { throw GraphError(.corrupt, "\(file.path): not a segment of an index") }
        ids = try file.integers(Tag.ids, count: file.slotCount)
        entryCount = ids.count
        keyStarts = try file.integers(Tag.keyStarts)
        entryStarts = try file.integers(Tag.entryStarts)
        directory = try file.integers(Tag.directory)
        keyBytes = file.bytes(of: try file.section(Tag.keyBytes))
        fixedKeyByteCount = keyStarts.count == 1 ? Int(clamping: keyStarts[0]) : 0
        keyCount =
            keyStarts.count > 1
            ? keyStarts.count - 1 : fixedKeyByteCount > 0 ? keyBytes.count / fixedKeyByteCount : 0
        guard keyCount > 0, entryStarts.count == 0 ? keyCount == entryCount : entryStarts.count == keyCount + 1,
            directory.count > keyCount, directory.count.nonzeroBitCount == 1, keyCount < Self.numberMask
        else {
            throw GraphError(
                .corrupt,
                "\(file.path): \(keyCount) keys, \(entryCount) entries and \(directory.count) places do not fit together")
        }
    }

    @inline(__always)
    func key(_ number: Int) -> UnsafeRawBufferPointer {
        if fixedKeyByteCount > 0 {
            let start = number * fixedKeyByteCount
            guard number >= 0, start + fixedKeyByteCount <= keyBytes.count else { return Self.noKey }
            return UnsafeRawBufferPointer(rebasing: keyBytes[start..<start + fixedKeyByteCount])
        }
        guard number >= 0, number < keyCount else { return Self.noKey }
        let start = Int(clamping: keyStarts[number])
        let end = Int(clamping: keyStarts[number + 1])
        guard start <= end, end <= keyBytes.count else { return Self.noKey }
        return UnsafeRawBufferPointer(rebasing: keyBytes[start..<end])
    }

    private static var noKey: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    /// Where a key's ids are.
    @inline(__always)
    func entries(_ number: Int) -> Range<Int> {
        guard number >= 0, number < keyCount else { return 0..<0 }
        if entryStarts.count == 0 { return number..<number + 1 }
        let start = Int(clamping: entryStarts[number])
        let end = Int(clamping: entryStarts[number + 1])
        return start <= end && end <= entryCount ? start..<end : 0..<0
    }

    @inline(__always)
    func id(_ entry: Int) -> UInt64 { entry >= 0 && entry < entryCount ? ids[entry] : 0 }

    func append(_ entries: Range<Int>, to target: inout ContiguousArray<UInt64>) { ids.append(entries, to: &target) }

    /// The number of a key; nil when it is not here. One look into the directory, one at the key, as a rule.
    @inline(__always)
    func find(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        let mask = directory.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        let fingerprint = Self.fingerprint(hash)
        for _ in 0...mask {
            let word = UInt32(truncatingIfNeeded: directory[slot])
            if word == 0 { return nil }
            if word & ~Self.numberMask == fingerprint {
                let number = Int(word & Self.numberMask) - 1
                if number < keyCount, IndexKey.areEqual(self.key(number), key) { return number }
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    @inline(__always)
    static func fingerprint(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) & ~numberMask }

    /// The number of the first key not below `key`; `keyCount` when all are.
    func firstKey(from key: UnsafeRawBufferPointer) -> Int {
        var low = 0
        var high = keyCount
        while low < high {
            let middle = (low + high) / 2
            if IndexKey.order(self.key(middle), key) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Within the entries of one key the first whose id is not below `id`.
    func firstEntry(_ entries: Range<Int>, from id: UInt64) -> Int {
        var low = entries.lowerBound
        var high = entries.upperBound
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// What is wrong with the chunk; nil when nothing is. O(chunk).
    func problem() -> String? {
        var expected = 0
        for number in 0..<keyCount {
            let key = key(number)
            if number > 0, IndexKey.order(self.key(number - 1), key) >= 0 { return "key \(number) is out of order" }
            let range = entries(number)
            if range.lowerBound != expected || range.isEmpty { return "the entries of key \(number) are out of place" }
            expected = range.upperBound
            for entry in range.dropFirst() where ids[entry - 1] >= ids[entry] { return "entry \(entry) is out of order" }
            if find(key, hash: IndexKey.hash(key)) != number { return "key \(number) is not found by its hash" }
        }
        return expected == entryCount ? nil : "\(entryCount - expected) entries have no key"
    }
}

/// Puts entries, given in ascending order, together into the bytes of chunks.
struct IndexChunkBuilder {
    private var keyStarts: [UInt64] = [0]
    private var keyBytes: [UInt8] = []
    private var entryStarts: [UInt64] = []
    private var ids: [UInt64] = []
    private var hashes: [UInt64] = []
    private var lastKeyStart = 0

    init() {}

    var entryCount: Int { ids.count }
    var keyCount: Int { hashes.count }
    var byteCount: Int { keyBytes.count + ids.count * 8 }

    mutating func add(_ key: UnsafeRawBufferPointer, _ id: UInt64) {
        let isSame =
            !hashes.isEmpty
            && keyBytes.withUnsafeBytes { IndexKey.areEqual(UnsafeRawBufferPointer(rebasing: $0[lastKeyStart...]), key) }
        if !isSame {
            lastKeyStart = keyBytes.count
            keyBytes.append(contentsOf: key)
            keyStarts.append(UInt64(keyBytes.count))
            entryStarts.append(UInt64(ids.count))
            hashes.append(IndexKey.hash(key))
        }
        ids.append(id)
    }

    /// The bytes of the chunk; begins the next one.
    mutating func finish(_ rule: SchemaRuleID, transactionID: TransactionID) -> [UInt8] {
        var assembler = SegmentAssembler(
            kind: .index, firstID: UInt64(rule.rawValue), slotCount: ids.count, transactionID: transactionID)
        let length = keyStarts[1]
        let isFixed = length > 0 && keyStarts.indices.allSatisfy { keyStarts[$0] == UInt64($0) * length }
        assembler.add(IndexChunk.Tag.keyStarts, packing: isFixed ? [length] : keyStarts)
        assembler.add(IndexChunk.Tag.keyBytes, keyBytes)
        assembler.add(IndexChunk.Tag.entryStarts, packing: keyCount == entryCount ? [] : entryStarts + [UInt64(ids.count)])
        assembler.add(IndexChunk.Tag.ids, packing: ids)
        var capacity = 2
        while capacity < 2 * keyCount { capacity *= 2 }
        var directory = [UInt32](repeating: 0, count: capacity)
        for (number, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (capacity - 1)
            while directory[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
            directory[slot] = IndexChunk.fingerprint(hash) | UInt32(number + 1)
        }
        var writer = ByteWriter(reservingByteCount: capacity * 4)
        for word in directory { writer.write(word) }
        assembler.add(IndexChunk.Tag.directory, width: 4, writer.bytes)
        self = IndexChunkBuilder()
        return assembler.assemble()
    }
}
