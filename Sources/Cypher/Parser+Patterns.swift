internal import GraphModel

extension Parser {
    mutating func patterns() throws(GraphError) -> [PatternPart] {
        var parts = [try patternPart()]
        while accept(",") { parts.append(try patternPart()) }
        return parts
    }

    private mutating func patternPart() throws(GraphError) -> PatternPart {
        let offset = current.start
        var pathVariable: String?
        if current.kind == .word || current.kind == .quotedName, isSymbol("=", 1) {
            let variable = try name("a path's name")
            position += 1
            if isSymbol("{"), dialect == .cypher18 {
                // CREATE n = {map}.
                let node = PatternNode(variable: variable, labels: [], properties: try primary(), offset: offset)
                return PatternPart(pathVariable: nil, nodes: [node], relationships: [], offset: offset)
            }
            pathVariable = variable
        }
        // In 1.8 a whole path may stand in parentheses: p = (a-->b).
        if isSymbol("("), parenthesisHoldsPath() {
            position += 1
            let part = try chain(pathVariable, offset)
            try expect(")")
            return part
        }
        return try chain(pathVariable, offset)
    }

    /// Whether the parenthesis that opens here encloses more than one node.
    private func parenthesisHoldsPath() -> Bool {
        let second = ahead(1)
        if second.kind == .symbol { return second.text == "(" }
        let third = ahead(2)
        return third.kind == .symbol && (third.text == "-" || third.text == "<")
    }

    private mutating func chain(_ pathVariable: String?, _ offset: Int) throws(GraphError) -> PatternPart {
        var part = PatternPart(
            pathVariable: pathVariable, nodes: [try patternNode()], relationships: [], offset: offset)
        while isSymbol("-") || (isSymbol("<") && isSymbol("-", 1)) {
            part.relationships.append(try patternRelationship())
            part.nodes.append(try patternNode())
        }
        return part
    }

    private mutating func patternNode() throws(GraphError) -> PatternNode {
        let offset = current.start
        guard accept("(") else {
            // The bare form of 1.8: a-->b.
            let variable = try name("a node: (name) or name")
            let labels = isSymbol(":") ? try self.labels() : []
            return PatternNode(variable: variable, labels: labels, properties: nil, offset: offset)
        }
        var variable: String?
        if current.kind == .word || current.kind == .quotedName { variable = try name("a variable") }
        let labels = isSymbol(":") ? try self.labels() : []
        var properties: Expression?
        // CREATE n = {map} of 1.8 also knows (n {map}).
        if isSymbol("{") || isSymbol("$") { properties = try primary() }
        guard accept(")") else { throw expected("\")\" after the node") }
        return PatternNode(variable: variable, labels: labels, properties: properties, offset: offset)
    }

    mutating func labels() throws(GraphError) -> [String] {
        var labels: [String] = []
        while accept(":") { labels.append(try symbolicName("a label")) }
        return labels
    }

    private mutating func patternRelationship() throws(GraphError) -> PatternRelationship {
        let offset = current.start
        let pointsLeft = accept("<")
        try expect("-")
        var variable: String?
        var types: [String] = []
        var isOptional = false
        var length: PatternRelationship.VariableLength?
        var properties: Expression?
        if accept("[") {
            if current.kind == .word || current.kind == .quotedName { variable = try name("a variable") }
            if dialect == .cypher9, isSymbol("?") {
                throw fail("an optional relationship [?] is written OPTIONAL MATCH")
            }
            isOptional = accept("?")
            if accept(":") {
                repeat {
                    _ = accept(":")
                    types.append(try symbolicName("a relationship type"))
                } while accept("|")
            }
            if accept("*") { length = try variableLength() }
            if isSymbol("{") || isSymbol("$") { properties = try primary() }
            try expect("]")
        }
        try expect("-")
        let pointsRight = accept(">")
        let direction: Direction = pointsLeft == pointsRight ? .both : (pointsLeft ? .incoming : .outgoing)
        return PatternRelationship(
            variable: variable, types: types, direction: direction, isOptional: isOptional, length: length,
            properties: properties, offset: offset)
    }

    private mutating func variableLength() throws(GraphError) -> PatternRelationship.VariableLength {
        func bound() throws(GraphError) -> Int? {
            guard current.kind == .integer else { return nil }
            guard let value = Int(current.text), value < 1 << 20 else {
                throw fail("a length of at most 1048575 is expected")
            }
            position += 1
            return value
        }
        let minimum = try bound()
        if accept("..") { return .init(minimum: minimum ?? 1, maximum: try bound()) }
        return minimum.map { .init(minimum: $0, maximum: $0) } ?? .init(minimum: 1, maximum: nil)
    }
}
