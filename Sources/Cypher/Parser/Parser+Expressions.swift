internal import GraphModel

// Precedence, loosest first: OR, XOR, AND, NOT, comparison, string/list/null predicates, + -, * / %, ^, unary -,
// postfix, primary.
extension Parser {
    mutating func expression() throws(GraphError) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMaximum else { throw fail("nested deeper than \(Self.depthMaximum) levels") }
        let first = try exclusive()
        guard isNext(.or) else { return first }
        return try associative(first, .or, { .or($0, $1) }) { parser throws(GraphError) in try parser.exclusive() }
    }

    /// `a AND b AND c …` as a balanced tree: these operators are associative, and generated queries chain thousands.
    private mutating func associative(
        _ first: Expression, _ keyword: Keyword, _ combine: (Expression, Expression) -> Expression.Kind,
        _ operand: (inout Parser) throws(GraphError) -> Expression
    ) throws(GraphError) -> Expression {
        let offset = current.start
        var level = [first]
        while accept(keyword) { level.append(try operand(&self)) }
        while level.count > 1 {
            var above: [Expression] = []
            for index in stride(from: 0, to: level.count, by: 2) {
                let left = level[index]
                above.append(
                    index + 1 < level.count ? try bounded(combine(left, level[index + 1]), at: offset) : left)
            }
            level = above
        }
        return level[0]
    }

    /// An expression whose depth is checked: chains of operators nest as well.
    func bounded(_ kind: Expression.Kind, at offset: Int) throws(GraphError) -> Expression {
        let result = Expression(kind, at: offset)
        guard result.depth <= Self.expressionDepthMaximum else {
            throw fail("an expression nested deeper than \(Self.expressionDepthMaximum) levels", at: offset)
        }
        return result
    }

    private mutating func exclusive() throws(GraphError) -> Expression {
        let first = try conjunction()
        guard isNext(.xor) else { return first }
        return try associative(first, .xor, { .xor($0, $1) }) { parser throws(GraphError) in try parser.conjunction() }
    }

    private mutating func conjunction() throws(GraphError) -> Expression {
        let first = try negation()
        guard isNext(.and) else { return first }
        return try associative(first, .and, { .and($0, $1) }) { parser throws(GraphError) in try parser.negation() }
    }

    private mutating func negation() throws(GraphError) -> Expression {
        guard isNext(.not) else { return try comparison() }
        let offset = current.start
        position += 1
        return try nested { parser throws(GraphError) in try parser.bounded(.not(try parser.negation()), at: offset) }
    }

    private func comparisonOperator() -> Expression.Comparison? {
        switch current.kind {
        case .equal:
            // === a, b === of 1.8 ends the expression before it.
            dialect == .cypher18 && isNext(.equal, 1) ? nil : .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        default: nil
        }
    }

    private mutating func comparison() throws(GraphError) -> Expression {
        let first = try predicated()
        var result: Expression?
        var left = first
        while true {
            if isNext(.exclamation), isNext(.equal, 1) {
                throw fail("unknown operator \"!=\": not equal is written <>")
            }
            guard let comparison = comparisonOperator() else { return result ?? first }
            let offset = current.start
            position += 1
            let right = try predicated()
            let next = try bounded(.compare(comparison, left, right), at: offset)
            left = right
            // a < b <= c means a < b AND b <= c.
            if let before = result { result = try bounded(.and(before, next), at: offset) } else { result = next }
        }
    }

    /// IS NULL, IN, =~, STARTS WITH and the like.
    private mutating func predicated() throws(GraphError) -> Expression {
        var left = try additive()
        while true {
            let offset = current.start
            switch (current.kind, current.keyword) {
            case (.word, .is):
                position += 1
                let isNegated = accept(.not)
                try expect(.null)
                let test = try bounded(.isNull(left), at: offset)
                left = isNegated ? try bounded(.not(test), at: offset) : test
            case (.word, .in):
                position += 1
                left = try bounded(.in(left, try additive()), at: offset)
            case (.matches, _):
                position += 1
                left = try bounded(.stringMatch(.regularExpression, left, try additive()), at: offset)
            case (.word, .starts) where isNext(.with, 1):
                position += 2
                left = try bounded(.stringMatch(.startsWith, left, try additive()), at: offset)
            case (.word, .ends) where isNext(.with, 1):
                position += 2
                left = try bounded(.stringMatch(.endsWith, left, try additive()), at: offset)
            case (.word, .contains):
                position += 1
                left = try bounded(.stringMatch(.contains, left, try additive()), at: offset)
            default: return left
            }
        }
    }

    mutating func additive() throws(GraphError) -> Expression {
        var left = try multiplicative()
        while isNext(.plus) || isNext(.minus) || isNext(.twoBars) {
            let offset = current.start
            let operation: Expression.Arithmetic = isNext(.minus) ? .subtract : .add
            position += 1
            left = try bounded(.arithmetic(operation, left, try multiplicative()), at: offset)
        }
        return left
    }

    private mutating func multiplicative() throws(GraphError) -> Expression {
        var left = try power()
        while isNext(.star) || isNext(.slash) || isNext(.percent) {
            let offset = current.start
            let operation: Expression.Arithmetic = isNext(.star) ? .multiply : (isNext(.slash) ? .divide : .modulo)
            position += 1
            left = try bounded(.arithmetic(operation, left, try power()), at: offset)
        }
        return left
    }

    private mutating func power() throws(GraphError) -> Expression {
        var left = try unary()
        while isNext(.caret) {
            let offset = current.start
            position += 1
            left = try bounded(.arithmetic(.power, left, try unary()), at: offset)
        }
        return left
    }

    private mutating func unary() throws(GraphError) -> Expression {
        let offset = current.start
        if isNext(.plus) {
            position += 1
            return try nested { parser throws(GraphError) in try parser.unary() }
        }
        guard isNext(.minus) else { return try postfix() }
        position += 1
        if current.kind == .integer, !isNext(.openBracket, 1), !isNext(.dot, 1) {
            defer { position += 1 }
            return Expression(.literal(.integer(try Literals.integer(current, source, isNegated: true))), at: offset)
        }
        return try nested { parser throws(GraphError) in try parser.bounded(.negate(try parser.unary()), at: offset) }
    }

    mutating func postfix() throws(GraphError) -> Expression {
        var result = try primary()
        while true {
            let offset = current.start
            switch current.kind {
            case .dot where ahead(1).kind == .word || ahead(1).kind == .quotedName:
                position += 1
                let key = try symbolicName("a property key")
                var missing = Expression.MissingProperty.byDialect
                if dialect == .cypher18 {
                    if accept(.question) { missing = .null } else if accept(.exclamation) { missing = .false }
                    // Each level would be read twice, once for the rule of the missing one.
                    guard missing == .byDialect || result.isVariable else {
                        throw fail("? and ! stand behind a property of an identifier, like n.name?", at: offset)
                    }
                }
                result = try bounded(.property(result, key: key, missing: missing), at: offset)
            case .openBracket:
                position += 1
                result = try subscripted(result, offset)
            case .colon where (ahead(1).kind == .word || ahead(1).kind == .quotedName) && mayHaveLabels(result):
                result = try bounded(.hasLabels(result, try labels()), at: offset)
            case .openBrace:
                guard case .variable = result.kind, let projected = try mapProjection(result, offset) else {
                    return result
                }
                result = projected
            default: return result
            }
        }
    }

    private func mayHaveLabels(_ expression: Expression) -> Bool {
        // The manual's language knows no labels, and writes a colon behind lists: FOREACH(x IN list : …).
        guard dialect == .cypher9 else { return false }
        switch expression.kind {
        case .variable, .property, .subscripted, .function: return true
        default: return false
        }
    }

    /// What follows `[`: an index or a range.
    private mutating func subscripted(_ list: Expression, _ offset: Int) throws(GraphError) -> Expression {
        let from = isNext(.twoDots) ? nil : try expression()
        guard accept(.twoDots) else {
            try expect(.closeBracket)
            guard let from else { throw expected("an index") }
            return try bounded(.subscripted(list, from), at: offset)
        }
        let to = isNext(.closeBracket) ? nil : try expression()
        try expect(.closeBracket)
        return try bounded(.slice(list, from: from, to: to), at: offset)
    }

    /// `n {.name, .*, key: value, variable}`; nil when the brace is something else.
    private mutating func mapProjection(_ subject: Expression, _ offset: Int) throws(GraphError) -> Expression? {
        guard dialect == .cypher9 else { return nil }
        let second = ahead(1)
        let opens =
            second.kind == .dot || (second.kind == .closeBrace)
            || (second.kind == .word || second.kind == .quotedName)
                && [.colon, .comma, .closeBrace].contains(ahead(2).kind)
        guard opens else { return nil }
        position += 1
        var items: [Expression.Projected] = []
        if !isNext(.closeBrace) {
            items = try list { parser throws(GraphError) in
                if parser.accept(.dot) {
                    if parser.accept(.star) { return .allProperties }
                    return .property(try parser.symbolicName("a property key"))
                }
                let at = parser.current.start
                let key = try parser.symbolicName("a key")
                if parser.accept(.colon) { return .entry(key: key, value: try parser.expression()) }
                return .entry(key: key, value: Expression(.variable(key), at: at))
            }
        }
        try expect(.closeBrace)
        return try bounded(.mapProjection(subject, items), at: offset)
    }
}
