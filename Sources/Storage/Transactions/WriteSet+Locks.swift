internal import FileSystem
internal import GraphModel

extension Store {
    /// The locks that the commands of a write set take where it is executed: for a master that orders it for a transaction
    /// of another member. What the write set creates itself is not among them. Nil when the bytes are no write set.
    package func locksNeeded(by writeSetBytes: [UInt8]) -> [(key: LockTable.Key, mode: LockMode)]? {
        guard let writeSet = try? WriteSet(decoding: writeSetBytes) else { return nil }
        let (view, at) = (state.view, state.position.transactionID.rawValue)
        var needed: [(key: LockTable.Key, mode: LockMode)] = []
        var created: Set<LockTable.Key> = []
        func need(_ key: LockTable.Key, _ mode: LockMode) {
            // Commands for one entity often follow each other.
            if let last = needed.last, last.key == key, last.mode == mode { return }
            if !created.contains(key) { needed.append((key, mode)) }
        }
        func needNode(_ id: UInt64, _ mode: LockMode) { need(LockTable.Key(NodeID(id)), mode) }
        for command in writeSet.commands {
            switch command {
            case .createNode(let id, _, _): created.insert(LockTable.Key(NodeID(id)))
            case .createRelationship(let id, _, let start, let end, _):
                created.insert(LockTable.Key(RelationshipID(id)))
                needNode(start, .attaching)
                needNode(end, .attaching)
            case .setNodeProperty(let id, _, _), .addLabel(let id, _), .removeLabel(let id, _), .deleteNode(let id):
                needNode(id, .exclusive)
            case .setRelationshipProperty(let id, _, _): need(LockTable.Key(RelationshipID(id)), .exclusive)
            case .deleteRelationship(let id):
                need(LockTable.Key(RelationshipID(id)), .exclusive)
                guard let relationship = view.relationship(id, at: at) else { continue }
                needNode(relationship.start.rawValue, .attaching)
                needNode(relationship.end.rawValue, .attaching)
            case .createToken, .createSchemaRule, .dropSchemaRule, .setSchemaRuleState, .createManualIndex,
                .dropManualIndex, .addToManualIndex, .removeFromManualIndex, .setAutoIndexing, .noteRequest,
                .compareGraphs:
                break
            }
        }
        return needed
    }
}
