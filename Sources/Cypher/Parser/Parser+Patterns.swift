internal import GraphModel

extension Parser {
    mutating func patterns() throws(GraphError) -> [PatternPart] {
        try list { parser throws(GraphError) in try parser.patternPart() }
    }

    mutating func patternPart() throws(GraphError) -> PatternPart {
        let offset = current.start
        var pathVariable: String?
        if isName(), isNext(.equal, 1) {
            let variable = try name("a path's name")
            position += 1
            if isNext(.openBrace), dialect == .cypher18 {
                // CREATE n = {map}.
                let node = PatternNode(variable: variable, labels: [], properties: try primary(), offset: offset)
                return PatternPart(pathVariable: nil, shortest: .none, nodes: [node], relationships: [], offset: offset)
            }
            pathVariable = variable
        } else if dialect == .cypher18, isNext(.openParenthesis), isName(1), isNext(.closeParenthesis, 2),
            isNext(.equal, 3)
        {
            // (p) = a-->b.
            position += 1
            pathVariable = try name("a path's name")
            position += 2
        }
        if isShortest() { return try shortest(pathVariable, offset) }
        // A whole path may stand in parentheses: p = (a-->b).
        if isNext(.openParenthesis), parenthesisHoldsPath() {
            position += 1
            let part = try nested { parser throws(GraphError) in
                parser.isShortest() ? try parser.shortest(pathVariable, offset) : try parser.chain(pathVariable, offset)
            }
            try expect(.closeParenthesis)
            return part
        }
        return try chain(pathVariable, offset)
    }

    func isShortest() -> Bool {
        (isNext(.shortestpath) || isNext(.allshortestpaths)) && isNext(.openParenthesis, 1)
    }

    /// `shortestPath(pattern)` and `allShortestPaths(pattern)`.
    mutating func shortest(_ pathVariable: String?, _ offset: Int) throws(GraphError) -> PatternPart {
        let isAll = isNext(.allshortestpaths)
        position += 2
        var part = try chain(pathVariable, offset)
        try expect(.closeParenthesis)
        part.shortest = isAll ? .all : .one
        guard part.relationships.count == 1 else {
            throw fail("a shortest path is asked for between two nodes: one relationship stands in the pattern", at: offset)
        }
        part.text = text(from: offset)
        return part
    }

    /// Whether the parenthesis that opens here encloses more than one node.
    private func parenthesisHoldsPath() -> Bool {
        let second = ahead(1)
        if second.kind == .openParenthesis { return true }
        if second.keyword == .shortestpath || second.keyword == .allshortestpaths { return isNext(.openParenthesis, 2) }
        let third = ahead(2)
        return second.kind == .word || second.kind == .quotedName ? third.kind == .minus || third.kind == .less : false
    }

    mutating func chain(_ pathVariable: String?, _ offset: Int) throws(GraphError) -> PatternPart {
        var part = PatternPart(
            pathVariable: pathVariable, shortest: .none, nodes: [try patternNode()], relationships: [], offset: offset)
        while isNext(.minus) || (isNext(.less) && isNext(.minus, 1)) {
            part.relationships.append(try patternRelationship())
            part.nodes.append(try patternNode())
        }
        part.text = text(from: offset)
        return part
    }

    private mutating func patternNode() throws(GraphError) -> PatternNode {
        let offset = current.start
        guard isNext(.openParenthesis) else {
            // The bare form of 1.8: a-->b.
            guard dialect == .cypher18 else { throw expected("a node: (name)") }
            let variable = try name("a node: (name) or name")
            let labels = isNext(.colon) ? try self.labels() : []
            return PatternNode(variable: variable, labels: labels, properties: nil, offset: offset)
        }
        if dialect == .cypher18, isExpressionNode() {
            position += 1
            let expression = try expression()
            try expect(.closeParenthesis)
            return PatternNode(variable: nil, labels: [], properties: nil, expression: expression, offset: offset)
        }
        position += 1
        let variable = isName() ? try name("a variable") : nil
        let labels = isNext(.colon) ? try self.labels() : []
        let properties = isNext(.openBrace) || isNext(.dollar) ? try primary() : nil
        guard accept(.closeParenthesis) else { throw expected("\")\" after the node") }
        return PatternNode(variable: variable, labels: labels, properties: properties, offset: offset)
    }

    /// Whether what stands in parentheses is more than a name and its properties: `(head(nodes))`.
    private func isExpressionNode() -> Bool {
        guard ahead(1).kind == .word || ahead(1).kind == .quotedName else { return false }
        return isNext(.openParenthesis, 2) || isNext(.dot, 2)
    }

    mutating func labels() throws(GraphError) -> [String] {
        var labels: [String] = []
        while accept(.colon) {
            repeat { labels.append(try symbolicName("a label")) } while accept(.ampersand)
        }
        if isNext(.bar), dialect == .cypher9, isNext(.word, 1) || isNext(.quotedName, 1), isNext(.closeParenthesis, 2) {
            throw fail("labels are joined by : or &; for one of several write WHERE n:A OR n:B")
        }
        return labels
    }

    private mutating func patternRelationship() throws(GraphError) -> PatternRelationship {
        let offset = current.start
        let pointsLeft = accept(.less)
        try expect(.minus)
        var variable: String?
        var types: [String] = []
        var isOptional = false
        var length: PatternRelationship.VariableLength?
        var properties: Expression?
        if accept(.openBracket) {
            if isName() { variable = try name("a variable") }
            if dialect == .cypher9, isNext(.question) {
                throw fail("an optional relationship [?] is written OPTIONAL MATCH")
            }
            isOptional = accept(.question)
            if accept(.colon) {
                repeat {
                    _ = accept(.colon)
                    types.append(try symbolicName("a relationship type"))
                } while accept(.bar)
            }
            if accept(.star) { length = try variableLength() }
            if isNext(.openBrace) || isNext(.dollar) { properties = try primary() }
            try expect(.closeBracket)
        }
        try expect(.minus)
        let pointsRight = accept(.greater)
        let direction: Direction = pointsLeft == pointsRight ? .both : (pointsLeft ? .incoming : .outgoing)
        return PatternRelationship(
            variable: variable, types: types, direction: direction, isOptional: isOptional, length: length,
            properties: properties, offset: offset)
    }

    private mutating func variableLength() throws(GraphError) -> PatternRelationship.VariableLength {
        let minimum = try lengthBound()
        if accept(.twoDots) { return .init(minimum: minimum ?? 1, maximum: try lengthBound()) }
        return minimum.map { .init(minimum: $0, maximum: $0) } ?? .init(minimum: 1, maximum: nil)
    }

    private mutating func lengthBound() throws(GraphError) -> Int? {
        guard current.kind == .integer else { return nil }
        let value = try Literals.integer(current, source, isNegated: false)
        guard value < 1 << 20 else { throw fail("a length of at most 1048575 is expected") }
        position += 1
        return Int(value)
    }

    // MARK: Patterns among expressions

    /// Whether a pattern may begin here, where an expression is expected: a node, and a dash behind it.
    func mayBeginPattern() -> Bool {
        if isNext(.openParenthesis) {
            guard let end = endOfParenthesis() else { return false }
            return isDash(at: end + 1)
        }
        // The bare form of 1.8: a-->b.
        return dialect == .cypher18 && isName() && isDash(at: position + 1)
    }

    /// Whether a relationship begins at a token: `--`, `-[`, `<--`, `<-[`.
    private func isDash(at index: Int) -> Bool {
        func kind(_ index: Int) -> Token.Kind { tokens[min(index, tokens.count - 1)].kind }
        let first = kind(index) == .less ? index + 1 : index
        guard kind(first) == .minus else { return false }
        return kind(first + 1) == .minus || kind(first + 1) == .openBracket
    }

    /// The token that closes the parenthesis that opens here; nil when what stands between is more than a node holds.
    private func endOfParenthesis() -> Int? {
        var level = 0
        var index = position
        while index < tokens.count {
            switch tokens[index].kind {
            case .openParenthesis, .openBracket, .openBrace: level += 1
            case .closeParenthesis, .closeBracket, .closeBrace:
                level -= 1
                if level == 0 { return index }
            case .end: return nil
            default: break
            }
            index += 1
        }
        return nil
    }
}
