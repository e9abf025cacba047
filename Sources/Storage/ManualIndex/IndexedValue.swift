public import GraphModel

/// A value as a named index keeps it.
///
/// Values of all kinds are kept, and found, by their text: `1999` finds what was added as the number and as the string.
/// Those that were added as numbers for ranges are another matter, integers and floats apart from each other.
public enum IndexedValue: Sendable {
    case text(String)
    /// Found by ranges of integers.
    case integer(Int64)
    /// Found by ranges of floats.
    case float(Double)

    /// The text of a value.
    public init(_ value: Value) { self = .text(Self.text(value)) }

    /// A number for ranges. Throws `.typeError` for what is none.
    public init(numeric value: Value) throws(GraphError) {
        switch value {
        case .integer(let number): self = .integer(number)
        case .float(let number): self = .float(number)
        default:
            throw GraphError(.typeError, "a \(value.kindName) cannot be indexed as a number: give an integer or a float")
        }
    }

    /// What a property stands in an index with: the text of the value, or of each element of a list.
    public static func values(of value: Value) -> [IndexedValue] {
        if case .list(let list) = value { return list.elements.map { IndexedValue($0) } }
        return [IndexedValue(value)]
    }

    /// Its text.
    public var text: String {
        switch self {
        case .text(let text): text
        case .integer(let number): String(number)
        case .float(let number): number.description
        }
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .null: "null"
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .float(let number): number.description
        case .string(let string): string.text
        case .bytes(let bytes): "\(bytes.bytes)"
        case .temporal(let temporal): temporal.description
        case .point(let point): point.description
        case .list(let list): "[\(list.elements.map(text).joined(separator: ", "))]"
        case .map(let map): "{\(map.entries.map { "\($0.key)=\(text($0.value))" }.joined(separator: ", "))}"
        case .node(let node): node.description
        case .relationship(let relationship): relationship.description
        case .path: "path"
        }
    }

    /// As it stands in commands.
    var stored: Value {
        switch self {
        case .text(let text): .string(text)
        case .integer(let number): .integer(number)
        case .float(let number): .float(number)
        }
    }

    /// nil for a value of another kind.
    init?(stored: Value) {
        switch stored {
        case .string(let string): self = .text(string.text)
        case .integer(let number): self = .integer(number)
        case .float(let number): self = .float(number)
        default: return nil
        }
    }
}
