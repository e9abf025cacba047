internal import GraphModel

extension Transaction {
    /// Throws `.constraintViolation` when an entity that was changed here lacks a property that it must have.
    func checkExistence() throws(GraphError) {
        let rules = view.schema.schema.rules.filter { $0.kind == .existence && $0.isEnforced }
        guard !rules.isEmpty, let writes else { return }
        // In the order of ids, so that the same transaction gives the same message.
        for id in writes.nodes.keys.sorted() {
            guard let draft = writes.nodes[id], draft.exists else { continue }
            if let problem = missing(rules, .node, id, draft.indexedContent) { throw problem }
        }
        for id in writes.relationships.keys.sorted() {
            guard let draft = writes.relationships[id], draft.exists else { continue }
            if let problem = missing(rules, .relationship, id, draft.indexedContent) { throw problem }
        }
    }

    /// The first of some existence constraints that an entity breaks, as an error.
    func missing(
        _ rules: [SchemaRule], _ entity: SchemaRule.EntityKind, _ id: UInt64, _ content: IndexedContent
    ) -> GraphError? {
        for rule in rules where rule.entity == entity && content.tokens.contains(rule.token) {
            for key in rule.keys where content.properties.value(key) == nil {
                return GraphError(
                    .constraintViolation,
                    "\(describe(rule, id)) must have property `\(name(.propertyKey, key))` (constraint \"\(rule.name)\")")
            }
        }
        return nil
    }

    /// The keys that this transaction puts into indexes of uniqueness constraints. Throws `.constraintViolation` when
    /// another entity has one of them, in the snapshot or here.
    func uniquenessClaims() throws(GraphError) -> [WriteSet.Claim] {
        var claims: [WriteSet.Claim] = []
        guard let layers = writes?.indexLayers, !layers.isEmpty else { return claims }
        var holders: ContiguousArray<UInt64> = []
        for index in view.schema.indexes where index.rule.kind == .uniqueness && index.rule.isEnforced {
            guard let layer = layers[index.rule.id] else { continue }
            let before = claims.count
            var violation: GraphError?
            layer.forEach { node in
                guard violation == nil, node.isPresent(at: .max) == true else { return }
                claims.append(.init(rule: index.rule.id, keyHash: IndexKey.hash(node.key)))
                holders.removeAll(keepingCapacity: true)
                seek(index, node.key, into: &holders)
                if let other = holders.first(where: { $0 != node.id }) {
                    violation = self.violation(index.rule, node.id, other)
                }
            }
            if let violation { throw violation }
            if claims.count > before && !index.isComplete {
                throw GraphError(
                    .unavailable,
                    "constraint \"\(index.rule.name)\" cannot be checked yet: its index is still being populated on this member; try again later")
            }
        }
        // What is damaged reads as missing: it must not let a duplicate through.
        try requireIntact()
        return claims
    }

    func violation(_ rule: SchemaRule, _ id: UInt64, _ other: UInt64) -> GraphError {
        let content = content(rule.entity, id)
        let values = rule.keys.map { key in
            "`\(name(.propertyKey, key))` = \(content?.properties.value(key)?.shortText ?? "null")"
        }
        return GraphError(
            .constraintViolation,
            "\(describe(rule, id)) cannot have \(values.joined(separator: ", ")): \(rule.entity == .node ? "node" : "relationship") \(other) has it already (constraint \"\(rule.name)\")")
    }

    private func describe(_ rule: SchemaRule, _ id: UInt64) -> String {
        let name = name(rule.tokenKind, rule.token)
        return rule.entity == .node ? "Node \(id) with label `\(name)`" : "Relationship \(id) of type `\(name)`"
    }

    /// An entity as this transaction sees it; nil when it does not exist.
    func content(_ entity: SchemaRule.EntityKind, _ id: UInt64) -> IndexedContent? {
        switch entity {
        case .node:
            if let draft = writes?.nodes[id] { return draft.exists ? draft.indexedContent : nil }
        case .relationship:
            if let draft = writes?.relationships[id] { return draft.exists ? draft.indexedContent : nil }
        }
        return view.indexedContent(entity, id, at: at)
    }
}

extension Value {
    /// For messages: long texts are cut.
    var shortText: String {
        switch self {
        case .boolean(let flag): return "\(flag)"
        case .integer(let number): return "\(number)"
        case .float(let number): return "\(number)"
        case .string(let string):
            let text = string.text
            return text.unicodeScalars.count <= 64 ? "'\(text)'" : "'\(String(text.unicodeScalars.prefix(64)))…'"
        case .bytes(let bytes): return "\(bytes.bytes.count) bytes"
        case .temporal(let temporal): return temporal.description
        case .point(let point): return point.description
        case .list(let list): return "a list of \(list.elements.count)"
        case .null, .map, .node, .relationship, .path: return "a \(kindName)"
        }
    }
}
