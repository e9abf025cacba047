internal import GraphModel

extension Command {
    /// Bytes that it takes in a write set, near enough for a limit, without encoding it.
    var approximateByteCount: Int {
        func size(_ properties: [Property]) -> Int {
            properties.reduce(0) { $0 + 16 + $1.value.heapByteCount }
        }
        return switch self {
        case .createToken(_, _, let name), .setSchemaRuleState(_, _, let name): 16 + name.utf8.count
        case .createSchemaRule(let rule): 32 + rule.name.utf8.count + 4 * rule.keys.count
        case .dropSchemaRule, .dropManualIndex, .compareGraphs: 16
        case .createManualIndex(let index):
            32 + index.name.utf8.count + index.configuration.reduce(0) { $0 + 8 + $1.key.utf8.count + $1.value.utf8.count }
        case .addToManualIndex(_, _, let key, let value), .removeFromManualIndex(_, _, let key, let value):
            32 + key.utf8.count + value.heapByteCount
        case .noteRequest(let id): 5 + id.text.utf8.count
        case .setAutoIndexing(_, let settings): settings.keys.reduce(16) { $0 + 4 + $1.utf8.count }
        case .createNode(_, let labels, let properties): 17 + 4 * labels.count + size(properties)
        case .createRelationship(_, _, _, _, let properties): 33 + size(properties)
        case .deleteNode, .deleteRelationship, .addLabel, .removeLabel: 16
        case .setNodeProperty(_, _, let value), .setRelationshipProperty(_, _, let value):
            24 + (value?.heapByteCount ?? 0)
        }
    }
}
