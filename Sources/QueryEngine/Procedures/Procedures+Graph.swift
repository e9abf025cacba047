internal import GraphModel
internal import Storage

// What the graph is made of: names in use, and which properties stand where.
extension Procedure {
    static let graphProcedures: [Procedure] = [
        Procedure("db.labels", gives: ["label"], "All labels that nodes have.") { frame, _ in
            names(frame, .label) { frame.transaction.nodeCount(label: $0) > 0 }
        },
        Procedure("db.relationshipTypes", gives: ["relationshipType"], "All types that relationships have.") { frame, _ in
            names(frame, .relationshipType) { frame.transaction.relationshipCount(type: $0) > 0 }
        },
        Procedure("db.propertyKeys", gives: ["propertyKey"], "All names that properties ever had.") { frame, _ in
            names(frame, .propertyKey) { _ in true }
        },
        Procedure(
            "db.schema.nodeTypeProperties",
            gives: ["nodeType", "nodeLabels", "propertyName", "propertyTypes", "mandatory"],
            "The properties that nodes of each set of labels have. Reads every node."
        ) { frame, _ throws(GraphError) in try nodeTypeProperties(frame) },
        Procedure(
            "db.schema.relTypeProperties", gives: ["relType", "propertyName", "propertyTypes", "mandatory"],
            "The properties that relationships of each type have. Reads every relationship."
        ) { frame, _ throws(GraphError) in try relationshipTypeProperties(frame) },
        Procedure(
            "db.schema.visualization", gives: ["nodes", "relationships"],
            "The labels as maps, and which types of relationships lead from one to the other. Reads every relationship."
        ) { frame, _ throws(GraphError) in try visualization(frame) },
    ]

    private static func names(_ frame: Frame, _ kind: TokenKind, _ isUsed: (TokenID) -> Bool) -> [[Value]] {
        frame.transaction.names(kind).filter { name in
            frame.transaction.token(kind, name).map(isUsed) ?? false
        }.sorted { codeUnitOrder($0, $1) < 0 }.map { [.string($0)] }
    }

    /// The kinds of values of each property of one kind of entity, and how many have it.
    private struct PropertyCensus {
        var entityCount = 0
        var properties: [TokenID: (count: Int, types: Set<String>)] = [:]

        mutating func add(_ found: [(key: TokenID, value: Value)]) {
            entityCount += 1
            for (key, value) in found { properties[key, default: (0, [])].types.insert(value.kindName) }
            for (key, _) in found { properties[key]?.count += 1 }
        }

        func rows(_ frame: Frame, _ first: [Value]) -> [[Value]] {
            if properties.isEmpty { return [first + [.null, .null, .boolean(false)]] }
            return properties.sorted { $0.key < $1.key }.map { key, use in
                first + [
                    .string(frame.transaction.name(.propertyKey, key)), .list(use.types.sorted().map { .string($0) }),
                    .boolean(use.count == entityCount),
                ]
            }
        }
    }

    private static func nodeTypeProperties(_ frame: Frame) throws(GraphError) -> [[Value]] {
        var census: [[String]: PropertyCensus] = [:]
        try forEachNode(frame) { id in
            let labels = frame.transaction.labels(of: id).map { frame.transaction.name(.label, $0) }.sorted()
            census[labels, default: PropertyCensus()].add(frame.transaction.properties(ofNode: id))
        }
        return census.sorted { $0.key.joined(separator: ":") < $1.key.joined(separator: ":") }.flatMap { labels, census in
            census.rows(
                frame, [.string(labels.map { ":`\($0)`" }.joined()), .list(labels.map { .string($0) })])
        }
    }

    private static func relationshipTypeProperties(_ frame: Frame) throws(GraphError) -> [[Value]] {
        var census: [TokenID: PropertyCensus] = [:]
        try forEachRelationship(frame) { id, record in
            census[record.type, default: PropertyCensus()].add(frame.transaction.properties(ofRelationship: id))
        }
        return census.sorted { $0.key < $1.key }.flatMap { type, census in
            census.rows(frame, [.string(":`\(frame.transaction.name(.relationshipType, type))`")])
        }
    }

    private struct Link: Hashable {
        let from: TokenID
        let type: TokenID
        let to: TokenID
    }

    private static func visualization(_ frame: Frame) throws(GraphError) -> [[Value]] {
        var links: Set<Link> = []
        try forEachRelationship(frame) { _, record in
            for from in frame.transaction.labels(of: record.start) {
                for to in frame.transaction.labels(of: record.end) {
                    links.insert(Link(from: from, type: record.type, to: to))
                }
            }
        }
        func text(_ kind: TokenKind, _ token: TokenID) -> Value { .string(frame.transaction.name(kind, token)) }
        let nodes = names(frame, .label) { frame.transaction.nodeCount(label: $0) > 0 }.map {
            Value.map(MapValue([("name", $0[0])]))
        }
        let ordered = links.sorted { ($0.from, $0.type, $0.to) < ($1.from, $1.type, $1.to) }
        let relationships = ordered.map { link in
            Value.map(
                MapValue([
                    ("from", text(.label, link.from)), ("type", text(.relationshipType, link.type)),
                    ("to", text(.label, link.to)),
                ]))
        }
        return [[.list(nodes), .list(relationships)]]
    }

    private static func forEachNode(_ frame: Frame, _ body: (NodeID) -> Void) throws(GraphError) {
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        var hasMore = true
        while hasMore {
            try frame.checkControl()
            ids.removeAll(keepingCapacity: true)
            hasMore = frame.transaction.scanNodes(label: nil, cursor: &cursor, limit: 1024, into: &ids)
            for id in ids { body(NodeID(id)) }
        }
    }

    private static func forEachRelationship(
        _ frame: Frame, _ body: (RelationshipID, RelationshipRecord) -> Void
    ) throws(GraphError) {
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        var hasMore = true
        while hasMore {
            try frame.checkControl()
            ids.removeAll(keepingCapacity: true)
            hasMore = frame.transaction.scanRelationships(type: nil, cursor: &cursor, limit: 1024, into: &ids)
            for id in ids {
                guard let record = frame.transaction.relationship(RelationshipID(id)) else { continue }
                body(RelationshipID(id), record)
            }
        }
    }
}
