internal import GraphModel

/// Reads a script into a tree: words and what all parts of the grammar share.
struct Parser {
    private let tokens: [Token]
    private(set) var index = 0
    var tree = ScriptTree()
    /// Round and square brackets open since the last brace: in there, lines end nothing.
    var bracketCount = 0
    private var depth = 0

    /// Most braces, brackets and statements one inside the other.
    static let depthMaximum = 100

    init(_ tokens: [Token]) { self.tokens = tokens }

    /// The tree of a script, and its statements as one block.
    static func parse(_ text: String) throws(GraphError) -> (tree: ScriptTree, body: ScriptTree.Index) {
        var lexer = try Lexer(text)
        var parser = Parser(try lexer.tokens())
        let body = try parser.statements(until: nil)
        return (parser.tree, body)
    }

    // MARK: Words

    var token: Token { tokens[index] }
    var next: Token { tokens[min(index + 1, tokens.count - 1)] }
    func token(ahead count: Int) -> Token { tokens[min(index + count, tokens.count - 1)] }

    mutating func advance() { index = min(index + 1, tokens.count - 1) }

    func isAt(_ symbol: String) -> Bool {
        if case .symbol(let actual) = token.kind { return actual == symbol }
        return false
    }

    func isAtWord(_ word: String) -> Bool {
        if case .name(let actual) = token.kind { return actual == word }
        return false
    }

    /// Whether an operator here still belongs to the expression before it.
    var continues: Bool { !token.isFirstOfLine || bracketCount > 0 }

    mutating func skip(_ symbol: String) -> Bool {
        guard isAt(symbol) else { return false }
        advance()
        return true
    }

    mutating func skipWord(_ word: String) -> Bool {
        guard isAtWord(word) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: String, _ meaning: String = "") throws(GraphError) {
        if skip(symbol) { return }
        throw .unreadable("\"\(symbol)\"\(meaning) is missing before \(token.text)", at: token.place)
    }

    mutating func expectName(_ meaning: String) throws(GraphError) -> String {
        guard case .name(let name) = token.kind else {
            throw .unreadable("\(meaning) is missing before \(token.text)", at: token.place)
        }
        advance()
        return name
    }

    // MARK: Parts

    mutating func add(_ part: ScriptTree.Part, _ place: Place) throws(GraphError) -> ScriptTree.Index {
        if let index = tree.add(part, at: place) { return index }
        throw tooDeep(place)
    }

    private func tooDeep(_ place: Place) -> GraphError {
        .unreadable(
            "it has more than \(ScriptTree.depthMaximum) parts one inside the other, or more than \(ScriptTree.countMaximum) in all",
            at: place)
    }

    mutating func nested<R>(_ body: (inout Parser) throws(GraphError) -> R) throws(GraphError) -> R {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.depthMaximum { throw tooDeep(token.place) }
        return try body(&self)
    }

    /// Reads something between round or square brackets.
    mutating func bracketed<R>(
        _ closing: String, _ body: (inout Parser) throws(GraphError) -> R
    ) throws(GraphError) -> R {
        bracketCount += 1
        let result = try nested(body)
        try expect(closing)
        bracketCount -= 1
        return result
    }

    /// The expression within a string.
    mutating func parse(code text: String, at place: Place) throws(GraphError) -> ScriptTree.Index {
        var lexer = try Lexer(text, at: place)
        var inner = Parser(try lexer.tokens())
        (inner.tree, inner.depth) = (tree, depth + 1)
        if inner.depth > Self.depthMaximum { throw tooDeep(place) }
        let part = try inner.expression()
        guard case .end = inner.token.kind else {
            throw .unreadable("\(inner.token.text) is too much in the ${} of a string", at: inner.token.place)
        }
        tree = inner.tree
        return part
    }
}
