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
    var steps: [Step] = []
    var scope: Scope
    /// What the last RETURN gives.
    private(set) var columns: [(name: String, slot: Slot)] = []
    /// Whether rows come from reading the graph and have not been gathered since.
    private var readsPending = false
    /// Whether rows hold what was read of entities that a later clause may change.
    private var propertyReadsPending = false
    /// The scope at the end of the last MATCH, elements without a name included.
    var found = Scope()

    var transaction: Transaction { context.transaction }
    var options: QueryEngine.Options { context.options }

    init(_ context: PlanContext, scope: Scope = Scope()) {
        self.context = context
        self.scope = scope
    }

    static func plan(
        _ query: Query, over transaction: Transaction, _ options: QueryEngine.Options
    ) throws(GraphError) -> LogicalPlan {
        let context = PlanContext(query, transaction, options)
        let planner = Planner(context)
        switch query.statement {
        case .schema(let command):
            context.isWrite = true
            planner.steps = [.schema(command)]
        case .query(let body):
            try planner.plan(body)
            planner.answerCountsFromStore()
        }
        let steps = planner.steps.rewritten(needed: Set(planner.columns.map(\.slot)), options)
        return LogicalPlan(steps: steps, columns: planner.columns, isWrite: context.isWrite, context: context)
    }

    /// A procedure that is called without YIELD gives its fields as the result.
    func standAlone(_ columns: [(name: String, slot: Slot)]) { self.columns = columns }

    func fail(_ message: String, at offset: Int) -> GraphError { context.fail(message, at: offset) }

    func compiler() -> ExpressionCompiler { ExpressionCompiler(context, scope) }

    func compile(_ expression: Expression) throws(GraphError) -> Compiled {
        var compiler = compiler()
        return try compiler.compile(expression)
    }

    /// Declares a variable that must be new.
    func declare(_ name: String, _ type: VariableType, at offset: Int) throws(GraphError) -> Slot {
        guard scope.find(name) == nil else { throw fail("Variable `\(name)` already declared", at: offset) }
        let slot = context.slot(type.holding)
        scope.add(Variable(name: name, slot: slot, type: type))
        return slot
    }

    // MARK: Clauses

    /// Plans the clauses of a query or subquery, all branches of a UNION.
    func plan(_ body: QueryBody) throws(GraphError) {
        guard body.branches.count > 1 else { return try plan(body.branches[0]) }
        var branches: [Planner] = []
        for clauses in body.branches {
            let planner = Planner(context, scope: scope)
            try planner.plan(clauses)
            branches.append(planner)
        }
        try adopt(branches, body)
    }

    /// Makes the plans of a query's branches this one's plan: the only one as it is, several as a union.
    func adopt(_ branches: [Planner], _ body: QueryBody) throws(GraphError) {
        let first = branches[0].columns
        if branches.count == 1 {
            steps += branches[0].steps
            columns = first
            return
        }
        for branch in branches {
            let isAlike =
                branch.columns.count == first.count
                && branch.columns.allSatisfy { column in first.contains { codeUnitsEqual($0.name, column.name) } }
            guard isAlike else {
                throw fail("All sub queries in an UNION must have the same column names", at: body.offset)
            }
        }
        func column(_ name: String, _ branch: Planner) -> Slot? {
            branch.columns.first { codeUnitsEqual($0.name, name) }?.slot
        }
        var outputs: [Slot] = []
        for item in first {
            let holdings = Set(branches.compactMap { column(item.name, $0)?.holding })
            let holding = holdings.count == 1 ? item.slot.holding : .value
            outputs.append(context.slot(holding))
            columns.append((item.name, outputs[outputs.count - 1]))
        }
        steps.append(
            .union(
                branches.map { branch in
                    .init(steps: branch.steps, columns: first.compactMap { column($0.name, branch) })
                }, outputs: outputs))
        if body.unionIsDistinct && !outputs.isEmpty { steps.append(.distinct(outputs)) }
    }

    func plan(_ clauses: [Clause]) throws(GraphError) {
        var index = 0
        var wroteBefore = false
        while index < clauses.count {
            let clause = clauses[index]
            index += 1
            let writes = clause.isUpdating
            // All reading of a part ends before its writing starts, and the other way round.
            let isEndangered = readsPending || propertyReadsPending && clause.changesEntities
            if writes != wroteBefore || writes, isEndangered || wroteBefore {
                steps.append(.eager)
                readsPending = false
                propertyReadsPending = false
            }
            wroteBefore = writes
            if writes { context.isWrite = true }
            var filter: Expression?
            if index < clauses.count, case .filter(let condition) = clauses[index].kind {
                filter = condition
                index += 1
            }
            try plan(clause, filter)
            if !writes { noteReads(clause, filter) }
        }
    }

    /// What expressions of a clause read of the graph.
    private func noteReads(_ clause: Clause, _ filter: Expression?) {
        var expressions = [filter].compactMap { $0 }
        switch clause.kind {
        case .with(let projection): expressions += projection.items.map(\.expression) + projection.order.map(\.expression)
        case .unwind(let list, _): expressions.append(list)
        case .filter(let condition): expressions.append(condition)
        default: break
        }
        for expression in expressions {
            if expression.first(where: \.looksAround) != nil { readsPending = true }
            if expression.first(where: \.readsEntities) != nil { propertyReadsPending = true }
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
        case .unwind(let list, let variable): try unwind(list, variable, clause.offset)
        case .with(let projection): _ = try project(projection, clause.offset, filter)
        case .return(let projection): columns = try project(projection, clause.offset, nil, isReturn: true)
        case .create(let parts): try create(parts)
        case .createUnique(let parts): try createUnique(parts)
        case .merge(let part, let onCreate, let onMatch): try merge(part, onCreate, onMatch)
        case .set(let items): steps.append(.update(try updates(items, isRemoval: false)))
        case .remove(let items): steps.append(.update(try updates(items, isRemoval: true)))
        case .delete(let targets, let detach): try delete(targets, detach)
        case .forEach(let variable, let list, let clauses): try forEach(variable, list, clauses)
        case .call(let call):
            try self.call(call)
            readsPending = true
            if let filter { try add(filter: filter) }
        case .subquery(let body, let imports):
            try subquery(body, imports, clause.offset)
            readsPending = true
        }
    }

    func add(filter condition: Expression) throws(GraphError) {
        for condition in condition.conjuncts {
            try refuseAggregates(in: condition)
            var compiler = compiler()
            try compiler.require(condition, .boolean, "WHERE takes a condition")
            steps.append(.filter(try compiler.compilePredicate(condition), isLenient: false))
        }
    }

    func refuseAggregates(in condition: Expression) throws(GraphError) {
        if let aggregate = condition.first(where: \.isAggregate) {
            throw fail("an aggregate cannot stand in WHERE: pass it through WITH", at: aggregate.offset)
        }
    }

    private func unwind(_ list: Expression, _ variable: String, _ offset: Int) throws(GraphError) {
        let slot = context.slot(.value)
        let step: Step
        if case .function("range", false, let bounds) = list.kind, 2...3 ~= bounds.count {
            var compiled: [Compiled] = []
            for bound in bounds { compiled.append(try compile(bound)) }
            step = .unwindRange(compiled, slot)
        } else {
            if let aggregate = list.first(where: \.isAggregate) {
                throw fail("an aggregate cannot stand in UNWIND: pass it through WITH", at: aggregate.offset)
            }
            step = .unwind(try compile(list), slot)
        }
        guard scope.find(variable) == nil else { throw fail("Variable `\(variable)` already declared", at: offset) }
        let types = compiler().elementTypes(of: list)
        steps.append(step)
        scope.add(Variable(name: variable, slot: slot, type: .any, types: types))
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
            steps.append(item.isNode ? .nodesByID(slot, compiled, .start) : .relationshipsByID(slot, compiled))
        case .index(let name, let key, let value):
            steps.append(.startIndex(slot, name: name, key: try compile(key), value: try compile(value)))
        case .indexQuery(let name, let query):
            steps.append(.startIndex(slot, name: name, key: nil, value: try compile(query)))
        }
        scope.add(Variable(name: item.variable, slot: slot, type: type))
    }
}

extension Clause {
    /// Whether it changes entities that were there, rather than only making new ones.
    fileprivate var changesEntities: Bool {
        switch kind {
        case .create: false
        default: isUpdating
        }
    }
}

extension Expression {
    /// Whether it looks for patterns in the graph.
    fileprivate var looksAround: Bool {
        switch kind {
        case .pattern, .patternComprehension, .subquery: true
        default: false
        }
    }

    /// Whether it may read what an entity has.
    fileprivate var readsEntities: Bool {
        switch kind {
        case .property, .subscripted, .hasLabels, .mapProjection: true
        case .function(let name, _, _): ["properties", "keys", "labels"].contains(name)
        default: false
        }
    }
}
