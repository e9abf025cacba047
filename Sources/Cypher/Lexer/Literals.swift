internal import GraphModel

/// Reads what tokens hold: the text of names and strings, the value of numbers.
enum Literals {
    /// A name, without its back-quotes.
    static func name(_ token: Token, _ source: [UInt8]) -> String {
        guard token.kind == .quotedName else { return String(decoding: source[token.start..<token.end], as: UTF8.self) }
        var content: [UInt8] = []
        var index = token.start + 1
        while index < token.end - 1 {
            content.append(source[index])
            // Two back-quotes stand for one.
            index += source[index] == UInt8(ascii: "`") ? 2 : 1
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// A 64-bit integer; nil when it does not fit. The sign that stands before it belongs to the expression, so the
    /// smallest integer needs `isNegated`.
    static func integer(_ token: Token, _ source: [UInt8], isNegated: Bool) throws(GraphError) -> Int64 {
        let text = String(decoding: source[token.start..<token.end], as: UTF8.self)
        var digits = Substring(text)
        var radix = 10
        if text.hasPrefix("0x") || text.hasPrefix("0X") {
            (digits, radix) = (text.dropFirst(2), 16)
        } else if text.hasPrefix("0o") {
            (digits, radix) = (text.dropFirst(2), 8)
        }
        if let value = Int64((isNegated ? "-" : "") + digits, radix: radix) { return value }
        let isNumber = !digits.isEmpty && digits.allSatisfy { $0.hexDigitValue.map { $0 < radix } ?? false }
        throw .syntax(
            isNumber ? "\(text) does not fit a 64-bit integer" : "\(text) is no number of base \(radix)",
            at: token.start, in: source)
    }

    static func float(_ token: Token, _ source: [UInt8]) throws(GraphError) -> Double {
        let text = String(decoding: source[token.start..<token.end], as: UTF8.self)
        guard let value = Double(text.hasPrefix(".") ? "0" + text : text), value.isFinite else {
            throw .syntax("\(text) does not fit a 64-bit float", at: token.start, in: source)
        }
        return value
    }

    /// The text of a string, its escapes resolved.
    static func string(_ token: Token, _ source: [UInt8]) throws(GraphError) -> String {
        let inner = source[(token.start + 1)..<(token.end - 1)]
        guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
        var content: [UInt8] = []
        content.reserveCapacity(inner.count)
        var index = inner.startIndex
        while index < inner.endIndex {
            let byte = source[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                content.append(byte)
                continue
            }
            let escape = source[index]
            index += 1
            switch escape {
            case UInt8(ascii: "n"): content.append(10)
            case UInt8(ascii: "t"): content.append(9)
            case UInt8(ascii: "r"): content.append(13)
            case UInt8(ascii: "b"): content.append(8)
            case UInt8(ascii: "f"): content.append(12)
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "`"):
                content.append(escape)
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                content.append(contentsOf: try unicode(escape, &index, inner.endIndex, source))
            default:
                throw .syntax(
                    "unknown escape \\\(Character(Unicode.Scalar(escape))) in a string: \\\\ is one backslash", at: index - 2,
                    in: source)
            }
        }
        return String(decoding: content, as: UTF8.self)
    }

    private static func unicode(
        _ kind: UInt8, _ index: inout Int, _ end: Int, _ source: [UInt8]
    ) throws(GraphError) -> [UInt8] {
        func hex(_ count: Int) throws(GraphError) -> UInt32 {
            guard index + count <= end,
                source[index..<index + count].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                let value = UInt32(String(decoding: source[index..<index + count], as: UTF8.self), radix: 16)
            else {
                throw .syntax("a \\\(kind == 85 ? "U" : "u") escape needs \(count) hexadecimal digits", at: index, in: source)
            }
            index += count
            return value
        }
        var code = try hex(kind == UInt8(ascii: "U") ? 8 : 4)
        if (0xD800..<0xDC00).contains(code), index + 1 < end, source[index] == UInt8(ascii: "\\"),
            source[index + 1] == UInt8(ascii: "u")
        {
            index += 2
            let low = try hex(4)
            guard (0xDC00..<0xE000).contains(low) else {
                throw .syntax("\\u\(String(code, radix: 16)) needs the second half of a pair behind it", at: index - 6, in: source)
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw .syntax("\\u\(String(code, radix: 16)) is no character", at: index, in: source)
        }
        return Array(String(Character(scalar)).utf8)
    }
}
