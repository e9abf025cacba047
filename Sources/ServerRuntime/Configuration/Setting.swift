internal import GraphModel

/// One configuration key: its name, its meaning, what it may hold. The table in the documentation is made from these.
public struct Setting<Value: Sendable>: Sendable {
    public let name: String
    /// As it would stand in the file; nil when the key has no default.
    public let defaultText: String?
    /// What is allowed, for messages and documentation.
    public let allowed: String
    public let meaning: String
    /// Whether its value is shown to nobody.
    public let isSecret: Bool
    /// nil for what is not allowed.
    public let parse: @Sendable (String) -> Value?

    init(
        _ name: String, default defaultText: String?, allowed: String, _ meaning: String,
        isSecret: Bool = false, parse: @escaping @Sendable (String) -> Value?
    ) {
        self.name = name
        self.defaultText = defaultText
        self.allowed = allowed
        self.meaning = meaning
        self.isSecret = isSecret
        self.parse = parse
    }
}

/// A setting without its type, for the table of all keys.
public struct AnySetting: Sendable {
    public let name: String
    public let defaultText: String?
    public let allowed: String
    public let meaning: String
    public let isSecret: Bool
    let accepts: @Sendable (String) -> Bool

    init<Value>(_ setting: Setting<Value>) {
        name = setting.name
        defaultText = setting.defaultText
        allowed = setting.allowed
        meaning = setting.meaning
        isSecret = setting.isSecret
        let parse = setting.parse
        accepts = { parse($0) != nil }
    }

    /// `MARTLET_HA_SERVER_ID` for `ha.server_id`.
    public var environmentName: String {
        "MARTLET_" + String(name.map { $0 == "." ? "_" : $0 }).uppercased()
    }
}

/// Parsers that several settings share.
enum Parse {
    static func text(_ text: String) -> String? { text.isEmpty ? nil : text }

    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true": true
        case "false": false
        default: nil
        }
    }

    static func integer(_ range: ClosedRange<Int>) -> @Sendable (String) -> Int? {
        { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// `500ms`, `10s`, `2m`, `1h`, `7d`; a bare number is seconds, as in the manual.
    static func duration(_ text: String) -> Milliseconds? {
        let units: [(String, UInt64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let number = UInt64(text.dropLast(unit.count)), number < 1 << 40 else { continue }
            return Milliseconds(number * factor)
        }
        return UInt64(text).flatMap { $0 < 1 << 40 ? Milliseconds($0 * 1000) : nil }
    }

    /// `64M`, `2G`, `512k`, or bytes.
    static func byteCount(_ text: String) -> UInt64? {
        let units: [(Character, UInt64)] = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)]
        if let last = text.lowercased().last, let unit = units.first(where: { $0.0 == last }) {
            return UInt64(text.dropLast()).flatMap { $0 < 1 << 30 ? $0 * unit.1 : nil }
        }
        return UInt64(text)
    }

    /// `host:port`; the port may be 0 for one chosen by the kernel.
    static func address(_ text: String) -> String? {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
            let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port)
        else { return nil }
        return text
    }

    /// `name, phone`: property names; none at all is allowed, too.
    static func names(_ text: String) -> [String]? {
        text.split(separator: ",").map { String($0.trimmingSpaces) }.filter { !$0.isEmpty }
    }

    static func addresses(_ text: String) -> [String]? {
        let list = text.split(separator: ",").map { String($0.trimmingSpaces) }
        return list.isEmpty || list.contains { address($0) == nil } ? nil : list
    }
}

extension StringProtocol {
    var trimmingSpaces: SubSequence {
        var part = self[...]
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        while let last = part.last, last.isWhitespace { part.removeLast() }
        return part
    }
}
