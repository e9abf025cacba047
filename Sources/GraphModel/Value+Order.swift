extension Value: Hashable {
    /// Identity for grouping and DISTINCT: null equals null, NaN equals NaN, and a number equals the same number of the
    /// other kind. Cypher's three-valued `=` is built on this in the query engine.
    public static func == (a: Value, b: Value) -> Bool { a.order(b) == 0 }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0 as UInt8)
        case .boolean(let value): hasher.combine(value)
        // Equal numbers of both kinds must hash alike, so both go as a double's bits (-0 as 0, one NaN).
        case .integer(let value): hasher.combine(Double(value).bitPattern)
        case .float(let value): hasher.combine(value.isNaN ? Double.nan.bitPattern : (value == 0 ? 0 : value).bitPattern)
        case .string(let value):
            var text = value.text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        case .bytes(let value): hasher.combine(value.bytes)
        case .temporal(let value): hasher.combine(value.content)
        case .point(let point):
            hasher.combine(point.system)
            for number in point.coordinates { Value.float(number).hash(into: &hasher) }
        case .list(let list): list.elements.forEach { hasher.combine($0) }
        case .map(let map): hasher.combine(map.entries.count)
        case .node(let id): hasher.combine(id)
        case .relationship(let id): hasher.combine(id)
        case .path(let path): hasher.combine(path)
        }
    }

    /// Position of this kind in the order across kinds that ORDER BY uses: maps first, null last (openCypher 9).
    private var kindRank: Int {
        switch self {
        case .map: 0
        case .node: 1
        case .relationship: 2
        case .list: 3
        case .path: 4
        case .bytes: 5
        case .point: 6
        case .temporal: 7
        case .string: 8
        case .boolean: 9
        case .integer, .float: 10
        case .null: 11
        }
    }

    /// The total order of ORDER BY: -1, 0 or 1. Numbers compare by value across kinds, NaN after every other number,
    /// strings by code units, lists element by element.
    public func order(_ other: Value) -> Int {
        func three<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : (a == b ? 0 : 1) }
        switch (self, other) {
        case (.null, .null): return 0
        case (.boolean(let a), .boolean(let b)): return three(a ? 1 : 0, b ? 1 : 0)
        case (.integer(let a), .integer(let b)): return three(a, b)
        case (.float(let a), .float(let b)): return Self.order(a, b)
        case (.integer(let a), .float(let b)): return Self.order(a, b)
        case (.float(let a), .integer(let b)): return -Self.order(b, a)
        case (.string(let a), .string(let b)): return a === b ? 0 : codeUnitOrder(a.text, b.text)
        case (.bytes(let a), .bytes(let b)):
            if a.bytes == b.bytes { return 0 }
            return a.bytes.lexicographicallyPrecedes(b.bytes) ? -1 : 1
        case (.temporal(let a), .temporal(let b)): return a === b ? 0 : a.content.order(b.content)
        case (.point(let a), .point(let b)): return a.order(b)
        case (.list(let a), .list(let b)):
            for (x, y) in zip(a.elements, b.elements) {
                let result = x.order(y)
                if result != 0 { return result }
            }
            return three(a.elements.count, b.elements.count)
        case (.map(let a), .map(let b)):
            let x = a.entries.sorted { codeUnitOrder($0.key, $1.key) < 0 }
            let y = b.entries.sorted { codeUnitOrder($0.key, $1.key) < 0 }
            for (p, q) in zip(x, y) {
                let byKey = codeUnitOrder(p.key, q.key)
                if byKey != 0 { return byKey }
                let byValue = p.value.order(q.value)
                if byValue != 0 { return byValue }
            }
            return three(x.count, y.count)
        case (.node(let a), .node(let b)): return three(a, b)
        case (.relationship(let a), .relationship(let b)): return three(a, b)
        case (.path(let a), .path(let b)):
            // As lists of nodes and relationships by turns; after the first node the relationships tell the rest.
            if let x = a.nodes.first, let y = b.nodes.first, x != y { return three(x, y) }
            for (x, y) in zip(a.relationships, b.relationships) where x != y { return three(x, y) }
            return three(a.relationships.count, b.relationships.count)
        default: return three(kindRank, other.kindRank)
        }
    }

    static func order(_ a: Double, _ b: Double) -> Int {
        if a < b { return -1 }
        if a > b { return 1 }
        if a == b { return 0 }
        return a.isNaN ? (b.isNaN ? 0 : 1) : -1
    }

    /// Compares exactly: no rounding of large integers to a double.
    private static func order(_ a: Int64, _ b: Double) -> Int {
        if b.isNaN { return -1 }
        if b >= 0x1p63 { return -1 }
        if b < -0x1p63 { return 1 }
        let whole = Int64(b)
        if a != whole { return a < whole ? -1 : 1 }
        let rest = b - Double(whole)
        return rest > 0 ? -1 : (rest < 0 ? 1 : 0)
    }
}
