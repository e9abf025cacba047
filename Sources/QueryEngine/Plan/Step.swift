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
