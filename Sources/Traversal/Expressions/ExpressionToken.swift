internal import GraphModel

/// A word of an expression's source.
struct ExpressionToken: Sendable {
    enum Kind: Sendable, Equatable {
        case name(String)
        case integer(Int64)
        case float(Double)
        case string(String)
        /// An operator or a bracket, as it is written.
        case symbol(String)
        case end
    }
    let kind: Kind
    /// In characters from 1, for messages.
    let position: Int

    /// As messages show it.
    var text: String {
        switch kind {
        case .name(let name): name
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .string: "a string"
        case .symbol(let symbol): symbol
        case .end: "the end"
        }
    }
}

/// Splits the source of an expression into words.
struct ExpressionLexer {
    private let source: [Unicode.Scalar]
    private var index = 0

    /// Longest source, in characters.
    static let characterCountMaximum = 16 << 10

    /// Longest operators first.
    private static let symbols: [[Unicode.Scalar]] = [
        "===", "!==", ">>>", "=>", "==", "!=", "<=", ">=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "<<", ">>",
        "(", ")", "[", "]", "{", "}", ".", ",", ";", ":", "?", "<", ">", "+", "-", "*", "/", "%", "!", "=", "&", "|", "^",
        "~",
    ].map { Array($0.unicodeScalars) }

    init(_ text: String) throws(GraphError) {
        guard text.unicodeScalars.count <= Self.characterCountMaximum else {
            throw GraphError(
                .syntaxError,
                "the expression has \(text.unicodeScalars.count) characters: at most \(Self.characterCountMaximum) are possible")
        }
        source = Array(text.unicodeScalars)
    }

    /// All words, with the end as the last.
    mutating func tokens() throws(GraphError) -> [ExpressionToken] {
        var tokens: [ExpressionToken] = []
        while true {
            try skipBlanks()
            let position = index + 1
            guard index < source.count else {
                tokens.append(ExpressionToken(kind: .end, position: position))
                return tokens
            }
            tokens.append(ExpressionToken(kind: try word(), position: position))
        }
    }

    private func isAt(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        return index + scalars.count <= source.count && zip(source[index...], scalars).allSatisfy { $0 == $1 }
    }

    private mutating func skipBlanks() throws(GraphError) {
        while index < source.count {
            if source[index].properties.isWhitespace {
                index += 1
            } else if isAt("//") {
                while index < source.count, source[index] != "\n" { index += 1 }
            } else if isAt("/*") {
                let start = index + 1
                index += 2
                while index < source.count, !isAt("*/") { index += 1 }
                guard index < source.count else { throw .expression("the comment is not closed", at: start) }
                index += 2
            } else {
                return
            }
        }
    }

    private mutating func word() throws(GraphError) -> ExpressionToken.Kind {
        let first = source[index]
        if Self.isNameStart(first) { return .name(take { Self.isNameStart($0) || ("0"..."9").contains($0) }) }
        if ("0"..."9").contains(first) { return try number() }
        if first == "'" || first == "\"" { return .string(try string(closedBy: first)) }
        for symbol in Self.symbols where source[index...].starts(with: symbol) {
            index += symbol.count
            return .symbol(String(String.UnicodeScalarView(symbol)))
        }
        throw .expression("\"\(first)\" means nothing here", at: index + 1)
    }

    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar == "$" || scalar.properties.isAlphabetic
    }

    private mutating func take(_ isWanted: (Unicode.Scalar) -> Bool) -> String {
        var text = String.UnicodeScalarView()
        while index < source.count, isWanted(source[index]) {
            text.append(source[index])
            index += 1
        }
        return String(text)
    }

    private mutating func number() throws(GraphError) -> ExpressionToken.Kind {
        let start = index + 1
        func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
        var text = take(isDigit)
        if isAt("x") || isAt("X") {
            index += 1
            let digits = take { $0.properties.isASCIIHexDigit }
            guard text == "0", let value = Int64(digits, radix: 16) else {
                throw .expression("\"\(text)x\(digits)\" is no number", at: start)
            }
            return .integer(value)
        }
        if index + 1 < source.count, source[index] == ".", isDigit(source[index + 1]) {
            index += 1
            text += "." + take(isDigit)
        }
        if isAt("e") || isAt("E") {
            index += 1
            text += "e"
            if isAt("+") || isAt("-") {
                text.unicodeScalars.append(source[index])
                index += 1
            }
            text += take(isDigit)
        }
        if let value = Int64(text) { return .integer(value) }
        guard let value = Double(text) else { throw .expression("\"\(text)\" is no number", at: start) }
        return .float(value)
    }

    private mutating func string(closedBy quote: Unicode.Scalar) throws(GraphError) -> String {
        let start = index + 1
        index += 1
        var text = String.UnicodeScalarView()
        while index < source.count {
            let scalar = source[index]
            index += 1
            if scalar == quote { return String(text) }
            if scalar == "\n" { break }
            text.append(scalar == "\\" ? try escaped() : scalar)
        }
        throw .expression("the string is not closed", at: start)
    }

    private mutating func escaped() throws(GraphError) -> Unicode.Scalar {
        guard index < source.count else { throw .expression("the string is not closed", at: index) }
        let scalar = source[index]
        index += 1
        switch scalar {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "u":
            let digits = String(String.UnicodeScalarView(source[index..<min(index + 4, source.count)]))
            guard digits.count == 4, let value = UInt32(digits, radix: 16), let escaped = Unicode.Scalar(value) else {
                throw .expression("\\u must be followed by four hexadecimal digits of a character", at: index - 1)
            }
            index += 4
            return escaped
        default: return scalar
        }
    }
}

extension GraphError {
    /// An expression that cannot be read.
    static func expression(_ message: String, at position: Int) -> GraphError {
        GraphError(.syntaxError, "the expression cannot be read: \(message) (character \(position))")
    }

    /// An expression that is JavaScript, but more than what is evaluated here.
    static func beyondSubset(_ construct: String, at position: Int) -> GraphError {
        GraphError(
            .syntaxError,
            "\(construct) (character \(position)) is not possible in an expression here: no scripts are run, only calls on \"position\", operators and literals; ask in Cypher for more")
    }
}
