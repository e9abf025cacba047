internal import GraphModel
internal import HTTPTypes
internal import Storage

/// 18.10: entities of which an index has one for each pair of key and value.
struct UniqueEntities: Sendable {
    enum Mode: Sendable {
        case getOrCreate, createOrFail

        /// What a URI asks for: `?unique`, or what later versions write, `?uniqueness=get_or_create`; nil for neither.
        init?(_ target: Target) throws(GraphError) {
            let newer = try target.parameter("uniqueness")
            let older = try target.parameter("unique")
            guard let text = newer ?? older else { return nil }
            switch text.lowercased() {
            case "", "true", "get_or_create": self = .getOrCreate
            case "create_or_fail": self = .createOrFail
            case "false": return nil
            default:
                throw GraphError(
                    .invalidRequest, "uniqueness is \"\(text)\": allowed are get_or_create and create_or_fail")
            }
        }
    }

    let kind: SchemaRule.EntityKind

    /// Key and value of a body; the value as the index keeps it.
    static func pair(_ body: MapValue) throws(GraphError) -> (key: String, value: IndexedValue) {
        guard case .string(let key)? = body["key"] else { throw GraphError(.invalidRequest, "\"key\" must be a string") }
        guard let value = body["value"], !value.isNull else {
            throw GraphError(.invalidRequest, "\"value\" must be there, and not null")
        }
        return (key.text, IndexedValue(value))
    }

    /// What becomes of a pair that nobody has.
    private enum Making: Sendable {
        case existing(EntityID)
        case node([(key: String, value: Value)])
        case relationship(type: String, start: EntityID, end: EntityID, [(key: String, value: Value)])
    }

    private func making(_ body: MapValue) throws(GraphError) -> Making {
        if let uri = body["uri"] {
            if body["properties"] != nil {
                throw GraphError(.invalidRequest, "\"uri\" and \"properties\" exclude each other: an entity is there or is made")
            }
            return .existing(try IndexURI.entity(kind, uri, "uri"))
        }
        let properties: [(key: String, value: Value)]
        switch body["properties"] {
        case nil, .null?:
            // The pair itself becomes a property.
            let (key, _) = try Self.pair(body)
            properties = try PropertyInput.storable(MapValue([(key, body["value"] ?? .null)]))
        case .map(let map)?: properties = try PropertyInput.storable(map)
        default: throw GraphError(.invalidRequest, "\"properties\" must be an object")
        }
        if kind == .node { return .node(properties) }
        guard case .string(let type)? = body["type"], !type.text.isEmpty else {
            throw GraphError(.invalidRequest, "\"type\" must be the name of a relationship type")
        }
        return .relationship(
            type: type.text, start: try IndexURI.entity(.node, body["start"], "start"),
            end: try IndexURI.entity(.node, body["end"], "end"), properties)
    }

    private static func make(_ making: Making, _ transaction: Transaction) throws(GraphError) -> EntityID {
        switch making {
        case .existing(let entity):
            try transaction.require(entity)
            return entity
        case .node(let properties): return .node(try transaction.createNode(properties: properties))
        case .relationship(let type, let start, let end, let properties):
            try transaction.require(start)
            try transaction.require(end)
            return .relationship(
                try transaction.createRelationship(
                    type: type, from: NodeID(start.rawID), to: NodeID(end.rawID), properties: properties))
        }
    }

    func answer(_ call: Call, _ mode: Mode, _ transaction: Transaction) throws(GraphError) -> Answer {
        let name = call.parameters[0]
        let body = try call.map()
        let (key, value) = try Self.pair(body)
        let making = try making(body)
        let (entity, isNew) = try transaction.getOrCreate(kind, inIndex: name, key: key, value: value) {
            transaction throws(GraphError) in try Self.make(making, transaction)
        }
        let location = IndexURI.pair(call.base, kind, name, key, value.text) + String(entity.rawID)
        let status: HTTPResponse.Status = isNew ? .created : mode == .getOrCreate ? .ok : .conflict
        var answer = try call.json(status, transaction) { writer throws(GraphError) in
            try writer.entity(entity, .alone, IndexMark(location: location))
        }
        if isNew { answer.location = location }
        return answer
    }
}
