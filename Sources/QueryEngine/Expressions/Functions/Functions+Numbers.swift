internal import Glibc
internal import GraphModel

/// Numbers.
extension Function {
    /// Whole numbers where openCypher has floats, and the other way round.
    static let manualFunctions: [Function] = [
        Function(
            "abs", .number, ["number": .number], .float, "The number without its sign.",
            .unary { value throws(GraphError) in .float(try number("abs", value).magnitude) }),
        Function(
            "round", .number, ["number": .number], .integer, "The nearest integer, of two the larger.",
            .unary { value throws(GraphError) in
                let number = (try number("round", value) + 0.5).rounded(.down)
                return Converting.exact(number).map { .integer($0) } ?? .float(number)
            }),
        Function(
            "sign", .number, ["number": .number], .float, "-1, 0 or 1.",
            .unary { value throws(GraphError) in
                let number = try number("sign", value)
                return .float(number > 0 ? 1 : (number < 0 ? -1 : 0))
            }),
    ]

    private static func float(
        _ name: String, _ summary: String, _ body: @escaping @Sendable (Double) -> Double
    ) -> Function {
        Function(
            name, .number, ["number": .number], .float, summary,
            .unary { value throws(GraphError) in .float(body(try number(name, value))) })
    }

    private static func constant(_ name: String, _ number: Double, _ summary: String) -> Function {
        Function(name, .number, [:], .float, summary, .values { _, _ in .float(number) })
    }

    static let numberFunctions: [Function] = [
        Function(
            "abs", .number, ["number": .number], .number, "The number without its sign.",
            .unary { value throws(GraphError) in
                switch value {
                case .integer(let number):
                    guard let magnitude = Int64(exactly: number.magnitude) else {
                        throw GraphError(.arithmeticError, "abs(\(number)) does not fit a 64-bit integer")
                    }
                    return .integer(magnitude)
                case .float(let number): return .float(number.magnitude)
                default: throw wrong("abs", "a number", value)
                }
            }),
        Function(
            "round", .number, ["number": .number, "precision?": .integer, "mode?": .string], .float,
            "The number with so many decimal places, none when left out, by a mode like HALF_UP.",
            .either(
                one: { _, value throws(GraphError) in value.isNull ? .null : .float(halfUp(try number("round", value)))
                },
                more: { _, values throws(GraphError) in
                    values.contains { $0.isNull } ? .null : try round(values)
                })),
        Function(
            "sign", .number, ["number": .number], .integer, "-1, 0 or 1.",
            .unary { value throws(GraphError) in
                let number = try number("sign", value)
                return .integer(number > 0 ? 1 : (number < 0 ? -1 : 0))
            }),
        Function(
            "isNaN", .predicate, ["number": .number], .boolean, "Whether the number is no number, like 0.0 / 0.0.",
            .unary { value throws(GraphError) in .boolean(try number("isNaN", value).isNaN) }),
        Function(
            "rand", .number, [:], .float, "A random number from 0 to below 1.",
            .values { _, _ in .float(Double.random(in: 0..<1)) }),
        float("ceil", "The least integer that is not less.") { $0.rounded(.up) },
        float("floor", "The greatest integer that is not greater.") { $0.rounded(.down) },
        float("sqrt", "The square root.") { $0.squareRoot() },
        float("exp", "e to the power of the number.") { exp($0) },
        float("log", "The natural logarithm.") { log($0) },
        float("log10", "The logarithm to the base 10.") { log10($0) },
        constant("pi", Double.pi, "The ratio of a circle's circumference to its diameter."),
        constant("e", M_E, "The base of the natural logarithm."),
    ]

    static let trigonometricFunctions: [Function] = [
        float("sin", "The sine of an angle in radians.") { sin($0) },
        float("cos", "The cosine of an angle in radians.") { cos($0) },
        float("tan", "The tangent of an angle in radians.") { tan($0) },
        float("cot", "The cotangent of an angle in radians.") { 1 / tan($0) },
        float("asin", "The angle in radians of a sine.") { asin($0) },
        float("acos", "The angle in radians of a cosine.") { acos($0) },
        float("atan", "The angle in radians of a tangent.") { atan($0) },
        Function(
            "atan2", .number, ["y": .number, "x": .number], .float, "The angle in radians of the point x, y.",
            .binary { y, x throws(GraphError) in .float(atan2(try number("atan2", y), try number("atan2", x))) }),
        float("sinh", "The hyperbolic sine.") { sinh($0) },
        float("cosh", "The hyperbolic cosine.") { cosh($0) },
        float("tanh", "The hyperbolic tangent.") { tanh($0) },
        float("coth", "The hyperbolic cotangent.") { 1 / tanh($0) },
        float("degrees", "An angle in radians as degrees.") { $0 * (180 / Double.pi) },
        float("radians", "An angle in degrees as radians.") { $0 * (Double.pi / 180) },
        float("haversin", "Half the versine of an angle in radians.") { (1 - cos($0)) / 2 },
    ]

    private static func round(_ values: [Value]) throws(GraphError) -> Value {
        let number = try number("round", values[0])
        let precision = try integer("round", values[1])
        guard precision >= 0 else {
            throw GraphError(.argumentError, "the precision of round() cannot be negative, like \(precision)")
        }
        guard values.count > 2 else {
            return .float(
                precision == 0 ? halfUp(number) : DecimalRounding.halfUp.round(number, Int(min(precision, 400))))
        }
        let name = try text("round", values[2])
        guard let mode = DecimalRounding(rawValue: name.uppercased()) else {
            let modes = DecimalRounding.allCases.map(\.rawValue).joined(separator: ", ")
            throw GraphError(.argumentError, "'\(name)' is no mode of round(); modes are \(modes)")
        }
        return .float(mode.round(number, Int(min(precision, 400))))
    }

    /// Half towards the larger, as Java does. (A sum with 0.5 might itself be rounded.)
    private static func halfUp(_ number: Double) -> Double {
        let floor = number.rounded(.down)
        return number - floor >= 0.5 ? floor + 1 : floor
    }
}

/// Rounding of the decimal digits that a float is written with, not of its binary ones: 1.555 to two places is 1.56.
private enum DecimalRounding: String, CaseIterable {
    case up = "UP"
    case down = "DOWN"
    case ceiling = "CEILING"
    case floor = "FLOOR"
    case halfUp = "HALF_UP"
    case halfDown = "HALF_DOWN"
    case halfEven = "HALF_EVEN"

    /// - Parameter places: digits behind the point, not negative.
    func round(_ number: Double, _ places: Int) -> Double {
        guard number.isFinite else { return number }
        var (digits, exponent) = Self.digits(number)
        // 0.d₁d₂d₃… × 10^exponent: so many digits stay.
        let kept = exponent + places
        guard kept < digits.count else { return number }
        let next = kept < 0 ? 0 : digits[kept]
        let isBeyond = kept >= 0 && digits[(kept + 1)...].contains { $0 != 0 }
        let isExact = kept >= 0 && next == 0 && !isBeyond
        let isOdd = kept > 0 && digits[kept - 1] % 2 == 1
        let isAway: Bool
        switch self {
        case .up: isAway = !isExact
        case .down: isAway = false
        case .ceiling: isAway = !isExact && number > 0
        case .floor: isAway = !isExact && number < 0
        case .halfUp: isAway = next >= 5
        case .halfDown: isAway = next > 5 || next == 5 && isBeyond
        case .halfEven: isAway = next > 5 || next == 5 && (isBeyond || isOdd)
        }
        digits = kept > 0 ? Array(digits[..<kept]) : []
        if isAway {
            var index = digits.count - 1
            while index >= 0, digits[index] == 9 {
                digits[index] = 0
                index -= 1
            }
            if index >= 0 {
                digits[index] += 1
            } else {
                // 9.9 becomes 10; 0.03 to one place becomes 0.1.
                if kept < 0 { exponent = -places }
                digits.insert(1, at: 0)
                exponent += 1
            }
        }
        let text = (number < 0 ? "-0." : "0.") + digits.map { String($0) }.joined() + "e\(exponent)"
        return Double(digits.isEmpty ? "0" : text) ?? number
    }

    /// The shortest digits that mean this number, the first not 0, and the exponent with the point before them.
    private static func digits(_ number: Double) -> ([Int], exponent: Int) {
        let parts = "\(number.magnitude)".split(separator: "e", maxSplits: 1)
        let mantissa = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        var digits = mantissa.joined().utf8.map { Int($0) - 48 }
        var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + mantissa[0].utf8.count
        while digits.count > 1, digits[0] == 0 {
            digits.removeFirst()
            exponent -= 1
        }
        return (digits, exponent)
    }
}
