/// Decides whether a traversal may visit a position, and remembers what it has to for that.
struct UniquenessFilter: Sendable {
    private let uniqueness: Uniqueness
    private var visited = VisitedSet()
    private var recent: RecentSet

    init(_ uniqueness: Uniqueness) {
        self.uniqueness = uniqueness
        switch uniqueness {
        case .nodeRecent(let count), .relationshipRecent(let count): recent = RecentSet(capacity: count)
        case .none, .nodeGlobal, .relationshipGlobal, .nodePath, .relationshipPath: recent = RecentSet(capacity: 1)
        }
    }

    var byteCount: Int { visited.byteCount + recent.byteCount }

    /// A start node has no relationship, so only what looks at nodes can refuse it.
    mutating func admitsStart(_ node: UInt64) -> Bool {
        switch uniqueness {
        case .nodeGlobal: visited.insert(node)
        case .nodeRecent: recent.insert(node)
        case .none, .nodePath, .relationshipPath, .relationshipGlobal, .relationshipRecent: true
        }
    }

    /// Whether `node` may be visited by way of `relationship` from the branch at `parent`.
    @inline(__always)
    mutating func admits(
        _ node: UInt64, _ relationship: UInt64, behind parent: Int, _ branches: ContiguousArray<Branch>
    ) -> Bool {
        switch uniqueness {
        case .none: true
        case .nodeGlobal: visited.insert(node)
        case .relationshipGlobal: visited.insert(relationship)
        case .nodeRecent: recent.insert(node)
        case .relationshipRecent: recent.insert(relationship)
        case .nodePath: !branches.pathHolds(node: node, upTo: parent)
        case .relationshipPath: !branches.pathHolds(relationship: relationship, upTo: parent)
        }
    }
}

extension ContiguousArray<Branch> {
    /// Whether a node is in the path to the branch at a place.
    func pathHolds(node: UInt64, upTo index: Int) -> Bool {
        var place = index
        while place >= 0 {
            if self[place].node == node { return true }
            place = Int(self[place].parent)
        }
        return false
    }

    /// Whether a relationship is in the path to the branch at a place.
    func pathHolds(relationship: UInt64, upTo index: Int) -> Bool {
        var place = index
        while place >= 0 {
            let branch = self[place]
            if branch.parent >= 0 && branch.relationship == relationship { return true }
            place = Int(branch.parent)
        }
        return false
    }
}
