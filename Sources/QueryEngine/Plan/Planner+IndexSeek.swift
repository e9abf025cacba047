internal import Cypher
internal import GraphModel
internal import Storage

/// A way to find an element of a pattern in an index.
struct SeekCandidate {
    let name: String
    let keys: [String]
    /// Expressions of the values of the first keys.
    var leading: [Expression] = []
    var probe = Probe.equal
    /// The conditions that it stands for, by index.
    var conditions: [Int] = []
    /// Entities that it is expected to find.
    var rowCount = 0.0

    enum Probe {
        case equal
        case list(Expression)
        case range(lower: (Expression, isIncluded: Bool)?, upper: (Expression, isIncluded: Bool)?)
        case prefix(Expression)
    }
}

/// What a condition demands of one property of an element.
private enum Demand {
    case equal(Expression)
    case list(Expression)
    case lower(Expression, isIncluded: Bool)
    case upper(Expression, isIncluded: Bool)
    case prefix(Expression)
}

extension MatchPlanner {
    /// The best index for a vertex, given what has a value by now.
    func seek(vertex: Int) -> SeekCandidate? {
        let name = graph.vertices[vertex].name
        var labels: [String] = []
        for case .hasLabels(let subject, let found) in conditionKinds(named: name) where subject.isVariable { labels += found }
        return seek(name, labels, .label) { planner.transaction.indexedKeys(label: $0) }
    }

    /// The same for a relationship.
    func seek(edge: Int) -> SeekCandidate? {
        let pattern = graph.edges[edge].pattern
        guard pattern.types.count == 1, pattern.length == nil, !pattern.isOptional, !isBound(edge: edge) else { return nil }
        return seek(graph.edges[edge].name, pattern.types, .relationshipType) {
            planner.transaction.indexedKeys(relationshipType: $0)
        }
    }

    private func seek(
        _ element: String, _ names: [String], _ kind: TokenKind, _ indexes: (TokenID) -> [[TokenID]]
    ) -> SeekCandidate? {
        guard planner.options.usesIndexes, !planner.context.dialect.missingPropertyIsError, !names.isEmpty else {
            return nil
        }
        let demands = demands(on: element)
        if demands.isEmpty { return nil }
        var best: SeekCandidate?
        for name in names {
            guard let token = planner.transaction.token(kind, name) else { continue }
            for keys in indexes(token) {
                let texts = keys.map { planner.transaction.name(.propertyKey, $0) }
                guard var candidate = candidate(name, texts, demands) else { continue }
                let index =
                    kind == .label
                    ? planner.transaction.index(label: token, keys: keys)
                    : planner.transaction.index(relationshipType: token, keys: keys)
                guard let index else { continue }
                candidate.rowCount = estimate(candidate, planner.transaction.statistics(index))
                if best.map({ candidate.rowCount < $0.rowCount }) ?? true { best = candidate }
            }
        }
        return best
    }

    /// Fits conditions to the keys of an index. It knows only entities that have all of its properties, so every key must
    /// be demanded.
    private func candidate(
        _ name: String, _ keys: [String], _ demands: [(key: String, demand: Demand, condition: Int)]
    ) -> SeekCandidate? {
        var candidate = SeekCandidate(name: name, keys: keys)
        for (position, key) in keys.enumerated() {
            let own = demands.filter { codeUnitsEqual($0.key, key) }
            if let (value, condition) = own.lazy.compactMap({ own -> (Expression, Int)? in
                if case .equal(let value) = own.demand { (value, own.condition) } else { nil }
            }).first {
                candidate.leading.append(value)
                candidate.conditions.append(condition)
                continue
            }
            guard position == keys.count - 1 else { return nil }
            var lower: (Expression, isIncluded: Bool)?
            var upper: (Expression, isIncluded: Bool)?
            for (_, demand, condition) in own {
                switch demand {
                case .equal: break
                case .list(let list):
                    candidate.probe = .list(list)
                    candidate.conditions.append(condition)
                    return candidate
                case .prefix(let text):
                    candidate.probe = .prefix(text)
                    candidate.conditions.append(condition)
                    return candidate
                case .lower(let value, let isIncluded):
                    if lower != nil { continue }
                    lower = (value, isIncluded)
                    candidate.conditions.append(condition)
                case .upper(let value, let isIncluded):
                    if upper != nil { continue }
                    upper = (value, isIncluded)
                    candidate.conditions.append(condition)
                }
            }
            if lower == nil && upper == nil { return nil }
            candidate.probe = .range(lower: lower, upper: upper)
        }
        return candidate
    }

    private func estimate(_ candidate: SeekCandidate, _ statistics: IndexStatistics) -> Double {
        let entries = Double(statistics.entryCount)
        let perKey = entries / Double(max(statistics.distinctKeyCount, 1))
        switch candidate.probe {
        case .equal: return perKey
        case .list(let list):
            if case .list(let elements) = list.kind { return perKey * Double(elements.count) }
            return perKey * 10
        case .range(let lower, let upper):
            let share = lower != nil && upper != nil ? 0.1 : 0.3
            return max(entries * share * (candidate.leading.isEmpty ? 1 : 0.1), perKey)
        case .prefix: return max(entries * 0.05 * (candidate.leading.isEmpty ? 1 : 0.1), perKey)
        }
    }

    /// What conditions that need nothing else unknown demand of an element's properties.
    private func demands(on element: String) -> [(key: String, demand: Demand, condition: Int)] {
        var result: [(key: String, demand: Demand, condition: Int)] = []
        func key(_ expression: Expression) -> String? {
            guard case .property(let entity, let key, let missing) = expression.kind, missing != .null,
                case .variable(let name) = entity.kind, codeUnitsEqual(name, element)
            else { return nil }
            return key
        }
        for (index, condition) in conditions.enumerated() where !condition.isSettled && condition.names.contains(element) {
            guard condition.names.subtracting([element]).isSubset(of: available) else { continue }
            func add(_ side: Expression, _ other: Expression, _ demand: (Expression) -> Demand?) {
                guard let key = key(side), !other.variables.contains(element), let demand = demand(other) else { return }
                result.append((key, demand, index))
            }
            switch condition.expression.kind {
            case .compare(let comparison, let left, let right):
                add(left, right) { Self.demand(comparison, $0) }
                add(right, left) { Self.demand(comparison.turned, $0) }
            case .in(let value, let list): add(value, list) { .list($0) }
            case .stringMatch(.startsWith, let text, let prefix): add(text, prefix) { .prefix($0) }
            default: continue
            }
        }
        return result
    }

    private static func demand(_ comparison: Expression.Comparison, _ value: Expression) -> Demand? {
        switch comparison {
        case .equal: .equal(value)
        case .notEqual: nil
        case .less: .upper(value, isIncluded: false)
        case .lessOrEqual: .upper(value, isIncluded: true)
        case .greater: .lower(value, isIncluded: false)
        case .greaterOrEqual: .lower(value, isIncluded: true)
        }
    }

    /// Makes the step of a seek and settles the conditions that it stands for.
    mutating func add(_ candidate: SeekCandidate, _ slot: Slot, of element: String) throws(GraphError) {
        var served = candidate.conditions.map { conditions[$0].expression }
        for index in candidate.conditions { conditions[index].isSettled = true }
        let subject = Expression(.variable(element), at: 0)
        if slot.holding == .node {
            served.append(Expression(.hasLabels(subject, [candidate.name]), at: 0))
            for index in conditions.indices where conditions[index].names == [element] {
                if case .hasLabels(let subject, [candidate.name]) = conditions[index].expression.kind, subject.isVariable {
                    conditions[index].isSettled = true
                }
            }
        }
        var leading: [Compiled] = []
        for value in candidate.leading { leading.append(try planner.compile(value)) }
        let probe: Step.IndexSeek.Probe
        switch candidate.probe {
        case .equal: probe = .equal
        case .list(let list): probe = .list(try planner.compile(list))
        case .prefix(let text): probe = .prefix(try planner.compile(text))
        case .range(let lower, let upper): probe = .range(try bound(lower), try bound(upper))
        }
        var compiler = planner.compiler()
        let all = served.dropFirst().reduce(served[0]) { Expression(.and($0, $1), at: $0.offset) }
        planner.steps.append(
            .indexSeek(
                .init(
                    slot: slot, name: candidate.name, keys: candidate.keys, leading: leading, probe: probe,
                    test: try compiler.compilePredicate(all))))
    }

    private func bound(_ bound: (Expression, isIncluded: Bool)?) throws(GraphError) -> Step.IndexSeek.Bound? {
        guard let bound else { return nil }
        return .init(value: try planner.compile(bound.0), isIncluded: bound.isIncluded)
    }
}

extension Expression.Comparison {
    /// The comparison with its sides exchanged.
    fileprivate var turned: Expression.Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }
}
