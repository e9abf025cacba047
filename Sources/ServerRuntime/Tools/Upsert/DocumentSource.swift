internal import GraphModel
internal import RESTServer
internal import Storage

/// Exports of a document store: in each line an object with `_id` and `_source`. A document is a node; fields within
/// fields become properties whose names have dots. Fields that refer to other documents become relationships, in a second
/// reading, when all nodes are there.
struct DocumentSource {
    /// A field that has keys of other nodes.
    private struct Reference {
        let field: String
        let type: String
        let end: UpsertRequest.Key
    }

    private let inputs: [BulkImporter.Input]
    private let references: [Reference]
    private let keys: UpsertKeys
    /// Of documents whose label has no key of its own.
    private let keyProperty: String

    /// - Throws: `.configuration`, also for relationships of what can be read only once.
    init(_ files: SourceFiles, _ keys: UpsertKeys) throws(GraphError) {
        let keyProperty = keys.idProperty ?? "id"
        self.keys = keys
        self.keyProperty = keyProperty
        let inputs = try files.documents.map { text throws(GraphError) in try ImportTool.input(text, "--documents") }
        self.inputs = inputs
        references = try files.references.map { text throws(GraphError) in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, !parts.contains("") else {
                throw GraphError(.configuration, "--relationship \(text): expected field:TYPE:Label or field:TYPE:Label.property")
            }
            let end = UpsertRequest.Key(parts[2]) ?? keys.key(label: parts[2]) ?? UpsertRequest.Key(label: parts[2], property: keyProperty)
            return Reference(field: parts[0], type: parts[1], end: end)
        }
        if !references.isEmpty, inputs.contains(where: { $0.paths.contains(standardInputPath) }) {
            throw GraphError(.configuration, "--relationship: standard input can be read only once, and relationships need a second time")
        }
        // A missing file is told before anything is written.
        for input in inputs where !input.paths.contains(standardInputPath) { _ = try ImportLineReader(input.paths) }
    }

    func read(into sink: inout some UpsertSink) async throws(GraphError) {
        for input in inputs { try await read(input, asNodes: true, &sink) }
        if references.isEmpty { return }
        for input in inputs { try await read(input, asNodes: false, &sink) }
    }

    private func read(_ input: BulkImporter.Input, asNodes: Bool, _ sink: inout some UpsertSink) async throws(GraphError) {
        let reader = try ImportLineReader(input.paths)
        while let lines = try reader.next() {
            for line in lines {
                let origin = RowOrigin(path: input.paths[line.file], line: line.number)
                let made: Result<Document, BadField> = Result { () throws(BadField) in
                    try document(try JSONLinesSource.object(line.bytes), input.names)
                }
                switch made {
                case .failure(let problem):
                    // The second time it was told already.
                    if asNodes { try sink.bad(origin, problem.text, isNodes: true) }
                case .success(let document) where asNodes:
                    let properties = document.fields.filter { field in !references.contains { codeUnitsEqual($0.field, field.name) } }
                    try await sink.add(.nodes(document.key, labels: document.labels), [document.id], properties, origin)
                case .success(let document): try await addReferences(document, origin, &sink)
                }
            }
            sink.show(asNodes ? "documents" : "relationships", Double(reader.consumedByteCount) / Double(max(1, reader.byteCount)))
        }
    }

    private func addReferences(_ document: Document, _ origin: RowOrigin, _ sink: inout some UpsertSink) async throws(GraphError) {
        for reference in references {
            for field in document.fields where codeUnitsEqual(field.name, reference.field) {
                var ends = [field.value]
                if case .list(let list) = field.value { ends = list.elements }
                for end in ends {
                    var id: Value?
                    switch end {
                    case .string(let text): id = keys.id(text.text)
                    case .integer(let number): id = keys.id(String(number))
                    default: break
                    }
                    guard let id else {
                        try sink.bad(origin, "field \"\(field.name)\" has a \(end.kindName) that is no key of a node", isNodes: false)
                        continue
                    }
                    try await sink.add(
                        .relationships(type: reference.type, start: document.key, end: reference.end), [document.id, id], [], origin)
                }
            }
        }
    }

    private struct Document {
        let key: UpsertRequest.Key
        let labels: [String]
        let id: Value
        let fields: [(name: String, value: Value)]
    }

    private func document(_ map: MapValue, _ labels: [String]) throws(BadField) -> Document {
        guard case .map(let source)? = map["_source"] else { throw BadField(text: "the line has no \"_source\"") }
        let text: String
        switch map["_id"] {
        case .string(let id)?: text = id.text
        case .integer(let id)?: text = String(id)
        default: throw BadField(text: "the line has no \"_id\"")
        }
        guard let id = keys.id(text) else { throw BadField(text: "\"_id\" is \"\(text)\", which is no integer") }
        var labels = labels
        if labels.isEmpty {
            for type in [map["_type"], source["type"]] {
                if case .string(let type)? = type, type.text != "_doc", !type.text.isEmpty, labels.isEmpty { labels = [type.text] }
            }
        }
        guard let label = labels.first else {
            throw BadField(text: "neither \"_type\" nor a field \"type\" says what the document is: name a label, as in --documents Document=FILE")
        }
        let key = keys.key(label: label) ?? UpsertRequest.Key(label: label, property: keyProperty)
        var fields: [(name: String, value: Value)] = []
        try Self.flatten(source, "", &fields)
        var names: Set<CodeUnitKey> = []
        for (name, _) in fields where !names.insert(CodeUnitKey(name)).inserted {
            throw BadField(text: "the document has the field \"\(name)\" twice, with a dot and within another")
        }
        fields.removeAll { codeUnitsEqual($0.name, key.property) }
        return Document(key: key, labels: labels, id: id, fields: fields)
    }

    private static func flatten(
        _ map: MapValue, _ prefix: String, _ fields: inout [(name: String, value: Value)]
    ) throws(BadField) {
        for (name, value) in map.entries {
            switch value {
            case .null: continue
            case .map(let inner): try flatten(inner, prefix + name + ".", &fields)
            case .list(let list): fields.append((prefix + name, try array(list, prefix + name)))
            default: fields.append((prefix + name, value))
            }
        }
    }

    /// Nulls are left out; of integers and floats together all become floats.
    private static func array(_ list: ListValue, _ name: String) throws(BadField) -> Value {
        var elements = list.elements.filter { !$0.isNull }
        let hasFloats = elements.contains { if case .float = $0 { true } else { false } }
        if hasFloats { elements = elements.map { if case .integer(let number) = $0 { .float(Double(number)) } else { $0 } } }
        let value = Value.list(elements)
        guard value.isStorable else {
            throw BadField(text: "field \"\(name)\" is a list of objects, of lists, or of different kinds, which no property can hold")
        }
        return value
    }
}
