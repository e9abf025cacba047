import Cypher
import GraphModel

/// Equality, order and arithmetic of values as openCypher tells them, written without the engine's.
enum ReferenceValues {
    // MARK: Equality

    /// `a = b`: nil when it hangs on a null.
    static func equal(_ a: Value, _ b: Value) -> Bool? {
        switch (a, b) {
        case (.null, _), (_, .null): return nil
        case (.integer(let x), .integer(let y)): return x == y
        case (.float(let x), .float(let y)): return x == y
        case (.integer(let x), .float(let y)), (.float(let y), .integer(let x)): return Int64(exactly: y) == x
        case (.string(let x), .string(let y)): return Array(x.text.utf8) == Array(y.text.utf8)
        case (.boolean(let x), .boolean(let y)): return x == y
        case (.node(let x), .node(let y)): return x.rawValue == y.rawValue
        case (.relationship(let x), .relationship(let y)): return x.rawValue == y.rawValue
        case (.path(let x), .path(let y)):
            return x.nodes.map(\.rawValue) == y.nodes.map(\.rawValue)
                && x.relationships.map(\.rawValue) == y.relationships.map(\.rawValue)
        case (.list(let x), .list(let y)):
            guard x.elements.count == y.elements.count else { return false }
            return all(zip(x.elements, y.elements).map { equal($0, $1) })
        case (.map(let x), .map(let y)):
            guard Set(x.entries.map(\.key)) == Set(y.entries.map(\.key)) else { return false }
            return all(x.entries.map { equal($0.value, y[$0.key] ?? .null) })
        default: return false
        }
    }

    /// Conjunction in three values.
    static func all(_ truths: [Bool?]) -> Bool? {
        if truths.contains(false) { return false }
        return truths.contains(nil) ? nil : true
    }

    /// Disjunction in three values.
    static func any(_ truths: [Bool?]) -> Bool? {
        if truths.contains(true) { return true }
        return truths.contains(nil) ? nil : false
    }

    // MARK: Order

    enum Comparison {
        case order(Int)
        /// One of them is not a number: no comparison holds.
        case unordered
        /// Kinds that have no order among them, or a null.
        case incomparable
    }

    /// For `<` and its kin.
    static func compare(_ a: Value, _ b: Value) -> Comparison {
        switch (a, b) {
        case (.integer(let x), .integer(let y)): return .order(sign(x, y))
        case (.float(let x), .float(let y)): return x.isNaN || y.isNaN ? .unordered : .order(sign(x, y))
        // The numbers of these tests are small: a double holds them exactly.
        case (.integer(let x), .float(let y)): return y.isNaN ? .unordered : .order(sign(Double(x), y))
        case (.float(let x), .integer(let y)): return x.isNaN ? .unordered : .order(sign(x, Double(y)))
        case (.string(let x), .string(let y)): return .order(lexicographic(x.text, y.text))
        case (.boolean(let x), .boolean(let y)): return .order(sign(x ? 1 : 0, y ? 1 : 0))
        case (.list(let x), .list(let y)):
            for (p, q) in zip(x.elements, y.elements) {
                switch compare(p, q) {
                case .order(0): continue
                case .order(let order): return .order(order)
                default: return .incomparable
                }
            }
            return .order(sign(x.elements.count, y.elements.count))
        default: return .incomparable
        }
    }

    /// The order of ORDER BY, total over all values; 0 also says that two values are the same for DISTINCT and grouping.
    static func sortOrder(_ a: Value, _ b: Value) -> Int {
        func number(_ value: Value) -> Double? {
            switch value {
            case .integer(let number): Double(number)
            case .float(let number): number
            default: nil
            }
        }
        if let x = number(a), let y = number(b) {
            if x.isNaN || y.isNaN { return sign(x.isNaN ? 1 : 0, y.isNaN ? 1 : 0) }
            return sign(x, y)
        }
        switch (a, b) {
        case (.null, .null): return 0
        case (.boolean(let x), .boolean(let y)): return sign(x ? 1 : 0, y ? 1 : 0)
        case (.string(let x), .string(let y)): return lexicographic(x.text, y.text)
        case (.node(let x), .node(let y)): return sign(x.rawValue, y.rawValue)
        case (.relationship(let x), .relationship(let y)): return sign(x.rawValue, y.rawValue)
        case (.list(let x), .list(let y)): return sortOrder(x.elements, y.elements)
        case (.map(let x), .map(let y)):
            func flat(_ map: MapValue) -> [Value] {
                map.entries.sorted { $0.key < $1.key }.flatMap { [.string($0.key), $0.value] }
            }
            return sortOrder(flat(x), flat(y))
        case (.path(let x), .path(let y)):
            // Nodes and relationships by turns, as openCypher has it.
            func flat(_ path: Path) -> [Value] {
                path.nodes.indices.flatMap { index -> [Value] in
                    [.node(path.nodes[index])] + path.relationships.dropFirst(index).prefix(1).map { .relationship($0) }
                }
            }
            return sortOrder(flat(x), flat(y))
        default: return sign(rank(a), rank(b))
        }
    }

    private static func sortOrder(_ a: [Value], _ b: [Value]) -> Int {
        for (x, y) in zip(a, b) {
            let order = sortOrder(x, y)
            if order != 0 { return order }
        }
        return sign(a.count, b.count)
    }

    /// Maps, nodes, relationships, lists, paths, strings, booleans, numbers, null.
    private static func rank(_ value: Value) -> Int {
        switch value {
        case .map: 0
        case .node: 1
        case .relationship: 2
        case .list: 3
        case .path: 4
        case .bytes, .point, .temporal: 5
        case .string: 6
        case .boolean: 7
        case .integer, .float: 8
        case .null: 9
        }
    }

    static func areSame(_ a: [Value], _ b: [Value]) -> Bool { sortOrder(a, b) == 0 }

    private static func sign<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : (a == b ? 0 : 1) }

    private static func lexicographic(_ a: String, _ b: String) -> Int {
        let (x, y) = (Array(a.utf16), Array(b.utf16))
        return x == y ? 0 : (x.lexicographicallyPrecedes(y) ? -1 : 1)
    }

    // MARK: Arithmetic

    static func calculate(
        _ operation: Expression.Arithmetic, _ a: Value, _ b: Value, _ dialect: Dialect
    ) throws -> Value {
        switch (a, b) {
        case (.integer(let x), .integer(let y)) where dialect == .cypher18:
            return .float(try floats(operation, Double(x), Double(y)))
        case (.integer(let x), .integer(let y)): return try integers(operation, x, y)
        case (.integer(let x), .float(let y)): return .float(try floats(operation, Double(x), y))
        case (.float(let x), .integer(let y)): return .float(try floats(operation, x, Double(y)))
        case (.float(let x), .float(let y)): return .float(try floats(operation, x, y))
        default: break
        }
        guard case .add = operation else {
            if a.isNull || b.isNull { return .null }
            throw ReferenceFailure("\(a.kindName) \(operation) \(b.kindName)")
        }
        switch (a, b) {
        case (.null, _), (_, .null): return .null
        case (.list(let x), .list(let y)): return .list(x.elements + y.elements)
        case (.list(let x), _): return .list(x.elements + [b])
        case (_, .list(let y)): return .list([a] + y.elements)
        case (.string(let x), .string(let y)): return .string(x.text + y.text)
        case (.string(let x), .integer), (.string(let x), .float), (.string(let x), .boolean):
            if dialect == .cypher9 { return .string(x.text + plainText(b)) }
        case (.integer, .string(let y)), (.float, .string(let y)), (.boolean, .string(let y)):
            if dialect == .cypher9 { return .string(plainText(a) + y.text) }
        default: break
        }
        throw ReferenceFailure("\(a.kindName) + \(b.kindName)")
    }

    private static func integers(_ operation: Expression.Arithmetic, _ x: Int64, _ y: Int64) throws -> Value {
        let result: (partialValue: Int64, overflow: Bool)
        switch operation {
        case .add: result = x.addingReportingOverflow(y)
        case .subtract: result = x.subtractingReportingOverflow(y)
        case .multiply: result = x.multipliedReportingOverflow(by: y)
        case .divide: result = x.dividedReportingOverflow(by: y)
        case .modulo: result = x.remainderReportingOverflow(dividingBy: y)
        case .power: return .float(try floats(.power, Double(x), Double(y)))
        }
        if result.overflow { throw ReferenceFailure("\(x) \(operation) \(y)") }
        return .integer(result.partialValue)
    }

    private static func floats(_ operation: Expression.Arithmetic, _ x: Double, _ y: Double) throws -> Double {
        switch operation {
        case .add: return x + y
        case .subtract: return x - y
        case .multiply: return x * y
        case .divide: return x / y
        case .modulo: return x.truncatingRemainder(dividingBy: y)
        case .power:
            // Small whole exponents only: exact by multiplying.
            guard let count = Int(exactly: y), 0...8 ~= count else {
                throw ReferenceFailure("\(x) ^ \(y) is more than is tested", isExhaustion: true)
            }
            return (0..<count).reduce(1) { product, _ in product * x }
        }
    }

    /// A scalar as text. Floats here have few digits: Swift writes them as Java does.
    static func plainText(_ value: Value) -> String {
        switch value {
        case .string(let text): text.text
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .boolean(let flag): flag ? "true" : "false"
        default: "?"
        }
    }
}

/// Values as text for comparing answers.
struct ValueText {
    /// Whether lists are sets of their elements and 1 is 1.0: where the language leaves the order of rows open, the
    /// order in a collected list is open too, and so is which of two equal values stands for both.
    let isLoose: Bool
    var names: ElementNames?

    func text(_ row: [Value]) -> String { row.map { text($0) }.joined(separator: " | ") }

    func text(_ value: Value) -> String {
        switch value {
        case .null: return "null"
        case .boolean(let flag): return "\(flag)"
        case .integer(let number): return isLoose ? "\(Double(number))" : "\(number)"
        // Zero has no sign that a query can see.
        case .float(let number): return "\(number == 0 ? 0 : number)"
        case .string(let text): return "'\(text.text)'"
        case .list(let list):
            let texts = list.elements.map { text($0) }
            return "[\((isLoose ? texts.sorted() : texts).joined(separator: ", "))]"
        case .map(let map):
            return "{\(map.entries.map { "\($0.key): \(text($0.value))" }.sorted().joined(separator: ", "))}"
        case .node(let id): return node(id)
        case .relationship(let id): return relationship(id)
        case .path(let path):
            let nodes = path.nodes.map { node($0) }.joined()
            return "<\(nodes) \(path.relationships.map { relationship($0) }.joined())>"
        case .bytes, .temporal, .point: return value.kindName
        }
    }

    private func node(_ id: NodeID) -> String { names.map { $0.nodes[id.rawValue] ?? "gone" } ?? "(\(id.rawValue))" }

    private func relationship(_ id: RelationshipID) -> String {
        names.map { $0.relationships[id.rawValue] ?? "gone" } ?? "[\(id.rawValue)]"
    }
}
