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
                (.get, { call throws(GraphError) in try await list(kind, call) }),
                (.post, { call throws(GraphError) in try await create(kind, call) }),
            ])
            table.add(path + "/{name}", [
                (.get, { call throws(GraphError) in try await search.query(call, key: nil) }),
                (.post, { call throws(GraphError) in try await addEntry(kind, call) }),
                (.delete, { call throws(GraphError) in try await drop(kind, call) }),
            ])
            // What the second segment is depends on the method.
            table.add(path + "/{name}/{key}", [
                (.get, { call throws(GraphError) in try await search.query(call, key: call.parameters[1]) }),
                (.delete, { call throws(GraphError) in try await remove(kind, call) }),
            ])
            table.add(path + "/{name}/{key}/{value}", [
                (.get, { call throws(GraphError) in try await search.lookUp(call) }),
                (.delete, { call throws(GraphError) in try await remove(kind, call) }),
            ])
            table.add(path + "/{name}/{key}/{value}/{id}", [
                (.get, { call throws(GraphError) in try await entry(kind, call) }),
                (.delete, { call throws(GraphError) in try await remove(kind, call) }),
            ])
        }
    }

    // MARK: Indexes

    private func list(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        let (layout, base) = (call.layout, call.base)
        let bytes = try await database.read(call.options) { transaction throws(GraphError) -> [UInt8]? in
            let indexes = transaction.manualIndexes(kind)
            if indexes.isEmpty { return nil }
            var json = JSONWriter(layout)
            json.beginObject()
            for index in indexes {
                json.key(index.name)
                json.beginObject()
                json.key("template")
                json.string(IndexURI.index(base, kind, index.name) + "/{key}/{value}")
                let (first, others) = (["provider", "type"], index.configuration.keys.sorted())
                for key in first + others.filter({ !first.contains($0) }) {
                    guard let value = index.configuration[key] else { continue }
                    json.key(key)
                    json.string(value)
                }
                json.endObject()
            }
            json.endObject()
            return json.bytes
        }
        // As the original does where there is nothing to list.
        guard let bytes else { return .noContent() }
        return call.json(.ok, bytes)
    }

    private func create(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        let body = try await call.parsedMap()
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
        let result = try await database.write(call.options) { transaction throws(GraphError) in
            _ = try transaction.createManualIndex(kind, named: name.text, configuration: configuration)
        }
        let uri = IndexURI.index(call.base, kind, name.text)
        var json = JSONWriter(call.layout)
        json.beginObject()
        json.key("template")
        json.string(uri + "/{key}/{value}")
        for (key, value) in settings {
            json.key(key)
            json.string(value)
        }
        json.endObject()
        var answer = call.json(.created, json.bytes)
        answer.location = uri + "/"
        answer.transactionID = result.transactionID
        return answer
    }

    private func drop(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        let name = call.parameters[0]
        let result = try await database.write(call.options) { transaction throws(GraphError) in
            try transaction.dropManualIndex(kind, named: name)
        }
        return .noContent(result.transactionID)
    }

    // MARK: Entries

    private func addEntry(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        if let mode = try UniqueEntities.Mode(call.target) {
            return try await UniqueEntities(database: database, kind: kind).answer(call, mode)
        }
        let name = call.parameters[0]
        let body = try await call.parsedMap()
        let (key, value) = try UniqueEntities.pair(body)
        let entity = try IndexURI.entity(kind, body["uri"], "uri")
        let (layout, base) = (call.layout, call.base)
        let location = IndexURI.pair(base, kind, name, key, value.text) + String(entity.rawID)
        let result = try await database.write(call.options) { transaction throws(GraphError) -> [UInt8] in
            try transaction.require(entity)
            try transaction.add(entity, toIndex: name, key: key, value: value)
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            try writer.entity(entity, .alone, IndexMark(location: location))
            return writer.json.bytes
        }
        var answer = call.json(.created, result.value)
        answer.location = location
        answer.transactionID = result.transactionID
        return answer
    }

    private func entry(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        let (name, key, value) = (call.parameters[0], call.parameters[1], call.parameters[2])
        let entity = try IndexURI.entity(kind, id: call.parameters[3])
        let (layout, base) = (call.layout, call.base)
        let bytes = try await database.read(call.options) { transaction throws(GraphError) in
            var ids: ContiguousArray<UInt64> = []
            try transaction.lookUp(kind, inIndex: name, key: key, value: .text(value), into: &ids)
            guard ids.contains(entity.rawID) else {
                throw GraphError(.noSuchResource, "index \(name) has no entry \(key)=\(value) for \(entity)")
            }
            var writer = RepresentationWriter(layout, base: base, transaction: transaction)
            let location = IndexURI.pair(base, kind, name, key, value) + String(entity.rawID)
            try writer.entity(entity, .alone, IndexMark(location: location))
            return writer.json.bytes
        }
        return call.json(.ok, bytes)
    }

    /// `name/id`, `name/key/id` or `name/key/value/id`.
    private func remove(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        let name = call.parameters[0]
        let key = call.parameters.count > 2 ? call.parameters[1] : nil
        let value = call.parameters.count > 3 ? IndexedValue.text(call.parameters[2]) : nil
        let entity = try IndexURI.entity(kind, id: call.parameters[call.parameters.count - 1])
        let result = try await database.write(call.options) { transaction throws(GraphError) in
            try transaction.require(entity)
            try transaction.remove(entity, fromIndex: name, key: key, value: value)
        }
        return .noContent(result.transactionID)
    }
}
