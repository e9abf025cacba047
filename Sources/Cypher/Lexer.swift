internal import GraphModel

/// One token and where it stands, in bytes.
struct Token: Equatable {
    enum Kind: Equatable {
        /// A name or a keyword; `text` keeps the spelling.
        case word
        /// A name in back-quotes; never a keyword.
        case quotedName
        case integer
        case float
        case string
        /// Punctuation, one or two characters.
        case symbol
        case end
    }
    let kind: Kind
    let text: String
    let start: Int
    let end: Int
    /// `text` in capitals, for comparing with keywords; empty unless a word.
    let keyword: String
}

/// Cuts a query into tokens. Comments and white space fall away.
struct Lexer {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func tokens(_ bytes: [UInt8]) throws(GraphError) -> [Token] {
        var lexer = Lexer(bytes)
        var tokens: [Token] = []
        tokens.reserveCapacity(bytes.count / 3)
        repeat { tokens.append(try lexer.next()) } while tokens[tokens.count - 1].kind != .end
        return tokens
    }

    private func peek(_ ahead: Int = 0) -> UInt8 { index + ahead < bytes.count ? bytes[index + ahead] : 0 }

    private static func isWordStart(_ byte: UInt8) -> Bool {
        (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte == UInt8(ascii: "_") || byte >= 0x80
    }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    private mutating func skipSpace() throws(GraphError) {
        while index < bytes.count {
            switch bytes[index] {
            case 9, 10, 11, 12, 13, 32: index += 1
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
                while index < bytes.count, bytes[index] != 10 { index += 1 }
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
                let start = index
                index += 2
                while index < bytes.count, !(bytes[index] == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) { index += 1 }
                guard index < bytes.count else { throw .syntax("this comment is never closed with */", at: start, in: bytes) }
                index += 2
            default: return
            }
        }
    }

    private func token(_ kind: Token.Kind, from start: Int, text: String? = nil) -> Token {
        let text = text ?? String(decoding: bytes[start..<index], as: UTF8.self)
        return Token(kind: kind, text: text, start: start, end: index, keyword: kind == .word ? text.uppercased() : "")
    }

    private mutating func next() throws(GraphError) -> Token {
        try skipSpace()
        let start = index
        guard index < bytes.count else { return Token(kind: .end, text: "", start: start, end: start, keyword: "") }
        let byte = bytes[index]
        if Self.isWordStart(byte) {
            while Self.isWordStart(peek()) || Self.isDigit(peek()) || (peek() == UInt8(ascii: "$") && index > start) {
                index += 1
            }
            return token(.word, from: start)
        }
        if Self.isDigit(byte) || (byte == UInt8(ascii: ".") && Self.isDigit(peek(1))) { return number() }
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return try string(byte)
        case UInt8(ascii: "`"): return try quotedName()
        default: break
        }
        let pair = [byte, peek(1)]
        for symbol in ["<=", ">=", "<>", "=~", "..", "+=", "||"] where Array(symbol.utf8) == pair {
            index += 2
            return token(.symbol, from: start)
        }
        guard "(){}[],.:;|=<>+-*/%^?!$".utf8.contains(byte) else {
            throw .syntax("unexpected character \"\(Character(Unicode.Scalar(byte)))\"", at: start, in: bytes)
        }
        index += 1
        return token(.symbol, from: start)
    }

    private mutating func number() -> Token {
        let start = index
        var isFloat = false
        while Self.isDigit(peek()) { index += 1 }
        if peek() == UInt8(ascii: "."), Self.isDigit(peek(1)) {
            isFloat = true
            index += 1
            while Self.isDigit(peek()) { index += 1 }
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            let sign = peek(1) == UInt8(ascii: "-") || peek(1) == UInt8(ascii: "+") ? 1 : 0
            if Self.isDigit(peek(1 + sign)) {
                isFloat = true
                index += 1 + sign
                while Self.isDigit(peek()) { index += 1 }
            }
        }
        return token(isFloat ? .float : .integer, from: start)
    }

    private mutating func quotedName() throws(GraphError) -> Token {
        let start = index
        var content: [UInt8] = []
        index += 1
        while true {
            guard index < bytes.count else { throw .syntax("this name is never closed with `", at: start, in: bytes) }
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "`") {
                if peek() != UInt8(ascii: "`") { break }
                index += 1
            }
            content.append(byte)
        }
        guard !content.isEmpty else { throw .syntax("a name cannot be empty", at: start, in: bytes) }
        return token(.quotedName, from: start, text: String(decoding: content, as: UTF8.self))
    }

    private mutating func string(_ quote: UInt8) throws(GraphError) -> Token {
        let start = index
        var content: [UInt8] = []
        index += 1
        while true {
            guard index < bytes.count else {
                throw .syntax("this string is never closed with \(Character(Unicode.Scalar(quote)))", at: start, in: bytes)
            }
            let byte = bytes[index]
            index += 1
            if byte == quote { break }
            guard byte == UInt8(ascii: "\\") else {
                content.append(byte)
                continue
            }
            let escape = peek()
            index += 1
            switch escape {
            case UInt8(ascii: "n"): content.append(10)
            case UInt8(ascii: "t"): content.append(9)
            case UInt8(ascii: "r"): content.append(13)
            case UInt8(ascii: "b"): content.append(8)
            case UInt8(ascii: "f"): content.append(12)
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "/"): content.append(escape)
            case UInt8(ascii: "u"), UInt8(ascii: "U"): content.append(contentsOf: try unicodeEscape(escape))
            default: throw .syntax("unknown escape in a string", at: index - 2, in: bytes)
            }
        }
        return token(.string, from: start, text: String(decoding: content, as: UTF8.self))
    }

    private mutating func unicodeEscape(_ kind: UInt8) throws(GraphError) -> [UInt8] {
        func hex(_ count: Int) throws(GraphError) -> UInt32 {
            guard index + count <= bytes.count,
                let value = UInt32(String(decoding: bytes[index..<index + count], as: UTF8.self), radix: 16)
            else { throw .syntax("a \\\(kind == 85 ? "U" : "u") escape needs \(count) hexadecimal digits", at: index, in: bytes) }
            index += count
            return value
        }
        var code = try hex(kind == UInt8(ascii: "U") ? 8 : 4)
        if (0xD800..<0xDC00).contains(code), peek() == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u") {
            index += 2
            let low = try hex(4)
            code = 0x10000 + ((code - 0xD800) << 10) + (low &- 0xDC00 & 0x3FF)
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw .syntax("\\u\(String(code, radix: 16)) is no character", at: index, in: bytes)
        }
        return Array(String(Character(scalar)).utf8)
    }
}
