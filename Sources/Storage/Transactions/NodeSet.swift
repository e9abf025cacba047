public import GraphModel

/// A set of nodes in the order in which they were added, for expanding level by level: a bit per node of the store, and
/// the list of those that are in. Emptying costs what is in it; reuse one for many walks.
public struct NodeSet: ~Copyable {
    private var words: ContiguousArray<UInt64> = []
    private var members: ContiguousArray<UInt64> = []
    /// One past the last of `members` that is used; the rest is room.
    public private(set) var count = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    /// A node by its place in the order in which they were added.
    public subscript(place: Int) -> UInt64 {
        precondition(place < count)
        return members[place]
    }

    /// Appends the nodes at some places to an array.
    public func append(_ places: Range<Int>, to nodes: inout ContiguousArray<UInt64>) {
        precondition(places.upperBound <= count)
        nodes.append(contentsOf: members[places])
    }

    /// Takes out the nodes for which `isKept` is false, called with their places; the others stay in order.
    public mutating func filter(_ isKept: (Int) -> Bool) {
        var kept = 0
        for place in 0..<count {
            let node = members[place]
            if isKept(place) {
                members[kept] = node
                kept += 1
            } else {
                words[Int(node >> 6)] &= ~(1 << (node & 63))
            }
        }
        count = kept
    }

    /// Empties it, and gives back memory that is more than `byteCount`.
    public mutating func removeAll(keepingAtMost byteCount: Int) {
        if (words.count + members.count) * 8 > byteCount { self = NodeSet() } else { removeAll() }
    }

    /// Makes room for all nodes below an id.
    mutating func reserve(upTo end: UInt64) {
        let wordCount = Int(end >> 6) + 1
        if words.count < wordCount { words.append(contentsOf: repeatElement(0, count: wordCount - words.count)) }
    }

    public func contains(_ node: NodeID) -> Bool {
        let word = Int(node.rawValue >> 6)
        return word < words.count && words[word] & (1 << (node.rawValue & 63)) != 0
    }

    /// Adds a node; true when it is new.
    @discardableResult
    public mutating func insert(_ node: NodeID) -> Bool {
        reserve(upTo: node.rawValue)
        let before = count
        insert(node.rawValue)
        return count > before
    }

    /// Adds a node for which there is room.
    @inline(__always)
    mutating func insert(_ node: UInt64) {
        let word = Int(truncatingIfNeeded: node >> 6)
        let old = words[word]
        let bit = (1 as UInt64) << (node & 63)
        if old & bit != 0 { return }
        words[word] = old | bit
        if count == members.count { members.append(node) } else { members[count] = node }
        count += 1
    }

    /// Adds a run for whose nodes there is room.
    @inline(__always)
    mutating func insert(_ run: NeighbourRun) {
        if run.isWide {
            insert(run.base.assumingMemoryBound(to: UInt64.self), run.count)
        } else {
            insert(run.base.assumingMemoryBound(to: UInt32.self), run.count)
        }
    }

    /// Without a branch per node: whether one is new is as good as random.
    @inline(__always)
    private mutating func insert<ID: FixedWidthInteger & UnsignedInteger>(_ nodes: UnsafePointer<ID>, _ nodeCount: Int) {
        if members.count < count + nodeCount {
            members.append(contentsOf: repeatElement(0, count: max(members.count, count + nodeCount - members.count, 64)))
        }
        var end = count
        let wordCount = words.count
        words.withUnsafeMutableBufferPointer { words in
            members.withUnsafeMutableBufferPointer { members in
                for index in 0..<nodeCount {
                    let node = UInt64(nodes[index])
                    let word = Int(truncatingIfNeeded: node >> 6)
                    // The segment's verification bounds ids by the store's highest.
                    assert(word < wordCount)
                    let old = words[word]
                    words[word] = old | (1 as UInt64) << (node & 63)
                    members[end] = node
                    end &+= 1 &- Int(truncatingIfNeeded: old >> (node & 63) & 1)
                }
            }
        }
        count = end
    }

    public mutating func removeAll() {
        if count * 4 > words.count {
            for index in words.indices { words[index] = 0 }
        } else {
            for index in 0..<count { words[Int(members[index] >> 6)] = 0 }
        }
        count = 0
    }

    /// The nodes in the order in which they were added.
    public func forEach(_ body: (UInt64) -> Void) { for index in 0..<count { body(members[index]) } }

    func withNodes<R>(_ body: (UnsafeBufferPointer<UInt64>) -> R) -> R {
        members.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[..<count])) }
    }
}
