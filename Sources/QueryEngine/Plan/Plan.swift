internal import Cypher
internal import GraphModel
internal import Storage

/// A plan that can run: operators with their expressions compiled, shared by all executions.
struct Plan: Sendable {
    let dialect: Dialect
    let operators: [any OperatorPlan]
    let references: References
    let slotCount: Int
    let localCount: Int
    let subplanCount: Int
    let connections: [(direction: Direction, types: [Int])]
    let columns: [(name: String, slot: Slot)]
    let resultLayout: ResultLayout
    let isWrite: Bool
    /// For EXPLAIN and PROFILE.
    let recorded: [PlanRecorder.Node]
    /// Operators that are measured.
    let profiledCount: Int
    let batchRowCount: Int
    /// Whether the operators can serve one execution after the other.
    let isReusable: Bool
    /// Whether it looks up what an index has for given values, and hands on properties: nothing whose cost depends on the
    /// graph but for how many entities have the values.
    let isPointRead: Bool

    init(_ logical: LogicalPlan, _ options: QueryEngine.Options, mode: Query.Mode) {
        batchRowCount = max(1, options.batchRowCount)
        dialect = logical.context.dialect
        columns = logical.columns
        isWrite = logical.isWrite
        let recorder = mode == .run ? nil : PlanRecorder(profiles: mode == .profile)
        operators = PhysicalPlanner(context: logical.context, recorder: recorder).operators(
            logical.steps, needed: Set(logical.columns.map(\.slot)))
        recorded = recorder?.operators ?? []
        profiledCount = mode == .profile ? recorder?.operatorCount ?? 0 : 0
        references = logical.context.references
        slotCount = logical.context.slotCount
        localCount = logical.context.localCount
        subplanCount = logical.context.subplanCount
        connections = logical.context.connections
        resultLayout = ResultLayout(columns.map(\.slot))
        isReusable = operators.allSatisfy(\.isReusable)
        isPointRead = mode == .run && !isWrite && Self.isPointRead(logical.steps)
    }

    private static func isPointRead(_ steps: [Step]) -> Bool {
        guard case .indexSeek(let seek)? = steps.first, case .equal = seek.probe, seek.leading.allSatisfy({ $0.isConstant }) else {
            return false
        }
        return steps.dropFirst().allSatisfy { step in
            guard case .project(let items) = step else { return false }
            return items.allSatisfy { item in if case .other = item.expression.shape { false } else { true } }
        }
    }
}

extension Compiled {
    /// Literals and parameters, and what no call and no list is needed for.
    fileprivate var isConstant: Bool { slots.isEmpty && !text.utf8.contains { $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: "[") } }
}

/// Turns steps into operators. Each carries on only the columns that something after it reads.
struct PhysicalPlanner {
    let context: PlanContext
    /// Set for EXPLAIN and PROFILE.
    var recorder: PlanRecorder?

    func operators(_ steps: [Step], needed: Set<Slot>) -> [any OperatorPlan] {
        // The whole plan's steps are rewritten already; those inside others stay as a profile shows them.
        let steps = steps.rewritten(needed: needed, context.options)
        let live = steps.liveSlots(after: needed)
        var result: [any OperatorPlan] = []
        var index = 0
        recorder?.beginPlan()
        defer { recorder?.endPlan() }
        while index < steps.count {
            // Whoever looks at a plan sees each step on its own.
            if recorder == nil, let fused = intersection(steps, live, index) {
                result.append(fused)
                index += 2
                continue
            }
            let after = live[index + 1]
            let carried = Self.sorted(after.subtracting(steps[index].writes))
            if let recorder {
                let number = recorder.beginOperator()
                let plan = make(steps[index], after, carried: carried)
                recorder.endOperator(number, steps[index].text)
                result.append(
                    recorder.profiles
                        ? ProfiledPlan(plan: plan, number: number, readsRows: steps[index].readsRows) : plan)
            } else {
                result.append(make(steps[index], after, carried: carried))
            }
            index += 1
        }
        return result
    }

    /// An expansion and the one after it that closes a triangle with what it has found, as one.
    private func intersection(_ steps: [Step], _ live: [Set<Slot>], _ index: Int) -> (any OperatorPlan)? {
        guard index + 1 < steps.count, case .expand(let first) = steps[index], first.length == nil, !first.isInto,
            case .expand(let closing) = steps[index + 1], closing.length == nil, closing.isInto
        else { return nil }
        let after = live[index + 2]
        guard closing.from == first.to || closing.to == first.to, closing.from != closing.to,
            !after.contains(first.relationship), !after.contains(closing.relationship)
        else { return nil }
        let carried = Self.sorted(after.subtracting([first.to]))
        return ExpandIntersectPlan(
            expansion: first, types: first.types.map { context.references.name(.relationshipType, $0) },
            closing: closing, closingTypes: closing.types.map { context.references.name(.relationshipType, $0) },
            isEndNeeded: after.contains(first.to), carried: carried, inputs: Self.sorted(live[index]),
            plain: (index...index + 1).map { step in
                make(
                    steps[step], live[step + 1], carried: Self.sorted(live[step + 1].subtracting(steps[step].writes)))
            })
    }

    private static func sorted(_ slots: Set<Slot>) -> [Slot] { slots.sorted { $0.index < $1.index } }

    private func make(_ step: Step, _ after: Set<Slot>, carried: [Slot]) -> any OperatorPlan {
        let all = Self.sorted(after)
        switch step {
        case .allNodes(let slot): return ScanPlan(slot: slot, name: nil, carried: carried)
        case .nodesByLabel(let slot, let label):
            return ScanPlan(slot: slot, name: context.references.name(.label, label), carried: carried)
        case .allRelationships(let slot): return ScanPlan(slot: slot, name: nil, carried: carried)
        case .nodesByID(let slot, let ids, let mode):
            return IDSeekPlan(slot: slot, ids: ids.evaluate, mode: mode, carried: carried)
        case .relationshipsByID(let slot, let ids):
            return IDSeekPlan(slot: slot, ids: ids.evaluate, mode: .start, carried: carried)
        case .indexSeek(let seek):
            return IndexSeekPlan(
                seek: seek,
                name: context.references.name(seek.slot.holding == .node ? .label : .relationshipType, seek.name),
                keys: seek.keys.map { context.references.name(.propertyKey, $0) }, carried: carried)
        case .expand(let expansion): return expand(expansion, after, carried)
        case .distinctWalk(let walk):
            return DistinctWalkPlan(
                from: walk.from, to: walk.to,
                hops: walk.hops.map { hop in
                    .init(
                        direction: hop.direction, types: hop.types.map { context.references.name(.relationshipType, $0) },
                        patternStart: hop.patternStart, comparable: hop.comparable, filters: hop.filters,
                        slot: hop.slot, isReported: hop.isReported)
                },
                reportsStart: walk.reportsStart, reach: walk.reach.map { .init(maximum: $0) }, gathers: walk.gathers,
                isEndNeeded: after.contains(walk.to), carried: carried)
        case .endpoints(let ends):
            return EndpointsPlan(
                ends: ends, types: ends.types.map { context.references.name(.relationshipType, $0) }, carried: carried)
        case .entity(let from, let to): return EntityPlan(from: from, to: to)
        case .filter(let predicate, let isLenient):
            return FilterPlan(predicate: predicate, isLenient: isLenient, slots: all)
        case .path(let slot, let shape): return PathPlan(slot: slot, shape: shape)
        case .optional(let inner, let nulls, let row):
            let innerNeeded = after.intersection(nulls).union([row])
            let inside = inner.liveSlots(after: innerNeeded).first ?? []
            return OptionalPlan(
                inner: operators(inner, needed: innerNeeded), row: row, inside: Self.sorted(inside.subtracting([row])),
                carried: carried, nulls: nulls.filter { after.contains($0) })
        case .unwind(let list, let slot): return UnwindPlan(list: list.evaluate, slot: slot, carried: carried)
        case .unwindRange(let bounds, let slot):
            return UnwindRangePlan(bounds: bounds.map(\.evaluate), slot: slot, carried: carried)
        case .project(let items): return ProjectPlan(items: items)
        case .aggregate(let keys, let aggregates): return AggregatePlan(keys: keys, aggregates: aggregates)
        case .distinct(let slots): return DistinctPlan(keys: slots, slots: all)
        case .sort(let keys, let skip, let limit):
            return SortPlan(
                keys: keys, skip: skip?.evaluate, limit: limit?.evaluate,
                slots: Self.sorted(after.union(keys.map(\.slot))), carried: all)
        case .skip(let count): return SkipPlan(count: count.evaluate, slots: all)
        case .limit(let count): return LimitPlan(count: count.evaluate, slots: all)
        case .eager: return EagerPlan(slots: all)
        case .create(let creations):
            if creations.count == 1, let each = CreateEachPlan(creations[0], carried: carried) { return each }
            return CreatePlan(creations: creations)
        case .update(let updates): return UpdatePlan(updates: updates)
        case .delete(let targets, let detach): return DeletePlan(targets: targets.map(\.evaluate), detaches: detach)
        case .count(let count, let slots): return StoredCountPlan(count: count, slots: slots)
        case .apply(let inner, let outputs, let isUnit):
            let needed = outputs.filter { after.contains($0) }
            return ApplyPlan(
                subplan: Subplan(inner, needed: Set(needed), context: context, recorder: recorder), outputs: needed, isUnit: isUnit,
                carried: carried)
        case .union(let branches, let outputs):
            return UnionPlan(
                branches: branches.map {
                    .init(subplan: Subplan($0.steps, needed: Set($0.columns), context: context, recorder: recorder), columns: $0.columns)
                }, outputs: outputs, carried: carried)
        case .merge(let merge):
            let updates = (merge.onCreate + merge.onMatch).reduce(into: Set<Slot>()) { $0.formUnion($1.reads) }
            let wanted = merge.creations.reduce(into: updates) { $0.formUnion($1.reads) }
            return MergePlan(
                match: Subplan(merge.match, needed: Set(merge.produced), context: context, recorder: recorder), creations: merge.creations,
                onCreate: merge.onCreate, onMatch: merge.onMatch, produced: merge.produced,
                carried: Self.sorted(after.union(wanted).subtracting(merge.produced)))
        case .createUnique(let pattern): return CreateUniquePlan(pattern: pattern)
        case .forEach(let list, let element, let inner):
            return ForEachPlan(
                list: list.evaluate, element: element, subplan: Subplan(inner, needed: [], context: context, recorder: recorder))
        case .call(let call):
            return CallPlan(
                procedure: call.procedure, arguments: call.arguments.map(\.evaluate), outputs: call.outputs,
                isUnit: call.isUnit, carried: carried)
        case .shortestPath(let step):
            return ShortestPathPlan(
                step: step, types: step.types.map { context.references.name(.relationshipType, $0) }, carried: carried)
        case .schema(let command): return SchemaChangePlan(command: command)
        case .startIndex(let slot, let name, let key, let value):
            return StartIndexPlan(slot: slot, name: name, key: key?.evaluate, value: value.evaluate, carried: carried)
        }
    }

    private func expand(_ expansion: Step.Expansion, _ after: Set<Slot>, _ carried: [Slot]) -> any OperatorPlan {
        let types = expansion.types.map { context.references.name(.relationshipType, $0) }
        let isRelationshipNeeded = after.contains(expansion.relationship)
        if expansion.length != nil {
            return VariableLengthExpandPlan(
                expansion: expansion, types: types, isRelationshipNeeded: isRelationshipNeeded,
                isEndNeeded: after.contains(expansion.to),
                properties: expansion.properties.map {
                    (context.references.name(.propertyKey, $0.key), $0.value.evaluate)
                },
                carried: carried.filter { $0 != expansion.to })
        }
        if expansion.isInto {
            return ExpandIntoPlan(
                expansion: expansion, types: types, isRelationshipNeeded: isRelationshipNeeded, carried: carried)
        }
        return ExpandPlan(
            expansion: expansion, types: types, isRelationshipNeeded: isRelationshipNeeded,
            isEndNeeded: after.contains(expansion.to), carried: carried)
    }
}
