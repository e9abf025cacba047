internal import GraphModel
internal import Storage

/// Writes the graph as GraphML, in the form of the manual's example.
struct GraphMLText {
    private let interpreter: Interpreter
    private var text = ""
    private var nodeKeys: [String: String] = [:]
    private var edgeKeys: [String: String] = [:]

    init(_ interpreter: Interpreter) { self.interpreter = interpreter }

    mutating func write() throws(GraphError) -> String {
        let transaction = interpreter.transaction
        // What properties there are stands before what has them.
        try forEach(isOfVertices: true) { writer, id throws(GraphError) in
            for (key, value) in transaction.properties(ofNode: NodeID(id)) {
                writer.nodeKeys[transaction.name(.propertyKey, key)] = Self.type(value)
            }
        }
        try forEach(isOfVertices: false) { writer, id throws(GraphError) in
            for (key, value) in transaction.properties(ofRelationship: RelationshipID(id)) {
                writer.edgeKeys[transaction.name(.propertyKey, key)] = Self.type(value)
            }
        }
        text = "<?xml version=\"1.0\" ?><graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">"
        for (keys, element) in [(nodeKeys, "node"), (edgeKeys, "edge")] {
            for (key, type) in keys.sorted(by: { codeUnitOrder($0.key, $1.key) < 0 }) {
                let name = Self.escaped(key)
                text += "<key id=\"\(name)\" for=\"\(element)\" attr.name=\"\(name)\" attr.type=\"\(type)\"></key>"
            }
        }
        text += "<graph id=\"G\" edgedefault=\"directed\">"
        try forEach(isOfVertices: true) { writer, id throws(GraphError) in
            writer.text += "<node id=\"\(id)\">"
            try writer.append(transaction.properties(ofNode: NodeID(id)))
            writer.text += "</node>"
        }
        try forEach(isOfVertices: false) { writer, id throws(GraphError) in
            guard let record = transaction.relationship(RelationshipID(id)) else { return }
            let label = Self.escaped(transaction.name(.relationshipType, record.type))
            writer.text +=
                "<edge id=\"\(id)\" source=\"\(record.start.rawValue)\" target=\"\(record.end.rawValue)\" label=\"\(label)\">"
            try writer.append(transaction.properties(ofRelationship: RelationshipID(id)))
            writer.text += "</edge>"
        }
        return text + "</graph></graphml>"
    }

    private mutating func forEach(
        isOfVertices: Bool, _ body: (inout GraphMLText, UInt64) throws(GraphError) -> Void
    ) throws(GraphError) {
        let scan = ScanPuller(interpreter, isOfVertices: isOfVertices)
        while let traveller = try scan.next() {
            try interpreter.step()
            _ = try interpreter.limited(text.utf8.count > Interpreter.textByteCountMaximum ? text : "")
            guard case .integer(let id) = try interpreter.id(of: traveller.item) else { continue }
            try body(&self, UInt64(bitPattern: id))
        }
    }

    private mutating func append(_ properties: [(key: TokenID, value: Value)]) throws(GraphError) {
        for (key, value) in properties {
            let name = Self.escaped(interpreter.transaction.name(.propertyKey, key))
            let value = Self.escaped(try interpreter.text(try Item(value, interpreter.memory)))
            text += "<data key=\"\(name)\">\(value)</data>"
        }
    }

    private static func type(_ value: Value) -> String {
        switch value {
        case .boolean: "boolean"
        case .integer: "long"
        case .float: "double"
        default: "string"
        }
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
