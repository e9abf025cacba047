internal import GraphModel

/// What is known of a variable when the query is planned.
enum VariableType: Sendable {
    case node, relationship, path, relationships
    /// Anything else; `types` of the variable may tell more.
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
    /// The kinds that its value can be of, as far as the query tells.
    let types: TypeSet
    /// Stands for an element that the query does not name; `*` leaves it out.
    let isHidden: Bool

    init(name: String, slot: Slot, type: VariableType, types: TypeSet? = nil, isHidden: Bool = false) {
        self.name = name
        self.slot = slot
        self.type = type
        self.types = types ?? TypeSet(type)
        self.isHidden = isHidden
    }
}

/// The variables that an expression may use, in the order they were introduced.
struct Scope: Sendable {
    private(set) var variables: [Variable] = []
    /// The place of each variable, once there are more than a few.
    private var places: [CodeUnitKey: Int] = [:]
    private static let linearCountMaximum = 16

    func find(_ name: String) -> Variable? { place(of: name).map { variables[$0] } }

    private func place(of name: String) -> Int? {
        variables.count > Self.linearCountMaximum
            ? places[CodeUnitKey(name)] : variables.firstIndex { codeUnitsEqual($0.name, name) }
    }

    mutating func add(_ variable: Variable) {
        if let place = place(of: variable.name) {
            variables.remove(at: place)
            places = [:]
        }
        variables.append(variable)
        if variables.count <= Self.linearCountMaximum { return }
        if places.isEmpty {
            for (place, variable) in variables.enumerated() { places[CodeUnitKey(variable.name)] = place }
        } else {
            places[CodeUnitKey(variable.name)] = variables.count - 1
        }
    }

    var visible: [Variable] { variables.filter { !$0.isHidden } }
}
