internal import Cypher
internal import GraphModel

// What each step reads and writes, and which columns are alive between steps.
extension Step {
    /// Slots that the step needs from the rows it takes.
    var reads: Set<Slot> {
        switch self {
        case .allNodes, .nodesByLabel, .allRelationships, .eager, .count, .schema: return []
        // Depends on what is needed afterwards: see `liveSlots`.
        case .optional, .apply, .union, .merge, .forEach: return []
        case .createUnique(let pattern):
            var slots = Set(pattern.nodes.filter(\.isBound).map(\.slot) + pattern.links.filter(\.isBound).map(\.slot))
            for node in pattern.nodes { slots.formUnion(node.properties.slots) }
            for link in pattern.links { slots.formUnion(link.properties.slots) }
            return slots
        case .call(let call): return call.arguments.reduce(into: []) { $0.formUnion($1.slots) }
        case .shortestPath(let step): return [step.from, step.to]
        case .startIndex(_, _, let key, let value): return value.slots.union(key?.slots ?? [])
        case .nodesByID(_, let ids, _), .relationshipsByID(_, let ids): return ids.slots
        case .indexSeek(let seek):
            var slots = seek.leading.reduce(into: Set<Slot>()) { $0.formUnion($1.slots) }
            switch seek.probe {
            case .equal: break
            case .list(let value), .prefix(let value): slots.formUnion(value.slots)
            case .range(let lower, let upper):
                slots.formUnion(lower?.value.slots ?? [])
                slots.formUnion(upper?.value.slots ?? [])
            }
            return slots.union(seek.test?.slots ?? []).subtracting([seek.slot])
        case .expand(let expansion):
            var slots: Set<Slot> = [expansion.from]
            if expansion.isInto { slots.insert(expansion.to) }
            for other in expansion.unique {
                slots.insert(other.slot)
                if let node = other.onlyWhereFromIs { slots.insert(node) }
                if let node = other.onlyWhereToIs { slots.insert(node) }
            }
            for property in expansion.properties { slots.formUnion(property.value.slots) }
            return slots
        case .distinctWalk(let walk): return [walk.from]
        case .endpoints(let ends):
            var slots = Set(ends.unique).union([ends.relationship])
            if ends.isFromBound { slots.insert(ends.from) }
            if ends.isToBound { slots.insert(ends.to) }
            return slots
        case .entity(let from, _): return [from]
        case .filter(let predicate, _): return predicate.slots
        case .path(_, let shape): return Set(shape.nodes).union(shape.relationships)
        case .unwind(let list, _): return list.slots
        case .unwindRange(let bounds, _): return bounds.reduce(into: []) { $0.formUnion($1.slots) }
        case .project(let items): return items.reduce(into: []) { $0.formUnion($1.expression.slots) }
        case .aggregate(let keys, let aggregates):
            return aggregates.reduce(into: keys.reduce(into: []) { $0.formUnion($1.expression.slots) }) {
                $0.formUnion(($1.argument?.slots ?? []).union($1.parameter?.slots ?? []))
            }
        case .distinct(let slots): return Set(slots)
        case .sort(let keys, _, _): return Set(keys.map(\.slot))
        case .skip(let count), .limit(let count): return count.slots
        case .create(let creations): return creations.reduce(into: []) { $0.formUnion($1.reads) }
        case .update(let updates): return updates.reduce(into: []) { $0.formUnion($1.reads) }
        case .delete(let targets, _): return targets.reduce(into: []) { $0.formUnion($1.slots) }
        }
    }

    /// Slots that the step fills.
    var writes: Set<Slot> {
        switch self {
        case .allNodes(let slot), .nodesByLabel(let slot, _), .nodesByID(let slot, _, _), .allRelationships(let slot),
            .relationshipsByID(let slot, _), .entity(_, let slot), .path(let slot, _), .unwind(_, let slot),
            .unwindRange(_, let slot), .startIndex(let slot, _, _, _):
            return [slot]
        case .apply(_, let outputs, _), .union(_, let outputs): return Set(outputs)
        case .merge(let merge): return Set(merge.produced)
        case .createUnique(let pattern):
            return Set(
                pattern.nodes.filter { !$0.isBound }.map(\.slot) + pattern.links.filter { !$0.isBound }.map(\.slot))
        case .forEach: return []
        case .call(let call): return Set(call.outputs.map(\.slot))
        case .shortestPath(let step): return [step.relationships]
        case .indexSeek(let seek): return [seek.slot]
        case .distinctWalk(let walk): return [walk.to]
        case .expand(let expansion):
            return expansion.isInto ? [expansion.relationship] : [expansion.relationship, expansion.to]
        case .endpoints(let ends):
            var slots: Set<Slot> = []
            if !ends.isFromBound { slots.insert(ends.from) }
            if !ends.isToBound { slots.insert(ends.to) }
            return slots
        case .filter, .distinct, .sort, .skip, .limit, .eager, .update, .delete, .schema: return []
        case .optional(_, let nulls, _): return Set(nulls)
        case .project(let items): return Set(items.map(\.slot))
        case .aggregate(let keys, let aggregates): return Set(keys.map(\.slot) + aggregates.map(\.slot))
        case .create(let creations): return Set(creations.map(\.slot))
        case .count(_, let slots): return Set(slots)
        }
    }

    /// Whether only what the step writes is left afterwards.
    var replacesRows: Bool {
        switch self {
        case .aggregate, .count: true
        default: false
        }
    }
}

extension Step.Creation {
    var slot: Slot {
        switch self {
        case .node(let slot, _, _), .relationship(let slot, _, _, _, _): slot
        }
    }

    var reads: Set<Slot> {
        switch self {
        case .node(_, _, let properties): properties.slots
        case .relationship(_, _, let from, let to, let properties): properties.slots.union([from, to])
        }
    }
}

extension Step.PropertySource {
    var slots: Set<Slot> {
        switch self {
        case .none: []
        case .entries(let entries): entries.reduce(into: []) { $0.formUnion($1.value.slots) }
        case .computed(let map): map.slots
        }
    }
}

extension Step.Update {
    var reads: Set<Slot> {
        switch self {
        case .property(let target, _, let value): target.slots.union(value.slots)
        case .removeProperty(let target, _), .labels(let target, _, _): target.slots
        case .all(let target, let map, _): target.slots.union(map.slots)
        }
    }
}

extension Step {
    /// What the plans inside the step need from a row, given what is needed after it.
    fileprivate func readsInside(_ after: Set<Slot>) -> Set<Slot> {
        func live(_ steps: [Step], _ end: Set<Slot>) -> Set<Slot> { steps.liveSlots(after: end).first ?? [] }
        switch self {
        case .optional(let inner, let nulls, let row):
            // Inside only what is found there matters: the rest of a row waits outside.
            return live(inner, after.intersection(nulls).union([row])).subtracting([row])
        case .apply(let inner, let outputs, _): return live(inner, after.intersection(outputs))
        case .union(let branches, _):
            return branches.reduce(into: []) { $0.formUnion(live($1.steps, Set($1.columns))) }
        case .merge(let merge):
            let updates = (merge.onCreate + merge.onMatch).reduce(into: Set<Slot>()) { $0.formUnion($1.reads) }
            return live(merge.match, Set(merge.produced))
                .union(merge.creations.reduce(into: updates) { $0.formUnion($1.reads) }).subtracting(merge.produced)
        case .forEach(let list, let element, let inner): return list.slots.union(live(inner, []).subtracting([element]))
        default: return []
        }
    }
}

extension [Step] {
    /// The slots that are needed before each step, and after the last, given what is needed at the end.
    func liveSlots(after end: Set<Slot>) -> [Set<Slot>] {
        var live = [Set<Slot>](repeating: end, count: count + 1)
        for index in indices.reversed() {
            let step = self[index]
            var before = step.replacesRows ? [] : live[index + 1].subtracting(step.writes)
            before.formUnion(step.reads)
            before.formUnion(step.readsInside(live[index + 1]))
            // CREATE reads what it has made itself.
            if case .create = step { before.subtract(step.writes) }
            live[index] = before
        }
        return live
    }
}
