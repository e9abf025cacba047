package import GraphModel

/// Reads one JSON text (RFC 8259) into a ``Value``.
///
/// Integers that fit 64 bits become integers, all other numbers doubles; an integer beyond 64 bits becomes the nearest
/// double, and a number beyond the range of doubles is an error. Of keys given twice the last one counts. Text must be
/// UTF-8; an unpaired surrogate escape is an error because no property could hold it. Nesting is limited, so no input
/// can exhaust the stack.
package struct JSONParser {
    package struct Limits: Sendable {
        /// Containers within containers.
        package var depth = 200
        package init() {}
    }

    let bytes: [UInt8]
    var position = 0
    private var depth = 0
    private let limits: Limits

    private init(_ bytes: [UInt8], _ limits: Limits) {
        self.bytes = bytes
        self.limits = limits
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The value of a text that holds exactly one.
    package static func parse(_ bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) -> Value {
        var parser = JSONParser(bytes, limits)
        parser.skipSpace()
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else {
            throw parser.error("nothing may follow the value, but \(parser.found) does")
        }
        return value
    }

    // MARK: Values

    private mutating func value() throws(JSONError) -> Value {
        guard position < bytes.count else { throw error("a value is missing: the text ends here") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try list()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw error("a value is expected, not \(found)")
        }
    }

    private mutating func object() throws(JSONError) -> Value {
        try enter()
        var entries: [(key: String, value: Value)] = []
        var index = KeyIndex()
        skipSpace()
        if take(UInt8(ascii: "}")) {
            depth -= 1
            return .map(MapValue([]))
        }
        while true {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw error("a key in quotes is expected, not \(found)")
            }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("a colon is expected after the key, not \(found)") }
            skipSpace()
            let value = try value()
            if let earlier = index.position(of: key, in: entries) {
                entries[earlier].value = value
            } else {
                entries.append((key, value))
            }
            skipSpace()
            if take(UInt8(ascii: ",")) {
                skipSpace()
                continue
            }
            guard take(UInt8(ascii: "}")) else { throw error("a comma or } is expected, not \(found)") }
            depth -= 1
            return .map(MapValue(entries))
        }
    }

    private mutating func list() throws(JSONError) -> Value {
        try enter()
        var elements: [Value] = []
        skipSpace()
        if !take(UInt8(ascii: "]")) {
            while true {
                elements.append(try value())
                skipSpace()
                if take(UInt8(ascii: ",")) {
                    skipSpace()
                    continue
                }
                guard take(UInt8(ascii: "]")) else { throw error("a comma or ] is expected, not \(found)") }
                break
            }
        }
        depth -= 1
        return .list(elements)
    }

    private mutating func enter() throws(JSONError) {
        guard depth < limits.depth else { throw error("the text is nested deeper than \(limits.depth) levels") }
        depth += 1
        position += 1
    }

    private mutating func word(_ word: StaticString, _ value: Value) throws(JSONError) -> Value {
        let isThere = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
        guard isThere else { throw error("a value is expected, not \(found)") }
        position += word.utf8CodeUnitCount
        return value
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) -> Value {
        let start = position
        let isNegative = take(UInt8(ascii: "-"))
        let digitStart = position
        var magnitude: UInt64 = 0
        var isInteger = true
        while position < bytes.count, let digit = Self.digit(bytes[position]) {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carry { isInteger = false }
            magnitude = sum
            position += 1
        }
        guard position > digitStart else { throw error("a digit is expected, not \(found)") }
        if position - digitStart > 1 && bytes[digitStart] == UInt8(ascii: "0") {
            throw JSONError("a number cannot begin with 0 and another digit", at: start, in: bytes)
        }
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digits()
        }
        if isInteger {
            if isNegative && magnitude <= 1 << 63 { return .integer(Int64(truncatingIfNeeded: 0 &- magnitude)) }
            if !isNegative && magnitude < 1 << 63 { return .integer(Int64(magnitude)) }
        }
        guard let double = Double(String(decoding: bytes[start..<position], as: UTF8.self)), double.isFinite else {
            throw JSONError("the number is beyond the range of a double", at: start, in: bytes)
        }
        return .float(double)
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while position < bytes.count, Self.digit(bytes[position]) != nil { position += 1 }
        if position == start { throw error("a digit is expected, not \(found)") }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        let value = byte &- UInt8(ascii: "0")
        return value < 10 ? value : nil
    }

    // MARK: Small things

    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    func error(_ message: String) -> JSONError { JSONError(message, at: position, in: bytes) }

    /// What stands at the position, for messages.
    var found: String {
        guard position < bytes.count else { return "the end of the text" }
        let byte = bytes[position]
        if byte > 0x20 && byte < 0x7F { return "\"\(Character(Unicode.Scalar(byte)))\"" }
        return "the byte 0x\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))"
    }
}

/// Finds earlier keys of an object: by looking in small objects, by a table in large ones, so that an object of many
/// keys costs no more than its length.
private struct KeyIndex {
    private struct Key: Hashable {
        let text: String
        static func == (a: Key, b: Key) -> Bool { codeUnitsEqual(a.text, b.text) }
        func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }
    }

    private var table: [Key: Int] = [:]

    mutating func position(of key: String, in entries: [(key: String, value: Value)]) -> Int? {
        if entries.count < 16 { return entries.firstIndex { codeUnitsEqual($0.key, key) } }
        while table.count < entries.count { table[Key(text: entries[table.count].key)] = table.count }
        return table[Key(text: key)]
    }
}
