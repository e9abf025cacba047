/// A Swift type that a ``Value`` can be read as.
public protocol ValueDecodable {
    /// The value as this type; nil when it is of another kind or does not fit. Nothing is rounded or parsed.
    static func decode(_ value: Value) -> Self?
}

extension Value {
    /// The value as a Swift type. Throws `.typeError` when it is of another kind.
    public func get<T: ValueDecodable>(as type: T.Type = T.self) throws(GraphError) -> T {
        guard let decoded = T.decode(self) else {
            throw GraphError(.typeError, "a value of type \(kindName) cannot be read as \(T.self)")
        }
        return decoded
    }
}

extension Value: ValueDecodable {
    public static func decode(_ value: Value) -> Value? { value }
}

extension Bool: ValueDecodable {
    public static func decode(_ value: Value) -> Bool? {
        if case .boolean(let value) = value { value } else { nil }
    }
}

extension Int: ValueDecodable {
    public static func decode(_ value: Value) -> Int? { Int64.decode(value).map { Int($0) } }
}

extension Int64: ValueDecodable {
    public static func decode(_ value: Value) -> Int64? {
        if case .integer(let value) = value { value } else { nil }
    }
}

extension Double: ValueDecodable {
    /// A float, or an integer that a float can hold exactly.
    public static func decode(_ value: Value) -> Double? {
        switch value {
        case .float(let value): value
        case .integer(let value): Double(exactly: value)
        default: nil
        }
    }
}

extension String: ValueDecodable {
    public static func decode(_ value: Value) -> String? {
        if case .string(let value) = value { value.text } else { nil }
    }
}

extension NodeID: ValueDecodable {
    public static func decode(_ value: Value) -> NodeID? {
        if case .node(let id) = value { id } else { nil }
    }
}

extension RelationshipID: ValueDecodable {
    public static func decode(_ value: Value) -> RelationshipID? {
        if case .relationship(let id) = value { id } else { nil }
    }
}

extension Optional: ValueDecodable where Wrapped: ValueDecodable {
    /// nil for null; a value of another kind does not decode.
    public static func decode(_ value: Value) -> Wrapped?? {
        if value.isNull { return .some(nil) }
        return Wrapped.decode(value).map { .some($0) }
    }
}

extension Array: ValueDecodable where Element: ValueDecodable {
    /// A list whose elements all decode, or the bytes of a byte array as integers.
    public static func decode(_ value: Value) -> [Element]? {
        let elements: [Value]
        switch value {
        case .list(let list): elements = list.elements
        case .bytes(let bytes): elements = bytes.bytes.map { .integer(Int64($0)) }
        default: return nil
        }
        var result: [Element] = []
        result.reserveCapacity(elements.count)
        for element in elements {
            guard let decoded = Element.decode(element) else { return nil }
            result.append(decoded)
        }
        return result
    }
}

// MARK: Literals

extension Value: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}

extension Value: ExpressibleByStringInterpolation {}

extension Value: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) { self = .integer(value) }
}

extension Value: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .float(value) }
}

extension Value: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension Value: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: Value...) { self = .list(elements) }
}

extension Value: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, Value)...) {
        self = .map(MapValue(elements.map { (key: $0.0, value: $0.1) }))
    }
}
