import Cypher
import GraphModel

extension ReferenceInterpreter {
    /// A clause that changes the graph, row by row: each row sees what the rows before it did.
    func update(_ clause: Clause, _ rows: [Row]) throws -> [Row] {
        switch clause.kind {
        case .create(let parts): return try rows.flatMap { try create(parts, $0) }
        case .createUnique(let parts): return try rows.map { row in try parts.reduce(row) { try createUnique($1, $0) } }
        case .merge(let part, let onCreate, let onMatch):
            return try rows.flatMap { try merge(part, onCreate, onMatch, $0) }
        case .set(let items), .remove(let items):
            let isRemoval = if case .remove = clause.kind { true } else { false }
            for row in rows { try apply(items, isRemoval: isRemoval, row) }
        case .delete(let targets, let detach):
            for row in rows {
                for target in targets { try delete(target, detach, row) }
            }
        case .forEach(let variable, let list, let clauses):
            for row in rows {
                switch try evaluate(list, Environment(row: row)) {
                case .null: continue
                case .list(let list):
                    for element in list.elements {
                        _ = try clauses.reduce([row.merging([variable: element]) { $1 }]) { try update($1, $0) }
                    }
                case let other: throw ReferenceFailure("FOREACH over \(other.kindName)")
                }
            }
        default: throw ReferenceFailure("not an update")
        }
        return rows
    }

    // MARK: CREATE

    private func create(_ parts: [PatternPart], _ row: Row) throws -> [Row] {
        var row = row
        for part in parts {
            var nodes: [UInt64] = []
            for node in part.nodes { nodes.append(try create(node, &row)) }
            var edges: [UInt64] = []
            for (index, pattern) in part.relationships.enumerated() {
                edges.append(try create(pattern, nodes[index], nodes[index + 1], &row))
            }
            if let name = part.pathVariable { row[name] = Self.path(nodes, edges) }
        }
        return [row]
    }

    private func create(_ pattern: PatternNode, _ row: inout Row) throws -> UInt64 {
        if let name = pattern.variable, let bound = row[name] { return try node(bound) }
        if let expression = pattern.expression { return try node(evaluate(expression, Environment(row: row))) }
        let properties = try storable(pattern.properties, row)
        let id = graph.add(ReferenceGraph.Node(labels: Set(pattern.labels), properties: properties))
        changes[0] += 1
        if let name = pattern.variable { row[name] = .node(NodeID(id)) }
        return id
    }

    private func node(_ value: Value) throws -> UInt64 {
        guard case .node(let id) = value, graph.nodes[id.rawValue] != nil else {
            throw ReferenceFailure("\(value.kindName) as an end")
        }
        return id.rawValue
    }

    private func create(
        _ pattern: PatternRelationship, _ left: UInt64, _ right: UInt64, _ row: inout Row
    ) throws -> UInt64 {
        let properties = try storable(pattern.properties, row)
        let (start, end) = pattern.direction == .incoming ? (right, left) : (left, right)
        let id = graph.add(
            ReferenceGraph.Relationship(type: pattern.types[0], start: start, end: end, properties: properties))
        changes[2] += 1
        if let name = pattern.variable { row[name] = .relationship(RelationshipID(id)) }
        return id
    }

    /// The properties of something new: nulls are left out.
    private func storable(_ map: Expression?, _ row: Row) throws -> [String: Value] {
        guard let map else { return [:] }
        var result: [String: Value] = [:]
        for (key, value) in try properties(of: evaluate(map, Environment(row: row))) where !value.isNull {
            guard value.isStorable else { throw ReferenceFailure("\(value.kindName) as a property") }
            result[key] = value
        }
        return result
    }

    // MARK: MERGE

    private func merge(
        _ part: PatternPart, _ onCreate: [SetItem], _ onMatch: [SetItem], _ row: Row
    ) throws -> [Row] {
        let found = try match([part], row)
        if !found.isEmpty {
            for match in found { try apply(onMatch, isRemoval: false, match) }
            return found
        }
        for map in part.expressions {
            for (key, value) in try properties(of: evaluate(map, Environment(row: row))) where value.isNull {
                throw ReferenceFailure("MERGE with null \(key)")
            }
        }
        let made = try create([part], row)
        for row in made { try apply(onCreate, isRemoval: false, row) }
        return made
    }

    // MARK: CREATE UNIQUE

    /// Follows what fits, from the left or from the right, wherever an end is known; makes one thing where nothing
    /// fits; and so on.
    private func createUnique(_ part: PatternPart, _ start: Row) throws -> Row {
        var row = start
        var nodes = part.nodes.map { pattern in pattern.variable.flatMap { row[$0] } }
        var edges: [UInt64?] = part.relationships.map { _ in nil }
        func candidates(_ index: Int) throws -> [(edge: UInt64, node: UInt64, place: Int)] {
            let isForward = nodes[index] != nil
            let (near, far) = isForward ? (index, index + 1) : (index + 1, index)
            let pattern = part.relationships[index]
            guard case .node(let id)? = nodes[near] else { throw ReferenceFailure("no node to start from") }
            return try graph.relationships(at: id.rawValue).compactMap { edge in
                guard let relationship = graph.relationships[edge], relationship.type == pattern.types[0],
                    !edges.contains(edge)
                else { return nil }
                let pointsOn = isForward == (pattern.direction != .incoming)
                if pattern.direction != .both {
                    guard (pointsOn ? relationship.start : relationship.end) == id.rawValue else { return nil }
                }
                let end = relationship.other(than: id.rawValue)
                if let known = nodes[far] {
                    guard ReferenceValues.equal(known, .node(NodeID(end))) == true else { return nil }
                } else {
                    let wanted = try storable(part.nodes[far].properties, row)
                    guard Self.has(graph.nodes[end]?.properties ?? [:], wanted) else { return nil }
                }
                guard Self.has(relationship.properties, try storable(pattern.properties, row)) else { return nil }
                return (edge, end, far)
            }
        }
        while edges.contains(where: { $0 == nil }) {
            let open = edges.indices.filter { edges[$0] == nil && (nodes[$0] != nil || nodes[$0 + 1] != nil) }
            guard let first = open.first else { throw ReferenceFailure("no node to start from") }
            if let (index, found) = try open.lazy.map({ ($0, try candidates($0)) }).first(where: { !$0.1.isEmpty }) {
                if found.count > 1, nodes[found[0].place] == nil { throw ReferenceFailure("several fit") }
                edges[index] = found[0].edge
                nodes[found[0].place] = .node(NodeID(found[0].node))
                if let name = part.nodes[found[0].place].variable { row[name] = nodes[found[0].place] }
            } else {
                for place in [first, first + 1] where nodes[place] == nil {
                    nodes[place] = .node(NodeID(try create(part.nodes[place], &row)))
                }
                let (left, right) = (try node(nodes[first] ?? .null), try node(nodes[first + 1] ?? .null))
                edges[first] = try create(part.relationships[first], left, right, &row)
            }
        }
        for (pattern, edge) in zip(part.relationships, edges) {
            if let name = pattern.variable, let edge { row[name] = .relationship(RelationshipID(edge)) }
        }
        return row
    }

    private static func has(_ properties: [String: Value], _ wanted: [String: Value]) -> Bool {
        wanted.allSatisfy { ReferenceValues.equal(properties[$0.key] ?? .null, $0.value) == true }
    }

    // MARK: SET, REMOVE, DELETE

    private func apply(_ items: [SetItem], isRemoval: Bool, _ row: Row) throws {
        let environment = Environment(row: row)
        for item in items {
            switch item.kind {
            case .property(let target, let key, let value):
                try set(key, evaluate(value, environment), of: evaluate(target, environment))
            case .all(let variable, let map, let adds):
                let entity = try evaluate(Expression(.variable(variable), at: 0), environment)
                if entity.isNull { continue }
                let wanted = try properties(of: evaluate(map, environment))
                if !adds {
                    for key in try properties(of: entity).keys { try set(key, .null, of: entity) }
                }
                for (key, value) in wanted { try set(key, value, of: entity) }
            case .labels(let variable, let labels):
                guard case .node(let id) = try evaluate(Expression(.variable(variable), at: 0), environment) else { continue }
                guard graph.nodes[id.rawValue] != nil else { throw ReferenceFailure("deleted") }
                if isRemoval {
                    graph.nodes[id.rawValue]?.labels.subtract(labels)
                } else {
                    graph.nodes[id.rawValue]?.labels.formUnion(labels)
                }
            }
        }
    }

    private func set(_ key: String, _ value: Value, of entity: Value) throws {
        guard value.isNull || value.isStorable else { throw ReferenceFailure("\(value.kindName) as a property") }
        switch entity {
        case .null: return
        case .node(let id):
            guard graph.nodes[id.rawValue] != nil else { throw ReferenceFailure("deleted") }
            graph.nodes[id.rawValue]?.properties[key] = value.isNull ? nil : value
        case .relationship(let id):
            guard graph.relationships[id.rawValue] != nil else { throw ReferenceFailure("deleted") }
            graph.relationships[id.rawValue]?.properties[key] = value.isNull ? nil : value
        default: throw ReferenceFailure("SET of \(entity.kindName)")
        }
    }

    private func delete(_ target: Expression, _ detach: Bool, _ row: Row) throws {
        if case .property(let entity, let key, _) = target.kind {
            return try set(key, .null, of: evaluate(entity, Environment(row: row)))
        }
        try delete(evaluate(target, Environment(row: row)), detach)
    }

    private func delete(_ value: Value, _ detach: Bool) throws {
        switch value {
        case .null: break
        case .list(let list): for element in list.elements { try delete(element, detach) }
        case .path(let path):
            for id in path.relationships { try delete(.relationship(id), detach) }
            for id in path.nodes { try delete(.node(id), detach) }
        case .relationship(let id):
            if graph.relationships.removeValue(forKey: id.rawValue) != nil { changes[3] += 1 }
        case .node(let id):
            if detach {
                for edge in graph.relationships(at: id.rawValue) { try delete(.relationship(RelationshipID(edge)), detach) }
            }
            if graph.nodes.removeValue(forKey: id.rawValue) != nil { changes[1] += 1 }
        default: throw ReferenceFailure("DELETE of \(value.kindName)")
        }
    }
}
