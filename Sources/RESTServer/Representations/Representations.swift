package import GraphModel
package import Storage

/// Where a representation stands. The manual shows the keys of an entity in one order when it is the whole answer and
/// in another when it is an element of a list; both are kept, since people compare answers with the manual as text.
enum Placement: Sendable { case alone, listed }

/// Writes graph entities as chapter 18 of the manual shows them, from one snapshot.
package struct RepresentationWriter {
    package var json: JSONWriter
    let base: BaseURI
    let transaction: Transaction

    package init(_ layout: JSONWriter.Layout, base: BaseURI, transaction: Transaction) {
        json = JSONWriter(layout, capacity: 1536)
        self.base = base
        self.transaction = transaction
    }

    /// Goes on where another writer stopped.
    init(continuing json: JSONWriter, base: BaseURI, transaction: Transaction) {
        self.json = json
        self.base = base
        self.transaction = transaction
    }

    // MARK: URIs

    private mutating func uri(_ kind: StaticString, _ id: UInt64, _ rest: StaticString = "") {
        json.beginPlainString()
        json.plain(base.data)
        json.plain(kind)
        json.plain(id)
        json.plain(rest)
        json.endPlainString()
    }

    mutating func nodeURI(_ id: NodeID) { uri("/node/", id.rawValue) }
    mutating func relationshipURI(_ id: RelationshipID) { uri("/relationship/", id.rawValue) }

    private mutating func noExtensions() {
        json.key("extensions")
        json.beginObject()
        json.endObject()
    }

    // MARK: Nodes

    private enum NodeKey {
        case extensions, data
        case uri(StaticString, StaticString)
    }

    private static let pagedTraverse = NodeKey.uri(
        "paged_traverse", "/paged/traverse/{returnType}{?pageSize,leaseTime}")
    private static let outgoing = NodeKey.uri("outgoing_relationships", "/relationships/out")
    private static let traverse = NodeKey.uri("traverse", "/traverse/{returnType}")
    private static let allTyped = NodeKey.uri("all_typed_relationships", "/relationships/all/{-list|&|types}")
    private static let all = NodeKey.uri("all_relationships", "/relationships/all")
    private static let property = NodeKey.uri("property", "/properties/{key}")
    private static let itself = NodeKey.uri("self", "")
    private static let outgoingTyped = NodeKey.uri("outgoing_typed_relationships", "/relationships/out/{-list|&|types}")
    private static let properties = NodeKey.uri("properties", "/properties")
    private static let incoming = NodeKey.uri("incoming_relationships", "/relationships/in")
    private static let incomingTyped = NodeKey.uri("incoming_typed_relationships", "/relationships/in/{-list|&|types}")
    private static let create = NodeKey.uri("create_relationship", "/relationships")

    private static let aloneKeys: [NodeKey] = [
        .extensions, pagedTraverse, outgoing, traverse, allTyped, all, property, itself, outgoingTyped, properties,
        incoming, incomingTyped, create, .data,
    ]
    private static let listedKeys: [NodeKey] = [
        outgoing, .data, traverse, allTyped, property, itself, outgoingTyped, properties, incoming, .extensions, create,
        pagedTraverse, all, incomingTyped,
    ]

    /// Where the manual shows what an index adds: behind everything else, but before it in lists.
    mutating func node(_ id: NodeID, _ placement: Placement, _ mark: IndexMark = IndexMark()) {
        json.beginObject()
        if placement == .listed { write(mark) }
        for key in placement == .alone ? Self.aloneKeys : Self.listedKeys {
            switch key {
            case .extensions: noExtensions()
            case .data:
                json.key("data")
                properties(of: .node(id))
            case .uri(let name, let rest):
                json.key(name)
                uri("/node/", id.rawValue, rest)
            }
        }
        metadata(id)
        if placement == .alone { write(mark) }
        json.endObject()
    }

    /// Later versions of this API show a node's labels here. The manual's knows none: without a label nothing is added.
    private mutating func metadata(_ id: NodeID) {
        let labels = transaction.labels(of: id)
        if labels.isEmpty { return }
        json.key("metadata")
        json.beginObject()
        json.key("id")
        value(.integer(Int64(bitPattern: id.rawValue)))
        json.key("labels")
        value(.list(labels.map { .string(transaction.name(.label, $0)) }))
        json.endObject()
    }

    // MARK: Relationships

    private enum RelationshipKey { case extensions, start, property, itself, properties, type, end, data }

    private static let aloneRelationshipKeys: [RelationshipKey] = [
        .extensions, .start, .property, .itself, .properties, .type, .end, .data,
    ]
    private static let listedRelationshipKeys: [RelationshipKey] = [
        .start, .data, .itself, .property, .properties, .type, .extensions, .end,
    ]

    mutating func relationship(_ record: RelationshipRecord, _ placement: Placement, _ mark: IndexMark = IndexMark()) {
        json.beginObject()
        if placement == .listed { write(mark) }
        for key in placement == .alone ? Self.aloneRelationshipKeys : Self.listedRelationshipKeys {
            switch key {
            case .extensions: noExtensions()
            case .start:
                json.key("start")
                nodeURI(record.start)
            case .property:
                json.key("property")
                uri("/relationship/", record.id.rawValue, "/properties/{key}")
            case .itself:
                json.key("self")
                relationshipURI(record.id)
            case .properties:
                json.key("properties")
                uri("/relationship/", record.id.rawValue, "/properties")
            case .type:
                json.key("type")
                json.string(transaction.name(.relationshipType, record.type))
            case .end:
                json.key("end")
                nodeURI(record.end)
            case .data:
                json.key("data")
                properties(of: .relationship(record.id))
            }
        }
        if placement == .alone { write(mark) }
        json.endObject()
    }

    // MARK: Properties and values

    mutating func properties(of entity: EntityID) {
        let properties =
            switch entity {
            case .node(let id): transaction.properties(ofNode: id)
            case .relationship(let id): transaction.properties(ofRelationship: id)
            }
        json.beginObject()
        for (key, value) in properties {
            json.key(transaction.name(.propertyKey, key))
            self.value(value)
        }
        json.endObject()
    }

    /// A path has URIs, never whole entities.
    mutating func path(_ path: Path, weight: Double? = nil) {
        self.path(path, weight) { $0.nodeURI($1) } relationship: { $0.relationshipURI($1) }
    }

    /// A path of whole entities.
    mutating func fullPath(_ path: Path) {
        self.path(path, nil) { $0.node($1, .listed) } relationship: { $0.value(.relationship($1)) }
    }

    private mutating func path(
        _ path: Path, _ weight: Double?, node: (inout RepresentationWriter, NodeID) -> Void,
        relationship: (inout RepresentationWriter, RelationshipID) -> Void
    ) {
        json.beginObject()
        if let weight {
            json.key("weight")
            json.value(weight)
        }
        json.key("start")
        node(&self, path.nodes[0])
        json.key("nodes")
        json.beginList()
        for id in path.nodes { node(&self, id) }
        json.endList()
        json.key("length")
        json.value(Int64(path.relationships.count))
        json.key("relationships")
        json.beginList()
        for id in path.relationships { relationship(&self, id) }
        json.endList()
        json.key("end")
        node(&self, path.nodes[path.nodes.count - 1])
        json.endObject()
    }

    /// As GeoJSON, with the coordinate system, which GeoJSON leaves open.
    private mutating func point(_ point: PointValue) {
        json.beginObject()
        json.key("type")
        json.string("Point")
        json.key("coordinates")
        json.beginList()
        for number in point.coordinates { json.value(number) }
        json.endList()
        json.key("crs")
        json.beginObject()
        json.key("srid")
        json.value(Int64(point.system.rawValue))
        json.key("name")
        json.string(point.system.name)
        json.endObject()
        json.endObject()
    }

    package mutating func value(_ value: Value) {
        switch value {
        case .null: json.null()
        case .boolean(let value): json.value(value)
        case .integer(let value): json.value(value)
        case .float(let value): json.value(value)
        case .string(let value): json.string(value.text)
        case .bytes(let value):
            json.beginList()
            // A byte is signed where this format comes from.
            for byte in value.bytes { json.value(Int64(Int8(bitPattern: byte))) }
            json.endList()
        case .temporal(let value): json.string(value.description)
        case .point(let value): point(value)
        case .list(let list):
            json.beginList()
            for element in list.elements { self.value(element) }
            json.endList()
        case .map(let map):
            json.beginObject()
            for (key, value) in map.entries {
                json.key(key)
                self.value(value)
            }
            json.endObject()
        case .node(let id): node(id, .listed)
        case .relationship(let id):
            if let record = transaction.relationship(id) {
                relationship(record, .listed)
            } else {
                // Deleted by this very query; there is nothing left to describe but its URI.
                json.beginObject()
                json.key("self")
                relationshipURI(id)
                json.endObject()
            }
        case .path(let path): self.path(path)
        }
    }
}
