internal import GraphModel
internal import Storage

/// Expansions by the transaction's own calls, as an embedding program would write them.
struct NativeExpansion {
    private let transaction: Transaction
    private let types: [TokenID]
    private var neighbours: ContiguousArray<UInt64> = []
    private var ends: ContiguousArray<UInt64> = []
    private var counts: ContiguousArray<Int> = []
    private var stamps: [UInt32]
    private var round: UInt32 = 0
    private var sum: UInt64 = 0

    init(_ transaction: Transaction, type: TokenID, nodeCount: Int) {
        self.transaction = transaction
        types = [type]
        stamps = Array(repeating: 0, count: nodeCount)
    }

    /// The number of neighbours of all starts.
    mutating func oneHop(_ starts: [UInt32]) -> Int {
        var count = 0
        for start in starts {
            neighbours.removeAll(keepingCapacity: true)
            transaction.expand(NodeID(UInt64(start)), .outgoing, types: types, neighbours: &neighbours)
            count += neighbours.count
            for neighbour in neighbours { sum &+= neighbour }
        }
        return count
    }

    /// The number of distinct nodes at the end of two steps, added up over all starts.
    mutating func twoHops(_ starts: [UInt32]) -> Int {
        var distinctCount = 0
        for start in starts {
            neighbours.removeAll(keepingCapacity: true)
            transaction.expand(NodeID(UInt64(start)), .outgoing, types: types, neighbours: &neighbours)
            ends.removeAll(keepingCapacity: true)
            counts.removeAll(keepingCapacity: true)
            transaction.expand(neighbours[...], .outgoing, types: types, neighbours: &ends, counts: &counts)
            round += 1
            for end in ends where stamps[Int(end)] != round {
                stamps[Int(end)] = round
                distinctCount += 1
            }
        }
        return distinctCount
    }
}
