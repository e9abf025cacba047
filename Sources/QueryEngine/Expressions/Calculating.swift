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
        // The manual's language calculates with floats only.
        case (.integer(let x), .integer(let y)) where dialect == .cypher18:
            return .float(floats(operation, Double(x), Double(y)))
        case (.integer(let x), .integer(let y)): return try integers(operation, x, y)
        case (.float(let x), .float(let y)): return .float(floats(operation, x, y))
        case (.integer(let x), .float(let y)): return .float(floats(operation, Double(x), y))
        case (.float(let x), .integer(let y)): return .float(floats(operation, x, Double(y)))
        default: break
        }
        if case .add = operation { return try add(a, b, dialect) }
        if a.isNull || b.isNull { return .null }
        switch (operation, a, b) {
        case (.subtract, .temporal(let x), .temporal(let y)):
            return try TemporalArithmetic.add(x.content, y.content, -1)
        case (.multiply, .temporal(let x), .integer), (.multiply, .temporal(let x), .float):
            return try TemporalArithmetic.multiply(x.content, b)
        case (.multiply, .integer, .temporal(let y)), (.multiply, .float, .temporal(let y)):
            return try TemporalArithmetic.multiply(y.content, a)
        case (.divide, .temporal(let x), .integer), (.divide, .temporal(let x), .float):
            return try TemporalArithmetic.divide(x.content, b)
        default: break
        }
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
        case (.temporal(let x), .temporal(let y)):
            if y.content.sort != .duration, x.content.sort == .duration {
                return try TemporalArithmetic.add(y.content, x.content, 1)
            }
            return try TemporalArithmetic.add(x.content, y.content, 1)
        case (.string(let x), .integer), (.string(let x), .float), (.string(let x), .boolean),
            (.string(let x), .temporal):
            if dialect == .cypher9 { return .string(x.text + Converting.text(b)) }
        case (.integer, .string(let y)), (.float, .string(let y)), (.boolean, .string(let y)),
            (.temporal, .string(let y)):
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
