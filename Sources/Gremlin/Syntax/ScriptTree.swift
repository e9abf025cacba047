/// A script as a tree, its parts in one array, each after those that it is made of.
struct ScriptTree: Sendable {
    /// The place of a part in the array.
    typealias Index = Int

    enum Unary: Sendable { case not, minus, plus }
    enum Binary: String, Sendable {
        case equal = "==", notEqual = "!=", compare = "<=>"
        case less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
        case add = "+", subtract = "-", multiply = "*", divide = "/", remainder = "%", power = "**"
        case append = "<<"
        case isIn = "in"
    }
    enum Literal: Sendable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case float(Double)
        case string(String)
    }
    /// Where a call or a property looks.
    enum Access: Sendable {
        case plain
        /// `?.`: null of null.
        case safe
        /// `*.`: of every element.
        case spread
    }
    struct Closure: Sendable {
        /// nil for the one that is called `it`.
        let parameters: [String]?
        let body: Index
    }
    struct Function: Sendable {
        let name: String
        let parameters: [Parameter]
        let body: Index
    }
    struct Parameter: Sendable {
        let name: String
        let defaultValue: Index?
    }
    struct Catch: Sendable {
        let name: String
        let body: Index
    }

    indirect enum Part: Sendable {
        // Expressions
        case literal(Literal)
        case template([Index])
        case list([Index])
        case map([(key: Index, value: Index)])
        case range(Index, Index, isHalfOpen: Bool)
        case name(String)
        case property(of: Index, name: Index, Access)
        /// A method, or a function when there is no receiver.
        case call(of: Index?, name: Index, [Index], Access)
        /// What is called is a value: `closures[0](1)`.
        case callValue(Index, [Index])
        case element(of: Index, [Index])
        case new(String, [Index])
        case closure(Closure)
        case unary(Unary, Index)
        case binary(Binary, Index, Index)
        case and(Index, Index)
        case or(Index, Index)
        case conditional(Index, Index, Index)
        case elvis(Index, Index)
        case assign(Index, Index)
        case update(Index, Binary, Index)
        case increment(Index, Binary, isPrefix: Bool)
        case cast(Index, String)
        case isInstance(Index, String)
        // Statements
        case declare([String], Index?)
        case block([Index])
        case ifElse(Index, Index, Index?)
        case whileLoop(Index, Index)
        case forIn(String, Index, Index)
        case forLoop(Index?, Index?, Index?, Index)
        case tryCatch(Index, Catch?, finally: Index?)
        case throwing(Index)
        case returning(Index?)
        case breaking
        case continuing
        /// An import, a lone semicolon.
        case nothing
    }
    private(set) var parts: [Part] = []
    private(set) var places: [Place] = []
    private var depths: [Int16] = []
    var functions: [Function] = []

    /// Most parts one inside the other; a chain of methods stands one inside the other, too.
    static let depthMaximum = 250
    static let countMaximum = 200_000

    /// Adds a part and returns its place; nil when it would be too deep, or one too many.
    mutating func add(_ part: Part, at place: Place) -> Index? {
        var inner: Int16 = 0
        part.forEachPart { inner = max(inner, depths[$0]) }
        if inner >= Self.depthMaximum || parts.count >= Self.countMaximum { return nil }
        parts.append(part)
        places.append(place)
        depths.append(inner + 1)
        return parts.count - 1
    }
}

extension ScriptTree.Part {
    func forEachPart(_ body: (ScriptTree.Index) -> Void) {
        switch self {
        case .literal, .name, .breaking, .continuing, .nothing: break
        case .template(let parts), .list(let parts), .new(_, let parts), .block(let parts): parts.forEach(body)
        case .map(let entries):
            for entry in entries {
                body(entry.key)
                body(entry.value)
            }
        case .range(let a, let b, _), .property(let a, let b, _), .binary(_, let a, let b), .and(let a, let b), .or(let a, let b),
            .elvis(let a, let b), .assign(let a, let b), .update(let a, _, let b), .whileLoop(let a, let b),
            .forIn(_, let a, let b):
            body(a)
            body(b)
        case .call(let of, let name, let arguments, _):
            if let of { body(of) }
            body(name)
            arguments.forEach(body)
        case .callValue(let of, let arguments), .element(let of, let arguments):
            body(of)
            arguments.forEach(body)
        case .closure(let closure): body(closure.body)
        case .unary(_, let a), .increment(let a, _, _), .cast(let a, _), .isInstance(let a, _), .throwing(let a): body(a)
        case .conditional(let a, let b, let c):
            body(a)
            body(b)
            body(c)
        case .declare(_, let a), .returning(let a): if let a { body(a) }
        case .ifElse(let a, let b, let c):
            body(a)
            body(b)
            if let c { body(c) }
        case .forLoop(let a, let b, let c, let d):
            for part in [a, b, c, d] { if let part { body(part) } }
        case .tryCatch(let a, let handler, let b):
            body(a)
            if let handler { body(handler.body) }
            if let b { body(b) }
        }
    }
}
