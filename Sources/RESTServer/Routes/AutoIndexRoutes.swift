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
            table.add(path, [
                (.get, .reading { call, transaction throws(GraphError) in
                    try search.query(call, transaction, key: nil)
                })
            ])
            table.add(path + "/{key}/{value}", [(.get, .reading(search.lookUp))])
            table.add(path + "/status", [
                (.get, .lookup { call, transaction in call.json(.ok) { $0.value(transaction.autoIndexing(kind).isEnabled) } }),
                (.put, .writing { call, transaction throws(GraphError) in try setStatus(kind, call, transaction) }),
            ])
            table.add(path + "/properties", [
                (.get, .lookup { call, transaction in call.json(.ok) { $0.strings(transaction.autoIndexing(kind).keys) } }),
                (.post, .own(
                    { call throws(GraphError) in try await addProperty(kind, call) },
                    asJob: { call, transaction throws(GraphError) in
                        guard case .string(let key) = try call.value() else { throw Self.noName }
                        try transaction.startAutoIndexing(key.text, of: kind)
                        return .noContent()
                    })),
            ])
            table.add(path + "/properties/{name}", [
                (.get, .reading { call, transaction throws(GraphError) in
                    try search.lookUp(
                        call, transaction, kind.autoIndexName, key: "properties", value: call.parameters[0])
                }),
                (.delete, .writing { call, transaction throws(GraphError) in
                    try transaction.stopAutoIndexing(call.parameters[0], of: kind)
                    return .noContent()
                }),
            ])
            table.add(path + "/status/{value}", [
                (.get, .reading { call, transaction throws(GraphError) in
                    try search.lookUp(call, transaction, kind.autoIndexName, key: "status", value: call.parameters[0])
                })
            ])
        }
    }

    private func setStatus(
        _ kind: SchemaRule.EntityKind, _ call: Call, _ transaction: Transaction
    ) throws(GraphError) -> Answer {
        guard case .boolean(let isEnabled) = try call.value() else {
            throw GraphError(.invalidRequest, "the body must be true or false")
        }
        try transaction.setAutoIndexing(kind, isEnabled: isEnabled)
        return .noContent()
    }

    private static let noName = GraphError(
        .invalidRequest, "the body must be the name of a property, without quotation marks")

    /// The body is the bare name, whatever its content type says; so it is not read as JSON, but in a batch.
    private func addProperty(_ kind: SchemaRule.EntityKind, _ call: Call) async throws(GraphError) -> Answer {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let trimmed = call.body.drop(while: isBlank)
        let name = trimmed.dropLast(trimmed.reversed().prefix(while: isBlank).count)
        guard !name.isEmpty, let key = String(validating: name, as: UTF8.self) else { throw Self.noName }
        let result = try await database.write(call.options) { transaction throws(GraphError) in
            try transaction.startAutoIndexing(key, of: kind)
        }
        return .noContent(result.transactionID)
    }
}
