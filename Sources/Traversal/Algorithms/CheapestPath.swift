public import GraphModel
public import Storage

/// Finds the cheapest paths: Dijkstra's algorithm (1959), or A* (Hart, Nilsson, Raphael 1968) when there is an estimate.
///
/// Costs are added up from the start as doubles; paths tie when their sums are equal to the last bit.
public struct CheapestPath: PathFinder {
    private let expander: PathExpander
    private let cost: CostEvaluator
    private let estimate: EstimateEvaluator?

    init(_ expander: PathExpander, _ cost: CostEvaluator, estimate: EstimateEvaluator?) {
        self.expander = expander
        self.cost = cost
        self.estimate = estimate
    }

    public func forEachPath(
        from start: NodeID, to end: NodeID, in transaction: Transaction, control: TraversalControl,
        _ body: (WeightedPath) throws(GraphError) -> Bool
    ) throws(GraphError) {
        try search(from: start, to: end, in: transaction, control, keepsTies: true, body)
    }

    public func findSinglePath(
        from start: NodeID, to end: NodeID, in transaction: Transaction, control: TraversalControl = TraversalControl()
    ) throws(GraphError) -> WeightedPath? {
        var found: WeightedPath?
        try search(from: start, to: end, in: transaction, control, keepsTies: false) { path in
            found = path
            return false
        }
        return found
    }

    /// What the search knows of each node that it has met, by the nodes' places.
    private struct Known {
        var graph = SearchGraph()
        var costs: ContiguousArray<Double> = []
        var estimates: ContiguousArray<Double> = []
        var areExpanded: ContiguousArray<Bool> = []
        var waiting = MinimumHeap()

        var byteCount: Int { graph.byteCount + graph.count * 17 + waiting.byteCount }
    }

    private func search(
        from start: NodeID, to end: NodeID, in transaction: Transaction, _ control: TraversalControl, keepsTies: Bool,
        _ body: (WeightedPath) throws(GraphError) -> Bool
    ) throws(GraphError) {
        try requireNodes(start, end, in: transaction)
        let expander = ResolvedExpander(expander, in: transaction)
        let cost = ResolvedCost(cost, in: transaction)
        var known = Known()
        var expansion = Expansion()
        var steps = StepCounter()
        var target: Int?
        try meet(start, at: 0, toward: end, in: transaction, &known)
        while let (priority, slot) = known.waiting.pop() {
            if let target, priority > known.costs[target] { break }
            if known.areExpanded[slot] { continue }
            known.areExpanded[slot] = true
            if known.graph.node(slot) == end.rawValue {
                target = slot
                // Nothing is cheaper; other ways of the same cost may still come by way of nodes that wait.
                if keepsTies { continue } else { break }
            }
            expansion.removeAll()
            try expander.expand(known.graph.node(slot), in: transaction, into: &expansion)
            for place in expansion.neighbours.indices {
                if steps.step() { try control.require(known.byteCount) }
                let relationship = expansion.relationships[place]
                let sum = known.costs[slot] + (try cost.cost(RelationshipID(relationship), in: transaction))
                let neighbour = NodeID(expansion.neighbours[place])
                let other = try meet(neighbour, at: sum, toward: end, in: transaction, &known)
                if sum < known.costs[other] || known.graph.firstEdge(other) < 0 && other != 0 {
                    known.costs[other] = sum
                    // With an estimate that is not consistent a node may turn out to be nearer after it was expanded.
                    known.areExpanded[other] = false
                    known.waiting.push(sum + known.estimates[other], other)
                    known.graph.setEdge(to: other, by: relationship, from: slot)
                } else if keepsTies && sum == known.costs[other] {
                    known.graph.addEdge(to: other, by: relationship, from: slot)
                }
            }
        }
        guard let target else { return }
        var paths = BackwardPaths(known.graph, from: target, to: 0, isLoopFree: false)
        while try paths.next(control, &steps) {
            var nodes = [end]
            var relationships: [RelationshipID] = []
            paths.appendSteps(nodes: &nodes, relationships: &relationships)
            nodes.reverse()
            relationships.reverse()
            let path = WeightedPath(Path(nodes: nodes, relationships: relationships), weight: known.costs[target])
            if try !body(path) { return }
        }
    }

    /// The place of a node; one that is new gets a cost and its estimate.
    @discardableResult
    private func meet(
        _ node: NodeID, at cost: Double, toward end: NodeID, in transaction: Transaction, _ known: inout Known
    ) throws(GraphError) -> Int {
        let (slot, isNew) = try known.graph.take(node.rawValue)
        guard isNew else { return slot }
        let estimated = try estimate?(node, end, transaction) ?? 0
        guard estimated >= 0 else {
            throw GraphError(
                .argumentError, "the estimate for node \(node.rawValue) is \(estimated): it must be a number of at least 0")
        }
        known.costs.append(cost)
        known.estimates.append(estimated)
        known.areExpanded.append(false)
        if slot == 0 { known.waiting.push(estimated, slot) }
        return slot
    }
}

/// A cost evaluator whose property is a number of one store.
private struct ResolvedCost {
    private let evaluator: CostEvaluator
    private let token: TokenID?

    init(_ evaluator: CostEvaluator, in transaction: Transaction) {
        self.evaluator = evaluator
        if case .property(let key, _) = evaluator.kind {
            token = transaction.token(.propertyKey, key)
        } else {
            token = nil
        }
    }

    func cost(_ id: RelationshipID, in transaction: Transaction) throws(GraphError) -> Double {
        let cost: Double
        switch evaluator.kind {
        case .custom(let body): cost = try body(id, transaction)
        case .property(let key, let defaultCost):
            guard let value = token.flatMap({ transaction.property($0, ofRelationship: id) }) else {
                guard let defaultCost else {
                    throw GraphError(
                        .propertyNotFound,
                        "Relationship[\(id.rawValue)] has no property \"\(key)\" that says what it costs: set it, or give a default cost")
                }
                cost = defaultCost
                break
            }
            cost = try Self.number(value, key, id)
        }
        // Not a number is not at least 0 either.
        guard cost >= 0 else {
            throw GraphError(
                .argumentError, "the cost of relationship \(id.rawValue) is \(cost): it must be a number of at least 0")
        }
        return cost
    }

    private static func number(_ value: Value, _ key: String, _ id: RelationshipID) throws(GraphError) -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .float(let number): return number
        case .string(let text): if let number = Double(text.text) { return number }
        default: break
        }
        throw GraphError(
            .typeError, "property \"\(key)\" of relationship \(id.rawValue) is of type \(value.kindName): a cost must be a number")
    }
}
