internal import Cypher
internal import FileSystem
internal import GraphModel
internal import Storage

/// The elements of a list that stays the same for a whole execution, for IN.
struct ConstantSet {
    let elements: Set<Value>
    let containsNull: Bool
    /// Whether equality of all elements but null is never unknown, and the same as that of the set.
    let isPlain: Bool

    init(_ list: [Value]) {
        elements = Set(list)
        containsNull = list.contains { $0.isNull }
        isPlain = list.allSatisfy { $0.isNull || Comparing.isPlain($0) }
    }
}

extension ExpressionCompiler {
    mutating func predicate(_ expression: Expression) throws(GraphError) -> Predicate {
        if substitution(expression) == nil {
            try refuseWrongTypes(expression)
            switch expression.kind {
            case .not(let operand):
                let operand = try predicate(operand)
                return { frame, row throws(GraphError) in !(try operand(frame, row)) }
            case .and(let left, let right): return try and(left, right)
            case .or(let left, let right): return try or(left, right)
            case .xor(let left, let right):
                let left = try predicate(left)
                let right = try predicate(right)
                return { frame, row throws(GraphError) in
                    let (a, b) = (try left(frame, row), try right(frame, row))
                    return a == .unknown || b == .unknown ? .unknown : Truth(a != b)
                }
            case .compare(let comparison, let left, let right): return try comparing(comparison, left, right)
            case .isNull(let operand): return try isNull(operand)
            case .in(let element, let list): return try contained(element, list)
            case .stringMatch(let match, let left, let right): return try stringMatch(match, left, right)
            case .hasLabels(let entity, let labels): return try hasLabels(entity, labels)
            case .quantifier(let quantifier, let variable, let list, let predicate):
                return try quantified(quantifier, variable, list, predicate)
            case .pattern(let part): return try exists(part, expression.offset)
            case .subquery(.exists, let body): return try exists(body)
            case .function(let name, _, let arguments) where name == "has" || name == "exists":
                return try has(name, arguments, expression)
            default: break
            }
        }
        let value = try evaluator(expression)
        return { frame, row throws(GraphError) in
            switch try value(frame, row) {
            case .boolean(let flag): return Truth(flag)
            case .null: return .unknown
            case let other:
                throw GraphError(.typeError, "expected true or false, not a value of type \(other.kindName)")
            }
        }
    }

    private mutating func and(_ left: Expression, _ right: Expression) throws(GraphError) -> Predicate {
        let left = try predicate(left)
        let right = try predicate(right)
        return { frame, row throws(GraphError) in
            let first = try left(frame, row)
            if first == .false { return .false }
            let second = try right(frame, row)
            return second == .false ? .false : (first == .true && second == .true ? .true : .unknown)
        }
    }

    private mutating func or(_ left: Expression, _ right: Expression) throws(GraphError) -> Predicate {
        let left = try predicate(left)
        let right = try predicate(right)
        return { frame, row throws(GraphError) in
            let first = try left(frame, row)
            if first == .true { return .true }
            let second = try right(frame, row)
            return second == .true ? .true : (first == .false && second == .false ? .false : .unknown)
        }
    }

    // MARK: Comparisons

    private mutating func comparing(
        _ comparison: Expression.Comparison, _ left: Expression, _ right: Expression
    ) throws(GraphError) -> Predicate {
        if let fused = try fused(comparison, left, right) { return fused }
        let test: Predicate
        let a = try evaluator(left)
        let b = try evaluator(right)
        if context.dialect == .cypher9 {
            test = { frame, row throws(GraphError) in
                Comparing.compare9(comparison, try a(frame, row), try b(frame, row))
            }
        } else {
            test = { frame, row throws(GraphError) in
                try Comparing.compare18(comparison, try a(frame, row), try b(frame, row))
            }
        }
        return try withMissingRule(test, left, right)
    }

    /// `n.p? = x` is true and `n.p! = x` is false when p is missing.
    private mutating func withMissingRule(
        _ test: @escaping Predicate, _ left: Expression, _ right: Expression
    ) throws(GraphError) -> Predicate {
        var result = test
        for side in [left, right] {
            guard case .property(_, _, let missing) = side.kind, missing != .byDialect else { continue }
            let property = try evaluator(side)
            let outcome: Truth = missing == .null ? .true : .false
            let inner = result
            result = { frame, row throws(GraphError) in
                try property(frame, row).isNull ? outcome : try inner(frame, row)
            }
        }
        return result
    }

    /// Shapes that need no generic values on both sides.
    private mutating func fused(
        _ comparison: Expression.Comparison, _ left: Expression, _ right: Expression
    ) throws(GraphError) -> Predicate? {
        // Entities compare by id.
        if comparison == .equal || comparison == .notEqual, let a = try entitySlot(left), let b = try entitySlot(right),
            a.holding == b.holding, context.dialect == .cypher9
        {
            slots.insert(a)
            slots.insert(b)
            let (x, y, wanted) = (a.index, b.index, comparison == .equal)
            return { frame, row in
                let (p, q) = (frame.batch.columns[x].ids[row], frame.batch.columns[y].ids[row])
                return p == noID || q == noID ? .unknown : Truth((p == q) == wanted)
            }
        }
        // property op integer constant.
        if case .property(let entity, let key, .byDialect) = left.kind,
            case .literal(.integer(let constant)) = right.kind,
            context.dialect == .cypher9, let slot = try entitySlot(entity), slot.holding == .node
        {
            slots.insert(slot)
            let name = context.references.name(.propertyKey, key)
            let index = slot.index
            return { frame, row throws(GraphError) in
                let id = frame.batch.columns[index].ids[row]
                if id == noID { return .unknown }
                switch try frame.property(name, ofNode: id, false) {
                case .integer(let number):
                    return Truth(Comparing.holds(comparison, number < constant ? -1 : (number == constant ? 0 : 1)))
                case let other: return Comparing.compare9(comparison, other, .integer(constant))
                }
            }
        }
        return nil
    }

    private mutating func isNull(_ operand: Expression) throws(GraphError) -> Predicate {
        if let slot = try entitySlot(operand) {
            slots.insert(slot)
            let index = slot.index
            return { frame, row in Truth(frame.batch.columns[index].ids[row] == noID) }
        }
        // Asking whether a property is null never fails because it is missing.
        var operand = operand
        if case .property(let entity, let key, .byDialect) = operand.kind {
            operand = Expression(.property(entity, key: key, missing: .null), at: operand.offset)
        }
        let value = try evaluator(operand)
        return { frame, row throws(GraphError) in Truth(try value(frame, row).isNull) }
    }

    private mutating func has(
        _ name: String, _ arguments: [Expression], _ expression: Expression
    ) throws(GraphError) -> Predicate {
        guard arguments.count == 1 else { throw wrongCount(name, "1", arguments.count, expression.offset) }
        if case .pattern(let part) = arguments[0].kind, name == "exists" { return try exists(part, arguments[0].offset) }
        switch arguments[0].kind {
        case .property: break
        case .subscripted where name == "exists": break
        default: throw context.fail("\(name)() takes a property, like n.name", at: arguments[0].offset)
        }
        let isNull = try isNull(arguments[0])
        return { frame, row throws(GraphError) in !(try isNull(frame, row)) }
    }

    // MARK: IN

    private mutating func contained(_ element: Expression, _ list: Expression) throws(GraphError) -> Predicate {
        let value = try evaluator(element)
        let listValue = try evaluator(list)
        let isConstant: Bool =
            switch list.kind {
            case .parameter: true
            case .list(let elements): Self.constants(elements) != nil
            default: false
            }
        let test: Predicate
        if isConstant {
            let number = context.references.constantSet()
            test = { frame, row throws(GraphError) in
                let value = try value(frame, row)
                if frame.constantSets[number] == nil {
                    switch try listValue(frame, row) {
                    case .list(let list): frame.constantSets[number] = ConstantSet(list.elements)
                    case .null: return .unknown
                    case let other: throw Self.notAList(other)
                    }
                }
                guard let set = frame.constantSets[number] else { return .unknown }
                switch value {
                case .null: return set.elements.isEmpty ? .false : .unknown
                case .list, .map, .float:
                    if set.isPlain, Comparing.isPlain(value) {
                        return set.elements.contains(value) ? .true : (set.containsNull ? .unknown : .false)
                    }
                    // Nulls inside, NaN: element by element.
                    if case .list(let list) = try listValue(frame, row) { return Self.isContained(value, list) }
                    return .unknown
                default:
                    return set.elements.contains(value) ? .true : (set.containsNull ? .unknown : .false)
                }
            }
        } else {
            test = { frame, row throws(GraphError) in
                let value = try value(frame, row)
                switch try listValue(frame, row) {
                case .list(let list):
                    try frame.step(list.elements.count)
                    return Self.isContained(value, list)
                case .null: return .unknown
                case let other: throw Self.notAList(other)
                }
            }
        }
        return try withMissingRule(test, element, list)
    }

    private static func notAList(_ value: Value) -> GraphError {
        GraphError(.typeError, "IN needs a list on its right, not a value of type \(value.kindName)")
    }

    private static func isContained(_ value: Value, _ list: ListValue) -> Truth {
        var result = Truth.false
        for element in list.elements {
            switch Comparing.equal(value, element) {
            case .true: return .true
            case .unknown: result = .unknown
            case .false: break
            }
        }
        return result
    }

    // MARK: Strings, labels

    private mutating func stringMatch(
        _ match: Expression.StringMatch, _ left: Expression, _ right: Expression
    ) throws(GraphError) -> Predicate {
        if case .regularExpression = match, case .literal(.string(let pattern)) = right.kind {
            // A malformed constant is an error of the query's text.
            do throws(GraphError) { _ = try RegularExpression(pattern.text) } catch {
                throw context.fail(error.message, at: right.offset)
            }
        }
        let a = try evaluator(left)
        let b = try evaluator(right)
        let test: Predicate = { frame, row throws(GraphError) in
            switch (try a(frame, row), try b(frame, row)) {
            case (.string(let text), .string(let other)):
                switch match {
                case .startsWith: return Truth(text.text.utf8.starts(with: other.text.utf8))
                case .endsWith: return Truth(text.text.utf8.reversed().starts(with: other.text.utf8.reversed()))
                case .contains: return Truth(firstOffset(of: other.text, in: text.text) != nil)
                case .regularExpression:
                    return Truth(try frame.patterns.expression(other).matchesAll(of: text.text, frame.control))
                }
            case (_, .string), (_, .null): return .unknown
            case (_, let pattern):
                if case .regularExpression = match {
                    throw GraphError(
                        .typeError, "=~ needs a string on its right, not a value of type \(pattern.kindName)")
                }
                return .unknown
            }
        }
        return try withMissingRule(test, left, right)
    }

    private mutating func hasLabels(_ entity: Expression, _ labels: [String]) throws(GraphError) -> Predicate {
        if case .variable(let name) = entity.kind, let variable = scope.find(name), variable.type != .node,
            variable.type != .any
        {
            throw context.fail("`\(name)` is \(variable.type.text), only nodes have labels", at: entity.offset)
        }
        let names = labels.map { context.references.name(.label, $0) }
        if let slot = try entitySlot(entity) {
            slots.insert(slot)
            let index = slot.index
            return { frame, row in
                let id = frame.batch.columns[index].ids[row]
                return id == noID ? .unknown : Self.hasLabels(frame, names, NodeID(id))
            }
        }
        let value = try evaluator(entity)
        return { frame, row throws(GraphError) in
            switch try value(frame, row) {
            case .null: return .unknown
            case .node(let id): return Self.hasLabels(frame, names, id)
            case let other: throw GraphError(.typeError, "a value of type \(other.kindName) has no labels")
            }
        }
    }

    private static func hasLabels(_ frame: Frame, _ names: [Int], _ node: NodeID) -> Truth {
        for name in names {
            let token = frame.token(name)
            if token == noToken || !frame.transaction.hasLabel(token, node) { return .false }
        }
        return .true
    }
}
