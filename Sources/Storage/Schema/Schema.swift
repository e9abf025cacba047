internal import FileSystem
internal import GraphModel

extension Command {
    var changesSchema: Bool {
        switch self {
        case .createSchemaRule, .dropSchemaRule, .setSchemaRuleState, .createManualIndex, .dropManualIndex, .setAutoIndexing:
            true
        case .createToken, .createNode, .deleteNode, .createRelationship, .deleteRelationship, .setNodeProperty,
            .setRelationshipProperty, .addLabel, .removeLabel, .addToManualIndex, .removeFromManualIndex, .noteRequest,
            .compareGraphs:
            false
        }
    }

    /// Whether a constraint comes into force with this command.
    var bringsConstraintIntoForce: Bool {
        switch self {
        case .createSchemaRule(let rule): rule.isEnforced
        case .setSchemaRuleState(_, let state, _): state == .validating
        default: false
        }
    }
}

/// All indexes and constraints of a store, named indexes included, as of one transaction. A value, the same on every
/// member.
struct Schema: Sendable, Equatable {
    /// Ascending by id.
    private(set) var rules: [SchemaRule] = []
    private(set) var nextID: UInt32 = 1
    /// Ascending by id.
    private(set) var manualIndexes: [ManualIndex] = []
    private var nodeAutoIndexing = AutoIndexing()
    private var relationshipAutoIndexing = AutoIndexing()

    init() {}

    func manualIndex(_ id: SchemaRuleID) -> ManualIndex? { manualIndexes.first { $0.id == id } }
    func manualIndex(_ entity: SchemaRule.EntityKind, named name: String) -> ManualIndex? {
        manualIndexes.first { $0.entity == entity && codeUnitsEqual($0.name, name) }
    }
    func autoIndexing(_ entity: SchemaRule.EntityKind) -> AutoIndexing {
        entity == .node ? nodeAutoIndexing : relationshipAutoIndexing
    }
    /// Whether any automatic index follows properties.
    var hasAutoIndexing: Bool { nodeAutoIndexing.isEnabled || relationshipAutoIndexing.isEnabled }

    func rule(_ id: SchemaRuleID) -> SchemaRule? { rules.first { $0.id == id } }
    func rule(named name: String) -> SchemaRule? { rules.first { codeUnitsEqual($0.name, name) } }
    /// The rule in the way of a new one; one that failed is in nobody's way.
    func rule(covering new: SchemaRule) -> SchemaRule? { rules.first { $0.covers(new) && $0.state != .failed } }

    var hasConstraints: Bool { rules.contains { $0.kind != .index } }

    /// Carries out a command that changes the schema; does nothing for any other. Throws `.invalidRequest`, changing
    /// nothing, when it does not fit.
    mutating func apply(_ command: Command) throws(GraphError) {
        switch command {
        case .createSchemaRule(let rule):
            guard rule.id.rawValue >= nextID, rule.id.rawValue < .max else {
                throw GraphError(.invalidRequest, "\(rule.id) cannot be created: the next is \(nextID)")
            }
            guard Set(rule.keys).count == rule.keys.count else {
                throw GraphError(.invalidRequest, "\(rule.id) names a property key twice")
            }
            if let other = self.rule(named: rule.name) ?? self.rule(covering: rule) {
                throw GraphError(.invalidRequest, "\(rule.id) \"\(rule.name)\" is in the way of \(other.id) \"\(other.name)\"")
            }
            rules.append(rule)
            nextID = rule.id.rawValue + 1
        case .dropSchemaRule(let id):
            guard rule(id) != nil else { throw GraphError(.invalidRequest, "\(id) cannot be dropped: it does not exist") }
            rules.removeAll { $0.id == id }
        case .setSchemaRuleState(let id, let state, let failure):
            guard let index = rules.firstIndex(where: { $0.id == id }) else {
                throw GraphError(.invalidRequest, "\(id) cannot become \(state): it does not exist")
            }
            guard rules[index].kind != .index, rules[index].state.rawValue < state.rawValue else {
                throw GraphError(.invalidRequest, "\(id) cannot become \(state): it is \(rules[index].state)")
            }
            rules[index].state = state
            rules[index].failure = failure
        case .createManualIndex(let index):
            guard index.id.rawValue >= nextID, index.id.rawValue < .max else {
                throw GraphError(.invalidRequest, "index \(index.id.rawValue) cannot be created: the next is \(nextID)")
            }
            if manualIndex(index.entity, named: index.name) != nil {
                throw GraphError(.invalidRequest, "there is an index `\(index.name)` already")
            }
            manualIndexes.append(index)
            nextID = index.id.rawValue + 1
        case .dropManualIndex(let id):
            guard manualIndex(id) != nil else {
                throw GraphError(.invalidRequest, "index \(id.rawValue) cannot be dropped: it does not exist")
            }
            manualIndexes.removeAll { $0.id == id }
        case .setAutoIndexing(let entity, let settings):
            if entity == .node { nodeAutoIndexing = settings } else { relationshipAutoIndexing = settings }
        case .createToken, .createNode, .deleteNode, .createRelationship, .deleteRelationship, .setNodeProperty,
            .setRelationshipProperty, .addLabel, .removeLabel, .addToManualIndex, .removeFromManualIndex, .noteRequest,
            .compareGraphs:
            break
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(nextID)
        writer.write(UInt32(rules.count))
        for rule in rules { rule.encode(into: &writer) }
        writer.write(UInt32(manualIndexes.count))
        for index in manualIndexes { index.encode(into: &writer) }
        nodeAutoIndexing.encode(into: &writer)
        relationshipAutoIndexing.encode(into: &writer)
    }

    /// - Parameter hasManualIndexes: false for bytes from before there were named indexes.
    init(_ reader: inout ByteReader, hasManualIndexes: Bool) throws(MalformedBytes) {
        nextID = try reader.read()
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 20)) {
            let rule = try SchemaRule(&reader)
            guard rules.last.map({ $0.id < rule.id }) ?? true, rule.id.rawValue < nextID else {
                throw MalformedBytes(offset: reader.offset, detail: "\(rule.id) is out of order")
            }
            rules.append(rule)
        }
        guard hasManualIndexes else { return }
        for _ in 0..<(try reader.readCount(minimumByteCountOfElement: 13)) {
            let index = try ManualIndex(&reader)
            guard manualIndexes.last.map({ $0.id < index.id }) ?? true, index.id.rawValue < nextID, rule(index.id) == nil else {
                throw MalformedBytes(offset: reader.offset, detail: "index \(index.id.rawValue) is out of order")
            }
            manualIndexes.append(index)
        }
        nodeAutoIndexing = try AutoIndexing(&reader)
        relationshipAutoIndexing = try AutoIndexing(&reader)
    }
}
