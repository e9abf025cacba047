internal import Cypher
internal import GraphModel
internal import Storage

/// Orders the steps of one MATCH: where to start, which relationship to follow next and in which direction, and each
/// condition as soon as what it asks for is there.
struct MatchPlanner {
    let planner: Planner
    let graph: PatternGraph
    /// Vertices, edges and paths that have a value, by name.
    var available: Set<String>
    var bound: Set<Int>
    /// Edges that an index has found.
    var soughtEdges: Set<Int> = []
    var done: Set<Int> = []
    var conditions: [Condition] = []
    /// WHERE sees finished rows, the nulls of an optional relationship included; only the pattern's own conditions
    /// belong inside.
    var isInsideOptional = false

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

    mutating func test(isEnd: Bool) throws(GraphError) {
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

    func add(_ condition: Condition, isLenient: Bool) throws(GraphError) {
        var compiler = planner.compiler()
        planner.steps.append(.filter(try compiler.compilePredicate(condition.expression), isLenient: isLenient))
    }

    // MARK: Order

    /// Follows all of the edges, the cheapest next one first.
    mutating func follow(_ edges: Set<Int>) throws(GraphError) {
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

    func isBound(edge: Int) -> Bool { graph.edges[edge].isBound || soughtEdges.contains(edge) }

    /// One node from an index that nothing hangs on: found once before everything else, not for each row of it.
    private mutating func seekIsolated() throws(GraphError) {
        let isolated = Set(graph.vertices.indices).subtracting(graph.edges.flatMap { [$0.from, $0.to] })
        while let (vertex, seek) = cheapSeek(among: isolated) {
            try add(seek, graph.vertices[vertex].slot, of: graph.vertices[vertex].name)
            try bind(vertex)
        }
    }

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

    mutating func bind(_ vertex: Int) throws(GraphError) {
        bound.insert(vertex)
        available.insert(graph.vertices[vertex].name)
        try test(isEnd: false)
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
