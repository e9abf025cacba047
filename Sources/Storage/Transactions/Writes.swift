internal import GraphModel

/// What a write transaction has done so far: the commands, in order, and their effect for its own reads.
struct Writes {
    struct NodeDraft {
        var exists: Bool
        var labels: [TokenID]
        var properties: [Property]
    }
    struct RelationshipDraft {
        var record: RelationshipRecord
        var exists: Bool
        var properties: [Property]
    }
    struct DraftEdge {
        let relationship: UInt64
        let neighbour: UInt64
        let type: TokenID
        let isOutgoing: Bool
    }

    var idEpoch = Epoch.zero
    var hasIDs = false
    var commands: [Command] = []
    /// Roughly, of the commands.
    var byteCount = 0
    var newNames: [WriteSet.NewName] = []
    /// By kind, keyed by UTF-8: provisional numbers.
    var newNumbers: [[[UInt8]: TokenID]] = [[:], [:], [:]]
    private var lately = RecentNames()
    var nodes: [UInt64: NodeDraft] = [:]
    var relationships: [UInt64: RelationshipDraft] = [:]
    /// Relationships created here, at each end.
    var edges: [UInt64: [DraftEdge]] = [:]
    /// Relationships of the snapshot that were deleted here, and the nodes that lost one.
    var removed: Set<UInt64> = []
    var nodesWithRemovals: Set<UInt64> = []
    var deletedNodes: [UInt64] = []
    var createdNodes: ContiguousArray<UInt64> = []
    var createdRelationships: ContiguousArray<UInt64> = []
    var nodeCountChange = 0
    var relationshipCountChange = 0
    var labelCountChanges: [TokenID: Int] = [:]
    var typeCountChanges: [TokenID: Int] = [:]
    /// What this transaction changed in indexes, by rule; read like a layer on top of the snapshot's.
    var indexLayers: [SchemaRuleID: IndexLayer] = [:]
    /// The named indexes that were added to, and the one that was last.
    var fillings: [SchemaRuleID: IndexFilling] = [:]
    var lastFilling: IndexFilling?
    /// The schema with this transaction's changes; nil while it made none.
    var schema: Schema?
    /// What has to stay unique in named indexes.
    var manualClaims: [WriteSet.Claim] = []

    /// Whether a node is locked for attaching already: relationships came or went at it, or it is a draft.
    func coversAttaching(_ node: UInt64) -> Bool {
        edges[node] != nil || nodes[node] != nil || (!removed.isEmpty && nodesWithRemovals.contains(node))
    }

    /// The number of a name, provisional when neither the store nor this transaction has it.
    mutating func number(_ kind: TokenKind, _ name: String, _ tokens: TokenTable) -> TokenID {
        if let token = lately.find(kind, name) { return token }
        let token = tokens.token(kind, name) ?? newNumber(kind, name)
        lately.note(kind, name, token)
        return token
    }

    private mutating func newNumber(_ kind: TokenKind, _ name: String) -> TokenID {
        let key = Array(name.utf8)
        if let token = newNumbers[Int(kind.rawValue)][key] { return token }
        let token = TokenID(newNames.count) | Command.provisionalBit
        newNames.append(.init(kind: kind, name: name))
        newNumbers[Int(kind.rawValue)][key] = token
        return token
    }
}

/// The names that a transaction asked for last, with their numbers. Who creates many entities asks for the same few in the
/// same order each time: the search begins behind the one that was found last.
private struct RecentNames {
    private var entries: [(kind: TokenKind, name: String, token: TokenID)] = []
    private var next = 0

    private static let countMaximum = 32

    mutating func find(_ kind: TokenKind, _ name: String) -> TokenID? {
        for _ in entries.indices {
            if next == entries.count { next = 0 }
            let entry = entries[next]
            next += 1
            if entry.kind == kind, codeUnitsEqual(entry.name, name) { return entry.token }
        }
        return nil
    }

    /// Adds a name that was not found.
    mutating func note(_ kind: TokenKind, _ name: String, _ token: TokenID) {
        if entries.count < Self.countMaximum { return entries.append((kind, name, token)) }
        if next == entries.count { next = 0 }
        entries[next] = (kind, name, token)
        next += 1
    }
}
