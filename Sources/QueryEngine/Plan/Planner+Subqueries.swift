internal import Cypher
internal import GraphModel

extension Planner {
    // MARK: CALL { … }

    /// Plans a subquery that runs for each row. It sees the variables that its leading WITH, or the list before its
    /// brace, imports.
    func subquery(_ body: QueryBody, _ imports: [String]?, _ offset: Int) throws(GraphError) {
        var inside = Scope()
        if let imports {
            for name in imports where name != "*" {
                inside.add(try compiler().variable(name, offset))
            }
            if imports == ["*"] { inside = visibleScope }
        }
        let inner = Planner(context, scope: inside)
        if imports == nil {
            try inner.planImporting(body, from: visibleScope)
        } else {
            try inner.plan(body)
        }
        var outputs: [Slot] = []
        for column in inner.columns {
            guard scope.find(column.name) == nil else {
                throw fail("Variable `\(column.name)` already declared in outer scope", at: offset)
            }
            outputs.append(column.slot)
        }
        // A plain column that was imported keeps its slot outside; what comes out needs one of its own.
        var renamed: [Slot] = []
        for (index, column) in inner.columns.enumerated() {
            let slot = context.slot(outputs[index].holding)
            renamed.append(slot)
            let type: VariableType =
                switch slot.holding {
                case .node: .node
                case .relationship: .relationship
                case .value: .any
                }
            scope.add(Variable(name: column.name, slot: slot, type: type))
        }
        let steps = [Step.union([.init(steps: inner.steps, columns: outputs)], outputs: renamed)]
        self.steps.append(.apply(steps, outputs: renamed, isUnit: renamed.isEmpty))
    }

    private var visibleScope: Scope {
        var result = Scope()
        for variable in scope.visible { result.add(variable) }
        return result
    }

    /// Each branch that begins with WITH imports what that names.
    private func planImporting(_ body: QueryBody, from around: Scope) throws(GraphError) {
        var branches: [Planner] = []
        for clauses in body.branches {
            var scope = Scope()
            if case .with(let projection) = clauses[0].kind {
                let isPlain =
                    projection.items.allSatisfy { $0.expression.isVariable && !$0.hasAlias } && projection.order.isEmpty
                    && projection.skip == nil && projection.limit == nil && !projection.isDistinct
                guard isPlain else {
                    throw fail(
                        "the WITH that begins a subquery only lists the variables it imports", at: clauses[0].offset)
                }
                scope = around
            }
            let planner = Planner(context, scope: scope)
            try planner.plan(clauses)
            branches.append(planner)
        }
        try adopt(branches, body)
    }

    // MARK: FOREACH

    func forEach(_ variable: String, _ list: Expression, _ clauses: [Clause]) throws(GraphError) {
        let list = try compile(list)
        let inner = Planner(context, scope: scope)
        let element = context.slot(.value)
        inner.scope.add(Variable(name: variable, slot: element, type: .any))
        for clause in clauses {
            if context.dialect == .cypher18, case .create(let parts) = clause.kind,
                let named = parts.first(where: { $0.pathVariable != nil })
            {
                throw fail("a path cannot be named inside FOREACH", at: named.offset)
            }
        }
        try inner.plan(clauses)
        // Writing never waits for the whole list: each element sees what the one before it did.
        let steps = inner.steps.filter { if case .eager = $0 { false } else { true } }
        self.steps.append(.forEach(list, element: element, steps))
    }

    // MARK: CALL of procedures

    func call(_ call: ProcedureCall) throws(GraphError) {
        guard let procedure = Procedure.find(call.name) else {
            throw GraphError.syntax(
                "There is no procedure with the name `\(call.name)`: SHOW PROCEDURES lists them", at: call.offset,
                in: context.source, code: .procedureNotFound)
        }
        var arguments: [Compiled] = []
        if let given = call.arguments {
            guard procedure.argumentCounts.contains(given.count) else {
                throw fail(
                    "`\(procedure.name)` takes \(procedure.argumentCounts.lowerBound) to \(procedure.argumentCounts.upperBound) arguments, not \(given.count): \(procedure.signature)",
                    at: call.offset)
            }
            for argument in given {
                if argument.containsAggregate {
                    throw fail("an aggregate cannot be the argument of a procedure", at: argument.offset)
                }
                arguments.append(try compile(argument))
            }
        } else {
            for name in procedure.parameters { arguments.append(try compile(Expression(.parameter(name), at: call.offset))) }
        }
        var outputs: [(field: Int, slot: Slot)] = []
        if let yields = call.yields, !yields.isEmpty {
            for yield in yields {
                guard let field = procedure.fields.firstIndex(of: yield.field) else {
                    throw fail("`\(procedure.name)` gives no field `\(yield.field)`: \(procedure.signature)", at: yield.offset)
                }
                outputs.append((field, try declare(yield.variable, .any, at: yield.offset)))
            }
        } else {
            for (index, field) in procedure.fields.enumerated() {
                outputs.append((index, try declare(field, .any, at: call.offset)))
            }
        }
        if procedure.isWrite { context.isWrite = true }
        steps.append(
            .call(.init(procedure: procedure, arguments: arguments, outputs: outputs, isUnit: procedure.fields.isEmpty)))
        if call.yields == nil { standAlone(outputs.map { (procedure.fields[$0.field], $0.slot) }) }
    }
}
