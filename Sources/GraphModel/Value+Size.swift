// How large a value is, known without looking into it: lists and maps reckon it up when they are made.

extension Value {
    /// Bytes that it takes with what it refers to, roughly.
    @inlinable
    public var byteCount: Int {
        switch self {
        case .null, .boolean, .integer, .float, .node, .relationship: MemoryLayout<Value>.stride
        default: referredByteCount
        }
    }

    @usableFromInline
    var referredByteCount: Int {
        let own = MemoryLayout<Value>.stride
        switch self {
        case .null, .boolean, .integer, .float, .node, .relationship: return own
        case .string(let text): return own + 32 + text.text.utf8.count
        case .bytes(let bytes): return own + 48 + bytes.bytes.count
        case .temporal, .point: return own + 64
        case .list(let list): return addSaturating(own, list.byteCount)
        case .map(let map): return addSaturating(own, map.byteCount)
        case .path(let path): return own + 96 + 16 * path.nodes.count
        }
    }

    /// Lists and maps one inside the other: 0 for what is neither. Whatever goes through a value goes as deep.
    public var depth: Int {
        switch self {
        case .list(let list): list.depth
        case .map(let map): map.depth
        default: 0
        }
    }
}

/// Adds numbers that are not negative; `Int.max` when the sum does not fit.
package func addSaturating(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
}

/// What a list or map reckons up while it is made.
struct ContainerSize {
    var depth = 1
    var byteCount = 64

    @inline(__always)
    mutating func add(_ value: Value) {
        switch value {
        case .null, .boolean, .integer, .float, .node, .relationship:
            byteCount = addSaturating(byteCount, MemoryLayout<Value>.stride)
        default:
            byteCount = addSaturating(byteCount, value.referredByteCount)
            depth = max(depth, addSaturating(value.depth, 1))
        }
    }
}
