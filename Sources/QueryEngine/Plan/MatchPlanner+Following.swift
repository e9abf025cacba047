internal import Cypher
internal import GraphModel

// Relationships as steps: which way each is followed, and what it must differ from.
extension MatchPlanner {

    mutating func follow(_ index: Int) throws(GraphError) {
        let edge = graph.edges[index]
        let types = uniqueTypes(edge.pattern)
        if edge.shortest != .none {
            try followShortest(edge)
        } else if isBound(edge: index) {
            planner.steps.append(
                .endpoints(
                    .init(
                        relationship: edge.slot, from: graph.vertices[edge.from].slot, to: graph.vertices[edge.to].slot,
                        direction: edge.pattern.direction, types: types, isFromBound: bound.contains(edge.from),
                        isToBound: bound.contains(edge.to),
                        unique: done.sorted().filter { mayBeSame(edge, graph.edges[$0]) }.map { graph.edges[$0].slot }))
            )
        } else {
            let fromStart = bound.contains(edge.from)
            let near = fromStart ? edge.from : edge.to
            let far = edge.other(than: near)
            var expansion = Step.Expansion(
                from: graph.vertices[near].slot, to: graph.vertices[far].slot, relationship: edge.slot,
                direction: fromStart ? edge.pattern.direction : edge.pattern.direction.reversed, types: types,
                isInto: bound.contains(far), unique: uniqueness(edge, near), length: edge.pattern.length)
            expansion.isReversed = !fromStart
            if edge.pattern.length != nil, case .map(let entries) = edge.pattern.properties?.kind {
                for entry in entries {
                    let isKnown = entry.value.variables.allSatisfy { available.contains($0) || !isOfPattern($0) }
                    if isKnown {
                        expansion.properties.append((entry.key, try planner.compile(entry.value)))
                    } else {
                        conditions.append(everyRelationship(of: edge, has: entry))
                    }
                }
            }
            planner.steps.append(.expand(expansion))
        }
        done.insert(index)
        for vertex in [edge.from, edge.to] {
            bound.insert(vertex)
            available.insert(graph.vertices[vertex].name)
        }
        available.insert(edge.name)
        try test(isEnd: false)
    }

    private func isOfPattern(_ name: String) -> Bool {
        graph.vertices.contains { $0.name == name } || graph.edges.contains { $0.name == name }
            || graph.paths.contains { $0.name == name }
    }

    /// What a variable length's map demands, for when all that the value reads has been found.
    private func everyRelationship(of edge: PatternGraph.Edge, has entry: Expression.Entry) -> Condition {
        func expression(_ kind: Expression.Kind) -> Expression { Expression(kind, at: entry.value.offset) }
        let element = "  relationship at \(entry.value.offset)"
        let property = expression(.property(expression(.variable(element)), key: entry.key, missing: .false))
        return Condition(
            expression: expression(
                .quantifier(
                    .all, variable: element, list: expression(.variable(edge.name)),
                    predicate: expression(.compare(.equal, property, entry.value)))),
            names: entry.value.variables.filter { isOfPattern($0) }.union([edge.name]), mayFail: false, isOfPattern: true)
    }

    private func followShortest(_ edge: PatternGraph.Edge) throws(GraphError) {
        let length = edge.pattern.length
        let minimum = length.map { $0.minimum ?? 1 } ?? 1
        guard minimum <= 1 else {
            throw planner.fail("a shortest path has no minimum length but 0 and 1", at: edge.pattern.offset)
        }
        guard edge.pattern.properties == nil else {
            throw planner.fail("properties of a shortest path's relationships are asked for in WHERE", at: edge.pattern.offset)
        }
        let unlimited = planner.context.dialect == .cypher18 ? 15 : Int.max
        planner.steps.append(
            .shortestPath(
                .init(
                    from: graph.vertices[edge.from].slot, to: graph.vertices[edge.to].slot, relationships: edge.slot,
                    direction: edge.pattern.direction, types: uniqueTypes(edge.pattern), minimum: minimum,
                    maximum: length == nil ? 1 : length?.maximum ?? unlimited, findsAll: edge.shortest == .all)))
    }

    private func uniqueTypes(_ pattern: PatternRelationship) -> [String] {
        pattern.types.reduce(into: [String]()) { types, type in
            if !types.contains(where: { codeUnitsEqual($0, type) }) { types.append(type) }
        }
    }

    /// Relationships found before, or bound from outside, that this one must differ from.
    private func uniqueness(_ edge: PatternGraph.Edge, _ near: Int) -> [Step.UniqueAgainst] {
        var result: [Step.UniqueAgainst] = []
        for (index, other) in graph.edges.enumerated() where done.contains(index) && mayBeSame(edge, other) {
            // Two directed relationships can only be the same where they begin at the same node.
            var condition: Slot?
            var farCondition: Slot?
            if edge.pattern.direction != .both, other.pattern.direction != .both, edge.pattern.length == nil,
                other.pattern.length == nil
            {
                // What stands at this relationship's near end: its start or its end; the other's vertex of the same role.
                let nearIsStart = (near == edge.from) == (edge.pattern.direction == .outgoing)
                let otherStart = other.pattern.direction == .outgoing ? other.from : other.to
                let counterpart = nearIsStart ? otherStart : other.other(than: otherStart)
                if counterpart != near { condition = graph.vertices[counterpart].slot }
                let farCounterpart = other.other(than: counterpart)
                if farCounterpart != edge.other(than: near) { farCondition = graph.vertices[farCounterpart].slot }
            }
            result.append(.init(slot: other.slot, onlyWhereFromIs: condition, onlyWhereToIs: farCondition))
        }
        return result
    }

    private func mayBeSame(_ a: PatternGraph.Edge, _ b: PatternGraph.Edge) -> Bool {
        if a.pattern.types.isEmpty || b.pattern.types.isEmpty { return true }
        return a.pattern.types.contains { type in b.pattern.types.contains { codeUnitsEqual($0, type) } }
    }
}
