internal import GraphModel
internal import Storage

/// Adds the vertices and edges of a GraphML document (graphml.graphdrawing.org) to the graph. Ids of the document only tie
/// its edges to its vertices; undirected edges go from source to target; nested graphs, hyperedges and ports are refused.
struct GraphMLLoader {
    private struct Key {
        let name: String
        let type: String
        var defaultValue: Value?
    }

    /// A vertex or an edge as it is read.
    private struct Element {
        let attributes: [String: String]
        let isEdge: Bool
        var properties: [(key: String, value: Value)] = []
    }

    private struct Edge {
        let source: String
        let target: String
        let label: String
        let properties: [(key: String, value: Value)]
        let id: String
    }

    private let interpreter: Interpreter
    private var scanner: XMLScanner
    /// By what they are for, and their id.
    private var nodeKeys: [String: Key] = [:]
    private var edgeKeys: [String: Key] = [:]
    private var vertices: [String: NodeID] = [:]
    /// An edge may come before its vertices.
    private var edges: [Edge] = []

    init(_ document: [UInt8], _ interpreter: Interpreter) throws(GraphError) {
        self.interpreter = interpreter
        scanner = try XMLScanner(document)
    }

    mutating func load() throws(GraphError) {
        guard case .start("graphml", _) = try nextTag() else { throw scanner.fail("the first element is not <graphml>") }
        while case .start(let name, let attributes) = try nextTag() {
            try interpreter.step()
            switch name {
            case "key": try readKey(attributes)
            case "graph": try readGraph()
            default: try skipElement()
            }
        }
        // Reads to the end, so that a document that goes on wrongly is refused.
        while try nextTag() != nil {}
        for edge in edges { try create(edge) }
    }

    /// The next tag; text between tags is passed over.
    private mutating func nextTag() throws(GraphError) -> XMLScanner.Event? {
        while let event = try scanner.next() {
            if case .text = event { continue }
            return event
        }
        return nil
    }

    private mutating func skipElement() throws(GraphError) {
        var depth = 1
        while depth > 0, let event = try nextTag() {
            if case .start = event { depth += 1 } else { depth -= 1 }
        }
    }

    /// The text up to the end of an element that holds nothing else.
    private mutating func content() throws(GraphError) -> String {
        var text = ""
        while let event = try scanner.next() {
            switch event {
            case .text(let part): text += part
            case .start(let name, _): throw scanner.fail("<\(name)> where a value is expected")
            case .end: return text
            }
        }
        return text
    }

    private mutating func readKey(_ attributes: [String: String]) throws(GraphError) {
        guard let id = attributes["id"] else { throw scanner.fail("a <key> without an id") }
        var key = Key(name: attributes["attr.name"] ?? id, type: attributes["attr.type"] ?? "string")
        while case .start(let name, _) = try nextTag() {
            if name == "default" { key.defaultValue = try value(try content(), key) } else { try skipElement() }
        }
        let owner = attributes["for"] ?? "all"
        if owner == "node" || owner == "all" { nodeKeys[id] = key }
        if owner == "edge" || owner == "all" { edgeKeys[id] = key }
    }

    private mutating func readGraph() throws(GraphError) {
        while case .start(let name, let attributes) = try nextTag() {
            try interpreter.step()
            switch name {
            case "node", "edge": try readElement(Element(attributes: attributes, isEdge: name == "edge"))
            case "hyperedge": throw scanner.fail("hyperedges cannot be kept: an edge has two ends")
            default: try skipElement()
            }
        }
    }

    private mutating func readElement(_ start: Element) throws(GraphError) {
        var element = start
        let keys = element.isEdge ? edgeKeys : nodeKeys
        var seen: Set<String> = []
        while case .start(let name, let attributes) = try nextTag() {
            switch name {
            case "data":
                guard let id = attributes["key"], let key = keys[id] else {
                    throw scanner.fail("<data> of the key \"\(attributes["key"] ?? "")\", which no <key> of \(element.isEdge ? "edges" : "nodes") declares")
                }
                guard seen.insert(id).inserted else { throw scanner.fail("the key \"\(id)\" is there twice") }
                element.properties.append((key.name, try value(try content(), key)))
            case "graph", "port": throw scanner.fail("<\(name)> inside of \(element.isEdge ? "an edge" : "a node") cannot be kept")
            default: try skipElement()
            }
        }
        for (id, key) in keys.sorted(by: { codeUnitOrder($0.key, $1.key) < 0 }) where !seen.contains(id) {
            if let value = key.defaultValue { element.properties.append((key.name, value)) }
        }
        func attribute(_ name: String) throws(GraphError) -> String {
            guard let value = element.attributes[name] else {
                throw scanner.fail("\(element.isEdge ? "an edge" : "a node") without \"\(name)\"")
            }
            return value
        }
        if element.isEdge {
            edges.append(
                Edge(
                    source: try attribute("source"), target: try attribute("target"), label: try attribute("label"),
                    properties: element.properties, id: element.attributes["id"] ?? "\(edges.count + 1)"))
        } else {
            let id = try attribute("id")
            let vertex = try interpreter.transaction.createNode(labels: [], properties: element.properties)
            guard vertices.updateValue(vertex, forKey: id) == nil else { throw scanner.fail("the node \"\(id)\" is there twice") }
        }
    }

    private func create(_ edge: Edge) throws(GraphError) {
        try interpreter.step()
        func end(_ id: String) throws(GraphError) -> NodeID {
            guard let vertex = vertices[id] else {
                throw GraphError(.scriptFailure, "the edge \"\(edge.id)\" of the document ends at the node \"\(id)\", which is not in it")
            }
            return vertex
        }
        _ = try interpreter.transaction.createRelationship(
            type: edge.label, from: try end(edge.source), to: try end(edge.target), properties: edge.properties)
    }

    private func value(_ text: String, _ key: Key) throws(GraphError) -> Value {
        func wrong() -> GraphError { scanner.fail("\"\(text)\" is no \(key.type), which \"\(key.name)\" is declared to be") }
        let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        switch key.type {
        case "string": return .string(StringValue(text))
        case "int", "long":
            guard let number = Int64(trimmed) else { throw wrong() }
            return .integer(number)
        case "float", "double":
            guard let number = Double(trimmed) else { throw wrong() }
            return .float(number)
        case "boolean":
            guard let flag = Bool(trimmed.lowercased()) else { throw wrong() }
            return .boolean(flag)
        default: throw scanner.fail("\"\(key.type)\" is no type of a key: boolean, int, long, float, double or string")
        }
    }
}
