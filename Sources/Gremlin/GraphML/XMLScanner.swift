internal import GraphModel

/// Reads the parts of an XML document that data uses, one after the other: elements with attributes, text, the five named
/// entities and those by number, comments, CDATA. Document types are refused, and with them entities of one's own, which
/// can be made to stand for whole files or for gigabytes. Elements are given under their names without a prefix.
struct XMLScanner {
    enum Event: Equatable {
        /// `<name a="b">`; of `<name/>` the end comes next.
        case start(String, attributes: [String: String])
        case end(String)
        /// What stands between tags; one text may come in several parts.
        case text(String)
    }

    /// Most elements one inside the other.
    static let depthMaximum = 64

    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var open: [String] = []
    private var isEmptyElement = false
    private var hasRoot = false

    /// - Throws: `.scriptFailure` when it is not UTF-8.
    init(_ bytes: [UInt8]) throws(GraphError) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw GraphError(.scriptFailure, "the document is not UTF-8")
        }
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    func fail(_ message: String) -> GraphError { GraphError(.scriptFailure, "line \(line) of the document: \(message)") }

    /// The next part; nil at the end of the document.
    mutating func next() throws(GraphError) -> Event? {
        if isEmptyElement {
            isEmptyElement = false
            return .end(open.removeLast())
        }
        while offset < bytes.count {
            if bytes[offset] != UInt8(ascii: "<") {
                let text = try text(upTo: "<")
                if !open.isEmpty { return .text(text) }
                guard text.utf8.allSatisfy(Self.isSpace) else { throw fail("text outside of the first element") }
            } else if skip("<!--") {
                _ = try raw(through: "-->", "a comment")
            } else if skip("<![CDATA[") {
                if open.isEmpty { throw fail("text outside of the first element") }
                return .text(String(decoding: try raw(through: "]]>", "a CDATA section"), as: UTF8.self))
            } else if skip("<?") {
                _ = try raw(through: "?>", "an instruction")
            } else if skip("<!") {
                throw fail("document types are not read")
            } else if skip("</") {
                let name = try name()
                skipSpaces()
                guard skip(">") else { throw fail("</\(name) is not closed") }
                guard open.last == name else { throw fail("</\(name)> closes \(open.last.map { "<\($0)>" } ?? "nothing")") }
                open.removeLast()
                return .end(name)
            } else {
                return try element()
            }
        }
        if let name = open.last { throw fail("<\(name)> is not closed") }
        if !hasRoot { throw fail("there is no element") }
        return nil
    }

    private mutating func element() throws(GraphError) -> Event {
        advance(1)
        let name = try name()
        if open.isEmpty && hasRoot { throw fail("<\(name)> comes after the first element") }
        if open.count == Self.depthMaximum { throw fail("more than \(Self.depthMaximum) elements one inside the other") }
        var attributes: [String: String] = [:]
        while true {
            skipSpaces()
            isEmptyElement = skip("/>")
            if isEmptyElement || skip(">") { break }
            let attribute = try self.name()
            skipSpaces()
            guard skip("=") else { throw fail("the attribute \(attribute) has no value") }
            skipSpaces()
            let quote: String
            if skip("\"") { quote = "\"" } else if skip("'") { quote = "'" } else {
                throw fail("the value of \(attribute) is not in quotes")
            }
            let value = try text(upTo: quote)
            guard skip(quote) else { throw fail("the value of \(attribute) has no end") }
            guard attributes.updateValue(value, forKey: attribute) == nil else { throw fail("\(attribute) is there twice") }
        }
        open.append(name)
        hasRoot = true
        return .start(name, attributes: attributes)
    }

    // MARK: Characters

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private mutating func advance(_ count: Int) {
        for byte in bytes[offset..<offset + count] where byte == 0x0A { line += 1 }
        offset += count
    }

    private mutating func skip(_ text: String) -> Bool {
        guard bytes[offset...].starts(with: text.utf8) else { return false }
        advance(text.utf8.count)
        return true
    }

    private mutating func skipSpaces() {
        while offset < bytes.count, Self.isSpace(bytes[offset]) { advance(1) }
    }

    private mutating func name() throws(GraphError) -> String {
        let rest = bytes[offset...]
        let end = rest.firstIndex { Self.isSpace($0) || "=/><\"'&".utf8.contains($0) } ?? rest.endIndex
        let whole = String(decoding: rest[..<end], as: UTF8.self)
        advance(end - offset)
        let local = whole.split(separator: ":", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        if local.isEmpty { throw fail("a name is missing") }
        return local
    }

    /// What comes before `end`, and skips that, too.
    private mutating func raw(through end: String, _ what: String) throws(GraphError) -> ArraySlice<UInt8> {
        let start = offset
        let mark = Array(end.utf8)
        while offset + mark.count <= bytes.count {
            if bytes[offset..<offset + mark.count].elementsEqual(mark) {
                let content = bytes[start..<offset]
                advance(mark.count)
                return content
            }
            advance(1)
        }
        throw fail("\(what) has no end")
    }

    private mutating func text(upTo end: String) throws(GraphError) -> String {
        var text: [UInt8] = []
        while offset < bytes.count, !end.utf8.contains(bytes[offset]) {
            if bytes[offset] == UInt8(ascii: "&") {
                text += Array(String(try entity()).utf8)
            } else if bytes[offset] == UInt8(ascii: "<") {
                throw fail("\"<\" inside of a value")
            } else {
                text.append(bytes[offset])
                advance(1)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func entity() throws(GraphError) -> Character {
        // The longest that means something is `&#x10FFFF;`.
        let rest = bytes[offset...].prefix(12)
        guard let end = rest.firstIndex(of: UInt8(ascii: ";")) else { throw fail("\"&\" begins no entity") }
        let name = String(decoding: rest[(offset + 1)..<end], as: UTF8.self)
        advance(end + 1 - offset)
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let number =
                name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16)
                : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            guard let scalar = number.flatMap(Unicode.Scalar.init) else { throw fail("&\(name); is not known") }
            return Character(scalar)
        }
    }
}
