internal import GraphModel
internal import Storage

/// The limit for expansions: the outgoing relationships of a type as a compressed sparse row in plain memory, without
/// versions, changes, types or anything else that makes a database.
final class PlainGraph {
    private let offsets: UnsafeMutableBufferPointer<UInt32>
    private let targets: UnsafeMutableBufferPointer<UInt32>
    private let stamps: UnsafeMutableBufferPointer<UInt32>
    private let firstLevel: UnsafeMutableBufferPointer<UInt32>
    private var round: UInt32 = 0
    let nodeCount: Int

    /// Copies what a transaction sees of nodes 0 up to `nodeCount`.
    init(_ transaction: Transaction, nodeCount: Int, types: [TokenID]) {
        self.nodeCount = nodeCount
        offsets = .allocate(capacity: nodeCount + 1)
        stamps = .allocate(capacity: nodeCount)
        firstLevel = .allocate(capacity: nodeCount)
        stamps.initialize(repeating: 0)
        var all: ContiguousArray<UInt64> = []
        for node in 0..<nodeCount {
            offsets[node] = UInt32(all.count)
            transaction.expand(NodeID(UInt64(node)), .outgoing, types: types, neighbours: &all)
        }
        offsets[nodeCount] = UInt32(all.count)
        targets = .allocate(capacity: all.count)
        for (index, target) in all.enumerated() { targets[index] = UInt32(target) }
    }

    deinit {
        offsets.deallocate()
        targets.deallocate()
        stamps.deallocate()
        firstLevel.deallocate()
    }

    var edgeCount: Int { targets.count }

    /// The number of neighbours of all starts, and the sum of their ids so that each is really read.
    func oneHop(_ starts: [UInt32]) -> (edgeCount: Int, sum: UInt64) {
        var edgeCount = 0
        var sum: UInt64 = 0
        for start in starts {
            let (first, end) = (Int(offsets[Int(start)]), Int(offsets[Int(start) + 1]))
            edgeCount += end - first
            for index in first..<end { sum &+= UInt64(targets[index]) }
        }
        return (edgeCount, sum)
    }

    /// The number of distinct nodes at the end of two steps, added up over all starts, and how many edges that takes.
    func twoHops(_ starts: [UInt32]) -> (edgeCount: Int, distinctCount: Int) {
        var edgeCount = 0
        var distinctCount = 0
        for start in starts {
            round += 2
            let (marker, end) = (round, Int(offsets[Int(start) + 1]))
            var firstCount = 0
            for index in Int(offsets[Int(start)])..<end {
                let node = targets[index]
                edgeCount += 1
                if stamps[Int(node)] == marker - 1 { continue }
                stamps[Int(node)] = marker - 1
                firstLevel[firstCount] = node
                firstCount += 1
            }
            for index in 0..<firstCount {
                let node = Int(firstLevel[index])
                let (first, end) = (Int(offsets[node]), Int(offsets[node + 1]))
                edgeCount += end - first
                for index in first..<end {
                    let target = Int(targets[index])
                    if stamps[target] != marker {
                        stamps[target] = marker
                        distinctCount += 1
                    }
                }
            }
        }
        return (edgeCount, distinctCount)
    }
}
