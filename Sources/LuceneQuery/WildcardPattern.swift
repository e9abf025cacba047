/// A term with `*` for any characters and `?` for one. Compares code units.
public struct WildcardPattern: Sendable {
    public enum Unit: Sendable {
        case scalar(Unicode.Scalar)
        /// `?`
        case one
        /// `*`
        case many
    }

    /// What every match begins with.
    public let prefix: String
    /// Bytes of UTF-8, and the two wildcards above them.
    private let pattern: [UInt16]
    private static let one: UInt16 = 256
    private static let many: UInt16 = 257

    public init(_ units: [Unit]) {
        var pattern: [UInt16] = []
        var prefix = String.UnicodeScalarView()
        var isPrefix = true
        for unit in units {
            switch unit {
            case .scalar(let scalar):
                pattern.append(contentsOf: UTF8.encode(scalar).map { Array($0) }?.map(UInt16.init) ?? [])
                if isPrefix { prefix.append(scalar) }
            case .one:
                pattern.append(Self.one)
                isPrefix = false
            case .many:
                if pattern.last != Self.many { pattern.append(Self.many) }
                isPrefix = false
            }
        }
        self.pattern = pattern
        self.prefix = String(prefix)
    }

    private init(pattern: [UInt16], prefix: String) {
        self.pattern = pattern
        self.prefix = prefix
    }

    /// Everything that begins with a text.
    public static func beginning(with text: String) -> WildcardPattern {
        WildcardPattern(pattern: text.utf8.map(UInt16.init) + [many], prefix: text)
    }

    /// The same for an index that keeps terms in lower case.
    public func lowercased() -> WildcardPattern {
        var result: [UInt16] = []
        var run: [UInt8] = []
        func flush() {
            result += String(decoding: run, as: UTF8.self).lowercased().utf8.map(UInt16.init)
            run = []
        }
        for unit in pattern {
            if unit < Self.one {
                run.append(UInt8(unit))
            } else {
                flush()
                result.append(unit)
            }
        }
        flush()
        return WildcardPattern(pattern: result, prefix: prefix.lowercased())
    }

    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches($0) }
    }

    /// Goes on greedily and comes back to the last `*` only: O(pattern × text) at worst.
    private func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var place = 0
        var index = 0
        var retry: (index: Int, place: Int)?
        while place < text.count {
            if index < pattern.count {
                let unit = pattern[index]
                if unit == Self.many {
                    retry = (index + 1, place)
                    index += 1
                    continue
                }
                if unit == Self.one, text[place] & 0xC0 != 0x80 {
                    place += 1
                    while place < text.count, text[place] & 0xC0 == 0x80 { place += 1 }
                    index += 1
                    continue
                }
                if unit == UInt16(text[place]) {
                    place += 1
                    index += 1
                    continue
                }
            }
            guard let (next, start) = retry else { return false }
            retry = (next, start + 1)
            index = next
            place = start + 1
        }
        while index < pattern.count, pattern[index] == Self.many { index += 1 }
        return index == pattern.count
    }
}
