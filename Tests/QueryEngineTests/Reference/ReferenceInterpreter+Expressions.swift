import Cypher
import GraphModel

/// What an expression sees.
struct Environment {
    var row: [String: Value]
    /// The rows of the group, where an aggregate may stand.
    var group: [[String: Value]]?

    func with(_ name: String, _ value: Value) -> Environment {
        var inner = self
        inner.row[name] = value
        return inner
    }
}

extension ReferenceInterpreter {
    func evaluate(_ expression: Expression, _ environment: Environment) throws -> Value {
        func value(_ inner: Expression) throws -> Value { try evaluate(inner, environment) }
        func truth(_ flag: Bool?) -> Value { flag.map { .boolean($0) } ?? .null }
        if expression.isAggregate { return try aggregate(expression, environment) }
        switch expression.kind {
        case .literal(let literal): return literal
        case .parameter(let name):
            guard let parameter = parameters[name] else { throw ReferenceFailure("no parameter \(name)") }
            return parameter
        case .variable(let name):
            guard let bound = environment.row[name] else { throw ReferenceFailure("no variable \(name)") }
            return bound
        case .property(let entity, let key, let missing): return try property(key, of: value(entity), missing)
        case .list(let elements): return .list(try elements.map(value))
        case .map(let entries): return .map(MapValue(try entries.map { ($0.key, try value($0.value)) }))
        case .mapProjection(let subject, let items): return try mapProjection(subject, items, environment)
        case .not, .and, .or, .xor, .compare, .in, .stringMatch, .isNull, .hasLabels, .quantifier,
            .subquery(.exists, _):
            return truth(try holds(expression, environment))
        case .negate(let operand):
            switch try value(operand) {
            case .null: return .null
            case .integer(let number): return .integer(-number)
            case .float(let number): return .float(-number)
            case let other: throw ReferenceFailure("-\(other.kindName)")
            }
        case .arithmetic(let operation, let left, let right):
            return try ReferenceValues.calculate(operation, value(left), value(right), dialect)
        case .subscripted(let list, let index): return try subscripted(value(list), value(index))
        case .slice(let list, let from, let to):
            return try slice(value(list), from.map(value) ?? .integer(0), to.map(value) ?? .integer(.max))
        case .function(let name, _, let arguments):
            if name == "has" || name == "exists" {
                if case .pattern = arguments[0].kind { return truth(try holds(arguments[0], environment)) }
                return .boolean(try !isNull(arguments[0], environment))
            }
            return try function(name, arguments.map(value))
        case .countAll: throw ReferenceFailure("count(*) out of place")
        case .conditional(let subject, let branches, let otherwise):
            for branch in branches {
                if let subject {
                    if ReferenceValues.equal(try value(subject), try value(branch.condition)) != true { continue }
                } else if try holds(branch.condition, environment) != true {
                    continue
                }
                return try value(branch.result)
            }
            return try otherwise.map(value) ?? .null
        case .listComprehension(let variable, let list, let predicate, let result):
            guard let elements = try elements(value(list)) else { return .null }
            var results: [Value] = []
            for element in elements {
                let inner = environment.with(variable, element)
                if let predicate, try holds(predicate, inner) != true { continue }
                results.append(try result.map { try evaluate($0, inner) } ?? element)
            }
            return .list(results)
        case .reduce(let accumulator, let initial, let variable, let list, let result):
            guard let elements = try elements(value(list)) else { return .null }
            return try elements.reduce(try value(initial)) { total, element in
                try evaluate(result, environment.with(accumulator, total).with(variable, element))
            }
        case .pattern(let part):
            if part.shortest == .none && dialect == .cypher9 { return truth(try holds(expression, environment)) }
            let paths = try paths(of: part, environment)
            if part.shortest == .one { return paths.first ?? .null }
            return .list(paths)
        case .patternComprehension(let part, let predicate, let result):
            return .list(
                try shuffled(match([part], environment.row)).compactMap { found in
                    let inner = Environment(row: found, group: nil)
                    if let predicate, try holds(predicate, inner) != true { return nil }
                    return try evaluate(result, inner)
                })
        case .subquery(.count, let body): return .integer(Int64(try rows(of: body, environment).count))
        case .subquery(.collect, let body):
            return .list(try rows(of: body, environment).map { $0.first ?? .null })
        }
    }

    // MARK: Conditions

    /// Three-valued: nil is unknown.
    func holds(_ expression: Expression, _ environment: Environment) throws -> Bool? {
        func value(_ inner: Expression) throws -> Value { try evaluate(inner, environment) }
        func holds(_ inner: Expression) throws -> Bool? { try self.holds(inner, environment) }
        switch expression.kind {
        case .not(let operand): return try holds(operand).map { !$0 }
        case .and(let left, let right):
            let first = try holds(left)
            return first == false ? false : ReferenceValues.all([first, try holds(right)])
        case .or(let left, let right):
            let first = try holds(left)
            return first == true ? true : ReferenceValues.any([first, try holds(right)])
        case .xor(let left, let right):
            guard let a = try holds(left), let b = try holds(right) else { return nil }
            return a != b
        case .compare(let comparison, let left, let right):
            return try withMissingRule(left, right, environment) {
                try compare(comparison, value(left), value(right))
            }
        case .in(let element, let list):
            return try withMissingRule(element, list, environment) {
                let wanted = try value(element)
                switch try value(list) {
                case .null: return nil
                case .list(let list): return ReferenceValues.any(list.elements.map { ReferenceValues.equal(wanted, $0) })
                case let other: throw ReferenceFailure("IN \(other.kindName)")
                }
            }
        case .stringMatch(let match, let left, let right):
            return try withMissingRule(left, right, environment) {
                try stringMatch(match, value(left), value(right))
            }
        case .isNull(let operand): return try isNull(operand, environment)
        case .hasLabels(let entity, let labels):
            switch try value(entity) {
            case .null: return nil
            case .node(let id): return graph.nodes[id.rawValue]?.labels.isSuperset(of: labels) ?? false
            case let other: throw ReferenceFailure("labels of \(other.kindName)")
            }
        case .quantifier(let quantifier, let variable, let list, let predicate):
            guard let elements = try elements(value(list)) else { return nil }
            return quantified(quantifier, try elements.map { try self.holds(predicate, environment.with(variable, $0)) })
        case .pattern(let part): return try !match([part], environment.row).isEmpty
        case .subquery(.exists, let body): return try !rows(of: body, environment).isEmpty
        default:
            switch try value(expression) {
            case .boolean(let flag): return flag
            case .null: return nil
            case let other: throw ReferenceFailure("\(other.kindName) as a condition")
            }
        }
    }

    /// `n.p? = x` is true and `n.p! = x` is false where p is missing.
    private func withMissingRule(
        _ left: Expression, _ right: Expression, _ environment: Environment, _ test: () throws -> Bool?
    ) throws -> Bool? {
        for side in [left, right] {
            guard case .property(_, _, let missing) = side.kind, missing != .byDialect else { continue }
            if try evaluate(side, environment).isNull { return missing == .null }
        }
        return try test()
    }

    private func compare(_ comparison: Expression.Comparison, _ a: Value, _ b: Value) throws -> Bool? {
        func holds(_ order: Int) -> Bool {
            switch comparison {
            case .equal: order == 0
            case .notEqual: order != 0
            case .less: order < 0
            case .lessOrEqual: order <= 0
            case .greater: order > 0
            case .greaterOrEqual: order >= 0
            }
        }
        let isTwoValued = dialect == .cypher18
        if isTwoValued && (a.isNull || b.isNull) {
            // Null equals null, and is larger than everything else.
            return holds((a.isNull ? 1 : 0) - (b.isNull ? 1 : 0))
        }
        switch comparison {
        case .equal, .notEqual:
            let equal = ReferenceValues.equal(a, b)
            let definite = isTwoValued ? equal ?? false : equal
            return definite.map { $0 == (comparison == .equal) }
        default:
            switch ReferenceValues.compare(a, b) {
            case .order(let order): return holds(order)
            case .unordered: return false
            case .incomparable:
                if isTwoValued { throw ReferenceFailure("\(a.kindName) < \(b.kindName)") }
                return nil
            }
        }
    }

    private func quantified(_ quantifier: Expression.Quantifier, _ truths: [Bool?]) -> Bool? {
        switch quantifier {
        case .all: return ReferenceValues.all(truths)
        case .any: return ReferenceValues.any(truths)
        case .none: return ReferenceValues.any(truths).map { !$0 }
        case .single:
            let count = truths.count { $0 == true }
            if count > 1 { return false }
            return truths.contains(nil) ? nil : count == 1
        }
    }

    /// Asking whether a property is there never fails because it is missing.
    private func isNull(_ operand: Expression, _ environment: Environment) throws -> Bool {
        if case .property(let entity, let key, _) = operand.kind {
            return try property(key, of: evaluate(entity, environment), .null).isNull
        }
        return try evaluate(operand, environment).isNull
    }

    private func stringMatch(_ match: Expression.StringMatch, _ left: Value, _ right: Value) throws -> Bool? {
        guard case .string(let text) = left, case .string(let other) = right else {
            if match == .regularExpression, !right.isNull, !{ if case .string = right { true } else { false } }() {
                throw ReferenceFailure("=~ \(right.kindName)")
            }
            return nil
        }
        let (units, part) = (Array(text.text.utf8), Array(other.text.utf8))
        switch match {
        case .startsWith: return units.starts(with: part)
        case .endsWith: return units.count >= part.count && Array(units.suffix(part.count)) == part
        case .contains:
            return units.count >= part.count
                && (0...(units.count - part.count)).contains { Array(units[$0..<$0 + part.count]) == part }
        case .regularExpression:
            return Self.matches(Array(other.text.unicodeScalars)[...], Array(text.text.unicodeScalars)[...])
        }
    }

    /// Characters, `.`, and `*` behind either.
    private static func matches(_ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let fits = !text.isEmpty && (first == "." || first == text.first)
        if pattern.dropFirst().first == "*" {
            return matches(pattern.dropFirst(2), text) || fits && matches(pattern, text.dropFirst())
        }
        return fits && matches(pattern.dropFirst(), text.dropFirst())
    }

    // MARK: Parts of values

    private func elements(_ value: Value) throws -> [Value]? {
        switch value {
        case .null: return nil
        case .list(let list): return list.elements
        case let other: throw ReferenceFailure("\(other.kindName) as a list")
        }
    }

    func property(_ key: String, of entity: Value, _ missing: Expression.MissingProperty) throws -> Value {
        switch entity {
        case .null: return .null
        case .map(let map): return map[key] ?? .null
        case .node, .relationship:
            if let value = try properties(of: entity)[key] { return value }
            if dialect.missingPropertyIsError && missing == .byDialect {
                throw ReferenceFailure("missing property \(key)")
            }
            return .null
        default: throw ReferenceFailure("property of \(entity.kindName)")
        }
    }

    func properties(of entity: Value) throws -> [String: Value] {
        switch entity {
        case .node(let id):
            guard let node = graph.nodes[id.rawValue] else { throw ReferenceFailure("deleted") }
            return node.properties
        case .relationship(let id):
            guard let relationship = graph.relationships[id.rawValue] else { throw ReferenceFailure("deleted") }
            return relationship.properties
        case .map(let map): return Dictionary(uniqueKeysWithValues: map.entries.map { ($0.key, $0.value) })
        default: throw ReferenceFailure("properties of \(entity.kindName)")
        }
    }

    private func subscripted(_ list: Value, _ index: Value) throws -> Value {
        switch (list, index) {
        case (.null, _), (_, .null): return .null
        case (.list(let list), .integer(let index)):
            let position = Int(index) < 0 ? list.elements.count + Int(index) : Int(index)
            return list.elements.indices.contains(position) ? list.elements[position] : .null
        case (.node, .string(let key)), (.relationship, .string(let key)), (.map, .string(let key)):
            return try properties(of: list)[key.text] ?? .null
        default: throw ReferenceFailure("\(list.kindName)[\(index.kindName)]")
        }
    }

    private func slice(_ list: Value, _ from: Value, _ to: Value) throws -> Value {
        switch (list, from, to) {
        case (.null, _, _), (_, .null, _), (_, _, .null): return .null
        case (.list(let list), .integer(let from), .integer(let to)):
            func place(_ index: Int64) -> Int64 { index < 0 ? index + Int64(list.elements.count) : index }
            let wanted = list.elements.indices.filter { Int64($0) >= place(from) && Int64($0) < place(to) }
            return .list(wanted.map { list.elements[$0] })
        default: throw ReferenceFailure("\(list.kindName)[..]")
        }
    }

    private func mapProjection(
        _ subject: Expression, _ items: [Expression.Projected], _ environment: Environment
    ) throws -> Value {
        let entity = try evaluate(subject, environment)
        if entity.isNull { return .null }
        var result: [String: Value] = [:]
        for item in items {
            switch item {
            case .property(let key): result[key] = try property(key, of: entity, .null)
            case .allProperties: result.merge(try properties(of: entity)) { $1 }
            case .entry(let key, let value): result[key] = try evaluate(value, environment)
            }
        }
        return .map(MapValue(result.map { ($0.key, $0.value) }))
    }

    // MARK: Aggregates

    private func aggregate(_ expression: Expression, _ environment: Environment) throws -> Value {
        guard let group = environment.group else { throw ReferenceFailure("an aggregate out of place") }
        guard case .function(let name, let isDistinct, let arguments) = expression.kind else {
            return .integer(Int64(group.count))
        }
        var values = try group.map { try evaluate(arguments[0], Environment(row: $0, group: nil)) }.filter { !$0.isNull }
        if isDistinct {
            values = values.reduce(into: []) { kept, value in
                if !kept.contains(where: { ReferenceValues.sortOrder($0, value) == 0 }) { kept.append(value) }
            }
        }
        switch name {
        case "count": return .integer(Int64(values.count))
        case "collect": return .list(values)
        case "min": return values.min { ReferenceValues.sortOrder($0, $1) < 0 } ?? .null
        case "max": return values.max { ReferenceValues.sortOrder($0, $1) < 0 } ?? .null
        case "sum":
            return try values.reduce(.integer(0)) { try ReferenceValues.calculate(.add, $0, number($1), .cypher9) }
        case "avg":
            if values.isEmpty { return .null }
            let sum = try values.reduce(.float(0)) { try ReferenceValues.calculate(.add, $0, number($1), dialect) }
            return try ReferenceValues.calculate(.divide, sum, .integer(Int64(values.count)), dialect)
        default: throw ReferenceFailure("\(name) is not tested", isExhaustion: true)
        }
    }

    private func number(_ value: Value) throws -> Value {
        switch value {
        case .integer, .float: return value
        default: throw ReferenceFailure("a number of \(value.kindName)")
        }
    }
}
