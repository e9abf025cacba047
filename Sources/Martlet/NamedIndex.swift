/// A named index of nodes as a transaction sees it: finds nodes by the (key, value) pairs that were added for them,
/// whatever their properties are. Made by the first addition; see ``Transaction/nodeIndex(_:)``.
///
/// ```swift
/// try db.write { tx in
///     let actors = tx.nodeIndex("actors")
///     let neo = try tx.createNode("Actor", properties: ["name": "Keanu Reeves"])
///     try actors.add(neo, key: "name", value: "Keanu Reeves")
/// }
/// try db.read { tx in print(try tx.nodeIndex("actors").query("name:*ee*").count) }
/// ```
public struct NodeIndex {
    public let name: String
    let transaction: Transaction

    /// Whether it is there.
    public var exists: Bool { transaction.manualIndex(.node, named: name) != nil }

    /// Adds a pair. The value goes by its text, or as a number that is found by ranges: then it has to be one.
    public func add(_ node: Node, key: String, value: Value, isNumeric: Bool = false) throws(GraphError) {
        let indexed = isNumeric ? try IndexedValue(numeric: value) : IndexedValue(value)
        try transaction.add(.node(node.id), toIndex: name, key: key, value: indexed)
    }

    /// Takes out a pair, or all pairs of a key, or all of the node.
    public func remove(_ node: Node, key: String? = nil, value: Value? = nil) throws(GraphError) {
        try transaction.remove(.node(node.id), fromIndex: name, key: key, value: value.map { IndexedValue($0) })
    }

    /// The nodes that exactly this pair was added for. Throws `.schemaRuleNotFound` when there is no such index.
    public func get(_ key: String, _ value: Value) throws(GraphError) -> [Node] {
        var ids: ContiguousArray<UInt64> = []
        try transaction.lookUp(.node, inIndex: name, key: key, value: IndexedValue(value), into: &ids)
        return ids.map { Node(id: NodeID($0), transaction: transaction) }
    }

    /// The nodes that a query in Lucene's syntax finds, by id, or in the order that is asked for.
    ///
    /// - Parameter key: of terms that name none.
    public func query(
        _ text: String, key: String? = nil, sortedBy order: [IndexSorting] = []
    ) throws(GraphError) -> [Node] {
        try query(try IndexQuery.parse(text, key: key), sortedBy: order)
    }

    public func query(_ query: IndexQuery, sortedBy order: [IndexSorting] = []) throws(GraphError) -> [Node] {
        var hits = try transaction.query(.node, index: name, query)
        if !order.isEmpty { hits = try transaction.sorted(hits, .node, inIndex: name, by: order) }
        return hits.map { Node(id: NodeID($0.id), transaction: transaction) }
    }

    /// Adds a pair unless a node has it, which is given back then. Of many who do it at once, on any member of a cluster,
    /// one adds.
    public func putIfAbsent(_ node: Node, key: String, value: Value) throws(GraphError) -> Node? {
        let found = try transaction.putIfAbsent(.node(node.id), toIndex: name, key: key, value: IndexedValue(value))
        if case .node(let id)? = found { return Node(id: id, transaction: transaction) }
        return nil
    }

    /// The node that has a pair; when there is none, a new one, for which the pair is added.
    ///
    /// - Parameter initialize: called once with a new node.
    public func getOrCreate(
        key: String, value: Value, _ initialize: (Node) throws(GraphError) -> Void = { _ in }
    ) throws(GraphError) -> Node {
        let (entity, _) = try transaction.getOrCreate(.node, inIndex: name, key: key, value: IndexedValue(value)) {
            transaction throws(GraphError) in
            let node = Node(id: try transaction.createNode(), transaction: transaction)
            try initialize(node)
            return .node(node.id)
        }
        guard case .node(let id) = entity else { throw GraphError(.general, "index `\(name)` gave \(entity) for a node") }
        return Node(id: id, transaction: transaction)
    }

    /// Drops the index with everything in it.
    public func delete() throws(GraphError) { try transaction.dropManualIndex(.node, named: name) }
}

/// The same for relationships, which can be looked for between nodes.
public struct RelationshipIndex {
    public let name: String
    let transaction: Transaction

    /// Whether it is there.
    public var exists: Bool { transaction.manualIndex(.relationship, named: name) != nil }

    /// Adds a pair. The value goes by its text, or as a number that is found by ranges: then it has to be one.
    public func add(_ relationship: Relationship, key: String, value: Value, isNumeric: Bool = false) throws(GraphError) {
        let indexed = isNumeric ? try IndexedValue(numeric: value) : IndexedValue(value)
        try transaction.add(.relationship(relationship.id), toIndex: name, key: key, value: indexed)
    }

    /// Takes out a pair, or all pairs of a key, or all of the relationship.
    public func remove(_ relationship: Relationship, key: String? = nil, value: Value? = nil) throws(GraphError) {
        try transaction.remove(
            .relationship(relationship.id), fromIndex: name, key: key, value: value.map { IndexedValue($0) })
    }

    /// The relationships that exactly this pair was added for; those from `start` and to `end`, where they are given.
    public func get(
        _ key: String, _ value: Value, from start: Node? = nil, to end: Node? = nil
    ) throws(GraphError) -> [Relationship] {
        var ids: ContiguousArray<UInt64> = []
        try transaction.lookUp(
            .relationship, inIndex: name, key: key, value: IndexedValue(value),
            ends: RelationshipEnds(start: start?.id, end: end?.id), into: &ids)
        return ids.map { Relationship(id: RelationshipID($0), transaction: transaction) }
    }

    /// The relationships that a query in Lucene's syntax finds, by id, or in the order that is asked for.
    public func query(
        _ text: String, key: String? = nil, from start: Node? = nil, to end: Node? = nil,
        sortedBy order: [IndexSorting] = []
    ) throws(GraphError) -> [Relationship] {
        var hits = try transaction.query(
            .relationship, index: name, try IndexQuery.parse(text, key: key),
            ends: RelationshipEnds(start: start?.id, end: end?.id))
        if !order.isEmpty { hits = try transaction.sorted(hits, .relationship, inIndex: name, by: order) }
        return hits.map { Relationship(id: RelationshipID($0.id), transaction: transaction) }
    }

    /// Drops the index with everything in it.
    public func delete() throws(GraphError) { try transaction.dropManualIndex(.relationship, named: name) }
}

extension Transaction {
    /// The index of nodes with a name, there or not. An automatic index is `node_auto_index`.
    public func nodeIndex(_ name: String) -> NodeIndex { NodeIndex(name: name, transaction: self) }

    /// The index of relationships with a name, there or not.
    public func relationshipIndex(_ name: String) -> RelationshipIndex { RelationshipIndex(name: name, transaction: self) }

    /// Makes an index of nodes with settings of its own (`type`: `exact` or `fulltext`, `to_lower_case`, `analyzer`), or
    /// gives the one that has them.
    @discardableResult
    public func createNodeIndex(_ name: String, _ configuration: [String: String] = [:]) throws(GraphError) -> NodeIndex {
        try createManualIndex(.node, named: name, configuration: configuration)
        return nodeIndex(name)
    }

    /// The same for relationships.
    @discardableResult
    public func createRelationshipIndex(
        _ name: String, _ configuration: [String: String] = [:]
    ) throws(GraphError) -> RelationshipIndex {
        try createManualIndex(.relationship, named: name, configuration: configuration)
        return relationshipIndex(name)
    }
}
