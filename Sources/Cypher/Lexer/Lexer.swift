internal import GraphModel

/// Cuts a query into tokens. Comments and white space fall away.
struct Lexer {
    private let bytes: UnsafeBufferPointer<UInt8>
    /// The same bytes as an array, for messages.
    private let source: [UInt8]
    private var index = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>, _ source: [UInt8]) {
        self.bytes = bytes
        self.source = source
    }

    static func tokens(_ source: [UInt8]) throws(GraphError) -> ContiguousArray<Token> {
        // The closure's error type is not inferred through the standard library's untyped rethrows.
        var failure: GraphError?
        let tokens = source.withUnsafeBufferPointer { bytes in
            var lexer = Lexer(bytes, source)
            var tokens: ContiguousArray<Token> = []
            tokens.reserveCapacity(bytes.count / 3 + 8)
            do throws(GraphError) {
                repeat { tokens.append(try lexer.next()) } while tokens[tokens.count - 1].kind != .end
            } catch {
                failure = error
            }
            return tokens
        }
        if let failure { throw failure }
        return tokens
    }

    @inline(__always)
    private func peek(_ ahead: Int = 0) -> UInt8 { index + ahead < bytes.count ? bytes[index + ahead] : 0 }

    static func isWordStart(_ byte: UInt8) -> Bool {
        (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte == UInt8(ascii: "_") || byte >= 0x80
    }
    static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    private func isWordPart(_ byte: UInt8) -> Bool { Self.isWordStart(byte) || Self.isDigit(byte) }

    private mutating func skipSpace() throws(GraphError) {
        while index < bytes.count {
            switch bytes[index] {
            case 9, 10, 11, 12, 13, 28, 29, 30, 31, 32: index += 1
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
                while index < bytes.count, bytes[index] != 10 { index += 1 }
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
                let start = index
                index += 2
                while index < bytes.count, !(bytes[index] == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) { index += 1 }
                guard index < bytes.count else { throw .syntax("this comment is never closed with */", at: start, in: source) }
                index += 2
            case 0xC2 where peek(1) == 0xA0: index += 2
            default: return
            }
        }
    }

    private mutating func next() throws(GraphError) -> Token {
        try skipSpace()
        let start = index
        guard index < bytes.count else { return Token(kind: .end, keyword: .none, start: start, end: start) }
        let byte = bytes[index]
        if Self.isWordStart(byte) {
            if byte >= 0x80 { try requireLetter() }
            index += 1
            while index < bytes.count, isWordPart(bytes[index]) || bytes[index] == UInt8(ascii: "$") { index += 1 }
            return Token(
                kind: .word, keyword: KeywordTable.shared.keyword(bytes, start, index), start: start, end: index)
        }
        if Self.isDigit(byte) || (byte == UInt8(ascii: ".") && Self.isDigit(peek(1))) { return try number() }
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            try skipQuoted(byte, hasEscapes: true, "this string is never closed with \(Character(Unicode.Scalar(byte)))")
            return Token(kind: .string, keyword: .none, start: start, end: index)
        case UInt8(ascii: "`"):
            try skipQuoted(byte, hasEscapes: false, "this name is never closed with `")
            guard index - start > 2 else { throw .syntax("a name cannot be empty", at: start, in: source) }
            return Token(kind: .quotedName, keyword: .none, start: start, end: index)
        default: break
        }
        guard let (kind, length) = symbol(byte, peek(1)) else {
            throw .syntax("unexpected character \"\(Character(Unicode.Scalar(byte)))\"", at: start, in: source)
        }
        index += length
        return Token(kind: kind, keyword: .none, start: start, end: index)
    }

    /// A name begins with a letter; signs beyond ASCII, like a long dash, are none.
    private func requireLetter() throws(GraphError) {
        let end = min(index + 4, bytes.count)
        guard let scalar = String(decoding: bytes[index..<end], as: UTF8.self).unicodeScalars.first,
            !scalar.properties.isAlphabetic, scalar.properties.generalCategory != .letterNumber,
            !scalar.properties.isIDStart
        else { return }
        throw .syntax("unexpected character \"\(Character(scalar))\"", at: index, in: source)
    }

    @inline(__always)
    private func symbol(_ first: UInt8, _ second: UInt8) -> (Token.Kind, Int)? {
        switch first {
        case UInt8(ascii: "("): return (.openParenthesis, 1)
        case UInt8(ascii: ")"): return (.closeParenthesis, 1)
        case UInt8(ascii: "["): return (.openBracket, 1)
        case UInt8(ascii: "]"): return (.closeBracket, 1)
        case UInt8(ascii: "{"): return (.openBrace, 1)
        case UInt8(ascii: "}"): return (.closeBrace, 1)
        case UInt8(ascii: ","): return (.comma, 1)
        case UInt8(ascii: "."): return second == first ? (.twoDots, 2) : (.dot, 1)
        case UInt8(ascii: ":"): return (.colon, 1)
        case UInt8(ascii: ";"): return (.semicolon, 1)
        case UInt8(ascii: "|"): return second == first ? (.twoBars, 2) : (.bar, 1)
        case UInt8(ascii: "&"): return (.ampersand, 1)
        case UInt8(ascii: "="): return second == UInt8(ascii: "~") ? (.matches, 2) : (.equal, 1)
        case UInt8(ascii: "<"):
            if second == UInt8(ascii: "=") { return (.lessOrEqual, 2) }
            return second == UInt8(ascii: ">") ? (.notEqual, 2) : (.less, 1)
        case UInt8(ascii: ">"): return second == UInt8(ascii: "=") ? (.greaterOrEqual, 2) : (.greater, 1)
        case UInt8(ascii: "+"): return second == UInt8(ascii: "=") ? (.plusEqual, 2) : (.plus, 1)
        case UInt8(ascii: "-"): return (.minus, 1)
        case UInt8(ascii: "*"): return (.star, 1)
        case UInt8(ascii: "/"): return (.slash, 1)
        case UInt8(ascii: "%"): return (.percent, 1)
        case UInt8(ascii: "^"): return (.caret, 1)
        case UInt8(ascii: "?"): return (.question, 1)
        case UInt8(ascii: "!"): return (.exclamation, 1)
        case UInt8(ascii: "$"): return (.dollar, 1)
        default: return nil
        }
    }

    /// Decimal, hexadecimal (`0x`) and octal (`0o`) numbers.
    private mutating func number() throws(GraphError) -> Token {
        let start = index
        var kind = Token.Kind.integer
        if bytes[index] == UInt8(ascii: "0"), peek(1) | 0x20 == UInt8(ascii: "x") || peek(1) == UInt8(ascii: "o") {
            index += 2
            while index < bytes.count, isWordPart(bytes[index]) { index += 1 }
            return Token(kind: .integer, keyword: .none, start: start, end: index)
        }
        while Self.isDigit(peek()) { index += 1 }
        if peek() == UInt8(ascii: "."), Self.isDigit(peek(1)) {
            kind = .float
            index += 1
            while Self.isDigit(peek()) { index += 1 }
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            let sign = peek(1) == UInt8(ascii: "-") || peek(1) == UInt8(ascii: "+") ? 1 : 0
            if Self.isDigit(peek(1 + sign)) {
                kind = .float
                index += 1 + sign
                while Self.isDigit(peek()) { index += 1 }
            }
        }
        if index < bytes.count, Self.isWordStart(bytes[index]) {
            while index < bytes.count, isWordPart(bytes[index]) { index += 1 }
            let text = String(decoding: bytes[start..<index], as: UTF8.self)
            throw .syntax("\(text) is no number; a name that begins with a digit is written in back-quotes", at: start, in: source)
        }
        return Token(kind: kind, keyword: .none, start: start, end: index)
    }

    private mutating func skipQuoted(_ quote: UInt8, hasEscapes: Bool, _ unclosed: String) throws(GraphError) {
        let start = index
        index += 1
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == quote {
                if hasEscapes || peek() != quote { return }
                index += 1
            } else if hasEscapes, byte == UInt8(ascii: "\\") {
                index += 1
            }
        }
        throw .syntax(unclosed, at: start, in: source)
    }
}
