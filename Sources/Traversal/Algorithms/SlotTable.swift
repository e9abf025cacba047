/// Gives ids places from 0 on, in the order in which they come.
struct SlotTable: Sendable {
    /// The ids by their places.
    private(set) var ids: ContiguousArray<UInt64> = []
    /// Open addressing; -1 is free, the key is in `ids`.
    private var table = ContiguousArray<Int32>(repeating: -1, count: 16)

    var count: Int { ids.count }
    var byteCount: Int { ids.count * 8 + table.count * 4 }

    private func firstPlace(_ id: UInt64) -> Int {
        // Fibonacci hashing (Knuth, TAOCP 6.4).
        let hash = id &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: hash >> 32 ^ hash) & (table.count - 1)
    }

    /// The place of an id in the table, or the free one where it belongs.
    private func place(_ id: UInt64) -> Int {
        var place = firstPlace(id)
        while table[place] >= 0, ids[Int(table[place])] != id { place = (place + 1) & (table.count - 1) }
        return place
    }

    /// The place that an id was given; nil when it was given none.
    func find(_ id: UInt64) -> Int? {
        let slot = table[place(id)]
        return slot < 0 ? nil : Int(slot)
    }

    /// The place of an id, given now if it has none. At most 2^31 ids.
    mutating func take(_ id: UInt64) -> (slot: Int, isNew: Bool) {
        let place = place(id)
        if table[place] >= 0 { return (Int(table[place]), false) }
        table[place] = Int32(ids.count)
        ids.append(id)
        if ids.count * 2 > table.count { grow() }
        return (ids.count - 1, true)
    }

    private mutating func grow() {
        table = ContiguousArray(repeating: -1, count: table.count * 2)
        for slot in ids.indices { table[place(ids[slot])] = Int32(slot) }
    }
}
