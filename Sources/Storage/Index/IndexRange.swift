public import GraphModel

/// A range of an index, in the order of `Value.order`.
///
/// A range with bounds holds only values of the kind of its bounds, as comparisons in queries do: `> 5` means numbers,
/// without NaN; `> "m"` means strings.
public struct IndexRange: Sendable {
    /// A bound and whether the value itself belongs to the range.
    public struct Bound: Sendable {
        public let value: Value
        public let isIncluded: Bool
        public init(_ value: Value, isIncluded: Bool) {
            self.value = value
            self.isIncluded = isIncluded
        }
    }

    /// Key bytes: from `lower` on, up to but without `upper`; nil for no end.
    let lower: [UInt8]
    let upper: [UInt8]?

    init(lower: [UInt8], upper: [UInt8]?) {
        self.lower = lower
        self.upper = upper
    }

    /// Everything in the index.
    public static let all = IndexRange(lower: [], upper: nil)
    /// Nothing.
    public static let empty = IndexRange(lower: [], upper: [])

    /// All entries whose first keys have these values; fewer values than keys are allowed.
    ///
    /// A value that no property can have gives the empty range. NaN finds NaN, which the `=` of queries does not.
    public static func equal(_ values: [Value]) -> IndexRange {
        var key: [UInt8] = []
        for value in values where !IndexKey.append(value, to: &key) { return .empty }
        return IndexRange(lower: key, upper: key + [IndexKey.end])
    }

    /// All entries whose first keys have the values `leading` and whose next key lies between two bounds, of which one
    /// may be missing. Bounds of two kinds give the empty range; so does one that no property can have, and a point or a
    /// duration, which comparisons do not order.
    public static func between(_ lower: Bound?, _ upper: Bound?, after leading: [Value] = []) -> IndexRange {
        var prefix: [UInt8] = []
        for value in leading where !IndexKey.append(value, to: &prefix) { return .empty }
        var kind: UInt8?
        func key(_ bound: Bound) -> [UInt8]? {
            if case .float(let number) = bound.value, number.isNaN { return nil }
            if case .point = bound.value { return nil }
            if case .temporal(let temporal) = bound.value, temporal.content.sort == .duration { return nil }
            var key = prefix
            guard IndexKey.append(bound.value, to: &key) else { return nil }
            let tag = key[prefix.count]
            if let known = kind, known != tag { return nil }
            kind = tag
            return key
        }
        var from = prefix
        var to = prefix + [IndexKey.end]
        if let lower {
            guard let bound = key(lower) else { return .empty }
            from = lower.isIncluded ? bound : bound + [IndexKey.end]
        }
        if let upper {
            guard let bound = key(upper) else { return .empty }
            to = upper.isIncluded ? bound + [IndexKey.end] : bound
        }
        if let kind {
            if lower == nil { from = prefix + [kind] }
            if upper == nil {
                // NaN is last of the numbers and above no bound.
                to = prefix + (kind == IndexKey.Tag.number ? [kind] + [UInt8](repeating: 0xFF, count: 8) : [kind + 1])
            }
        }
        return IndexRange(lower: from, upper: to)
    }

    /// All entries whose first keys have the values `leading` and whose next key is a string that begins with `text`.
    public static func prefix(_ text: String, after leading: [Value] = []) -> IndexRange {
        var key: [UInt8] = []
        for value in leading where !IndexKey.append(value, to: &key) { return .empty }
        IndexKey.append(textPrefix: text, to: &key)
        return IndexRange(lower: key, upper: key + [IndexKey.end])
    }
}
