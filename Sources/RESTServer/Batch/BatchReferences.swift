internal import GraphModel

/// `{n}` in the strings of a batch: the URI of what job n made (18.15.2).
struct BatchReferences {
    private var locations: [Int64: String] = [:]

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

    /// The text with what is known by now; other braces stay, such as those of a query's parameters.
    func resolve(_ text: String) -> String {
        var (resolved, rest) = ("", text[...])
        while let brace = rest.utf8.firstIndex(of: UInt8(ascii: "{")) {
            let next = rest.utf8.index(after: brace)
            resolved += rest[..<brace]
            if let (id, end) = Self.number(rest.utf8[next...]), let location = locations[id] {
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
    func resolve(_ value: Value) -> Value {
        switch value {
        case .string(let text): .string(resolve(text.text))
        case .list(let list): .list(list.elements.map { resolve($0) })
        case .map(let map): .map(MapValue(map.entries.map { ($0.key, resolve($0.value)) }))
        default: value
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
