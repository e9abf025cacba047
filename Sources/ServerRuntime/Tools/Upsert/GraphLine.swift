internal import GraphModel
internal import RESTServer
internal import Storage

/// Sees to it that files which say that they are whole exports are.
struct ExportEnds {
    private var openPath: String?
    private var cutPath: String?

    mutating func begin(_ path: String) {
        cutPath = cutPath ?? openPath
        openPath = path
    }

    mutating func end() { openPath = nil }

    /// Throws `.argumentError` when one has no end.
    func require() throws(GraphError) {
        guard let path = cutPath ?? openPath else { return }
        throw GraphError(.argumentError, "\(path): the file has no end: it is only a part of an export")
    }
}

/// One line of a graph as JSON Lines: see docs/formats/json-lines.md.
enum GraphLine {
    struct Node {
        let id: String
        let labels: [String]
        let properties: [(name: String, value: Value)]
    }

    struct Relationship {
        let id: String
        let type: String
        let start: Node
        let end: Node
        let properties: [(name: String, value: Value)]
    }

    struct Rule {
        let kind: String
        let entity: String
        let label: String
        let properties: [String]
        let name: String
    }

    case beginning(nodeCount: Int, relationshipCount: Int)
    case ending(nodeCount: Int, relationshipCount: Int)
    case schema(Rule)
    case node(Node)
    case relationship(Relationship)

    init(_ map: MapValue) throws(BadField) {
        switch map["type"] {
        case .string(let type)?:
            switch type.text {
            case "node": self = .node(try Self.node(map))
            case "relationship":
                self = .relationship(
                    Relationship(
                        id: Self.text(map["id"]) ?? "", type: try Self.text(map, "label"), start: try Self.end(map, "start"),
                        end: try Self.end(map, "end"), properties: try Self.properties(map)))
            case "schema":
                self = .schema(
                    Rule(
                        kind: try Self.text(map, "kind"), entity: try Self.text(map, "entity"), label: try Self.text(map, "label"),
                        properties: try Self.texts(map, "properties"), name: try Self.text(map, "name")))
            case "graph":
                guard case .integer(1)? = map["version"] else { throw BadField(text: "only version 1 of this format is known here") }
                self = .beginning(nodeCount: Self.count(map, "nodes"), relationshipCount: Self.count(map, "relationships"))
            case "end": self = .ending(nodeCount: Self.count(map, "nodes"), relationshipCount: Self.count(map, "relationships"))
            default: throw BadField(text: "the type is \"\(type.text)\"; expected node or relationship")
            }
        default: throw BadField(text: "the line has no \"type\": node or relationship")
        }
    }

    private static func node(_ map: MapValue) throws(BadField) -> Node {
        guard let id = text(map["id"]) else { throw BadField(text: "the node has no \"id\"") }
        return Node(
            id: id, labels: map["labels"] == nil ? [] : try texts(map, "labels"), properties: try properties(map))
    }

    private static func end(_ map: MapValue, _ name: String) throws(BadField) -> Node {
        guard case .map(let node)? = map[name] else { throw BadField(text: "the relationship has no \"\(name)\"") }
        return try Self.node(node)
    }

    private static func properties(_ map: MapValue) throws(BadField) -> [(name: String, value: Value)] {
        guard let given = map["properties"], !given.isNull else { return [] }
        guard case .map(let properties) = given else { throw BadField(text: "\"properties\" is no object") }
        var types: MapValue?
        if case .map(let map)? = map["types"] { types = map }
        var result: [(name: String, value: Value)] = []
        result.reserveCapacity(properties.entries.count)
        for (name, json) in properties.entries where !json.isNull {
            var type: String?
            if let types, case .string(let text)? = types[name] { type = text.text }
            let value: Value
            do throws(BadField) { value = try ImportColumn.value(json, type: type) } catch {
                throw BadField(text: "property \"\(name)\": \(error.text)")
            }
            guard value.isStorable else {
                throw BadField(text: "property \"\(name)\" is a \(json.kindName) that no property can hold")
            }
            result.append((name, value))
        }
        return result
    }

    /// An id may be a number, too.
    private static func text(_ value: Value?) -> String? {
        switch value {
        case .string(let text)?: text.text
        case .integer(let number)?: String(number)
        default: nil
        }
    }

    private static func text(_ map: MapValue, _ name: String) throws(BadField) -> String {
        guard case .string(let text)? = map[name] else { throw BadField(text: "\"\(name)\" is no string") }
        return text.text
    }

    private static func texts(_ map: MapValue, _ name: String) throws(BadField) -> [String] {
        guard case .list(let list)? = map[name] else { throw BadField(text: "\"\(name)\" is no list") }
        var result: [String] = []
        for element in list.elements {
            guard case .string(let text) = element else { throw BadField(text: "\"\(name)\" is no list of strings") }
            result.append(text.text)
        }
        return result
    }

    private static func count(_ map: MapValue, _ name: String) -> Int {
        if case .integer(let number)? = map[name] { Int(clamping: number) } else { 0 }
    }
}
