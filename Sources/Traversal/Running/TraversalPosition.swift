public import GraphModel
public import Storage

/// A position that a traversal has reached: the path from a start node to it. What evaluators and expanders look at.
public struct TraversalPosition {
    /// What the traversal reads from.
    public let transaction: Transaction
    private let branches: ContiguousArray<Branch>
    private let index: Int

    init(_ branches: ContiguousArray<Branch>, _ index: Int, in transaction: Transaction) {
        self.branches = branches
        self.index = index
        self.transaction = transaction
    }

    /// A node alone, as a path of length 0.
    init(_ node: NodeID, in transaction: Transaction) {
        let branch = Branch(
            node: node.rawValue, relationship: 0, parent: -1, length: 0, expansion: Branch.exhausted,
            evaluation: .includeAndContinue)
        self.init([branch], 0, in: transaction)
    }

    /// How many relationships the path has; 0 at a start node.
    public var length: Int { Int(branches[index].length) }
    public var endNode: NodeID { NodeID(branches[index].node) }
    /// Nil at a start node.
    public var lastRelationship: RelationshipID? {
        length == 0 ? nil : RelationshipID(branches[index].relationship)
    }
    /// The node where the path begins. O(length).
    public var startNode: NodeID {
        var place = index
        while branches[place].parent >= 0 { place = Int(branches[place].parent) }
        return NodeID(branches[place].node)
    }

    /// Whether the last relationship is of a type; false at a start node.
    public func lastRelationshipIs(_ type: String) -> Bool {
        guard let id = lastRelationship, let record = transaction.relationship(id) else { return false }
        return codeUnitsEqual(transaction.name(.relationshipType, record.type), type)
    }

    /// Whether a node is in the path. O(length).
    public func contains(_ node: NodeID) -> Bool { branches.pathHolds(node: node.rawValue, upTo: index) }

    /// The whole path. O(length).
    public func path() -> Path { branches.path(to: index) }
}

extension ContiguousArray<Branch> {
    /// The path to a branch.
    func path(to index: Int) -> Path {
        let length = Int(self[index].length)
        var place = index
        var nodes: [NodeID] = []
        var relationships: [RelationshipID] = []
        nodes.reserveCapacity(length + 1)
        relationships.reserveCapacity(length)
        while true {
            let branch = self[place]
            nodes.append(NodeID(branch.node))
            if branch.parent < 0 { break }
            relationships.append(RelationshipID(branch.relationship))
            place = Int(branch.parent)
        }
        nodes.reverse()
        relationships.reverse()
        return Path(nodes: nodes, relationships: relationships)
    }
}
