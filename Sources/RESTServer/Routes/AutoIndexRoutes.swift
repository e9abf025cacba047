internal import Database
internal import GraphModel
internal import HTTPTypes
internal import Storage

/// 18.11 and 18.12: the automatic indexes, and what they follow.
struct AutoIndexRoutes: Sendable {
    let database: Database

    func add(to table: inout RouteTable) {
        for kind in [SchemaRule.EntityKind.node, .relationship] {
            let path = "/db/data/index/auto/\(IndexURI.segment(kind))"
            let search = IndexSearch(database: database, kind: kind, isAutomatic: true)
            table.add(path, [(.get, { call throws(GraphError) in try await search.query(call, key: nil) })])
            table.add(path + "/{key}/{value}", [(.get, { call throws(GraphError) in try await search.lookUp(call) })])
            table.add(path + "/status", [
                (.get, { call throws(GraphError) in try await status(kind, call) }),
                (.put, { call throws(GraphError) in try await setStatus(kind, call) }),
            ])
            table.add(path + "/properties", [
                (.get, { call throws(GraphError) in try await properties(kind, call) }),
                (.post, { call throws(GraphError) in try await addProperty(kind, call) }),
            ])
            table.add(path + "/properties/{name}", [
                (.get, { call throws(GraphError) in
                    try await search.lookUp(call, kind.autoIndexName, key: "properties", value: call.parameters[0])
                }),
                (.delete, { call throws(GraphError) in try await removeProperty(kind, call) }),
            ])
            table.add(path + "/status/{value}", [
                (.get, { call throws(GraphError) in
                    try await search.lookUp(call, kind.autoIndexName, key: "status", value: call.parameters[0])
                })
            ])
        }
    }

    private func status(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        let isEnabled = try await database.readHere(call.options) { $0.autoIndexing(kind).isEnabled }
        var json = JSONWriter(call.layout)
        json.value(isEnabled)
        return call.json(.ok, json.bytes)
    }

    private func setStatus(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        guard case .boolean(let isEnabled) = try await call.parsedBody() else {
            throw GraphError(.invalidRequest, "the body must be true or false")
        }
        return try await write(call) { transaction throws(GraphError) in
            try transaction.setAutoIndexing(kind, isEnabled: isEnabled)
        }
    }

    private func properties(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        let keys = try await database.readHere(call.options) { $0.autoIndexing(kind).keys }
        var json = JSONWriter(call.layout)
        json.beginList()
        for key in keys { json.string(key) }
        json.endList()
        return call.json(.ok, json.bytes)
    }

    /// The body is the bare name, whatever its content type says.
    private func addProperty(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let trimmed = call.body.drop(while: isBlank)
        let name = trimmed.dropLast(trimmed.reversed().prefix(while: isBlank).count)
        guard !name.isEmpty, let key = String(validating: name, as: UTF8.self) else {
            throw GraphError(.invalidRequest, "the body must be the name of a property, without quotation marks")
        }
        return try await write(call) { transaction throws(GraphError) in try transaction.startAutoIndexing(key, of: kind) }
    }

    private func removeProperty(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        let key = call.parameters[0]
        return try await write(call) { transaction throws(GraphError) in try transaction.stopAutoIndexing(key, of: kind) }
    }

    private func write(
        _ call: Call, _ body: @escaping @Sendable (Transaction) throws(GraphError) -> Void
    ) async throws(GraphError) -> Answer {
        .noContent(try await database.write(call.options, body).transactionID)
    }
}
