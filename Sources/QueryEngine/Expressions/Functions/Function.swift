internal import Cypher
internal import GraphModel
internal import Storage

/// A function of the language: its name, what it takes and gives, and what it does.
struct Function: Sendable {
    enum Category: String, Sendable {
        case scalar = "Scalar"
        case list = "List"
        case graph = "Graph"
        case number = "Numeric"
        case string = "String"
        case temporal = "Temporal"
        case spatial = "Spatial"
        case predicate = "Predicate"
    }
    struct Parameter: Sendable {
        let name: String
        let types: TypeSet
        var isOptional = false
    }
    enum Body: Sendable {
        case one(@Sendable (Frame, Value) throws(GraphError) -> Value)
        case two(@Sendable (Frame, Value, Value) throws(GraphError) -> Value)
        /// One argument, or more: without a list of them where there is one.
        case either(
            one: @Sendable (Frame, Value) throws(GraphError) -> Value,
            more: @Sendable (Frame, [Value]) throws(GraphError) -> Value)
        /// As many as are given.
        case values(@Sendable (Frame, [Value]) throws(GraphError) -> Value)
        /// Any number, evaluated on demand.
        case many(@Sendable ([Evaluator]) -> Evaluator)
    }

    /// As documentation writes it; queries may write it in any case.
    let name: String
    let category: Category
    let parameters: [Parameter]
    /// The last parameter stands for any number of them.
    let isVariadic: Bool
    let result: TypeSet
    /// One sentence.
    let summary: String
    let body: Body

    /// What each parameter can be. The last one's holds for all further arguments.
    var parameterTypes: [TypeSet] { parameters.map(\.types) }

    /// How many arguments it takes.
    var counts: ClosedRange<Int> {
        let least = parameters.count { !$0.isOptional }
        return least...(isVariadic ? Int.max : parameters.count)
    }

    /// What an argument can be; nothing known of one too many.
    func types(ofArgument index: Int) -> TypeSet {
        index < parameters.count ? parameters[index].types : (isVariadic ? parameters.last?.types ?? .any : .any)
    }

    /// `left(original :: STRING, length :: INTEGER) :: STRING`
    var signature: String {
        let texts = parameters.map { "\($0.name)\($0.isOptional ? " = null" : "") :: \($0.types.text)" }
        return "\(name)(\(texts.joined(separator: ", "))\(isVariadic ? " …" : "")) :: \(result.text)"
    }

    /// - Parameter parameters: names and kinds in order. A name that ends with `?` may be left out; one that ends with
    ///   `*` stands for any number of arguments, with `+` for at least one.
    init(
        _ name: String, _ category: Category, _ parameters: KeyValuePairs<String, TypeSet>, _ result: TypeSet,
        _ summary: String, _ body: Body
    ) {
        self.name = name
        self.category = category
        self.parameters = parameters.map { name, types in
            let isMarked = name.hasSuffix("?") || name.hasSuffix("*") || name.hasSuffix("+")
            return Parameter(
                name: isMarked ? String(name.dropLast()) : name, types: types,
                isOptional: name.hasSuffix("?") || name.hasSuffix("*"))
        }
        isVariadic = parameters.last.map { $0.key.hasSuffix("*") || $0.key.hasSuffix("+") } ?? false
        self.result = result
        self.summary = summary
        self.body = body
    }

    /// The same under another name.
    func named(_ name: String) -> Function {
        Function(name, category, parameters, isVariadic, result, summary, body)
    }

    private init(
        _ name: String, _ category: Category, _ parameters: [Parameter], _ isVariadic: Bool, _ result: TypeSet,
        _ summary: String, _ body: Body
    ) {
        self.name = name
        self.category = category
        self.parameters = parameters
        self.isVariadic = isVariadic
        self.result = result
        self.summary = summary
        self.body = body
    }
}

extension Function.Body {
    /// One argument; null gives null.
    static func unary(_ body: @escaping @Sendable (Value) throws(GraphError) -> Value) -> Self {
        .one { _, value throws(GraphError) in value.isNull ? .null : try body(value) }
    }

    /// One argument and the execution; null gives null.
    static func reading(_ body: @escaping @Sendable (Frame, Value) throws(GraphError) -> Value) -> Self {
        .one { frame, value throws(GraphError) in value.isNull ? .null : try body(frame, value) }
    }

    /// Two arguments; a null gives null.
    static func binary(_ body: @escaping @Sendable (Value, Value) throws(GraphError) -> Value) -> Self {
        .two { _, a, b throws(GraphError) in a.isNull || b.isNull ? .null : try body(a, b) }
    }

    /// All arguments at once; a null among them gives null.
    static func strict(_ body: @escaping @Sendable (Frame, [Value]) throws(GraphError) -> Value) -> Self {
        .values { frame, values throws(GraphError) in
            for value in values where value.isNull { return .null }
            return try body(frame, values)
        }
    }
}

extension Function {
    /// Every function, in no order that matters.
    static let list =
        graphFunctions + listFunctions + scalarFunctions + numberFunctions + trigonometricFunctions
        + stringFunctions + conversionFunctions + temporalFunctions + durationFunctions + spatialFunctions

    /// Every function by its name in lower case.
    static let all: [String: Function] = table(list)

    private static func table(_ functions: [Function]) -> [String: Function] {
        var result: [String: Function] = [:]
        for function in functions { result[function.name.lowercased()] = function }
        return result
    }

    /// Where the manual's results are of another kind than openCypher's.
    private static let manual: [String: Function] = table(manualFunctions)

    /// The function of a name in lower case, in the form that the dialect gives it.
    static func find(_ name: String, _ dialect: Dialect) -> Function? {
        (dialect == .cypher18 ? manual[name] : nil) ?? all[name]
    }

    // MARK: Arguments

    /// The error of a function given something else than it takes.
    static func wrong(_ function: String, _ wanted: String, _ value: Value) -> GraphError {
        GraphError(.typeError, "\(function)() takes \(wanted), not a value of type \(value.kindName)")
    }

    static func number(_ name: String, _ value: Value) throws(GraphError) -> Double {
        switch value {
        case .integer(let number): Double(number)
        case .float(let number): number
        default: throw wrong(name, "a number", value)
        }
    }

    /// - Parameter acceptsFloats: whether a whole number may come as a float, as arithmetic of the manual's language gives.
    static func integer(_ name: String, _ value: Value, acceptsFloats: Bool = false) throws(GraphError) -> Int64 {
        switch value {
        case .integer(let number): return number
        case .float(let number):
            if acceptsFloats, let whole = Converting.exact(number), Double(whole) == number { return whole }
        default: break
        }
        throw wrong(name, "whole numbers", value)
    }

    static func text(_ name: String, _ value: Value) throws(GraphError) -> String {
        guard case .string(let text) = value else { throw wrong(name, "a string", value) }
        return text.text
    }

    static func list(_ name: String, _ value: Value) throws(GraphError) -> [Value] {
        switch value {
        case .list(let list): list.elements
        case .path(let path): path.elements
        default: throw wrong(name, "a list", value)
        }
    }
}
