internal import GraphModel

/// `{n}` in the strings of a batch: the URI of what job n made (18.15.2).
struct BatchReferences {
    private var locations: [Int64: String] = [:]
    private var insertedByteCount = 0

    /// What all references of a batch may stand for, in bytes: a short text with many of them would be a long one.
    static let byteCountMaximum = 64 << 20

    mutating func set(_ id: Int64, _ location: String) { locations[id] = location }

    /// Whether there is a `{n}` in a text, of whatever job.
    static func areIn(_ text: String) -> Bool {
        var rest = text.utf8[...]
        while let brace = rest.firstIndex(of: UInt8(ascii: "{")) {
            rest = rest[rest.index(after: brace)...]
            if number(rest) != nil { return true }
        }
        return false
    }

    static func areIn(_ value: Value) -> Bool {
        switch value {
        case .string(let text): areIn(text.text)
        case .list(let list): list.elements.contains { areIn($0) }
        case .map(let map): map.entries.contains { areIn($0.value) }
        default: false
        }
    }

    /// The text with what is known by now; other braces stay, such as those of a query's parameters. Throws `.bodyTooLarge`
    /// at ``byteCountMaximum``.
    mutating func resolve(_ text: String) throws(GraphError) -> String {
        var (resolved, rest) = ("", text[...])
        while let brace = rest.utf8.firstIndex(of: UInt8(ascii: "{")) {
            let next = rest.utf8.index(after: brace)
            resolved += rest[..<brace]
            if let (id, end) = Self.number(rest.utf8[next...]), let location = locations[id] {
                insertedByteCount += location.utf8.count
                guard insertedByteCount <= Self.byteCountMaximum else {
                    throw GraphError(
                        .bodyTooLarge,
                        "the references of this batch stand for more than \(Self.byteCountMaximum) bytes: split it into several")
                }
                resolved += location
                rest = rest[end...]
            } else {
                resolved += "{"
                rest = rest[next...]
            }
        }
        return resolved + rest
    }

    /// The strings of a value, not its keys.
    mutating func resolve(_ value: Value) throws(GraphError) -> Value {
        switch value {
        case .string(let text): return .string(try resolve(text.text))
        case .list(let list):
            var elements = list.elements
            for index in elements.indices { elements[index] = try resolve(elements[index]) }
            return .list(elements)
        case .map(let map):
            var entries = map.entries
            for index in entries.indices { entries[index].value = try resolve(entries[index].value) }
            return .map(MapValue(entries))
        default: return value
        }
    }

    /// A number that ends with a brace, and what comes after that.
    private static func number(_ text: Substring.UTF8View) -> (id: Int64, end: String.Index)? {
        let digits = text.prefix(20).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let id = Int64(Substring(digits)), digits.endIndex < text.endIndex,
            text[digits.endIndex] == UInt8(ascii: "}")
        else { return nil }
        return (id, text.index(after: digits.endIndex))
    }
}
