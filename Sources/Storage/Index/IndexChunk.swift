internal import FileSystem
internal import GraphModel

/// A part of an index in a segment file: distinct keys in ascending order, for each the ids of its entities, and a table
/// by hash for finding a key at once. Only a view: the run that it belongs to keeps the file mapped.
///
/// Every access stays inside the sections whatever they hold, so damage that no checksum caught gives wrong entries at
/// worst, never a stray read.
struct IndexChunk {
    enum Tag {
        static let summary: UInt32 = 1
        static let keyStarts: UInt32 = 2
        static let keyBytes: UInt32 = 3
        static let entryStarts: UInt32 = 4
        static let ids: UInt32 = 5
        static let directory: UInt32 = 6
    }
    /// A slot of the directory: 1 + number of the key, and above it a part of the key's hash.
    static let numberBits: UInt32 = 18
    static let numberMask: UInt32 = (1 << numberBits) - 1
    /// More distinct keys than a directory can number are never put into one chunk.
    static let keyCountMaximum = 1 << 17

    let keyCount: Int
    let entryCount: Int
    /// The beginning of the first key; known without a look at the rest.
    let firstKeyHead: UInt64
    // Safety: all of these lead into the mapping of the chunk's file, which the owning run keeps.
    /// `keyCount + 1` offsets into `keyBytes`; none when all keys have one length.
    private let keyStarts: UnsafePointer<UInt32>
    private let keyBytes: UnsafeRawBufferPointer
    private let fixedKeyByteCount: Int
    /// Bytes of the id behind each key where each has one entry: key and id lie on one page. 0 when `ids` has them.
    private let inlineIDByteCount: Int
    /// `keyCount + 1` indexes into `ids`; none when each key has one entry.
    private let entryStarts: UnsafePointer<UInt32>
    private let ids: BlockIntegers
    private let directory: UnsafePointer<UInt32>
    private let directoryMask: Int

    /// Reads the summary alone; nothing else may be read before ``SegmentFile/verify(_:)`` has found the file whole.
    init(_ file: SegmentFile) throws(GraphError) {
        guard file.kind == .index else { throw GraphError(.corrupt, "\(file.path): not a segment of an index") }
        do {
            var summary = ByteReader(try file.verifiedBytes(Tag.summary))
            keyCount = Int(try summary.read(UInt32.self))
            fixedKeyByteCount = Int(try summary.read(UInt32.self))
            inlineIDByteCount = Int(try summary.read(UInt32.self))
            firstKeyHead = try summary.read()
        } catch let error as GraphError {
            throw error
        } catch {
            throw GraphError(.corrupt, "\(file.path): summary: \(error)")
        }
        entryCount = file.slotCount
        keyBytes = file.bytes(of: try file.section(Tag.keyBytes))
        let slotCount = try file.section(Tag.directory).byteCount / 4
        guard keyCount > 0, keyCount <= entryCount, keyCount <= Self.keyCountMaximum, slotCount > keyCount,
            slotCount.nonzeroBitCount == 1, keyCount == entryCount ? [4, 8].contains(inlineIDByteCount) : inlineIDByteCount == 0,
            fixedKeyByteCount == 0 || keyBytes.count == keyCount * (fixedKeyByteCount + inlineIDByteCount)
        else {
            throw GraphError(
                .corrupt, "\(file.path): \(keyCount) keys, \(entryCount) entries and \(slotCount) places do not fit together")
        }
        keyStarts = try file.words(Tag.keyStarts, count: fixedKeyByteCount > 0 ? 0 : keyCount + 1)
        entryStarts = try file.words(Tag.entryStarts, count: keyCount == entryCount ? 0 : keyCount + 1)
        directory = try file.words(Tag.directory, count: slotCount)
        directoryMask = slotCount - 1
        ids = try file.blocks(Tag.ids, count: inlineIDByteCount > 0 ? 0 : entryCount)
    }

    /// A chunk without entries, in the place of a damaged one.
    init() {
        guard let nowhere = UnsafePointer<UInt32>(bitPattern: 8) else { preconditionFailure("8 is not the null address") }
        keyCount = 0
        entryCount = 0
        firstKeyHead = 0
        keyStarts = nowhere
        keyBytes = Self.noKey
        fixedKeyByteCount = 0
        inlineIDByteCount = 0
        entryStarts = nowhere
        ids = BlockIntegers()
        directory = nowhere
        directoryMask = 0
    }

    /// Compares the file that the chunk lies in with its checksums, and asks whether every access stays inside the sections;
    /// ``problem()`` asks for more.
    func verify(_ file: SegmentFile) throws(GraphError) {
        try file.verify { ids.isValid && IndexKey.head(key(0)) == firstKeyHead }
    }

    @inline(__always)
    func key(_ number: Int) -> UnsafeRawBufferPointer {
        guard number >= 0, number < keyCount else { return Self.noKey }
        let start: Int
        let end: Int
        if fixedKeyByteCount > 0 {
            start = number * (fixedKeyByteCount + inlineIDByteCount)
            end = start + fixedKeyByteCount
        } else {
            start = Int(keyStarts[number])
            end = Int(keyStarts[number + 1]) - inlineIDByteCount
        }
        guard start <= end, end + inlineIDByteCount <= keyBytes.count else { return Self.noKey }
        return UnsafeRawBufferPointer(rebasing: keyBytes[start..<end])
    }

    private static var noKey: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    /// Where a key's ids are.
    @inline(__always)
    func entries(_ number: Int) -> Range<Int> {
        guard number >= 0, number < keyCount else { return 0..<0 }
        if keyCount == entryCount { return number..<number + 1 }
        let start = Int(entryStarts[number])
        let end = Int(entryStarts[number + 1])
        return start <= end && end <= entryCount ? start..<end : 0..<0
    }

    @inline(__always)
    func id(_ entry: Int) -> UInt64 {
        guard entry >= 0, entry < entryCount else { return 0 }
        if inlineIDByteCount == 0 { return ids[entry] }
        let key = key(entry)
        guard let end = key.baseAddress.map({ $0 + key.count }) else { return 0 }
        return inlineIDByteCount == 4
            ? UInt64(UInt32(littleEndian: end.loadUnaligned(as: UInt32.self)))
            : UInt64(littleEndian: end.loadUnaligned(as: UInt64.self))
    }

    func append(_ entries: Range<Int>, to target: inout ContiguousArray<UInt64>) {
        if inlineIDByteCount == 0 { ids.append(entries, to: &target) } else { for entry in entries { target.append(id(entry)) } }
    }

    /// The number of a key; nil when it is not here. One look into the directory, one at the key, as a rule.
    @inline(__always)
    func find(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        if keyCount == 0 { return nil }
        var slot = Int(truncatingIfNeeded: hash) & directoryMask
        let fingerprint = Self.fingerprint(hash)
        for _ in 0...directoryMask {
            let word = UInt32(littleEndian: directory[slot])
            if word == 0 { return nil }
            if word & ~Self.numberMask == fingerprint {
                let number = Int(word & Self.numberMask) - 1
                if IndexKey.areEqual(self.key(number), key) { return number }
            }
            slot = (slot + 1) & directoryMask
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
        if inlineIDByteCount == 0 { return ids.lowerBound(of: id, in: entries) }
        return entries.first { self.id($0) >= id } ?? entries.upperBound
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
            for entry in range.dropFirst() where id(entry - 1) >= id(entry) { return "entry \(entry) is out of order" }
            if find(key, hash: IndexKey.hash(key)) != number { return "key \(number) is not found by its hash" }
        }
        return expected == entryCount ? nil : "\(entryCount - expected) entries have no key"
    }
}

/// Puts entries, given in ascending order, together into the bytes of chunks.
struct IndexChunkBuilder {
    private var keyStarts: [UInt32] = [0]
    private var keyBytes: [UInt8] = []
    private var entryStarts: [UInt32] = []
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
            keyStarts.append(UInt32(keyBytes.count))
            entryStarts.append(UInt32(ids.count))
            hashes.append(IndexKey.hash(key))
        }
        ids.append(id)
    }

    /// The bytes of the chunk; begins the next one.
    mutating func finish(_ rule: SchemaRuleID, transactionID: TransactionID) -> [UInt8] {
        var assembler = SegmentAssembler(
            kind: .index, firstID: UInt64(rule.rawValue), slotCount: ids.count, transactionID: transactionID)
        let length = keyStarts[1]
        let isFixed = length > 0 && keyStarts.indices.allSatisfy { Int(keyStarts[$0]) == $0 * Int(length) }
        let isUnique = keyCount == entryCount
        let idByteCount = isUnique ? ids.allSatisfy({ $0 <= UInt64(UInt32.max) }) ? 4 : 8 : 0
        var summary = ByteWriter()
        summary.write(UInt32(keyCount))
        summary.write(isFixed ? length : 0)
        summary.write(UInt32(idByteCount))
        summary.write(keyBytes.withUnsafeBytes { IndexKey.head(UnsafeRawBufferPointer(rebasing: $0[..<Int(length)])) })
        assembler.add(IndexChunk.Tag.summary, summary.bytes)
        let starts = isUnique ? keyStarts.enumerated().map { $1 + UInt32($0 * idByteCount) } : keyStarts
        assembler.add(IndexChunk.Tag.keyStarts, words: isFixed ? [] : starts)
        assembler.add(IndexChunk.Tag.keyBytes, isUnique ? keysWithIDs(idByteCount) : keyBytes)
        assembler.add(IndexChunk.Tag.entryStarts, words: isUnique ? [] : entryStarts + [UInt32(ids.count)])
        assembler.add(IndexChunk.Tag.ids, blocks: isUnique ? [] : ids)
        // At most three quarters full: small enough to stay in a cache, and a look-up rarely leaves its line.
        var capacity = 2
        while 3 * capacity < 4 * keyCount { capacity *= 2 }
        var directory = [UInt32](repeating: 0, count: capacity)
        for (number, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (capacity - 1)
            while directory[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
            directory[slot] = IndexChunk.fingerprint(hash) | UInt32(number + 1)
        }
        assembler.add(IndexChunk.Tag.directory, words: directory)
        self = IndexChunkBuilder()
        return assembler.assemble()
    }

    private func keysWithIDs(_ idByteCount: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(keyBytes.count + ids.count * idByteCount)
        for (number, id) in ids.enumerated() {
            bytes.append(contentsOf: keyBytes[Int(keyStarts[number])..<Int(keyStarts[number + 1])])
            withUnsafeBytes(of: id.littleEndian) { bytes.append(contentsOf: $0[..<idByteCount]) }
        }
        return bytes
    }
}
