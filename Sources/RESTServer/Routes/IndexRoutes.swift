internal import Database
internal import GraphModel
internal import HTTPTypes
internal import Storage

/// 18.9: named indexes, and what is in them. The same for nodes and relationships.
struct IndexRoutes: Sendable {
    let database: Database

    func add(to table: inout RouteTable) {
        for kind in [SchemaRule.EntityKind.node, .relationship] {
            let path = "/db/data/index/\(IndexURI.segment(kind))"
            let search = IndexSearch(database: database, kind: kind)
            table.add(path, [
                (.get, .reading { call, transaction throws(GraphError) in list(kind, call, transaction) }),
                (.post, .writing { call, transaction throws(GraphError) in try create(kind, call, transaction) }),
            ])
            table.add(path + "/{name}", [
                (.get, .reading { call, transaction throws(GraphError) in
                    try search.query(call, transaction, key: nil)
                }),
                (.post, .writing { call, transaction throws(GraphError) in try addEntry(kind, call, transaction) }),
                (.delete, .writing { call, transaction throws(GraphError) in
                    try transaction.dropManualIndex(kind, named: call.parameters[0])
                    return .noContent()
                }),
            ])
            let removal = Handler.writing { call, transaction throws(GraphError) in
                try remove(kind, call, transaction)
            }
            // What the second segment is depends on the method.
            table.add(path + "/{name}/{key}", [
                (.get, .reading { call, transaction throws(GraphError) in
                    try search.query(call, transaction, key: call.parameters[1])
                }),
                (.delete, removal),
            ])
            table.add(path + "/{name}/{key}/{value}", [(.get, .reading(search.lookUp)), (.delete, removal)])
            table.add(path + "/{name}/{key}/{value}/{id}", [
                (.get, .reading { call, transaction throws(GraphError) in try entry(kind, call, transaction) }),
                (.delete, removal),
            ])
        }
    }

    // MARK: Indexes

    private func list(_ kind: SchemaRule.EntityKind, _ call: Call, _ transaction: Transaction) -> Answer {
        let indexes = transaction.manualIndexes(kind)
        // As the original does where there is nothing to list.
        if indexes.isEmpty { return .noContent() }
        return call.json(.ok) { json in
            json.beginObject()
            for index in indexes {
                json.key(index.name)
                json.beginObject()
                json.key("template")
                json.string(IndexURI.index(call.base, kind, index.name) + "/{key}/{value}")
                let (first, others) = (["provider", "type"], index.configuration.keys.sorted())
                for key in first + others.filter({ !first.contains($0) }) {
                    guard let value = index.configuration[key] else { continue }
                    json.key(key)
                    json.string(value)
                }
                json.endObject()
            }
            json.endObject()
        }
    }

    private func create(
        _ kind: SchemaRule.EntityKind, _ call: Call, _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        let body = try call.map()
        guard case .string(let name)? = body["name"] else {
            throw GraphError(.invalidRequest, "\"name\" must be the name of the index")
        }
        var settings: [(key: String, value: String)] = []
        switch body["config"] {
        case nil, .null?: break
        case .map(let map)?: settings = map.entries.map { ($0.key, IndexedValue($0.value).text) }
        case let other?: throw GraphError(.invalidRequest, "\"config\" must be an object with settings, not \(other.kindName)")
        }
        let configuration = Dictionary(settings.map { ($0.key, $0.value) }) { _, last in last }
        _ = try transaction.createManualIndex(kind, named: name.text, configuration: configuration)
        let uri = IndexURI.index(call.base, kind, name.text)
        var answer = call.json(.created) { json in
            json.beginObject()
            json.key("template")
            json.string(uri + "/{key}/{value}")
            for (key, value) in settings {
                json.key(key)
                json.string(value)
            }
            json.endObject()
        }
        answer.location = uri + "/"
        return answer
    }

    // MARK: Entries

    private func addEntry(
        _ kind: SchemaRule.EntityKind, _ call: Call, _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        if let mode = try UniqueEntities.Mode(call.target) {
            return try UniqueEntities(kind: kind).answer(call, mode, transaction)
        }
        let name = call.parameters[0]
        let body = try call.map()
        let (key, value) = try UniqueEntities.pair(body)
        let entity = try IndexURI.entity(kind, body["uri"], "uri")
        let location = IndexURI.pair(call.base, kind, name, key, value.text) + String(entity.rawID)
        try transaction.require(entity)
        try transaction.add(entity, toIndex: name, key: key, value: value)
        var answer = try call.json(.created, transaction) { writer throws(GraphError) in
            try writer.entity(entity, .alone, IndexMark(location: location))
        }
        answer.location = location
        return answer
    }

    private func entry(
        _ kind: SchemaRule.EntityKind, _ call: Call, _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        let (name, key, value) = (call.parameters[0], call.parameters[1], call.parameters[2])
        let entity = try IndexURI.entity(kind, id: call.parameters[3])
        var ids: ContiguousArray<UInt64> = []
        try transaction.lookUp(kind, inIndex: name, key: key, value: .text(value), into: &ids)
        guard ids.contains(entity.rawID) else {
            throw GraphError(.noSuchResource, "index \(name) has no entry \(key)=\(value) for \(entity)")
        }
        let location = IndexURI.pair(call.base, kind, name, key, value) + String(entity.rawID)
        return try call.json(.ok, transaction) { writer throws(GraphError) in
            try writer.entity(entity, .alone, IndexMark(location: location))
        }
    }

    /// `name/id`, `name/key/id` or `name/key/value/id`.
    private func remove(
        _ kind: SchemaRule.EntityKind, _ call: Call, _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        let name = call.parameters[0]
        let key = call.parameters.count > 2 ? call.parameters[1] : nil
        let value = call.parameters.count > 3 ? IndexedValue.text(call.parameters[2]) : nil
        let entity = try IndexURI.entity(kind, id: call.parameters[call.parameters.count - 1])
        try transaction.require(entity)
        try transaction.remove(entity, fromIndex: name, key: key, value: value)
        return .noContent()
    }
}
