internal import Cypher
internal import GraphModel

/// The patterns of one MATCH as a graph of variables: what is written twice under one name is one vertex.
struct PatternGraph {
    struct Vertex {
        let name: String
        let slot: Slot
        /// Whether it has a value before the clause.
        let isBound: Bool
    }

    struct Edge {
        let name: String
        let slot: Slot
        let isBound: Bool
        let from: Int
        let to: Int
        let pattern: PatternRelationship
        /// Set for `shortestPath(…)`: both ends are found before it.
        let shortest: PatternPart.Shortest

        func other(than vertex: Int) -> Int { vertex == from ? to : from }
    }

    struct NamedPath {
        let name: String
        let slot: Slot
        let vertices: [Int]
        let edges: [Int]
    }

    /// Planning compares every element with every other.
    static let elementCountMaximum = 500

    var vertices: [Vertex] = []
    var edges: [Edge] = []
    var paths: [NamedPath] = []
    /// What labels and property maps demand.
    var conditions: [Expression] = []
}

extension Planner {
    /// Builds the pattern graph and adds its variables to the scope.
    func patternGraph(_ parts: [PatternPart]) throws(GraphError) -> PatternGraph {
        var graph = PatternGraph()
        let count = parts.reduce(0) { $0 + $1.relationships.count + 1 }
        guard count <= PatternGraph.elementCountMaximum else {
            throw fail(
                "a MATCH of \(count) elements: \(PatternGraph.elementCountMaximum) is the limit", at: parts[0].offset)
        }
        let outer = scope
        for part in parts {
            var vertices: [Int] = []
            for node in part.nodes { vertices.append(try vertex(node, outer, &graph)) }
            var edges: [Int] = []
            for (index, relationship) in part.relationships.enumerated() {
                edges.append(graph.edges.count)
                try edge(relationship, from: vertices[index], to: vertices[index + 1], part.shortest, outer, &graph)
            }
            guard let name = part.pathVariable else { continue }
            guard scope.find(name) == nil else { throw fail("`\(name)` is declared already", at: part.offset) }
            let slot = context.slot(.value)
            scope.add(Variable(name: name, slot: slot, type: .path))
            graph.paths.append(.init(name: name, slot: slot, vertices: vertices, edges: edges))
        }
        return graph
    }

    private func vertex(_ node: PatternNode, _ outer: Scope, _ graph: inout PatternGraph) throws(GraphError) -> Int {
        let name = node.variable ?? PatternGraph.hiddenName(of: node)
        let subject = Expression(.variable(name), at: node.offset)
        if !node.labels.isEmpty {
            graph.conditions.append(Expression(.hasLabels(subject, node.labels), at: node.offset))
        }
        graph.conditions += try conditions(node.properties, on: subject)
        if let index = graph.vertices.firstIndex(where: { codeUnitsEqual($0.name, name) }) { return index }
        var slot: Slot
        var isBound = false
        if let known = scope.find(name) {
            slot = known.slot
            isBound = outer.find(name) != nil
            switch known.type {
            case .node: break
            case .any where isBound && known.types.contains(.node):
                slot = context.slot(.node)
                steps.append(.entity(from: known.slot, to: slot))
                scope.add(Variable(name: name, slot: slot, type: .node))
            default: throw fail("`\(name)` is \(known.type.text) already, it cannot be a node", at: node.offset)
            }
        } else {
            slot = context.slot(.node)
            scope.add(Variable(name: name, slot: slot, type: .node, isHidden: node.variable == nil))
        }
        graph.vertices.append(.init(name: name, slot: slot, isBound: isBound))
        return graph.vertices.count - 1
    }

    private func edge(
        _ pattern: PatternRelationship, from: Int, to: Int, _ shortest: PatternPart.Shortest, _ outer: Scope,
        _ graph: inout PatternGraph
    ) throws(GraphError) {
        let name = pattern.variable ?? PatternGraph.hiddenName(of: pattern)
        var slot: Slot
        var isBound = false
        if let known = scope.find(name) {
            isBound = outer.find(name) != nil
            guard isBound else {
                let isTwice = graph.edges.contains { codeUnitsEqual($0.name, name) }
                throw fail(
                    isTwice
                        ? "`\(name)` stands for two relationships of one MATCH"
                        : "`\(name)` is \(known.type.text) already, it cannot be a relationship", at: pattern.offset)
            }
            if graph.edges.contains(where: { codeUnitsEqual($0.name, name) }) {
                throw fail("`\(name)` stands for two relationships of one MATCH", at: pattern.offset)
            }
            guard pattern.length == nil else {
                return try boundList(known, pattern, from: from, to: to, shortest, &graph)
            }
            slot = known.slot
            switch known.type {
            case .relationship: break
            case .any where known.types.contains(.relationship):
                slot = context.slot(.relationship)
                steps.append(.entity(from: known.slot, to: slot))
                scope.add(Variable(name: name, slot: slot, type: .relationship))
            default:
                throw fail("`\(name)` is \(known.type.text) already, it cannot be a relationship", at: pattern.offset)
            }
        } else {
            let type: VariableType = pattern.length == nil && shortest == .none ? .relationship : .relationships
            slot = context.slot(type.holding)
            scope.add(Variable(name: name, slot: slot, type: type, isHidden: pattern.variable == nil))
        }
        if pattern.length == nil && shortest == .none {
            graph.conditions += try conditions(pattern.properties, on: Expression(.variable(name), at: pattern.offset))
        }
        graph.edges.append(
            .init(
                name: name, slot: slot, isBound: isBound, from: from, to: to, pattern: pattern, shortest: shortest))
    }

    /// A variable length whose relationships are given as a list: found like any other, and compared.
    private func boundList(
        _ known: Variable, _ pattern: PatternRelationship, from: Int, to: Int, _ shortest: PatternPart.Shortest,
        _ graph: inout PatternGraph
    ) throws(GraphError) {
        guard known.type == .relationships || known.type == .any && known.types.contains(.list) else {
            throw fail("`\(known.name)` is \(known.type.text) already, it cannot be a list of relationships", at: pattern.offset)
        }
        let name = PatternGraph.hiddenName(of: pattern)
        let slot = context.slot(.value)
        scope.add(Variable(name: name, slot: slot, type: .relationships, isHidden: true))
        graph.edges.append(
            .init(name: name, slot: slot, isBound: false, from: from, to: to, pattern: pattern, shortest: shortest))
        graph.conditions.append(
            Expression(
                .compare(
                    .equal, Expression(.variable(known.name), at: pattern.offset),
                    Expression(.variable(name), at: pattern.offset)), at: pattern.offset))
    }

    /// `{key: value}` in a pattern as conditions: a missing property does not match, in both dialects.
    private func conditions(_ properties: Expression?, on subject: Expression) throws(GraphError) -> [Expression] {
        guard let properties else { return [] }
        if context.dialect == .cypher18 {
            throw fail("a map of properties stands only in CREATE and CREATE UNIQUE: use WHERE", at: properties.offset)
        }
        guard case .map(let entries) = properties.kind else {
            throw fail(
                "MATCH cannot take its properties from a parameter: write them out or use WHERE", at: properties.offset)
        }
        return entries.map { entry in
            let property = Expression(.property(subject, key: entry.key, missing: .false), at: entry.value.offset)
            return Expression(.compare(.equal, property, entry.value), at: entry.value.offset)
        }
    }
}

extension PatternGraph {
    /// These vertices, and all that edges lead to from them.
    func connected(with start: Set<Int>) -> Set<Int> {
        var reached = start
        var grows = true
        while grows {
            grows = false
            for edge in edges where reached.contains(edge.from) != reached.contains(edge.to) {
                reached.formUnion([edge.from, edge.to])
                grows = true
            }
        }
        return reached
    }
}
