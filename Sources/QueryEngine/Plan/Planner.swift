internal import Cypher
internal import GraphModel
internal import Storage

/// A finished logical plan.
struct LogicalPlan {
    var steps: [Step]
    var columns: [(name: String, slot: Slot)]
    var isWrite: Bool
    let context: PlanContext
}

/// Checks a query and turns its clauses into steps, in order. Reads only counts from the transaction.
final class Planner {
    let context: PlanContext
    let transaction: Transaction
    let options: QueryEngine.Options
    var steps: [Step] = []
    var scope = Scope()
    private var columns: [(name: String, slot: Slot)] = []
    private var isWrite = false
    /// Whether rows come from reading the graph and have not been gathered since.
    private var readsPending = false

    private init(_ query: Query, _ transaction: Transaction, _ options: QueryEngine.Options) {
        context = PlanContext(query)
        self.transaction = transaction
        self.options = options
    }

    static func plan(
        _ query: Query, over transaction: Transaction, _ options: QueryEngine.Options
    ) throws(GraphError) -> LogicalPlan {
        let planner = Planner(query, transaction, options)
        try planner.plan(query.clauses)
        planner.answerCountsFromStore()
        var steps = planner.steps.inliningProjections()
        if options.mergesRows { steps = RowMerging.rewrite(steps, needed: Set(planner.columns.map(\.slot))) }
        return LogicalPlan(
            steps: steps, columns: planner.columns, isWrite: planner.isWrite, context: planner.context)
    }

    func fail(_ message: String, at offset: Int) -> GraphError { context.fail(message, at: offset) }

    func compiler() -> ExpressionCompiler { ExpressionCompiler(context, scope) }

    func compile(_ expression: Expression) throws(GraphError) -> Compiled {
        var compiler = compiler()
        return try compiler.compile(expression)
    }

    private func plan(_ clauses: [Clause]) throws(GraphError) {
        var index = 0
        var wroteBefore = false
        while index < clauses.count {
            let clause = clauses[index]
            index += 1
            let writes = clause.writes
            // All reading of a part ends before its writing starts, and the other way round.
            if writes != wroteBefore || writes, readsPending || wroteBefore {
                steps.append(.eager)
                readsPending = false
            }
            wroteBefore = writes
            isWrite = isWrite || writes
            var filter: Expression?
            if index < clauses.count, case .filter(let condition) = clauses[index].kind {
                filter = condition
                index += 1
            }
            try plan(clause, filter)
        }
    }

    private func plan(_ clause: Clause, _ filter: Expression?) throws(GraphError) {
        switch clause.kind {
        case .start(let items):
            for item in items { try plan(item) }
            readsPending = true
            if let filter { try add(filter: filter) }
        case .match(let parts, let optional):
            try match(parts, filter, isOptional: optional, clause.offset)
            readsPending = true
        case .filter(let condition): try add(filter: condition)
        case .unwind(let list, let variable):
            let slot = context.slot(.value)
            let step: Step
            if case .function("range", false, let bounds) = list.kind, 2...3 ~= bounds.count {
                var compiled: [Compiled] = []
                for bound in bounds { compiled.append(try compile(bound)) }
                step = .unwindRange(compiled, slot)
            } else {
                step = .unwind(try compile(list), slot)
            }
            guard scope.find(variable) == nil else {
                throw fail("Variable `\(variable)` already declared", at: clause.offset)
            }
            steps.append(step)
            scope.add(Variable(name: variable, slot: slot, type: .any))
        case .with(let projection):
            _ = try project(projection, clause.offset)
            if let filter { try add(filter: filter) }
        case .return(let projection): columns = try project(projection, clause.offset)
        case .create(let parts): try create(parts)
        case .set(let items): try update(items, isRemoval: false)
        case .remove(let items): try update(items, isRemoval: true)
        case .delete(let targets, let detach): try delete(targets, detach)
        }
    }

    private func add(filter condition: Expression) throws(GraphError) {
        for condition in condition.conjuncts {
            if let aggregate = condition.first(where: \.isAggregate) {
                throw fail("an aggregate cannot stand in WHERE: pass it through WITH", at: aggregate.offset)
            }
            var compiler = compiler()
            steps.append(.filter(try compiler.compilePredicate(condition), isLenient: false))
        }
    }

    // MARK: START

    private func plan(_ item: StartItem) throws(GraphError) {
        guard scope.find(item.variable) == nil else {
            throw fail("`\(item.variable)` is declared already", at: item.offset)
        }
        let type: VariableType = item.isNode ? .node : .relationship
        let slot = context.slot(type.holding)
        switch item.source {
        case .all: steps.append(item.isNode ? .allNodes(slot) : .allRelationships(slot))
        case .ids(let ids):
            let compiled = try compile(ids)
            steps.append(item.isNode ? .nodesByID(slot, compiled, isSeek: false) : .relationshipsByID(slot, compiled))
        case .index(let name, _, _), .indexQuery(let name, _):
            throw fail("START from the index `\(name)` is not supported yet: there are no indexes", at: item.offset)
        }
        scope.add(Variable(name: item.variable, slot: slot, type: type))
    }

    // MARK: Counts

    /// `count(*)` over all nodes, a label or all relationships of a type is known without looking at any of them.
    private func answerCountsFromStore() {
        for index in steps.indices {
            guard case .aggregate(let keys, let aggregates) = steps[index], keys.isEmpty,
                let found = countableSource(before: index)
            else { continue }
            guard
                aggregates.allSatisfy({ aggregate in
                    aggregate.function == .count
                        && (aggregate.argument == nil
                            || aggregate.argumentSlot.map { found.slots.contains($0) } ?? false)
                })
            else { return }
            steps.replaceSubrange(found.range, with: [.count(found.count, aggregates.map(\.slot))])
            return
        }
    }

    /// What the steps before an aggregation count, when they are the whole beginning of the plan.
    private func countableSource(before end: Int) -> (range: ClosedRange<Int>, count: Step.StoredCount, slots: [Slot])?
    {
        switch end {
        case 1:
            switch steps[0] {
            case .allNodes(let slot): return (0...1, .nodes(label: nil), [slot])
            case .nodesByLabel(let slot, let label): return (0...1, .nodes(label: label), [slot])
            case .allRelationships(let slot): return (0...1, .relationships(type: nil), [slot])
            default: return nil
            }
        case 2:
            guard case .allNodes = steps[0], case .expand(let expansion) = steps[1], expansion.length == nil,
                !expansion.isInto, expansion.direction != .both, expansion.types.count <= 1
            else { return nil }
            return (0...2, .relationships(type: expansion.types.first), [expansion.relationship])
        default: return nil
        }
    }
}

extension Clause {
    var writes: Bool {
        switch kind {
        case .create, .set, .remove, .delete: true
        case .start, .match, .filter, .with, .unwind, .return: false
        }
    }
}

extension Expression {
    /// The parts that AND joins, in the order they are written.
    var conjuncts: [Expression] {
        if case .and(let left, let right) = kind { return left.conjuncts + right.conjuncts }
        return [self]
    }
}
