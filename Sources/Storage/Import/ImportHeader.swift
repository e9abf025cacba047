internal import GraphModel

/// One column of an import file, as its header names it: `name:type`, `:ID(space)`, `:LABEL`, `:START_ID(space)`,
/// `:END_ID(space)`, `:TYPE`, `:IGNORE`. A missing type is `string`; `type[]` is an array, elements separated by `;`.
struct ImportColumn {
    enum Role: Equatable {
        case id(space: String)
        case startID(space: String)
        case endID(space: String)
        case label
        case type
        case ignore
        case property
    }
    enum Kind: String {
        case string, integer, float, boolean
    }

    let name: String
    let role: Role
    let kind: Kind
    let isArray: Bool

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
        var kind = Kind.string
        switch type.uppercased() {
        case "ID": role = .id(space: space)
        case "START_ID": role = .startID(space: space)
        case "END_ID": role = .endID(space: space)
        case "LABEL": role = .label
        case "TYPE": role = .type
        case "IGNORE": role = .ignore
        default:
            role = .property
            switch type.lowercased() {
            case "", "string", "char": kind = .string
            case "int", "long", "short", "byte": kind = .integer
            case "float", "double": kind = .float
            case "boolean": kind = .boolean
            default:
                throw GraphError(
                    .argumentError,
                    "\(path): column \"\(header)\" has the unknown type \"\(type)\"; known are ID, LABEL, START_ID, END_ID, TYPE, IGNORE, string, int, long, float, double, boolean, and arrays of the last six as type[]")
            }
            if name.isEmpty {
                throw GraphError(.argumentError, "\(path): a column of the header has no name (\"\(header)\")")
            }
        }
        self.kind = kind
    }

    /// The value of a field; nil for an empty one. Throws text that says what is wrong.
    func value(_ bytes: ArraySlice<UInt8>) throws(BadField) -> Value? {
        if bytes.isEmpty { return nil }
        if !isArray { return try Self.scalar(bytes, kind, name) }
        var elements: [Value] = []
        for part in bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false) {
            elements.append(try Self.scalar(part, kind, name))
        }
        return .list(elements)
    }

    private static func scalar(_ bytes: ArraySlice<UInt8>, _ kind: Kind, _ name: String) throws(BadField) -> Value {
        switch kind {
        case .string:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw BadField(text: "column \"\(name)\" is not valid UTF-8")
            }
            return .string(text)
        case .integer:
            if let number = Int64(ascii: bytes) { return .integer(number) }
        case .float:
            if let number = Double(String(decoding: bytes, as: UTF8.self)) { return .float(number) }
        case .boolean:
            switch String(decoding: bytes, as: UTF8.self).lowercased() {
            case "true": return .boolean(true)
            case "false": return .boolean(false)
            default: break
            }
        }
        throw BadField(text: "column \"\(name)\": \"\(String(decoding: bytes.prefix(60), as: UTF8.self))\" is no \(kind.rawValue)")
    }
}

/// Why a row cannot be taken.
struct BadField: Error {
    let text: String
}

extension Int64 {
    /// Decimal digits with an optional sign, nothing else; nil when it is not that or does not fit.
    init?(ascii bytes: ArraySlice<UInt8>) {
        var rest = bytes
        var negative = false
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            negative = first == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        if rest.isEmpty || rest.count > 19 { return nil }
        var value: Int64 = 0
        for byte in rest {
            guard byte >= 48, byte <= 57 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.subtractingReportingOverflow(Int64(byte - 48))
            if overflow || overflow2 { return nil }
            value = sum
        }
        if negative { self = value } else {
            if value == .min { return nil }
            self = -value
        }
    }
}
