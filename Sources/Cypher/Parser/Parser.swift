public import GraphModel

/// A recursive-descent parser for both dialects. A few tokens of look-ahead; it backtracks only where `(` or `[` may
/// begin a pattern. Nesting is bounded, so no input can exhaust the stack.
public struct Parser {
    let source: [UInt8]
    let tokens: ContiguousArray<Token>
    var position = 0
    var depth = 0
    /// Tokens at which a pattern was tried in vain: trying again where brackets nest would double with each level.
    var noPatternAt: Set<Int> = []
    var noComprehensionAt: Set<Int> = []
    private(set) var dialect: Dialect
    static let depthMaximum = 200
    static let expressionDepthMaximum = 250
    /// Longest accepted query, in bytes.
    public static let queryByteCountMaximum = 16 << 20

    /// Parses a statement. A prefix `CYPHER 1.8` or `CYPHER 9`, before or behind EXPLAIN and PROFILE, overrides the dialect.
    ///
    /// - Throws: `.syntaxError` with line, column and caret.
    public static func parse(_ text: String, dialect: Dialect) throws(GraphError) -> Query {
        let source = Array(text.utf8)
        guard source.count <= queryByteCountMaximum else {
            throw GraphError(.syntaxError, "the query has \(source.count) bytes, the limit is \(queryByteCountMaximum)")
        }
        let tokens = try Lexer.tokens(source)
        var parser = Parser(source: source, tokens: tokens, dialect: dialect)
        return try parser.statement()
    }

    private init(source: [UInt8], tokens: ContiguousArray<Token>, dialect: Dialect) {
        self.source = source
        self.tokens = tokens
        self.dialect = dialect
    }

    // MARK: Tokens

    var current: Token { tokens[position] }
    func ahead(_ count: Int) -> Token { tokens[min(position + count, tokens.count - 1)] }

    func fail(_ message: String, at offset: Int? = nil) -> GraphError {
        .syntax(message, at: offset ?? current.start, in: source)
    }

    func text(_ token: Token) -> String { String(decoding: source[token.start..<token.end], as: UTF8.self) }

    /// The text from a byte up to the end of the last token that was read.
    func text(from start: Int) -> String {
        String(decoding: source[start..<max(start, tokens[max(position - 1, 0)].end)], as: UTF8.self)
    }

    func expected(_ what: String) -> GraphError {
        let found = current.kind == .end ? "the end of the query" : "\"\(text(current).prefix(40))\""
        return fail("expected \(what), found \(found)")
    }

    func isNext(_ kind: Token.Kind, _ count: Int = 0) -> Bool { ahead(count).kind == kind }

    mutating func accept(_ kind: Token.Kind) -> Bool {
        guard tokens[position].kind == kind else { return false }
        position += 1
        return true
    }

    mutating func expect(_ kind: Token.Kind) throws(GraphError) {
        guard accept(kind) else { throw expected("\"\(Token.text(of: kind))\"") }
    }

    func isNext(_ keyword: Keyword, _ count: Int = 0) -> Bool { ahead(count).keyword == keyword }

    mutating func accept(_ keyword: Keyword) -> Bool {
        guard tokens[position].keyword == keyword else { return false }
        position += 1
        return true
    }

    mutating func expect(_ keyword: Keyword) throws(GraphError) {
        guard accept(keyword) else { throw expected(keyword.text) }
    }

    /// Words that cannot be the bare name of a variable.
    static func isReserved(_ keyword: Keyword, _ dialect: Dialect) -> Bool {
        switch keyword {
        case .none: false
        case .start: dialect == .cypher18
        case .create, .set, .delete, .foreach, .match, .where, .with, .return, .skip, .limit, .order, .by, .asc,
            .ascending, .desc, .descending, .and, .or, .xor, .not, .in, .is, .null, .true, .false:
            true
        case .union, .unwind, .merge, .optional, .case, .when, .then, .else, .detach, .remove, .distinct:
            dialect == .cypher9
        default: false
        }
    }

    func isName(_ count: Int = 0) -> Bool {
        let token = ahead(count)
        return token.kind == .quotedName || (token.kind == .word && !Self.isReserved(token.keyword, dialect))
    }

    /// A name of a variable.
    mutating func name(_ what: String) throws(GraphError) -> String {
        guard isName() else { throw expected(what) }
        defer { position += 1 }
        return Literals.name(current, source)
    }

    /// A label, type or key: keywords are allowed there.
    mutating func symbolicName(_ what: String) throws(GraphError) -> String {
        guard current.kind == .quotedName || current.kind == .word else { throw expected(what) }
        defer { position += 1 }
        return Literals.name(current, source)
    }

    /// Guards recursion.
    mutating func nested<R>(_ body: (inout Parser) throws(GraphError) -> R) throws(GraphError) -> R {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMaximum else { throw fail("nested deeper than \(Self.depthMaximum) levels") }
        return try body(&self)
    }

    /// Tries to read something; when that fails, everything is as before and nil comes back.
    mutating func attempt<R>(_ body: (inout Parser) throws(GraphError) -> R?) -> R? {
        let (before, level) = (position, depth)
        if let result = try? body(&self) { return result }
        (position, depth) = (before, level)
        return nil
    }

    /// One or more, with commas between.
    mutating func list<T>(_ element: (inout Parser) throws(GraphError) -> T) throws(GraphError) -> [T] {
        var result = [try element(&self)]
        while accept(.comma) { result.append(try element(&self)) }
        return result
    }

    // MARK: Statements

    private mutating func statement() throws(GraphError) -> Query {
        var mode = Query.Mode.run
        try version()
        if accept(.explain) { mode = .explain } else if accept(.profile) { mode = .profile }
        if mode != .run { try version() }
        let statement: Query.Statement
        if let command = try schemaCommand() {
            statement = .schema(command)
        } else if let body = try showCommand() {
            statement = .query(body)
        } else {
            statement = .query(try queryBody(isSubquery: false))
        }
        _ = accept(.semicolon)
        guard current.kind == .end else { throw expected("the end of the query") }
        return Query(dialect: dialect, mode: mode, statement: statement, source: source)
    }

    /// `CYPHER 1.8`.
    private mutating func version() throws(GraphError) {
        guard isNext(.cypher), isNext(.float, 1) || isNext(.integer, 1) else { return }
        let version = text(ahead(1))
        switch version {
        case "1.6", "1.7", "1.8": dialect = .cypher18
        case "9": dialect = .cypher9
        default: throw fail("unknown version \(version); known are 1.6, 1.7, 1.8 and 9", at: ahead(1).start)
        }
        position += 2
    }

    /// Clauses up to the end, a `}` or a `;`, joined by UNION.
    mutating func queryBody(isSubquery: Bool) throws(GraphError) -> QueryBody {
        let offset = current.start
        var branches = [try clauses(isSubquery: isSubquery)]
        var unionIsDistinct: Bool?
        while isNext(.union) {
            let at = current.start
            position += 1
            let isDistinct = !accept(.all)
            if isDistinct { _ = accept(.distinct) }
            guard unionIsDistinct == nil || unionIsDistinct == isDistinct else {
                throw fail("UNION and UNION ALL cannot be mixed in one query", at: at)
            }
            unionIsDistinct = isDistinct
            branches.append(try clauses(isSubquery: isSubquery))
        }
        return QueryBody(
            branches: branches, unionIsDistinct: unionIsDistinct ?? true, offset: offset, text: text(from: offset))
    }

    private var isAtEnd: Bool { isNext(Token.Kind.end) || isNext(.semicolon) || isNext(.closeBrace) || isNext(.union) }

    private mutating func clauses(isSubquery: Bool) throws(GraphError) -> [Clause] {
        var clauses: [Clause] = []
        var returned = false
        while !isAtEnd {
            if returned { throw fail("nothing may follow RETURN and its ORDER BY, SKIP and LIMIT") }
            let parsed = try clause(isFirst: clauses.isEmpty)
            try checkOrder(parsed[0], after: clauses.last)
            clauses.append(contentsOf: parsed)
            if case .return = parsed[parsed.count - 1].kind { returned = true }
        }
        guard let last = clauses.last else { throw expected(dialect == .cypher18 ? "START or CREATE" : "a clause") }
        if !isSubquery { try checkEnd(last) }
        return clauses
    }

    /// openCypher wants a WITH between writing and reading.
    private func checkOrder(_ clause: Clause, after before: Clause?) throws(GraphError) {
        guard dialect == .cypher9, let before, before.isUpdating, !clause.isUpdating else { return }
        switch clause.kind {
        case .match, .unwind, .call, .subquery, .start:
            throw fail("a WITH is required between an updating clause and what reads after it", at: clause.offset)
        default: break
        }
    }

    private func checkEnd(_ last: Clause) throws(GraphError) {
        switch last.kind {
        case .start, .match, .filter, .with, .unwind:
            throw fail("a query that only reads must end with RETURN", at: current.start)
        default: break
        }
    }
}

extension Clause {
    /// Whether it changes the graph.
    public var isUpdating: Bool {
        switch kind {
        case .create, .createUnique, .merge, .set, .remove, .delete, .forEach: true
        case .subquery(let body, _): body.isUpdating
        case .start, .match, .filter, .with, .unwind, .return, .call: false
        }
    }
}

extension QueryBody {
    /// Whether any clause changes the graph.
    public var isUpdating: Bool { branches.contains { $0.contains(where: \.isUpdating) } }
}
