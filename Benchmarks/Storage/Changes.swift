internal import GraphModel
internal import Storage

/// Changes a part of a graph's relationships, half of it by deleting some and half by adding others, spread evenly.
enum Changes {
    static func make(_ store: Store, part: Double, type: String) throws {
        let committer = try LocalCommitter(store)
        let count = Int(Double(store.relationshipCount) * part / 2)
        let nodeCount = UInt64(store.nodeCount)
        let stride = UInt64(Double(store.relationshipCount) / Double(max(count, 1)))
        var random: UInt64 = 88_172_645_463_325_252
        func next() -> UInt64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random
        }
        let (_, seconds) = try timed {
            for first in Swift.stride(from: 0, to: count, by: 10_000) {
                let transaction = committer.begin(nodes: 0, relationships: 10_000)
                for index in first..<min(first + 10_000, count) {
                    try transaction.deleteRelationship(RelationshipID(UInt64(index) * stride))
                    _ = try transaction.createRelationship(
                        type: type, from: NodeID(next() % nodeCount), to: NodeID(next() % nodeCount))
                }
                try committer.commitAndWait(transaction)
            }
        }
        report("changes", Double(2 * count) / seconds, "changes/s", "\(2 * count)")
    }
}
