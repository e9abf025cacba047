/// What an index makes of a value before it keeps it, and of a query before it looks for it.
public struct Analyzer: Sendable, Equatable {
    public enum Splitting: Sendable, Equatable {
        /// The whole value is one token.
        case nowhere
        case atBlanks
        /// Tokens are runs of letters.
        case letters
        /// Tokens are runs of letters and digits.
        case lettersAndDigits
    }

    public let splitting: Splitting
    public let lowercases: Bool

    public init(_ splitting: Splitting, lowercases: Bool) {
        self.splitting = splitting
        self.lowercases = lowercases
    }

    /// Whether a value is its only token.
    public var isIdentity: Bool { splitting == .nowhere && !lowercases }

    /// A term as the index keeps it, without splitting: for wildcards and ranges.
    public func normalized(_ text: String) -> String { lowercases ? text.lowercased() : text }

    public func tokens(_ text: String) -> [String] {
        let text = normalized(text)
        if splitting == .nowhere { return [text] }
        if let tokens = plainTokens(text) { return tokens }
        var tokens: [String] = []
        var token = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isPart(scalar) {
                token.append(scalar)
            } else if !token.isEmpty {
                tokens.append(String(token))
                token = String.UnicodeScalarView()
            }
        }
        if !token.isEmpty { tokens.append(String(token)) }
        return tokens
    }

    private func isPart(_ scalar: Unicode.Scalar) -> Bool {
        switch splitting {
        case .nowhere: true
        case .atBlanks: !scalar.properties.isWhitespace
        case .letters: scalar.properties.isAlphabetic
        case .lettersAndDigits: scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        }
    }

    /// The same for ASCII, by bytes; nil when there is anything else.
    private func plainTokens(_ text: String) -> [String]? {
        var text = text
        return text.withUTF8 { bytes in
            if bytes.contains(where: { $0 >= 0x80 }) { return nil }
            return bytes.split { !isPlainPart($0) }.map { String(decoding: UnsafeBufferPointer(rebasing: $0), as: UTF8.self) }
        }
    }

    private func isPlainPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): splitting != .letters
        case 0x09...0x0D, 0x20: splitting == .nowhere
        default: splitting == .nowhere || splitting == .atBlanks
        }
    }

    // MARK: Configuration

    /// The analyzer that an index's configuration asks for (`type`, `to_lower_case`, `analyzer`); nil, with the setting
    /// that is wrong, when there is none such.
    public static func configured(_ configuration: [String: String]) -> (analyzer: Analyzer?, wrong: String) {
        let lowering: Bool?
        switch configuration["to_lower_case"]?.lowercased() {
        case nil: lowering = nil
        case "true": lowering = true
        case "false": lowering = false
        case let other?: return (nil, "to_lower_case is \"\(other)\": allowed are true and false")
        }
        if let name = configuration["analyzer"] {
            // The class names of the original, or their last part.
            let last = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
            switch last.hasSuffix("analyzer") ? String(last.dropLast(8)) : last {
            case "keyword": return (Analyzer(.nowhere, lowercases: lowering ?? false), "")
            case "lowercasekeyword": return (Analyzer(.nowhere, lowercases: true), "")
            case "whitespace": return (Analyzer(.atBlanks, lowercases: lowering ?? false), "")
            case "simple": return (Analyzer(.letters, lowercases: lowering ?? true), "")
            case "standard": return (Analyzer(.lettersAndDigits, lowercases: lowering ?? true), "")
            default:
                return (nil, "analyzer is \"\(name)\": there are keyword, lowercasekeyword, whitespace, simple and standard")
            }
        }
        switch configuration["type"]?.lowercased() {
        case nil, "exact": return (Analyzer(.nowhere, lowercases: lowering ?? false), "")
        case "fulltext": return (Analyzer(.atBlanks, lowercases: lowering ?? true), "")
        case let other?: return (nil, "type is \"\(other)\": allowed are exact and fulltext")
        }
    }
}
