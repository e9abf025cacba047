internal import Cypher
internal import GraphModel

extension ExpressionCompiler {
    func wrongCount(_ name: String, _ wanted: String, _ found: Int, _ offset: Int) -> GraphError {
        context.fail("\(name)() takes \(wanted) argument\(wanted == "1" ? "" : "s"), not \(found)", at: offset)
    }

    mutating func function(
        _ name: String, _ distinct: Bool, _ arguments: [Expression], _ expression: Expression
    ) throws(GraphError) -> Evaluator {
        if Expression.aggregateNames.contains(name) { throw misplacedAggregate(expression) }
        if name == "has" || name == "exists" {
            let test = try predicate(expression)
            return { frame, row throws(GraphError) in try test(frame, row).value }
        }
        guard let function = Function.find(name, context.dialect) else {
            throw context.fail("Unknown function '\(name)'", at: expression.offset)
        }
        if expression.isRandom { context.randomCallCount += 1 }
        if distinct {
            throw context.fail("DISTINCT stands only in aggregates, not in \(function.name)()", at: expression.offset)
        }
        guard function.counts.contains(arguments.count) else {
            let (least, most) = (function.counts.lowerBound, function.counts.upperBound)
            let wanted = least == most ? "\(least)" : (most == .max ? "at least \(least)" : "\(least) to \(most)")
            throw wrongCount(function.name, wanted, arguments.count, expression.offset)
        }
        for (index, argument) in arguments.enumerated() {
            let (found, wanted) = (types(of: argument), function.types(ofArgument: index))
            guard found.isDisjoint(with: wanted), !found.isEmpty else { continue }
            if case .variable(let variable) = argument.kind, let type = scope.find(variable)?.type, type != .any {
                throw context.fail(
                    "\(function.name)() cannot take `\(variable)`, which is \(type.text)", at: argument.offset)
            }
            throw context.fail(
                "Type mismatch: \(function.name)() takes \(wanted.text), and this is \(found.text)",
                at: argument.offset)
        }
        var evaluators: [Evaluator] = []
        for argument in arguments { evaluators.append(try evaluator(argument)) }
        switch function.body {
        case .one(let body):
            let argument = evaluators[0]
            return { frame, row throws(GraphError) in try body(frame, try argument(frame, row)) }
        case .two(let body):
            let (a, b) = (evaluators[0], evaluators[1])
            return { frame, row throws(GraphError) in try body(frame, try a(frame, row), try b(frame, row)) }
        case .either(let body, _) where evaluators.count == 1:
            let argument = evaluators[0]
            return { frame, row throws(GraphError) in try body(frame, try argument(frame, row)) }
        case .either(_, let body), .values(let body):
            let arguments = evaluators
            return { frame, row throws(GraphError) in
                var values: [Value] = []
                values.reserveCapacity(arguments.count)
                for argument in arguments { values.append(try argument(frame, row)) }
                return try body(frame, values)
            }
        case .many(let body): return body(evaluators)
        }
    }
}
