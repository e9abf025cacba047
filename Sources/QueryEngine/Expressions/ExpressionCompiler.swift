internal import Cypher
internal import GraphModel
internal import Storage

/// An expression of one row: reads the frame's batch.
typealias Evaluator = @Sendable (Frame, Int) throws(GraphError) -> Value
/// A condition on one row.
typealias Predicate = @Sendable (Frame, Int) throws(GraphError) -> Truth

/// A compiled expression and what the planner wants to know of it.
struct Compiled: Sendable {
    /// Forms that operators compute for many rows at once.
    enum Shape: Sendable {
        case slot(Slot)
        /// A property, by its name's number in the plan, of a node.
        case nodeProperty(Slot, Int)
        case other
    }
    let evaluate: Evaluator
    /// The slots it reads.
    let slots: Set<Slot>
    let text: String
    var shape = Shape.other
    /// Whether the same row can give another value the next time.
    var isRandom = false
}

struct CompiledPredicate: Sendable {
    /// Forms that operators test for many rows at once.
    enum Shape: Sendable {
        /// A node's label, by its name's number in the plan.
        case label(Slot, Int)
        case other
    }
    let test: Predicate
    let slots: Set<Slot>
    let text: String
    var shape = Shape.other
    /// Whether the same row can give another answer the next time.
    var isRandom = false
}

/// What one planning shares: the query, and everything numbered on the way.
final class PlanContext {
    let source: [UInt8]
    let dialect: Dialect
    /// For counts and names; plans keep nothing of it.
    let transaction: Transaction
    let options: QueryEngine.Options
    var references = References()
    var isWrite = false
    /// Counts calls of functions that give another value each time.
    var randomCallCount = 0
    private(set) var slotCount = 0
    private(set) var localCount = 0
    private(set) var subplanCount = 0

    init(_ query: Query, _ transaction: Transaction, _ options: QueryEngine.Options) {
        self.options = options
        source = query.source
        dialect = query.dialect
        self.transaction = transaction
    }

    /// A place in the frame for a variable that an expression binds, like the x of `[x IN list | …]`.
    func local() -> Int {
        defer { localCount += 1 }
        return localCount
    }

    /// Connections that expressions test, by number.
    private(set) var connections: [(direction: Direction, types: [Int])] = []

    func connection(_ direction: Direction, _ types: [Int]) -> Int {
        connections.append((direction, types))
        return connections.count - 1
    }

    /// The number of a plan inside an expression.
    func subplan() -> Int {
        defer { subplanCount += 1 }
        return subplanCount
    }

    func slot(_ holding: Slot.Holding) -> Slot {
        defer { slotCount += 1 }
        return Slot(index: slotCount, holding: holding)
    }

    func fail(_ message: String, at offset: Int) -> GraphError { .syntax(message, at: offset, in: source) }
}

/// Turns expressions into closures, once per plan: variables become slots, names numbers, common shapes one closure.
struct ExpressionCompiler {
    let context: PlanContext
    let scope: Scope
    /// Expressions whose values already stand in a slot: grouping keys, aggregates, projected columns.
    var substitutions: [(expression: Expression, slot: Slot)] = []
    /// When set, a variable that no substitution covers is an error with this text.
    var unboundMessage: ((String) -> String)?
    var slots: Set<Slot> = []
    /// Variables that expressions around this one bind, innermost last.
    var locals: [(name: String, index: Int, types: TypeSet)] = []

    init(_ context: PlanContext, _ scope: Scope) {
        self.context = context
        self.scope = scope
    }

    mutating func compile(_ expression: Expression) throws(GraphError) -> Compiled {
        slots = []
        let randomCallCount = context.randomCallCount
        let evaluate = try evaluator(expression)
        return Compiled(
            evaluate: evaluate, slots: slots, text: expression.text, shape: try shape(expression),
            isRandom: context.randomCallCount > randomCallCount)
    }

    private func shape(_ expression: Expression) throws(GraphError) -> Compiled.Shape {
        if let slot = substitution(expression) { return .slot(slot) }
        switch expression.kind {
        case .variable(let name): return .slot(try variable(name, expression.offset).slot)
        case .property(let entity, let key, _):
            guard let slot = try entitySlot(entity), slot.holding == .node else { return .other }
            return .nodeProperty(slot, context.references.name(.propertyKey, key))
        default: return .other
        }
    }

    mutating func compilePredicate(_ expression: Expression) throws(GraphError) -> CompiledPredicate {
        slots = []
        let randomCallCount = context.randomCallCount
        let test = try predicate(expression)
        return CompiledPredicate(
            test: test, slots: slots, text: expression.text, shape: try predicateShape(expression),
            isRandom: context.randomCallCount > randomCallCount)
    }

    private func predicateShape(_ expression: Expression) throws(GraphError) -> CompiledPredicate.Shape {
        guard case .hasLabels(let entity, let labels) = expression.kind, labels.count == 1,
            let slot = try entitySlot(entity), slot.holding == .node
        else { return .other }
        return .label(slot, context.references.name(.label, labels[0]))
    }

    // MARK: Values

    mutating func evaluator(_ expression: Expression) throws(GraphError) -> Evaluator {
        if let slot = substitution(expression) { return read(slot) }
        try refuseWrongTypes(expression)
        switch expression.kind {
        case .literal(let value): return { _, _ in value }
        case .parameter(let name):
            let index = context.references.parameter(name)
            return { frame, _ in frame.parameters[index] }
        case .variable(let name):
            if let local = local(name) { return { frame, _ in frame.locals[local] } }
            return read(try variable(name, expression.offset).slot)
        case .property(let entity, let key, let missing): return try property(entity, key, missing)
        case .list(let elements): return try list(elements)
        case .map(let entries): return try map(entries)
        case .negate(let operand):
            let operand = try evaluator(operand)
            return { frame, row throws(GraphError) in try Calculating.negate(try operand(frame, row)) }
        case .arithmetic(let operation, let left, let right): return try arithmetic(operation, left, right)
        case .subscripted(let list, let index): return try subscripted(list, index)
        case .slice(let list, let from, let to): return try slice(list, from, to)
        case .function(let name, let distinct, let arguments):
            return try function(name, distinct, arguments, expression)
        case .countAll: throw misplacedAggregate(expression)
        case .mapProjection(let subject, let items): return try mapProjection(subject, items)
        case .conditional(let subject, let branches, let otherwise):
            return try conditional(subject, branches, otherwise)
        case .listComprehension(let variable, let list, let predicate, let result):
            return try listComprehension(variable, list, predicate, result)
        case .reduce(let accumulator, let initial, let variable, let list, let result):
            return try reduce(accumulator, initial, variable, list, result)
        case .pattern(let part): return try paths(part, expression.offset)
        case .patternComprehension(let part, let predicate, let result):
            return try patternComprehension(part, predicate, result, expression.offset)
        case .subquery(.count, let body): return try count(body)
        case .subquery(.collect, let body): return try collect(body)
        case .not, .and, .or, .xor, .compare, .in, .stringMatch, .isNull, .hasLabels, .quantifier,
            .subquery(.exists, _):
            let test = try predicate(expression)
            return { frame, row throws(GraphError) in try test(frame, row).value }
        }
    }

    func substitution(_ expression: Expression) -> Slot? {
        guard let found = substitutions.first(where: { $0.expression.isSame(as: expression) }) else { return nil }
        // What an expression around this one binds is another variable of the same name.
        if !locals.isEmpty {
            let variables = found.expression.variables
            if locals.contains(where: { variables.contains($0.name) }) { return nil }
        }
        return found.slot
    }

    func local(_ name: String) -> Int? { locals.last { codeUnitsEqual($0.name, name) }?.index }

    /// Declares a variable of the expression's own, until `unbind`, and gives its place in the frame.
    mutating func bind(_ name: String, _ types: TypeSet = .any) -> Int {
        let index = context.local()
        locals.append((name, index, types))
        return index
    }

    mutating func unbind() { locals.removeLast() }

    func misplacedAggregate(_ expression: Expression) -> GraphError {
        context.fail(
            "an aggregate stands only in RETURN or WITH, and not inside another aggregate", at: expression.offset)
    }

    func variable(_ name: String, _ offset: Int) throws(GraphError) -> Variable {
        if let unboundMessage { throw context.fail(unboundMessage(name), at: offset) }
        guard let variable = scope.find(name) else {
            throw context.fail(
                context.dialect == .cypher18 ? "Unknown identifier `\(name)`" : "Variable `\(name)` not defined",
                at: offset)
        }
        return variable
    }

    mutating func read(_ slot: Slot) -> Evaluator {
        slots.insert(slot)
        let index = slot.index
        switch slot.holding {
        case .value: return { frame, row in frame.batch.columns[index].values[row] }
        case .node:
            return { frame, row in
                let id = frame.batch.columns[index].ids[row]
                return id == noID ? .null : .node(NodeID(id))
            }
        case .relationship:
            return { frame, row in
                let id = frame.batch.columns[index].ids[row]
                return id == noID ? .null : .relationship(RelationshipID(id))
            }
        }
    }

    /// The slot of an entity variable, for shapes that skip the generic value.
    func entitySlot(_ expression: Expression) throws(GraphError) -> Slot? {
        if let slot = substitution(expression) { return slot.isID ? slot : nil }
        guard case .variable(let name) = expression.kind, local(name) == nil else { return nil }
        let slot = try variable(name, expression.offset).slot
        return slot.isID ? slot : nil
    }

    private mutating func property(
        _ entity: Expression, _ key: String, _ missing: Expression.MissingProperty
    ) throws(GraphError) -> Evaluator {
        let name = context.references.name(.propertyKey, key)
        let missingIsError = context.dialect.missingPropertyIsError && missing == .byDialect
        if let slot = try entitySlot(entity) {
            slots.insert(slot)
            let index = slot.index
            if slot.holding == .node {
                return { frame, row throws(GraphError) in
                    let id = frame.batch.columns[index].ids[row]
                    return id == noID ? .null : try frame.property(name, ofNode: id, missingIsError)
                }
            }
            return { frame, row throws(GraphError) in
                let id = frame.batch.columns[index].ids[row]
                return id == noID ? .null : try frame.property(name, ofRelationship: id, missingIsError)
            }
        }
        let entity = try evaluator(entity)
        let component = TemporalComponents.Component(key)
        return { frame, row throws(GraphError) in
            switch try entity(frame, row) {
            case .null: return .null
            case .node(let id): return try frame.property(name, ofNode: id.rawValue, missingIsError)
            case .relationship(let id): return try frame.property(name, ofRelationship: id.rawValue, missingIsError)
            case .map(let map): return map[key] ?? .null
            case let other: return try component.value(of: other)
            }
        }
    }

    private mutating func list(_ elements: [Expression]) throws(GraphError) -> Evaluator {
        if let constants = Self.constants(elements) {
            let value = Value.list(constants)
            return { _, _ in value }
        }
        var parts: [Evaluator] = []
        for element in elements { parts.append(try evaluator(element)) }
        let evaluators = parts
        return { frame, row throws(GraphError) in
            var values: [Value] = []
            values.reserveCapacity(evaluators.count)
            for evaluate in evaluators { values.append(try evaluate(frame, row)) }
            return try frame.list(values)
        }
    }

    /// The values of a list that is written out; nil when some element has to be computed.
    static func constants(_ elements: [Expression]) -> [Value]? {
        var values: [Value] = []
        for element in elements {
            switch element.kind {
            case .literal(let value): values.append(value)
            case .list(let inner):
                guard let inner = constants(inner) else { return nil }
                values.append(.list(inner))
            default: return nil
            }
        }
        return values
    }

    private mutating func map(_ entries: [Expression.Entry]) throws(GraphError) -> Evaluator {
        var parts: [(key: String, evaluate: Evaluator)] = []
        for entry in entries {
            let evaluate = try evaluator(entry.value)
            // The last of several equal keys counts.
            parts.removeAll { codeUnitsEqual($0.key, entry.key) }
            parts.append((entry.key, evaluate))
        }
        let evaluators = parts
        return { frame, row throws(GraphError) in
            var values: [(key: String, value: Value)] = []
            values.reserveCapacity(evaluators.count)
            for part in evaluators { values.append((part.key, try part.evaluate(frame, row))) }
            return try frame.map(of: values)
        }
    }

    private mutating func arithmetic(
        _ operation: Expression.Arithmetic, _ left: Expression, _ right: Expression
    ) throws(GraphError) -> Evaluator {
        let dialect = context.dialect
        let left = try evaluator(left)
        let right = try evaluator(right)
        return { frame, row throws(GraphError) in
            try Calculating.calculate(operation, try left(frame, row), try right(frame, row), dialect, frame)
        }
    }

    private mutating func subscripted(_ list: Expression, _ index: Expression) throws(GraphError) -> Evaluator {
        let list = try evaluator(list)
        let index = try evaluator(index)
        return { frame, row throws(GraphError) in
            switch (try list(frame, row), try index(frame, row)) {
            case (.null, _), (_, .null): return .null
            case (.list(let list), .integer(let index)):
                let count = Int64(list.elements.count)
                let position = index < 0 ? index + count : index
                return position >= 0 && position < count ? list.elements[Int(position)] : .null
            case (.map(let map), .string(let key)): return map[key.text] ?? .null
            case (.node(let id), .string(let key)):
                guard let token = frame.transaction.token(.propertyKey, key.text) else { return .null }
                return frame.transaction.property(token, ofNode: id) ?? .null
            case (.relationship(let id), .string(let key)):
                guard let token = frame.transaction.token(.propertyKey, key.text) else { return .null }
                return frame.transaction.property(token, ofRelationship: id) ?? .null
            case (let list, let index):
                throw GraphError(
                    .typeError, "a value of type \(list.kindName) cannot be indexed by one of type \(index.kindName)")
            }
        }
    }

    private mutating func slice(
        _ list: Expression, _ from: Expression?, _ to: Expression?
    ) throws(GraphError) -> Evaluator {
        let list = try evaluator(list)
        let from: Evaluator = if let from { try evaluator(from) } else { { _, _ in .integer(0) } }
        let to: Evaluator = if let to { try evaluator(to) } else { { _, _ in .integer(.max) } }
        return { frame, row throws(GraphError) in
            switch (try list(frame, row), try from(frame, row), try to(frame, row)) {
            case (.null, _, _), (_, .null, _), (_, _, .null): return .null
            case (.list(let list), .integer(let from), .integer(let to)):
                let count = Int64(list.elements.count)
                let start = min(max(from < 0 ? from + count : from, 0), count)
                let end = min(max(to < 0 ? to + count : to, 0), count)
                return start < end ? .list(Array(list.elements[Int(start)..<Int(end)])) : .list([])
            case (let list, _, _):
                throw GraphError(.typeError, "[..] takes a list and integers, not \(list.kindName)")
            }
        }
    }
}
