internal import GraphModel

// Lists, maps, comprehensions, and the functions that bind a variable.
extension Parser {
    /// Whether `name IN` stands some tokens ahead, behind an opening parenthesis or bracket.
    func isBinding(_ count: Int) -> Bool {
        isNext(count == 1 ? .openBracket : .openParenthesis, count - 1) && isName(count) && isNext(.in, count + 1)
    }

    mutating func bracketed(_ offset: Int) throws(GraphError) -> Expression {
        if isBinding(1) { return try listComprehension(offset) }
        let mayBePattern = isNext(.openParenthesis, 1) || isName(1) && (isNext(.equal, 2) || dialect == .cypher18)
        if mayBePattern, let pattern = try patternComprehension(offset) { return pattern }
        position += 1
        var elements: [Expression] = []
        if !isNext(.closeBracket) { elements = try list { parser throws(GraphError) in try parser.expression() } }
        try expect(.closeBracket)
        return try bounded(.list(elements), at: offset)
    }

    /// `[x IN list WHERE predicate | result]`.
    private mutating func listComprehension(_ offset: Int) throws(GraphError) -> Expression {
        position += 1
        let variable = try name("a variable")
        try expect(.in)
        let list = try expression()
        let predicate = accept(.where) ? try expression() : nil
        let result = accept(.bar) ? try expression() : nil
        try expect(.closeBracket)
        return try bounded(
            .listComprehension(variable: variable, list: list, predicate: predicate, result: result), at: offset)
    }

    /// `[p = (a)-->(b) WHERE predicate | result]`; nil when it is a plain list.
    private mutating func patternComprehension(_ offset: Int) throws(GraphError) -> Expression? {
        let start = position
        if noComprehensionAt.contains(start) { return nil }
        let part: PatternPart? = attempt { parser throws(GraphError) in
            parser.position += 1
            let at = parser.current.start
            var variable: String?
            if parser.isName(), parser.isNext(.equal, 1) {
                variable = try parser.name("a path's name")
                parser.position += 1
            }
            guard parser.mayBeginPattern() else { return nil }
            let part = try parser.nested { parser throws(GraphError) in try parser.chain(variable, at) }
            return parser.isNext(.bar) || parser.isNext(.where) ? part : nil
        }
        guard let part else {
            noComprehensionAt.insert(start)
            return nil
        }
        let predicate = accept(.where) ? try expression() : nil
        try expect(.bar)
        let result = try expression()
        try expect(.closeBracket)
        return try bounded(.patternComprehension(part, predicate: predicate, result: result), at: offset)
    }

    /// `all(x IN list WHERE predicate)`, `any`, `none`, `single`.
    mutating func quantifier(_ token: Token) throws(GraphError) -> Expression {
        let quantifier: Expression.Quantifier =
            switch token.keyword {
            case .all: .all
            case .any: .any
            case .none_: .none
            default: .single
            }
        position += 2
        let variable = try name("a variable")
        try expect(.in)
        let list = try expression()
        try expect(.where)
        let predicate = try expression()
        try expect(.closeParenthesis)
        return try bounded(
            .quantifier(quantifier, variable: variable, list: list, predicate: predicate), at: token.start)
    }

    /// `extract(x IN list : result)` and `filter(x IN list : predicate)` of the manual; `|` and WHERE stand there too.
    mutating func extractOrFilter(_ token: Token) throws(GraphError) -> Expression {
        position += 2
        let variable = try name("a variable")
        try expect(.in)
        let list = try expression()
        var predicate: Expression?
        var result: Expression?
        if token.keyword == .filter {
            guard accept(.colon) || accept(.where) else { throw expected("WHERE") }
            predicate = try expression()
        } else {
            if accept(.where) { predicate = try expression() }
            guard accept(.colon) || accept(.bar) else { throw expected(dialect == .cypher18 ? "\":\"" : "\"|\"") }
            result = try expression()
        }
        try expect(.closeParenthesis)
        return try bounded(
            .listComprehension(variable: variable, list: list, predicate: predicate, result: result), at: token.start)
    }

    /// `reduce(accumulator = initial, x IN list | result)`.
    mutating func reduce(_ offset: Int) throws(GraphError) -> Expression {
        position += 2
        let accumulator = try name("an accumulator")
        try expect(.equal)
        let initial = try expression()
        try expect(.comma)
        let variable = try name("a variable")
        try expect(.in)
        let list = try expression()
        guard accept(.bar) || accept(.colon) else { throw expected("\"|\"") }
        let result = try expression()
        try expect(.closeParenthesis)
        return try bounded(
            .reduce(accumulator: accumulator, initial: initial, variable: variable, list: list, result: result),
            at: offset)
    }

    /// `{name}` is a parameter, `{name: value}` a map.
    mutating func braced(_ offset: Int) throws(GraphError) -> Expression {
        position += 1
        if isNext(.word) || isNext(.quotedName) || isNext(.integer) && dialect == .cypher18, isNext(.closeBrace, 1) {
            defer { position += 2 }
            return Expression(.parameter(Literals.name(current, source)), at: offset)
        }
        var entries: [Expression.Entry] = []
        if !isNext(.closeBrace) {
            entries = try list { parser throws(GraphError) in
                let key: String
                if parser.isNext(.string) {
                    key = try Literals.string(parser.current, parser.source)
                    parser.position += 1
                } else {
                    key = try parser.symbolicName("a key of the map")
                }
                try parser.expect(.colon)
                return Expression.Entry(key: key, value: try parser.expression())
            }
        }
        try expect(.closeBrace)
        return try bounded(.map(entries), at: offset)
    }
}
