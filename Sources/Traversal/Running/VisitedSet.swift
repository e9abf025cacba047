/// A set of ids: a hash table of words of 64 neighbouring ids, so that ids that lie together, as a store's do, take a byte
/// each or less, and scattered ones 32 to 64, in small sets up to 128.
struct VisitedSet: Sendable {
    private struct Slot {
        /// The ids' common upper bits, plus one; 0 is free.
        var key: UInt64 = 0
        var word: UInt64 = 0
    }
    private var slots = ContiguousArray(repeating: Slot(), count: 16)
    private var usedCount = 0

    var byteCount: Int { slots.count * 16 }

    @inline(__always)
    private func firstPlace(_ key: UInt64) -> Int {
        // Fibonacci hashing (Knuth, TAOCP 6.4).
        let hash = key &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: hash >> 32 ^ hash) & (slots.count - 1)
    }

    /// Adds an id; true when it is new.
    mutating func insert(_ id: UInt64) -> Bool {
        let key = id >> 6 + 1
        let bit = (1 as UInt64) << (id & 63)
        var place = firstPlace(key)
        while slots[place].key != key {
            if slots[place].key == 0 {
                slots[place] = Slot(key: key, word: bit)
                usedCount += 1
                if usedCount * 2 > slots.count { grow() }
                return true
            }
            place = (place + 1) & (slots.count - 1)
        }
        if slots[place].word & bit != 0 { return false }
        slots[place].word |= bit
        return true
    }

    private mutating func grow() {
        let old = slots
        // In larger steps at first: most traversals are short, and each begins with a small table.
        slots = ContiguousArray(repeating: Slot(), count: old.count * (old.count < 1 << 16 ? 4 : 2))
        for slot in old where slot.key != 0 {
            var place = firstPlace(slot.key)
            while slots[place].key != 0 { place = (place + 1) & (slots.count - 1) }
            slots[place] = slot
        }
    }
}
