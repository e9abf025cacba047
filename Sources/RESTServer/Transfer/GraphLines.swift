internal import FileSystem
package import GraphModel
package import Storage

/// Writes a whole graph as JSON Lines, as one transaction sees it: one line about the whole, indexes and constraints, nodes,
/// relationships, and one line as the end, by which a reader knows that it has everything. See docs/formats/json-lines.md.
package struct GraphLines {
    private let transaction: Transaction
    private let send: ([UInt8]) throws(GraphError) -> Void
    /// Called before some more entities are read; throws to end the writing.
    private let check: () throws(GraphError) -> Void
    private var json = JSONWriter(.compact)
    /// Properties that tell nodes with a label apart, each alone.
    private var keys: [TokenID: TokenID] = [:]
    private var counts = (nodes: 0, relationships: 0)

    private static let pieceByteCount = 64 << 10
    private static let entityCountAtOnce = 1024

    /// - Parameter send: takes whole lines, some at a time.
    package init(
        of transaction: Transaction, check: @escaping () throws(GraphError) -> Void,
        send: @escaping ([UInt8]) throws(GraphError) -> Void
    ) {
        self.transaction = transaction
        self.check = check
        self.send = send
    }

    package mutating func write() throws(GraphError) {
        beginLine("graph")
        json.key("version")
        json.value(Int64(1))
        json.key("transaction")
        json.value(transaction.snapshotTransactionID.rawValue)
        writeCounts(transaction.nodeCount(), transaction.relationshipCount())
        try endLine()
        for rule in transaction.schemaRules where rule.state != .failed { try write(rule) }
        var ids: ContiguousArray<UInt64> = []
        var cursor: UInt64 = 0
        var hasMore = true
        while hasMore {
            try check()
            ids.removeAll(keepingCapacity: true)
            hasMore = transaction.scanNodes(label: nil, cursor: &cursor, limit: Self.entityCountAtOnce, into: &ids)
            for id in ids { try write(NodeID(id)) }
        }
        cursor = 0
        hasMore = true
        while hasMore {
            try check()
            ids.removeAll(keepingCapacity: true)
            hasMore = transaction.scanRelationships(type: nil, cursor: &cursor, limit: Self.entityCountAtOnce, into: &ids)
            for id in ids { if let record = transaction.relationship(RelationshipID(id)) { try write(record) } }
        }
        // What damage kept from being read must not look like the end.
        try transaction.requireIntact()
        beginLine("end")
        writeCounts(counts.nodes, counts.relationships)
        try endLine()
        if json.byteCount > 0 { try send(json.take()) }
    }

    private mutating func writeCounts(_ nodes: Int, _ relationships: Int) {
        json.key("nodes")
        json.value(Int64(nodes))
        json.key("relationships")
        json.value(Int64(relationships))
        json.endObject()
    }

    private mutating func beginLine(_ type: String) {
        json.beginObject()
        json.key("type")
        json.string(type)
    }

    private mutating func endLine() throws(GraphError) {
        json.endLine()
        if json.byteCount >= Self.pieceByteCount { try send(json.take()) }
    }

    private mutating func write(_ rule: SchemaRule) throws(GraphError) {
        if rule.kind == .uniqueness && rule.entity == .node && rule.keys.count == 1 && keys[rule.token] == nil {
            keys[rule.token] = rule.keys[0]
        }
        beginLine("schema")
        json.key("kind")
        json.string("\(rule.kind)")
        json.key("entity")
        json.string("\(rule.entity)")
        json.key("label")
        json.string(transaction.name(rule.entity == .node ? .label : .relationshipType, rule.token))
        json.key("properties")
        json.strings(rule.keys.map { transaction.name(.propertyKey, $0) })
        json.key("name")
        json.string(rule.name)
        json.endObject()
        try endLine()
    }

    private mutating func write(_ node: NodeID) throws(GraphError) {
        counts.nodes += 1
        beginLine("node")
        writeIdentity(node.rawValue)
        writeLabels(transaction.labels(of: node))
        json.key("properties")
        write(transaction.properties(ofNode: node))
        json.endObject()
        try endLine()
    }

    private mutating func write(_ relationship: RelationshipRecord) throws(GraphError) {
        counts.relationships += 1
        beginLine("relationship")
        writeIdentity(relationship.id.rawValue)
        json.key("label")
        json.string(transaction.name(.relationshipType, relationship.type))
        json.key("start")
        writeEnd(relationship.start)
        json.key("end")
        writeEnd(relationship.end)
        json.key("properties")
        write(transaction.properties(ofRelationship: relationship.id))
        json.endObject()
        try endLine()
    }

    /// A node at the end of a relationship, with what tells it apart.
    private mutating func writeEnd(_ node: NodeID) {
        let labels = transaction.labels(of: node)
        json.beginObject()
        writeIdentity(node.rawValue)
        writeLabels(labels)
        var found: [(key: TokenID, value: Value)] = []
        for label in labels {
            guard let key = keys[label], !found.contains(where: { $0.key == key }),
                let value = transaction.property(key, ofNode: node)
            else { continue }
            found.append((key, value))
        }
        if !found.isEmpty {
            json.key("properties")
            write(found)
        }
        json.endObject()
    }

    /// A string, as other databases write it: numbers of 64 bits are too long for many readers.
    private mutating func writeIdentity(_ id: UInt64) {
        json.key("id")
        json.beginPlainString()
        json.plain(id)
        json.endPlainString()
    }

    private mutating func writeLabels(_ labels: [TokenID]) {
        json.key("labels")
        json.beginList()
        for label in labels { json.string(transaction.name(.label, label)) }
        json.endList()
    }

    /// Properties, and behind them the types of those whose values JSON has no form for.
    private mutating func write(_ properties: [(key: TokenID, value: Value)]) {
        var typed: [(key: TokenID, type: String)] = []
        json.beginObject()
        for (key, value) in properties {
            json.key(transaction.name(.propertyKey, key))
            if !write(value) { typed.append((key, value.importType)) }
        }
        json.endObject()
        if typed.isEmpty { return }
        json.key("types")
        json.beginObject()
        for (key, type) in typed {
            json.key(transaction.name(.propertyKey, key))
            json.string(type)
        }
        json.endObject()
    }

    /// False when JSON does not tell what it was.
    private mutating func write(_ value: Value) -> Bool {
        switch value {
        case .boolean(let flag): json.value(flag)
        case .integer(let number): json.value(number)
        case .float(let number):
            json.value(number)
            return number.isFinite
        case .string(let text): json.string(text.text)
        case .temporal(let temporal):
            json.string(temporal.description)
            return false
        case .point(let point):
            json.string(point.description)
            return false
        case .bytes(let bytes):
            json.beginList()
            for byte in bytes.bytes { json.value(Int64(Int8(bitPattern: byte))) }
            json.endList()
            return false
        case .list(let list):
            var isPlain = true
            json.beginList()
            for element in list.elements where !write(element) { isPlain = false }
            json.endList()
            return isPlain
        case .null, .map, .node, .relationship, .path: json.null()
        }
        return true
    }
}
