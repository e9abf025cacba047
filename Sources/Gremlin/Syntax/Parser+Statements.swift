internal import GraphModel

extension Parser {
    private static let modifiers: Set<String> = ["def", "final", "static", "public", "private"]
    private static let primitiveTypes: Set<String> = [
        "int", "long", "short", "byte", "float", "double", "boolean", "char", "void",
    ]
    /// Words that begin what there is not here.
    private static let refused: [String: String] = [
        "class": "a class of one's own", "interface": "an interface of one's own", "enum": "an enum of one's own",
        "package": "a package", "switch": "switch", "do": "do … while", "synchronized": "synchronized", "assert": "assert",
        "goto": "goto", "trait": "a trait of one's own",
    ]

    /// Statements up to a symbol, or to the end, which is passed.
    mutating func statements(until closing: String?) throws(GraphError) -> ScriptTree.Index {
        let place = token.place
        var parts: [ScriptTree.Index] = []
        while true {
            while skip(";") {}
            if let closing {
                if skip(closing) { break }
                if token.kind == .end { throw .unreadable("\"\(closing)\" is missing at the end", at: token.place) }
            } else if token.kind == .end {
                break
            }
            parts.append(try statement())
            guard isAt(";") || isAt("}") && closing == "}" || token.kind == .end || token.isFirstOfLine else {
                throw .unreadable("\(token.text) is unexpected here: a statement ends with a line or with \";\"", at: token.place)
            }
        }
        return try add(.block(parts), place)
    }

    /// `{ statements }`, or one statement.
    private mutating func body() throws(GraphError) -> ScriptTree.Index {
        if isAt("{") { return try block() }
        return try statement()
    }

    mutating func block() throws(GraphError) -> ScriptTree.Index {
        try expect("{")
        let outer = bracketCount
        bracketCount = 0
        let body = try nested { parser throws(GraphError) in try parser.statements(until: "}") }
        bracketCount = outer
        return body
    }

    mutating func statement() throws(GraphError) -> ScriptTree.Index {
        try nested { parser throws(GraphError) in try parser.oneStatement() }
    }

    private mutating func oneStatement() throws(GraphError) -> ScriptTree.Index {
        let place = token.place
        guard case .name(let word) = token.kind else {
            if isAt("@") { throw .beyondSubset("an annotation", at: place) }
            return try expression()
        }
        if let construct = Self.refused[word] { throw .beyondSubset(construct, at: place) }
        switch word {
        case "import": return try importing()
        case "if": return try ifElse()
        case "while":
            advance()
            let condition = try parenthesized()
            return try add(.whileLoop(condition, try body()), place)
        case "for": return try forLoop()
        case "try": return try tryCatch()
        case "throw":
            advance()
            return try add(.throwing(try expression()), place)
        case "return":
            advance()
            let hasValue = !(token.isFirstOfLine || isAt(";") || isAt("}") || token.kind == .end)
            return try add(.returning(hasValue ? try expression() : nil), place)
        case "break", "continue":
            advance()
            return try add(word == "break" ? .breaking : .continuing, place)
        default:
            if let declaration = try declaration() { return declaration }
            return try expression()
        }
    }

    private mutating func parenthesized() throws(GraphError) -> ScriptTree.Index {
        try expect("(")
        return try bracketed(")") { parser throws(GraphError) in try parser.expression() }
    }

    // MARK: Imports

    private mutating func importing() throws(GraphError) -> ScriptTree.Index {
        let place = token.place
        advance()
        _ = skipWord("static")
        var names = [try expectName("the name of a class")]
        while skip(".") {
            if skip("*") {
                names.append("*")
                break
            }
            names.append(try expectName("the name of a class"))
        }
        if skipWord("as") { throw .beyondSubset("import … as …", at: place) }
        guard KnownType.isImportable(names) else {
            throw .beyondSubset("import \(names.joined(separator: "."))", at: place)
        }
        return try add(.nothing, place)
    }

    // MARK: Flow

    private mutating func ifElse() throws(GraphError) -> ScriptTree.Index {
        let place = token.place
        advance()
        let condition = try parenthesized()
        let then = try body()
        var otherwise: ScriptTree.Index?
        if isAt(";"), case .name("else") = next.kind { advance() }
        if skipWord("else") { otherwise = try body() }
        return try add(.ifElse(condition, then, otherwise), place)
    }

    private mutating func forLoop() throws(GraphError) -> ScriptTree.Index {
        let place = token.place
        advance()
        try expect("(")
        bracketCount += 1
        // for (x in list), for (String x : list), for (i = 0; i < 3; i++)
        var name: String?
        if let end = typeEnd(), case .name(let word) = token(ahead: end).kind, isLoopWord(token(ahead: end + 1)) {
            for _ in 0..<(end + 2) { advance() }
            name = word
        } else if case .name(let word) = token.kind, isLoopWord(next) {
            advance()
            advance()
            name = word
        }
        if let name {
            let elements = try expression()
            bracketCount -= 1
            try expect(")")
            return try add(.forIn(name, elements, try body()), place)
        }
        var first: ScriptTree.Index?
        if !isAt(";") {
            first = try declaration()
            if first == nil { first = try expression() }
        }
        try expect(";")
        let condition = isAt(";") ? nil : try expression()
        try expect(";")
        let step = isAt(")") ? nil : try expression()
        bracketCount -= 1
        try expect(")")
        return try add(.forLoop(first, condition, step, try body()), place)
    }

    private func isLoopWord(_ token: Token) -> Bool { token.kind == .name("in") || token.kind == .symbol(":") }

    private mutating func tryCatch() throws(GraphError) -> ScriptTree.Index {
        let place = token.place
        advance()
        let body = try block()
        var handler: ScriptTree.Catch?
        while isAtWord("catch") {
            advance()
            try expect("(")
            _ = skipWord("final")
            var name = try expectName("the name of the error")
            while skip(".") || skip("|") { name = try expectName("the class of an error") }
            if case .name(let actual) = token.kind {
                name = actual
                advance()
            }
            try expect(")")
            let handling = try block()
            // Here all errors are of one kind.
            if handler == nil { handler = ScriptTree.Catch(name: name, body: handling) }
        }
        let finally = skipWord("finally") ? try block() : nil
        if handler == nil && finally == nil { throw .unreadable("catch or finally is missing after try", at: token.place) }
        return try add(.tryCatch(body, handler, finally: finally), place)
    }

    // MARK: Declarations

    /// How many words from here make up a type that is followed by a name; nil when there is none.
    func typeEnd() -> Int? {
        var count = 0
        var isTyped = false
        while case .name(let word) = token(ahead: count).kind, Self.modifiers.contains(word) {
            (count, isTyped) = (count + 1, true)
        }
        guard case .name(let first) = token(ahead: count).kind else { return isTyped ? count : nil }
        let mayBeType = Self.primitiveTypes.contains(first) || first.first?.isUppercase == true || first == "java"
            || first == "org" || first == "com"
        guard mayBeType else { return isTyped ? count : nil }
        var end = count + 1
        while token(ahead: end).kind == .symbol("."), case .name = token(ahead: end + 1).kind { end += 2 }
        if token(ahead: end).kind == .symbol("<") {
            var depth = 0
            // Of arguments of types no more is wanted than their end.
            for _ in 0..<64 {
                switch token(ahead: end).kind {
                case .symbol("<"): depth += 1
                case .symbol(">"): depth -= 1
                case .symbol(">>"): depth -= 2
                case .name, .symbol(","), .symbol("."), .symbol("?"): break
                default: return isTyped ? count : nil
                }
                end += 1
                if depth <= 0 { break }
            }
        }
        while token(ahead: end).kind == .symbol("["), token(ahead: end + 1).kind == .symbol("]") { end += 2 }
        if token(ahead: end).kind == .symbol("...") { end += 1 }
        if case .name(let name) = token(ahead: end).kind, !token(ahead: end).isFirstOfLine, !Self.operators.contains(name) {
            return end
        }
        return isTyped ? count : nil
    }

    private static let operators: Set<String> = ["in", "as", "instanceof"]

    /// `def x = …`, `String x`, `def f(a, b) { … }`; nil when none begins here.
    private mutating func declaration() throws(GraphError) -> ScriptTree.Index? {
        let place = token.place
        guard let end = typeEnd() else { return nil }
        for _ in 0..<end { advance() }
        if isAt("(") { return try declareSeveral(place) }
        let name = try expectName("a name")
        if isAt("("), continues {
            try declareFunction(name, place)
            return try add(.nothing, place)
        }
        var parts = [try declareOne(name, place)]
        while bracketCount == 0, skip(",") { parts.append(try declareOne(try expectName("a name"), place)) }
        return parts.count == 1 ? parts[0] : try add(.block(parts), place)
    }

    private mutating func declareOne(_ name: String, _ place: Place) throws(GraphError) -> ScriptTree.Index {
        let value = skip("=") ? try expression() : nil
        return try add(.declare([name], value), place)
    }

    /// `def (a, b) = [1, 2]`
    private mutating func declareSeveral(_ place: Place) throws(GraphError) -> ScriptTree.Index {
        try expect("(")
        var names: [String] = []
        repeat {
            if let end = typeEnd() { for _ in 0..<end { advance() } }
            names.append(try expectName("a name"))
        } while skip(",")
        try expect(")")
        try expect("=")
        return try add(.declare(names, try expression()), place)
    }

    private mutating func declareFunction(_ name: String, _ place: Place) throws(GraphError) {
        try expect("(")
        let parameters = isAt(")") ? [] : try self.parameters()
        try expect(")")
        let body = try block()
        tree.functions.append(ScriptTree.Function(name: name, parameters: parameters, body: body))
    }

    /// Of a function or of a closure: names, each perhaps with a type and a default.
    mutating func parameters() throws(GraphError) -> [ScriptTree.Parameter] {
        var parameters: [ScriptTree.Parameter] = []
        repeat {
            if let end = typeEnd() { for _ in 0..<end { advance() } }
            let name = try expectName("the name of a parameter")
            let value = skip("=") ? try expression() : nil
            parameters.append(ScriptTree.Parameter(name: name, defaultValue: value))
        } while skip(",")
        return parameters
    }
}
