internal import GraphModel
internal import RESTServer
internal import Storage

/// Values and rules as Cypher has them.
enum CypherText {
    static func creation(of rule: GraphLine.Rule) -> String {
        let isNode = rule.entity == "node"
        let pattern = isNode ? "(x:\(rule.label.cypherName))" : "()-[x:\(rule.label.cypherName)]-()"
        let keys = rule.properties.map { "x.\($0.cypherName)" }.joined(separator: ", ")
        switch rule.kind {
        case "index": return "CREATE INDEX \(rule.name.cypherName) IF NOT EXISTS FOR \(pattern) ON (\(keys))"
        case "uniqueness":
            let all = rule.properties.count == 1 ? keys : "(\(keys))"
            return "CREATE CONSTRAINT \(rule.name.cypherName) IF NOT EXISTS FOR \(pattern) REQUIRE \(all) IS UNIQUE"
        default: return "CREATE CONSTRAINT \(rule.name.cypherName) IF NOT EXISTS FOR \(pattern) REQUIRE \(keys) IS NOT NULL"
        }
    }

    static func map(_ properties: [(name: String, value: Value)]) -> String {
        "{\(properties.map { "\($0.name.cypherName): \(literal($0.value))" }.joined(separator: ", "))}"
    }

    /// An expression with that value, on one line. A byte array becomes a list of integers: Cypher has no word for it.
    static func literal(_ value: Value) -> String {
        switch value {
        case .boolean(let flag): return flag ? "true" : "false"
        // Its magnitude is no integer.
        case .integer(.min): return "(-9223372036854775807 - 1)"
        case .integer(let number): return String(number)
        case .float(let number):
            if number.isNaN { return "(0.0 / 0.0)" }
            if number.isInfinite { return number < 0 ? "(-1.0 / 0.0)" : "(1.0 / 0.0)" }
            return number.description
        case .string(let text): return string(text.text)
        case .temporal(let temporal): return "\("\(temporal.content.sort)".lowercased())(\(string(temporal.description)))"
        case .point(let point):
            let coordinates = zip(["x", "y", "z"], point.coordinates).map { "\($0): \(literal(.float($1)))" }
            return "point({srid: \(point.system.rawValue), \(coordinates.joined(separator: ", "))})"
        case .bytes(let bytes): return "[\(bytes.bytes.map { String(Int8(bitPattern: $0)) }.joined(separator: ", "))]"
        case .list(let list): return "[\(list.elements.map(literal).joined(separator: ", "))]"
        case .null, .map, .node, .relationship, .path: return "null"
        }
    }

    static func string(_ text: String) -> String {
        var result = "'"
        for scalar in text.unicodeScalars {
            switch scalar {
            case "'": result += "\\'"
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7F}", "\u{85}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "'"
    }
}
