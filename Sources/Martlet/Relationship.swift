/// A relationship as a transaction sees it: an id and the transaction, nothing else. Equal to every other handle of the
/// same relationship. Throws as ``Node`` does.
public struct Relationship: Hashable {
    public let id: RelationshipID
    let transaction: Transaction

    public static func == (a: Relationship, b: Relationship) -> Bool { a.id == b.id }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    private func record() throws(GraphError) -> RelationshipRecord {
        try transaction.requireOpen()
        if let record = transaction.relationship(id) { return record }
        if transaction.hasDeleted(id) {
            throw GraphError(.entityDeleted, "Relationship \(id.rawValue) has been deleted in this transaction")
        }
        throw GraphError(.entityNotFound, "Relationship \(id.rawValue) not found")
    }

    // MARK: Ends and type

    public func type() throws(GraphError) -> String { transaction.name(.relationshipType, try record().type) }
    public func isType(_ type: String) throws(GraphError) -> Bool { codeUnitsEqual(try self.type(), type) }
    public func start() throws(GraphError) -> Node { Node(id: try record().start, transaction: transaction) }
    public func end() throws(GraphError) -> Node { Node(id: try record().end, transaction: transaction) }

    /// The end that is not `node`; the node itself for a relationship with itself. Throws `.argumentError` when `node` is
    /// at neither end.
    public func other(than node: Node) throws(GraphError) -> Node {
        let record = try record()
        if record.start == node.id { return Node(id: record.end, transaction: transaction) }
        if record.end == node.id { return Node(id: record.start, transaction: transaction) }
        throw GraphError(
            .argumentError,
            "Node \(node.id.rawValue) is at neither end of relationship \(id.rawValue), which goes from \(record.start) to \(record.end)")
    }

    // MARK: Properties

    /// A property; nil when the relationship has none of that name.
    public func property(_ key: String) throws(GraphError) -> Value? {
        _ = try record()
        return transaction.token(.propertyKey, key).flatMap { transaction.property($0, ofRelationship: id) }
    }

    /// A property as a Swift type, or `fallback` when there is none of that name. Throws `.typeError` when it is of
    /// another kind.
    public func property<T: ValueDecodable>(_ key: String, default fallback: T) throws(GraphError) -> T {
        guard let value = try property(key) else { return fallback }
        return try value.get()
    }

    public func hasProperty(_ key: String) throws(GraphError) -> Bool { try property(key) != nil }

    /// All properties, in the order in which their keys were first used in the database.
    public func properties() throws(GraphError) -> [(key: String, value: Value)] {
        _ = try record()
        return transaction.properties(ofRelationship: id).map { (transaction.name(.propertyKey, $0.key), $0.value) }
    }

    public func propertyKeys() throws(GraphError) -> [String] { try properties().map(\.key) }

    /// Sets a property. Throws `.typeError` when no property can hold such a value, null for instance.
    public func setProperty(_ key: String, to value: Value) throws(GraphError) {
        if value.isNull {
            throw GraphError(.typeError, "property \"\(key)\" cannot hold null: remove the property instead")
        }
        try transaction.setProperty(key, to: value, ofRelationship: id)
    }

    /// Removes a property and returns what it was; nil when there was none.
    @discardableResult
    public func removeProperty(_ key: String) throws(GraphError) -> Value? {
        let value = try property(key)
        try transaction.setProperty(key, to: .null, ofRelationship: id)
        return value
    }

    // MARK: Life and locks

    public func delete() throws(GraphError) { try transaction.deleteRelationship(id) }

    /// Keeps everybody else from changing the relationship until the transaction ends.
    public func acquireWriteLock() throws(GraphError) { try transaction.acquireWriteLock(on: id) }
    /// Keeps everybody from changing the relationship until the transaction ends.
    public func acquireReadLock() throws(GraphError) { try transaction.acquireReadLock(on: id) }
}

extension Transaction {
    /// A relationship by its id. One that this transaction has deleted can still be named, though not read. Throws
    /// `.entityNotFound` when there is none.
    public func relationship(withID id: RelationshipID) throws(GraphError) -> Relationship {
        try requireOpen()
        guard relationship(id) != nil || hasDeleted(id) else {
            throw GraphError(.entityNotFound, "Relationship \(id.rawValue) not found")
        }
        return Relationship(id: id, transaction: self)
    }
}
