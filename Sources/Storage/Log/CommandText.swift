internal import GraphModel

/// Commands as text with the names of labels, types and keys.
struct CommandText {
    private var tokens: TokenTable
    /// Longer strings are cut here, in Unicode scalars.
    private static let textLengthMaximum = 200

    init(_ tokens: TokenTable) { self.tokens = tokens }

    /// Takes a name from a command that makes one.
    mutating func learn(_ command: Command) {
        // A token that is known already stays as it is.
        if case .createToken(let kind, let token, let name) = command { _ = tokens.add(kind, token, name) }
    }

    func text(_ command: Command) -> String {
        switch command {
        case .createToken(let kind, let token, let name):
            "create \(word(kind)) \(token) \(quoted(name))"
        case .createNode(let id, let labels, let properties):
            "create node \(id)\(labels.map { " :" + name(.label, $0) }.joined())\(text(properties))"
        case .deleteNode(let id): "delete node \(id)"
        case .createRelationship(let id, let type, let start, let end, let properties):
            "create relationship \(id) (\(start))-[:\(name(.relationshipType, type))]->(\(end))\(text(properties))"
        case .deleteRelationship(let id): "delete relationship \(id)"
        case .setNodeProperty(let id, let key, let value): "\(text(key, value, of: "node \(id)"))"
        case .setRelationshipProperty(let id, let key, let value): "\(text(key, value, of: "relationship \(id)"))"
        case .addLabel(let id, let label): "add label node \(id) :\(name(.label, label))"
        case .removeLabel(let id, let label): "remove label node \(id) :\(name(.label, label))"
        case .createSchemaRule(let rule):
            "create \(rule.id) \(quoted(rule.name)): \(rule.kind) of \(rule.entity) :\(name(rule.tokenKind, rule.token))(\(rule.keys.map { name(.propertyKey, $0) }.joined(separator: ", "))), \(rule.state)"
        case .dropSchemaRule(let id): "drop \(id)"
        case .setSchemaRuleState(let id, let state, let failure):
            "set \(id) \(state)\(failure.isEmpty ? "" : ": " + failure)"
        case .createManualIndex(let index):
            "create \(index.entity) index \(index.id.rawValue) \(quoted(index.name)) {\(index.configuration.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
        case .dropManualIndex(let id): "drop index \(id.rawValue)"
        case .addToManualIndex(let id, let entity, let key, let value):
            "add to index \(id.rawValue) entity \(entity) \(quoted(key)) = \(text(value))"
        case .removeFromManualIndex(let id, let entity, let key, let value):
            "remove from index \(id.rawValue) entity \(entity) \(quoted(key)) = \(text(value))"
        case .compareGraphs: "compare graphs"
        case .noteRequest(let id): "request \(quoted(id.text))"
        case .setAutoIndexing(let entity, let settings):
            "set auto indexing of \(entity)s \(settings.isEnabled ? "on" : "off"): \(settings.keys.map(quoted).joined(separator: ", "))"
        }
    }

    private func word(_ kind: TokenKind) -> String {
        switch kind {
        case .label: "label"
        case .relationshipType: "relationship type"
        case .propertyKey: "property key"
        }
    }

    private func name(_ kind: TokenKind, _ token: TokenID) -> String { tokens.name(kind, token) ?? "#\(token)" }

    private func text(_ key: TokenID, _ value: Value?, of entity: String) -> String {
        let key = name(.propertyKey, key)
        return value.map { "set \(entity) \(key) = \(text($0))" } ?? "remove \(entity) \(key)"
    }

    private func text(_ properties: [Property]) -> String {
        if properties.isEmpty { return "" }
        return " {\(properties.map { "\(name(.propertyKey, $0.key)): \(text($0.value))" }.joined(separator: ", "))}"
    }

    private func text(_ value: Value) -> String {
        switch value {
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .float(let number): number.description
        case .string(let string): quoted(string.text)
        case .bytes(let bytes): "bytes(\(bytes.bytes.count))"
        case .temporal(let temporal): temporal.description
        case .point(let point): point.description
        case .list(let list): "[\(list.elements.map(text).joined(separator: ", "))]"
        case .null, .map, .node, .relationship, .path: value.kindName
        }
    }

    /// In double quotes, on one line, and cut when it is long.
    private func quoted(_ text: String) -> String {
        var result = "\""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == Self.textLengthMaximum { return result + "…\" (\(text.utf8.count) bytes)" }
            count += 1
            switch scalar {
            case "\"", "\\": result.unicodeScalars.append(contentsOf: ["\\", scalar])
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
