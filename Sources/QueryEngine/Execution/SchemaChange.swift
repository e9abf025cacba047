internal import Cypher
internal import GraphModel
internal import Storage

/// CREATE and DROP of an index or constraint.
struct SchemaChangePlan: OperatorPlan {
    var isReusable: Bool { true }
    let command: SchemaCommand

    func make(_ frame: Frame, next: Operator) -> Operator { SchemaChangeOperator(frame, next: next, command) }
}

private final class SchemaChangeOperator: Operator {
    private let command: SchemaCommand

    init(_ frame: Frame, next: Operator, _ command: SchemaCommand) {
        self.command = command
        super.init(frame, next: next)
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        switch command.action {
        case .create(let name, let rule, let target, let keys, let ifNotExists):
            do throws(GraphError) { try create(rule, target, keys, name) } catch {
                guard ifNotExists, error.code == .schemaRuleExists else { throw error }
            }
        case .drop(let name, let ifExists, let isConstraint):
            guard let rule = frame.transaction.schemaRule(named: name), (rule.kind == .index) != isConstraint else {
                if ifExists { return true }
                throw GraphError(
                    .schemaRuleNotFound, "there is no \(isConstraint ? "constraint" : "index") with the name `\(name)`")
            }
            try drop(rule)
        case .dropRule(let rule, let target, let keys):
            guard let found = find(rule, target, keys) else {
                throw GraphError(
                    .schemaRuleNotFound,
                    "there is no \(rule == .index ? "index" : "constraint") on :\(target.name)(\(keys.joined(separator: ", ")))")
            }
            try drop(found)
        }
        return true
    }

    private func create(
        _ rule: SchemaCommand.Rule, _ target: SchemaCommand.Target, _ keys: [String], _ name: String?
    ) throws(GraphError) {
        let transaction = frame.transaction
        switch (rule, target) {
        case (.index, .label(let label)): try transaction.createIndex(label: label, keys: keys, name: name)
        case (.index, .relationshipType(let type)):
            try transaction.createIndex(relationshipType: type, keys: keys, name: name)
        case (.unique, .label(let label)):
            try transaction.createUniquenessConstraint(label: label, keys: keys, name: name)
        case (.unique, .relationshipType(let type)):
            try transaction.createUniquenessConstraint(relationshipType: type, keys: keys, name: name)
        case (.exists, .label(let label)):
            try transaction.createExistenceConstraint(label: label, keys: keys, name: name)
        case (.exists, .relationshipType(let type)):
            try transaction.createExistenceConstraint(relationshipType: type, keys: keys, name: name)
        case (.key, _):
            try create(.unique, target, keys, name)
            try create(.exists, target, keys, name.map { "\($0)_exists" })
        }
        if rule == .index {
            frame.statistics.indexesAdded += 1
        } else if rule != .key {
            frame.statistics.constraintsAdded += 1
        }
    }

    private func drop(_ rule: SchemaRule) throws(GraphError) {
        try frame.transaction.dropSchemaRule(rule.id)
        if rule.kind == .index {
            frame.statistics.indexesRemoved += 1
        } else {
            frame.statistics.constraintsRemoved += 1
        }
    }

    private func find(_ rule: SchemaCommand.Rule, _ target: SchemaCommand.Target, _ keys: [String]) -> SchemaRule? {
        let kind: SchemaRule.Kind =
            switch rule {
            case .index: .index
            case .unique, .key: .uniqueness
            case .exists: .existence
            }
        return frame.transaction.schemaRules.first { candidate in
            candidate.kind == kind
                && (candidate.entity == .node) == { if case .label = target { true } else { false } }()
                && codeUnitsEqual(
                    frame.transaction.name(
                        candidate.entity == .node ? .label : .relationshipType, candidate.token), target.name)
                && candidate.keys.map { frame.transaction.name(.propertyKey, $0) } == keys
        }
    }
}
