internal import GraphModel

extension Parser {
    mutating func primary() throws(GraphError) -> ScriptTree.Index {
        let (place, kind) = (token.place, token.kind)
        switch kind {
        case .integer(let number):
            advance()
            return try add(.literal(.integer(number)), place)
        case .float(let number):
            advance()
            return try add(.literal(.float(number)), place)
        case .string(let text):
            advance()
            return try add(.literal(.string(text)), place)
        case .template(let pieces):
            advance()
            return try template(pieces, place)
        case .name(let name): return try named(name, place)
        case .symbol("("):
            advance()
            return try bracketed(")") { parser throws(GraphError) in try parser.expression() }
        case .symbol("["):
            advance()
            return try bracketed("]") { parser throws(GraphError) in try parser.listOrMap(place) }
        case .symbol("{"): return try closure()
        case .symbol("/"): throw .beyondSubset("a regular expression", at: place)
        default: throw .unreadable("\(token.text) is unexpected here", at: place)
        }
    }

    mutating func template(_ pieces: [TemplatePiece], _ place: Place) throws(GraphError) -> ScriptTree.Index {
        var parts: [ScriptTree.Index] = []
        for piece in pieces {
            switch piece {
            case .text(let text): parts.append(try add(.literal(.string(text)), place))
            case .code(let code, let place): parts.append(try parse(code: code, at: place))
            }
        }
        return try add(.template(parts), place)
    }

    private mutating func named(_ name: String, _ place: Place) throws(GraphError) -> ScriptTree.Index {
        switch name {
        case "true", "false":
            advance()
            return try add(.literal(.boolean(name == "true")), place)
        case "null":
            advance()
            return try add(.literal(.null), place)
        case "new":
            advance()
            let type = try typeName()
            if isAt("[") { throw .beyondSubset("an array", at: place) }
            try expect("(")
            let arguments = try self.arguments()
            if isAt("{"), !token.isFirstOfLine { throw .beyondSubset("a class without a name", at: place) }
            return try add(.new(type, arguments), place)
        case "this", "super": throw .beyondSubset("\"\(name)\"", at: place)
        case "in", "instanceof", "else", "catch", "finally":
            throw .unreadable("\"\(name)\" is unexpected here", at: place)
        default: break
        }
        if KnownType.packageRoots.contains(name), next.kind == .symbol(".") {
            return try add(.name(try typeName()), place)
        }
        advance()
        let call = isAt("(") && continues
        if call || isAt("{") && !token.isFirstOfLine {
            var arguments: [ScriptTree.Index] = []
            if call {
                advance()
                arguments = try self.arguments()
            }
            let callee = try add(.literal(.string(name)), place)
            return try add(.call(of: nil, name: callee, try withClosures(arguments), .plain), place)
        }
        return try add(.name(name), place)
    }

    /// A class that is known here, by its own name.
    mutating func typeName() throws(GraphError) -> String {
        let place = token.place
        var names = [try expectName("the name of a class")]
        // Packages begin with a small letter, classes with a capital.
        while names.last?.first?.isUppercase != true, isAt("."), case .name(let name) = next.kind {
            advance()
            advance()
            names.append(name)
        }
        let name = names[names.count - 1]
        if isAt("<") {
            while !isAt(">"), token.kind != .end { advance() }
            try expect(">")
        }
        guard KnownType.isKnown(names) else { throw .beyondSubset("the class \(names.joined(separator: "."))", at: place) }
        return name
    }

    mutating func key() throws(GraphError) -> ScriptTree.Index? {
        guard next.kind == .symbol(":") || isAt("(") else { return nil }
        let place = token.place
        switch token.kind {
        case .name(let text), .string(let text):
            advance()
            advance()
            return try add(.literal(.string(text)), place)
        case .integer(let number):
            advance()
            advance()
            return try add(.literal(.integer(number)), place)
        case .template(let pieces):
            advance()
            advance()
            return try template(pieces, place)
        default: return nil
        }
    }

    /// Behind the opening bracket.
    private mutating func listOrMap(_ place: Place) throws(GraphError) -> ScriptTree.Index {
        if isAt(":"), next.kind == .symbol("]") {
            advance()
            return try add(.map([]), place)
        }
        var elements: [ScriptTree.Index] = []
        var entries: [(key: ScriptTree.Index, value: ScriptTree.Index)] = []
        while !isAt("]") {
            if let key = try key() {
                entries.append((key, try expression()))
            } else {
                let element = try expression()
                // [(key): value]
                if skip(":") { entries.append((element, try expression())) } else { elements.append(element) }
            }
            if !skip(",") { break }
        }
        guard elements.isEmpty || entries.isEmpty else {
            throw .unreadable("a list cannot have some elements with keys and some without", at: place)
        }
        return try add(entries.isEmpty ? .list(elements) : .map(entries), place)
    }

    // MARK: Closures

    mutating func closure() throws(GraphError) -> ScriptTree.Index {
        let place = token.place
        try expect("{")
        let outer = bracketCount
        bracketCount = 0
        let part = try nested { parser throws(GraphError) in
            var parameters: [String]?
            if parser.hasParameters() {
                parameters = parser.isAt("->") ? [] : try parser.parameters().map(\.name)
                try parser.expect("->")
            }
            let body = try parser.statements(until: "}")
            return try parser.add(.closure(ScriptTree.Closure(parameters: parameters, body: body)), place)
        }
        bracketCount = outer
        return part
    }

    /// Whether an arrow comes before anything that no parameter has.
    private func hasParameters() -> Bool {
        for count in 0..<128 {
            switch token(ahead: count).kind {
            case .symbol("->"): return true
            case .name, .symbol(","), .symbol("="), .symbol("."), .symbol("..."), .symbol("<"), .symbol(">"), .integer, .float,
                .string:
                continue
            default: return false
            }
        }
        return false
    }
}
