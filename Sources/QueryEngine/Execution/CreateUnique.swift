internal import GraphModel
internal import Storage

/// CREATE UNIQUE: for each row follows what is there and makes the rest. A pattern that fits in several ways is an error.
struct CreateUniquePlan: OperatorPlan {
    var isReusable: Bool { true }
    let pattern: Step.CreateUnique

    func make(_ frame: Frame, next: Operator) -> Operator { CreateUniqueOperator(frame, next: next, self) }
}

private final class CreateUniqueOperator: Operator {
    private let pattern: Step.CreateUnique
    private var nodes: ContiguousArray<UInt64> = []
    private var links: ContiguousArray<UInt64> = []

    init(_ frame: Frame, next: Operator, _ plan: CreateUniquePlan) {
        pattern = plan.pattern
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        frame.batch = batch
        try frame.checkControl()
        for node in pattern.nodes where !node.isBound { batch.columns[node.slot.index].ids.removeAll(keepingCapacity: true) }
        for link in pattern.links where !link.isBound { batch.columns[link.slot.index].ids.removeAll(keepingCapacity: true) }
        for row in 0..<batch.rowCount {
            nodes.removeAll(keepingCapacity: true)
            links.removeAll(keepingCapacity: true)
            for node in pattern.nodes {
                let id = node.isBound ? batch.columns[node.slot.index].ids[row] : noID
                if node.isBound, id == noID {
                    throw GraphError(
                        .entityNotFound, "CREATE UNIQUE cannot make a relationship at a node that is null")
                }
                nodes.append(id)
            }
            for link in pattern.links { links.append(link.isBound ? batch.columns[link.slot.index].ids[row] : noID) }
            try resolve(row)
            for (index, node) in pattern.nodes.enumerated() where !node.isBound {
                batch.columns[node.slot.index].ids.append(nodes[index])
            }
            for (index, link) in pattern.links.enumerated() where !link.isBound {
                batch.columns[link.slot.index].ids.append(links[index])
            }
        }
        _ = try pass(batch)
        return true
    }

    /// Follows all that can be followed, then makes one thing, and so on.
    private func resolve(_ row: Int) throws(GraphError) {
        while true {
            if try followOne(row) { continue }
            guard let index = pattern.links.indices.first(where: { links[$0] == noID && hasEnd($0) }) else {
                guard links.allSatisfy({ $0 != noID }) else {
                    throw GraphError(
                        .argumentError, "CREATE UNIQUE needs a node to start from: a part of the pattern hangs on nothing")
                }
                return
            }
            try make(index, row)
        }
    }

    private func hasEnd(_ index: Int) -> Bool {
        nodes[pattern.links[index].from] != noID || nodes[pattern.links[index].to] != noID
    }

    /// Takes the single relationship that fits one of the links; false when none of them is there.
    private func followOne(_ row: Int) throws(GraphError) -> Bool {
        for (index, link) in pattern.links.enumerated() where links[index] == noID && hasEnd(index) {
            var found: [(relationship: UInt64, node: UInt64)] = []
            try candidates(link, row) { relationship, node in found.append((relationship, node)) }
            guard let first = found.first else { continue }
            let far = nodes[link.from] == noID ? link.from : link.to
            guard found.count == 1 || nodes[far] != noID else {
                throw GraphError(
                    .constraintViolation,
                    "The pattern of CREATE UNIQUE produced multiple possible paths: \(found.count) relationships :\(link.type) fit, and that is not allowed"
                )
            }
            links[index] = first.relationship
            nodes[far] = first.node
            return true
        }
        return false
    }

    private func candidates(
        _ link: Step.CreateUnique.Link, _ row: Int, _ take: (UInt64, UInt64) -> Void
    ) throws(GraphError) {
        guard let type = frame.transaction.token(.relationshipType, link.type) else { return }
        let isForward = nodes[link.from] != noID
        let (near, far) = isForward ? (link.from, link.to) : (link.to, link.from)
        var neighbours: ContiguousArray<UInt64> = []
        var relationships: ContiguousArray<UInt64> = []
        frame.transaction.expand(
            NodeID(nodes[near]), isForward ? link.direction : link.direction.reversed, types: [type],
            neighbours: &neighbours, relationships: &relationships)
        let wanted = try entries(link.properties, row)
        let wantedOfNode = nodes[far] == noID ? try entries(pattern.nodes[far].properties, row) : []
        for (relationship, node) in zip(relationships, neighbours) {
            if nodes[far] != noID, nodes[far] != node { continue }
            if links.contains(relationship) { continue }
            guard has(wanted, { frame.transaction.property($0, ofRelationship: RelationshipID(relationship)) }) else { continue }
            if nodes[far] == noID {
                guard has(wantedOfNode, { frame.transaction.property($0, ofNode: NodeID(node)) }),
                    hasLabels(pattern.nodes[far].labels, node)
                else { continue }
            }
            take(relationship, node)
        }
    }

    private func has(_ wanted: [(key: String, value: Value)], _ property: (TokenID) -> Value?) -> Bool {
        wanted.allSatisfy { entry in
            guard let key = frame.transaction.token(.propertyKey, entry.key), let value = property(key) else { return false }
            return Comparing.equal(value, entry.value) == .true
        }
    }

    private func hasLabels(_ labels: [String], _ node: UInt64) -> Bool {
        labels.allSatisfy { label in
            frame.transaction.token(.label, label).map { frame.transaction.hasLabel($0, NodeID(node)) } ?? false
        }
    }

    private func entries(_ source: Step.PropertySource, _ row: Int) throws(GraphError) -> [(key: String, value: Value)] {
        switch source {
        case .none: return []
        case .entries(let entries):
            var result: [(key: String, value: Value)] = []
            for entry in entries { result.append((entry.key, try entry.value.evaluate(frame, row))) }
            return result
        case .computed(let map): return try frame.map(try map.evaluate(frame, row))
        }
    }

    private func make(_ index: Int, _ row: Int) throws(GraphError) {
        let link = pattern.links[index]
        for end in [link.from, link.to] where nodes[end] == noID {
            let node = pattern.nodes[end]
            let properties = try entries(node.properties, row)
            nodes[end] = try frame.transaction.createNode(labels: node.labels, properties: properties).rawValue
            frame.statistics.nodesCreated += 1
            frame.statistics.labelsAdded += Set(node.labels).count
            frame.statistics.propertiesSet += properties.count { !$0.value.isNull }
        }
        let properties = try entries(link.properties, row)
        let isReversed = link.direction == .incoming
        links[index] = try frame.transaction.createRelationship(
            type: link.type, from: NodeID(nodes[isReversed ? link.to : link.from]),
            to: NodeID(nodes[isReversed ? link.from : link.to]), properties: properties
        ).rawValue
        frame.statistics.relationshipsCreated += 1
        frame.statistics.propertiesSet += properties.count { !$0.value.isNull }
    }
}
