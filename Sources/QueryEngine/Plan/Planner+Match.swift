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
        var grows = true
        while grows {
            grows = false
            for edge in graph.edges where reached.contains(edge.from) != reached.contains(edge.to) {
                reached.formUnion([edge.from, edge.to])
                grows = true
            }
        }
        if reached.count < graph.vertices.count {
            throw fail("a part of this pattern is not connected to any starting point", at: offset)
        }
    }
}

/// Orders the steps of one MATCH: where to start, which relationship to follow next and in which direction, and each
/// condition as soon as what it asks for is there.
struct MatchPlanner {
    let planner: Planner
    let graph: PatternGraph
    /// Vertices, edges and paths that have a value, by name.
    private(set) var available: Set<String>
    private var bound: Set<Int>
    /// Edges that an index has found.
    private var soughtEdges: Set<Int> = []
    private var done: Set<Int> = []
    var conditions: [Condition] = []
    /// WHERE sees finished rows, the nulls of an optional relationship included; only the pattern's own conditions
    /// belong inside.
    private var isInsideOptional = false

    struct Condition {
        let expression: Expression
        /// Names of this MATCH that it needs.
        let names: Set<String>
        /// In the manual's language it may fail on partial matches: it is tested there leniently, at the end for good.
        let mayFail: Bool
        /// Whether it comes from the pattern itself, a label or a property map, rather than from WHERE.
        let isOfPattern: Bool
        var isTested = false
        /// Served by the choice of the start or waiting for its final test.
        var isSettled = false
    }

    /// - Parameter conditions: those of the pattern, then those of WHERE.
    init(_ planner: Planner, _ graph: PatternGraph, outer: Scope, _ conditions: [Expression]) {
        self.planner = planner
        self.graph = graph
        let names = Set(graph.vertices.map(\.name) + graph.edges.map(\.name) + graph.paths.map(\.name))
        bound = Set(graph.vertices.indices.filter { graph.vertices[$0].isBound })
        available = Set(names.filter { outer.find($0) != nil })
        let isStrict = planner.context.dialect.missingPropertyIsError
        self.conditions = conditions.enumerated().map { index, expression in
            Condition(
                expression: expression, names: expression.variables.intersection(names),
                mayFail: isStrict && expression.first { $0.readsStrictly } != nil,
                isOfPattern: index < graph.conditions.count)
        }
    }

    mutating func plan() throws(GraphError) {
        try test(isEnd: false)
        let roots = self.roots()
        let mandatory = mandatoryEdges(from: roots)
        try seekIsolated()
        try follow(mandatory)
        for index in graph.vertices.indices where !bound.contains(index) {
            if roots.contains(index) || !hangsOnOptional(index, mandatory) { try start(among: [index]) }
        }
        while let edge = graph.edges.indices.first(where: { !done.contains($0) && isReachable($0) }) {
            try followOptional(edge)
        }
        for path in graph.paths {
            planner.steps.append(
                .path(
                    path.slot,
                    .init(
                        nodes: path.vertices.map { graph.vertices[$0].slot },
                        relationships: path.edges.map { graph.edges[$0].slot })))
            available.insert(path.name)
        }
        try test(isEnd: true)
    }

    // MARK: Conditions

    private mutating func test(isEnd: Bool) throws(GraphError) {
        for index in conditions.indices where !conditions[index].isSettled {
            let condition = conditions[index]
            let isReady = condition.names.isSubset(of: available)
            guard isReady || isEnd else { continue }
            if isInsideOptional && !condition.isOfPattern { continue }
            if condition.mayFail && !isEnd {
                if condition.isTested || done.count == graph.edges.count && bound.count == graph.vertices.count {
                    continue
                }
                conditions[index].isTested = true
                try add(condition, isLenient: true)
            } else {
                conditions[index].isSettled = true
                try add(condition, isLenient: false)
            }
        }
    }

    private func add(_ condition: Condition, isLenient: Bool) throws(GraphError) {
        var compiler = planner.compiler()
        planner.steps.append(.filter(try compiler.compilePredicate(condition.expression), isLenient: isLenient))
    }

    // MARK: Optional relationships of the manual's language

    /// Vertices that are known, and for every part of the pattern that hangs on none of them its first vertex.
    private func roots() -> Set<Int> {
        var roots = bound
        for edge in graph.edges where edge.isBound { roots.formUnion([edge.from, edge.to]) }
        var reached = roots
        for index in graph.vertices.indices {
            var grows = true
            while grows {
                grows = false
                for edge in graph.edges where reached.contains(edge.from) != reached.contains(edge.to) {
                    reached.formUnion([edge.from, edge.to])
                    grows = true
                }
            }
            if reached.insert(index).inserted { roots.insert(index) }
        }
        return roots
    }

    /// Edges that can be reached without crossing an optional one.
    private func mandatoryEdges(from roots: Set<Int>) -> Set<Int> {
        if !graph.edges.contains(where: \.pattern.isOptional) { return Set(graph.edges.indices) }
        return closure(of: roots, avoiding: []).edges
    }

    private func closure(of roots: Set<Int>, avoiding: Set<Int>) -> (vertices: Set<Int>, edges: Set<Int>) {
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

    private func hangsOnOptional(_ vertex: Int, _ mandatory: Set<Int>) -> Bool {
        graph.edges.indices.contains { index in
            !mandatory.contains(index) && (graph.edges[index].from == vertex || graph.edges[index].to == vertex)
        }
    }

    private func isReachable(_ index: Int) -> Bool {
        let (from, to) = (bound.contains(graph.edges[index].from), bound.contains(graph.edges[index].to))
        // A shortest path is looked for between two nodes that are known.
        return graph.edges[index].shortest == .none ? from || to : from && to
    }

    /// An optional relationship with everything that hangs on it: found as a whole or null as a whole.
    private mutating func followOptional(_ index: Int) throws(GraphError) {
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

    // MARK: Order

    /// Follows all of the edges, the cheapest next one first.
    private mutating func follow(_ edges: Set<Int>) throws(GraphError) {
        var left = edges.subtracting(done)
        while !left.isEmpty {
            let vertices = Set(left.flatMap { [graph.edges[$0].from, graph.edges[$0].to] })
            if let index = left.sorted().filter({ isReachable($0) || isBound(edge: $0) }).min(by: {
                cost($0) < cost($1)
            }) {
                // One more element from an index costs less than following everything and comparing afterwards.
                if cost(index) > 1.5, let (vertex, seek) = cheapSeek(among: vertices) {
                    try add(seek, graph.vertices[vertex].slot, of: graph.vertices[vertex].name)
                    try bind(vertex)
                    continue
                }
                left.remove(index)
                try follow(index)
            } else {
                try start(among: vertices, or: left)
            }
        }
    }

    /// One node from an index that nothing hangs on: found once before everything else, not for each row of it.
    private mutating func seekIsolated() throws(GraphError) {
        let isolated = Set(graph.vertices.indices).subtracting(graph.edges.flatMap { [$0.from, $0.to] })
        while let (vertex, seek) = cheapSeek(among: isolated) {
            try add(seek, graph.vertices[vertex].slot, of: graph.vertices[vertex].name)
            try bind(vertex)
        }
    }

    func isBound(edge: Int) -> Bool { graph.edges[edge].isBound || soughtEdges.contains(edge) }

    /// A vertex of which an index knows about one.
    private func cheapSeek(among vertices: Set<Int>) -> (vertex: Int, seek: SeekCandidate)? {
        for vertex in vertices.sorted() where !bound.contains(vertex) {
            if let seek = seek(vertex: vertex), seek.rowCount <= 1.5, case .equal = seek.probe { return (vertex, seek) }
        }
        return nil
    }

    private func cost(_ index: Int) -> Double {
        let edge = graph.edges[index]
        if isBound(edge: index) { return -2 }
        if edge.shortest != .none { return 1e7 }
        if bound.contains(edge.from) && bound.contains(edge.to) { return edge.pattern.length == nil ? -1 : 1e6 }
        let nodes = Double(max(planner.transaction.nodeCount(), 1))
        var relationships = 0
        if edge.pattern.types.isEmpty { relationships = planner.transaction.relationshipCount() }
        for type in edge.pattern.types {
            if let token = planner.transaction.token(.relationshipType, type) {
                relationships += planner.transaction.relationshipCount(type: token)
            }
        }
        var cost = Double(relationships) / nodes * (edge.pattern.direction == .both ? 2 : 1)
        let end = bound.contains(edge.from) ? edge.to : edge.from
        cost *= selectivity(end)
        return edge.pattern.length == nil ? cost : cost * 1000 + 1000
    }

    /// The share of nodes that a vertex's labels and property conditions let pass, roughly.
    private func selectivity(_ vertex: Int) -> Double {
        let nodes = Double(max(planner.transaction.nodeCount(), 1))
        var share = 1.0
        for condition in conditions where condition.names == [graph.vertices[vertex].name] {
            if case .hasLabels(_, let labels) = condition.expression.kind {
                for label in labels { share = min(share, Double(count(label)) / nodes) }
            } else if case .compare(.equal, _, _) = condition.expression.kind {
                share *= 0.1
            }
        }
        return share
    }

    private func count(_ label: String) -> Int {
        planner.transaction.token(.label, label).map { planner.transaction.nodeCount(label: $0) } ?? 0
    }

    /// Picks the cheapest of some vertices, or of some relationships that an index knows, and scans or seeks it.
    private mutating func start(among vertices: Set<Int>, or edges: Set<Int> = []) throws(GraphError) {
        let nodes = planner.transaction.nodeCount()
        var candidates = vertices.sorted().filter { !bound.contains($0) }
        if let forced = planner.options.forcedStart, !candidates.isEmpty {
            candidates = [candidates[abs(forced % candidates.count)]]
        }
        var best: (vertex: Int, cost: Double, label: String?)?
        var bestSeek: (vertex: Int, seek: SeekCandidate)?
        for vertex in candidates {
            let slot = graph.vertices[vertex].slot
            if let (condition, ids, mode) = idCondition(vertex) {
                conditions[condition].isSettled = true
                planner.steps.append(.nodesByID(slot, try planner.compile(ids), mode))
                return try bind(vertex)
            }
            if let seek = seek(vertex: vertex), bestSeek.map({ seek.rowCount < $0.seek.rowCount }) ?? true {
                bestSeek = (vertex, seek)
            }
            var cost = Double(nodes)
            var label: String?
            for case .hasLabels(let subject, let labels) in conditionKinds(of: vertex) where subject.isVariable {
                for candidate in labels where label == nil || Double(count(candidate)) < cost {
                    cost = Double(count(candidate))
                    label = candidate
                }
            }
            // Between equal scans the one that filters more.
            cost += selectivity(vertex)
            if best.map({ cost < $0.cost }) ?? true { best = (vertex, cost, label) }
        }
        guard let best else { return }
        let limit = min(bestSeek?.seek.rowCount ?? .infinity, best.cost)
        for edge in edges.sorted() where planner.options.forcedStart == nil {
            if let seek = seek(edge: edge), seek.rowCount < limit {
                try add(seek, graph.edges[edge].slot, of: graph.edges[edge].name)
                soughtEdges.insert(edge)
                available.insert(graph.edges[edge].name)
                return try test(isEnd: false)
            }
        }
        if let bestSeek, bestSeek.seek.rowCount <= best.cost {
            try add(bestSeek.seek, graph.vertices[bestSeek.vertex].slot, of: graph.vertices[bestSeek.vertex].name)
            return try bind(bestSeek.vertex)
        }
        let slot = graph.vertices[best.vertex].slot
        if let label = best.label {
            planner.steps.append(.nodesByLabel(slot, label: label))
            // The scan serves a condition that asks for just this label.
            for index in conditions.indices where conditions[index].names == [graph.vertices[best.vertex].name] {
                if case .hasLabels(let subject, [label]) = conditions[index].expression.kind, subject.isVariable {
                    conditions[index].isSettled = true
                }
            }
        } else {
            planner.steps.append(.allNodes(slot))
        }
        try bind(best.vertex)
    }

    private func conditionKinds(of vertex: Int) -> [Expression.Kind] { conditionKinds(named: graph.vertices[vertex].name) }

    /// Conditions on nothing but one element.
    func conditionKinds(named name: String) -> [Expression.Kind] {
        conditions.filter { $0.names == [name] }.map(\.expression.kind)
    }

    /// `id(v) = x` or `id(v) IN x` with an x that is known before.
    private func idCondition(_ vertex: Int) -> (index: Int, ids: Expression, mode: Step.IDSeekMode)? {
        let name = graph.vertices[vertex].name
        func isID(_ expression: Expression) -> Bool {
            guard case .function("id", _, let arguments) = expression.kind, arguments.count == 1,
                case .variable(let variable) = arguments[0].kind
            else { return false }
            return codeUnitsEqual(variable, name)
        }
        for (index, condition) in conditions.enumerated() where !condition.isSettled && condition.names.contains(name) {
            guard condition.names.subtracting([name]).isSubset(of: available) else { continue }
            switch condition.expression.kind {
            case .compare(.equal, let left, let right):
                if isID(left), !right.variables.contains(name) { return (index, right, .equal) }
                if isID(right), !left.variables.contains(name) { return (index, left, .equal) }
            case .in(let left, let right):
                if isID(left), !right.variables.contains(name) { return (index, right, .list) }
            default: continue
            }
        }
        return nil
    }

    private mutating func bind(_ vertex: Int) throws(GraphError) {
        bound.insert(vertex)
        available.insert(graph.vertices[vertex].name)
        try test(isEnd: false)
    }

    // MARK: Following

    private mutating func follow(_ index: Int) throws(GraphError) {
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
                for entry in entries { expansion.properties.append((entry.key, try planner.compile(entry.value))) }
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

extension Expression {
    /// Whether it reads a property whose absence is an error in the manual's language.
    var readsStrictly: Bool {
        switch kind {
        case .property(_, _, let missing): missing == .byDialect
        case .function, .arithmetic: true
        case .compare(let comparison, _, _): comparison != .equal && comparison != .notEqual
        default: false
        }
    }
}
