internal import GraphModel

/// Splits the source of a script into words.
struct Lexer {
    private let source: [Unicode.Scalar]
    private var index = 0
    private var place: Place
    private var isFirstOfLine = true

    /// Longest source, in characters.
    static let characterCountMaximum = 256 << 10

    /// Longest operators first.
    private static let symbols: [[Unicode.Scalar]] = [
        "<=>", "..<", "...", "===", "!==", "==~", ">>>", "**=", "<<=", ">>=", "?:", "?.", "*.", "..", "->", "==", "!=", "<=",
        ">=", "&&", "||", "=~", "++", "--", "+=", "-=", "*=", "/=", "%=", "**", "<<", ">>", ".&", ".@", "(", ")", "[", "]", "{",
        "}", ".", ",", ";", ":", "?", "<", ">", "+", "-", "*", "/", "%", "!", "=", "&", "|", "^", "~", "@",
    ].map { Array($0.unicodeScalars) }

    init(_ text: String, at place: Place = Place()) throws(GraphError) {
        guard text.unicodeScalars.count <= Self.characterCountMaximum else {
            throw GraphError(
                .scriptSyntax,
                "the script has \(text.unicodeScalars.count) characters: at most \(Self.characterCountMaximum) are possible")
        }
        source = Array(text.unicodeScalars)
        self.place = place
    }

    /// All words, with the end as the last.
    mutating func tokens() throws(GraphError) -> [Token] {
        var tokens: [Token] = []
        while true {
            try skipBlanks()
            let place = place
            guard index < source.count else {
                tokens.append(Token(kind: .end, place: place, isFirstOfLine: true))
                return tokens
            }
            let isFirst = isFirstOfLine
            isFirstOfLine = false
            tokens.append(Token(kind: try word(), place: place, isFirstOfLine: isFirst))
        }
    }

    private func isAt(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        return index + scalars.count <= source.count && zip(source[index...], scalars).allSatisfy { $0 == $1 }
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where index < source.count {
            if source[index] == "\n" {
                place = Place(line: place.line + 1, column: 1)
            } else {
                place.column += 1
            }
            index += 1
        }
    }

    private mutating func skipBlanks() throws(GraphError) {
        while index < source.count {
            if source[index].properties.isWhitespace {
                if source[index] == "\n" || source[index] == "\r" { isFirstOfLine = true }
                advance()
            } else if isAt("\\\n") || isAt("\\\r\n") {
                // A line that goes on.
                advance(isAt("\\\n") ? 2 : 3)
            } else if isAt("//") || isAt("#!") && index == 0 {
                while index < source.count, source[index] != "\n" { advance() }
            } else if isAt("/*") {
                let start = place
                advance(2)
                while index < source.count, !isAt("*/") { advance() }
                guard index < source.count else { throw .unreadable("the comment is not closed", at: start) }
                advance(2)
            } else {
                return
            }
        }
    }

    private mutating func word() throws(GraphError) -> Token.Kind {
        let first = source[index]
        if Self.isNameStart(first) { return .name(take(Self.isNamePart)) }
        if Self.isDigit(first) { return try number() }
        if first == "'" || first == "\"" { return try string(first) }
        for symbol in Self.symbols where source[index...].starts(with: symbol) {
            advance(symbol.count)
            return .symbol(String(String.UnicodeScalarView(symbol)))
        }
        throw .unreadable("\"\(first)\" means nothing here", at: place)
    }

    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar == "$" || scalar.properties.isAlphabetic
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool { isNameStart(scalar) || isDigit(scalar) }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private mutating func take(_ isWanted: (Unicode.Scalar) -> Bool) -> String {
        var text = String.UnicodeScalarView()
        while index < source.count, isWanted(source[index]) {
            text.append(source[index])
            advance()
        }
        return String(text)
    }

    // MARK: Numbers

    private mutating func number() throws(GraphError) -> Token.Kind {
        let start = place
        var text = take(Self.isDigit)
        if text == "0" && (isAt("x") || isAt("X")) {
            advance()
            let digits = take { $0.properties.isASCIIHexDigit }
            guard let value = Int64(digits, radix: 16) else { throw .unreadable("0x\(digits) is no number", at: start) }
            return .integer(value)
        }
        var isFloat = false
        // A second point makes a range, a name a method.
        if isAt("."), index + 1 < source.count, Self.isDigit(source[index + 1]) {
            isFloat = true
            advance()
            text += "." + take(Self.isDigit)
        }
        if isAt("e") || isAt("E") {
            isFloat = true
            advance()
            text += "e"
            if isAt("+") || isAt("-") {
                text.unicodeScalars.append(source[index])
                advance()
            }
            text += take(Self.isDigit)
        }
        let suffix = take(Self.isNamePart)
        switch suffix {
        case "", "g", "G": break
        case "l", "L", "i", "I": if isFloat { throw .unreadable("\(text)\(suffix) is no number", at: start) }
        case "f", "F", "d", "D": isFloat = true
        default: throw .unreadable("\(text)\(suffix) is no number", at: start)
        }
        if !isFloat, let value = Int64(text) { return .integer(value) }
        guard isFloat, let value = Double(text) else {
            throw .unreadable("\(text) is no number that fits 64 bits", at: start)
        }
        return .float(value)
    }

    // MARK: Strings

    private mutating func string(_ quote: Unicode.Scalar) throws(GraphError) -> Token.Kind {
        let start = place
        let isLong = isAt(String(repeating: String(quote), count: 3))
        advance(isLong ? 3 : 1)
        var pieces: [TemplatePiece] = []
        var text = String.UnicodeScalarView()
        func isClosed() -> Bool { isLong ? isAt(String(repeating: String(quote), count: 3)) : source[index] == quote }
        while index < source.count {
            if isClosed() {
                advance(isLong ? 3 : 1)
                if pieces.isEmpty { return .string(String(text)) }
                if !text.isEmpty { pieces.append(.text(String(text))) }
                return .template(pieces)
            }
            let scalar = source[index]
            if scalar == "\n" && !isLong { break }
            if scalar == "$" && quote == "\"", let code = try code() {
                if !text.isEmpty { pieces.append(.text(String(text))) }
                text = String.UnicodeScalarView()
                pieces.append(code)
                continue
            }
            advance()
            if scalar == "\\" {
                if let escaped = try escaped() { text.append(escaped) }
            } else {
                text.append(scalar)
            }
        }
        throw .unreadable("the string is not closed", at: start)
    }

    /// `$name.name` or `${expression}`; nil for a dollar that begins neither.
    private mutating func code() throws(GraphError) -> TemplatePiece? {
        guard index + 1 < source.count else { return nil }
        if source[index + 1] == "{" {
            advance(2)
            let start = place
            var (depth, text) = (1, String.UnicodeScalarView())
            while index < source.count {
                if source[index] == "{" { depth += 1 }
                if source[index] == "}" { depth -= 1 }
                let scalar = source[index]
                advance()
                if depth == 0 { return .code(String(text), start) }
                text.append(scalar)
            }
            throw .unreadable("the ${ is not closed", at: start)
        }
        guard source[index + 1] != "$", Self.isNameStart(source[index + 1]) else { return nil }
        advance()
        let start = place
        var text = take { $0 != "$" && Self.isNamePart($0) }
        while isAt("."), index + 1 < source.count, Self.isNameStart(source[index + 1]) {
            advance()
            text += "." + take { $0 != "$" && Self.isNamePart($0) }
        }
        return .code(text, start)
    }

    /// What follows a backslash; nil for the end of a line.
    private mutating func escaped() throws(GraphError) -> Unicode.Scalar? {
        guard index < source.count else { throw .unreadable("the string is not closed", at: place) }
        let (scalar, start) = (source[index], place)
        advance()
        switch scalar {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "\n": return nil
        case "\\", "'", "\"", "$": return scalar
        case "u":
            let digits = String(String.UnicodeScalarView(source[index..<min(index + 4, source.count)]))
            guard digits.count == 4, let value = UInt32(digits, radix: 16), let escaped = Unicode.Scalar(value) else {
                throw .unreadable("\\u must be followed by four hexadecimal digits of a character", at: start)
            }
            advance(4)
            return escaped
        default: throw .unreadable("\\\(scalar) stands for no character", at: start)
        }
    }
}
