internal import GraphModel

/// Finds the node of an external id, per id space. Ids that number the rows densely take 4 bytes and no hashing; any other
/// takes a slot of 16 bytes, whatever its length: a plain integer as it is, a text by 95 bits of a hash with a random
/// key. Two of 4 billion texts fall together once in a billion imports.
struct ImportIDMap: Sendable {
    /// By id, for ids not far above the number of ids so far; `noNode` where there is none.
    private var dense: ContiguousArray<UInt32> = []
    private(set) var count = 0
    private static let noNode = UInt32.max

    private struct Slot {
        var low: UInt64
        /// Top bit: a text, or the slot is in use for an integer when the next bit is set; then the hash, then the node.
        var high: UInt64
    }
    /// Open addressing, a power of two of slots, at most three quarters in use; `high` is 0 where none is.
    private var slots: ContiguousArray<Slot> = []
    private var slotsInUse = 0
    private let seed: UInt64

    init(seed: UInt64 = .random(in: .min ... .max)) { self.seed = seed }

    /// Bytes that this map takes.
    var byteCount: Int { dense.capacity * 4 + slots.capacity * MemoryLayout<Slot>.stride }

    /// Adds an id; false when it is there already.
    mutating func insert(_ id: UnsafeBufferPointer<UInt8>, _ node: UInt32) -> Bool {
        if let number = Self.canonical(id) {
            if find(number) != nil { return false }
            count += 1
            if number < 0 || number > 1024 + 2 * Int64(count) { return insert(Self.key(number), node) }
            let index = Int(number)
            if index >= dense.count {
                dense.append(contentsOf: repeatElement(Self.noNode, count: index + 1 - dense.count))
            }
            dense[index] = node
            return true
        }
        guard insert(key(id), node) else { return false }
        count += 1
        return true
    }

    @inline(__always)
    func find(_ id: UnsafeBufferPointer<UInt8>) -> UInt32? {
        if let number = Self.canonical(id) { return find(number) }
        return slots.isEmpty ? nil : find(key(id))
    }

    @inline(__always)
    private func find(_ number: Int64) -> UInt32? {
        if number >= 0, number < Int64(dense.count), dense[Int(number)] != Self.noNode { return dense[Int(number)] }
        // Far above the others when it came.
        return slots.isEmpty ? nil : find(Self.key(number))
    }

    /// An integer whose usual spelling this is: `7`, not `07` or `+7`.
    @inline(__always)
    private static func canonical(_ id: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard let first = id.first, first != UInt8(ascii: "+") else { return nil }
        if id.count > 1 {
            if first == UInt8(ascii: "0") || first == UInt8(ascii: "-") && id[1] == UInt8(ascii: "0") { return nil }
        }
        return Int64(ascii: id)
    }

    // MARK: Hashing

    private typealias Key = (low: UInt64, high: UInt64)
    private static let nodeBits: UInt64 = 0xFFFF_FFFF

    private static func key(_ number: Int64) -> Key { (UInt64(bitPattern: number), 1 << 62) }

    /// Two 64-bit hashes by folded multiplication; the second keeps 31 bits.
    /// - Source: the mixing step of wyhash (Wang Yi, public domain).
    private func key(_ id: UnsafeBufferPointer<UInt8>) -> Key {
        func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
            let product = a.multipliedFullWidth(by: b)
            return product.high ^ product.low
        }
        var a = seed ^ 0xA076_1D64_78BD_642F
        var b = seed &* 0xE703_7ED1_A0B4_28DB ^ UInt64(id.count)
        let raw = UnsafeRawBufferPointer(id)
        var offset = 0
        while offset < raw.count {
            var word: UInt64 = 0
            if offset + 8 <= raw.count {
                word = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            } else {
                for index in (offset..<raw.count).reversed() { word = word << 8 | UInt64(raw[index]) }
            }
            a = mix(a ^ word, 0x8EBC_6AF0_9C88_C6E3)
            b = mix(b &+ word, 0x5899_65CC_7537_4CC3 ^ b)
            offset += 8
        }
        a = mix(a ^ UInt64(id.count), seed | 1)
        b = mix(b ^ a, 0x1D8E_4E27_C47D_124F)
        return (a, 1 << 63 | (b >> 33) << 32)
    }

    private static func start(_ key: Key, _ mask: Int) -> Int {
        var hash = (key.low ^ key.high) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
        return Int(truncatingIfNeeded: hash) & mask
    }

    private func find(_ key: Key) -> UInt32? {
        let mask = slots.count - 1
        var index = Self.start(key, mask)
        while true {
            let slot = slots[index]
            if slot.high == 0 { return nil }
            if slot.low == key.low, slot.high & ~Self.nodeBits == key.high { return UInt32(slot.high & Self.nodeBits) }
            index = (index + 1) & mask
        }
    }

    private mutating func insert(_ key: Key, _ node: UInt32) -> Bool {
        if (slotsInUse + 1) * 4 > slots.count * 3 { grow() }
        let mask = slots.count - 1
        var index = Self.start(key, mask)
        while slots[index].high != 0 {
            if slots[index].low == key.low, slots[index].high & ~Self.nodeBits == key.high { return false }
            index = (index + 1) & mask
        }
        slots[index] = Slot(low: key.low, high: key.high | UInt64(node))
        slotsInUse += 1
        return true
    }

    private mutating func grow() {
        let old = slots
        slots = ContiguousArray(repeating: Slot(low: 0, high: 0), count: max(64, old.count * 2))
        let mask = slots.count - 1
        for slot in old where slot.high != 0 {
            var index = Self.start((slot.low, slot.high & ~Self.nodeBits), mask)
            while slots[index].high != 0 { index = (index + 1) & mask }
            slots[index] = slot
        }
    }
}

extension Int64 {
    /// Decimal digits with an optional sign, nothing else; nil when it is not that or does not fit.
    init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
        var index = 0
        var isNegative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            index = 1
        }
        let digitCount = bytes.count - index
        guard digitCount > 0, digitCount <= 19 else { return nil }
        var value: UInt64 = 0
        while index < bytes.count {
            let digit = bytes[index] &- 48
            guard digit <= 9 else { return nil }
            // 19 digits fit.
            value = value &* 10 &+ UInt64(digit)
            index += 1
        }
        if isNegative {
            guard value <= 1 << 63 else { return nil }
            self = Int64(truncatingIfNeeded: 0 &- value)
        } else {
            guard value < 1 << 63 else { return nil }
            self = Int64(value)
        }
    }
}
