internal import Cypher
// Only for `pow`, which the standard library lacks.
internal import Glibc
internal import GraphModel

/// `+ - * / % ^` on values.
enum Calculating {
    static func calculate(
        _ operation: Expression.Arithmetic, _ a: Value, _ b: Value, _ dialect: Dialect
    ) throws(GraphError) -> Value {
        switch (a, b) {
        case (.integer(let x), .integer(let y)): return try integers(operation, x, y)
        case (.float(let x), .float(let y)): return .float(floats(operation, x, y))
        case (.integer(let x), .float(let y)): return .float(floats(operation, Double(x), y))
        case (.float(let x), .integer(let y)): return .float(floats(operation, x, Double(y)))
        default: break
        }
        if case .add = operation { return try add(a, b, dialect) }
        if a.isNull || b.isNull { return .null }
        throw GraphError(.typeError, "\"\(symbol(operation))\" needs numbers, not \(a.kindName) and \(b.kindName)")
    }

    static func symbol(_ operation: Expression.Arithmetic) -> String {
        switch operation {
        case .add: "+"
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .modulo: "%"
        case .power: "^"
        }
    }

    private static func integers(_ operation: Expression.Arithmetic, _ x: Int64, _ y: Int64) throws(GraphError) -> Value
    {
        let result: (partialValue: Int64, overflow: Bool)
        switch operation {
        case .add: result = x.addingReportingOverflow(y)
        case .subtract: result = x.subtractingReportingOverflow(y)
        case .multiply: result = x.multipliedReportingOverflow(by: y)
        case .divide, .modulo:
            guard y != 0 else { throw GraphError(.arithmeticError, "/ by zero") }
            if case .divide = operation {
                result = x.dividedReportingOverflow(by: y)
            } else {
                result = (y == -1 ? 0 : x % y, false)
            }
        case .power: return .float(pow(Double(x), Double(y)))
        }
        guard !result.overflow else {
            throw GraphError(.arithmeticError, "\(x) \(symbol(operation)) \(y) does not fit a 64-bit integer")
        }
        return .integer(result.partialValue)
    }

    private static func floats(_ operation: Expression.Arithmetic, _ x: Double, _ y: Double) -> Double {
        switch operation {
        case .add: x + y
        case .subtract: x - y
        case .multiply: x * y
        case .divide: x / y
        case .modulo: x.truncatingRemainder(dividingBy: y)
        case .power: pow(x, y)
        }
    }

    private static func add(_ a: Value, _ b: Value, _ dialect: Dialect) throws(GraphError) -> Value {
        switch (a, b) {
        case (.list(let x), .list(let y)): return .list(x.elements + y.elements)
        case (.null, _), (_, .null): return .null
        case (.list(let x), _): return .list(x.elements + [b])
        case (_, .list(let y)): return .list([a] + y.elements)
        case (.string(let x), .string(let y)): return .string(x.text + y.text)
        case (.string(let x), .integer), (.string(let x), .float):
            if dialect == .cypher9 { return .string(x.text + Converting.text(b)) }
        case (.integer, .string(let y)), (.float, .string(let y)):
            if dialect == .cypher9 { return .string(Converting.text(a) + y.text) }
        default: break
        }
        throw GraphError(.typeError, "\"+\" cannot join a value of type \(a.kindName) with one of type \(b.kindName)")
    }

    static func negate(_ a: Value) throws(GraphError) -> Value {
        switch a {
        case .null: return .null
        case .integer(let x):
            guard x != .min else { throw GraphError(.arithmeticError, "-(\(x)) does not fit a 64-bit integer") }
            return .integer(-x)
        case .float(let x): return .float(-x)
        default: throw GraphError(.typeError, "\"-\" needs a number, not \(a.kindName)")
        }
    }
}

/// Conversions between kinds of values.
enum Converting {
    /// A scalar as text, as `toString` and string concatenation write it.
    static func text(_ value: Value) -> String {
        switch value {
        case .string(let text): text.text
        case .integer(let number): String(number)
        case .float(let number): text(number)
        case .boolean(let flag): flag ? "true" : "false"
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

    static func trim(_ text: String, start: Bool, end: Bool) -> String {
        var scalars = text.unicodeScalars[...]
        if start { scalars = scalars.drop { $0.properties.isWhitespace } }
        if end { while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() } }
        return String(scalars)
    }
}
