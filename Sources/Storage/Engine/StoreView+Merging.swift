internal import GraphModel

extension StoreView {
    /// Adds a node's relationships of one direction to a segment that is being built: those of the base that are left,
    /// and the new ones where their ids belong.
    func copyAdjacency(_ node: UInt64, isIncoming: Bool, at transaction: UInt64, to builder: inout AdjacencyBuilder) {
        // First what is new, so that the runs of the base can be cut where it belongs.
        var new: [AdjacencyEntry] = []
        forEachPart(
            node, isIncoming: isIncoming, types: [], at: transaction, run: { _, _, _ in },
            edge: { new.append(AdjacencyEntry(type: $0, neighbour: $1, relationship: $2)) })
        new.sort { ($0.type, $0.relationship) < ($1.type, $1.relationship) }
        var next = 0
        func addNew(before type: TokenID, _ relationship: UInt64) {
            while next < new.count, (new[next].type, new[next].relationship) < (type, relationship) {
                builder.add(
                    type: new[next].type, neighbour: new[next].neighbour, relationship: new[next].relationship)
                next += 1
            }
        }
        forEachPart(
            node, isIncoming: isIncoming, types: [], at: transaction,
            run: { adjacency, type, run in
                var start = run.lowerBound
                while start < run.upperBound {
                    addNew(before: type, adjacency.relationshipIDs[start])
                    // As far as nothing new comes between.
                    var end = run.upperBound
                    if next < new.count, new[next].type == type {
                        end = adjacency.relationshipIDs.lowerBound(of: new[next].relationship, in: start..<end)
                    }
                    builder.add(type: type, start..<end, of: adjacency)
                    start = end
                }
            }, edge: { _, _, _ in })
        addNew(before: .max, .max)
    }
}
