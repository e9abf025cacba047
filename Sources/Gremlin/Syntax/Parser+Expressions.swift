internal import GraphModel

extension Parser {
    mutating func expression() throws(GraphError) -> ScriptTree.Index {
        try nested { parser throws(GraphError) in try parser.assignment() }
    }

    private mutating func assignment() throws(GraphError) -> ScriptTree.Index {
        let target = try conditional()
        let place = token.place
        guard continues, case .symbol(let symbol) = token.kind else { return target }
        if symbol == "=" {
            advance()
            try requireTarget(target, place)
            return try add(.assign(target, try expression()), place)
        }
        guard symbol.hasSuffix("="), symbol.count > 1, let update = ScriptTree.Binary(rawValue: String(symbol.dropLast())),
            [.add, .subtract, .multiply, .divide, .remainder, .power, .append].contains(update)
        else { return target }
        advance()
        try requireTarget(target, place)
        return try add(.update(target, update, try expression()), place)
    }

    private func requireTarget(_ target: ScriptTree.Index, _ place: Place) throws(GraphError) {
        switch tree.parts[target] {
        case .name, .property(_, _, .plain), .element: return
        default: throw .unreadable("nothing can be assigned to what stands on the left", at: place)
        }
    }

    private mutating func conditional() throws(GraphError) -> ScriptTree.Index {
        let condition = try disjunction()
        let place = token.place
        if continues, skip("?:") { return try add(.elvis(condition, try nestedConditional()), place) }
        // A line may begin with the question mark.
        guard skip("?") else { return condition }
        let then = try nestedConditional()
        try expect(":", " of the ? before")
        return try add(.conditional(condition, then, try nestedConditional()), place)
    }

    private mutating func nestedConditional() throws(GraphError) -> ScriptTree.Index {
        try nested { parser throws(GraphError) in try parser.conditional() }
    }

    private mutating func disjunction() throws(GraphError) -> ScriptTree.Index {
        var left = try conjunction()
        while continuesWith("||") {
            let place = token.place
            advance()
            left = try add(.or(left, try conjunction()), place)
        }
        return left
    }

    private mutating func conjunction() throws(GraphError) -> ScriptTree.Index {
        var left = try equality()
        while continuesWith("&&") {
            let place = token.place
            advance()
            left = try add(.and(left, try equality()), place)
        }
        return left
    }

    /// A line may begin with these.
    private func continuesWith(_ symbol: String) -> Bool { isAt(symbol) }

    private mutating func binary(
        _ operators: [ScriptTree.Binary], _ operand: (inout Parser) throws(GraphError) -> ScriptTree.Index
    ) throws(GraphError) -> ScriptTree.Index {
        var left = try operand(&self)
        while continues, case .symbol(let symbol) = token.kind, let found = ScriptTree.Binary(rawValue: symbol),
            operators.contains(found)
        {
            let place = token.place
            advance()
            left = try add(.binary(found, left, try operand(&self)), place)
        }
        return left
    }

    private mutating func equality() throws(GraphError) -> ScriptTree.Index {
        let left = try binary([.equal, .notEqual, .compare]) { parser throws(GraphError) in try parser.relation() }
        for symbol in ["=~", "==~", "===", "!==", "&", "|", "^"] where continues && isAt(symbol) {
            throw .beyondSubset("\"\(symbol)\"", at: token.place)
        }
        return left
    }

    private mutating func relation() throws(GraphError) -> ScriptTree.Index {
        var left = try shift()
        while continues {
            let place = token.place
            switch token.kind {
            case .symbol(let symbol):
                guard let found = ScriptTree.Binary(rawValue: symbol),
                    [.less, .lessOrEqual, .greater, .greaterOrEqual].contains(found)
                else { return left }
                advance()
                left = try add(.binary(found, left, try shift()), place)
            case .name("in"):
                advance()
                left = try add(.binary(.isIn, left, try shift()), place)
            case .name("as"):
                advance()
                left = try add(.cast(left, try typeName()), place)
            case .name("instanceof"):
                advance()
                left = try add(.isInstance(left, try typeName()), place)
            default: return left
            }
        }
        return left
    }

    private mutating func shift() throws(GraphError) -> ScriptTree.Index {
        var left = try sum()
        while continues {
            let place = token.place
            if skip("<<") {
                left = try add(.binary(.append, left, try sum()), place)
            } else if isAt("..") || isAt("..<") {
                let isHalfOpen = isAt("..<")
                advance()
                left = try add(.range(left, try sum(), isHalfOpen: isHalfOpen), place)
            } else {
                if isAt(">>") || isAt(">>>") { throw .beyondSubset("a shift of bits", at: place) }
                return left
            }
        }
        return left
    }

    private mutating func sum() throws(GraphError) -> ScriptTree.Index {
        try binary([.add, .subtract]) { parser throws(GraphError) in
            try parser.binary([.multiply, .divide, .remainder]) { parser throws(GraphError) in try parser.unary() }
        }
    }

    private mutating func unary() throws(GraphError) -> ScriptTree.Index {
        try nested { parser throws(GraphError) in
            let place = parser.token.place
            if parser.skip("!") { return try parser.add(.unary(.not, try parser.unary()), place) }
            if parser.skip("-") { return try parser.add(.unary(.minus, try parser.unary()), place) }
            if parser.skip("+") { return try parser.add(.unary(.plus, try parser.unary()), place) }
            for (symbol, change) in [("++", ScriptTree.Binary.add), ("--", .subtract)] where parser.isAt(symbol) {
                parser.advance()
                let target = try parser.unary()
                try parser.requireTarget(target, place)
                return try parser.add(.increment(target, change, isPrefix: true), place)
            }
            return try parser.power()
        }
    }

    private mutating func power() throws(GraphError) -> ScriptTree.Index {
        let base = try postfix()
        let place = token.place
        guard continues, skip("**") else { return base }
        return try add(.binary(.power, base, try unary()), place)
    }

    // MARK: Chains

    private mutating func postfix() throws(GraphError) -> ScriptTree.Index {
        var left = try primary()
        while true {
            let place = token.place
            guard case .symbol(let symbol) = token.kind else { return left }
            switch symbol {
            case ".", "?.", "*.":
                advance()
                let access: ScriptTree.Access = symbol == "." ? .plain : symbol == "?." ? .safe : .spread
                left = try member(of: left, access, place)
            case ".&", ".@": throw .beyondSubset("\"\(symbol)\"", at: place)
            case "(" where continues:
                advance()
                let arguments = try self.arguments()
                left = try add(.callValue(left, try withClosures(arguments)), place)
            case "[" where continues:
                advance()
                let indexes = try bracketed("]") { parser throws(GraphError) in try parser.elements(until: "]") }
                left = try add(.element(of: left, indexes), place)
            case "++" where continues, "--" where continues:
                advance()
                try requireTarget(left, place)
                left = try add(.increment(left, symbol == "++" ? .add : .subtract, isPrefix: false), place)
            default: return left
            }
        }
    }

    /// What stands behind a point: a property, or a method with its arguments.
    private mutating func member(
        of left: ScriptTree.Index, _ access: ScriptTree.Access, _ place: Place
    ) throws(GraphError) -> ScriptTree.Index {
        let name: ScriptTree.Index
        switch token.kind {
        case .name(let text), .string(let text):
            name = try add(.literal(.string(text)), token.place)
            advance()
        case .template(let pieces):
            let place = token.place
            advance()
            name = try template(pieces, place)
        case .symbol("("): throw .beyondSubset("a computed name of a property", at: token.place)
        default: throw .unreadable("a name is missing before \(token.text)", at: token.place)
        }
        if isAt("("), continues {
            advance()
            let arguments = try self.arguments()
            return try add(.call(of: left, name: name, try withClosures(arguments), access), place)
        }
        if isAt("{"), !token.isFirstOfLine {
            return try add(.call(of: left, name: name, try withClosures([]), access), place)
        }
        return try add(.property(of: left, name: name, access), place)
    }

    /// Closures behind a call are its last arguments.
    mutating func withClosures(_ arguments: [ScriptTree.Index]) throws(GraphError) -> [ScriptTree.Index] {
        var arguments = arguments
        while isAt("{"), !token.isFirstOfLine { arguments.append(try closure()) }
        return arguments
    }

    /// Up to the closing bracket. Those with names become one map, the first argument.
    mutating func arguments() throws(GraphError) -> [ScriptTree.Index] {
        let place = token.place
        return try bracketed(")") { parser throws(GraphError) in
            var arguments: [ScriptTree.Index] = []
            var named: [(key: ScriptTree.Index, value: ScriptTree.Index)] = []
            while !parser.isAt(")") {
                if let key = try parser.key() {
                    named.append((key, try parser.expression()))
                } else {
                    if parser.isAt("*") { throw .beyondSubset("a list as several arguments", at: parser.token.place) }
                    arguments.append(try parser.expression())
                }
                if !parser.skip(",") { break }
            }
            return named.isEmpty ? arguments : [try parser.add(.map(named), place)] + arguments
        }
    }

    private mutating func elements(until closing: String) throws(GraphError) -> [ScriptTree.Index] {
        var elements: [ScriptTree.Index] = []
        while !isAt(closing) {
            elements.append(try expression())
            if !skip(",") { break }
        }
        return elements
    }
}
