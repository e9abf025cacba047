import GraphModel
import Storage
import TestSupport

/// A graph in plain dictionaries: what a store must agree with.
struct ModelGraph: Equatable {
    struct Node: Equatable {
        var labels: Set<String> = []
        var properties: [String: Value] = [:]
    }
    struct Relationship: Equatable {
        var type: String
        var start: UInt64
        var end: UInt64
        var properties: [String: Value] = [:]
    }
    var nodes: [UInt64: Node] = [:]
    var relationships: [UInt64: Relationship] = [:]

    /// Reads everything that a transaction sees, through scans and point reads.
    init(reading transaction: Transaction) {
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        while transaction.scanNodes(label: nil, cursor: &cursor, limit: 7, into: &ids) {}
        for id in ids {
            var node = Node()
            for label in transaction.labels(of: NodeID(id)) { node.labels.insert(transaction.name(.label, label)) }
            for property in transaction.properties(ofNode: NodeID(id)) {
                node.properties[transaction.name(.propertyKey, property.key)] = property.value
            }
            nodes[id] = node
        }
        cursor = 0
        ids.removeAll()
        while transaction.scanRelationships(type: nil, cursor: &cursor, limit: 7, into: &ids) {}
        for id in ids {
            guard let record = transaction.relationship(RelationshipID(id)) else { continue }
            var relationship = Relationship(
                type: transaction.name(.relationshipType, record.type), start: record.start.rawValue,
                end: record.end.rawValue)
            for property in transaction.properties(ofRelationship: RelationshipID(id)) {
                relationship.properties[transaction.name(.propertyKey, property.key)] = property.value
            }
            relationships[id] = relationship
        }
    }

    init() {}

    /// What expanding every node gives, as sorted triples; from the model.
    func adjacency(_ direction: Direction, type: String?) -> [[UInt64]] {
        var result: [[UInt64]] = []
        for (id, relationship) in relationships where type == nil || relationship.type == type {
            let isLoop = relationship.start == relationship.end
            if direction != .incoming { result.append([relationship.start, relationship.end, id]) }
            if direction == .incoming || (direction == .both && !isLoop) {
                result.append([relationship.end, relationship.start, id])
            }
        }
        return result.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The same from a store.
    static func adjacency(_ transaction: Transaction, _ direction: Direction, type: String?) -> [[UInt64]] {
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        while transaction.scanNodes(label: nil, cursor: &cursor, limit: 100, into: &ids) {}
        var types: [TokenID] = []
        if let type {
            guard let token = transaction.token(.relationshipType, type) else { return [] }
            types = [token]
        }
        var result: [[UInt64]] = []
        for id in ids {
            var neighbours: ContiguousArray<UInt64> = []
            var relationships: ContiguousArray<UInt64> = []
            transaction.expand(
                NodeID(id), direction, types: types, neighbours: &neighbours, relationships: &relationships)
            for (neighbour, relationship) in zip(neighbours, relationships) {
                result.append([id, neighbour, relationship])
            }
        }
        return result.sorted { $0.lexicographicallyPrecedes($1) }
    }
}

/// Random changes, made to a transaction and to a model alike.
struct RandomWorkload {
    var generator: SeededGenerator
    static let keys = ["name", "age", "größe", "a", "b"]
    static let labels = ["Person", "Film", "Ort"]
    static let types = ["KNOWS", "ACTED_IN", "F"]

    /// With more nodes than this every step takes one away, so that long runs stay small.
    var nodeCountMaximum = Int.max

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func value() -> Value {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: .boolean(Bool.random(using: &generator))
        case 1: .integer(Int64.random(in: .min ... .max, using: &generator))
        case 2: .integer(Int64.random(in: -3...300, using: &generator))
        case 3: .float([0.5, -0.0, .infinity, .nan, 1e300][Int.random(in: 0..<5, using: &generator)])
        case 4: .string(["", "x", "u\u{308}", "\u{FC}", "🐦 fliegt"][Int.random(in: 0..<5, using: &generator)])
        case 5: .list([.string("p"), .string("q")])
        case 6: .bytes(BytesValue([0, 255, 7]))
        case 7: SampleValues.value(using: &generator)
        case 8: .list([.point(SampleValues.point(using: &generator))])
        default: .list([])
        }
    }

    mutating func pick<T>(_ list: [T]) -> T { list[Int.random(in: 0..<list.count, using: &generator)] }

    mutating func step(_ transaction: Transaction, _ model: inout ModelGraph) throws {
        let nodes = model.nodes.keys.sorted()
        let relationships = model.relationships.keys.sorted()
        let choice = Int.random(in: 0..<12, using: &generator)
        switch nodes.count > nodeCountMaximum ? 6 : choice {
        case 0, 1:
            let labels = (0..<Int.random(in: 0...2, using: &generator)).map { _ in pick(Self.labels) }
            let key = pick(Self.keys)
            let value = value()
            let id = try transaction.createNode(labels: labels, properties: [(key, value)])
            model.nodes[id.rawValue] = .init(labels: Set(labels), properties: [key: value])
        case 2, 3, 4:
            guard !nodes.isEmpty else { return }
            let start = pick(nodes)
            let end = pick(nodes)
            let type = pick(Self.types)
            let key = pick(Self.keys)
            let value = value()
            let properties: [(key: String, value: Value)] = Bool.random(using: &generator) ? [(key, value)] : []
            let id = try transaction.createRelationship(
                type: type, from: NodeID(start), to: NodeID(end), properties: properties)
            model.relationships[id.rawValue] = .init(
                type: type, start: start, end: end, properties: properties.isEmpty ? [:] : [key: value])
        case 5:
            guard !relationships.isEmpty else { return }
            let id = pick(relationships)
            try transaction.deleteRelationship(RelationshipID(id))
            model.relationships[id] = nil
        case 6:
            guard !nodes.isEmpty else { return }
            let id = pick(nodes)
            for relationship in relationships {
                guard let record = model.relationships[relationship], record.start == id || record.end == id else { continue }
                try transaction.deleteRelationship(RelationshipID(relationship))
                model.relationships[relationship] = nil
            }
            try transaction.deleteNode(NodeID(id))
            model.nodes[id] = nil
        case 7, 8:
            guard !nodes.isEmpty else { return }
            let id = pick(nodes)
            let key = pick(Self.keys)
            let value = Int.random(in: 0..<4, using: &generator) == 0 ? Value.null : value()
            try transaction.setProperty(key, to: value, ofNode: NodeID(id))
            model.nodes[id]?.properties[key] = value.isNull ? nil : value
        case 9:
            guard !relationships.isEmpty else { return }
            let id = pick(relationships)
            let key = pick(Self.keys)
            let value = Int.random(in: 0..<4, using: &generator) == 0 ? Value.null : value()
            try transaction.setProperty(key, to: value, ofRelationship: RelationshipID(id))
            model.relationships[id]?.properties[key] = value.isNull ? nil : value
        case 10:
            guard !nodes.isEmpty else { return }
            let id = pick(nodes)
            let label = pick(Self.labels)
            try transaction.addLabel(label, to: NodeID(id))
            model.nodes[id]?.labels.insert(label)
        default:
            guard !nodes.isEmpty else { return }
            let id = pick(nodes)
            let label = pick(Self.labels)
            try transaction.removeLabel(label, from: NodeID(id))
            model.nodes[id]?.labels.remove(label)
        }
    }
}
