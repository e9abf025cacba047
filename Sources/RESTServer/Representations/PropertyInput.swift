internal import GraphModel

/// Checks what a client wants to store, with the manual's messages.
enum PropertyInput {
    /// Throws the manual's `PropertyValueException` for a value that no property can hold.
    static func requireStorable(_ value: Value, _ key: String) throws(GraphError) {
        if value.isStorable { return }
        throw GraphError(.propertyValue, "Could not set property \"\(key)\", unsupported type: \(javaText(value))")
    }

    static func storable(_ map: MapValue) throws(GraphError) -> [(key: String, value: Value)] {
        for (key, value) in map.entries { try requireStorable(value, key) }
        return map.entries
    }

    /// A value as Java prints it, which is what the manual's messages hold: `{bar=baz}`, `[1, two]`. Cut where it gets
    /// long.
    static func javaText(_ value: Value) -> String {
        var text = ""
        append(value, to: &text)
        return text.count > 500 ? text.prefix(500) + "…" : text
    }

    private static func append(_ value: Value, to text: inout String) {
        if text.utf8.count > 4096 { return }
        switch value {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .float(let value): text += value.description
        case .string(let value): text += value.text
        case .bytes(let value): text += "\(value.bytes)"
        case .temporal(let value): text += value.description
        case .point(let value): text += value.description
        case .list(let list):
            text += "["
            for (index, element) in list.elements.enumerated() {
                if index > 0 { text += ", " }
                append(element, to: &text)
            }
            text += "]"
        case .map(let map):
            text += "{"
            for (index, entry) in map.entries.enumerated() {
                if index > 0 { text += ", " }
                text += entry.key + "="
                append(entry.value, to: &text)
            }
            text += "}"
        case .node(let id): text += id.description
        case .relationship(let id): text += id.description
        case .path: text += "Path"
        }
    }
}
