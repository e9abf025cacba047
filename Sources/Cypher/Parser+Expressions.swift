internal import GraphModel

// Precedence, loosest first: OR, XOR, AND, NOT, comparison, + -, * / %, ^, unary -, postfix, primary.
extension Parser {
    mutating func expression() throws(GraphError) -> Expression {
        try nested { parser throws(GraphError) in
            try parser.associative("OR", { .or($0, $1) }) { parser throws(GraphError) in try parser.exclusive() }
        }
    }

    /// `a AND b AND c …` as a balanced tree: these operators are associative, and generated queries chain thousands.
    private mutating func associative(
        _ keyword: String, _ combine: (Expression, Expression) -> Expression.Kind,
        _ operand: (inout Parser) throws(GraphError) -> Expression
    ) throws(GraphError) -> Expression {
        let first = try operand(&self)
        guard isKeyword(keyword) else { return first }
        let offset = current.start
        var level = [first]
        while acceptKeyword(keyword) { level.append(try operand(&self)) }
        while level.count > 1 {
            var above: [Expression] = []
            for index in stride(from: 0, to: level.count, by: 2) {
                let left = level[index]
                above.append(
                    index + 1 < level.count
                        ? try bounded(combine(left, level[index + 1]), at: offset) : left)
            }
            level = above
        }
        return level[0]
    }

    /// An expression whose depth is checked: chains of operators nest as well.
    private func bounded(_ kind: Expression.Kind, at offset: Int) throws(GraphError) -> Expression {
        let result = Expression(kind, at: offset)
        guard result.depth <= Self.expressionDepthMaximum else {
            throw fail("an expression nested deeper than \(Self.expressionDepthMaximum) levels", at: offset)
        }
        return result
    }

    private mutating func exclusive() throws(GraphError) -> Expression {
        try associative("XOR", { .xor($0, $1) }) { parser throws(GraphError) in try parser.conjunction() }
    }

    private mutating func conjunction() throws(GraphError) -> Expression {
        try associative("AND", { .and($0, $1) }) { parser throws(GraphError) in try parser.negation() }
    }

    private mutating func negation() throws(GraphError) -> Expression {
        guard isKeyword("NOT") else { return try comparison() }
        let offset = current.start
        position += 1
        return try nested { parser throws(GraphError) in try parser.bounded(.not(try parser.negation()), at: offset) }
    }

    private static let comparisons: [String: Expression.Comparison] = [
        "=": .equal, "<>": .notEqual, "<": .less, "<=": .lessOrEqual, ">": .greater, ">=": .greaterOrEqual,
    ]

    private mutating func comparison() throws(GraphError) -> Expression {
        let first = try additive()
        var result: Expression?
        var left = first
        while true {
            let offset = current.start
            if isSymbol("!"), isSymbol("=", 1) { throw fail("unknown operator \"!=\": not equal is written <>") }
            let next: Expression
            if current.kind == .symbol, let comparison = Self.comparisons[current.text] {
                position += 1
                let right = try additive()
                next = try bounded(.compare(comparison, left, right), at: offset)
                left = right
            } else if let suffix = try suffix(left) {
                next = suffix
                left = suffix
                if result == nil {
                    result = next
                    continue
                }
            } else {
                break
            }
            // a < b <= c means a < b AND b <= c.
            if let before = result { result = try bounded(.and(before, next), at: offset) } else { result = next }
        }
        return result ?? first
    }

    /// IS NULL, IN, =~, STARTS WITH and the like.
    private mutating func suffix(_ left: Expression) throws(GraphError) -> Expression? {
        let offset = current.start
        if acceptKeyword("IS") {
            let isNegated = acceptKeyword("NOT")
            try expectKeyword("NULL")
            let test = try bounded(.isNull(left), at: offset)
            return isNegated ? try bounded(.not(test), at: offset) : test
        }
        if acceptKeyword("IN") { return try bounded(.in(left, try additive()), at: offset) }
        if accept("=~") { return try bounded(.stringMatch(.regularExpression, left, try additive()), at: offset) }
        if isKeyword("STARTS"), isKeyword("WITH", 1) {
            position += 2
            return try bounded(.stringMatch(.startsWith, left, try additive()), at: offset)
        }
        if isKeyword("ENDS"), isKeyword("WITH", 1) {
            position += 2
            return try bounded(.stringMatch(.endsWith, left, try additive()), at: offset)
        }
        if acceptKeyword("CONTAINS") { return try bounded(.stringMatch(.contains, left, try additive()), at: offset) }
        return nil
    }

    mutating func additive() throws(GraphError) -> Expression {
        var left = try multiplicative()
        while isSymbol("+") || isSymbol("-") {
            let offset = current.start
            let operation: Expression.Arithmetic = isSymbol("+") ? .add : .subtract
            position += 1
            left = try bounded(.arithmetic(operation, left, try multiplicative()), at: offset)
        }
        return left
    }

    private mutating func multiplicative() throws(GraphError) -> Expression {
        var left = try power()
        while isSymbol("*") || isSymbol("/") || isSymbol("%") {
            let offset = current.start
            let operation: Expression.Arithmetic = isSymbol("*") ? .multiply : (isSymbol("/") ? .divide : .modulo)
            position += 1
            left = try bounded(.arithmetic(operation, left, try power()), at: offset)
        }
        return left
    }

    private mutating func power() throws(GraphError) -> Expression {
        var left = try unary()
        while isSymbol("^") {
            let offset = current.start
            position += 1
            left = try bounded(.arithmetic(.power, left, try unary()), at: offset)
        }
        return left
    }

    private mutating func unary() throws(GraphError) -> Expression {
        let offset = current.start
        if accept("+") { return try nested { parser throws(GraphError) in try parser.unary() } }
        guard accept("-") else { return try postfix() }
        if current.kind == .integer, current.text == "9223372036854775808" {
            position += 1
            return Expression(.literal(.integer(.min)), at: offset)
        }
        return try nested { parser throws(GraphError) in try parser.bounded(.negate(try parser.unary()), at: offset) }
    }

    mutating func postfix() throws(GraphError) -> Expression {
        var result = try primary()
        while true {
            let offset = current.start
            if isSymbol("."), ahead(1).kind == .word || ahead(1).kind == .quotedName {
                position += 1
                let key = try symbolicName("a property key")
                var missing = Expression.MissingProperty.byDialect
                if dialect == .cypher18 {
                    if accept("?") { missing = .null } else if accept("!") { missing = .false }
                }
                result = try bounded(.property(result, key: key, missing: missing), at: offset)
            } else if isSymbol("[") {
                position += 1
                result = try subscripted(result, offset)
            } else if isSymbol(":"), ahead(1).kind == .word || ahead(1).kind == .quotedName,
                case .variable = result.kind
            {
                result = try bounded(.hasLabels(result, try labels()), at: offset)
            } else {
                return result
            }
        }
    }

    /// What follows `[`: an index or a range.
    private mutating func subscripted(_ list: Expression, _ offset: Int) throws(GraphError) -> Expression {
        let from = isSymbol("..") ? nil : try expression()
        guard accept("..") else {
            try expect("]")
            guard let from else { throw expected("an index") }
            return try bounded(.subscripted(list, from), at: offset)
        }
        let to = isSymbol("]") ? nil : try expression()
        try expect("]")
        return try bounded(.slice(list, from: from, to: to), at: offset)
    }

    mutating func primary() throws(GraphError) -> Expression {
        let token = current
        let offset = token.start
        switch token.kind {
        case .integer:
            position += 1
            guard let value = Int64(token.text) else {
                throw fail("\(token.text) does not fit a 64-bit integer", at: offset)
            }
            return Expression(.literal(.integer(value)), at: offset)
        case .float:
            position += 1
            guard let value = Double(token.text), value.isFinite else {
                throw fail("\(token.text) does not fit a 64-bit float", at: offset)
            }
            return Expression(.literal(.float(value)), at: offset)
        case .string:
            position += 1
            return Expression(.literal(.string(token.text)), at: offset)
        case .word: return try word(token)
        case .quotedName:
            position += 1
            return Expression(.variable(token.text), at: offset)
        case .symbol: return try bracketed(offset)
        case .end: throw expected("an expression")
        }
    }

    private mutating func word(_ token: Token) throws(GraphError) -> Expression {
        let offset = token.start
        switch token.keyword {
        case "TRUE", "FALSE":
            position += 1
            return Expression(.literal(.boolean(token.keyword == "TRUE")), at: offset)
        case "NULL":
            position += 1
            return Expression(.literal(.null), at: offset)
        default: break
        }
        // Functions may stand in a namespace: duration.between(a, b).
        var partCount = 1
        if dialect == .cypher9 {
            while isSymbol(".", partCount * 2 - 1), ahead(partCount * 2).kind == .word { partCount += 1 }
            if !isSymbol("(", partCount * 2 - 1) { partCount = 1 }
        }
        guard isSymbol("(", partCount * 2 - 1) else {
            return Expression(.variable(try name("an expression")), at: offset)
        }
        let function = (0..<partCount).map { ahead($0 * 2).text.lowercased() }.joined(separator: ".")
        position += partCount * 2
        if function == "count", accept("*") {
            try expect(")")
            return Expression(.countAll, at: offset)
        }
        let isDistinct = acceptKeyword("DISTINCT")
        var arguments: [Expression] = []
        if !isSymbol(")") {
            repeat { arguments.append(try expression()) } while accept(",")
        }
        try expect(")")
        return try bounded(.function(function, distinct: isDistinct, arguments), at: offset)
    }

    private mutating func bracketed(_ offset: Int) throws(GraphError) -> Expression {
        if accept("(") {
            let inner = try expression()
            try expect(")")
            return inner
        }
        if accept("[") {
            var elements: [Expression] = []
            if !isSymbol("]") {
                repeat { elements.append(try expression()) } while accept(",")
            }
            try expect("]")
            return try bounded(.list(elements), at: offset)
        }
        if accept("$") {
            guard current.kind == .word || current.kind == .quotedName || current.kind == .integer else {
                throw expected("the name of a parameter")
            }
            defer { position += 1 }
            return Expression(.parameter(current.text), at: offset)
        }
        guard accept("{") else { throw expected("an expression") }
        // {name} is a parameter, {name: value} a map.
        if current.kind != .symbol, current.kind != .end, isSymbol("}", 1) {
            defer { position += 2 }
            return Expression(.parameter(current.text), at: offset)
        }
        var entries: [(key: String, value: Expression)] = []
        if !isSymbol("}") {
            repeat {
                let key = current.kind == .string ? current.text : ""
                let name = current.kind == .string ? key : try symbolicName("a key of the map")
                if current.kind == .string { position += 1 }
                try expect(":")
                entries.append((name, try expression()))
            } while accept(",")
        }
        try expect("}")
        return try bounded(.map(entries), at: offset)
    }
}
