internal import Cypher
internal import GraphModel

extension Planner {
    /// `count(*)` over all nodes, a label or all relationships of a type is known without looking at any of them.
    func answerCountsFromStore() {
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
