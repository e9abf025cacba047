internal import Cypher
internal import GraphModel

extension Planner {
    // MARK: MERGE

    /// Plans MERGE: a part that looks for the pattern, and what is made when nothing is found, from one pattern graph.
    func merge(_ part: PatternPart, _ onCreate: [SetItem], _ onMatch: [SetItem]) throws(GraphError) {
        try checkMerged(part)
        let before = scope
        let inner = Planner(context, scope: scope)
        try inner.match([part], nil, isOptional: false, part.offset)
        var creations: [Step.Creation] = []
        var produced: [Slot] = []
        var slots: [Slot] = []
        for node in part.nodes {
            let name = node.variable ?? PatternGraph.hiddenName(of: node)
            if let known = before.find(name), known.type == .node {
                slots.append(known.slot)
                continue
            }
            guard let found = inner.everFound(name) else { continue }
            slots.append(found)
            if before.find(name) != nil || produced.contains(found) { continue }
            produced.append(found)
            creations.append(.node(found, labels: node.labels, properties: try properties(node.properties)))
        }
        for (index, relationship) in part.relationships.enumerated() {
            guard let found = inner.everFound(relationship.variable ?? PatternGraph.hiddenName(of: relationship)) else {
                continue
            }
            produced.append(found)
            let pointsLeft = relationship.direction == .incoming
            creations.append(
                .relationship(
                    found, type: relationship.types[0], from: slots[pointsLeft ? index + 1 : index],
                    to: slots[pointsLeft ? index : index + 1], properties: try properties(relationship.properties)))
        }
        // The path is put together afterwards, whether found or made.
        var path: Step?
        let match = inner.steps.filter { step in
            guard case .path(let slot, let shape) = step else { return true }
            path = .path(slot, shape)
            return false
        }
        scope = inner.scope
        let created = try updates(onCreate, isRemoval: false)
        let matched = try updates(onMatch, isRemoval: false)
        // Conversions of bound values stand before the search and stay outside.
        let conversions = match.prefix { if case .entity = $0 { true } else { false } }
        steps += conversions
        steps.append(
            .merge(
                .init(
                    match: Array(match.dropFirst(conversions.count)), creations: creations, onCreate: created,
                    onMatch: matched, produced: produced)))
        if let path { steps.append(path) }
    }

    private func checkMerged(_ part: PatternPart) throws(GraphError) {
        for node in part.nodes {
            guard let name = node.variable, let known = scope.find(name) else { continue }
            if part.relationships.isEmpty || !node.labels.isEmpty || node.properties != nil {
                throw fail(
                    "`\(name)` is \(known.type.text) already: MERGE cannot give it labels or properties", at: node.offset)
            }
        }
        for node in part.nodes { try refuseParameterMap(node.properties) }
        for relationship in part.relationships {
            try refuseParameterMap(relationship.properties)
            if let name = relationship.variable, scope.find(name) != nil {
                throw fail("Variable `\(name)` already declared", at: relationship.offset)
            }
            guard relationship.types.count == 1 else {
                throw fail("MERGE needs exactly one type for each relationship", at: relationship.offset)
            }
            guard relationship.length == nil else {
                throw fail("a relationship of variable length cannot be merged", at: relationship.offset)
            }
        }
    }

    private func refuseParameterMap(_ properties: Expression?) throws(GraphError) {
        guard let properties, case .parameter = properties.kind else { return }
        throw fail("MERGE cannot take its properties from a parameter: write them out", at: properties.offset)
    }

    // MARK: CREATE UNIQUE

    func createUnique(_ parts: [PatternPart]) throws(GraphError) {
        var nodes: [Step.CreateUnique.Node] = []
        var links: [Step.CreateUnique.Link] = []
        var paths: [Step] = []
        for part in parts {
            var indexes: [Int] = []
            for node in part.nodes { indexes.append(try uniqueNode(node, &nodes)) }
            guard !part.relationships.isEmpty else {
                throw fail("CREATE UNIQUE needs a path: a single node is made by CREATE", at: part.offset)
            }
            var relationships: [Slot] = []
            for (index, relationship) in part.relationships.enumerated() {
                links.append(try uniqueLink(relationship, indexes[index], indexes[index + 1]))
                relationships.append(links[links.count - 1].slot)
            }
            guard let name = part.pathVariable else { continue }
            let slot = try declare(name, .path, at: part.offset)
            paths.append(.path(slot, .init(nodes: indexes.map { nodes[$0].slot }, relationships: relationships)))
        }
        guard nodes.contains(where: \.isBound) else {
            throw fail("Unbound pattern: CREATE UNIQUE starts at a node that has a value already", at: parts[0].offset)
        }
        steps.append(.createUnique(.init(nodes: nodes, links: links)))
        steps += paths
    }

    private func uniqueNode(
        _ node: PatternNode, _ nodes: inout [Step.CreateUnique.Node]
    ) throws(GraphError) -> Int {
        let name = node.variable ?? PatternGraph.hiddenName(of: node)
        if let index = nodes.firstIndex(where: { codeUnitsEqual($0.name, name) }) {
            guard node.properties == nil, node.labels.isEmpty else {
                guard case .none = nodes[index].properties, !nodes[index].isBound else {
                    throw fail("`\(name)` is described twice: give its properties where it stands first", at: node.offset)
                }
                let known = nodes[index]
                nodes[index] = .init(
                    slot: known.slot, isBound: false, name: name, labels: node.labels,
                    properties: try properties(node.properties))
                return index
            }
            return index
        }
        var slot: Slot
        var isBound = true
        if let known = scope.find(name) {
            guard node.properties == nil, node.labels.isEmpty else {
                throw fail("`\(name)` already exists: it cannot be given labels or properties", at: node.offset)
            }
            slot = try boundNode(known, node.offset)
        } else if let expression = node.expression {
            let value = context.slot(.value)
            slot = context.slot(.node)
            steps.append(.project([(try compile(expression), value)]))
            steps.append(.entity(from: value, to: slot))
        } else {
            slot = context.slot(.node)
            scope.add(Variable(name: name, slot: slot, type: .node, isHidden: node.variable == nil))
            isBound = false
        }
        nodes.append(
            .init(
                slot: slot, isBound: isBound, name: name, labels: node.labels,
                properties: try properties(node.properties)))
        return nodes.count - 1
    }

    private func uniqueLink(
        _ pattern: PatternRelationship, _ from: Int, _ to: Int
    ) throws(GraphError) -> Step.CreateUnique.Link {
        guard pattern.types.count == 1 else {
            throw fail("CREATE UNIQUE needs exactly one type for each relationship", at: pattern.offset)
        }
        guard pattern.length == nil else {
            throw fail("a relationship of variable length cannot be created", at: pattern.offset)
        }
        var slot: Slot
        var isBound = false
        if let name = pattern.variable, let known = scope.find(name) {
            guard known.type == .relationship else {
                throw fail("`\(name)` is \(known.type.text), it cannot be a relationship", at: pattern.offset)
            }
            (slot, isBound) = (known.slot, true)
        } else {
            slot = context.slot(.relationship)
            if let name = pattern.variable { scope.add(Variable(name: name, slot: slot, type: .relationship)) }
        }
        return .init(
            slot: slot, isBound: isBound, type: pattern.types[0], direction: pattern.direction, from: from, to: to,
            properties: try properties(pattern.properties))
    }
}

extension PatternGraph {
    /// The name under which an element without one stands in the scope.
    static func hiddenName(of node: PatternNode) -> String { "  node at \(node.offset)" }
    static func hiddenName(of relationship: PatternRelationship) -> String {
        "  relationship at \(relationship.offset)"
    }
}
