internal import Synchronization

/// What transactions have changed in one index since some moment: an ordered list of (key, entity id), each with the
/// transactions that put it in or took it out. One writer, any number of readers that never wait.
///
/// A skip list whose nodes lie in the layer's own memory: a node is complete before a releasing store links it in, and
/// stays until the whole layer goes. Beside it a table by hash of the key, for equality. Costs of a change: O(log n) of
/// the layer, whatever the size of the index below.
final class IndexLayer: @unchecked Sendable {
    // Safety: `memory` and `fingers` belong to the writer (who holds the store's apply lock, or the owner of
    // a transaction); what readers reach is immutable or atomic and published by a releasing store.
    private var memory: Arena
    private let head: Node
    /// For each kind of key, told by its first byte, the nodes before the last change on every level: the next change is
    /// often close behind.
    private let fingers: UnsafeMutablePointer<Node>
    private let byHash: Table?
    private let nodeCount = Atomic<Int>(0)
    private let balance = Atomic<Int>(0)
    private static let heightMaximum = 12
    private static let fingerCount = 4

    private final class Table: Sendable {
        let table = IDTable(minimumCapacity: 64)
    }

    /// - Parameter isShared: whether other threads read it, and many entries may come.
    init(isShared: Bool = true) {
        var memory = Arena(firstChunkByteCount: isShared ? 1 << 14 : 1 << 10)
        head = Node.make(in: &memory, UnsafeRawBufferPointer(start: nil, count: 0), id: 0, height: Self.heightMaximum, sameHash: 0)
        self.memory = memory
        fingers = .allocate(capacity: Self.fingerCount * Self.heightMaximum)
        fingers.initialize(repeating: head, count: Self.fingerCount * Self.heightMaximum)
        byHash = isShared ? Table() : nil
    }

    deinit { fingers.deallocate() }

    /// Entries that were ever changed here.
    var count: Int { nodeCount.load(ordering: .relaxed) }
    /// Entries put in less those taken out, roughly what the layer adds to the index.
    var netCount: Int { balance.load(ordering: .relaxed) }
    var byteCount: Int { memory.byteCount + (byHash?.table.byteCount ?? 0) }

    /// An address in the layer's memory. Valid as long as the layer.
    struct Node: Equatable {
        private struct Fields: ~Copyable {
            /// Address of the newest ``Change``.
            let newest = Atomic<UInt>(0)
            let id: UInt64
            let keyHead: UInt64
            /// The next older node whose key has the same hash; 0 at the end.
            let sameHash: UInt
            let keyByteCount: Int
            let height: Int
        }
        /// One transaction's word on an entry: `transaction << 1 | present`.
        private struct Change {
            let stamp: UInt64
            let older: UInt
        }
        private let address: UnsafeMutableRawPointer

        init?(_ bits: UInt) {
            guard let address = UnsafeMutableRawPointer(bitPattern: bits) else { return nil }
            self.address = address
        }
        private init(address: UnsafeMutableRawPointer) { self.address = address }

        static func make(
            in memory: inout Arena, _ key: UnsafeRawBufferPointer, id: UInt64, height: Int, sameHash: UInt
        ) -> Node {
            let towers = MemoryLayout<Fields>.stride
            let keyOffset = towers + height * 8
            let address = memory.allocate(byteCount: keyOffset + key.count)
            address.bindMemory(to: Fields.self, capacity: 1).initialize(
                to: Fields(id: id, keyHead: IndexKey.head(key), sameHash: sameHash, keyByteCount: key.count, height: height))
            for level in 0..<height {
                (address + towers + level * 8).bindMemory(to: Atomic<UInt>.self, capacity: 1).initialize(to: Atomic(0))
            }
            if let source = key.baseAddress { (address + keyOffset).copyMemory(from: source, byteCount: key.count) }
            return Node(address: address)
        }

        var bits: UInt { UInt(bitPattern: address) }
        private var fields: UnsafeMutablePointer<Fields> { address.assumingMemoryBound(to: Fields.self) }
        private func link(_ level: Int) -> UnsafeMutablePointer<Atomic<UInt>> {
            (address + MemoryLayout<Fields>.stride + level * 8).assumingMemoryBound(to: Atomic<UInt>.self)
        }

        var id: UInt64 { fields.pointee.id }
        var sameHash: Node? { Node(fields.pointee.sameHash) }
        var key: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(
                start: address + MemoryLayout<Fields>.stride + fields.pointee.height * 8,
                count: fields.pointee.keyByteCount)
        }
        var next: Node? { next(0) }
        func next(_ level: Int) -> Node? { Node(link(level).pointee.load(ordering: .acquiring)) }
        func setNext(_ node: Node?, _ level: Int) { link(level).pointee.store(node?.bits ?? 0, ordering: .releasing) }

        /// Where this stands relative to (key, id).
        @inline(__always)
        func order(_ key: UnsafeRawBufferPointer, _ keyHead: UInt64, _ id: UInt64) -> Int {
            let mine = fields.pointee.keyHead
            if mine != keyHead { return mine < keyHead ? -1 : 1 }
            return IndexKey.order(self.key, self.id, key, id)
        }

        /// Whether the entry is in the index as of a transaction; nil when the layer says nothing about that.
        func isPresent(at transaction: UInt64) -> Bool? {
            var bits = fields.pointee.newest.load(ordering: .acquiring)
            while let change = UnsafePointer<Change>(bitPattern: bits) {
                if change.pointee.stamp >> 1 <= transaction { return change.pointee.stamp & 1 == 1 }
                bits = change.pointee.older
            }
            return nil
        }

        /// Adds the writer's newest word; returns what it was before.
        func add(_ isPresent: Bool, _ transaction: UInt64, in memory: inout Arena) -> Bool? {
            let older = fields.pointee.newest.load(ordering: .relaxed)
            let before = UnsafePointer<Change>(bitPattern: older).map { $0.pointee.stamp & 1 == 1 }
            let change = memory.make(Change(stamp: transaction << 1 | (isPresent ? 1 : 0), older: older))
            fields.pointee.newest.store(UInt(bitPattern: change), ordering: .releasing)
            return before
        }
    }

    // MARK: Reading, any thread

    /// The first node at or after (key, id).
    func first(from key: UnsafeRawBufferPointer, id: UInt64) -> Node? {
        lastOrHead(before: key, id: id).next
    }

    /// The last node before (key, id); nil when there is none. `key` nil means the end.
    func last(before key: UnsafeRawBufferPointer?, id: UInt64) -> Node? {
        let node: Node
        if let key {
            node = lastOrHead(before: key, id: id)
        } else {
            var last = head
            for level in (0..<Self.heightMaximum).reversed() {
                while let next = last.next(level) { last = next }
            }
            node = last
        }
        return node == head ? nil : node
    }

    private func lastOrHead(before key: UnsafeRawBufferPointer, id: UInt64) -> Node {
        let keyHead = IndexKey.head(key)
        var node = head
        for level in (0..<Self.heightMaximum).reversed() {
            while let next = node.next(level), next.order(key, keyHead, id) < 0 { node = next }
        }
        return node
    }

    /// Every node with exactly this key, in no order.
    @inline(__always)
    func forEach(_ key: UnsafeRawBufferPointer, hash: UInt64, _ body: (Node) -> Void) {
        if let byHash {
            var node = byHash.table.find(Self.slotKey(hash)).flatMap { UnsafePointer<Atomic<UInt>>(bitPattern: $0) }
                .flatMap { Node($0.pointee.load(ordering: .acquiring)) }
            while let current = node {
                if IndexKey.areEqual(current.key, key) { body(current) }
                node = current.sameHash
            }
            return
        }
        var node = first(from: key, id: 0)
        while let current = node, IndexKey.areEqual(current.key, key) {
            body(current)
            node = current.next
        }
    }

    /// Every node, ascending.
    func forEach(_ body: (Node) -> Void) {
        var node = head.next
        while let current = node {
            body(current)
            node = current.next
        }
    }

    // An id table keeps one value for itself.
    private static func slotKey(_ hash: UInt64) -> UInt64 { hash >> 1 }

    // MARK: Writing, one thread

    /// Asks for the memory where ``set(_:_:hash:id:transaction:)`` will look first.
    @inline(__always)
    func prefetch(hash: UInt64) { byHash?.table.prefetch(Self.slotKey(hash)) }

    /// Notes that a transaction put an entry in or took it out.
    func set(_ isPresent: Bool, _ key: UnsafeRawBufferPointer, id: UInt64, transaction: UInt64) {
        set(isPresent, key, hash: IndexKey.hash(key), id: id, transaction: transaction)
    }

    /// The same for a key whose ``IndexKey/hash(_:)`` is known.
    func set(_ isPresent: Bool, _ key: UnsafeRawBufferPointer, hash: UInt64, id: UInt64, transaction: UInt64) {
        let before = change(isPresent, key, hash, id, transaction)
        if before != isPresent {
            // A first word "out" speaks of an entry below.
            balance.add(isPresent ? 1 : -1, ordering: .relaxed)
        }
    }

    /// Returns what was said of the entry before; nil when nothing was.
    private func change(
        _ isPresent: Bool, _ key: UnsafeRawBufferPointer, _ hash: UInt64, _ id: UInt64, _ transaction: UInt64
    ) -> Bool? {
        let keyHead = IndexKey.head(key)
        // One node in four is a level higher; drawn from the entry itself, so that a run can be repeated.
        let draw = (hash ^ id &* 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        let height = min(Self.heightMaximum, 1 + (draw | 1).leadingZeroBitCount / 2)
        let chain = byHash?.table.find(Self.slotKey(hash)).flatMap { UnsafeMutablePointer<Atomic<UInt>>(bitPattern: $0) }
        let newest = chain.flatMap { Node($0.pointee.load(ordering: .relaxed)) }
        func make() -> Node {
            let node = Node.make(in: &memory, key, id: id, height: height, sameHash: newest?.bits ?? 0)
            _ = node.add(isPresent, transaction, in: &memory)
            return node
        }
        func publish(_ node: Node) {
            if let chain {
                chain.pointee.store(node.bits, ordering: .releasing)
            } else if let byHash {
                let made = memory.make(Atomic<UInt>(node.bits))
                byHash.table.insert(Self.slotKey(hash), UInt(bitPattern: made))
            }
            nodeCount.add(1, ordering: .relaxed)
        }
        // Entities mostly come in the order of their ids: the last one of this key is right before, without a search.
        if height == 1, let newest, newest.id < id, IndexKey.areEqual(newest.key, key),
            newest.next.map({ $0.order(key, keyHead, id) > 0 }) ?? true
        {
            let node = make()
            node.setNext(newest.next, 0)
            newest.setNext(node, 0)
            publish(node)
            return nil
        }
        let finger = fingers + Int(key.first ?? 0) % Self.fingerCount * Self.heightMaximum
        seek(key, keyHead, id, finger)
        if let known = finger[0].next, known.order(key, keyHead, id) == 0 { return known.add(isPresent, transaction, in: &memory) }
        let node = make()
        for level in 0..<height {
            // Others may have been put in here since the finger came by.
            while let next = finger[level].next(level), next.order(key, keyHead, id) < 0 { finger[level] = next }
            node.setNext(finger[level].next(level), level)
        }
        for level in 0..<height {
            finger[level].setNext(node, level)
            finger[level] = node
        }
        publish(node)
        return nil
    }

    /// Moves a finger so that on the lowest levels it is right before (key, id). Above, it may be further back.
    private func seek(
        _ key: UnsafeRawBufferPointer, _ keyHead: UInt64, _ id: UInt64, _ finger: UnsafeMutablePointer<Node>
    ) {
        var level = 0
        if finger[0] == head || finger[0].order(key, keyHead, id) < 0 {
            // Up only as far as the place is away.
            while level < Self.heightMaximum - 1, let next = finger[level].next(level), next.order(key, keyHead, id) < 0 {
                level += 1
            }
        } else {
            level = Self.heightMaximum - 1
            finger.update(repeating: head, count: Self.heightMaximum)
        }
        var moved: Node?
        while true {
            var node = moved ?? finger[level]
            while let next = node.next(level), next.order(key, keyHead, id) < 0 {
                node = next
                moved = next
            }
            finger[level] = node
            if level == 0 { return }
            level -= 1
        }
    }
}
