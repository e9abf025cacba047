/// A value as queries and properties know it.
///
/// 9 bytes (stride 16): every case that does not fit a word stands behind one immutable class. Properties hold only
/// storable values (see ``isStorable``); null is the absence of a property, never stored.
public enum Value: Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case float(Double)
    case string(StringValue)
    case bytes(BytesValue)
    case temporal(TemporalValue)
    case point(PointValue)
    case list(ListValue)
    case map(MapValue)
    case node(NodeID)
    case relationship(RelationshipID)
    case path(Path)

    public static func string(_ text: String) -> Value { .string(StringValue(text)) }
    public static func list(_ elements: [Value]) -> Value { .list(ListValue(elements)) }

    public var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    /// Whether a property may hold this value: a boolean, number, string, byte array, date or time,
    /// point, or a list of these of one kind.
    public var isStorable: Bool {
        switch self {
        case .boolean, .integer, .float, .string, .bytes, .temporal, .point: true
        case .list(let list): list.isStorable
        case .null, .map, .node, .relationship, .path: false
        }
    }

    /// The kind's name for error messages, as Cypher users know it.
    public var kindName: String {
        switch self {
        case .null: "null"
        case .boolean: "Boolean"
        case .integer: "Integer"
        case .float: "Float"
        case .string: "String"
        case .bytes: "ByteArray"
        case .temporal(let temporal):
            switch temporal.content.sort {
            case .date: "Date"
            case .localTime: "LocalTime"
            case .time: "Time"
            case .localDateTime: "LocalDateTime"
            case .dateTime: "DateTime"
            case .duration: "Duration"
            }
        case .point: "Point"
        case .list: "List"
        case .map: "Map"
        case .node: "Node"
        case .relationship: "Relationship"
        case .path: "Path"
        }
    }
}

/// Immutable text. Equality, hashing and order go by code units, never by canonical equivalence.
public final class StringValue: Sendable {
    public let text: String

    public init(_ text: String) {
        var text = text
        text.makeContiguousUTF8()
        self.text = text
    }

    public static func == (a: StringValue, b: StringValue) -> Bool { a === b || codeUnitsEqual(a.text, b.text) }
}

/// Immutable bytes.
public final class BytesValue: Sendable {
    public let bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// An immutable list.
public final class ListValue: Sendable {
    public let elements: [Value]
    /// Lists and maps one inside the other, this one included; from 1.
    public let depth: Int
    /// Bytes that it takes with all that it refers to, roughly. A part that it refers to twice counts twice: who reads
    /// all of it meets the part twice. `Int.max` when it is more.
    public let byteCount: Int

    public init(_ elements: [Value]) {
        self.elements = elements
        var size = ContainerSize()
        for element in elements { size.add(element) }
        (depth, byteCount) = (size.depth, size.byteCount)
    }

    /// Empty, or all elements of one kind; temporal values of one sort, points of one coordinate system.
    var isStorable: Bool {
        func kind(_ value: Value) -> UInt32? {
            switch value {
            case .boolean: 1
            case .integer: 2
            case .float: 3
            case .string: 4
            case .bytes: 5
            case .temporal(let temporal): 10 + UInt32(temporal.content.sort.rawValue)
            case .point(let point): 1000 + point.system.rawValue
            case .null, .list, .map, .node, .relationship, .path: nil
            }
        }
        guard let first = elements.first else { return true }
        guard let wanted = kind(first) else { return false }
        return elements.allSatisfy { kind($0) == wanted }
    }
}

/// An immutable map with its entries in the order they were given; keys are unique.
public final class MapValue: Sendable {
    public let entries: [(key: String, value: Value)]
    /// The same as of a list.
    public let depth: Int
    /// The same as of a list.
    public let byteCount: Int

    public init(_ entries: [(key: String, value: Value)]) {
        self.entries = entries
        var size = ContainerSize()
        for entry in entries {
            size.add(entry.value)
            size.byteCount = addSaturating(size.byteCount, 16 + entry.key.utf8.count)
        }
        (depth, byteCount) = (size.depth, size.byteCount)
    }

    public subscript(key: String) -> Value? {
        entries.first { codeUnitsEqual($0.key, key) }?.value
    }
}

/// An alternating walk of nodes and relationships; `nodes.count == relationships.count + 1`.
public final class Path: Sendable, Hashable {
    public let nodes: [NodeID]
    public let relationships: [RelationshipID]

    public init(nodes: [NodeID], relationships: [RelationshipID]) {
        precondition(nodes.count == relationships.count + 1, "a path of \(relationships.count) relationships has \(nodes.count) nodes")
        self.nodes = nodes
        self.relationships = relationships
    }

    public static func == (a: Path, b: Path) -> Bool { a.nodes == b.nodes && a.relationships == b.relationships }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(nodes)
        hasher.combine(relationships)
    }
}
