internal import GraphModel
internal import HTTPTypes
internal import Storage

/// Indexes and constraints of the schema, as later versions of this API have them. A constraint is answered once it is
/// part of the schema, and in force a little later: see decision 0010. One that the graph breaks is not shown; it can be
/// dropped, or made anew.
struct SchemaRoutes: Sendable {
    func add(to table: inout RouteTable) {
        table.add("/db/data/schema/index", [(.get, .reading { list($0, $1, [.index]) }), (.post, .writing(createIndex))])
        table.add("/db/data/schema/index/{label}", [
            (.get, .reading { list($0, $1, [.index]) }), (.post, .writing(createIndex)),
        ])
        table.add("/db/data/schema/index/{label}/{keys}", [
            (.delete, .writing { call, transaction throws(GraphError) in try drop(call, transaction, .index, keys: 1) })
        ])
        table.add("/db/data/schema/constraint", [(.get, .reading { list($0, $1, [.uniqueness, .existence]) })])
        table.add("/db/data/schema/constraint/{label}", [
            (.get, .reading { list($0, $1, [.uniqueness, .existence]) })
        ])
        table.add("/db/data/schema/constraint/{label}/{kind}", [
            (.get, .reading { call, transaction throws(GraphError) in
                list(call, transaction, [try kind(call)])
            }),
            (.post, .writing(createConstraint)),
        ])
        table.add("/db/data/schema/constraint/{label}/{kind}/{keys}", [
            (.get, .reading { call, transaction throws(GraphError) in
                let rule = try rule(call, transaction, try kind(call), keys: 2)
                if rule.state == .failed {
                    throw GraphError(.schemaRuleNotFound, "constraint \"\(rule.name)\" is not in force: \(rule.failure)")
                }
                return call.json(.ok) { json in
                    json.beginList()
                    write(rule, transaction, &json)
                    json.endList()
                }
            }),
            (.delete, .writing { call, transaction throws(GraphError) in
                try drop(call, transaction, try kind(call), keys: 2)
            }),
        ])
    }

    // MARK: What a call names

    private func kind(_ call: Call) throws(GraphError) -> SchemaRule.Kind {
        switch call.parameters[1] {
        case "uniqueness": return .uniqueness
        case "existence": return .existence
        default:
            throw GraphError(
                .noSuchResource, "\"\(call.parameters[1])\" is no kind of constraint: use uniqueness or existence")
        }
    }

    /// The rule for a label and the keys in a segment of the path, several with commas between them.
    private func rule(
        _ call: Call, _ transaction: Transaction, _ kind: SchemaRule.Kind, keys segment: Int
    ) throws(GraphError) -> SchemaRule {
        let keys = call.parameters[segment].split(separator: ",").map(String.init)
        let rule = transaction.schemaRules.first { rule in
            rule.entity == .node && rule.kind == kind
                && codeUnitsEqual(transaction.name(.label, rule.token), call.parameters[0])
                && names(rule, transaction).elementsEqual(keys, by: codeUnitsEqual)
        }
        guard let rule else {
            throw GraphError(
                .schemaRuleNotFound,
                "there is no such \(kind == .index ? "index" : "constraint") on :\(call.parameters[0])(\(call.parameters[segment]))")
        }
        return rule
    }

    private func names(_ rule: SchemaRule, _ transaction: Transaction) -> [String] {
        rule.keys.map { transaction.name(.propertyKey, $0) }
    }

    // MARK: Work

    private func list(_ call: Call, _ transaction: Transaction, _ kinds: [SchemaRule.Kind]) -> Answer {
        let rules = transaction.schemaRules.filter { rule in
            rule.entity == .node && kinds.contains(rule.kind) && rule.state != .failed
                && (call.parameters.first.map { codeUnitsEqual(transaction.name(.label, rule.token), $0) } ?? true)
        }
        return call.json(.ok) { json in
            json.beginList()
            for rule in rules { write(rule, transaction, &json) }
            json.endList()
        }
    }

    private func write(_ rule: SchemaRule, _ transaction: Transaction, _ json: inout JSONWriter) {
        write(rule.kind, transaction.name(.label, rule.token), names(rule, transaction), &json)
    }

    private func write(_ kind: SchemaRule.Kind, _ label: String, _ keys: [String], _ json: inout JSONWriter) {
        json.beginObject()
        json.key("label")
        json.string(label)
        switch kind {
        case .index: break
        case .uniqueness:
            json.key("type")
            json.string("UNIQUENESS")
        case .existence:
            json.key("type")
            json.string("NODE_PROPERTY_EXISTENCE")
        }
        json.key("property_keys")
        json.strings(keys)
        json.endObject()
    }

    private func keys(_ body: MapValue) throws(GraphError) -> [String] {
        var keys: [String] = []
        if case .list(let list)? = body["property_keys"] {
            for element in list.elements { if case .string(let key) = element { keys.append(key.text) } }
            if !keys.isEmpty && keys.count == list.elements.count { return keys }
        }
        throw GraphError(.invalidRequest, "\"property_keys\" must be a list with the names of properties")
    }

    /// The label is in the path, or else in the body.
    private func createIndex(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let body = try call.map()
        let keys = try keys(body)
        let label: String
        if let named = call.parameters.first { label = named } else {
            guard case .string(let named)? = body["label"] else {
                throw GraphError(.invalidRequest, "\"label\" must be the name of a label")
            }
            label = named.text
        }
        try transaction.createIndex(label: label, keys: keys)
        return call.json(.ok) { write(.index, label, keys, &$0) }
    }

    private func createConstraint(_ call: Call, _ transaction: Transaction) throws(GraphError) -> Answer {
        let kind = try kind(call)
        let (label, keys) = (call.parameters[0], try keys(try call.map()))
        if kind == .uniqueness {
            try transaction.createUniquenessConstraint(label: label, keys: keys)
        } else {
            try transaction.createExistenceConstraint(label: label, keys: keys)
        }
        return call.json(.ok) { write(kind, label, keys, &$0) }
    }

    private func drop(
        _ call: Call, _ transaction: Transaction, _ kind: SchemaRule.Kind, keys segment: Int
    ) throws(GraphError) -> Answer {
        try transaction.dropSchemaRule(try rule(call, transaction, kind, keys: segment).id)
        return .noContent()
    }
}
