public import GraphModel
public import Storage

/// The branches that a traversal has met so far, in one array, each with the place of the one before it; where a
/// ``BranchSelector`` gets further ones.
///
/// Holds ids alone, so it may outlive the transaction that it was begun in.
public struct BranchTree: Sendable {
    private let description: TraversalDescription
    private var control: TraversalControl
    private let starts: [NodeID]
    private var nextStart = 0
    private(set) var branches: ContiguousArray<Branch> = []
    private var expansions: ContiguousArray<Expansion> = []
    private var freeExpansions: ContiguousArray<Int32> = []
    /// Relationships that wait in expansions.
    private var waitingCount = 0
    private var filter: UniquenessFilter
    private var expander: ResolvedExpander
    private var evaluators: ResolvedEvaluators
    private var steps = StepCounter()
    /// Whether what waits may have been deleted since.
    private var mayBeStale: Bool

    init(
        _ description: TraversalDescription, from starts: [NodeID], in transaction: Transaction,
        control: TraversalControl
    ) {
        self.description = description
        self.control = control
        self.starts = starts
        filter = UniquenessFilter(description.uniqueness)
        expander = ResolvedExpander(description.expander, in: transaction)
        evaluators = ResolvedEvaluators(description.evaluators, in: transaction)
        mayBeStale = !transaction.isReadOnly
    }

    /// Goes on in another transaction, under another control. Relationships that are gone by then are not followed; those
    /// that are new are, from nodes that were not expanded yet.
    mutating func resume(in transaction: Transaction, control: TraversalControl) {
        self.control = control
        expander = ResolvedExpander(description.expander, in: transaction)
        evaluators = ResolvedEvaluators(description.evaluators, in: transaction)
        mayBeStale = true
    }

    /// Bytes that it takes, roughly.
    var byteCount: Int { branches.capacity * 32 + waitingCount * 16 + expansions.count * 32 + filter.byteCount }

    // MARK: For selectors

    public func length(of branch: TraversalBranch) -> Int {
        branch.index < 0 ? 0 : Int(branches[branch.index].length)
    }

    /// The path to a branch, which must not be the root.
    public func position(of branch: TraversalBranch, in transaction: Transaction) -> TraversalPosition {
        TraversalPosition(branches, branch.index, in: transaction)
    }

    /// The next branch behind another one, already evaluated; nil when there are no more.
    public mutating func next(
        of branch: TraversalBranch, in transaction: Transaction
    ) throws(GraphError) -> TraversalBranch? {
        let child = branch.index < 0 ? try takeStart(in: transaction) : try takeChild(of: branch.index, in: transaction)
        return child.map { TraversalBranch(index: $0) }
    }

    // MARK: For the built-in orders

    /// Forgets the last branch, for orders that do not come back to it.
    mutating func removeLast() {
        let slot = branches.removeLast().expansion
        if slot >= 0 { release(slot) }
    }

    /// The place of the branch of the next start node; nil after the last. Throws `.entityNotFound` when the node is not
    /// there.
    mutating func takeStart(in transaction: Transaction) throws(GraphError) -> Int? {
        while nextStart < starts.count {
            let node = starts[nextStart]
            nextStart += 1
            guard transaction.nodeExists(node) else {
                throw GraphError(.entityNotFound, "Node \(node.rawValue) not found: a traversal cannot start there")
            }
            if filter.admitsStart(node.rawValue) {
                return try append(node: node.rawValue, relationship: 0, parent: -1, length: 0, in: transaction)
            }
        }
        return nil
    }

    /// The place of the next branch behind the one at `parent`; nil when there are no more.
    mutating func takeChild(of parent: Int, in transaction: Transaction) throws(GraphError) -> Int? {
        if branches[parent].expansion == Branch.exhausted { return nil }
        if branches[parent].expansion == Branch.unexpanded { try expand(parent, in: transaction) }
        let slot = Int(branches[parent].expansion)
        if slot < 0 { return nil }
        let count = expansions[slot].neighbours.count
        while expansions[slot].next < count {
            let place = expansions[slot].next
            expansions[slot].next = place + 1
            if steps.step() { try control.require(byteCount) }
            let node = expansions[slot].neighbours[place]
            let relationship = expansions[slot].relationships[place]
            if mayBeStale && transaction.relationship(RelationshipID(relationship)) == nil { continue }
            guard filter.admits(node, relationship, behind: parent, branches) else { continue }
            return try append(
                node: node, relationship: relationship, parent: Int32(parent), length: branches[parent].length + 1,
                in: transaction)
        }
        release(Int32(slot))
        branches[parent].expansion = Branch.exhausted
        return nil
    }

    private mutating func append(
        node: UInt64, relationship: UInt64, parent: Int32, length: Int32, in transaction: Transaction
    ) throws(GraphError) -> Int {
        let index = branches.count
        guard index < Int(Int32.max) else {
            throw GraphError(.queryMemory, "a traversal holds at most \(Int32.max) branches: limit its depth")
        }
        var evaluation = evaluators.byDepth(Int(length))
        branches.append(
            Branch(
                node: node, relationship: relationship, parent: parent, length: length,
                expansion: evaluation.continues ? Branch.unexpanded : Branch.exhausted, evaluation: evaluation))
        if evaluators.looksAtPaths {
            evaluation = try evaluators.evaluate(evaluation, branches, index, in: transaction)
            branches[index].evaluation = evaluation
            if !evaluation.continues { branches[index].expansion = Branch.exhausted }
        }
        return index
    }

    private mutating func expand(_ index: Int, in transaction: Transaction) throws(GraphError) {
        // Out of the array while it is filled, so that its parts can be changed at once.
        var expansion = Expansion()
        let slot = freeExpansions.popLast() ?? Int32(expansions.count)
        if Int(slot) == expansions.count { expansions.append(Expansion()) }
        swap(&expansion, &expansions[Int(slot)])
        try expander.expand(
            branches[index].node, in: transaction,
            position: TraversalPosition(branches, index, in: transaction), into: &expansion)
        let count = expansion.neighbours.count
        swap(&expansion, &expansions[Int(slot)])
        waitingCount += count
        branches[index].expansion = slot
        // What a hub has counts at once.
        if steps.step(1 + count / 64) { try control.require(byteCount) }
    }

    private mutating func release(_ slot: Int32) {
        waitingCount -= expansions[Int(slot)].neighbours.count
        expansions[Int(slot)].removeAll()
        freeExpansions.append(slot)
    }
}
