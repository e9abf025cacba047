internal import GraphModel
internal import Storage

/// Values as the transactional endpoint shows them: without URIs.
extension RepresentationWriter {
    /// An entity is its properties, a path the list of those of its nodes and relationships.
    mutating func plain(_ value: Value) {
        switch value {
        case .node(let id): properties(of: .node(id))
        case .relationship(let id): properties(of: .relationship(id))
        case .path(let path):
            json.beginList()
            for (index, node) in path.nodes.enumerated() {
                properties(of: .node(node))
                if index < path.relationships.count { properties(of: .relationship(path.relationships[index])) }
            }
            json.endList()
        case .list(let list):
            json.beginList()
            for element in list.elements { plain(element) }
            json.endList()
        case .map(let map):
            json.beginObject()
            for (key, value) in map.entries {
                json.key(key)
                plain(value)
            }
            json.endObject()
        default: self.value(value)
        }
    }

    /// Which entity a value is; null for what is none, one after the other for what holds several.
    mutating func metadata(of value: Value) {
        switch value {
        case .node(let id): metadata("node", id.rawValue, isDeleted: !transaction.nodeExists(id))
        case .relationship(let id):
            metadata("relationship", id.rawValue, isDeleted: transaction.relationship(id) == nil)
        case .path(let path):
            json.beginList()
            for (index, node) in path.nodes.enumerated() {
                metadata(of: .node(node))
                if index < path.relationships.count { metadata(of: .relationship(path.relationships[index])) }
            }
            json.endList()
        case .list(let list): for element in list.elements { metadata(of: element) }
        case .map(let map): for (_, value) in map.entries { metadata(of: value) }
        default: json.null()
        }
    }

    private mutating func metadata(_ type: String, _ id: UInt64, isDeleted: Bool) {
        json.beginObject()
        json.key("id")
        json.value(id)
        json.key("type")
        json.string(type)
        json.key("deleted")
        json.value(isDeleted)
        json.endObject()
    }

    /// All nodes and relationships in some values, each once, with the nodes at both ends of relationships.
    mutating func graph(_ values: [Value]) {
        var found = FoundEntities()
        for value in values { found.add(value, transaction) }
        json.beginObject()
        json.key("nodes")
        json.beginList()
        for id in found.nodes {
            json.beginObject()
            json.key("id")
            json.string(String(id.rawValue))
            json.key("labels")
            json.strings(transaction.labels(of: id).map { transaction.name(.label, $0) })
            json.key("properties")
            properties(of: .node(id))
            json.endObject()
        }
        json.endList()
        json.key("relationships")
        json.beginList()
        for id in found.relationships {
            guard let record = transaction.relationship(id) else { continue }
            json.beginObject()
            json.key("id")
            json.string(String(id.rawValue))
            json.key("type")
            json.string(transaction.name(.relationshipType, record.type))
            json.key("startNode")
            json.string(String(record.start.rawValue))
            json.key("endNode")
            json.string(String(record.end.rawValue))
            json.key("properties")
            properties(of: .relationship(id))
            json.endObject()
        }
        json.endList()
        json.endObject()
    }
}

/// In the order in which they were met.
private struct FoundEntities {
    private(set) var nodes: [NodeID] = []
    private(set) var relationships: [RelationshipID] = []
    private var known: Set<EntityID> = []

    mutating func add(_ value: Value, _ transaction: Transaction) {
        switch value {
        case .node(let id): if known.insert(.node(id)).inserted { nodes.append(id) }
        case .relationship(let id):
            guard known.insert(.relationship(id)).inserted else { return }
            relationships.append(id)
            guard let record = transaction.relationship(id) else { return }
            add(.node(record.start), transaction)
            add(.node(record.end), transaction)
        case .path(let path):
            for node in path.nodes { add(.node(node), transaction) }
            for relationship in path.relationships { add(.relationship(relationship), transaction) }
        case .list(let list): for element in list.elements { add(element, transaction) }
        case .map(let map): for (_, value) in map.entries { add(value, transaction) }
        default: break
        }
    }
}
