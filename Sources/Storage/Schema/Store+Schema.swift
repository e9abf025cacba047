public import GraphModel

/// An index or a constraint as people want to see it.
public struct SchemaRuleStatus: Sendable, Equatable {
    public let rule: SchemaRule
    /// The name of the label or relationship type.
    public let tokenName: String
    public let keyNames: [String]
    /// Like the rule's, but an index that is not populated on this member yet says so.
    public let state: SchemaRule.State
    /// 0 to 1, while it is populating on this member; else 1.
    public let progress: Double
}

extension Store {
    /// All indexes and constraints with their state on this member, ascending by id.
    public func schemaStatus() -> [SchemaRuleStatus] {
        let state = state
        let schema = state.view.schema
        return schema.schema.rules.map { rule in
            let isComplete = schema.index(rule.id)?.isComplete ?? true
            return SchemaRuleStatus(
                rule: rule, tokenName: state.tokens.name(rule.tokenKind, rule.token) ?? "",
                keyNames: rule.keys.map { state.tokens.name(.propertyKey, $0) ?? "" },
                state: isComplete ? rule.state : .populating, progress: isComplete ? 1 : populations[rule.id])
        }
    }

    /// Whether a constraint waits for its next step, which only who may commit can take.
    public var isSchemaStepDue: Bool {
        if damage.error != nil { return false }
        let schema = state.view.schema
        return schema.schema.rules.contains { nextState($0, schema) != nil }
    }

    private func nextState(_ rule: SchemaRule, _ schema: SchemaView) -> SchemaRule.State? {
        switch (rule.kind, rule.state) {
        case (.index, _), (_, .online), (_, .failed): nil
        case (_, .populating): schema.index(rule.id)?.isComplete ?? false ? .validating : nil
        case (.uniqueness, .validating): schema.index(rule.id)?.isComplete ?? false ? .online : nil
        case (.existence, .validating): .online
        }
    }

    /// The write set that takes a constraint one step on, for whoever orders commits; nil when no constraint waits.
    ///
    /// Populated: from now on new violations are refused. Once that is committed, what a snapshot after it holds is looked
    /// at, O(index) or O(entities): the constraint comes into force, or fails and says which entities break it. A conflict
    /// means that the schema was changed meanwhile: ask again.
    public func nextSchemaStep() -> [UInt8]? {
        if damage.error != nil { return nil }
        let read = beginRead()
        let schema = read.view.schema
        for rule in schema.schema.rules {
            guard var next = nextState(rule, schema) else { continue }
            var failure = ""
            if rule.state == .validating, let problem = read.firstViolation(of: rule) {
                next = .failed
                failure = problem.message
            }
            // Damage that the look came upon reads as absence: nothing can be said of the rest then.
            if damage.error != nil { return nil }
            return WriteSet(
                base: read.state.position, idEpoch: .zero, newNames: [],
                commands: [.setSchemaRuleState(rule.id, next, failure)]
            ).encode()
        }
        return nil
    }
}

extension Transaction {
    /// Looks at everything that a constraint is about.
    func firstViolation(of rule: SchemaRule) -> GraphError? {
        switch rule.kind {
        case .index: return nil
        case .uniqueness:
            guard let index = view.schema.index(rule.id), index.isComplete else { return nil }
            var merge = merge(index, .all, .ascending)
            var last = merge.next()
            while let before = last, let entry = merge.next() {
                if IndexKey.areEqual(before.key, entry.key) { return violation(rule, entry.id, before.id) }
                last = entry
            }
            return nil
        case .existence:
            var cursor: UInt64 = 0
            var ids: ContiguousArray<UInt64> = []
            var more = true
            while more {
                ids.removeAll(keepingCapacity: true)
                more = scan(rule, &cursor, limit: 4096, into: &ids)
                for id in ids {
                    guard let content = content(rule.entity, id) else { continue }
                    if let problem = missing([rule], rule.entity, id, content) { return problem }
                }
            }
            return nil
        }
    }
}

extension LocalCommitter {
    /// Populates what has to be populated and takes every constraint as far as it goes, on the calling thread. Afterwards
    /// each constraint is online or has failed; see ``Store/schemaStatus()``.
    public func finishSchemaWork() throws(GraphError) {
        while true {
            try store.populateIndexes()
            guard let step = store.nextSchemaStep() else { return }
            do throws(GraphError) { try commitAndWait(writeSet: step) } catch {
                guard error.code == .conflict else { throw error }
            }
        }
    }
}
