internal import Database
internal import GraphModel
internal import HTTPTypes
internal import JSON
internal import QueryEngine
internal import Storage

/// Labels, as later versions of this API have them, and the names and counts that came with them.
struct LabelRoutes: Sendable {
    let database: Database

    func add(to table: inout RouteTable) {
        table.add("/db/data/labels", [(.get, .reading { names(.label, $0, $1) })])
        table.add("/db/data/propertykeys", [(.get, .reading { names(.propertyKey, $0, $1) })])
        table.add("/db/data/node/{id}/labels", [
            (.get, .lookup(labels)), (.post, .writing(addLabels)), (.put, .writing(replaceLabels)),
        ])
        table.add("/db/data/node/{id}/labels/{label}", [(.delete, .writing(removeLabel))])
        table.add("/db/data/label/{label}/nodes", [(.get, .reading(nodes))])
        table.add("/db/data/node/{id}/degree/{direction}", [(.get, .reading(degree))])
        table.add("/db/data/node/{id}/degree/{direction}/{types}", [(.get, .reading(degree))])
    }

    private func names(_ kind: TokenKind, _ call: Call, _ transaction: Transaction) -> Answer {
        call.json(.ok) { $0.strings(transaction.names(kind)) }
    }

    // MARK: Labels of a node

    private func node(_ call: Call, _ transaction: Transaction) throws(GraphError) -> NodeID {
        let id = try call.nodeID()
        try transaction.requireNode(id)
        return id
    }

    private func names(_ id: NodeID, _ transaction: Transaction) -> [String] {
        transaction.labels(of: id).map { transaction.name(.label, $0) }
    }

    private func labels(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let id = try node(call, transaction)
        return call.json(.ok) { $0.strings(names(id, transaction)) }
    }

    /// A name or a list of names.
    private func labels(in body: Value) throws(GraphError) -> [String] {
        var names: [String] = []
        let elements = if case .list(let list) = body { list.elements } else { [body] }
        for element in elements {
            guard case .string(let name) = element else {
                throw GraphError(.invalidRequest, "the body must be the name of a label, or a list of names")
            }
            if name.text.isEmpty { throw GraphError(.invalidRequest, "a label needs a name: \"\" is none") }
            names.append(name.text)
        }
        return names
    }

    private func addLabels(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let id = try node(call, transaction)
        for label in try labels(in: try call.value()) { try transaction.addLabel(label, to: id) }
        return .noContent()
    }

    private func replaceLabels(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let id = try node(call, transaction)
        guard case .list = try call.value() else {
            throw GraphError(.invalidRequest, "the body must be a list with the names of labels")
        }
        let wanted = try labels(in: try call.value())
        for label in names(id, transaction) where !wanted.contains(label) {
            try transaction.removeLabel(label, from: id)
        }
        for label in wanted { try transaction.addLabel(label, to: id) }
        return .noContent()
    }

    private func removeLabel(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        try transaction.removeLabel(call.parameters[1], from: try node(call, transaction))
        return .noContent()
    }

    // MARK: Nodes of a label

    /// With `?key=value`, the value in JSON: those with that property. An index is used where there is one.
    private func nodes(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        var text = "MATCH (n:\(call.parameters[0].cypherName))"
        var parameters: [String: Value] = [:]
        let pairs = try call.target.parameters()
        guard pairs.count <= 1 else {
            throw GraphError(.invalidRequest, "the URI may name one property, not \(pairs.count)")
        }
        if let (key, json) = pairs.first {
            do throws(JSONError) { parameters["value"] = try JSONParser.parse(Array(json.utf8)) } catch {
                throw GraphError(
                    .invalidRequest, "the value of \"\(key)\" must be JSON, a string within quotation marks: \(error)")
            }
            text += " WHERE n.\(key.cypherName) = $value"
        }
        var statement = Statement(text + " RETURN n", parameters: parameters)
        let control = call.control ?? database.makeControl(call.options)
        statement.control = control
        return try database.attending(control) { () throws(GraphError) in
            let list = NodeList(call, byteCountMaximum: database.options.queryByteCountMaximum)
            return call.json(.ok, try database.run(statement, list, in: transaction).bytes)
        }
    }

    private func degree(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let id = try node(call, transaction)
        let direction = try RelationshipRoutes.direction(call.parameters[1])
        let names = call.parameters.count > 2 ? call.parameters[2].split(separator: "&").map(String.init) : []
        let types = names.compactMap { transaction.token(.relationshipType, $0) }
        // No types means all of them, so a filter of unknown types must not reach the store.
        let degree = names.isEmpty || !types.isEmpty ? transaction.degree(id, direction, types: types) : 0
        return call.json(.ok) { $0.value(Int64(degree)) }
    }
}

/// Writes the nodes that a query returns as a list.
private struct NodeList: ResultConsumer {
    private let base: BaseURI
    private let layout: JSONWriter.Layout
    private let byteCountMaximum: Int
    private var json: JSONWriter

    /// - Parameter byteCountMaximum: longest list; 0 is no limit.
    init(_ call: Call, byteCountMaximum: Int) {
        (base, layout) = (call.base, call.layout)
        self.byteCountMaximum = byteCountMaximum > 0 ? byteCountMaximum : .max
        json = JSONWriter(layout)
    }

    var bytes: [UInt8] { json.bytes }

    mutating func begin(columns: [String], in transaction: Transaction) { json.beginList() }

    mutating func rows(_ batch: ResultBatch, in transaction: Transaction) throws(GraphError) {
        var writer = RepresentationWriter(continuing: json, base: base, transaction: transaction)
        // The writer has the only reference to the buffer while it grows.
        json = JSONWriter(layout)
        for row in 0..<batch.rowCount { writer.value(batch.value(row: row, column: 0)) }
        json = writer.json
        if json.byteCount > byteCountMaximum {
            throw GraphError(
                .queryMemory, "the list takes more than \(byteCountMaximum) bytes: use a Cypher query, which sends it in pieces")
        }
    }

    mutating func end(_ statistics: QueryStatistics, in transaction: Transaction) { json.endList() }
}
