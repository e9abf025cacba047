internal import FileSystem
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
            .strict { frame, values throws(GraphError) in
                let (source, search) = (try text("replace", values[0]), try text("replace", values[1]))
                return .string(try replace(search, in: source, by: try text("replace", values[2]), frame))
            }),
        Function(
            "split", .string, ["original": .string, "delimiter": [.string, .list]], .list,
            "The parts of a string between delimiters.",
            .strict { frame, values throws(GraphError) in
                let source = try text("split", values[0])
                guard case .list(let list) = values[1] else {
                    return try frame.list(try split(source, by: [try text("split", values[1])], frame))
                }
                var delimiters: [String] = []
                for element in list.elements { delimiters.append(try text("split", element)) }
                return try frame.list(try split(source, by: delimiters, frame))
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

    private static func replace(
        _ search: String, in text: String, by replacement: String, _ frame: Frame
    ) throws(GraphError) -> String {
        if search.isEmpty { return text }
        // Twice over the text, so that a result for which there is no room is not made.
        var count = 0
        var start = 0
        while let found = firstOffset(of: search, in: text, from: start) {
            try frame.step()
            count += 1
            start = found + search.utf8.count
        }
        if count == 0 { return text }
        let (added, overflow) = count.multipliedReportingOverflow(by: replacement.utf8.count)
        try frame.requireRoom(forValueOf: overflow ? .max : addSaturating(text.utf8.count, added))
        let bytes = text.utf8
        var result = ""
        result.reserveCapacity(bytes.count - count * search.utf8.count + added)
        start = 0
        while let found = firstOffset(of: search, in: text, from: start) {
            try frame.step()
            result += part(of: text, start..<found)
            result += replacement
            start = found + search.utf8.count
        }
        result += part(of: text, start..<bytes.count)
        return result
    }

    /// A part by the offsets of its UTF-8 code units.
    private static func part(of text: String, _ range: Range<Int>) -> Substring {
        let bytes = text.utf8
        let first = bytes.index(bytes.startIndex, offsetBy: range.lowerBound)
        return text[first..<bytes.index(first, offsetBy: range.count)]
    }

    /// Between the delimiters; an empty one stands between all characters.
    private static func split(
        _ text: String, by delimiters: [String], _ frame: Frame
    ) throws(GraphError) -> [Value] {
        if delimiters.contains(where: \.isEmpty) {
            let characterByteCount = Value.string("a").byteCount
            try frame.requireRoom(forValueOf: text.unicodeScalars.count * characterByteCount)
            return text.unicodeScalars.map { .string(String(Character($0))) }
        }
        var parts: [Value] = []
        var byteCount = 0
        var start = 0
        func take(_ end: Int) throws(GraphError) {
            let value = Value.string(String(part(of: text, start..<end)))
            byteCount = addSaturating(byteCount, value.byteCount)
            try frame.requireRoom(forValueOf: byteCount)
            parts.append(value)
        }
        // Where each delimiter stands next; each goes over the text once.
        var next = delimiters.map { firstOffset(of: $0, in: text) ?? .max }
        while true {
            try frame.step(max(1, delimiters.count))
            for index in next.indices where next[index] < start {
                next[index] = firstOffset(of: delimiters[index], in: text, from: start) ?? .max
            }
            guard let found = next.min(), found < .max, let index = next.firstIndex(of: found) else { break }
            try take(found)
            start = found + delimiters[index].utf8.count
        }
        try take(text.utf8.count)
        return parts
    }
}
