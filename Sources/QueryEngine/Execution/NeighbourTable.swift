internal import GraphModel
internal import Storage

/// The relationships of one node by their other ends: for asking about many ends, one after the other.
struct NeighbourTable {
    private var neighbours: ContiguousArray<UInt64> = []
    /// Parallel to `neighbours`, when they were asked for.
    private var relationships: ContiguousArray<UInt64> = []
    private(set) var hasRelationships = false
    /// Per relationship the next one to the same end; -1 for none.
    private var next: ContiguousArray<Int32> = []
    /// Open addressing: the end, and its first relationship in the lower half of a word that is current only with the
    /// generation in its upper half. So nothing needs to be emptied.
    private var keys: ContiguousArray<UInt64> = []
    private var entries: ContiguousArray<UInt64> = []
    private var generation: UInt64 = 0
    private var mask = 0

    /// Takes the relationships of a node.
    mutating func fill(
        _ transaction: Transaction, _ node: UInt64, _ direction: Direction, _ types: [TokenID], withRelationships: Bool
    ) {
        neighbours.removeAll(keepingCapacity: true)
        relationships.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        hasRelationships = withRelationships
        if withRelationships {
            transaction.expand(
                NodeID(node), direction, types: types, neighbours: &neighbours, relationships: &relationships)
        } else {
            transaction.expand(NodeID(node), direction, types: types, neighbours: &neighbours)
        }
        let wanted = max(16, neighbours.count * 2)
        if keys.count < wanted || generation >= UInt64(UInt32.max) - 1 {
            let count = 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
            keys = ContiguousArray(repeating: 0, count: max(count, keys.count))
            entries = ContiguousArray(repeating: 0, count: max(count, keys.count))
            generation = 0
        }
        mask = keys.count - 1
        generation += 1
        let current = generation << 32
        for index in 0..<neighbours.count {
            let neighbour = neighbours[index]
            var place = IDSet.hash(neighbour) & mask
            while entries[place] >= current && keys[place] != neighbour { place = (place + 1) & mask }
            if entries[place] >= current {
                next.append(Int32(truncatingIfNeeded: entries[place] & 0xFFFF_FFFF))
            } else {
                keys[place] = neighbour
                next.append(-1)
            }
            entries[place] = current | UInt64(index)
        }
    }

    /// The last of a node's relationships to an end, -1 for none; ``following(_:)`` has the others.
    @inline(__always)
    func first(_ end: UInt64) -> Int32 {
        let current = generation << 32
        var place = IDSet.hash(end) & mask
        while entries[place] >= current {
            if keys[place] == end { return Int32(truncatingIfNeeded: entries[place] & 0xFFFF_FFFF) }
            place = (place + 1) & mask
        }
        return -1
    }

    @inline(__always)
    func following(_ entry: Int32) -> Int32 { next[Int(entry)] }

    func relationship(_ entry: Int32) -> UInt64 { relationships[Int(entry)] }

    /// How many relationships lead to an end.
    @inline(__always)
    func count(_ end: UInt64) -> Int {
        var entry = first(end)
        var count = 0
        while entry >= 0 {
            count += 1
            entry = next[Int(entry)]
        }
        return count
    }

    /// Forgets everything, and unusual amounts of memory.
    mutating func reset() {
        if keys.count > 1 << 14 { self = NeighbourTable() }
    }
}
