import GraphModel
import Storage

/// A graph in plain dictionaries: what the reference interpreter reads and changes, and what a store is compared with.
struct ReferenceGraph {
    struct Node {
        var labels: Set<String> = []
        var properties: [String: Value] = [:]
    }
    struct Relationship {
        let type: String
        let start: UInt64
        let end: UInt64
        var properties: [String: Value] = [:]

        func other(than node: UInt64) -> UInt64 { start == node ? end : start }
    }

    var nodes: [UInt64: Node] = [:]
    var relationships: [UInt64: Relationship] = [:]
    /// Ids for what an interpreter creates: far from those of a store.
    private var nextID: UInt64 = 1 << 40

    init() {}

    var nodeIDs: [UInt64] { nodes.keys.sorted() }
    var relationshipIDs: [UInt64] { relationships.keys.sorted() }

    mutating func add(_ node: Node) -> UInt64 {
        defer { nextID += 1 }
        nodes[nextID] = node
        return nextID
    }

    mutating func add(_ relationship: Relationship) -> UInt64 {
        defer { nextID += 1 }
        relationships[nextID] = relationship
        return nextID
    }

    /// The relationships at a node, each once.
    func relationships(at node: UInt64) -> [UInt64] {
        relationshipIDs.filter { relationships[$0]?.start == node || relationships[$0]?.end == node }
    }

    // MARK: Stores

    /// What a transaction sees.
    init(reading transaction: Transaction) {
        func properties(_ stored: [(key: TokenID, value: Value)]) -> [String: Value] {
            Dictionary(uniqueKeysWithValues: stored.map { (transaction.name(.propertyKey, $0.key), $0.value) })
        }
        var cursor: UInt64 = 0
        var ids: ContiguousArray<UInt64> = []
        while transaction.scanNodes(label: nil, cursor: &cursor, limit: 1024, into: &ids) {}
        for id in ids {
            nodes[id] = Node(
                labels: Set(transaction.labels(of: NodeID(id)).map { transaction.name(.label, $0) }),
                properties: properties(transaction.properties(ofNode: NodeID(id))))
        }
        for id in ids {
            var neighbours: ContiguousArray<UInt64> = []
            var found: ContiguousArray<UInt64> = []
            transaction.expand(NodeID(id), .outgoing, types: [], neighbours: &neighbours, relationships: &found)
            for (relationship, end) in zip(found, neighbours) {
                let type = transaction.relationship(RelationshipID(relationship))?.type
                relationships[relationship] = Relationship(
                    type: type.map { transaction.name(.relationshipType, $0) } ?? "", start: id, end: end,
                    properties: properties(transaction.properties(ofRelationship: RelationshipID(relationship))))
            }
        }
    }

    /// Makes this graph in an empty store; its ids must be those that the store will give: 0, 1, 2 and so on.
    func create(in transaction: Transaction) throws {
        for id in nodeIDs {
            guard let node = nodes[id] else { continue }
            let properties = node.properties.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
            let created = try transaction.createNode(labels: node.labels.sorted(), properties: properties)
            guard created.rawValue == id else { throw ReferenceFailure("node \(id) was created as \(created)") }
        }
        for id in relationshipIDs {
            guard let relationship = relationships[id] else { continue }
            let properties = relationship.properties.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
            let created = try transaction.createRelationship(
                type: relationship.type, from: NodeID(relationship.start), to: NodeID(relationship.end),
                properties: properties)
            guard created.rawValue == id else { throw ReferenceFailure("relationship \(id) was created as \(created)") }
        }
    }
}

/// Names for the elements of a graph that do not depend on the ids of new ones: two graphs that grew from the same one
/// by the same changes have the same names. (Colours refined a few times: enough for what a query creates.)
struct ElementNames {
    private(set) var nodes: [UInt64: String] = [:]
    private(set) var relationships: [UInt64: String] = [:]
    /// The whole graph.
    let text: String

    /// - Parameter before: the graph that this one grew from; its elements are named by their ids.
    init(_ graph: ReferenceGraph, before: ReferenceGraph) {
        let style = ValueText(isLoose: false)
        func properties(_ map: [String: Value]) -> String {
            map.sorted { $0.key < $1.key }.map { "\($0.key): \(style.text($0.value))" }.joined(separator: ", ")
        }
        var bases: [UInt64: String] = [:]
        for (id, relationship) in graph.relationships {
            let name = before.relationships[id] == nil ? "new" : "\(id)"
            bases[id] = "[\(name):\(relationship.type) {\(properties(relationship.properties))}]"
        }
        var full: [UInt64: String] = [:]
        for (id, node) in graph.nodes {
            let name = before.nodes[id] == nil ? "new" : "\(id)"
            let labels = node.labels.sorted().map { ":\($0)" }.joined()
            full[id] = "(\(name)\(labels) {\(properties(node.properties))})"
        }
        var colours = full
        for _ in 0..<3 {
            var next = colours
            for (id, text) in full {
                var around: [String] = []
                for (edge, relationship) in graph.relationships {
                    let base = bases[edge] ?? ""
                    if relationship.start == id { around.append(base + ">" + (colours[relationship.end] ?? "")) }
                    if relationship.end == id { around.append(base + "<" + (colours[relationship.start] ?? "")) }
                }
                next[id] = text + Self.digest(around.sorted().joined(separator: "|"))
            }
            colours = next
        }
        for id in graph.nodes.keys { nodes[id] = before.nodes[id] == nil ? "(\(colours[id] ?? ""))" : "(\(id))" }
        var lines = full.map { before.nodes[$0.key] == nil ? colours[$0.key] ?? "" : $0.value }
        for (id, relationship) in graph.relationships {
            let line = "\(nodes[relationship.start] ?? "gone")-\(bases[id] ?? "")->\(nodes[relationship.end] ?? "gone")"
            relationships[id] = before.relationships[id] == nil ? line : "[\(id)]"
            lines.append(line)
        }
        text = lines.sorted().joined(separator: "\n")
    }

    /// FNV-1a.
    private static func digest(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "#" + String(hash, radix: 36)
    }
}

/// Why the reference interpreter gives no rows.
struct ReferenceFailure: Error, CustomStringConvertible {
    let description: String
    /// Whether the query is only too much work for a naive interpreter.
    let isExhaustion: Bool

    init(_ description: String, isExhaustion: Bool = false) {
        self.description = description
        self.isExhaustion = isExhaustion
    }
}
