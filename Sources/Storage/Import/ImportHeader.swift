internal import GraphModel

/// One column of an import file, as its header names it: `name:type`, `:ID(space)`, `:LABEL`, `:START_ID(space)`,
/// `:END_ID(space)`, `:TYPE`, `:IGNORE`. A missing type is `string`; `type[]` is an array.
package struct ImportColumn: Sendable {
    package enum Role: Equatable, Sendable {
        case id(space: String)
        case startID(space: String)
        case endID(space: String)
        case label
        case type
        case ignore
        case property
    }
    enum Kind: Equatable, Sendable {
        case string, integer, float, boolean, byte, point
        case temporal(Temporal.Sort)

        var name: String {
            switch self {
            case .string: "string"
            case .integer: "integer"
            case .float: "float"
            case .boolean: "boolean"
            case .byte: "byte (-128 to 127)"
            case .point: "point"
            case .temporal(let sort): "\(sort)".lowercased()
            }
        }
    }

    /// Whether JSON has its values.
    package var isJSON: Bool {
        switch kind {
        case .string, .integer, .float, .boolean: true
        case .byte, .point, .temporal: false
        }
    }

    package let name: String
    package let role: Role
    let kind: Kind
    let isArray: Bool

    private static let kinds: [String: Kind] = [
        "": .string, "string": .string, "char": .string, "int": .integer, "long": .integer, "short": .integer,
        "byte": .byte, "float": .float, "double": .float, "boolean": .boolean, "point": .point,
        "date": .temporal(.date), "localtime": .temporal(.localTime), "time": .temporal(.time),
        "localdatetime": .temporal(.localDateTime), "datetime": .temporal(.dateTime), "duration": .temporal(.duration),
    ]

    init(_ header: String, path: String) throws(GraphError) {
        let colon = header.lastIndex(of: ":")
        name = colon.map { String(header[..<$0]) } ?? header
        var type = colon.map { String(header[header.index(after: $0)...]) } ?? ""
        var space = ""
        if let open = type.firstIndex(of: "("), type.hasSuffix(")") {
            space = String(type[type.index(after: open)...].dropLast())
            type = String(type[..<open])
        }
        isArray = type.hasSuffix("[]")
        if isArray { type.removeLast(2) }
        switch type.uppercased() {
        case "ID": (role, kind) = (.id(space: space), .string)
        case "START_ID": (role, kind) = (.startID(space: space), .string)
        case "END_ID": (role, kind) = (.endID(space: space), .string)
        case "LABEL": (role, kind) = (.label, .string)
        case "TYPE": (role, kind) = (.type, .string)
        case "IGNORE": (role, kind) = (.ignore, .string)
        default:
            guard let kind = Self.kinds[type.lowercased()] else {
                throw GraphError(
                    .argumentError,
                    "\(path): column \"\(header)\" has the unknown type \"\(type)\"; known are ID, LABEL, START_ID, END_ID, TYPE, IGNORE, string, char, byte, short, int, long, float, double, boolean, point, date, localtime, time, localdatetime, datetime, duration, and arrays of the types of properties as type[]")
            }
            if name.isEmpty {
                throw GraphError(.argumentError, "\(path): a column of the header has no name (\"\(header)\")")
            }
            (role, self.kind) = (.property, kind)
        }
    }
}

/// Why a row cannot be taken.
struct BadField: Error {
    let text: String
}

extension ImportColumn {
    /// The value of a field; nil when nothing stands between the separators. Quotes with nothing in them are an empty
    /// string or an empty array.
    func value(_ field: CSVField, arraySeparator: UInt8) throws(BadField) -> Value? {
        let bytes = field.bytes
        if bytes.isEmpty {
            guard field.isQuoted, isArray || kind == .string else { return nil }
            return isArray ? kind == .byte ? .bytes(BytesValue([])) : .list([]) : .string("")
        }
        if !isArray { return try scalar(bytes) }
        var elements: [Value] = []
        var start = 0
        for index in 0...bytes.count where index == bytes.count || bytes[index] == arraySeparator {
            elements.append(try scalar(UnsafeBufferPointer(rebasing: bytes[start..<index])))
            start = index + 1
        }
        if kind == .byte {
            return .bytes(
                BytesValue(
                    elements.map { element in
                        if case .integer(let number) = element { UInt8(truncatingIfNeeded: number) } else { 0 }
                    }))
        }
        let list = Value.list(elements)
        guard list.isStorable else {
            throw BadField(text: "column \"\(name)\": the points of an array must be of one coordinate system")
        }
        return list
    }

    private func scalar(_ bytes: UnsafeBufferPointer<UInt8>) throws(BadField) -> Value {
        switch kind {
        case .string:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw BadField(text: "column \"\(name)\" is not valid UTF-8")
            }
            return .string(text)
        case .integer:
            if let number = Int64(ascii: bytes) { return .integer(number) }
        case .byte:
            if let number = Int64(ascii: bytes), number >= -128, number <= 127 { return .integer(number) }
        case .float:
            if let number = Double(String(decoding: bytes, as: UTF8.self)) { return .float(number) }
        case .boolean:
            switch String(decoding: bytes, as: UTF8.self).lowercased() {
            case "true": return .boolean(true)
            case "false": return .boolean(false)
            default: break
            }
        case .point:
            if let point = PointValue(String(decoding: bytes, as: UTF8.self)) { return .point(point) }
        case .temporal(let sort):
            if let content = Temporal(utf8: Array(bytes)[...], sort), let value = TemporalValue(content) {
                return .temporal(value)
            }
        }
        throw BadField(
            text: "column \"\(name)\": \"\(String(decoding: bytes.prefix(60), as: UTF8.self))\" is no \(kind.name)")
    }
}
