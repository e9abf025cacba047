internal import GraphModel

/// What a part of an expression is worth.
enum ExpressionValue: Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case float(Double)
    case string(String)
    case list([Value])
    /// A date, a point: what can be compared and nothing else.
    case other(Value)
    case node(NodeID)
    case relationship(RelationshipID)
    case relationshipType(String)
    /// The path to where the traversal is.
    case path

    init(_ value: Value) {
        switch value {
        case .null: self = .null
        case .boolean(let flag): self = .boolean(flag)
        case .integer(let number): self = .integer(number)
        case .float(let number): self = .float(number)
        case .string(let text): self = .string(text.text)
        case .list(let list): self = .list(list.elements)
        // A byte is signed where this language comes from.
        case .bytes(let bytes): self = .list(bytes.bytes.map { .integer(Int64(Int8(bitPattern: $0))) })
        case .node(let id): self = .node(id)
        case .relationship(let id): self = .relationship(id)
        case .temporal, .point, .map, .path: self = .other(value)
        }
    }

    /// As messages show it.
    var kindName: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer, .float: "a number"
        case .string: "a string"
        case .list: "a list"
        case .other(let value): "a \(value.kindName)"
        case .node: "a node"
        case .relationship: "a relationship"
        case .relationshipType: "a relationship type"
        case .path: "a path"
        }
    }

    /// As JavaScript writes it; nil for what has no such text.
    var text: String? {
        switch self {
        case .null: "null"
        case .boolean(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .float(let number):
            number == number.rounded() && number.magnitude < 0x1p53 ? "\(Int64(number))" : Self.text(number)
        case .string(let text), .relationshipType(let text): text
        case .node(let id): id.description
        case .relationship(let id): id.description
        case .list, .other, .path: nil
        }
    }

    private static func text(_ number: Double) -> String {
        number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-Infinity" : "Infinity") : "\(number)"
    }

    var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .float(let number): number
        default: nil
        }
    }

    // MARK: Comparison

    /// Equality as `==` has it: null equals only itself, a text equals the number that it is.
    func equals(_ other: ExpressionValue) -> Bool {
        switch (self, other) {
        case (.null, .null), (.path, .path): return true
        case (.boolean(let a), .boolean(let b)): return a == b
        case (.integer(let a), .integer(let b)): return a == b
        case (.string(let a), .string(let b)), (.relationshipType(let a), .relationshipType(let b)):
            return codeUnitsEqual(a, b)
        case (.string(let text), .integer), (.string(let text), .float):
            return Double(text).map { other.equals(.float($0)) } ?? false
        case (.integer, .string), (.float, .string): return other.equals(self)
        case (.node(let a), .node(let b)): return a == b
        case (.relationship(let a), .relationship(let b)): return a == b
        case (.list(let a), .list(let b)):
            return a.count == b.count && zip(a, b).allSatisfy { ExpressionValue($0).equals(ExpressionValue($1)) }
        case (.other(let a), .other(let b)): return a == b
        default:
            if let a = number, let b = other.number { return a == b }
            return false
        }
    }

    /// Less than zero, zero, or more; nil for what has no order. Numbers are compared as doubles where one is one; NaN is
    /// in no order with anything and must be looked for before.
    func order(_ other: ExpressionValue) -> Int? {
        if case .integer(let a) = self, case .integer(let b) = other { return a < b ? -1 : a == b ? 0 : 1 }
        if case .string(let a) = self, case .string(let b) = other { return a.utf16Difference(from: b) }
        guard let a = number, let b = other.number else { return nil }
        return a < b ? -1 : a == b ? 0 : 1
    }
}
