import Cypher
import GraphModel

// MATCH by trying everything: the elements of a pattern one after the other as they are written, each with every node or
// relationship that could stand there; labels and properties are looked at when all of it is found.
extension ReferenceInterpreter {
    /// An attempt to match: what is bound so far.
    struct Attempt {
        var row: [String: Value]
        var used: Set<UInt64> = []
        var nodes: [(pattern: PatternNode, id: UInt64)] = []
        var relationships: [(pattern: PatternRelationship, id: UInt64)] = []
    }

    /// Every way in which the parts match, as rows with their names bound too.
    func match(_ parts: [PatternPart], _ row: [String: Value]) throws -> [[String: Value]] {
        try attempts(parts, Attempt(row: row)).map(\.row)
    }

    func attempts(_ parts: [PatternPart], _ start: Attempt) throws -> [Attempt] {
        var attempts = [start]
        for part in parts {
            attempts = try attempts.flatMap { try part.shortest == .none ? walks(part, $0) : shortest(part, $0) }
        }
        return try attempts.filter(fits)
    }

    /// The paths of a pattern in an expression.
    func paths(of part: PatternPart, _ environment: Environment) throws -> [Value] {
        let named = PatternPart(
            pathVariable: "the path", shortest: part.shortest, nodes: part.nodes, relationships: part.relationships,
            offset: part.offset)
        return try shuffled(match([named], environment.row)).compactMap { $0["the path"] }
    }

    /// Whether labels and properties are as the pattern wants them.
    private func fits(_ attempt: Attempt) throws -> Bool {
        let environment = Environment(row: attempt.row, group: nil)
        for (pattern, id) in attempt.nodes {
            guard let node = graph.nodes[id], node.labels.isSuperset(of: pattern.labels) else { return false }
            guard try has(node.properties, pattern.properties, environment) else { return false }
        }
        for (pattern, id) in attempt.relationships {
            guard let relationship = graph.relationships[id] else { return false }
            guard try has(relationship.properties, pattern.properties, environment) else { return false }
        }
        return true
    }

    private func has(_ properties: [String: Value], _ wanted: Expression?, _ environment: Environment) throws -> Bool {
        guard let wanted else { return true }
        guard case .map(let map) = try evaluate(wanted, environment) else { throw ReferenceFailure("no map") }
        return map.entries.allSatisfy { ReferenceValues.equal(properties[$0.key] ?? .null, $0.value) == true }
    }

    // MARK: Elements

    private func walks(_ part: PatternPart, _ start: Attempt) throws -> [Attempt] {
        var results: [Attempt] = []
        for (attempt, node) in try places(part.nodes[0], start) {
            results += try walks(part, at: 0, from: node, [node], [], attempt)
        }
        return results
    }

    /// What can stand for a node: what its name is bound to, or else every node.
    private func places(_ pattern: PatternNode, _ attempt: Attempt) throws -> [(Attempt, UInt64)] {
        var candidates = graph.nodeIDs
        if let name = pattern.variable, let bound = attempt.row[name] {
            switch bound {
            case .null: return []
            case .node(let id): candidates = [id.rawValue]
            default: throw ReferenceFailure("\(bound.kindName) as a node")
            }
        }
        return candidates.map { id in
            var next = attempt
            if let name = pattern.variable { next.row[name] = .node(NodeID(id)) }
            next.nodes.append((pattern, id))
            return (next, id)
        }
    }

    private func walks(
        _ part: PatternPart, at index: Int, from node: UInt64, _ nodes: [UInt64], _ edges: [UInt64], _ attempt: Attempt
    ) throws -> [Attempt] {
        try work()
        guard index < part.relationships.count else {
            var done = attempt
            if let name = part.pathVariable { done.row[name] = Self.path(nodes, edges) }
            return [done]
        }
        let pattern = part.relationships[index]
        var results: [Attempt] = []
        for trail in try trails(pattern, from: node, attempt) {
            var next = attempt
            next.used.formUnion(trail.edges)
            next.relationships += trail.edges.map { (pattern, $0) }
            if let name = pattern.variable {
                let edges = trail.edges.map { Value.relationship(RelationshipID($0)) }
                let value = pattern.length == nil ? edges[0] : .list(edges)
                if let bound = attempt.row[name] {
                    guard ReferenceValues.equal(bound, value) == true else { continue }
                }
                next.row[name] = value
            }
            let end = trail.nodes.last ?? node
            for (there, id) in try places(part.nodes[index + 1], next) where id == end {
                results += try walks(
                    part, at: index + 1, from: id, nodes + trail.nodes, edges + trail.edges, there)
            }
        }
        return results
    }

    typealias Trail = (nodes: [UInt64], edges: [UInt64])

    /// The ways along a relationship of the pattern: one step, or as many as its length says. No relationship twice.
    private func trails(_ pattern: PatternRelationship, from start: UInt64, _ attempt: Attempt) throws -> [Trail] {
        let minimum = pattern.length.map { $0.minimum ?? 1 } ?? 1
        let maximum = pattern.length.map { $0.maximum ?? Int.max } ?? 1
        var results: [Trail] = []
        var level: [Trail] = [([], [])]
        var length = 0
        while !level.isEmpty && length <= maximum {
            if length >= minimum { results += level }
            var longer: [Trail] = []
            for trail in level {
                let node = trail.nodes.last ?? start
                for (edge, end) in steps(pattern, from: node)
                where !trail.edges.contains(edge) && !attempt.used.contains(edge) {
                    try work()
                    longer.append((trail.nodes + [end], trail.edges + [edge]))
                }
            }
            level = longer
            length += 1
        }
        return results
    }

    /// The relationships that lead on from a node as the pattern wants it; one from a node to itself once.
    private func steps(_ pattern: PatternRelationship, from node: UInt64) -> [(edge: UInt64, end: UInt64)] {
        graph.relationships(at: node).compactMap { id in
            guard let relationship = graph.relationships[id] else { return nil }
            if !pattern.types.isEmpty, !pattern.types.contains(relationship.type) { return nil }
            switch pattern.direction {
            case .outgoing: return relationship.start == node ? (id, relationship.end) : nil
            case .incoming: return relationship.end == node ? (id, relationship.start) : nil
            case .both: return (id, relationship.other(than: node))
            }
        }
    }

    static func path(_ nodes: [UInt64], _ edges: [UInt64]) -> Value {
        .path(Path(nodes: nodes.map { NodeID($0) }, relationships: edges.map { RelationshipID($0) }))
    }

    // MARK: Shortest paths

    /// All paths between two ends; of those between the same ends the shortest, or one of them.
    private func shortest(_ part: PatternPart, _ start: Attempt) throws -> [Attempt] {
        var results: [Attempt] = []
        for (attempt, node) in try places(part.nodes[0], start) {
            let isUnlimited = part.relationships[0].length?.maximum == nil && part.relationships[0].length != nil
            let all = try walks(part, at: 0, from: node, [node], [], Attempt(row: attempt.row, nodes: attempt.nodes))
            let ends = Set(all.compactMap { $0.nodes.last?.id })
            // A path that comes back is not the shortest between a node and itself.
            for end in ends.sorted() where end != node || part.relationships[0].length?.minimum == 0 {
                let between = all.filter { $0.nodes.last?.id == end }
                let least = between.map(\.relationships.count).min() ?? 0
                if isUnlimited, dialect == .cypher18, least > 15 { continue }
                let best = between.filter { $0.relationships.count == least }
                results += part.shortest == .one ? Array(best.prefix(1)) : best
            }
        }
        return results
    }
}
