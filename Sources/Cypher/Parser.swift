public import GraphModel

/// A recursive-descent parser for both dialects. One token of look-ahead, now and then more; never backtracks over
/// clauses. Nesting is bounded, so no input can exhaust the stack.
public struct Parser {
    let source: [UInt8]
    let tokens: [Token]
    var position = 0
    var depth = 0
    let dialect: Dialect
    static let depthMaximum = 200
    static let expressionDepthMaximum = 250
    /// Longest accepted query, in bytes.
    public static let queryByteCountMaximum = 16 << 20

    /// Parses a query. A prefix `CYPHER 1.8` or `CYPHER 9` overrides the dialect.
    ///
    /// Throws `.syntaxError` with line, column and caret.
    public static func parse(_ text: String, dialect: Dialect) throws(GraphError) -> Query {
        let source = Array(text.utf8)
        guard source.count <= queryByteCountMaximum else {
            throw GraphError(.syntaxError, "the query has \(source.count) bytes, the limit is \(queryByteCountMaximum)")
        }
        let tokens = try Lexer.tokens(source)
        var start = 0
        var dialect = dialect
        if tokens[0].keyword == "CYPHER", tokens.count > 1, tokens[1].kind == .float || tokens[1].kind == .integer {
            switch tokens[1].text {
            case "1.6", "1.7", "1.8": dialect = .cypher18
            case "9": dialect = .cypher9
            default:
                throw .syntax(
                    "unknown version \(tokens[1].text); known are 1.6, 1.7, 1.8 and 9", at: tokens[1].start, in: source)
            }
            start = 2
        }
        var parser = Parser(source: source, tokens: tokens, position: start, dialect: dialect)
        return try parser.query()
    }

    private init(source: [UInt8], tokens: [Token], position: Int, dialect: Dialect) {
        self.source = source
        self.tokens = tokens
        self.position = position
        self.dialect = dialect
    }

    // MARK: Tokens

    var current: Token { tokens[position] }
    func ahead(_ count: Int) -> Token { tokens[min(position + count, tokens.count - 1)] }

    func fail(_ message: String, at offset: Int? = nil) -> GraphError {
        .syntax(message, at: offset ?? current.start, in: source)
    }

    func expected(_ what: String) -> GraphError {
        let found = current.kind == .end ? "the end of the query" : "\"\(current.text.prefix(40))\""
        return fail("expected \(what), found \(found)")
    }

    func isSymbol(_ symbol: String, _ count: Int = 0) -> Bool {
        let token = ahead(count)
        return token.kind == .symbol && token.text == symbol
    }

    mutating func accept(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ symbol: String) throws(GraphError) {
        guard accept(symbol) else { throw expected("\"\(symbol)\"") }
    }

    func isKeyword(_ keyword: String, _ count: Int = 0) -> Bool { ahead(count).keyword == keyword }

    mutating func acceptKeyword(_ keyword: String) -> Bool {
        guard isKeyword(keyword) else { return false }
        position += 1
        return true
    }

    mutating func expectKeyword(_ keyword: String) throws(GraphError) {
        guard acceptKeyword(keyword) else { throw expected(keyword) }
    }

    static let reserved: Set<String> = [
        "START", "CREATE", "SET", "DELETE", "FOREACH", "MATCH", "WHERE", "WITH", "RETURN", "SKIP", "LIMIT", "ORDER",
        "BY", "ASC", "ASCENDING", "DESC", "DESCENDING", "AND", "OR", "XOR", "NOT", "IN", "IS", "NULL", "TRUE", "FALSE",
    ]

    /// A name of a variable.
    mutating func name(_ what: String) throws(GraphError) -> String {
        let token = current
        guard token.kind == .quotedName || (token.kind == .word && !Self.reserved.contains(token.keyword)) else {
            throw expected(what)
        }
        position += 1
        return token.text
    }

    /// A label, type or key: keywords are allowed there.
    mutating func symbolicName(_ what: String) throws(GraphError) -> String {
        guard current.kind == .quotedName || current.kind == .word else { throw expected(what) }
        defer { position += 1 }
        return current.text
    }

    /// Guards recursion.
    mutating func nested<R>(_ body: (inout Parser) throws(GraphError) -> R) throws(GraphError) -> R {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMaximum else { throw fail("nested deeper than \(Self.depthMaximum) levels") }
        return try body(&self)
    }

    // MARK: Clauses

    private mutating func query() throws(GraphError) -> Query {
        let isExplain = acceptKeyword("EXPLAIN")
        var clauses: [Clause] = []
        var returned = false
        while current.kind != .end, !isSymbol(";") {
            if returned && isKeyword("UNION") { throw fail("UNION is not supported yet") }
            if returned { throw fail("nothing may follow RETURN and its ORDER BY, SKIP and LIMIT") }
            let parsed = try clause(isFirst: clauses.isEmpty)
            clauses.append(contentsOf: parsed)
            if case .return = parsed.last?.kind { returned = true }
        }
        _ = accept(";")
        guard current.kind == .end else { throw expected("the end of the query") }
        guard let last = clauses.last else { throw expected(dialect == .cypher18 ? "START or CREATE" : "a clause") }
        switch last.kind {
        case .start, .match, .filter, .with, .unwind:
            throw fail("a query that only reads must end with RETURN", at: source.count)
        case .create, .set, .remove, .delete, .return: break
        }
        return Query(dialect: dialect, clauses: clauses, isExplain: isExplain, source: source)
    }

    private mutating func clause(isFirst: Bool) throws(GraphError) -> [Clause] {
        let offset = current.start
        let keyword = current.keyword
        if isFirst && dialect == .cypher18 && !["START", "CREATE", "MATCH", "RETURN", "UNWIND"].contains(keyword) {
            throw expected("START or CREATE")
        }
        func clause(_ kind: Clause.Kind) -> Clause { Clause(kind: kind, offset: offset) }
        switch keyword {
        case "START":
            position += 1
            var items = [try startItem()]
            while accept(",") { items.append(try startItem()) }
            return try [clause(.start(items))] + filter()
        case "OPTIONAL", "MATCH":
            let optional = acceptKeyword("OPTIONAL")
            try expectKeyword("MATCH")
            return try [clause(.match(try patterns(), optional: optional))] + filter()
        case "UNWIND":
            position += 1
            let list = try expression()
            try expectKeyword("AS")
            return [clause(.unwind(list, variable: try name("a name for each element")))]
        case "WITH":
            position += 1
            return try [clause(.with(try projection(needsAliases: true)))] + filter()
        case "CREATE":
            position += 1
            for word in ["UNIQUE", "INDEX", "CONSTRAINT"] where isKeyword(word) {
                throw fail("CREATE \(word) is not supported yet")
            }
            return [clause(.create(try patterns()))]
        case "SET":
            position += 1
            return [clause(.set(try list { parser throws(GraphError) in try parser.setItem() }))]
        case "REMOVE":
            position += 1
            return [clause(.remove(try list { parser throws(GraphError) in try parser.removeItem() }))]
        case "DETACH", "DELETE":
            let detach = acceptKeyword("DETACH")
            try expectKeyword("DELETE")
            return [clause(.delete(try list { parser throws(GraphError) in try parser.expression() }, detach: detach))]
        case "RETURN":
            position += 1
            return [clause(.return(try projection(needsAliases: false)))]
        case "FOREACH", "MERGE", "UNION", "CALL", "PROFILE", "LOAD", "DROP":
            throw fail("\(keyword) is not supported yet")
        default:
            throw expected("START, MATCH, WHERE, WITH, UNWIND, CREATE, SET, REMOVE, DELETE or RETURN")
        }
    }

    private mutating func list<T>(_ element: (inout Parser) throws(GraphError) -> T) throws(GraphError) -> [T] {
        var result = [try element(&self)]
        while accept(",") { result.append(try element(&self)) }
        return result
    }

    private mutating func filter() throws(GraphError) -> [Clause] {
        let offset = current.start
        guard acceptKeyword("WHERE") else { return [] }
        return [Clause(kind: .filter(try expression()), offset: offset)]
    }

    private mutating func startItem() throws(GraphError) -> StartItem {
        let offset = current.start
        let variable = try name("a variable")
        try expect("=")
        let isNode: Bool
        switch current.keyword {
        case "NODE": isNode = true
        case "RELATIONSHIP", "REL": isNode = false
        default: throw expected("node or relationship")
        }
        position += 1
        if accept(":") {
            let index = try symbolicName("the name of an index")
            try expect("(")
            let first = try startKey()
            let source: StartItem.Source
            if accept("=") {
                source = .index(name: index, key: first, value: try expression())
            } else {
                source = .indexQuery(name: index, query: first)
            }
            try expect(")")
            return StartItem(variable: variable, isNode: isNode, source: source, offset: offset)
        }
        try expect("(")
        if accept("*") {
            try expect(")")
            return StartItem(variable: variable, isNode: isNode, source: .all, offset: offset)
        }
        let idOffset = current.start
        let ids = try list { parser throws(GraphError) in try parser.expression() }
        try expect(")")
        let source = ids.count == 1 ? ids[0] : Expression(.list(ids), at: idOffset)
        return StartItem(variable: variable, isNode: isNode, source: .ids(source), offset: offset)
    }

    /// The key of an index look-up: a bare word is its own text.
    private mutating func startKey() throws(GraphError) -> Expression {
        if current.kind == .word || current.kind == .quotedName, isSymbol("=", 1) {
            defer { position += 1 }
            return Expression(.literal(.string(current.text)), at: current.start)
        }
        return try additive()
    }

    private mutating func setItem() throws(GraphError) -> SetItem {
        let offset = current.start
        if current.kind != .symbol, isSymbol(":", 1) {
            let variable = try name("a variable")
            return SetItem(kind: .labels(variable: variable, try labels()), offset: offset)
        }
        if current.kind != .symbol, isSymbol("=", 1) || isSymbol("+=", 1) {
            let variable = try name("a variable")
            let adds = isSymbol("+=")
            position += 1
            return SetItem(kind: .all(variable: variable, map: try expression(), adds: adds), offset: offset)
        }
        let target = try postfix()
        guard case .property(let entity, let key, _) = target.kind else {
            throw fail("expected a property, a variable or a label to set", at: offset)
        }
        try expect("=")
        return SetItem(kind: .property(entity, key: key, value: try expression()), offset: offset)
    }

    private mutating func removeItem() throws(GraphError) -> SetItem {
        let offset = current.start
        if current.kind != .symbol, isSymbol(":", 1) {
            let variable = try name("a variable")
            return SetItem(kind: .labels(variable: variable, try labels()), offset: offset)
        }
        let target = try postfix()
        guard case .property(let entity, let key, _) = target.kind else {
            throw fail("expected a property or a label to remove", at: offset)
        }
        return SetItem(
            kind: .property(entity, key: key, value: Expression(.literal(.null), at: offset)), offset: offset)
    }

    private mutating func projection(needsAliases: Bool) throws(GraphError) -> Projection {
        let isDistinct = acceptKeyword("DISTINCT")
        var includesAll = false
        var items: [Projection.Item] = []
        repeat {
            if !includesAll && items.isEmpty && accept("*") {
                includesAll = true
                continue
            }
            let start = current.start
            let item = try expression()
            var text = String(decoding: source[start..<tokens[position - 1].end], as: UTF8.self)
            if dialect == .cypher18 { text.removeAll { $0 == "`" } }
            if acceptKeyword("AS") {
                items.append(.init(expression: item, name: try symbolicName("an alias"), hasAlias: true))
            } else {
                if case .variable(let name) = item.kind {
                    items.append(.init(expression: item, name: name, hasAlias: false))
                } else {
                    if needsAliases { throw fail("an expression in WITH needs a name: add AS name", at: start) }
                    items.append(.init(expression: item, name: text, hasAlias: false))
                }
            }
        } while accept(",")
        var order: [(expression: Expression, isDescending: Bool)] = []
        if acceptKeyword("ORDER") {
            try expectKeyword("BY")
            repeat {
                let key = try expression()
                var isDescending = false
                if acceptKeyword("DESC") || acceptKeyword("DESCENDING") {
                    isDescending = true
                } else {
                    _ = acceptKeyword("ASC") || acceptKeyword("ASCENDING")
                }
                order.append((key, isDescending))
            } while accept(",")
        }
        let skip = acceptKeyword("SKIP") ? try expression() : nil
        let limit = acceptKeyword("LIMIT") ? try expression() : nil
        return Projection(
            isDistinct: isDistinct, includesAll: includesAll, items: items, order: order, skip: skip, limit: limit)
    }
}
