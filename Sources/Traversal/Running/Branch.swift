internal import GraphModel

/// One position of a traversal: a node, how it was reached, and what was decided there.
struct Branch: Sendable {
    let node: UInt64
    /// Undefined at a start node.
    let relationship: UInt64
    /// The place of the branch before; -1 at a start node.
    let parent: Int32
    /// How many relationships the path to it has.
    let length: Int32
    /// The place of its ``Expansion``, or one of the states below.
    var expansion: Int32
    var evaluation: Evaluation

    static let unexpanded: Int32 = -1
    static let exhausted: Int32 = -2
}

/// Relationships that wait to be followed from one branch. The buffers are used again and again.
struct Expansion: Sendable {
    var neighbours: ContiguousArray<UInt64> = []
    var relationships: ContiguousArray<UInt64> = []
    var next = 0

    mutating func removeAll() {
        next = 0
        // A hub's buffers are not kept for nodes with a few relationships.
        let isKept = neighbours.capacity <= 1 << 12
        neighbours.removeAll(keepingCapacity: isKept)
        relationships.removeAll(keepingCapacity: isKept)
    }
}
