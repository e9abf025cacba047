internal import GraphModel
internal import Storage

/// Evaluators made ready for one store: those that look at the depth alone are one comparison.
struct ResolvedEvaluators: Sendable {
    private enum Test: Sendable {
        case lastRelationshipType([TokenID], matching: Evaluation, otherwise: Evaluation)
        case endNode(Set<NodeID>, matching: Evaluation, otherwise: Evaluation)
        case containsAll(Set<NodeID>)
        case acceptedByAny([ResolvedEvaluators])
        case custom(@Sendable (TraversalPosition) throws(GraphError) -> Evaluation)
    }
    private var minimum = 0
    private var maximum = Int.max
    private var continuesBelow = Int.max
    private var tests: [Test] = []

    init(_ evaluators: [Evaluator], in transaction: Transaction) {
        for evaluator in evaluators {
            switch evaluator.kind {
            case .depth(let minimum, let maximum, let continuesBelow):
                self.minimum = max(self.minimum, minimum)
                self.maximum = min(self.maximum, maximum)
                self.continuesBelow = min(self.continuesBelow, continuesBelow)
            case .lastRelationshipType(let types, let matching, let otherwise):
                let tokens = types.compactMap { transaction.token(.relationshipType, $0) }
                tests.append(.lastRelationshipType(tokens, matching: matching, otherwise: otherwise))
            case .endNode(let nodes, let matching, let otherwise):
                tests.append(.endNode(nodes, matching: matching, otherwise: otherwise))
            case .containsAll(let nodes): tests.append(.containsAll(nodes))
            case .acceptedByAny(let evaluators):
                tests.append(.acceptedByAny(evaluators.map { ResolvedEvaluators([$0], in: transaction) }))
            case .custom(let body): tests.append(.custom(body))
            }
        }
    }

    /// Whether the depth alone does not decide.
    var looksAtPaths: Bool { !tests.isEmpty }

    /// What those decide that look at the depth alone.
    @inline(__always)
    func byDepth(_ length: Int) -> Evaluation {
        Evaluation(includes: length >= minimum && length <= maximum, continues: length < continuesBelow)
    }

    /// What all of them decide about the branch at a place, `first` being what the depth says. Those that come after one
    /// that ends the branch are not asked.
    func evaluate(
        _ first: Evaluation, _ branches: ContiguousArray<Branch>, _ index: Int, in transaction: Transaction
    ) throws(GraphError) -> Evaluation {
        var result = first
        for test in tests {
            if result == .excludeAndPrune { return result }
            result = result.and(try evaluate(test, branches, index, in: transaction))
        }
        return result
    }

    private func evaluate(
        _ test: Test, _ branches: ContiguousArray<Branch>, _ index: Int, in transaction: Transaction
    ) throws(GraphError) -> Evaluation {
        let branch = branches[index]
        switch test {
        case .lastRelationshipType(let types, let matching, let otherwise):
            guard branch.parent >= 0, let record = transaction.relationship(RelationshipID(branch.relationship)) else {
                return otherwise
            }
            return types.contains(record.type) ? matching : otherwise
        case .endNode(let nodes, let matching, let otherwise):
            return nodes.contains(NodeID(branch.node)) ? matching : otherwise
        case .containsAll(let nodes):
            var missing = nodes
            var place = index
            while place >= 0, !missing.isEmpty {
                missing.remove(NodeID(branches[place].node))
                place = Int(branches[place].parent)
            }
            return Evaluation(includes: missing.isEmpty, continues: true)
        case .acceptedByAny(let evaluators):
            for evaluator in evaluators {
                let first = evaluator.byDepth(Int(branch.length))
                if try evaluator.evaluate(first, branches, index, in: transaction).includes { return .includeAndContinue }
            }
            return .excludeAndContinue
        case .custom(let body): return try body(TraversalPosition(branches, index, in: transaction))
        }
    }
}
