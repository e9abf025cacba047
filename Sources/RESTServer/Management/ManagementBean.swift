internal import GraphModel

/// A management bean of chapter 25, as JMX over HTTP shows it.
struct ManagementBean: Sendable {
    indirect enum Content: Sendable {
        case null
        case text(String)
        case integer(Int64)
        case boolean(Bool)
        case list([Content])
        /// A composite value: its type, its own description, and its fields.
        case composite(type: String, [(name: String, value: Content)])
    }

    struct Attribute: Sendable {
        let name: String
        let description: String
        /// As Java names it.
        let type: String
        let value: Content
    }

    /// What it is about: the `name` in its object name.
    let name: String
    let description: String
    let attributes: [Attribute]

    static let domain = "org.neo4j"
    /// The key properties that all beans of this server have.
    static let instance = "instance=kernel#0"

    var objectName: String { "\(Self.domain):\(Self.instance),name=\(name)" }

    /// Whether an object name's pattern, in which `*` stands for any text and `?` for one character, fits.
    func matches(_ pattern: String) -> Bool {
        let parts = pattern.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, Self.fits(Array(Self.domain.utf8), Array(parts[0].utf8)) else { return false }
        let own = [Self.instance, "name=\(name)"]
        var wanted = parts[1].split(separator: ",").map(String.init)
        let isOpen = wanted.contains("*")
        wanted.removeAll { $0 == "*" }
        guard isOpen || wanted.count == own.count else { return false }
        return wanted.allSatisfy { pattern in own.contains { Self.fits(Array($0.utf8), Array(pattern.utf8)) } }
    }

    /// Matches without going back further than to the last star: O(text · pattern).
    private static func fits(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (at, place) = (0, 0)
        var star: (place: Int, at: Int)?
        while at < text.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, at)
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == text[at] {
                at += 1
                place += 1
            } else if let last = star {
                star = (last.place, last.at + 1)
                (place, at) = (last.place + 1, last.at + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    // MARK: JSON

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("description")
        json.string(description)
        json.key("name")
        json.string(objectName)
        json.key("attributes")
        json.beginList()
        for attribute in attributes {
            json.beginObject()
            json.key("description")
            json.string(attribute.description)
            json.key("name")
            json.string(attribute.name)
            Self.writeValue(attribute.value, &json)
            json.key("type")
            json.string(attribute.type)
            json.endObject()
        }
        json.endList()
        json.key("url")
        json.string(Self.domain + "/" + percentEncoded("\(Self.instance),name=\(name)"))
        json.endObject()
    }

    /// The manual leaves out the values that are null.
    private static func writeValue(_ value: Content, _ json: inout JSONWriter) {
        if case .null = value { return }
        json.key("value")
        write(value, &json)
    }

    private static func write(_ value: Content, _ json: inout JSONWriter) {
        switch value {
        case .null: json.null()
        case .text(let text): json.string(text)
        case .integer(let number): json.value(number)
        case .boolean(let value): json.value(value)
        case .list(let elements):
            json.beginList()
            for element in elements { write(element, &json) }
            json.endList()
        case .composite(let type, let fields):
            json.beginObject()
            json.key("description")
            json.string(type)
            json.key("value")
            json.beginList()
            for (name, value) in fields {
                json.beginObject()
                json.key("description")
                json.string(name)
                json.key("name")
                json.string(name)
                writeValue(value, &json)
                json.endObject()
            }
            json.endList()
            json.key("type")
            json.string(type)
            json.endObject()
        }
    }
}
