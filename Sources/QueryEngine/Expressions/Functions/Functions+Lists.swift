internal import FileSystem
internal import GraphModel

/// Lists, and functions of values of every kind.
extension Function {
    static let listFunctions: [Function] = [
        Function(
            "length", .scalar, ["path": [.path, .list, .string]], .integer, "The number of relationships of a path.",
            .unary { value throws(GraphError) in try size("length", value) }),
        Function(
            "size", .scalar, ["value": [.list, .string, .map, .bytes]], .integer,
            "The number of elements of a list, or of characters of a string.",
            .unary { value throws(GraphError) in try size("size", value) }),
        Function(
            "isEmpty", .predicate, ["value": [.list, .string, .map]], .boolean,
            "Whether a list, a map or a string is empty.",
            .unary { value throws(GraphError) in
                switch value {
                case .list(let list): return .boolean(list.elements.isEmpty)
                case .map(let map): return .boolean(map.entries.isEmpty)
                case .string(let text): return .boolean(text.text.isEmpty)
                default: throw wrong("isEmpty", "a list, a map or a string", value)
                }
            }),
        Function(
            "head", .list, ["list": [.list, .path]], .any, "The first element of a list.",
            .unary { value throws(GraphError) in try list("head", value).first ?? .null }),
        Function(
            "last", .list, ["list": [.list, .path]], .any, "The last element of a list.",
            .unary { value throws(GraphError) in try list("last", value).last ?? .null }),
        Function(
            "tail", .list, ["list": [.list, .path]], .list, "A list without its first element.",
            .unary { value throws(GraphError) in .list(Array(try list("tail", value).dropFirst())) }),
        Function(
            "reverse", .list, ["value": [.list, .string]], [.list, .string], "A list or a string from its end.",
            .unary { value throws(GraphError) in
                switch value {
                case .list(let list): return .list(list.elements.reversed())
                case .string(let text):
                    return .string(String(String.UnicodeScalarView(text.text.unicodeScalars.reversed())))
                default: throw wrong("reverse", "a list or a string", value)
                }
            }),
        Function(
            // What is no number is a wrong argument, told when it runs.
            "range", .list, ["start": .any, "end": .any, "step?": .any], .list,
            "The integers from start to end, both included.",
            .strict { frame, values throws(GraphError) in try range(values, frame) }),
    ]

    static let scalarFunctions: [Function] = [
        Function(
            "coalesce", .scalar, ["value+": .any], .any, "The first argument that is not null.",
            .many { arguments in
                { frame, row throws(GraphError) in
                    for argument in arguments {
                        let value = try argument(frame, row)
                        if !value.isNull { return value }
                    }
                    return .null
                }
            }),
        Function(
            "nullIf", .scalar, ["value": .any, "other": .any], .any, "Null when both are equal, else the first.",
            .two { _, value, other in Comparing.equal(value, other) == .true ? .null : value }),
        Function(
            "timestamp", .scalar, [:], .integer,
            "Milliseconds since 1970-01-01T00:00Z, the same for a whole statement.",
            .values { frame, _ in
                let now = frame.statementInstant
                return .integer(now.seconds * 1000 + Int64(now.nanoseconds / 1_000_000))
            }),
        Function(
            "randomUUID", .scalar, [:], .string, "A random universally unique identifier, version 4.",
            .values { _, _ in .string(randomUUID()) }),
        Function(
            "valueType", .scalar, ["value": .any], .string, "The kind of a value.",
            .one { _, value in .string(valueType(value)) }),
    ]

    private static let rangeCountMaximum = 20_000_000 as Int64

    private static func range(_ values: [Value], _ frame: Frame) throws(GraphError) -> Value {
        let (start, end, step) = try bounds(values, frame)
        let (distance, overflow) = end.subtractingReportingOverflow(start)
        guard !overflow, step != .min, distance != .min, distance / step < rangeCountMaximum else {
            throw GraphError(.argumentError, "range(\(start), \(end), \(step)) is too long for a list")
        }
        var numbers: [Value] = []
        if (step > 0) == (distance >= 0) || distance == 0 { numbers.reserveCapacity(Int(distance / step) + 1) }
        for number in stride(from: start, through: end, by: Int64.Stride(step)) { numbers.append(.integer(number)) }
        return .list(numbers)
    }

    /// The numbers that `range` is given; the step is 1 when it is left out, and never 0.
    private static func bounds(
        _ values: [Value], _ frame: Frame
    ) throws(GraphError) -> (start: Int64, end: Int64, step: Int64) {
        func bound(_ value: Value) throws(GraphError) -> Int64 {
            do throws(GraphError) {
                return try integer("range", value, acceptsFloats: frame.missingPropertyIsError)
            } catch {
                // openCypher calls a bound of a wrong kind a wrong argument.
                throw GraphError(.argumentError, error.message)
            }
        }
        let (start, end) = (try bound(values[0]), try bound(values[1]))
        let step = values.count > 2 ? try bound(values[2]) : 1
        guard step != 0 else { throw GraphError(.argumentError, "the step of range() cannot be 0") }
        return (start, end, step)
    }

    /// The same, evaluated; nothing lies between bounds of which one is null.
    static func range(
        _ arguments: [Evaluator], _ frame: Frame, _ row: Int
    ) throws(GraphError) -> (start: Int64, end: Int64, step: Int64) {
        var values: [Value] = []
        for argument in arguments {
            let value = try argument(frame, row)
            if value.isNull { return (1, 0, 1) }
            values.append(value)
        }
        return try bounds(values, frame)
    }

    private static func size(_ name: String, _ value: Value) throws(GraphError) -> Value {
        switch value {
        case .list(let list): return .integer(Int64(list.elements.count))
        case .string(let text): return .integer(Int64(text.text.utf16.count))
        case .path(let path): return .integer(Int64(path.relationships.count))
        case .map(let map): return .integer(Int64(map.entries.count))
        case .bytes(let bytes): return .integer(Int64(bytes.bytes.count))
        default: throw wrong(name, "a path, a list or a string", value)
        }
    }

    /// - Source: RFC 9562, version 4.
    private static func randomUUID() -> String {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        func hex(_ number: UInt64) -> String {
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
        let digits = Array((hex(high) + hex(low)).utf8)
        var text: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append(UInt8(ascii: "-")) }
            text.append(digit)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func valueType(_ value: Value) -> String {
        switch value {
        case .null: return "NULL"
        case .boolean: return "BOOLEAN NOT NULL"
        case .integer: return "INTEGER NOT NULL"
        case .float: return "FLOAT NOT NULL"
        case .string: return "STRING NOT NULL"
        case .bytes: return "BYTEARRAY NOT NULL"
        case .point: return "POINT NOT NULL"
        case .map: return "MAP NOT NULL"
        case .node: return "NODE NOT NULL"
        case .relationship: return "RELATIONSHIP NOT NULL"
        case .path: return "PATH NOT NULL"
        case .temporal(let temporal):
            switch temporal.content.sort {
            case .date: return "DATE NOT NULL"
            case .localTime: return "LOCAL TIME NOT NULL"
            case .time: return "ZONED TIME NOT NULL"
            case .localDateTime: return "LOCAL DATETIME NOT NULL"
            case .dateTime: return "ZONED DATETIME NOT NULL"
            case .duration: return "DURATION NOT NULL"
            }
        case .list(let list):
            // Lists nest no deeper than the query that makes them.
            let kinds = Set(list.elements.map(valueType)).sorted()
            let inner = kinds.isEmpty ? "NOTHING" : kinds.joined(separator: " | ")
            return "LIST<\(inner)> NOT NULL"
        }
    }
}
