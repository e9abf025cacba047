internal import GraphModel

extension Expression {
    public static let aggregateNames: Set<String> = [
        "count", "sum", "avg", "min", "max", "collect", "percentiledisc", "percentilecont", "stdev", "stdevp",
    ]

    /// Whether this very expression is an aggregate.
    public var isAggregate: Bool {
        switch kind {
        case .countAll: true
        case .function(let name, _, _): Self.aggregateNames.contains(name)
        default: false
        }
    }

    public var containsAggregate: Bool { isAggregate || children.contains { $0.containsAggregate } }

    public var isVariable: Bool { if case .variable = kind { true } else { false } }

    /// The first of all expressions below and including this one for which `test` holds.
    public func first(where test: (Expression) -> Bool) -> Expression? {
        if test(self) { return self }
        for child in children {
            if let found = child.first(where: test) { return found }
        }
        return nil
    }

    /// The parts that AND joins, in the order they are written.
    public var conjuncts: [Expression] {
        if case .and(let left, let right) = kind { return left.conjuncts + right.conjuncts }
        return [self]
    }

    /// Every variable of the scope around it that it may read. A subquery and a pattern may read any of theirs.
    public var variables: Set<String> {
        switch kind {
        case .variable(let name): return [name]
        case .listComprehension(let variable, let list, let predicate, let result):
            return list.variables.union(
                (predicate?.variables ?? []).union(result?.variables ?? []).subtracting([variable]))
        case .quantifier(_, let variable, let list, let predicate):
            return list.variables.union(predicate.variables.subtracting([variable]))
        case .reduce(let accumulator, let initial, let variable, let list, let result):
            return initial.variables.union(list.variables).union(result.variables.subtracting([variable, accumulator]))
        case .pattern(let part): return children.reduce(into: part.names) { $0.formUnion($1.variables) }
        case .patternComprehension(let part, _, _):
            return children.reduce(into: part.names) { $0.formUnion($1.variables) }
        case .subquery(_, let body): return body.mentionedNames
        default: return children.reduce(into: []) { $0.formUnion($1.variables) }
        }
    }

    /// Whether two expressions are written alike, wherever they stand.
    public func isSame(as other: Expression) -> Bool {
        guard depth == other.depth else { return false }
        switch (kind, other.kind) {
        case (.pattern(let a), .pattern(let b)): return a.text == b.text
        case (.patternComprehension(let a, let p, let x), .patternComprehension(let b, let q, let y)):
            guard a.text == b.text, x.isSame(as: y) else { return false }
            return Self.same(p, q)
        case (.subquery(let a, let x), .subquery(let b, let y)): return a == b && x.text == y.text
        default: break
        }
        let (mine, others) = (children, other.children)
        guard mine.count == others.count, zip(mine, others).allSatisfy({ $0.isSame(as: $1) }) else { return false }
        return isSameNode(as: other)
    }

    private static func same(_ a: Expression?, _ b: Expression?) -> Bool {
        if let a, let b { return a.isSame(as: b) }
        return a == nil && b == nil
    }

    /// Whether everything but the children is alike.
    private func isSameNode(as other: Expression) -> Bool {
        switch (kind, other.kind) {
        case (.literal(let a), .literal(let b)): return a.kindName == b.kindName && a == b
        case (.parameter(let a), .parameter(let b)), (.variable(let a), .variable(let b)): return codeUnitsEqual(a, b)
        case (.property(_, let a, let x), .property(_, let b, let y)): return codeUnitsEqual(a, b) && x == y
        case (.map(let a), .map(let b)): return zip(a, b).allSatisfy { codeUnitsEqual($0.key, $1.key) }
        case (.mapProjection(_, let a), .mapProjection(_, let b)): return a.map(\.key) == b.map(\.key)
        case (.compare(let a, _, _), .compare(let b, _, _)): return a == b
        case (.arithmetic(let a, _, _), .arithmetic(let b, _, _)): return a == b
        case (.stringMatch(let a, _, _), .stringMatch(let b, _, _)): return a == b
        case (.hasLabels(_, let a), .hasLabels(_, let b)): return a == b
        case (.function(let a, let x, _), .function(let b, let y, _)): return a == b && x == y
        case (.slice(_, let a, let x), .slice(_, let b, let y)):
            return (a == nil) == (b == nil) && (x == nil) == (y == nil)
        case (.conditional(let a, let x, let p), .conditional(let b, let y, let q)):
            return (a == nil) == (b == nil) && x.count == y.count && (p == nil) == (q == nil)
        case (.listComprehension(let a, _, let p, let x), .listComprehension(let b, _, let q, let y)):
            return codeUnitsEqual(a, b) && (p == nil) == (q == nil) && (x == nil) == (y == nil)
        case (.quantifier(let a, let x, _, _), .quantifier(let b, let y, _, _)): return a == b && codeUnitsEqual(x, y)
        case (.reduce(let a, _, let x, _, _), .reduce(let b, _, let y, _, _)):
            return codeUnitsEqual(a, b) && codeUnitsEqual(x, y)
        case (.list, .list), (.not, .not), (.negate, .negate), (.and, .and), (.or, .or), (.xor, .xor), (.in, .in),
            (.isNull, .isNull), (.subscripted, .subscripted), (.countAll, .countAll):
            return true
        default: return false
        }
    }
}

extension Expression.Projected {
    /// What tells two items of a map projection apart, but for the value.
    var key: String {
        switch self {
        case .property(let key): ".\(key)"
        case .allProperties: ".*"
        case .entry(let key, _): "\(key):"
        }
    }
}

extension QueryBody {
    /// Every name that stands in it, bound there or outside.
    public var mentionedNames: Set<String> {
        branches.reduce(into: []) { names, clauses in
            for clause in clauses { clause.collectNames(into: &names) }
        }
    }
}

extension Clause {
    fileprivate func collectNames(into names: inout Set<String>) {
        func add(_ parts: [PatternPart]) {
            for part in parts {
                names.formUnion(part.names)
                for expression in part.expressions { names.formUnion(expression.variables) }
            }
        }
        func add(_ items: [SetItem]) {
            for item in items {
                switch item.kind {
                case .property(let target, _, let value): names.formUnion(target.variables.union(value.variables))
                case .all(let variable, let map, _): names.formUnion(map.variables.union([variable]))
                case .labels(let variable, _): names.insert(variable)
                }
            }
        }
        func add(_ expressions: [Expression]) { for expression in expressions { names.formUnion(expression.variables) } }
        switch kind {
        case .start(let items):
            for item in items { if case .ids(let ids) = item.source { add([ids]) } }
        case .match(let parts, _), .create(let parts), .createUnique(let parts): add(parts)
        case .filter(let condition): add([condition])
        case .with(let projection), .return(let projection):
            add(projection.items.map(\.expression) + projection.order.map(\.expression))
        case .unwind(let list, _): add([list])
        case .merge(let part, let onCreate, let onMatch):
            add([part])
            add(onCreate + onMatch)
        case .set(let items), .remove(let items): add(items)
        case .delete(let targets, _): add(targets)
        case .forEach(_, let list, let clauses):
            add([list])
            for clause in clauses { clause.collectNames(into: &names) }
        case .call(let call): add(call.arguments ?? [])
        case .subquery(let body, let imports):
            names.formUnion(body.mentionedNames)
            names.formUnion(imports ?? [])
        }
    }
}
