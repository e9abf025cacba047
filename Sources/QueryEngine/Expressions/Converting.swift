internal import GraphModel

/// Conversions between kinds of values.
enum Converting {
    /// A scalar as text, as `toString` and string concatenation write it.
    static func text(_ value: Value) -> String {
        switch value {
        case .string(let text): text.text
        case .integer(let number): String(number)
        case .float(let number): text(number)
        case .boolean(let flag): flag ? "true" : "false"
        case .temporal(let temporal): temporal.description
        case .point(let point): text(point)
        default: ""
        }
    }

    /// As Java writes a double: 1.0E10 where Swift writes 1e+10.
    static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        let magnitude = number.magnitude
        let text = "\(number)"
        guard magnitude != 0, magnitude < 1e-3 || magnitude >= 1e7 else { return text }
        // Digits and exponent from Swift's shortest form, laid out anew.
        let isNegative = number < 0
        let parts = text.split(separator: "e", maxSplits: 1)
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let mantissa = parts[0].drop { $0 == "-" }.split(separator: ".", maxSplits: 1)
        let whole = String(mantissa[0])
        var digits = whole + (mantissa.count > 1 ? String(mantissa[1]) : "")
        exponent += whole.count - 1
        let leading = digits.prefix { $0 == "0" }.count
        digits.removeFirst(leading)
        exponent -= leading
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        let first = digits.removeFirst()
        return "\(isNegative ? "-" : "")\(first).\(digits.isEmpty ? "0" : digits)E\(exponent)"
    }

    private static func text(_ point: PointValue) -> String {
        let names = point.system.isGeographic ? ["longitude", "latitude", "height"] : ["x", "y", "z"]
        let parts = zip(names, point.coordinates).map { "\($0): \(text($1))" }
        return "point({\(parts.joined(separator: ", ")), crs: '\(point.system.name)'})"
    }

    static func string(_ value: Value) throws(GraphError) -> Value {
        switch value {
        case .null, .string: return value
        case .integer, .float, .boolean, .temporal, .point: return .string(text(value))
        default:
            throw GraphError(
                .typeError, "toString() takes a string, number, boolean, date, time or point, not \(value.kindName)")
        }
    }

    static func boolean(_ value: Value) throws(GraphError) -> Value {
        switch value {
        case .null, .boolean: return value
        case .integer(let number): return .boolean(number != 0)
        case .string(let text):
            switch trim(text.text, start: true, end: true).lowercased() {
            case "true": return .boolean(true)
            case "false": return .boolean(false)
            default: return .null
            }
        default: throw GraphError(.typeError, "toBoolean() takes a string or an integer, not \(value.kindName)")
        }
    }

    static func integer(_ value: Value) throws(GraphError) -> Value {
        switch value {
        case .null, .integer: return value
        case .float(let number): return exact(number.rounded(.towardZero)).map { .integer($0) } ?? .null
        case .string(let text):
            let trimmed = trim(text.text, start: true, end: true)
            if let number = Int64(trimmed) { return .integer(number) }
            return number(trimmed).flatMap { exact($0.rounded(.towardZero)) }.map { .integer($0) } ?? .null
        case .boolean(let flag): return .integer(flag ? 1 : 0)
        default: throw GraphError(.typeError, "toInteger() takes a number or a string, not \(value.kindName)")
        }
    }

    static func float(_ value: Value) throws(GraphError) -> Value {
        switch value {
        case .null, .float: return value
        case .integer(let number): return .float(Double(number))
        case .string(let text): return number(trim(text.text, start: true, end: true)).map { .float($0) } ?? .null
        default: throw GraphError(.typeError, "toFloat() takes a number or a string, not \(value.kindName)")
        }
    }

    /// Decimal only: Swift would take hexadecimal and "nan" as well.
    private static func number(_ text: String) -> Double? {
        guard !text.isEmpty, text.utf8.allSatisfy({ "+-.0123456789eE".utf8.contains($0) }) else { return nil }
        return Double(text)
    }

    static func exact(_ number: Double) -> Int64? {
        number >= -0x1p63 && number < 0x1p63 ? Int64(number) : nil
    }

    /// Cuts off white space.
    static func trim(_ text: String, start: Bool, end: Bool) -> String {
        var bytes = text.utf8[...]
        func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
        if start { bytes = bytes.drop(while: isBlank) }
        if end { while let last = bytes.last, isBlank(last) { bytes.removeLast() } }
        // What is not ASCII at an end may be blank, too.
        let isPlain = (!start || bytes.first.map { $0 < 128 } ?? true) && (!end || bytes.last.map { $0 < 128 } ?? true)
        return isPlain
            ? String(Substring(bytes)) : trim(text, start: start, end: end) { $0.properties.isWhitespace }
    }

    static func trim(_ text: String, start: Bool, end: Bool, _ isUnwanted: (Unicode.Scalar) -> Bool) -> String {
        var scalars = text.unicodeScalars[...]
        if start { scalars = scalars.drop(while: isUnwanted) }
        if end { while let last = scalars.last, isUnwanted(last) { scalars.removeLast() } }
        return String(scalars)
    }
}
