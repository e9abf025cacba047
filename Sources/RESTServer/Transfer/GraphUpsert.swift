internal import FileSystem
internal import GraphModel
internal import Storage

/// Brings a graph up to date with some rows, in one transaction: what is missing is added, what differs is updated, nothing
/// is deleted.
struct GraphUpsert {
    /// What became of the rows.
    struct Outcome: Sendable {
        var created = 0
        var updated = 0
        var unchanged = 0
        /// Numbers of the relationships that lack a node at an end.
        var endless: [Int] = []
    }

    private let request: UpsertRequest
    private let transaction: Transaction
    private var outcome = Outcome()
    /// By number of the name; nil where the graph had none of that name.
    private let keys: [TokenID?]
    private var ids: ContiguousArray<UInt64> = []
    private var neighbours: ContiguousArray<UInt64> = []

    private init(_ request: UpsertRequest, _ transaction: Transaction) {
        self.request = request
        self.transaction = transaction
        keys = request.names.map { transaction.token(.propertyKey, $0) }
    }

    /// - Throws: `.unavailable` while there is no index of a key, and what writing throws.
    static func run(_ request: UpsertRequest, in transaction: Transaction) throws(GraphError) -> Outcome {
        var upsert = GraphUpsert(request, transaction)
        switch request.target {
        case .nodes(let key, let labels): try upsert.upsertNodes(key, labels)
        case .relationships(let type, let start, let end): try upsert.upsertRelationships(type, start, end)
        }
        return upsert.outcome
    }

    private func index(_ key: UpsertRequest.Key) throws(GraphError) -> SchemaRuleID {
        guard let label = transaction.token(.label, key.label), let property = transaction.token(.propertyKey, key.property),
            let index = transaction.index(label: label, keys: [property])
        else { throw GraphError(.unavailable, "there is no index of :\(key.label)(\(key.property)), or it is being populated still") }
        return index
    }

    private mutating func find(_ value: Value, _ index: SchemaRuleID) throws(GraphError) -> NodeID? {
        ids.removeAll(keepingCapacity: true)
        try transaction.seek(index, equals: value, into: &ids)
        return ids.first.map { NodeID($0) }
    }

    /// What a new entity has.
    ///
    /// - Parameter key: the property that is a node's key.
    private func properties(_ row: UpsertRequest.Row, key: String? = nil) -> [(key: String, value: Value)] {
        var properties: [(key: String, value: Value)] = []
        properties.reserveCapacity(row.properties.count + 1)
        if let key { properties.append((key, row.keys[0])) }
        for (name, value) in row.properties { properties.append((request.names[name], value)) }
        return properties
    }

    // MARK: Nodes

    private mutating func upsertNodes(_ key: UpsertRequest.Key, _ labels: [String]) throws(GraphError) {
        let index = try index(key)
        let labels = labels.contains { codeUnitsEqual($0, key.label) } ? labels : [key.label] + labels
        let tokens = labels.map { transaction.token(.label, $0) }
        for row in request.rows {
            guard let node = try find(row.keys[0], index) else {
                _ = try transaction.createNode(labels: labels, properties: properties(row, key: key.property))
                outcome.created += 1
                continue
            }
            var differs = false
            for (place, label) in labels.enumerated() where !(tokens[place].map { transaction.hasLabel($0, node) } ?? false) {
                try transaction.addLabel(label, to: node)
                differs = true
            }
            for (name, value) in row.properties {
                let found = keys[name].flatMap { transaction.property($0, ofNode: node) }
                if let found, Self.areSame(found, value) { continue }
                try transaction.setProperty(request.names[name], to: value, ofNode: node)
                differs = true
            }
            if differs { outcome.updated += 1 } else { outcome.unchanged += 1 }
        }
    }

    // MARK: Relationships

    private mutating func upsertRelationships(
        _ type: String, _ start: UpsertRequest.Key, _ end: UpsertRequest.Key
    ) throws(GraphError) {
        let (startIndex, endIndex) = (try index(start), try index(end))
        for (number, row) in request.rows.enumerated() {
            guard let from = try find(row.keys[0], startIndex), let to = try find(row.keys[1], endIndex) else {
                outcome.endless.append(number)
                continue
            }
            guard let relationship = relationship(type, from, to) else {
                _ = try transaction.createRelationship(type: type, from: from, to: to, properties: properties(row))
                outcome.created += 1
                continue
            }
            var differs = false
            for (name, value) in row.properties {
                let found = keys[name].flatMap { transaction.property($0, ofRelationship: relationship) }
                if let found, Self.areSame(found, value) { continue }
                try transaction.setProperty(request.names[name], to: value, ofRelationship: relationship)
                differs = true
            }
            if differs { outcome.updated += 1 } else { outcome.unchanged += 1 }
        }
    }

    /// Looks from the end that has fewer.
    private mutating func relationship(_ type: String, _ from: NodeID, _ to: NodeID) -> RelationshipID? {
        guard let token = transaction.token(.relationshipType, type) else { return nil }
        let outgoing = transaction.degree(from, .outgoing, types: [token])
        if outgoing == 0 { return nil }
        let incoming = outgoing == 1 ? 1 : transaction.degree(to, .incoming, types: [token])
        if incoming == 0 { return nil }
        let isFromStart = outgoing <= incoming
        ids.removeAll(keepingCapacity: true)
        neighbours.removeAll(keepingCapacity: true)
        transaction.expand(
            isFromStart ? from : to, isFromStart ? .outgoing : .incoming, types: [token], neighbours: &neighbours,
            relationships: &ids)
        let wanted = isFromStart ? to.rawValue : from.rawValue
        var found: UInt64?
        for (place, neighbour) in neighbours.enumerated() where neighbour == wanted && ids[place] < found ?? .max {
            found = ids[place]
        }
        return found.map { RelationshipID($0) }
    }

    /// Whether a property would hold the same: 1 is not 1.0, and NaN is NaN.
    private static func areSame(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.string(let a), .string(let b)): return a == b
        case (.integer(let a), .integer(let b)): return a == b
        case (.boolean(let a), .boolean(let b)): return a == b
        case (.float(let a), .float(let b)): return a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN)
        case (.list(let a), .list(let b)):
            return a.elements.count == b.elements.count && zip(a.elements, b.elements).allSatisfy { areSame($0, $1) }
        case (.string, _), (.integer, _), (.boolean, _), (.float, _), (.list, _): return false
        default:
            var bytes = ByteWriter()
            ValueCodec.encode(a, into: &bytes)
            var other = ByteWriter()
            ValueCodec.encode(b, into: &other)
            return bytes.bytes == other.bytes
        }
    }
}
