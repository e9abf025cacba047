/// A node as a transaction sees it: an id and the transaction, nothing else. Equal to every other handle of the same node.
///
/// Good as long as its transaction is open; keep ``id`` to come back to the node later. Reading or writing throws
/// `.entityNotFound` when the node is not there, `.entityDeleted` when its transaction has deleted it, and
/// `.transactionClosed` after the end.
public struct Node: Hashable {
    public let id: NodeID
    let transaction: Transaction

    public static func == (a: Node, b: Node) -> Bool { a.id == b.id }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    private func requireReadable() throws(GraphError) {
        try transaction.requireOpen()
        if transaction.nodeExists(id) { return }
        if transaction.hasDeleted(id) {
            throw GraphError(.entityDeleted, "Node \(id.rawValue) has been deleted in this transaction")
        }
        throw GraphError(.entityNotFound, "Node \(id.rawValue) not found")
    }

    // MARK: Properties

    /// A property; nil when the node has none of that name.
    public func property(_ key: String) throws(GraphError) -> Value? {
        try requireReadable()
        return transaction.token(.propertyKey, key).flatMap { transaction.property($0, ofNode: id) }
    }

    /// A property as a Swift type, or `fallback` when the node has none of that name. Throws `.typeError` when it is of
    /// another kind.
    public func property<T: ValueDecodable>(_ key: String, default fallback: T) throws(GraphError) -> T {
        guard let value = try property(key) else { return fallback }
        return try value.get()
    }

    public func hasProperty(_ key: String) throws(GraphError) -> Bool { try property(key) != nil }

    /// All properties, in the order in which their keys were first used in the database.
    public func properties() throws(GraphError) -> [(key: String, value: Value)] {
        try requireReadable()
        return transaction.properties(ofNode: id).map { (transaction.name(.propertyKey, $0.key), $0.value) }
    }

    public func propertyKeys() throws(GraphError) -> [String] { try properties().map(\.key) }

    /// Sets a property. Throws `.typeError` when no property can hold such a value; null is one: see
    /// ``removeProperty(_:)``.
    public func setProperty(_ key: String, to value: Value) throws(GraphError) {
        if value.isNull {
            throw GraphError(.typeError, "property \"\(key)\" cannot hold null: remove the property instead")
        }
        try transaction.setProperty(key, to: value, ofNode: id)
    }

    /// Removes a property and returns what it was; nil when there was none.
    @discardableResult
    public func removeProperty(_ key: String) throws(GraphError) -> Value? {
        let value = try property(key)
        try transaction.setProperty(key, to: .null, ofNode: id)
        return value
    }

    // MARK: Labels

    public func labels() throws(GraphError) -> [String] {
        try requireReadable()
        return transaction.labels(of: id).map { transaction.name(.label, $0) }
    }

    public func hasLabel(_ label: String) throws(GraphError) -> Bool {
        try requireReadable()
        return transaction.token(.label, label).map { transaction.hasLabel($0, id) } ?? false
    }

    public func addLabel(_ label: String) throws(GraphError) { try transaction.addLabel(label, to: id) }
    public func removeLabel(_ label: String) throws(GraphError) { try transaction.removeLabel(label, from: id) }

    // MARK: Relationships

    @discardableResult
    public func createRelationship(
        _ type: String, to end: Node, properties: KeyValuePairs<String, Value> = [:]
    ) throws(GraphError) -> Relationship {
        let new = try transaction.createRelationship(
            type: type, from: id, to: end.id, properties: properties.map { ($0.key, $0.value) })
        return Relationship(id: new, transaction: transaction)
    }

    /// The relationships at this node, in no particular order; of the given types, or of all when none is given.
    public func relationships(
        _ direction: Direction = .both, types: String...
    ) throws(GraphError) -> [Relationship] { try relationships(direction, types) }

    private func relationships(_ direction: Direction, _ types: [String]) throws(GraphError) -> [Relationship] {
        try requireReadable()
        let tokens = types.compactMap { transaction.token(.relationshipType, $0) }
        // No type that anybody has used: no relationship, and not all of them.
        if tokens.isEmpty && !types.isEmpty { return [] }
        var neighbours: ContiguousArray<UInt64> = []
        var found: ContiguousArray<UInt64> = []
        transaction.expand(id, direction, types: tokens, neighbours: &neighbours, relationships: &found)
        return found.map { Relationship(id: RelationshipID($0), transaction: transaction) }
    }

    /// The relationship of a type and direction; nil when there is none. Throws `.constraintViolation` when there are
    /// more.
    public func singleRelationship(_ type: String, _ direction: Direction) throws(GraphError) -> Relationship? {
        let all = try relationships(direction, [type])
        if all.count > 1 {
            throw GraphError(
                .constraintViolation,
                "Node \(id.rawValue) has \(all.count) \(direction) relationships of type \(type), one was expected")
        }
        return all.first
    }

    public func degree(_ direction: Direction = .both) throws(GraphError) -> Int {
        try requireReadable()
        return transaction.degree(id, direction, types: [])
    }

    // MARK: Life and locks

    /// Deletes the node. Its relationships stay: the commit fails while there are any.
    public func delete() throws(GraphError) { try transaction.deleteNode(id) }

    /// Keeps everybody else from changing the node until the transaction ends.
    public func acquireWriteLock() throws(GraphError) { try transaction.acquireWriteLock(on: id) }
    /// Keeps everybody from changing the node until the transaction ends.
    public func acquireReadLock() throws(GraphError) { try transaction.acquireReadLock(on: id) }
}

extension Transaction {
    /// Creates a node with a label.
    public func createNode(
        _ label: String, _ more: String..., properties: KeyValuePairs<String, Value> = [:]
    ) throws(GraphError) -> Node {
        let id = try createNode(labels: [label] + more, properties: properties.map { ($0.key, $0.value) })
        return Node(id: id, transaction: self)
    }

    /// A node by its id. One that this transaction has deleted can still be named, though not read. Throws
    /// `.entityNotFound` when there is none.
    public func node(withID id: NodeID) throws(GraphError) -> Node {
        try requireOpen()
        guard nodeExists(id) || hasDeleted(id) else {
            throw GraphError(.entityNotFound, "Node \(id.rawValue) not found")
        }
        return Node(id: id, transaction: self)
    }

    /// The node with id 0 that a new database begins with. Throws `.entityNotFound` when it was deleted, or the store was
    /// created without.
    public func referenceNode() throws(GraphError) -> Node { try node(withID: NodeID(0)) }

    /// All nodes, or those with a label, one after the other. The body must not end the transaction.
    public func forEachNode<E: Error>(label: String? = nil, _ body: (Node) throws(E) -> Void) throws(E) {
        let token = label.flatMap { self.token(.label, $0) }
        if label != nil && token == nil { return }
        var cursor: UInt64 = 0
        var isMore = true
        while isMore {
            var ids: ContiguousArray<UInt64> = []
            isMore = scanNodes(label: token, cursor: &cursor, limit: 1024, into: &ids)
            for id in ids { try body(Node(id: NodeID(id), transaction: self)) }
        }
    }
}
