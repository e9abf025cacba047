internal import GraphModel

extension Item {
    /// As `==` has it: by value, a number equals the same number of another kind.
    func equals(_ other: Item, depth: Int = 0) throws(GraphError) -> Bool {
        switch (self, other) {
        case (.null, .null): return true
        case (.boolean(let a), .boolean(let b)): return a == b
        case (.integer(let a), .integer(let b)): return a == b
        case (.string(let a), .string(let b)): return codeUnitsEqual(a, b)
        case (.vertex(let a), .vertex(let b)): return a == b
        case (.edge(let a), .edge(let b)): return a == b
        case (.stored(let a), .stored(let b)): return a == b
        case (.type(let a), .type(let b)): return a == b
        case (.object(.relationshipType(let a)), .object(.relationshipType(let b))): return codeUnitsEqual(a, b)
        case (.object(.direction(let a)), .object(.direction(let b))): return a == b
        case (.closure(let a), .closure(let b)): return a === b
        case (.pipe(let a), .pipe(let b)): return a === b
        case (.table(let a), .table(let b)): return a === b
        case (.map(let a), .map(let b)):
            if a === b { return true }
            guard a.count == b.count else { return false }
            for (key, value) in a.all {
                guard let other = try b.value(key), try value.equals(other, depth: depth + 1) else { return false }
            }
            return true
        case (.list, .list), (.list, .range), (.range, .list), (.range, .range):
            if case .list(let a) = self, case .list(let b) = other, a === b { return true }
            if depth > 32 { throw GraphError(.scriptFailure, "the script fails: a list is too deep to be compared") }
            guard let a = elementCount, let b = other.elementCount, a == b else { return false }
            for index in 0..<a {
                guard try element(index).equals(try other.element(index), depth: depth + 1) else { return false }
            }
            return true
        default:
            if let a = number, let b = other.number { return a == b }
            return false
        }
    }

    /// How many elements a list or a range has.
    var elementCount: Int? {
        switch self {
        case .list(let list): list.elements.count
        case .range(let first, let last): Int((last - first).magnitude) + 1
        default: nil
        }
    }

    /// An element of a list or of a range; null beyond it.
    func element(_ index: Int) throws(GraphError) -> Item {
        switch self {
        case .list(let list): return list.elements.indices.contains(index) ? list.elements[index] : .null
        case .range(let first, let last):
            guard index >= 0, let count = elementCount, index < count else { return .null }
            return .integer(first <= last ? first + Int64(index) : first - Int64(index))
        default: return .null
        }
    }

    /// Less than zero, zero, or more. Null comes before everything. Throws for what has no order.
    func order(_ other: Item) throws(GraphError) -> Int {
        switch (self, other) {
        case (.null, .null): return 0
        case (.null, _): return -1
        case (_, .null): return 1
        case (.integer(let a), .integer(let b)): return a < b ? -1 : a == b ? 0 : 1
        case (.string(let a), .string(let b)): return codeUnitOrder(a, b)
        case (.boolean(let a), .boolean(let b)): return a == b ? 0 : a ? 1 : -1
        case (.stored(let a), .stored(let b)): return a.order(b)
        case (.vertex(let a), .vertex(let b)): return a < b ? -1 : a == b ? 0 : 1
        case (.edge(let a), .edge(let b)): return a < b ? -1 : a == b ? 0 : 1
        default:
            if let a = number, let b = other.number {
                // NaN comes last, so that there is an order.
                if a.isNaN || b.isNaN { return a.isNaN ? (b.isNaN ? 0 : 1) : -1 }
                return a < b ? -1 : a == b ? 0 : 1
            }
            throw GraphError(.scriptFailure, "the script fails: \(kindName) and \(other.kindName) cannot be compared")
        }
    }
}

/// Puts items in order, equal ones in the order in which they are. The order may be a closure's, and fail.
func sorted(
    _ items: [Item], by isOrdered: (Item, Item) throws(GraphError) -> Int
) throws(GraphError) -> [Item] {
    if items.count < 2 { return items }
    var (source, target) = (items, items)
    var width = 1
    while width < items.count {
        var start = 0
        while start < items.count {
            let (middle, end) = (min(start + width, items.count), min(start + 2 * width, items.count))
            var (left, right, place) = (start, middle, start)
            while left < middle && right < end {
                if try isOrdered(source[left], source[right]) <= 0 {
                    target[place] = source[left]
                    left += 1
                } else {
                    target[place] = source[right]
                    right += 1
                }
                place += 1
            }
            while left < middle {
                target[place] = source[left]
                (left, place) = (left + 1, place + 1)
            }
            while right < end {
                target[place] = source[right]
                (right, place) = (right + 1, place + 1)
            }
            start = end
        }
        swap(&source, &target)
        width *= 2
    }
    return source
}
