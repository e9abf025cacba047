internal import GraphModel
internal import Storage

/// Nodes, relationships, paths.
extension Function {
    static let graphFunctions: [Function] = [
        Function(
            "id", .graph, ["entity": [.node, .relationship]], .integer, "The number of a node or relationship.",
            .unary { value throws(GraphError) in .integer(try number(of: value, "id")) }),
        Function(
            "elementId", .graph, ["entity": [.node, .relationship]], .string,
            "The identity of a node or relationship as a string.",
            .unary { value throws(GraphError) in .string(String(try number(of: value, "elementId"))) }),
        Function(
            "type", .graph, ["relationship": .relationship], .string, "The type of a relationship.",
            .reading { frame, value throws(GraphError) in
                .string(frame.transaction.name(.relationshipType, try record("type", frame, value).type))
            }),
        Function(
            "startNode", .graph, ["relationship": .relationship], .node, "The node that a relationship starts at.",
            .reading { frame, value throws(GraphError) in .node(try record("startNode", frame, value).start) }),
        Function(
            "endNode", .graph, ["relationship": .relationship], .node, "The node that a relationship ends at.",
            .reading { frame, value throws(GraphError) in .node(try record("endNode", frame, value).end) }),
        Function(
            "labels", .graph, ["node": .node], .list, "The labels of a node.",
            .reading { frame, value throws(GraphError) in
                guard case .node(let id) = value else { throw wrong("labels", "a node", value) }
                if !frame.transaction.isReadOnly, !frame.transaction.nodeExists(id) { throw deleted(value) }
                return .list(frame.transaction.labels(of: id).map { .string(frame.transaction.name(.label, $0)) })
            }),
        Function(
            "nodes", .graph, ["path": .path], .list, "The nodes of a path.",
            .unary { value throws(GraphError) in
                guard case .path(let path) = value else { throw wrong("nodes", "a path", value) }
                return .list(path.nodes.map { .node($0) })
            }),
        relationships, relationships.named("rels"),
        Function(
            "keys", .graph, ["entity": [.node, .relationship, .map]], .list,
            "The keys of the properties of a node or relationship, or of a map.",
            .reading { frame, value throws(GraphError) in
                if case .map(let map) = value { return .list(map.entries.map { .string($0.key) }) }
                return .list(try properties("keys", frame, value).map { .string($0.key) })
            }),
        Function(
            "properties", .graph, ["entity": [.node, .relationship, .map]], .map,
            "The properties of a node or relationship as a map.",
            .reading { frame, value throws(GraphError) in
                if case .map = value { return value }
                return .map(MapValue(try properties("properties", frame, value)))
            }),
    ]

    private static let relationships = Function(
        "relationships", .graph, ["path": [.path, .list]], .list, "The relationships of a path.",
        .unary { value throws(GraphError) in
            switch value {
            case .path(let path): return .list(path.relationships.map { .relationship($0) })
            case .list: return value
            default: throw wrong("relationships", "a path", value)
            }
        })

    private static func number(of value: Value, _ function: String) throws(GraphError) -> Int64 {
        switch value {
        case .node(let id): Int64(bitPattern: id.rawValue)
        case .relationship(let id): Int64(bitPattern: id.rawValue)
        default: throw wrong(function, "a node or a relationship", value)
        }
    }

    private static func record(
        _ function: String, _ frame: Frame, _ value: Value
    ) throws(GraphError) -> RelationshipRecord {
        guard case .relationship(let id) = value else { throw wrong(function, "a relationship", value) }
        guard let record = frame.transaction.relationship(id) else { throw deleted(value) }
        return record
    }

    private static func deleted(_ value: Value) -> GraphError {
        GraphError(.entityNotFound, "the \(value.kindName.lowercased()) has been deleted in this transaction")
    }

    /// The properties of a node, relationship or map, by name.
    static func properties(
        _ function: String, _ frame: Frame, _ value: Value
    ) throws(GraphError) -> [(key: String, value: Value)] {
        let stored: [(key: TokenID, value: Value)]
        switch value {
        case .node(let id):
            if !frame.transaction.isReadOnly, !frame.transaction.nodeExists(id) { throw deleted(value) }
            stored = frame.transaction.properties(ofNode: id)
        case .relationship(let id):
            if !frame.transaction.isReadOnly, frame.transaction.relationship(id) == nil { throw deleted(value) }
            stored = frame.transaction.properties(ofRelationship: id)
        case .map(let map): return map.entries
        default: throw wrong(function, "a node, a relationship or a map", value)
        }
        return stored.map { (frame.transaction.name(.propertyKey, $0.key), $0.value) }
    }
}

extension Path {
    /// Nodes and relationships by turns.
    var elements: [Value] {
        var result: [Value] = []
        for (index, node) in nodes.enumerated() {
            result.append(.node(node))
            if index < relationships.count { result.append(.relationship(relationships[index])) }
        }
        return result
    }
}
