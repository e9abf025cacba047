internal import Cypher
internal import GraphModel
internal import Storage

extension Planner {
    /// Plans one MATCH with its WHERE.
    func match(
        _ parts: [PatternPart], _ filter: Expression?, isOptional: Bool, _ offset: Int, mustConnect: Bool = true
    ) throws(GraphError) {
        let outer = scope
        // Conversions of bound values are steps of their own and stay outside of an optional part.
        let graph = try patternGraph(parts)
        if context.dialect == .cypher18, mustConnect, !outer.visible.isEmpty { try requireConnected(graph, offset) }
        var conditions = graph.conditions
        for conjunct in filter?.conjuncts ?? [] {
            try refuseAggregates(in: conjunct)
            try compiler().require(conjunct, .boolean, "WHERE takes a condition")
            conditions.append(conjunct)
        }
        let outside = steps
        if isOptional { steps = [] }
        var planner = MatchPlanner(self, graph, outer: outer, conditions)
        try planner.plan()
        if isOptional {
            let nulls = scope.variables.filter { outer.find($0.name) == nil }.map(\.slot)
            steps = outside + [.optional(steps, nulls: nulls, row: context.slot(.node))]
        }
        found = scope
        var visible = Scope()
        for variable in scope.visible { visible.add(variable) }
        scope = visible
    }

    /// The slot that the last MATCH gave to an element, named or not.
    func everFound(_ name: String) -> Slot? { found.find(name)?.slot }

    /// The manual's language wants every part of a pattern to hang on a starting point.
    private func requireConnected(_ graph: PatternGraph, _ offset: Int) throws(GraphError) {
        var reached = Set(graph.vertices.indices.filter { graph.vertices[$0].isBound })
        for edge in graph.edges where edge.isBound { reached.formUnion([edge.from, edge.to]) }
        if graph.connected(with: reached).count < graph.vertices.count {
            throw fail("a part of this pattern is not connected to any starting point", at: offset)
        }
    }
}
