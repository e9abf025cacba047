package import GraphModel
internal import JSON

/// One column of an import file, as its header names it: `name:type`, `:ID(space)`, `:LABEL`, `:START_ID(space)`,
/// `:END_ID(space)`, `:TYPE`, `:IGNORE`. A missing type is `string`; `type[]` is an array, `type[json]` one that is written as
/// JSON, whose elements may hold anything.
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

    package let name: String
    package let role: Role
    let kind: Kind
    let isArray: Bool
    /// Whether an array is written as JSON.
    let isJSON: Bool

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
        isJSON = type.hasSuffix("[json]")
        isArray = isJSON || type.hasSuffix("[]")
        if isArray { type.removeLast(isJSON ? "[json]".count : "[]".count) }
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
                    "\(path): column \"\(header)\" has the unknown type \"\(type)\"; known are ID, LABEL, START_ID, END_ID, TYPE, IGNORE, string, char, byte, short, int, long, float, double, boolean, point, date, localtime, time, localdatetime, datetime, duration, and arrays of the types of properties as type[] or, in JSON, type[json]")
            }
            if name.isEmpty {
                throw GraphError(.argumentError, "\(path): a column of the header has no name (\"\(header)\")")
            }
            (role, self.kind) = (.property, kind)
        }
    }
}

/// Why a row cannot be taken.
package struct BadField: Error {
    package let text: String
    package init(text: String) { self.text = text }
    init(twice name: String) { self.init(text: "two columns have a value for the property \"\(name)\"") }
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
        if isJSON {
            let json: Value
            do throws(JSONError) { json = try JSONParser.parse(Array(bytes)) } catch {
                throw BadField(text: "column \"\(name)\": \(error)")
            }
            return try array(json)
        }
        var elements: [Value] = []
        var start = 0
        for index in 0...bytes.count where index == bytes.count || bytes[index] == arraySeparator {
            elements.append(try scalar(UnsafeBufferPointer(rebasing: bytes[start..<index])))
            start = index + 1
        }
        return try array(of: elements)
    }

    /// An array of JSON.
    private func array(_ json: Value) throws(BadField) -> Value {
        guard case .list(let list) = json else { throw BadField(text: "column \"\(name)\" is no JSON array") }
        return try array(of: try list.elements.map { element throws(BadField) in try self.element(element) })
    }

    /// What JSON has of an element. What JSON has no form for is a string there.
    private func element(_ json: Value) throws(BadField) -> Value {
        switch (json, kind) {
        case (.string(let text), _): return try scalar(text.text)
        case (.integer, .integer), (.float, .float), (.boolean, .boolean): return json
        case (.integer(let number), .float): return .float(Double(number))
        case (.integer(let number), .byte) where (-128...127).contains(number): return json
        default: throw BadField(text: "\(name.isEmpty ? "a value" : "column \"\(name)\"") holds a \(json.kindName), which is no \(kind.name)")
        }
    }

    private func scalar(_ text: String) throws(BadField) -> Value {
        var text = text
        let result = text.withUTF8 { bytes in Result { () throws(BadField) in try scalar(bytes) } }
        return try result.get()
    }

    private func array(of elements: [Value]) throws(BadField) -> Value {
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
            // As JSON has it, and others write it.
            switch String(decoding: bytes, as: UTF8.self) {
            case "Infinity", "+Infinity": return .float(.infinity)
            case "-Infinity": return .float(-.infinity)
            default: break
            }
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

extension ImportColumn {
    private init(kind: Kind, isArray: Bool) {
        (name, role, isJSON) = ("", .property, true)
        (self.kind, self.isArray) = (kind, isArray)
    }

    /// The value that JSON holds for a property of a type, as a header names it; without a type what JSON says itself.
    package static func value(_ json: Value, type: String?) throws(BadField) -> Value {
        guard let type else { return json }
        if type == "byte[][]", case .list(let list) = json {
            return .list(try list.elements.map { element throws(BadField) in try value(element, type: "byte[]") })
        }
        let isArray = type.hasSuffix("[]")
        guard let kind = kinds[isArray ? String(type.dropLast(2)) : type] else {
            throw BadField(text: "the type \"\(type)\" is unknown")
        }
        let column = ImportColumn(kind: kind, isArray: isArray)
        return try isArray ? column.array(json) : column.element(json)
    }

    /// Two columns of one name must differ in it.
    package var typeName: String { "\(kind.name)\(isArray ? isJSON ? "[json]" : "[]" : "")" }
}

extension Value {
    /// The type of a storable value as headers of imports name it.
    package var importType: String {
        switch self {
        case .boolean: return "boolean"
        case .integer: return "long"
        case .float: return "double"
        case .bytes: return "byte[]"
        case .point: return "point"
        case .temporal(let temporal): return "\(temporal.content.sort)".lowercased()
        case .list(let list): return (list.elements.first?.importType ?? "string") + "[]"
        case .string, .null, .map, .node, .relationship, .path: return "string"
        }
    }
}
