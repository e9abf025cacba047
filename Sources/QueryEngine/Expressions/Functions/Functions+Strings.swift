internal import GraphModel

/// Strings. Positions and lengths count UTF-16 units, as in the original.
extension Function {
    static let stringFunctions: [Function] = [
        upper, upper.named("upper"), lower, lower.named("lower"),
        trimming(
            "trim", start: true, end: true, "A string without blanks, or without certain characters, at its ends."),
        trimming(
            "btrim", start: true, end: true, "A string without blanks, or without certain characters, at its ends."),
        trimming("ltrim", start: true, end: false, "A string without blanks at its start."),
        trimming("rtrim", start: false, end: true, "A string without blanks at its end."),
        Function(
            "substring", .string, ["original": .string, "start": .integer, "length?": .integer], .string,
            "A part of a string; the first character is number 0.",
            .values { _, values throws(GraphError) in
                if values[0].isNull { return .null }
                let source = try text("substring", values[0])
                let start = try count("substring", values[1])
                return .string(part(source, start, values.count > 2 ? try count("substring", values[2]) : Int.max))
            }),
        Function(
            "left", .string, ["original": .string, "length": .integer], .string, "The first characters of a string.",
            .binary { source, length throws(GraphError) in
                .string(part(try text("left", source), 0, try count("left", length)))
            }),
        Function(
            "right", .string, ["original": .string, "length": .integer], .string, "The last characters of a string.",
            .binary { source, length throws(GraphError) in
                let text = try text("right", source)
                let length = try count("right", length)
                return .string(part(text, max(0, text.utf16.count - length), length))
            }),
        Function(
            "replace", .string, ["original": .string, "search": .string, "replacement": .string], .string,
            "A string with every occurrence of another replaced.",
            .strict { _, values throws(GraphError) in
                let (source, search) = (try text("replace", values[0]), try text("replace", values[1]))
                let replacement = try text("replace", values[2])
                return .string(
                    search.isEmpty ? source : split(source, by: [search]).joined(separator: replacement))
            }),
        Function(
            "split", .string, ["original": .string, "delimiter": [.string, .list]], .list,
            "The parts of a string between delimiters.",
            .binary { source, delimiter throws(GraphError) in
                let source = try text("split", source)
                guard case .list(let list) = delimiter else {
                    return .list(split(source, by: [try text("split", delimiter)]).map { .string($0) })
                }
                var delimiters: [String] = []
                for element in list.elements { delimiters.append(try text("split", element)) }
                return .list(split(source, by: delimiters).map { .string($0) })
            }),
        length, length.named("character_length"),
    ]

    private static let upper = Function(
        "toUpper", .string, ["original": .string], .string, "A string in capital letters.",
        .unary { value throws(GraphError) in .string(try text("toUpper", value).uppercased()) })

    private static let lower = Function(
        "toLower", .string, ["original": .string], .string, "A string in small letters.",
        .unary { value throws(GraphError) in .string(try text("toLower", value).lowercased()) })

    private static let length = Function(
        "char_length", .string, ["original": .string], .integer, "The number of characters of a string.",
        .unary { value throws(GraphError) in .integer(Int64(try text("char_length", value).utf16.count)) })

    private static func trimming(_ name: String, start: Bool, end: Bool, _ summary: String) -> Function {
        Function(
            name, .string, ["original": .string, "characters?": .string], .string, summary,
            .either(
                one: { _, value throws(GraphError) in
                    if value.isNull { return .null }
                    return .string(Converting.trim(try text(name, value), start: start, end: end))
                },
                more: { _, values throws(GraphError) in
                    if values.contains(where: \.isNull) { return .null }
                    let unwanted = Set(try text(name, values[1]).unicodeScalars)
                    return .string(
                        Converting.trim(try text(name, values[0]), start: start, end: end) { unwanted.contains($0) })
                }))
    }

    private static func count(_ name: String, _ value: Value) throws(GraphError) -> Int {
        let number = try integer(name, value, acceptsFloats: true)
        guard number >= 0 else {
            throw GraphError(.argumentError, "\(name)() takes no negative number, like \(number)")
        }
        return Int(number)
    }

    private static func part(_ text: String, _ start: Int, _ length: Int) -> String {
        let bytes = text.utf8
        if start == 0, length >= bytes.count { return text }
        // A string that is as long in bytes as in units is ASCII.
        if bytes.count == text.utf16.count {
            let from = min(start, bytes.count)
            let first = bytes.index(bytes.startIndex, offsetBy: from)
            return String(text[first..<bytes.index(first, offsetBy: min(length, bytes.count - from))])
        }
        let units = Array(text.utf16)
        let from = min(start, units.count)
        return String(decoding: units[from..<from + min(length, units.count - from)], as: UTF16.self)
    }

    /// Between the delimiters; an empty one stands between all characters.
    private static func split(_ text: String, by delimiters: [String]) -> [String] {
        if delimiters.contains(where: \.isEmpty) { return text.unicodeScalars.map { String(Character($0)) } }
        let bytes = Array(text.utf8)
        let delimiters = delimiters.map { Array($0.utf8) }
        var parts: [String] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            let rest = bytes[index...]
            if let found = delimiters.first(where: { rest.starts(with: $0) }) {
                parts.append(String(decoding: bytes[start..<index], as: UTF8.self))
                index += found.count
                start = index
            } else {
                index += 1
            }
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }
}
