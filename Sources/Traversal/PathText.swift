public import GraphModel
public import Storage

/// How nodes and relationships stand in the text of a path.
public struct PathDescriptor {
    let node: (NodeID, Transaction) -> String
    /// With the node that it is reached from, and nil when it has been deleted meanwhile.
    let relationship: (RelationshipID, RelationshipRecord?, NodeID, Transaction) -> String

    /// - Parameters:
    ///   - node: the text for a node.
    ///   - relationship: the text for a relationship with its arrow; `from` is the node before it in the path.
    public init(
        node: @escaping (_ node: NodeID, _ transaction: Transaction) -> String,
        relationship: @escaping (
            _ id: RelationshipID, _ record: RelationshipRecord?, _ from: NodeID, _ transaction: Transaction
        ) -> String
    ) {
        self.node = node
        self.relationship = relationship
    }

    /// `(1)--[KNOWS,2]-->(4)`: ids, and the types of relationships.
    public static var ids: PathDescriptor {
        PathDescriptor(node: { id, _ in "(\(id.rawValue))" }) { id, record, from, transaction in
            arrow("\(typeName(record, transaction)),\(id.rawValue)", record, from)
        }
    }

    /// `(A)--[KNOWS]-->(B)`: a property of each node, nothing where it has none, and the types of relationships.
    public static func property(_ key: String) -> PathDescriptor {
        PathDescriptor(
            node: { id, transaction in
                guard let value = transaction.property(named: key, of: .node(id)) else { return "()" }
                return "(\(text(value)))"
            }
        ) { _, record, from, transaction in arrow(typeName(record, transaction), record, from) }
    }

    private static func typeName(_ record: RelationshipRecord?, _ transaction: Transaction) -> String {
        record.map { transaction.name(.relationshipType, $0.type) } ?? "?"
    }

    /// The arrow points to the end of the relationship, whichever way the path takes it.
    private static func arrow(_ content: String, _ record: RelationshipRecord?, _ from: NodeID) -> String {
        guard let record else { return "--[\(content)]--" }
        return record.start == from ? "--[\(content)]-->" : "<--[\(content)]--"
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .string(let string): string.text
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        default: value.kindName
        }
    }
}

extension Path {
    /// The path as text, by default `(7)<--[LIKES,1]--(4)--[KNOWS,6]-->(1)`.
    public func text(in transaction: Transaction, _ descriptor: PathDescriptor = .ids) -> String {
        var text = descriptor.node(nodes[0], transaction)
        for (index, id) in relationships.enumerated() {
            text += descriptor.relationship(id, transaction.relationship(id), nodes[index], transaction)
            text += descriptor.node(nodes[index + 1], transaction)
        }
        return text
    }
}

extension Transaction {
    /// A property by its name; nil when it is not set or the entity is not there.
    package func property(named key: String, of entity: EntityID) -> Value? {
        guard let token = token(.propertyKey, key) else { return nil }
        return switch entity {
        case .node(let id): property(token, ofNode: id)
        case .relationship(let id): property(token, ofRelationship: id)
        }
    }
}
