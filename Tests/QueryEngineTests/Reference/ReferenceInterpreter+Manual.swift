import Cypher
import GraphModel

// START, and MATCH with the optional relationships of the manual's language.
extension ReferenceInterpreter {
    func start(_ item: StartItem, _ rows: [Row]) throws -> [Row] {
        try rows.flatMap { row -> [Row] in
            let ids: [UInt64]
            switch item.source {
            case .all: ids = item.isNode ? graph.nodeIDs : graph.relationshipIDs
            case .ids(let expression):
                let given = try evaluate(expression, Environment(row: row))
                let list = if case .list(let list) = given { list.elements } else { [given] }
                ids = try list.map { element in
                    guard case .integer(let number) = element, let id = UInt64(exactly: number),
                        item.isNode ? graph.nodes[id] != nil : graph.relationships[id] != nil
                    else { throw ReferenceFailure("START at what is not there") }
                    return id
                }
            case .index, .indexQuery: throw ReferenceFailure("legacy indexes are not tested", isExhaustion: true)
            }
            return ids.map { id in
                row.merging([item.variable: item.isNode ? .node(NodeID(id)) : .relationship(RelationshipID(id))]) { $1 }
            }
        }
    }

    /// One relationship of a pattern and the nodes at its ends, each under a name.
    private struct Link {
        var part: PatternPart
        let left: String
        let right: String
        var isOptional: Bool { part.relationships[0].isOptional }
        var ends: Set<String> { [left, right] }
    }

    /// First what hangs on the starting points without an optional relationship; then each optional relationship with
    /// all that hangs on it: found as a whole, or null as a whole.
    func matchManual(_ parts: [PatternPart], _ rows: [Row]) throws -> [Row] {
        let links = try parts.flatMap(Self.links)
        return try rows.flatMap { row -> [Row] in
            if links.isEmpty { return try match(parts, row) }
            var known = Set(row.keys)
            var open = links
            let certain = Self.take(&open, reachableFrom: &known)
            var attempts = try self.attempts(certain.map(\.part), Attempt(row: row))
            while !open.isEmpty {
                guard let index = open.firstIndex(where: { !$0.ends.isDisjoint(with: known) }) else {
                    // What hangs on nothing begins at its first node.
                    let first = PatternPart(
                        pathVariable: nil, shortest: .none, nodes: [open[0].part.nodes[0]], relationships: [], offset: 0)
                    known.insert(open[0].left)
                    let more = [first] + Self.take(&open, reachableFrom: &known).map(\.part)
                    attempts = try attempts.flatMap { try self.attempts(more, $0) }
                    continue
                }
                var group = [open.remove(at: index)]
                let before = known
                known.formUnion(group[0].ends)
                var reached = known.subtracting(before)
                group += Self.take(&open, reachableFrom: &reached)
                known.formUnion(reached)
                let names = group.flatMap { $0.part.names }
                attempts = try attempts.flatMap { attempt -> [Attempt] in
                    let found = try self.attempts(group.map(\.part), attempt)
                    if !found.isEmpty { return found }
                    var without = attempt
                    without.row.merge(names.map { ($0, .null) }) { old, _ in old }
                    return [without]
                }
            }
            return try attempts.map { attempt in
                var result = attempt.row
                for part in parts {
                    guard let name = part.pathVariable else { continue }
                    result[name] = Self.path(of: part, try Self.links(part), attempt.row)
                }
                return result
            }
        }
    }

    /// A chain as single links. Its nodes must have names: what is optional hangs on them.
    private static func links(_ part: PatternPart) throws -> [Link] {
        let names = part.nodes.compactMap(\.variable)
        guard names.count == part.nodes.count else { throw ReferenceFailure("a node without a name", isExhaustion: true) }
        return part.relationships.indices.map { index in
            let chain = PatternPart(
                pathVariable: nil, shortest: part.shortest, nodes: Array(part.nodes[index...index + 1]),
                relationships: [part.relationships[index]], offset: part.offset)
            return Link(part: chain, left: names[index], right: names[index + 1])
        }
    }

    /// Takes the links that can be reached without crossing an optional one, in an order in which each hangs on one
    /// before it.
    private static func take(_ open: inout [Link], reachableFrom known: inout Set<String>) -> [Link] {
        var taken: [Link] = []
        while let index = open.firstIndex(where: { !$0.isOptional && !$0.ends.isDisjoint(with: known) }) {
            let link = open.remove(at: index)
            known.formUnion(link.ends)
            taken.append(link)
        }
        return taken
    }

    private static func path(of part: PatternPart, _ links: [Link], _ row: Row) -> Value {
        guard let first = links.first, case .node(let start)? = row[first.left] else { return .null }
        var nodes = [start.rawValue]
        var edges: [UInt64] = []
        for link in links {
            guard case .node(let end)? = row[link.right], case .relationship(let edge)? = row[link.part.relationships[0].variable ?? ""]
            else { return .null }
            nodes.append(end.rawValue)
            edges.append(edge.rawValue)
        }
        return path(nodes, edges)
    }
}
