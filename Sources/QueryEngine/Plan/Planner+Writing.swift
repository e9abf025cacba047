internal import Cypher
internal import GraphModel

extension Planner {
    // MARK: CREATE

    func create(_ parts: [PatternPart]) throws(GraphError) {
        var creations: [Step.Creation] = []
        var paths: [Step] = []
        for part in parts {
            let isAlone = part.relationships.isEmpty
            var nodes: [Slot] = []
            for node in part.nodes { nodes.append(try create(node, isAlone: isAlone, &creations)) }
            var relationships: [Slot] = []
            for (index, relationship) in part.relationships.enumerated() {
                relationships.append(try create(relationship, nodes[index], nodes[index + 1], &creations))
            }
            guard let name = part.pathVariable else { continue }
            guard scope.find(name) == nil else { throw fail("`\(name)` is declared already", at: part.offset) }
            let slot = context.slot(.value)
            scope.add(Variable(name: name, slot: slot, type: .path))
            paths.append(.path(slot, .init(nodes: nodes, relationships: relationships)))
        }
        steps.append(.create(creations))
        steps += paths
    }

    private func create(
        _ node: PatternNode, isAlone: Bool, _ creations: inout [Step.Creation]
    ) throws(GraphError) -> Slot {
        if let name = node.variable, let known = scope.find(name) {
            guard !isAlone, node.labels.isEmpty, node.properties == nil else {
                throw fail("`\(name)` already exists: it cannot be created with labels or properties", at: node.offset)
            }
            return try boundNode(known, node.offset)
        }
        if let expression = node.expression {
            let (value, slot) = (context.slot(.value), context.slot(.node))
            steps.append(.project([(try compile(expression), value)]))
            steps.append(.entity(from: value, to: slot))
            return slot
        }
        let properties = try properties(node.properties)
        let slot = context.slot(.node)
        creations.append(.node(slot, labels: node.labels, properties: properties))
        if let name = node.variable { scope.add(Variable(name: name, slot: slot, type: .node)) }
        return slot
    }

    /// The node column of a variable that has a value.
    func boundNode(_ known: Variable, _ offset: Int) throws(GraphError) -> Slot {
        switch known.type {
        case .node: return known.slot
        case .any where known.types.contains(.node):
            let slot = context.slot(.node)
            steps.append(.entity(from: known.slot, to: slot))
            scope.add(Variable(name: known.name, slot: slot, type: .node))
            return slot
        default: throw fail("`\(known.name)` is \(known.type.text), it cannot be a node", at: offset)
        }
    }

    private func create(
        _ relationship: PatternRelationship, _ left: Slot, _ right: Slot, _ creations: inout [Step.Creation]
    ) throws(GraphError) -> Slot {
        if let name = relationship.variable, scope.find(name) != nil {
            throw fail("`\(name)` already exists: a relationship is created once", at: relationship.offset)
        }
        guard relationship.types.count == 1 else {
            throw fail("a relationship is created with exactly one type", at: relationship.offset)
        }
        guard relationship.length == nil else {
            throw fail("a relationship of variable length cannot be created", at: relationship.offset)
        }
        if relationship.direction == .both, context.dialect == .cypher9 {
            throw fail("a relationship is created with a direction: write --> or <--", at: relationship.offset)
        }
        let properties = try properties(relationship.properties)
        let slot = context.slot(.relationship)
        let pointsLeft = relationship.direction == .incoming
        creations.append(
            .relationship(
                slot, type: relationship.types[0], from: pointsLeft ? right : left, to: pointsLeft ? left : right,
                properties: properties))
        if let name = relationship.variable { scope.add(Variable(name: name, slot: slot, type: .relationship)) }
        return slot
    }

    func properties(_ expression: Expression?) throws(GraphError) -> Step.PropertySource {
        guard let expression else { return .none }
        guard case .map(let entries) = expression.kind else { return .computed(try compile(expression)) }
        var compiled: [(key: String, value: Compiled)] = []
        for entry in entries { compiled.append((entry.key, try compile(entry.value))) }
        return .entries(compiled)
    }

    // MARK: SET, REMOVE, DELETE

    func updates(_ items: [SetItem], isRemoval: Bool) throws(GraphError) -> [Step.Update] {
        var updates: [Step.Update] = []
        for item in items {
            switch item.kind {
            case .property(let target, let key, let value):
                let target = try compile(target)
                if isRemoval {
                    updates.append(.removeProperty(target, key: key))
                } else {
                    updates.append(.property(target, key: key, value: try compile(value)))
                }
            case .all(let variable, let map, let adds):
                updates.append(
                    .all(
                        try compile(Expression(.variable(variable), at: item.offset)), map: try compile(map), adds: adds
                    ))
            case .labels(let variable, let labels):
                let known = try compiler().variable(variable, item.offset)
                guard known.type == .node || known.type == .any else {
                    throw fail("`\(variable)` is \(known.type.text), only nodes have labels", at: item.offset)
                }
                updates.append(
                    .labels(
                        try compile(Expression(.variable(variable), at: item.offset)), labels, isRemoval: isRemoval))
            }
        }
        return updates
    }

    func delete(_ targets: [Expression], _ detach: Bool) throws(GraphError) {
        var compiled: [Compiled] = []
        var removals: [Step.Update] = []
        for target in targets {
            switch target.kind {
            case .property(let entity, let key, _) where context.dialect == .cypher18:
                removals.append(.removeProperty(try compile(entity), key: key))
            case .hasLabels:
                throw fail("DELETE takes no labels: write REMOVE", at: target.offset)
            case .literal, .arithmetic, .list, .map, .not, .and, .or, .xor, .compare, .negate, .countAll, .mapProjection,
                .in, .stringMatch, .isNull, .quantifier, .listComprehension, .pattern, .patternComprehension:
                throw fail("DELETE takes nodes, relationships and paths", at: target.offset)
            default: compiled.append(try compile(target))
            }
        }
        if !removals.isEmpty { steps.append(.update(removals)) }
        if !compiled.isEmpty { steps.append(.delete(compiled, detach: detach)) }
    }
}
