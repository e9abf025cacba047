internal import Cypher
internal import GraphModel

extension Planner {
    private struct Item {
        let expression: Expression
        let name: String
        let offset: Int
    }

    /// Plans WITH or RETURN: computes the items, makes them the scope, and gives them back as columns.
    /// The WHERE behind a WITH sees the new variables, and where rows are not grouped those of before as well.
    func project(
        _ projection: Projection, _ offset: Int, _ filter: Expression?, isReturn: Bool = false
    ) throws(GraphError) -> [(name: String, slot: Slot)] {
        var items: [Item] = []
        if projection.includesAll {
            let visible = scope.visible
            guard !visible.isEmpty || !projection.items.isEmpty || !isReturn else {
                throw fail("RETURN * needs at least one variable in scope", at: offset)
            }
            items = visible.map {
                Item(expression: Expression(.variable($0.name), at: offset), name: $0.name, offset: offset)
            }
        }
        for item in projection.items {
            items.append(Item(expression: item.expression, name: item.name, offset: item.expression.offset))
        }
        if context.dialect == .cypher9 {
            for (index, item) in items.enumerated()
            where items[..<index].contains(where: { codeUnitsEqual($0.name, item.name) }) {
                throw fail(
                    "Multiple result columns with the same name are not supported: `\(item.name)`", at: item.offset)
            }
        }
        let aggregates = items.contains { $0.expression.containsAggregate }
        let outer = scope
        let columns = aggregates ? try aggregate(items, projection.order.map(\.expression)) : try compute(items)
        var inner = Scope()
        for column in columns.variables { inner.add(column) }
        if projection.isDistinct { steps.append(.distinct(columns.variables.map(\.slot))) }
        // After grouping only the items are left; else the variables of before can still be sorted by.
        scope = inner
        if !aggregates && !projection.isDistinct {
            var both = outer
            for column in columns.variables { both.add(column) }
            scope = both
        }
        // An alias that was another variable's name before hides that one: what was computed from it is not meant.
        let rebound = items.filter { item in
            if case .variable(let name) = item.expression.kind, codeUnitsEqual(name, item.name) { return false }
            return outer.find(item.name) != nil
        }.map(\.name)
        let substitutions =
            (columns.substitutions + zip(items, columns.variables).map { ($0.expression, $1.slot) })
            .filter { substitution in
                rebound.isEmpty || aggregates || substitution.expression.variables.isDisjoint(with: rebound)
            }
        try order(projection, substitutions)
        if let filter {
            for condition in filter.conjuncts {
                try refuseAggregates(in: condition)
                var compiler = compiler()
                compiler.substitutions = substitutions.filter { !$0.expression.isVariable }
                steps.append(.filter(try compiler.compilePredicate(condition), isLenient: false))
            }
        }
        scope = inner
        return columns.variables.map { ($0.name, $0.slot) }
    }

    private typealias Projected = (variables: [Variable], substitutions: [(expression: Expression, slot: Slot)])

    private func compute(_ items: [Item]) throws(GraphError) -> Projected {
        var variables: [Variable] = []
        var computed: [(expression: Compiled, slot: Slot)] = []
        for item in items {
            if case .variable(let name) = item.expression.kind {
                let known = try compiler().variable(name, item.offset)
                variables.append(Variable(name: item.name, slot: known.slot, type: known.type, types: known.types))
                continue
            }
            let slot = context.slot(.value)
            computed.append((try compile(item.expression), slot))
            variables.append(
                Variable(name: item.name, slot: slot, type: .any, types: compiler().types(of: item.expression)))
        }
        if !computed.isEmpty { steps.append(.project(computed)) }
        return (variables, [])
    }

    /// Items without an aggregate are the grouping key; what is computed from aggregates follows after the grouping.
    private func aggregate(_ items: [Item], _ order: [Expression]) throws(GraphError) -> Projected {
        var keys: [(expression: Compiled, slot: Slot)] = []
        var aggregates: [Step.Aggregate] = []
        var substitutions: [(expression: Expression, slot: Slot)] = []
        var variables: [Variable?] = []
        for item in items {
            guard !item.expression.containsAggregate else {
                variables.append(nil)
                continue
            }
            var type = VariableType.any
            if case .variable(let name) = item.expression.kind {
                type = try compiler().variable(name, item.offset).type
            }
            let slot = context.slot(type.holding)
            keys.append((try compile(item.expression), slot))
            substitutions.append((item.expression, slot))
            variables.append(Variable(name: item.name, slot: slot, type: type))
        }
        // openCypher sorts only by aggregates that are projected as well.
        for expression in items.map(\.expression) + (context.dialect == .cypher18 ? order : []) {
            try collectAggregates(expression, &aggregates, &substitutions)
        }
        steps.append(.aggregate(keys: keys, aggregates: aggregates))
        var computed: [(expression: Compiled, slot: Slot)] = []
        for (index, item) in items.enumerated() where variables[index] == nil {
            if let slot = substitutions.first(where: { $0.expression.isSame(as: item.expression) })?.slot {
                variables[index] = Variable(name: item.name, slot: slot, type: .any)
                continue
            }
            var compiler = compiler()
            // A grouping key stands for itself only where it is simple: a.x + count(*) is clear, a.x + b.x + count(*) is not.
            compiler.substitutions = substitutions.filter { $0.expression.isAggregate || $0.expression.isSimple }
            compiler.unboundMessage = { "`\($0)` stands beside an aggregate: make it an item of its own to group by" }
            let slot = context.slot(.value)
            computed.append((try compiler.compile(item.expression), slot))
            variables[index] = Variable(name: item.name, slot: slot, type: .any)
        }
        if !computed.isEmpty { steps.append(.project(computed)) }
        return (variables.compactMap { $0 }, substitutions)
    }

    private func collectAggregates(
        _ expression: Expression, _ aggregates: inout [Step.Aggregate],
        _ substitutions: inout [(expression: Expression, slot: Slot)]
    ) throws(GraphError) {
        guard expression.isAggregate else {
            try refuseAggregatesInside(expression)
            for child in expression.children { try collectAggregates(child, &aggregates, &substitutions) }
            return
        }
        if substitutions.contains(where: { $0.expression.isSame(as: expression) }) { return }
        let slot = context.slot(.value)
        var argument: Compiled?
        var argumentSlot: Slot?
        var function = Step.Aggregate.Function.count
        var isDistinct = false
        var parameter: Compiled?
        if case .function(let name, let distinct, let arguments) = expression.kind {
            let count = name.hasPrefix("percentile") ? 2 : 1
            guard let known = Step.Aggregate.Function(rawValue: name), arguments.count == count else {
                throw compiler().wrongCount(name, "\(count)", arguments.count, expression.offset)
            }
            if count == 2 { parameter = try compile(arguments[1]) }
            if let random = arguments[0].first(where: \.isRandom) {
                throw fail("what is aggregated cannot be random: pass it through WITH", at: random.offset)
            }
            function = known
            isDistinct = distinct
            var compiler = compiler()
            argument = try compiler.compile(arguments[0])
            if case .variable(let variable) = arguments[0].kind { argumentSlot = scope.find(variable)?.slot }
        }
        aggregates.append(
            Step.Aggregate(
                function: function, argument: argument, argumentSlot: argumentSlot, isDistinct: isDistinct,
                parameter: parameter, slot: slot,
                text: expression.text))
        substitutions.append((expression, slot))
    }

    /// What a comprehension does for each element cannot aggregate; its list can.
    private func refuseAggregatesInside(_ expression: Expression) throws(GraphError) {
        let inside: [Expression?]
        switch expression.kind {
        case .listComprehension(_, _, let predicate, let result): inside = [predicate, result]
        case .quantifier(_, _, _, let predicate): inside = [predicate]
        case .reduce(_, _, _, _, let result): inside = [result]
        case .patternComprehension(_, let predicate, let result): inside = [predicate, result]
        default: return
        }
        for part in inside {
            if let aggregate = part?.first(where: \.isAggregate) { throw compiler().misplacedAggregate(aggregate) }
        }
    }

    // MARK: ORDER BY, SKIP, LIMIT

    private func order(
        _ projection: Projection, _ substitutions: [(expression: Expression, slot: Slot)]
    ) throws(GraphError) {
        let skip = try rowCount(projection.skip)
        let limit = try rowCount(projection.limit)
        if !projection.order.isEmpty {
            var keys: [Step.SortKey] = []
            var computed: [(expression: Compiled, slot: Slot)] = []
            for item in projection.order {
                let (expression, isDescending) = (item.expression, item.isDescending)
                var compiler = compiler()
                // An alias shadows: ORDER BY n means the new n, also where the old n was an item.
                if case .variable(let name) = expression.kind, scope.find(name) != nil {
                } else {
                    compiler.substitutions = substitutions
                }
                if context.dialect == .cypher18, case .variable(let name) = expression.kind,
                    let type = scope.find(name)?.type, type != .any
                {
                    throw fail(
                        "cannot sort by `\(name)`, which is \(type.text): sort by its properties", at: expression.offset
                    )
                }
                let compiled = try compiler.compile(expression)
                if compiled.slots.count == 1, let slot = compiled.slots.first,
                    compiler.substitution(expression) != nil || expression.isVariable
                {
                    keys.append(Step.SortKey(slot: slot, isDescending: isDescending, text: compiled.text))
                    continue
                }
                let slot = context.slot(.value)
                computed.append((compiled, slot))
                keys.append(Step.SortKey(slot: slot, isDescending: isDescending, text: compiled.text))
            }
            if !computed.isEmpty { steps.append(.project(computed)) }
            steps.append(.sort(keys, skip: limit == nil ? nil : skip, limit: limit))
        }
        if let skip { steps.append(.skip(skip)) }
        if let limit { steps.append(.limit(limit)) }
    }

    /// The number after SKIP or LIMIT: it cannot depend on a row.
    private func rowCount(_ expression: Expression?) throws(GraphError) -> Compiled? {
        guard let expression else { return nil }
        var compiler = ExpressionCompiler(context, Scope())
        compiler.unboundMessage = { _ in "SKIP and LIMIT take a number or a parameter, not a variable" }
        let isWrong: Bool =
            switch expression.kind {
            case .literal(.integer(let number)): number < 0
            case .literal, .negate, .list, .map: true
            default: false
            }
        if isWrong { throw fail("SKIP and LIMIT take a whole number that is not negative", at: expression.offset) }
        return try compiler.compile(expression)
    }
}

extension Expression {
    /// Whether it calls a function that gives another value each time.
    var isRandom: Bool {
        if case .function(let name, _, _) = kind { name == "rand" || name == "randomuuid" } else { false }
    }

    /// A variable, or a property of one.
    fileprivate var isSimple: Bool {
        switch kind {
        case .variable: true
        case .property(let entity, _, _): entity.isVariable
        default: false
        }
    }
}
