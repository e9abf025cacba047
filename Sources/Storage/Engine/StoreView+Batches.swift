internal import CPrefetch
internal import GraphModel
internal import Synchronization

/// Expansion of many nodes. What one node needs is a chain of cache misses; done for several nodes stage by stage, with
/// what the next stage reads asked for by the one before, the misses overlap.
extension StoreView {
    private static let batchCount = 16

    /// Calls `body` with each node and its run, nil when that has to be put together.
    @inline(__always)
    func forEachRun(
        _ nodes: UnsafeBufferPointer<UInt64>, isIncoming: Bool, types: [TokenID], mayChange: Bool,
        _ body: (UInt64, NeighbourRun?) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: NeighbourRun?.self, capacity: Self.batchCount) { runs in
            var index = 0
            while index < nodes.count {
                let count = min(Self.batchCount, nodes.count - index)
                for place in 0..<count { base.prefetchAdjacency(nodes[index + place], isIncoming: isIncoming) }
                for place in 0..<count {
                    let run = run(nodes[index + place], isIncoming: isIncoming, types: types, mayChange: mayChange)
                    run?.prefetch()
                    runs.initializeElement(at: place, to: run)
                }
                for place in 0..<count { body(nodes[index + place], runs[place]) }
                index += count
            }
        }
    }

    /// Calls `run` and `edge` with the visible parts of many nodes' relationships, one node after the other, where
    /// overlays have changed some.
    @inline(__always)
    func forEachPart(
        _ nodes: UnsafeBufferPointer<UInt64>, isIncoming: Bool, types: [TokenID], at transaction: UInt64,
        run: (borrowing Adjacency, TokenID, Range<Int>) -> Void,
        edge: (TokenID, _ neighbour: UInt64, _ relationship: UInt64) -> Void
    ) {
        let layerCount = layers.count
        withUnsafeTemporaryAllocation(
            of: UnsafeMutablePointer<NodeEntry>?.self, capacity: Self.batchCount * layerCount
        ) { entries in
            var index = 0
            while index < nodes.count {
                let count = min(Self.batchCount, nodes.count - index)
                for place in 0..<count {
                    base.prefetchAdjacency(nodes[index + place], isIncoming: isIncoming)
                    for number in 0..<layerCount { layers[number].nodes.prefetch(nodes[index + place]) }
                }
                for place in 0..<count {
                    for number in 0..<layerCount {
                        let entry = layers[number].node(nodes[index + place])
                        if let entry { martlet_prefetch(entry) }
                        entries.initializeElement(at: place * layerCount + number, to: entry)
                    }
                    if let (adjacency, slot) = base.adjacency(nodes[index + place], isIncoming: isIncoming) {
                        adjacency.pointee.run(adjacency.pointee.run(slot)).prefetch()
                    }
                }
                for entry in entries[..<(count * layerCount)] {
                    entry?.pointee.withDelta(isIncoming: isIncoming) { $0.prefetch() }
                }
                for place in 0..<count {
                    let changes = Changes(rebasing: entries[place * layerCount..<(place + 1) * layerCount])
                    if let (adjacency, slot) = base.adjacency(nodes[index + place], isIncoming: isIncoming) {
                        forEachRest(adjacency, slot, changes, isIncoming: isIncoming, types: types, at: transaction, run)
                    }
                    forEachAdded(changes, isIncoming: isIncoming, types: types, at: transaction, edge)
                }
                index += count
            }
        }
    }
}
