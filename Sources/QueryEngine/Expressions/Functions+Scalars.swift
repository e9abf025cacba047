internal import Cypher
internal import GraphModel

extension Function {
    /// The function of a name in lower case, in the form that the dialect gives it.
    static func find(_ name: String, _ dialect: Dialect) -> Function? {
        (dialect == .cypher18 ? manualFunctions[name] : nil) ?? all[name]
    }

    /// Where the manual's results are of another kind: whole numbers where openCypher has floats, and the other way round.
    private static let manualFunctions: [String: Function] = [
        "abs": .one { _, value throws(GraphError) in .float(try number("abs", value).magnitude) },
        "round": .one { _, value throws(GraphError) in
            let number = (try number("round", value) + 0.5).rounded(.down)
            return Converting.exact(number).map { .integer($0) } ?? .float(number)
        },
        "sign": .one { _, value throws(GraphError) in
            let number = try number("sign", value)
            return .float(number > 0 ? 1 : (number < 0 ? -1 : 0))
        },
    ]

    // MARK: Numbers

    static let numberFunctions: [String: Function] = [
        "abs": .one { _, value throws(GraphError) in
            switch value {
            case .integer(let number):
                guard number != .min else {
                    throw GraphError(.arithmeticError, "abs(\(number)) does not fit a 64-bit integer")
                }
                return .integer(number.magnitude == 0 ? 0 : Int64(number.magnitude))
            case .float(let number): return .float(number.magnitude)
            default: throw wrong("abs", "a number", value)
            }
        },
        "round": .one { _, value throws(GraphError) in
            // Half towards the larger, as Java does.
            let number = try number("round", value)
            return .float((number + 0.5).rounded(.down))
        },
        "ceil": .one { _, value throws(GraphError) in .float(try number("ceil", value).rounded(.up)) },
        "floor": .one { _, value throws(GraphError) in .float(try number("floor", value).rounded(.down)) },
        "sqrt": .one { _, value throws(GraphError) in .float(try number("sqrt", value).squareRoot()) },
        "sign": .one { _, value throws(GraphError) in
            let number = try number("sign", value)
            return .integer(number > 0 ? 1 : (number < 0 ? -1 : 0))
        },
        "toint": .one { _, value throws(GraphError) in try Converting.integer(value) },
        "tointeger": .one { _, value throws(GraphError) in try Converting.integer(value) },
        "tofloat": .one { _, value throws(GraphError) in try Converting.float(value) },
        "toboolean": .one { _, value throws(GraphError) in
            switch value {
            case .boolean: return value
            case .string(let text):
                switch Converting.trim(text.text, start: true, end: true).lowercased() {
                case "true": return .boolean(true)
                case "false": return .boolean(false)
                default: return .null
                }
            default: throw wrong("toBoolean", "a string", value)
            }
        },
    ]

    private static func number(_ name: String, _ value: Value) throws(GraphError) -> Double {
        switch value {
        case .integer(let number): Double(number)
        case .float(let number): number
        default: throw wrong(name, "a number", value)
        }
    }

    // MARK: Strings

    static let stringFunctions: [String: Function] = [
        "tostring": toString,
        "str": toString,
        "upper": upper,
        "toupper": upper,
        "lower": lower,
        "tolower": lower,
        "trim": .one { _, value throws(GraphError) in
            .string(Converting.trim(try text("trim", value), start: true, end: true))
        },
        "ltrim": .one { _, value throws(GraphError) in
            .string(Converting.trim(try text("ltrim", value), start: true, end: false))
        },
        "rtrim": .one { _, value throws(GraphError) in
            .string(Converting.trim(try text("rtrim", value), start: false, end: true))
        },
        "substring": .many(2...3) { arguments in
            { frame, row throws(GraphError) in
                let source = try arguments[0](frame, row)
                if source.isNull { return .null }
                let units = Array(try text("substring", source).utf16)
                let start = try count("substring", try arguments[1](frame, row))
                let length = arguments.count > 2 ? try count("substring", try arguments[2](frame, row)) : Int.max
                let from = min(start, units.count)
                let to = from + min(length, units.count - from)
                return .string(String(decoding: units[from..<to], as: UTF16.self))
            }
        },
        "left": .two { _, source, length throws(GraphError) in
            let units = Array(try text("left", source).utf16)
            return .string(String(decoding: units.prefix(try count("left", length)), as: UTF16.self))
        },
        "right": .two { _, source, length throws(GraphError) in
            let units = Array(try text("right", source).utf16)
            return .string(String(decoding: units.suffix(try count("right", length)), as: UTF16.self))
        },
        "replace": .many(3...3) { arguments in
            { frame, row throws(GraphError) in
                let source = try arguments[0](frame, row)
                let search = try arguments[1](frame, row)
                let replacement = try arguments[2](frame, row)
                if source.isNull || search.isNull || replacement.isNull { return .null }
                return .string(
                    replace(
                        try text("replace", search), in: try text("replace", source),
                        with: try text("replace", replacement)))
            }
        },
        "split": .two { _, source, separator throws(GraphError) in
            .list(split(try text("split", source), by: try text("split", separator)).map { .string($0) })
        },
    ]

    private static let toString = Function.one { _, value throws(GraphError) in
        switch value {
        case .string: return value
        case .integer, .float, .boolean: return .string(Converting.text(value))
        default: throw wrong("toString", "a string, number or boolean", value)
        }
    }
    private static let upper = Function.one { _, value throws(GraphError) in
        .string(try text("upper", value).uppercased())
    }
    private static let lower = Function.one { _, value throws(GraphError) in
        .string(try text("lower", value).lowercased())
    }

    private static func text(_ name: String, _ value: Value) throws(GraphError) -> String {
        guard case .string(let text) = value else { throw wrong(name, "a string", value) }
        return text.text
    }

    private static func count(_ name: String, _ value: Value) throws(GraphError) -> Int {
        let number = try integer(name, value)
        guard number >= 0 else {
            throw GraphError(.argumentError, "\(name)() takes no negative number, like \(number)")
        }
        return Int(number)
    }

    private static func split(_ text: String, by separator: String) -> [String] {
        let (text, separator) = (Array(text.utf8), Array(separator.utf8))
        if separator.isEmpty {
            return String(decoding: text, as: UTF8.self).unicodeScalars.map { String(Character($0)) }
        }
        var parts: [String] = []
        var start = 0
        var index = 0
        while index + separator.count <= text.count {
            if text[index] == separator[0], text[index..<index + separator.count].elementsEqual(separator) {
                parts.append(String(decoding: text[start..<index], as: UTF8.self))
                index += separator.count
                start = index
            } else {
                index += 1
            }
        }
        parts.append(String(decoding: text[start...], as: UTF8.self))
        return parts
    }

    private static func replace(_ search: String, in text: String, with replacement: String) -> String {
        search.isEmpty ? text : split(text, by: search).joined(separator: replacement)
    }
}

extension ExpressionCompiler {
    func wrongCount(_ name: String, _ wanted: String, _ found: Int, _ offset: Int) -> GraphError {
        context.fail("\(name)() takes \(wanted) argument\(wanted == "1" ? "" : "s"), not \(found)", at: offset)
    }

    mutating func function(
        _ name: String, _ distinct: Bool, _ arguments: [Expression], _ expression: Expression
    ) throws(GraphError) -> Evaluator {
        if Expression.aggregateNames.contains(name) { throw misplacedAggregate(expression) }
        if name == "has" || name == "exists" {
            let test = try predicate(expression)
            return { frame, row throws(GraphError) in try test(frame, row).value }
        }
        guard let function = Function.find(name, context.dialect) else {
            throw context.fail("Unknown function '\(name)'", at: expression.offset)
        }
        if distinct {
            throw context.fail("DISTINCT stands only in aggregates, not in \(name)()", at: expression.offset)
        }
        guard function.counts.contains(arguments.count) else {
            let (least, most) = (function.counts.lowerBound, function.counts.upperBound)
            let wanted = least == most ? "\(least)" : (most == .max ? "at least \(least)" : "\(least) to \(most)")
            throw wrongCount(name, wanted, arguments.count, expression.offset)
        }
        if let first = arguments.first, case .variable(let variable) = first.kind,
            let type = scope.find(variable)?.type, function.refused.contains(type)
        {
            throw context.fail("\(name)() cannot take `\(variable)`, which is \(type.text)", at: first.offset)
        }
        var evaluators: [Evaluator] = []
        for argument in arguments { evaluators.append(try evaluator(argument)) }
        switch function.body {
        case .one(let body):
            let argument = evaluators[0]
            return { frame, row throws(GraphError) in try body(frame, try argument(frame, row)) }
        case .two(let body):
            let (a, b) = (evaluators[0], evaluators[1])
            return { frame, row throws(GraphError) in try body(frame, try a(frame, row), try b(frame, row)) }
        case .many(let body): return body(evaluators)
        }
    }
}
