internal import GraphModel

extension Parser {
    mutating func primary() throws(GraphError) -> Expression {
        let token = current
        let offset = token.start
        switch token.kind {
        case .integer:
            position += 1
            return Expression(.literal(.integer(try Literals.integer(token, source, isNegated: false))), at: offset)
        case .float:
            position += 1
            return Expression(.literal(.float(try Literals.float(token, source))), at: offset)
        case .string:
            position += 1
            return Expression(.literal(.string(try Literals.string(token, source))), at: offset)
        case .word, .quotedName:
            if dialect == .cypher18, mayBeginPattern(), let pattern = patternExpression(offset) { return pattern }
            return try word(token)
        case .openParenthesis:
            if mayBeginPattern(), let pattern = patternExpression(offset) { return pattern }
            position += 1
            let inner = try expression()
            try expect(.closeParenthesis)
            return inner
        case .openBracket: return try bracketed(offset)
        case .openBrace: return try braced(offset)
        case .dollar:
            position += 1
            guard current.kind == .word || current.kind == .quotedName || current.kind == .integer else {
                throw expected("the name of a parameter")
            }
            defer { position += 1 }
            return Expression(.parameter(Literals.name(current, source)), at: offset)
        default: throw expected("an expression")
        }
    }

    private mutating func patternExpression(_ offset: Int) -> Expression? {
        let start = position
        if noPatternAt.contains(start) { return nil }
        let found: Expression? = attempt { parser throws(GraphError) in
            let part = try parser.nested { parser throws(GraphError) in try parser.chain(nil, offset) }
            return part.relationships.isEmpty ? nil : try parser.bounded(.pattern(part), at: offset)
        }
        if found == nil { noPatternAt.insert(start) }
        return found
    }

    private mutating func word(_ token: Token) throws(GraphError) -> Expression {
        let offset = token.start
        switch token.keyword {
        case .true, .false:
            position += 1
            return Expression(.literal(.boolean(token.keyword == .true)), at: offset)
        case .null:
            position += 1
            return Expression(.literal(.null), at: offset)
        case .case where dialect == .cypher9: return try nested { parser throws(GraphError) in try parser.conditional() }
        case .exists where isNext(.openBrace, 1): return try subquery(.exists)
        case .count where isNext(.openBrace, 1) && dialect == .cypher9: return try subquery(.count)
        case .collect where isNext(.openBrace, 1) && dialect == .cypher9: return try subquery(.collect)
        case .all where isBinding(2), .any where isBinding(2), .none_ where isBinding(2), .single where isBinding(2):
            return try quantifier(token)
        case .extract where isBinding(2), .filter where isBinding(2): return try extractOrFilter(token)
        case .reduce where isNext(.openParenthesis, 1): return try reduce(offset)
        case .shortestpath where isNext(.openParenthesis, 1), .allshortestpaths where isNext(.openParenthesis, 1):
            return Expression(.pattern(try shortest(nil, offset)), at: offset)
        default: break
        }
        if let function = try functionName() { return try call(function, offset) }
        return Expression(.variable(try name("an expression")), at: offset)
    }

    /// `f(` or `namespace.f(`: the name, in lower case, with the parenthesis behind it read.
    private mutating func functionName() throws(GraphError) -> String? {
        var count = 1
        while isNext(.dot, count), isNext(.word, count + 1) || isNext(.quotedName, count + 1) { count += 2 }
        guard isNext(.openParenthesis, count) else { return nil }
        var name = ""
        for index in 0..<count {
            let token = tokens[position + index]
            name += token.kind == .dot ? "." : Literals.name(token, source)
        }
        position += count + 1
        return name.lowercased()
    }

    private mutating func call(_ function: String, _ offset: Int) throws(GraphError) -> Expression {
        if function == "count", accept(.star) {
            try expect(.closeParenthesis)
            return Expression(.countAll, at: offset)
        }
        let isDistinct = accept(.distinct)
        if !isDistinct { _ = function != "all" && Expression.aggregateNames.contains(function) && accept(.all) }
        var arguments: [Expression] = []
        if !isNext(.closeParenthesis) {
            arguments = try list { parser throws(GraphError) in try parser.expression() }
        }
        try expect(.closeParenthesis)
        return try bounded(.function(function, distinct: isDistinct, arguments), at: offset)
    }

    private mutating func subquery(_ kind: Expression.Subquery) throws(GraphError) -> Expression {
        let offset = current.start
        position += 1
        // EXISTS { (a)-->(b) WHERE … } leaves MATCH out.
        if isNext(.openBrace), isNext(.openParenthesis, 1) || isName(1) && !isNext(.match, 1) && isNext(.equal, 2) {
            let start = ahead(1).start
            position += 1
            let parts = try nested { parser throws(GraphError) in try parser.patterns() }
            var clauses = [Clause(kind: .match(parts, optional: false), offset: start)]
            let at = current.start
            if accept(.where) { clauses.append(Clause(kind: .filter(try expression()), offset: at)) }
            try expect(.closeBrace)
            let body = QueryBody(
                branches: [clauses], unionIsDistinct: true, offset: start, text: text(from: start))
            return Expression(.subquery(kind, body), at: offset)
        }
        return Expression(.subquery(kind, try bracedBody()), at: offset)
    }

    private mutating func conditional() throws(GraphError) -> Expression {
        let offset = current.start
        position += 1
        let subject = isNext(.when) ? nil : try expression()
        var branches: [Expression.Branch] = []
        while accept(.when) {
            let condition = try expression()
            try expect(.then)
            branches.append(.init(condition: condition, result: try expression()))
        }
        guard !branches.isEmpty else { throw expected("WHEN") }
        let otherwise = accept(.else) ? try expression() : nil
        try expect(Keyword.end)
        return try bounded(.conditional(subject: subject, branches: branches, otherwise: otherwise), at: offset)
    }
}
