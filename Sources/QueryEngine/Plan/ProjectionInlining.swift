internal import Cypher
internal import GraphModel

extension [Step] {
    /// Lets an aggregation read properties of nodes itself where a projection before it does nothing else: `WITH n.age AS
    /// age RETURN age, count(age)` groups columns of integers then, and makes no values.
    func inliningProjections() -> [Step] {
        var result: [Step] = []
        for step in self {
            guard case .aggregate(let keys, let aggregates) = step, case .project(let items)? = result.last,
                let inlined = Self.inline(items, keys, aggregates)
            else {
                result.append(step)
                continue
            }
            result.removeLast()
            result.append(inlined)
        }
        return result
    }

    private static func inline(
        _ items: [(expression: Compiled, slot: Slot)], _ keys: [(expression: Compiled, slot: Slot)],
        _ aggregates: [Step.Aggregate]
    ) -> Step? {
        var known: [Slot: Compiled] = [:]
        for item in items {
            guard case .nodeProperty = item.expression.shape else { return nil }
            known[item.slot] = item.expression
        }
        /// The expression with what it reads of the projection replaced; nil when that cannot be.
        func replaced(_ expression: Compiled) -> Compiled? {
            if expression.slots.isDisjoint(with: known.keys) { return expression }
            if case .slot(let slot) = expression.shape { return known[slot] }
            return nil
        }
        var newKeys: [(expression: Compiled, slot: Slot)] = []
        for key in keys {
            guard let expression = replaced(key.expression) else { return nil }
            newKeys.append((expression, key.slot))
        }
        var newAggregates: [Step.Aggregate] = []
        for aggregate in aggregates {
            if let parameter = aggregate.parameter, !parameter.slots.isDisjoint(with: known.keys) { return nil }
            var argument: Compiled?
            if let old = aggregate.argument {
                guard let new = replaced(old) else { return nil }
                argument = new
            }
            newAggregates.append(
                .init(
                    function: aggregate.function, argument: argument,
                    argumentSlot: aggregate.argumentSlot.flatMap { known[$0] == nil ? $0 : nil },
                    isDistinct: aggregate.isDistinct, parameter: aggregate.parameter, slot: aggregate.slot,
                    text: aggregate.text))
        }
        return .aggregate(keys: newKeys, aggregates: newAggregates)
    }
}
