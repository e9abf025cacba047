internal import Cypher
internal import GraphModel

/// What is known of a variable when the query is planned.
enum VariableType: Sendable {
    case node, relationship, path, relationships
    /// Known only when the query runs.
    case any

    var text: String {
        switch self {
        case .node: "a node"
        case .relationship: "a relationship"
        case .path: "a path"
        case .relationships: "a collection of relationships"
        case .any: "a value"
        }
    }

    var holding: Slot.Holding {
        switch self {
        case .node: .node
        case .relationship: .relationship
        case .path, .relationships, .any: .value
        }
    }
}

struct Variable: Sendable {
    let name: String
    let slot: Slot
    let type: VariableType
    /// Stands for an element that the query does not name; `*` leaves it out.
    var isHidden = false
}

/// The variables that an expression may use, in the order they were introduced.
struct Scope: Sendable {
    private(set) var variables: [Variable] = []

    func find(_ name: String) -> Variable? { variables.last { codeUnitsEqual($0.name, name) } }

    mutating func add(_ variable: Variable) {
        variables.removeAll { codeUnitsEqual($0.name, variable.name) }
        variables.append(variable)
    }

    var visible: [Variable] { variables.filter { !$0.isHidden } }
}

extension Expression {
    /// Whether two expressions are written alike, wherever they stand.
    func isSame(as other: Expression) -> Bool {
        func all(_ a: [Expression], _ b: [Expression]) -> Bool {
            a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
        }
        guard depth == other.depth, all(children, other.children) else { return false }
        switch (kind, other.kind) {
        case (.literal(let a), .literal(let b)): return a.kindName == b.kindName && a == b
        case (.parameter(let a), .parameter(let b)), (.variable(let a), .variable(let b)): return codeUnitsEqual(a, b)
        case (.property(_, let a, let x), .property(_, let b, let y)): return codeUnitsEqual(a, b) && x == y
        case (.map(let a), .map(let b)): return zip(a, b).allSatisfy { codeUnitsEqual($0.key, $1.key) }
        case (.compare(let a, _, _), .compare(let b, _, _)): return a == b
        case (.arithmetic(let a, _, _), .arithmetic(let b, _, _)): return a == b
        case (.stringMatch(let a, _, _), .stringMatch(let b, _, _)): return a == b
        case (.hasLabels(_, let a), .hasLabels(_, let b)): return a == b
        case (.function(let a, let x, _), .function(let b, let y, _)): return a == b && x == y
        case (.slice(_, let a, let x), .slice(_, let b, let y)):
            return (a == nil) == (b == nil) && (x == nil) == (y == nil)
        case (.list, .list), (.not, .not), (.negate, .negate), (.and, .and), (.or, .or), (.xor, .xor), (.in, .in),
            (.isNull, .isNull), (.subscripted, .subscripted), (.countAll, .countAll):
            return true
        default: return false
        }
    }

    /// The first of all expressions below and including this one for which `test` holds.
    func first(where test: (Expression) -> Bool) -> Expression? {
        if test(self) { return self }
        for child in children {
            if let found = child.first(where: test) { return found }
        }
        return nil
    }
}
