internal import GraphModel

/// Reads the part of JavaScript that filters are made of: literals, operators, the conditional, and calls on `position`.
struct ExpressionParser {
    private let tokens: [ExpressionToken]
    private var index = 0
    private var tree = ExpressionTree()
    /// Brackets and operators before an operand that are open.
    private var openCount = 0
    private static let openCountMaximum = 100

    /// Words that begin what is not evaluated here.
    private static let statementWords: Set<String> = [
        "var", "let", "const", "function", "return", "if", "else", "for", "while", "do", "switch", "case", "break",
        "continue", "throw", "try", "catch", "finally", "new", "delete", "typeof", "instanceof", "in", "void", "with",
        "class", "this", "import", "importPackage", "importClass", "eval", "async", "await", "yield", "super",
    ]

    private init(_ text: String) throws(GraphError) {
        var lexer = try ExpressionLexer(text)
        tokens = try lexer.tokens()
    }

    /// The expressions of a script, one after the other; the last is its result. Throws `.syntaxError` with the construct
    /// and its position.
    static func parse(_ text: String) throws(GraphError) -> (tree: ExpressionTree, roots: [Int]) {
        var parser = try ExpressionParser(text)
        var roots: [Int] = []
        while true {
            while parser.take(";") {}
            if parser.token.kind == .end { break }
            roots.append(try parser.conditional())
            if parser.token.kind != .end && !parser.isAt(";") { throw parser.unexpected("an operator or the end") }
        }
        if roots.isEmpty { throw .expression("it is empty", at: 1) }
        return (parser.tree, roots)
    }

    // MARK: Words

    private var token: ExpressionToken { tokens[index] }
    private func isAt(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }

    private mutating func take(_ symbol: String) -> Bool {
        guard isAt(symbol) else { return false }
        index += 1
        return true
    }

    private mutating func require(_ symbol: String) throws(GraphError) {
        if !take(symbol) { throw unexpected("\"\(symbol)\"") }
    }

    private func unexpected(_ wanted: String) -> GraphError {
        switch token.kind {
        case .symbol(let symbol) where ["=", "+=", "-=", "*=", "/=", "%=", "++", "--"].contains(symbol):
            .beyondSubset("the assignment \"\(symbol)\"", at: token.position)
        case .symbol(let symbol) where ["&", "|", "^", "~", "<<", ">>", ">>>"].contains(symbol):
            .beyondSubset("the bit operator \"\(symbol)\"", at: token.position)
        case .symbol(let symbol) where ["=>", "{", "["].contains(symbol):
            .beyondSubset("\"\(symbol)\"", at: token.position)
        case .symbol("/"): .beyondSubset("a regular expression", at: token.position)
        case .name(let name) where Self.statementWords.contains(name):
            .beyondSubset("\"\(name)\"", at: token.position)
        default: .expression("\(wanted) was expected, not \(token.text)", at: token.position)
        }
    }

    private mutating func add(_ part: ExpressionTree.Part, at position: Int) throws(GraphError) -> Int {
        guard let place = tree.add(part, at: position) else { throw tooDeep(ExpressionTree.depthMaximum, position) }
        return place
    }

    private func tooDeep(_ maximum: Int, _ position: Int) -> GraphError {
        .expression("more than \(maximum) parts stand one inside the other", at: position)
    }

    /// Runs `body` one bracket or operator deeper.
    private mutating func nested(
        _ body: (inout ExpressionParser) throws(GraphError) -> Int
    ) throws(GraphError) -> Int {
        openCount += 1
        defer { openCount -= 1 }
        if openCount > Self.openCountMaximum { throw tooDeep(Self.openCountMaximum, token.position) }
        return try body(&self)
    }

    // MARK: Operators, from the weakest

    private mutating func conditional() throws(GraphError) -> Int {
        try nested { parser throws(GraphError) in
            let condition = try parser.binary(0)
            let position = parser.token.position
            guard parser.take("?") else { return condition }
            let first = try parser.conditional()
            try parser.require(":")
            let second = try parser.conditional()
            return try parser.add(.conditional(condition, first, second), at: position)
        }
    }

    private static let levels: [[(symbol: String, operation: ExpressionTree.Binary)]] = [
        [("||", .or)],
        [("&&", .and)],
        [("===", .equal), ("!==", .notEqual), ("==", .equal), ("!=", .notEqual)],
        [("<", .less), ("<=", .lessOrEqual), (">", .greater), (">=", .greaterOrEqual)],
        [("+", .add), ("-", .subtract)],
        [("*", .multiply), ("/", .divide), ("%", .remainder)],
    ]

    private mutating func binary(_ level: Int) throws(GraphError) -> Int {
        guard level < Self.levels.count else { return try unary() }
        var left = try binary(level + 1)
        while let operation = Self.levels[level].first(where: { isAt($0.symbol) })?.operation {
            let position = token.position
            index += 1
            left = try add(.binary(operation, left, try binary(level + 1)), at: position)
        }
        return left
    }

    private mutating func unary() throws(GraphError) -> Int {
        let position = token.position
        let operation: ExpressionTree.Unary? = take("!") ? .not : take("-") ? .minus : take("+") ? .plus : nil
        guard let operation else { return try postfix() }
        let operand = try nested { parser throws(GraphError) in try parser.unary() }
        return try add(.unary(operation, operand), at: position)
    }

    // MARK: Operands

    private mutating func postfix() throws(GraphError) -> Int {
        var value = try primary()
        while true {
            let position = token.position
            if take(".") {
                value = try member(of: value)
            } else if take("[") {
                let place = try conditional()
                try require("]")
                value = try add(.element(of: value, place), at: position)
            } else if isAt("(") {
                throw .beyondSubset("a call of what is no method", at: position)
            } else {
                return value
            }
        }
    }

    private mutating func member(of value: Int) throws(GraphError) -> Int {
        let position = token.position
        guard case .name(let name) = token.kind else { throw unexpected("the name of a method") }
        index += 1
        guard let method = ExpressionMethod(rawValue: name) else {
            throw .beyondSubset(isAt("(") ? "the method \"\(name)\"" : "the property \"\(name)\"", at: position)
        }
        guard take("(") else {
            // The length of a JavaScript string is no method.
            if method == .length { return try add(.call(.length, of: value, []), at: position) }
            throw .expression("\"\(name)\" is a method: it needs brackets, \"\(name)()\"", at: position)
        }
        var arguments: [Int] = []
        if !take(")") {
            repeat { arguments.append(try conditional()) } while take(",")
            try require(")")
        }
        guard method.argumentCounts.contains(arguments.count) else {
            let counts = method.argumentCounts
            let wanted = counts.count == 1 ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)"
            throw .expression("\"\(name)\" takes \(wanted) arguments, not \(arguments.count)", at: position)
        }
        return try add(.call(method, of: value, arguments), at: position)
    }

    private mutating func primary() throws(GraphError) -> Int {
        let position = token.position
        let part: ExpressionTree.Part
        switch token.kind {
        case .integer(let number): part = .literal(.integer(number))
        case .float(let number): part = .literal(.float(number))
        case .string(let text): part = .literal(.string(text))
        case .name("true"): part = .literal(.boolean(true))
        case .name("false"): part = .literal(.boolean(false))
        case .name("null"), .name("undefined"): part = .literal(.null)
        case .name("position"): part = .position
        case .name(let name) where !Self.statementWords.contains(name):
            throw .beyondSubset("the name \"\(name)\"", at: position)
        case .symbol("("):
            index += 1
            let inner = try conditional()
            try require(")")
            return inner
        default: throw unexpected("a value")
        }
        index += 1
        return try add(part, at: position)
    }
}
