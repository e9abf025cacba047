public import GraphModel

/// The fixed part of a relationship.
public struct RelationshipRecord: Sendable, Equatable {
    public let id: RelationshipID
    public let type: TokenID
    public let start: NodeID
    public let end: NodeID

    public init(id: RelationshipID, type: TokenID, start: NodeID, end: NodeID) {
        self.id = id
        self.type = type
        self.start = start
        self.end = end
    }
}
