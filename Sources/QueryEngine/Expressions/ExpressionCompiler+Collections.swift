internal import Cypher
internal import GraphModel

// Comprehensions, quantifiers, reduce, CASE and map projections. Each bound variable has a place in the frame.
extension ExpressionCompiler {
    mutating func listComprehension(
        _ variable: String, _ list: Expression, _ predicate: Expression?, _ result: Expression?
    ) throws(GraphError) -> Evaluator {
        let kinds = elementTypes(of: list)
        let list = try evaluator(list)
        let local = bind(variable, kinds)
        defer { unbind() }
        let test: Predicate = if let predicate { try self.predicate(predicate) } else { { _, _ in .true } }
        let map: Evaluator = if let result { try evaluator(result) } else { { frame, _ in frame.locals[local] } }
        return { frame, row throws(GraphError) in
            guard let elements = try Self.elements(try list(frame, row)) else { return .null }
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            var byteCount = 0
            for element in elements {
                try frame.step()
                frame.locals[local] = element
                if try test(frame, row) != .true { continue }
                let value = try map(frame, row)
                byteCount = addSaturating(byteCount, value.byteCount)
                try frame.requireRoom(forValueOf: byteCount)
                values.append(value)
            }
            return try frame.list(values)
        }
    }

    /// What a comprehension goes over; nil for null.
    static func elements(_ value: Value) throws(GraphError) -> [Value]? {
        switch value {
        case .null: return nil
        case .list(let list): return list.elements
        case .path(let path): return path.elements
        case let other:
            throw GraphError(.typeError, "a list is expected behind IN, not a value of type \(other.kindName)")
        }
    }

    mutating func quantified(
        _ quantifier: Expression.Quantifier, _ variable: String, _ list: Expression, _ predicate: Expression
    ) throws(GraphError) -> Predicate {
        let kinds = elementTypes(of: list)
        let list = try evaluator(list)
        let local = bind(variable, kinds)
        defer { unbind() }
        try require(predicate, .boolean, "WHERE takes a condition")
        let test = try self.predicate(predicate)
        return { frame, row throws(GraphError) in
            guard let elements = try Self.elements(try list(frame, row)) else { return .unknown }
            var trueCount = 0
            var hasUnknown = false
            for element in elements {
                try frame.step()
                frame.locals[local] = element
                switch try test(frame, row) {
                case .true: trueCount += 1
                case .unknown: hasUnknown = true
                case .false: if quantifier == .all { return .false }
                }
                if trueCount > 0, quantifier == .any || quantifier == .none { return Truth(quantifier == .any) }
                if trueCount > 1, quantifier == .single { return .false }
            }
            if hasUnknown { return .unknown }
            return Truth(quantifier == .single ? trueCount == 1 : quantifier != .any)
        }
    }

    mutating func reduce(
        _ accumulator: String, _ initial: Expression, _ variable: String, _ list: Expression, _ result: Expression
    ) throws(GraphError) -> Evaluator {
        if let aggregate = result.first(where: \.isAggregate) { throw misplacedAggregate(aggregate) }
        let kinds = elementTypes(of: list)
        let initial = try evaluator(initial)
        let list = try evaluator(list)
        let total = bind(accumulator)
        let local = bind(variable, kinds)
        defer {
            unbind()
            unbind()
        }
        let step = try evaluator(result)
        return { frame, row throws(GraphError) in
            let start = try initial(frame, row)
            guard let elements = try Self.elements(try list(frame, row)) else { return .null }
            frame.locals[total] = start
            for element in elements {
                try frame.step()
                frame.locals[local] = element
                let next = try step(frame, row)
                frame.locals[total] = next
            }
            return frame.locals[total]
        }
    }

    mutating func conditional(
        _ subject: Expression?, _ branches: [Expression.Branch], _ otherwise: Expression?
    ) throws(GraphError) -> Evaluator {
        let last: Evaluator = if let otherwise { try evaluator(otherwise) } else { { _, _ in .null } }
        guard let subject else {
            var compiled: [(test: Predicate, result: Evaluator)] = []
            for branch in branches { compiled.append((try predicate(branch.condition), try evaluator(branch.result))) }
            let parts = compiled
            return { frame, row throws(GraphError) in
                for part in parts where try part.test(frame, row) == .true { return try part.result(frame, row) }
                return try last(frame, row)
            }
        }
        let value = try evaluator(subject)
        var compiled: [(value: Evaluator, result: Evaluator)] = []
        for branch in branches { compiled.append((try evaluator(branch.condition), try evaluator(branch.result))) }
        let parts = compiled
        return { frame, row throws(GraphError) in
            let wanted = try value(frame, row)
            for part in parts where Comparing.equal(wanted, try part.value(frame, row)) == .true {
                return try part.result(frame, row)
            }
            return try last(frame, row)
        }
    }

    mutating func mapProjection(
        _ subject: Expression, _ items: [Expression.Projected]
    ) throws(GraphError) -> Evaluator {
        let subjectValue = try evaluator(subject)
        var parts: [(key: String, evaluate: Evaluator)?] = []
        for item in items {
            switch item {
            case .property(let key):
                let property = Expression(.property(subject, key: key, missing: .null), at: subject.offset)
                parts.append((key, try evaluator(property)))
            case .allProperties: parts.append(nil)
            case .entry(let key, let expression): parts.append((key, try evaluator(expression)))
            }
        }
        // nil stands for all properties.
        let entriesOf = parts
        return { frame, row throws(GraphError) in
            let value = try subjectValue(frame, row)
            if value.isNull { return .null }
            var entries: [(key: String, value: Value)] = []
            for part in entriesOf {
                if let part {
                    Self.set(part.key, try part.evaluate(frame, row), in: &entries)
                } else {
                    for (key, property) in try frame.map(value) { Self.set(key, property, in: &entries) }
                }
            }
            return try frame.map(of: entries)
        }
    }

    private static func set(_ key: String, _ value: Value, in entries: inout [(key: String, value: Value)]) {
        entries.removeAll { codeUnitsEqual($0.key, key) }
        entries.append((key, value))
    }
}
