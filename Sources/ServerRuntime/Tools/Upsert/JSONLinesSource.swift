internal import GraphModel
internal import JSON
internal import RESTServer
internal import Storage

/// Files of nodes and relationships, one in each line, as `martlet export --format jsonl` writes them and other databases
/// do much the same.
struct JSONLinesSource {
    private let paths: [String]
    private let reader: ImportLineReader
    private let keys: UpsertKeys

    init(_ paths: [String], _ keys: UpsertKeys) throws(GraphError) {
        self.paths = paths
        self.keys = keys
        reader = try ImportLineReader(paths)
    }

    func read(into sink: inout some UpsertSink) async throws(GraphError) {
        var keys = keys
        var ends = ExportEnds()
        // Of those whose key the command line names: relationships do not have it at their ends.
        var known: [CodeUnitKey: NodeKey] = [:]
        while let lines = try reader.next() {
            for line in lines {
                let origin = RowOrigin(path: paths[line.file], line: line.number)
                var isNodes = true
                let made: Result<Entity?, BadField> = Result { () throws(BadField) in
                    switch try GraphLine(try Self.object(line.bytes)) {
                    case .beginning:
                        ends.begin(origin.path)
                        known = [:]
                    case .ending: ends.end()
                    case .schema(let rule):
                        if rule.kind == "uniqueness" && rule.entity == "node" && rule.properties.count == 1 {
                            keys.add(UpsertRequest.Key(label: rule.label, property: rule.properties[0]))
                        }
                    case .node(let node):
                        let (key, id) = try key(node, keys)
                        if self.keys.key(label: key.label) == key { known[CodeUnitKey(node.id)] = (key, id) }
                        let properties = node.properties.filter { !codeUnitsEqual($0.name, key.property) }
                        return (.nodes(key, labels: node.labels), [id], properties)
                    case .relationship(let relationship):
                        isNodes = false
                        let (start, startID) = try end(relationship.start, keys, known)
                        let (end, endID) = try end(relationship.end, keys, known)
                        return (
                            .relationships(type: relationship.type, start: start, end: end), [startID, endID],
                            relationship.properties
                        )
                    }
                    return nil
                }
                switch made {
                case .failure(let problem): try sink.bad(origin, problem.text, isNodes: isNodes)
                case .success(let entity?): try await sink.add(entity.target, entity.keys, entity.properties, origin)
                case .success(nil): break
                }
            }
            sink.show("JSON Lines", Double(reader.consumedByteCount) / Double(max(1, reader.byteCount)))
        }
        try ends.require()
    }

    private typealias Entity = (target: UpsertRequest.Target, keys: [Value], properties: [(name: String, value: Value)])

    private typealias NodeKey = (UpsertRequest.Key, Value)

    private func end(
        _ node: GraphLine.Node, _ keys: UpsertKeys, _ known: [CodeUnitKey: NodeKey]
    ) throws(BadField) -> NodeKey {
        if let key = known[CodeUnitKey(node.id)] { return key }
        return try key(node, keys)
    }

    /// What tells a node apart: a property that is its label's key, or its id.
    private func key(_ node: GraphLine.Node, _ keys: UpsertKeys) throws(BadField) -> NodeKey {
        for label in node.labels {
            guard let key = keys.key(label: label),
                let value = node.properties.first(where: { codeUnitsEqual($0.name, key.property) })?.value
            else { continue }
            return (key, value)
        }
        guard let label = node.labels.first else { throw BadField(text: "node \(node.id) has no label: an upsert cannot find it") }
        guard let property = keys.idProperty else {
            throw BadField(
                text: "no property is known to tell nodes like node \(node.id) apart: name it as in --key \(label).name, or one that keeps the ids, as in --key id")
        }
        guard let id = keys.id(node.id) else { throw BadField(text: "the id \"\(node.id)\" is no integer") }
        return (UpsertRequest.Key(label: label, property: property), id)
    }

    static func object(_ bytes: [UInt8]) throws(BadField) -> MapValue {
        do throws(JSONError) {
            if case .map(let map) = try JSONParser.parse(bytes) { return map }
        } catch { throw BadField(text: "malformed JSON: \(error)") }
        throw BadField(text: "the line is no JSON object")
    }
}
