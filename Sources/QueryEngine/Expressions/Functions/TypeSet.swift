internal import GraphModel

/// Kinds of values that a function takes or gives. Null is always among them.
struct TypeSet: OptionSet, Sendable, Hashable {
    let rawValue: UInt16

    static let boolean = TypeSet(rawValue: 1)
    static let integer = TypeSet(rawValue: 2)
    static let float = TypeSet(rawValue: 4)
    static let string = TypeSet(rawValue: 8)
    static let list = TypeSet(rawValue: 16)
    static let map = TypeSet(rawValue: 32)
    static let node = TypeSet(rawValue: 64)
    static let relationship = TypeSet(rawValue: 128)
    static let path = TypeSet(rawValue: 256)
    static let temporal = TypeSet(rawValue: 512)
    static let point = TypeSet(rawValue: 1024)
    static let bytes = TypeSet(rawValue: 2048)

    static let number: TypeSet = [.integer, .float]
    static let any = TypeSet(rawValue: 4095)

    /// The kind of a value; all kinds for null, which fits everywhere.
    init(_ value: Value) {
        switch value {
        case .null: self = .any
        case .boolean: self = .boolean
        case .integer: self = .integer
        case .float: self = .float
        case .string: self = .string
        case .bytes: self = .bytes
        case .temporal: self = .temporal
        case .point: self = .point
        case .list: self = .list
        case .map: self = .map
        case .node: self = .node
        case .relationship: self = .relationship
        case .path: self = .path
        }
    }

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// What is known of a variable.
    init(_ type: VariableType) {
        switch type {
        case .node: self = .node
        case .relationship: self = .relationship
        case .path: self = .path
        case .relationships: self = .list
        case .any: self = .any
        }
    }

    private static let names: [(TypeSet, String)] = [
        (.boolean, "BOOLEAN"), (.integer, "INTEGER"), (.float, "FLOAT"), (.string, "STRING"), (.list, "LIST"),
        (.map, "MAP"), (.node, "NODE"), (.relationship, "RELATIONSHIP"), (.path, "PATH"), (.temporal, "TEMPORAL"),
        (.point, "POINT"), (.bytes, "BYTES"),
    ]

    /// As signatures show it: `INTEGER | FLOAT`, `ANY`.
    var text: String {
        self == .any ? "ANY" : Self.names.filter { contains($0.0) }.map(\.1).joined(separator: " | ")
    }
}
