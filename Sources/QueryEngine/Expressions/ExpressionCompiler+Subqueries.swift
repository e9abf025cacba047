internal import Cypher
internal import GraphModel
internal import Storage

// Patterns and subqueries among expressions: plans of their own that run for one row.
extension ExpressionCompiler {
    /// What a plan inside sees: the variables of the row, and those that expressions around it bind.
    private func inside() -> (scope: Scope, locals: [Subplan.Local]) {
        var inner = Scope()
        if unboundMessage == nil {
            for variable in scope.variables { inner.add(variable) }
        }
        // Grouped rows hold variables under new slots.
        for substitution in substitutions {
            guard case .variable(let name) = substitution.expression.kind else { continue }
            let type: VariableType =
                switch substitution.slot.holding {
                case .node: .node
                case .relationship: .relationship
                case .value: scope.find(name)?.type ?? .any
                }
            inner.add(Variable(name: name, slot: substitution.slot, type: type))
        }
        var places: [Subplan.Local] = []
        for local in locals {
            let slot = context.slot(.value)
            places.append(.init(index: local.index, slot: slot))
            inner.add(Variable(name: local.name, slot: slot, type: .any, types: local.types))
        }
        return (inner, places)
    }

    private mutating func subplan(
        _ planner: Planner, needed: [Slot], _ locals: [Subplan.Local]
    ) -> Subplan {
        let subplan = Subplan(planner.steps, needed: Set(needed), locals: locals, context: context)
        slots.formUnion(subplan.imports)
        return subplan
    }

    /// Plans a pattern; its WHERE too.
    private func match(
        _ part: PatternPart, _ predicate: Expression?, mayDeclare: Bool, _ offset: Int
    ) throws(GraphError) -> (planner: Planner, locals: [Subplan.Local]) {
        let (scope, locals) = inside()
        if !mayDeclare {
            for name in part.names where scope.find(name) == nil {
                throw context.fail(
                    context.dialect == .cypher18
                        ? "Unknown identifier `\(name)`" : "Variable `\(name)` not defined: a pattern in an expression cannot introduce it",
                    at: offset)
            }
        }
        let planner = Planner(context, scope: scope)
        try planner.match([part], predicate, isOptional: false, offset, mustConnect: false)
        return (planner, locals)
    }

    /// `(a)-->(b)` as a condition.
    mutating func exists(_ part: PatternPart, _ offset: Int) throws(GraphError) -> Predicate {
        if let test = try connection(part) { return test }
        let (planner, locals) = try match(part, nil, mayDeclare: false, offset)
        return exists(subplan(planner, needed: [], locals))
    }

    /// One relationship, of which only the types are asked for, between nodes that are known, or from one of them to any.
    private mutating func connection(_ part: PatternPart) throws(GraphError) -> Predicate? {
        guard part.shortest == .none, part.pathVariable == nil, part.relationships.count == 1,
            unboundMessage == nil
        else { return nil }
        let relationship = part.relationships[0]
        guard relationship.variable == nil, relationship.length == nil, relationship.properties == nil,
            !relationship.isOptional
        else { return nil }
        var ends: [Slot?] = []
        for node in part.nodes {
            guard node.labels.isEmpty, node.properties == nil, node.expression == nil else { return nil }
            guard let name = node.variable else {
                ends.append(nil)
                continue
            }
            guard !locals.contains(where: { codeUnitsEqual($0.name, name) }), scope.find(name)?.type == .node,
                let slot = try entitySlot(Expression(.variable(name), at: node.offset)), slot.holding == .node
            else { return nil }
            ends.append(slot)
        }
        let types = relationship.types.map { context.references.name(.relationshipType, $0) }
        if let from = ends[0], let to = ends[1] {
            slots.formUnion([from, to])
            let number = context.connection(relationship.direction, types)
            let (a, b) = (from.index, to.index)
            return { frame, row in
                let (x, y) = (frame.batch.columns[a].ids[row], frame.batch.columns[b].ids[row])
                return Truth(frame.connections[number].holds(frame, from: x, to: y))
            }
        }
        guard let known = ends[0] ?? ends[1] else { return nil }
        slots.insert(known)
        let direction = ends[0] == nil ? relationship.direction.reversed : relationship.direction
        let number = context.connection(direction, types)
        let column = known.index
        return { frame, row in
            Truth(frame.connections[number].holds(frame, from: frame.batch.columns[column].ids[row]))
        }
    }

    private func exists(_ subplan: Subplan) -> Predicate {
        { frame, row throws(GraphError) in
            var found = false
            try frame.run(subplan, row) { batch throws(GraphError) in
                found = found || batch.rowCount > 0
                return !found
            }
            return Truth(found)
        }
    }

    mutating func exists(_ body: QueryBody) throws(GraphError) -> Predicate {
        let (planner, locals) = try plan(body)
        return exists(subplan(planner, needed: [], locals))
    }

    private func plan(_ body: QueryBody) throws(GraphError) -> (planner: Planner, locals: [Subplan.Local]) {
        guard !body.isUpdating else {
            throw context.fail("a subquery in an expression only reads", at: body.offset)
        }
        let (scope, locals) = inside()
        let planner = Planner(context, scope: scope)
        try planner.plan(body)
        return (planner, locals)
    }

    mutating func count(_ body: QueryBody) throws(GraphError) -> Evaluator {
        let (planner, locals) = try plan(body)
        let subplan = subplan(planner, needed: planner.columns.map(\.slot), locals)
        return { frame, row throws(GraphError) in
            var count = 0
            try frame.run(subplan, row) { batch throws(GraphError) in
                count += batch.rowCount
                return true
            }
            return .integer(Int64(count))
        }
    }

    mutating func collect(_ body: QueryBody) throws(GraphError) -> Evaluator {
        let (planner, locals) = try plan(body)
        guard planner.columns.count == 1 else {
            throw context.fail("COLLECT takes a subquery that returns one column", at: body.offset)
        }
        return collect(planner.columns[0].slot, subplan(planner, needed: [planner.columns[0].slot], locals))
    }

    private func collect(_ slot: Slot, _ subplan: Subplan) -> Evaluator {
        { frame, row throws(GraphError) in
            var values: [Value] = []
            var byteCount = 0
            try frame.run(subplan, row) { batch throws(GraphError) in
                byteCount = addSaturating(byteCount, batch.byteCount([slot]))
                try frame.requireRoom(forValueOf: byteCount)
                for index in 0..<batch.rowCount { values.append(batch.value(slot, index)) }
                return true
            }
            return try frame.list(values)
        }
    }

    /// A pattern in value position: the list of its paths; a shortest path is one path, or null.
    mutating func paths(_ part: PatternPart, _ offset: Int) throws(GraphError) -> Evaluator {
        if part.shortest == .none, context.dialect == .cypher9 {
            throw context.fail(
                "a pattern is a condition: its paths are listed by [p = \(part.text) | p], counted by COUNT { }", at: offset)
        }
        let name = "  path at \(offset)"
        let named = PatternPart(
            pathVariable: name, shortest: part.shortest, nodes: part.nodes, relationships: part.relationships,
            offset: part.offset)
        var unnamed = part.names
        unnamed.remove(name)
        let (scope, _) = inside()
        for variable in unnamed where scope.find(variable) == nil {
            throw context.fail(
                context.dialect == .cypher18 ? "Unknown identifier `\(variable)`" : "Variable `\(variable)` not defined",
                at: offset)
        }
        let (planner, locals) = try match(named, nil, mayDeclare: true, offset)
        guard let path = planner.everFound(name) else { return { _, _ in .null } }
        let list = collect(path, subplan(planner, needed: [path], locals))
        guard part.shortest == .one else { return list }
        return { frame, row throws(GraphError) in
            guard case .list(let paths) = try list(frame, row) else { return .null }
            return paths.elements.first ?? .null
        }
    }

    mutating func patternComprehension(
        _ part: PatternPart, _ predicate: Expression?, _ result: Expression, _ offset: Int
    ) throws(GraphError) -> Evaluator {
        let (planner, locals) = try match(part, predicate, mayDeclare: true, offset)
        var compiler = planner.compiler()
        let compiled = try compiler.compile(result)
        let slot = context.slot(.value)
        planner.steps.append(.project([(compiled, slot)]))
        return collect(slot, subplan(planner, needed: [slot], locals))
    }
}
