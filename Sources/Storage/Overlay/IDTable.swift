internal import CPrefetch
internal import Synchronization

/// Maps entity ids to addresses: one writer, any number of readers that never wait.
///
/// Open addressing with linear probing; a slot is two atomic words, key (id + 1; 0 = empty) and address. The writer
/// stores the address before it releases the key, so who sees the key sees the address. A table that grew too full is
/// replaced by a copy of twice the size; the old one stays, for readers that are still in it, until the owner goes.
struct IDTable: ~Copyable, @unchecked Sendable {
    // Safety: all that `groups` and the tables hold is atomic; who inserts holds `Store.applying`, so there is one writer.
    private typealias Word = Atomic<UInt64>
    private let current: Atomic<UInt>
    private let entryCount = Atomic<Int>(0)
    /// A bit per group of 64 neighbouring ids, shared by groups far apart: most ids that are not here are told so by it,
    /// and scans skip whole groups.
    private let groups: UnsafeMutablePointer<Word>
    private static let groupWordCount = 512

    init(minimumCapacity: Int) {
        var capacity = 16
        while capacity < minimumCapacity * 2 { capacity *= 2 }
        current = Atomic(UInt(bitPattern: Self.makeTable(capacity)))
        groups = .allocate(capacity: Self.groupWordCount)
        for word in 0..<Self.groupWordCount { (groups + word).initialize(to: Atomic(0)) }
    }

    deinit {
        var next: UnsafeMutablePointer<Word>? = table
        while let table = next {
            next = UnsafeMutablePointer(bitPattern: UInt(table[1].load(ordering: .relaxed)))
            table.deallocate()
        }
        groups.deallocate()
    }

    /// Word 0 holds the mask, word 1 the address of the table before; then key and address in turn.
    private static func makeTable(_ capacity: Int) -> UnsafeMutablePointer<Word> {
        let words = UnsafeMutablePointer<Word>.allocate(capacity: 2 + 2 * capacity)
        (words + 0).initialize(to: Atomic(UInt64(capacity - 1)))
        for index in 1..<(2 + 2 * capacity) { (words + index).initialize(to: Atomic(0)) }
        return words
    }

    /// How many ids there are. Readers see at least those of the transactions that were published to them.
    var count: Int { entryCount.load(ordering: .relaxed) }

    private var table: UnsafeMutablePointer<Word> {
        guard let pointer = UnsafeMutablePointer<Word>(bitPattern: current.load(ordering: .acquiring)) else {
            preconditionFailure("an id table without storage")
        }
        return pointer
    }

    private static func hash(_ id: UInt64) -> UInt64 {
        let mixed = id &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ (mixed >> 32)
    }

    /// False when no id of the same 64 is here. Any thread.
    @inline(__always)
    func mayHaveGroup(of id: UInt64) -> Bool {
        let group = id >> 6
        let word = groups[Int(truncatingIfNeeded: group >> 6) & (Self.groupWordCount - 1)].load(ordering: .relaxed)
        return word & (1 << (group & 63)) != 0
    }

    /// The address stored for `id`, or nil. Any thread.
    @inline(__always)
    func find(_ id: UInt64) -> UInt? { mayHaveGroup(of: id) ? lookUp(id) : nil }

    /// Asks for the place where ``find(_:)`` will look.
    @inline(__always)
    func prefetch(_ id: UInt64) {
        if !mayHaveGroup(of: id) { return }
        let table = self.table
        martlet_prefetch(table + 2 + 2 * Int(Self.hash(id) & table[0].load(ordering: .relaxed)))
    }

    private func lookUp(_ id: UInt64) -> UInt? {
        let table = self.table
        let mask = table[0].load(ordering: .relaxed)
        var slot = Self.hash(id) & mask
        while true {
            let index = 2 + 2 * Int(slot)
            let key = table[index].load(ordering: .acquiring)
            if key == id &+ 1 { return UInt(table[index + 1].load(ordering: .relaxed)) }
            if key == 0 { return nil }
            slot = (slot + 1) & mask
        }
    }

    /// Adds an id that is not there yet. Writer only.
    func insert(_ id: UInt64, _ address: UInt) {
        let mask = table[0].load(ordering: .relaxed)
        if UInt64(count) * 4 > mask * 3 { grow() }
        Self.put(table, id, address)
        let group = id >> 6
        groups[Int(truncatingIfNeeded: group >> 6) & (Self.groupWordCount - 1)]
            .bitwiseOr(1 << (group & 63), ordering: .releasing)
        entryCount.store(count + 1, ordering: .relaxed)
    }

    private static func put(_ table: UnsafeMutablePointer<Word>, _ id: UInt64, _ address: UInt) {
        let mask = table[0].load(ordering: .relaxed)
        var slot = hash(id) & mask
        while table[2 + 2 * Int(slot)].load(ordering: .relaxed) != 0 { slot = (slot + 1) & mask }
        table[3 + 2 * Int(slot)].store(UInt64(address), ordering: .relaxed)
        table[2 + 2 * Int(slot)].store(id &+ 1, ordering: .releasing)
    }

    private func grow() {
        let old = table
        let capacity = Int(old[0].load(ordering: .relaxed)) + 1
        let larger = Self.makeTable(capacity * 2)
        Self.forEach(old) { Self.put(larger, $0, $1) }
        larger[1].store(UInt64(UInt(bitPattern: old)), ordering: .relaxed)
        current.store(UInt(bitPattern: larger), ordering: .releasing)
    }

    private static func forEach(_ table: UnsafeMutablePointer<Word>, _ body: (UInt64, UInt) -> Void) {
        for slot in 0...Int(table[0].load(ordering: .relaxed)) {
            let key = table[2 + 2 * slot].load(ordering: .acquiring)
            if key != 0 { body(key &- 1, UInt(table[3 + 2 * slot].load(ordering: .relaxed))) }
        }
    }

    /// Every id with its address, in no order.
    func forEach(_ body: (UInt64, UInt) -> Void) { Self.forEach(table, body) }

    var byteCount: Int { (Int(table[0].load(ordering: .relaxed)) + 2) * 16 }
}
