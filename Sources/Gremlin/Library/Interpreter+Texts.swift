internal import GraphModel

/// Methods of texts and of numbers.
extension Interpreter {
    /// nil when there is none of the name.
    func callString(_ name: String, _ string: String, _ arguments: [Item]) throws(GraphError) -> Item? {
        func text(_ index: Int = 0) throws(GraphError) -> String {
            guard index < arguments.count else { throw fail("\(name) needs \(index + 1) arguments") }
            return try self.text(arguments[index])
        }
        switch name {
        case "length", "size": return .integer(Int64(string.utf16.count))
        case "isEmpty": return .boolean(string.isEmpty)
        case "toLowerCase": return .string(string.lowercased())
        case "toUpperCase": return .string(string.uppercased())
        case "capitalize": return .string(string.prefix(1).uppercased() + string.dropFirst())
        case "trim": return .string(Self.trimmed(string))
        case "reverse": return .string(String(string.reversed()))
        case "contains": return .boolean(Self.index(of: try text(), in: string) != nil)
        case "startsWith": return .boolean(string.utf8.starts(with: try text().utf8))
        case "endsWith": return .boolean(string.utf8.reversed().starts(with: try text().utf8.reversed()))
        case "equalsIgnoreCase": return .boolean(codeUnitsEqual(string.lowercased(), try text().lowercased()))
        case "concat", "plus": return try limited(string + (try text()))
        case "replace": return try limited(Self.replacing(string, try text(), by: try text(1), isAll: true))
        case "indexOf":
            let part = try text()
            guard let index = Self.index(of: part, in: string) else { return .integer(-1) }
            return .integer(Int64(string[..<index].utf16.count))
        case "substring": return try substring(string, arguments)
        case "split", "tokenize":
            let separators = arguments.isEmpty ? " " : try text()
            let parts = name == "split" ? Self.parts(of: string, separators) : string.split { separators.contains($0) }.map { String($0) }
            return try list(parts.map { .string($0) })
        case "toInteger", "toLong", "toBigInteger":
            guard let number = Int64(Self.trimmed(string)) else { throw fail("\"\(string.prefix(40))\" is no whole number") }
            return .integer(number)
        case "toDouble", "toFloat", "toBigDecimal":
            guard let number = Double(Self.trimmed(string)) else { throw fail("\"\(string.prefix(40))\" is no number") }
            return .float(number)
        case "isNumber": return .boolean(Double(Self.trimmed(string)) != nil)
        case "toList": return try list(string.map { .string(String($0)) })
        case "each", "collect", "any", "every", "find", "findAll":
            return try callList(name, try list(string.map { .string(String($0)) }), arguments)
        default: return nil
        }
    }

    private func substring(_ string: String, _ arguments: [Item]) throws(GraphError) -> Item {
        let units = Array(string.utf16)
        guard case .integer(let first) = try first(arguments, "substring") else { throw fail("substring needs a number") }
        var last = Int64(units.count)
        if arguments.count > 1, case .integer(let number) = arguments[1] { last = number }
        guard first >= 0, first <= last, last <= Int64(units.count) else {
            throw fail("a text of \(units.count) characters has no part from \(first) to \(last)")
        }
        return .string(String(decoding: units[Int(first)..<Int(last)], as: UTF16.self))
    }

    static func trimmed(_ string: String) -> String {
        let isBlank = { (scalar: Unicode.Scalar) in scalar.value <= 32 }
        let rest = string.unicodeScalars.drop(while: isBlank)
        guard let last = rest.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(rest[...last])
    }

    /// Where a part begins, by bytes.
    static func index(of part: String, in string: String) -> String.Index? {
        let (bytes, wanted) = (string.utf8, Array(part.utf8))
        guard let first = wanted.first else { return string.startIndex }
        var index = bytes.startIndex
        while let start = bytes[index...].firstIndex(of: first) {
            if bytes[start...].starts(with: wanted) { return start }
            index = bytes.index(after: start)
        }
        return nil
    }

    static func replacing(_ string: String, _ part: String, by other: String, isAll: Bool) -> String {
        let parts = parts(of: string, part)
        if isAll || parts.count < 2 { return parts.joined(separator: other) }
        return parts[0] + other + parts.dropFirst().joined(separator: part)
    }

    private static func parts(of string: String, _ separator: String) -> [String] {
        guard !separator.isEmpty else { return [string] }
        var parts: [String] = []
        var rest = string[...]
        while let index = index(of: separator, in: String(rest)) {
            let offset = String(rest).utf8.distance(from: String(rest).startIndex, to: index)
            let start = rest.utf8.index(rest.startIndex, offsetBy: offset)
            parts.append(String(rest[..<start]))
            rest = rest[rest.utf8.index(start, offsetBy: separator.utf8.count)...]
        }
        return parts + [String(rest)]
    }

    // MARK: Numbers

    func callNumber(_ name: String, _ item: Item, _ arguments: [Item]) throws(GraphError) -> Item? {
        switch name {
        case "toInteger", "toLong", "intValue", "longValue", "toBigInteger":
            if case .integer = item { return item }
            return try whole(item, .towardZero)
        case "toDouble", "toFloat", "doubleValue", "floatValue", "toBigDecimal": return item.number.map { .float($0) }
        case "abs": return try magnitude(item)
        case "round": return try whole(item, .toNearestOrAwayFromZero)
        case "plus": return try apply(.add, item, try first(arguments, name))
        case "minus": return try apply(.subtract, item, try first(arguments, name))
        case "multiply": return try apply(.multiply, item, try first(arguments, name))
        case "div": return try apply(.divide, item, try first(arguments, name))
        case "mod": return try apply(.remainder, item, try first(arguments, name))
        case "times":
            guard case .integer(let count) = item else { return nil }
            let closure = try closure(arguments, name)
            var index: Int64 = 0
            while index < count {
                _ = try call(closure, [.integer(index)])
                index += 1
            }
            return .null
        default: return nil
        }
    }

    func magnitude(_ item: Item) throws(GraphError) -> Item {
        switch item {
        case .integer(let number): return number < 0 ? try apply(.minus, item) : item
        case .float(let number): return .float(number.magnitude)
        default: throw fail("a number is wanted, not \(item.kindName)")
        }
    }

    func whole(_ item: Item, _ rule: FloatingPointRoundingRule) throws(GraphError) -> Item {
        if case .integer = item { return item }
        guard let number = item.number, let whole = Int64(exactly: number.rounded(rule)) else {
            throw fail("\(try text(item)) is no number that has a whole one")
        }
        return .integer(whole)
    }
}
