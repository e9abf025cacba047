internal import Cypher
internal import GraphModel

/// One step of a logical plan: what happens to the rows, with variables resolved to slots. Each step takes the rows of
/// the one before; the first takes a single empty row.
indirect enum Step: Sendable {
    case allNodes(Slot)
    case nodesByLabel(Slot, label: String)
    case nodesByID(Slot, Compiled, IDSeekMode)
    case allRelationships(Slot)
    case relationshipsByID(Slot, Compiled)
    case indexSeek(IndexSeek)
    case expand(Expansion)
    case distinctWalk(DistinctWalk)
    case endpoints(Endpoints)
    /// A value becomes a node or relationship column.
    case entity(from: Slot, to: Slot)
    /// `isLenient` keeps rows on which the condition fails: it is tested again where it may fail.
    case filter(CompiledPredicate, isLenient: Bool)
    case path(Slot, PathShape)
    /// Rows for which `steps` find nothing go on with nulls. `row` numbers the rows inside.
    case optional([Step], nulls: [Slot], row: Slot)
    case unwind(Compiled, Slot)
    /// `UNWIND range(..)`, number by number instead of as a list.
    case unwindRange([Compiled], Slot)
    case project([(expression: Compiled, slot: Slot)])
    case aggregate(keys: [(expression: Compiled, slot: Slot)], aggregates: [Aggregate])
    case distinct([Slot])
    case sort([SortKey], skip: Compiled?, limit: Compiled?)
    case skip(Compiled)
    case limit(Compiled)
    /// All rows before it are produced before the first goes on.
    case eager
    case create([Creation])
    case update([Update])
    case delete([Compiled], detach: Bool)
    /// One row with a number that the store knows by heart.
    case count(StoredCount, [Slot])
    /// Runs a part of the plan for each row, and goes on with a row for each row it gives; `isUnit` runs it for what it
    /// changes and goes on with the row itself.
    case apply([Step], outputs: [Slot], isUnit: Bool)
    /// The rows of several plans, one after the other, in the same columns.
    case union([Branch], outputs: [Slot])
    case merge(Merge)
    case createUnique(CreateUnique)
    /// Runs updates for each element of a list.
    case forEach(Compiled, element: Slot, [Step])
    case call(ProcedureCallStep)
    case shortestPath(ShortestPath)
    case schema(SchemaCommand)
    /// START from an index of the manual, by key and value or by a query.
    case startIndex(Slot, name: String, key: Compiled?, value: Compiled)

    /// What the ids of a seek stand for.
    enum IDSeekMode: Sendable {
        /// START: an id or a list of ids, which have to be there.
        case start
        /// `id(n) = x`.
        case equal
        /// `id(n) IN x`.
        case list
    }

    struct Branch: Sendable {
        let steps: [Step]
        let columns: [Slot]
    }

    struct Merge: Sendable {
        /// Finds the pattern, from a row.
        let match: [Step]
        let creations: [Creation]
        let onCreate: [Update]
        let onMatch: [Update]
        /// What the pattern names.
        let produced: [Slot]
    }

    /// A relationship of a pattern that is found or made, with what both ends must have.
    struct CreateUnique: Sendable {
        struct Node: Sendable {
            let slot: Slot
            let isBound: Bool
            let name: String
            let labels: [String]
            let properties: PropertySource
        }
        struct Link: Sendable {
            let slot: Slot
            let isBound: Bool
            let type: String
            let direction: Direction
            let from: Int
            let to: Int
            let properties: PropertySource
        }
        let nodes: [Node]
        let links: [Link]
    }

    struct ProcedureCallStep: Sendable {
        let procedure: Procedure
        let arguments: [Compiled]
        /// The field's number and where it goes.
        let outputs: [(field: Int, slot: Slot)]
        /// Whether it stands for what it does: rows go on as they are.
        let isUnit: Bool
    }

    struct ShortestPath: Sendable {
        let from: Slot
        let to: Slot
        /// A list of relationships.
        let relationships: Slot
        let direction: Direction
        let types: [String]
        let minimum: Int
        let maximum: Int
        let findsAll: Bool
    }

    /// Nodes of a label or relationships of a type by the values of an index's keys.
    struct IndexSeek: Sendable {
        struct Bound: Sendable {
            let value: Compiled
            let isIncluded: Bool
        }
        /// What is asked of the key after the leading ones.
        enum Probe: Sendable {
            /// Nothing: the leading ones are all.
            case equal
            case list(Compiled)
            case range(Bound?, Bound?)
            case prefix(Compiled)
        }
        let slot: Slot
        /// The label or type.
        let name: String
        let keys: [String]
        /// Values of the first keys.
        let leading: [Compiled]
        let probe: Probe
        /// The conditions that the seek stands for, for values that the index takes for equal and queries do not, and for
        /// the case that the index is gone.
        let test: CompiledPredicate?
    }

    struct Expansion: Sendable {
        let from: Slot
        let to: Slot
        /// A relationship, or for a variable length a list of them.
        let relationship: Slot
        let direction: Direction
        let types: [String]
        /// Whether `to` is bound already.
        let isInto: Bool
        let unique: [UniqueAgainst]
        let length: PatternRelationship.VariableLength?
        /// Properties that every relationship of a variable length must have.
        var properties: [(key: String, value: Compiled)] = []
        /// Whether the pattern is walked against the order it is written in.
        var isReversed = false
    }

    /// Expansions one after the other of which only the different nodes at their end matter.
    struct DistinctWalk: Sendable {
        struct Hop: Sendable {
            let direction: Direction
            let types: [String]
            /// Earlier hops of the same pattern whose relationships may be this one's.
            var comparable: [Int]
            /// The first of them, or the hop itself.
            var patternStart: Int
            /// Conditions on the node it leads to.
            var filters: [CompiledPredicate]
            let slot: Slot
            /// Whether the nodes it leads to belong to the result.
            var isReported: Bool
        }
        let from: Slot
        var to: Slot
        var hops: [Hop]
        let reportsStart: Bool
        /// The greatest distance, when the result is all nodes from a distance of 1 on.
        let reach: Int?
        /// Whether it takes all rows before it begins; each node comes once then.
        let gathers: Bool
        /// Whether nothing else of the rows is needed later.
        let carriesNothing: Bool
    }

    /// A relationship (or list of them) of the same MATCH that must not be found again.
    struct UniqueAgainst: Sendable {
        let slot: Slot
        /// Both can only be the same relationship where this node is the one expanded from.
        let onlyWhereFromIs: Slot?
        /// And where this node is the one expanded to.
        let onlyWhereToIs: Slot?
    }

    struct Endpoints: Sendable {
        let relationship: Slot
        let from: Slot
        let to: Slot
        let direction: Direction
        let types: [String]
        let isFromBound: Bool
        let isToBound: Bool
        let unique: [Slot]
    }

    struct PathShape: Sendable {
        let nodes: [Slot]
        let relationships: [Slot]
    }

    struct SortKey: Sendable {
        let slot: Slot
        let isDescending: Bool
        let text: String
    }

    struct Aggregate: Sendable {
        enum Function: String, Sendable {
            case count, sum, avg, min, max, collect, stdev, stdevp
            case percentileDisc = "percentiledisc"
            case percentileCont = "percentilecont"
        }
        let function: Function
        /// nil for `count(*)`.
        let argument: Compiled?
        /// The slot that the argument is, when it is just that.
        let argumentSlot: Slot?
        let isDistinct: Bool
        /// The share of a percentile.
        var parameter: Compiled?
        let slot: Slot
        let text: String
        /// Set where rows hold different nodes each and their property is counted.
        var identification: Identification?
    }

    /// When it holds that a property tells nodes apart, its different values are as many as the nodes.
    struct Identification: Sendable {
        /// The property's name, by its number in the plan.
        let key: Int
        /// Labels that all of the nodes are known to have, by number.
        let labels: [Int]
    }

    enum StoredCount: Sendable {
        case nodes(label: String?)
        case relationships(type: String?)
    }

    /// Something that CREATE makes, in order.
    enum Creation: Sendable {
        case node(Slot, labels: [String], properties: PropertySource)
        case relationship(Slot, type: String, from: Slot, to: Slot, properties: PropertySource)
    }

    enum PropertySource: Sendable {
        case none
        case entries([(key: String, value: Compiled)])
        /// A map; a list of maps makes one element for each.
        case computed(Compiled)
    }

    enum Update: Sendable {
        case property(Compiled, key: String, value: Compiled)
        case removeProperty(Compiled, key: String)
        case all(Compiled, map: Compiled, adds: Bool)
        case labels(Compiled, [String], isRemoval: Bool)
    }
}

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
