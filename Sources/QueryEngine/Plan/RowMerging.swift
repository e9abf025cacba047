internal import Cypher
internal import GraphModel

/// Replaces expansions by walks that meet each node once, where the number of equal rows makes no difference later:
/// before DISTINCT, before aggregates of distinct values.
struct RowMerging {
    private let steps: [Step]
    /// Per step, and after the last, the slots that are needed.
    private let live: [Set<Slot>]
    /// Per step, whether the number of equal rows that it takes makes no difference.
    private let merges: [Bool]

    static func rewrite(_ steps: [Step], needed: Set<Slot>) -> [Step] {
        let rewriter = RowMerging(steps, needed)
        return rewriter.merges.contains(true) ? rewriter.rewritten() : steps
    }

    private init(_ steps: [Step], _ needed: Set<Slot>) {
        self.steps = steps
        live = steps.liveSlots(after: needed)
        var merges = [Bool](repeating: false, count: steps.count + 1)
        for index in steps.indices.reversed() {
            merges[index] = steps[index].ignoresEqualRows ?? (steps[index].isRowByRow && merges[index + 1])
        }
        self.merges = merges
    }

    private func rewritten() -> [Step] {
        var result: [Step] = []
        var index = 0
        while index < steps.count {
            guard var (walk, end) = walk(from: index) else {
                result.append(adapted(steps[index], after: result))
                index += 1
                continue
            }
            // Whole levels after each other: WITH DISTINCT between two patterns.
            while walk.gathers, walk.carriesNothing, end < steps.count, case .distinct(let slots) = steps[end],
                slots == [walk.to]
            {
                end += 1
                guard walk.reach == nil, !walk.hasSeveralLevels, let (next, nextEnd) = self.walk(from: end),
                    next.from == walk.to, next.carriesNothing, next.reach == nil, !next.hasSeveralLevels, next.gathers
                else { continue }
                walk.append(next)
                end = nextEnd
            }
            result.append(.distinctWalk(walk))
            index = end
        }
        return result
    }

    /// A count of distinct nodes right after a walk that gives each once counts rows; so does one of the different values
    /// of a property that identifies nodes.
    private func adapted(_ step: Step, after before: [Step]) -> Step {
        guard case .distinctWalk(let walk)? = before.last, walk.gathers, walk.carriesNothing,
            case .aggregate(let keys, let aggregates) = step, keys.isEmpty
        else { return step }
        return .aggregate(
            keys: keys,
            aggregates: aggregates.map { aggregate in
                guard aggregate.function == .count else { return aggregate }
                if aggregate.argumentSlot == walk.to {
                    return .init(
                        function: .count, argument: nil, argumentSlot: nil, isDistinct: false, slot: aggregate.slot,
                        text: aggregate.text)
                }
                guard aggregate.isDistinct, case .nodeProperty(walk.to, let key)? = aggregate.argument?.shape else {
                    return aggregate
                }
                var result = aggregate
                result.identification = .init(key: key, labels: walk.endLabels)
                return result
            })
    }

    // MARK: Finding walks

    /// The longest walk that begins with a step, and the step after it.
    private func walk(from start: Int) -> (Step.DistinctWalk, end: Int)? {
        guard start < steps.count, case .expand(let first) = steps[start] else { return nil }
        if let reach = reach(first, start) { return (reach, start + 1) }
        var hops: [Step.DistinctWalk.Hop] = []
        var hopOfRelationship: [Slot: [Int]] = [:]
        var produced: Set<Slot> = []
        var from = first.from
        var best: (Step.DistinctWalk, Int)?
        var index = start
        while index < steps.count {
            if case .filter(let predicate, let isLenient) = steps[index] {
                guard !isLenient, let last = hops.indices.last, predicate.slots == [hops[last].slot], predicate.isRepeatable
                else { break }
                hops[last].filters.append(predicate)
            } else if case .expand(let expansion) = steps[index], expansion.from == from, !expansion.isInto,
                expansion.properties.isEmpty, let length = lengths(expansion),
                let comparable = comparable(expansion, hopOfRelationship)
            {
                if expansion.hasSeveralLengths && index > start { break }
                for step in 1...length.upperBound {
                    let position = hops.count
                    let earlier = step == 1 ? comparable : comparable + (position - step + 1..<position)
                    hops.append(
                        .init(
                            direction: expansion.direction, types: expansion.types, comparable: earlier,
                            patternStart: earlier.map { hops[$0].patternStart }.min() ?? position, filters: [], slot: expansion.to,
                            isReported: step >= length.lowerBound))
                    hopOfRelationship[expansion.relationship, default: []].append(position)
                }
                produced.formUnion([expansion.relationship, expansion.to])
                from = expansion.to
            } else {
                break
            }
            index += 1
            let after = live[index]
            // One step for each row is what an expansion does.
            let isWorthIt = hops.count > 1 || after.subtracting([from]).isEmpty
            if merges[index], isWorthIt, after.intersection(produced).isSubset(of: [from]) {
                best = (make(hops, first.from, from, after, start: start, end: index, first), index)
            }
            // Conditions on the end hold for every length: they come after it.
            if first.hasSeveralLengths { break }
        }
        return best
    }

    private func make(
        _ hops: [Step.DistinctWalk.Hop], _ from: Slot, _ to: Slot, _ after: Set<Slot>, start: Int, end: Int,
        _ first: Step.Expansion
    ) -> Step.DistinctWalk {
        var hops = hops
        let several = first.hasSeveralLengths
        if !several { for index in hops.indices { hops[index].isReported = index == hops.count - 1 } }
        let reportsStart = several && first.length?.minimum == 0
        return Step.DistinctWalk(
            from: from, to: to, hops: hops, reportsStart: reportsStart, reach: nil,
            gathers: isGathered(from: end), carriesNothing: after.subtracting([to]).isEmpty)
    }

    /// How many steps an expansion takes; nil for a number without an end or one that is too great for levels.
    private func lengths(_ expansion: Step.Expansion) -> ClosedRange<Int>? {
        guard let length = expansion.length else { return 1...1 }
        guard let maximum = length.maximum, maximum >= 1, maximum <= 12 else { return nil }
        let minimum = length.minimum ?? 1
        guard minimum <= maximum else { return nil }
        return max(minimum, 1)...maximum
    }

    /// The hops whose relationships an expansion's must differ from; nil when some of these are not hops of the walk.
    private func comparable(_ expansion: Step.Expansion, _ hops: [Slot: [Int]]) -> [Int]? {
        var result: [Int] = []
        for other in expansion.unique {
            guard let known = hops[other.slot] else { return nil }
            result += known
        }
        return result.sorted()
    }

    /// An expansion of a variable length that begins with one step or none: then only distances matter. Without a
    /// direction the way back to the start could use a relationship twice.
    private func reach(_ expansion: Step.Expansion, _ index: Int) -> Step.DistinctWalk? {
        guard let length = expansion.length, (length.minimum ?? 1) <= 1, expansion.direction != .both,
            !expansion.isInto, expansion.unique.isEmpty, expansion.properties.isEmpty, merges[index + 1],
            length.maximum ?? 1 >= 1, length.maximum != 1 || length.minimum == 0,
            !live[index + 1].contains(expansion.relationship)
        else { return nil }
        let hop = Step.DistinctWalk.Hop(
            direction: expansion.direction, types: expansion.types, comparable: [], patternStart: 0, filters: [],
            slot: expansion.to, isReported: true)
        return Step.DistinctWalk(
            from: expansion.from, to: expansion.to, hops: [hop], reportsStart: length.minimum == 0,
            reach: length.maximum ?? Int.max, gathers: isGathered(from: index + 1),
            carriesNothing: live[index + 1].subtracting([expansion.to]).isEmpty)
    }

    /// Whether all rows will be asked for: no LIMIT comes before something that gathers them anyway.
    private func isGathered(from index: Int) -> Bool {
        for step in steps[index...] {
            switch step {
            case .limit, .skip: return false
            case .aggregate, .sort, .eager: return true
            default: continue
            }
        }
        return true
    }
}

extension [Step] {
    /// Steps that give the same rows with less work; of a part of a plan, as it is.
    func rewritten(needed: Set<Slot>, _ options: QueryEngine.Options) -> [Step] {
        let steps = inliningProjections()
        return options.mergesRows ? RowMerging.rewrite(steps, needed: needed) : steps
    }
}

extension Step.Expansion {
    fileprivate var hasSeveralLengths: Bool { length.map { ($0.minimum ?? 1) != ($0.maximum ?? Int.max) } ?? false }
}

extension Step.DistinctWalk {
    /// Labels that every end is known to have, by their names' numbers.
    var endLabels: [Int] {
        if hasSeveralLevels || reach != nil { return [] }
        return hops.last?.filters.compactMap(\.label) ?? []
    }

    var hasSeveralLevels: Bool { reportsStart || hops.count(where: \.isReported) > 1 }

    /// Goes on with another walk from the end of this one, of another pattern.
    mutating func append(_ other: Step.DistinctWalk) {
        let offset = hops.count
        for index in hops.indices { hops[index].isReported = false }
        for hop in other.hops {
            var hop = hop
            hop.comparable = hop.comparable.map { $0 + offset }
            hop.patternStart += offset
            hops.append(hop)
        }
        to = other.to
    }
}

extension Step {
    /// Whether the number of equal rows makes no difference to the step; nil when that depends on what follows.
    fileprivate var ignoresEqualRows: Bool? {
        switch self {
        case .distinct: true
        case .aggregate(_, let aggregates):
            aggregates.allSatisfy { $0.isDistinct || $0.function == .min || $0.function == .max }
        default: nil
        }
    }

    /// Whether the step makes of equal rows equal rows, each on its own, without side effects.
    fileprivate var isRowByRow: Bool {
        switch self {
        case .allNodes, .nodesByLabel, .nodesByID, .allRelationships, .relationshipsByID, .indexSeek, .expand, .endpoints,
            .entity, .path, .unwind, .unwindRange, .shortestPath:
            true
        case .filter(let predicate, _): predicate.isRepeatable
        case .project(let items): items.allSatisfy { !$0.expression.isRandom }
        case .optional(let inner, _, _): inner.allSatisfy(\.isRowByRow)
        case .sort(_, _, let limit): limit == nil
        default: false
        }
    }
}

extension CompiledPredicate {
    fileprivate var isRepeatable: Bool { !isRandom }
}
