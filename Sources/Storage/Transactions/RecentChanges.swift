internal import CPrefetch
internal import GraphModel

/// Which transaction last changed, deleted, or attached something to an entity; of the entities touched lately.
///
/// Open addressing with linear probing in one block: every end of every new relationship is looked up and noted here.
/// Entries go only all at once, by ``forget(upTo:)``, which builds the table anew.
struct RecentChanges {
    struct Changes {
        var changed = TransactionID.zero
        var deleted = TransactionID.zero
        var attached = TransactionID.zero
        var newest: TransactionID { max(changed, deleted, attached) }
    }

    enum Kind {
        case changed, deleted, attached
    }

    private struct Entry {
        /// 0 where there is none.
        var key: UInt64 = 0
        var changes = Changes()
    }

    private var entries = ContiguousArray(repeating: Entry(), count: 64)
    private(set) var count = 0

    init() {}

    @inline(__always)
    private static func key(_ id: UInt64, isNode: Bool) -> UInt64 { (id << 1 | (isNode ? 1 : 0)) &+ 1 }

    @inline(__always)
    private func firstPlace(_ key: UInt64) -> Int {
        let mixed = key &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed ^ mixed >> 32) & (entries.count - 1)
    }

    @inline(__always)
    private func place(_ key: UInt64) -> Int {
        let mask = entries.count - 1
        var place = firstPlace(key)
        while entries[place].key != key, entries[place].key != 0 { place = (place + 1) & mask }
        return place
    }

    /// What is known of an entity.
    func find(_ id: UInt64, isNode: Bool) -> Changes? {
        let entry = entries[place(Self.key(id, isNode: isNode))]
        return entry.key == 0 ? nil : entry.changes
    }

    /// Asks for what ``find(_:isNode:)`` will read.
    func prefetch(_ id: UInt64, isNode: Bool) {
        let place = firstPlace(Self.key(id, isNode: isNode))
        entries.withUnsafeBufferPointer { entries in
            if let base = entries.baseAddress { martlet_prefetch(base + place) }
        }
    }

    mutating func note(_ id: UInt64, isNode: Bool, _ kind: Kind, _ transaction: TransactionID) {
        let key = Self.key(id, isNode: isNode)
        var place = place(key)
        if entries[place].key == 0 {
            if count * 4 >= entries.count * 3 {
                rebuild(entries.count * 2) { _ in true }
                place = self.place(key)
            }
            entries[place].key = key
            count += 1
        }
        switch kind {
        case .changed: entries[place].changes.changed = transaction
        case .deleted: entries[place].changes.deleted = transaction
        case .attached: entries[place].changes.attached = transaction
        }
    }

    /// Drops what no transaction after `floor` has touched.
    mutating func forget(upTo floor: TransactionID) { rebuild(64) { $0.newest > floor } }

    private mutating func rebuild(_ capacity: Int, keeping isKept: (Changes) -> Bool) {
        let kept = entries.filter { $0.key != 0 && isKept($0.changes) }
        var capacity = capacity
        while kept.count * 2 > capacity { capacity *= 2 }
        entries = ContiguousArray(repeating: Entry(), count: capacity)
        count = kept.count
        for entry in kept { entries[place(entry.key)] = entry }
    }
}
