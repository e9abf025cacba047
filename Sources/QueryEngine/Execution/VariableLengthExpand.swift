internal import GraphModel
internal import Storage

/// From a node along paths of a range of lengths, depth first; no relationship twice in one path.
struct VariableLengthExpandPlan: OperatorPlan {
    var isReusable: Bool { true }
    let expansion: Step.Expansion
    let types: [Int]
    let isRelationshipNeeded: Bool
    let isEndNeeded: Bool
    let properties: [(key: Int, value: Evaluator)]
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { VariableLengthExpandOperator(frame, next: next, self) }
}

private final class VariableLengthExpandOperator: BatchingOperator {
    /// The relationships of one node on the current path, and how far they have been followed.
    private struct Level {
        var neighbours: ContiguousArray<UInt64> = []
        var relationships: ContiguousArray<UInt64> = []
        var next = 0
    }

    private let plan: VariableLengthExpandPlan
    private let minimum: Int
    private let maximum: Int
    /// One more than the path is long; kept for their memory.
    private var levels: [Level] = []
    private var path = RelationshipTrail()
    /// Relationships of other parts of the pattern.
    private var used = RelationshipTrail()
    private var wanted: [(key: TokenID, value: Value)] = []
    private var stepCount = 0
    private var types: [TokenID] = []

    init(_ frame: Frame, next: Operator, _ plan: VariableLengthExpandPlan) {
        self.plan = plan
        minimum = plan.expansion.length?.minimum ?? 1
        maximum = plan.expansion.length?.maximum ?? Int.max
        var produced = [plan.expansion.relationship]
        // A bound end that is needed later is copied here like a found one: they are equal.
        produced.append(plan.expansion.to)
        super.init(frame, next: next, carried: plan.carried, produced: produced)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        let types = frame.tokens(plan.types)
        self.types = types ?? []
        for row in 0..<batch.rowCount {
            let start = batch.columns[plan.expansion.from.index].ids[row]
            if start == noID { continue }
            let end = plan.expansion.isInto ? batch.columns[plan.expansion.to.index].ids[row] : noID
            if plan.expansion.isInto && end == noID { continue }
            try prepare(batch, row)
            path.removeAll()
            if minimum == 0, try !emit(start, end, row, batch) { return false }
            if maximum == 0 || types == nil { continue }
            if try !walk(from: start, to: end, row, batch) { return false }
        }
        return true
    }

    private func prepare(_ batch: Batch, _ row: Int) throws(GraphError) {
        used.removeAll()
        for other in plan.expansion.unique {
            if other.slot.isID {
                used.append(batch.columns[other.slot.index].ids[row])
            } else if case .list(let list) = batch.columns[other.slot.index].values[row] {
                for case .relationship(let id) in list.elements { used.append(id.rawValue) }
            }
        }
        guard !plan.properties.isEmpty else { return }
        frame.batch = batch
        wanted.removeAll(keepingCapacity: true)
        for property in plan.properties {
            wanted.append((frame.token(property.key), try property.value(frame, row)))
        }
    }

    private func walk(from start: UInt64, to end: UInt64, _ row: Int, _ batch: Batch) throws(GraphError) -> Bool {
        var depth = 0
        open(start, depth)
        while depth >= 0 {
            stepCount += 1
            if stepCount & 0xFFF == 0 { try frame.checkControl() }
            let index = levels[depth].next
            guard index < levels[depth].relationships.count else {
                depth -= 1
                if depth >= 0 { path.removeLast() }
                continue
            }
            levels[depth].next = index + 1
            let relationship = levels[depth].relationships[index]
            if path.contains(relationship) || used.contains(relationship) || !matches(relationship) { continue }
            let node = levels[depth].neighbours[index]
            path.append(relationship)
            if path.count >= minimum, try !emit(node, end, row, batch) { return false }
            if path.count < maximum {
                depth += 1
                open(node, depth)
            } else {
                path.removeLast()
            }
        }
        return true
    }

    private func open(_ node: UInt64, _ depth: Int) {
        if levels.count == depth { levels.append(Level()) }
        levels[depth].neighbours.removeAll(keepingCapacity: true)
        levels[depth].relationships.removeAll(keepingCapacity: true)
        levels[depth].next = 0
        var level = Level()
        swap(&level, &levels[depth])
        frame.transaction.expand(
            NodeID(node), plan.expansion.direction, types: types, neighbours: &level.neighbours,
            relationships: &level.relationships)
        swap(&level, &levels[depth])
    }

    private func matches(_ relationship: UInt64) -> Bool {
        for property in wanted {
            guard property.key != noToken,
                let value = frame.transaction.property(property.key, ofRelationship: RelationshipID(relationship)),
                Comparing.equal(value, property.value) == .true
            else { return false }
        }
        return true
    }

    private func emit(_ node: UInt64, _ end: UInt64, _ row: Int, _ batch: Batch) throws(GraphError) -> Bool {
        if end != noID && node != end { return true }
        if plan.isEndNeeded { output.columns[plan.expansion.to.index].ids.append(node) }
        if plan.isRelationshipNeeded {
            let list = path.relationships.map { Value.relationship(RelationshipID($0)) }
            output.columns[plan.expansion.relationship.index].values.append(
                .list(plan.expansion.isReversed ? list.reversed() : list))
        }
        output.append(row, of: batch, carried)
        output.rowCount += 1
        return try flushIfFull(addedElementCount: plan.isRelationshipNeeded ? path.count : 0)
    }

    override func reset() {
        if levels.count > Self.keptLevelCount { levels.removeLast(levels.count - Self.keptLevelCount) }
        for index in levels.indices where levels[index].relationships.capacity > Self.keptCapacity {
            levels[index] = Level()
        }
        path = RelationshipTrail()
        used = RelationshipTrail()
        wanted.removeAll(keepingCapacity: true)
        super.reset()
    }

    private static let keptLevelCount = 16
    private static let keptCapacity = 1 << 12
}

/// Relationships in the order they were added, and whether one is among them. A few are looked through, more are in a set.
struct RelationshipTrail {
    private(set) var relationships: ContiguousArray<UInt64> = []
    private var members: Set<UInt64> = []
    private var usesSet = false
    private static let linearCountMaximum = 64

    var count: Int { relationships.count }

    @inline(__always)
    func contains(_ relationship: UInt64) -> Bool {
        usesSet ? members.contains(relationship) : relationships.contains(relationship)
    }

    mutating func append(_ relationship: UInt64) {
        relationships.append(relationship)
        if usesSet {
            members.insert(relationship)
        } else if relationships.count > Self.linearCountMaximum {
            members = Set(relationships)
            usesSet = true
        }
    }

    /// Takes the last one away; each has been added only once.
    mutating func removeLast() {
        let relationship = relationships.removeLast()
        if usesSet { members.remove(relationship) }
    }

    mutating func removeAll() {
        relationships.removeAll(keepingCapacity: true)
        if usesSet { members = [] }
        usesSet = false
    }
}
