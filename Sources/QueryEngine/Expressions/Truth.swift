internal import Cypher
internal import GraphModel

/// Three-valued logic.
enum Truth: UInt8, Sendable {
    case `false`, `true`, unknown

    @inline(__always) init(_ flag: Bool) { self = flag ? .true : .false }

    var value: Value {
        switch self {
        case .false: .boolean(false)
        case .true: .boolean(true)
        case .unknown: .null
        }
    }

    static prefix func ! (a: Truth) -> Truth {
        switch a {
        case .false: .true
        case .true: .false
        case .unknown: .unknown
        }
    }
}

/// The comparisons of the language, in the switches of both dialects.
enum Comparing {
    /// `a = b`: unknown when it hangs on a null.
    static func equal(_ a: Value, _ b: Value) -> Truth {
        switch (a, b) {
        case (.null, _), (_, .null): return .unknown
        case (.integer(let x), .integer(let y)): return Truth(x == y)
        case (.float(let x), .float(let y)): return Truth(x == y)
        case (.integer, .float(let y)): return y.isNaN ? .false : Truth(a.order(b) == 0)
        case (.float(let x), .integer): return x.isNaN ? .false : Truth(a.order(b) == 0)
        case (.string(let x), .string(let y)): return Truth(x == y)
        case (.boolean(let x), .boolean(let y)): return Truth(x == y)
        case (.node(let x), .node(let y)): return Truth(x == y)
        case (.relationship(let x), .relationship(let y)): return Truth(x == y)
        case (.bytes(let x), .bytes(let y)): return Truth(x.bytes == y.bytes)
        case (.temporal(let x), .temporal(let y)): return Truth(x.content == y.content)
        case (.point, .point): return hasNaN(a) || hasNaN(b) ? .false : Truth(a.order(b) == 0)
        case (.path(let x), .path(let y)): return Truth(x == y)
        case (.list(let x), .list(let y)): return equal(x.elements, y.elements)
        case (.map(let x), .map(let y)): return equal(x, y)
        default: return .false
        }
    }

    private static func hasNaN(_ point: Value) -> Bool {
        if case .point(let point) = point { point.coordinates.contains { $0.isNaN } } else { false }
    }

    /// Whether comparing with it by `=` never gives unknown, and is the same as comparing for DISTINCT.
    static func isPlain(_ value: Value) -> Bool {
        switch value {
        case .boolean, .integer, .string, .bytes, .node, .relationship: true
        case .float(let number): !number.isNaN
        case .list(let list): list.elements.allSatisfy(isPlain)
        case .map(let map): map.entries.allSatisfy { isPlain($0.value) }
        case .null, .temporal, .point, .path: false
        }
    }

    private static func equal(_ a: [Value], _ b: [Value]) -> Truth {
        guard a.count == b.count else { return .false }
        var result = Truth.true
        for (x, y) in zip(a, b) {
            switch equal(x, y) {
            case .false: return .false
            case .unknown: result = .unknown
            case .true: break
            }
        }
        return result
    }

    private static func equal(_ a: MapValue, _ b: MapValue) -> Truth {
        guard a.entries.count == b.entries.count else { return .false }
        var result = Truth.true
        for (index, entry) in a.entries.enumerated() {
            // Most often the keys stand in the same order.
            let beside = b.entries[index]
            guard let other = codeUnitsEqual(beside.key, entry.key) ? beside.value : b[entry.key] else { return .false }
            switch equal(entry.value, other) {
            case .false: return .false
            case .unknown: result = .unknown
            case .true: break
            }
        }
        return result
    }

    /// -1, 0, 1; nil when the two cannot be ordered: of different kinds, a null, not a number,
    /// durations, points.
    static func order(_ a: Value, _ b: Value) -> Int? {
        switch (a, b) {
        case (.integer(let x), .integer(let y)): return x < y ? -1 : (x == y ? 0 : 1)
        case (.float(let x), .float(let y)): return x < y ? -1 : (x == y ? 0 : (x > y ? 1 : nil))
        case (.integer, .float(let y)): return y.isNaN ? nil : a.order(b)
        case (.float(let x), .integer): return x.isNaN ? nil : a.order(b)
        case (.string, .string), (.boolean, .boolean): return a.order(b)
        case (.temporal(let x), .temporal(let y)):
            // Durations have no order but the one of ORDER BY: is a month less than 30 days?
            return x.content.sort == y.content.sort && x.content.sort != .duration ? x.content.order(y.content) : nil
        case (.list(let x), .list(let y)):
            for (p, q) in zip(x.elements, y.elements) {
                guard let order = order(p, q) else { return nil }
                if order != 0 { return order }
            }
            return x.elements.count < y.elements.count ? -1 : (x.elements.count == y.elements.count ? 0 : 1)
        default: return nil
        }
    }

    static func holds(_ comparison: Expression.Comparison, _ order: Int) -> Bool {
        switch comparison {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    /// openCypher: a null makes it unknown, so do kinds that have no order among them; NaN makes it false.
    static func compare9(_ comparison: Expression.Comparison, _ a: Value, _ b: Value) -> Truth {
        switch comparison {
        case .equal: return equal(a, b)
        case .notEqual: return !equal(a, b)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            if let order = order(a, b) { return Truth(holds(comparison, order)) }
            switch (a, b) {
            case (.integer, .float), (.float, .integer), (.float, .float): return .false
            default: return .unknown
            }
        }
    }

    /// The manual's language knows two truth values: null equals null, differs from everything else and sorts last; an
    /// order between different kinds is an error.
    static func compare18(_ comparison: Expression.Comparison, _ a: Value, _ b: Value) throws(GraphError) -> Truth {
        switch comparison {
        case .equal: return Truth(a.isNull || b.isNull ? a.isNull && b.isNull : equal(a, b) == .true)
        case .notEqual: return Truth(!(a.isNull || b.isNull ? a.isNull && b.isNull : equal(a, b) == .true))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            if a.isNull || b.isNull { return Truth(holds(comparison, a.order(b))) }
            if let order = order(a, b) { return Truth(holds(comparison, order)) }
            switch (a, b) {
            case (.integer, .float), (.float, .integer), (.float, .float): return .false
            default:
                throw GraphError(
                    .typeError, "Don't know how to compare a value of type \(a.kindName) with one of type \(b.kindName)"
                )
            }
        }
    }
}
