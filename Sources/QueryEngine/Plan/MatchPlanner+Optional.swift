internal import Cypher
internal import GraphModel

// Optional relationships of the manual's language.
extension MatchPlanner {
    /// Vertices that are known, and for every part of the pattern that hangs on none of them its first vertex.
    func roots() -> Set<Int> {
        var roots = bound
        for edge in graph.edges where edge.isBound { roots.formUnion([edge.from, edge.to]) }
        var reached = roots
        for index in graph.vertices.indices {
            reached = graph.connected(with: reached)
            if reached.insert(index).inserted { roots.insert(index) }
        }
        return roots
    }

    /// Edges that can be reached without crossing an optional one.
    func mandatoryEdges(from roots: Set<Int>) -> Set<Int> {
        if !graph.edges.contains(where: \.pattern.isOptional) { return Set(graph.edges.indices) }
        return closure(of: roots, avoiding: []).edges
    }

    func closure(of roots: Set<Int>, avoiding: Set<Int>) -> (vertices: Set<Int>, edges: Set<Int>) {
        var vertices = roots
        var edges: Set<Int> = []
        var grows = true
        while grows {
            grows = false
            for (index, edge) in graph.edges.enumerated() where !edge.pattern.isOptional && !edges.contains(index) {
                guard !done.contains(index), vertices.contains(edge.from) || vertices.contains(edge.to) else {
                    continue
                }
                edges.insert(index)
                for vertex in [edge.from, edge.to] where !avoiding.contains(vertex) { vertices.insert(vertex) }
                grows = true
            }
        }
        return (vertices, edges)
    }

    func hangsOnOptional(_ vertex: Int, _ mandatory: Set<Int>) -> Bool {
        graph.edges.indices.contains { index in
            !mandatory.contains(index) && (graph.edges[index].from == vertex || graph.edges[index].to == vertex)
        }
    }

    func isReachable(_ index: Int) -> Bool {
        let (from, to) = (bound.contains(graph.edges[index].from), bound.contains(graph.edges[index].to))
        // A shortest path is looked for between two nodes that are known.
        return graph.edges[index].shortest == .none ? from || to : from && to
    }

    /// An optional relationship with everything that hangs on it: found as a whole or null as a whole.
    mutating func followOptional(_ index: Int) throws(GraphError) {
        let edge = graph.edges[index]
        var group: Set<Int> = [index]
        var vertices: Set<Int> = []
        for end in [edge.from, edge.to] where !bound.contains(end) {
            let behind = closure(of: [end], avoiding: bound)
            // a-[?]-x-[?]-b with both ends bound is a full outer join.
            let joins = graph.edges.indices.filter { other in
                let (one, two) = (graph.edges[other].from, graph.edges[other].to)
                return other != index && !done.contains(other) && graph.edges[other].pattern.isOptional
                    && (behind.vertices.contains(one) && bound.contains(two)
                        || behind.vertices.contains(two) && bound.contains(one))
            }
            if joins.count > 1 {
                throw planner.fail(
                    "no more than two optional relationships can stand between bound elements", at: edge.pattern.offset)
            }
            if let other = joins.first { return try followJoin(index, other, through: end) }
            group.formUnion(behind.edges)
            vertices.formUnion(behind.vertices)
        }
        let outside = planner.steps
        planner.steps = []
        isInsideOptional = true
        try follow(group)
        isInsideOptional = false
        let inner = planner.steps
        planner.steps = outside
        let nulls = group.map { graph.edges[$0].slot } + vertices.map { graph.vertices[$0].slot }
        planner.steps.append(.optional(inner, nulls: nulls, row: planner.context.slot(.node)))
    }

    /// `a-[?]-x-[?]-b` with a and b known: every x that one of them knows, once, with what leads there from both.
    private mutating func followJoin(_ first: Int, _ second: Int, through middle: Int) throws(GraphError) {
        let outside = planner.steps
        let outputs = [graph.vertices[middle].slot, graph.edges[first].slot, graph.edges[second].slot]
        let fromFirst = try joinBranch(first, second)
        var fromSecond = try joinBranch(second, first)
        // What both know has been found from the first.
        var compiler = planner.compiler()
        let name = Expression(.variable(graph.edges[first].name), at: graph.edges[first].pattern.offset)
        fromSecond.append(.filter(try compiler.compilePredicate(Expression(.isNull(name), at: name.offset)), isLenient: false))
        planner.steps = [
            .union(
                [.init(steps: fromFirst, columns: outputs), .init(steps: fromSecond, columns: outputs)], outputs: outputs)
        ]
        done.formUnion([first, second])
        bound.insert(middle)
        available.formUnion([graph.vertices[middle].name, graph.edges[first].name, graph.edges[second].name])
        let behind = closure(of: [middle], avoiding: bound.subtracting([middle]))
        isInsideOptional = true
        try follow(behind.edges)
        isInsideOptional = false
        let inner = planner.steps
        let vertices = behind.vertices.subtracting([middle]).map { graph.vertices[$0].slot }
        let nulls = outputs + behind.edges.map { graph.edges[$0].slot } + vertices
        planner.steps = outside + [.optional(inner, nulls: nulls, row: planner.context.slot(.node))]
    }

    /// Follows one of the two for certain and the other where it is there.
    private func joinBranch(_ certain: Int, _ other: Int) throws(GraphError) -> [Step] {
        var branch = self
        branch.isInsideOptional = true
        planner.steps = []
        try branch.follow(certain)
        let lead = planner.steps
        planner.steps = []
        try branch.follow(other)
        let inner = planner.steps
        return lead + [
            .optional(inner, nulls: [graph.edges[other].slot], row: planner.context.slot(.node))
        ]
    }
}
