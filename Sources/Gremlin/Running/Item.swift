internal import GraphModel

/// What a part of a script is worth.
enum Item {
    case null
    case boolean(Bool)
    case integer(Int64)
    case float(Double)
    case string(String)
    /// Bytes, a date, a point: what properties can hold and scripts only hand on.
    case stored(Value)
    case list(ListItem)
    case map(MapItem)
    /// Both ends included, the first one first: `3..1` counts down.
    case range(Int64, Int64)
    case closure(ClosureItem)
    case vertex(NodeID)
    case edge(RelationshipID)
    case pipe(Pipe)
    case table(TableItem)
    /// A class that may be named.
    case type(String)
    case object(ObjectItem)
}

/// A closure with what it sees of the place where it was written.
final class ClosureItem {
    let parameters: [String]?
    let body: ScriptTree.Index
    let environment: Environment

    init(_ closure: ScriptTree.Closure, _ environment: Environment) {
        (parameters, body, self.environment) = (closure.parameters, closure.body, environment)
    }
}

/// The things of the Java API that scripts get hold of.
indirect enum ObjectItem {
    case graph
    /// `g.getRawGraph()`
    case rawGraph
    case indexManager
    case index(IndexItem)
    /// `beginTx()`
    case transaction
    case succeeds(Bool)
    case relationshipType(String)
    case direction(Direction)
    case entry(EntryItem)
    case error(GraphError)
    /// What the closures of `loop` get.
    case bundle(BundleItem)
    case comparison(Comparison)
    case queryContext(text: String, [IndexOrder])
    case sort([IndexOrder])
    case graphMLWriter
    case text(TextItem)
}

/// A named index of nodes or of relationships.
struct IndexItem {
    let name: String
    let isOfNodes: Bool
}

/// One criterion for the order of what an index finds.
struct IndexOrder {
    enum Kind { case text, number, score }
    let key: String
    let kind: Kind
    let isReversed: Bool
}

/// `T.gt` and the like.
enum Comparison: String { case eq, neq, gt, gte, lt, lte, `in`, notin }

/// Where a writer of text writes.
final class TextItem { var text = "" }

extension Item {
    init(_ value: Value, _ memory: Memory) throws(GraphError) {
        switch value {
        case .null: self = .null
        case .boolean(let flag): self = .boolean(flag)
        case .integer(let number): self = .integer(number)
        case .float(let number): self = .float(number)
        case .string(let text): self = .string(text.text)
        case .bytes, .temporal, .point: self = .stored(value)
        case .list(let list):
            let items = ListItem(memory)
            for element in list.elements { try items.append(try Item(element, memory)) }
            self = .list(items)
        case .map(let map):
            let items = MapItem(memory)
            for (key, value) in map.entries { try items.set(.string(key), try Item(value, memory)) }
            self = .map(items)
        case .node(let id): self = .vertex(id)
        case .relationship(let id): self = .edge(id)
        case .path(let path):
            let items = ListItem(memory)
            for (index, node) in path.nodes.enumerated() {
                try items.append(.vertex(node))
                if index < path.relationships.count { try items.append(.edge(path.relationships[index])) }
            }
            self = .list(items)
        }
    }

    /// As messages show it.
    var kindName: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer, .float: "a number"
        case .string: "a string"
        case .stored(let value): "a \(value.kindName)"
        case .list, .range: "a list"
        case .map: "a map"
        case .closure: "a closure"
        case .vertex: "a vertex"
        case .edge: "an edge"
        case .pipe: "a pipe"
        case .table: "a table"
        case .type(let name): "the class \(name)"
        case .object(let object): object.kindName
        }
    }

    var isNull: Bool { if case .null = self { true } else { false } }

    /// What counts as true in a condition.
    func isTrue() -> Bool {
        switch self {
        case .null: false
        case .boolean(let flag): flag
        case .integer(let number): number != 0
        case .float(let number): number != 0
        case .string(let text): !text.isEmpty
        case .list(let list): !list.elements.isEmpty
        case .map(let map): map.count > 0
        case .table(let table): !table.rows.isEmpty
        case .stored, .range, .closure, .vertex, .edge, .pipe, .type, .object: true
        }
    }

    var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .float(let number): number
        default: nil
        }
    }

    /// Bytes that it takes beside the place where it stands, roughly.
    var byteCount: Int { if case .string(let text) = self { text.utf8.count } else { 0 } }
}

extension ObjectItem {
    var kindName: String {
        switch self {
        case .graph, .rawGraph: "the graph"
        case .indexManager: "the index manager"
        case .index: "an index"
        case .transaction, .succeeds: "a transaction"
        case .relationshipType: "a relationship type"
        case .direction: "a direction"
        case .entry: "an entry of a map"
        case .error: "an error"
        case .bundle: "a loop"
        case .comparison: "a comparison"
        case .queryContext: "a query"
        case .sort: "a sort order"
        case .graphMLWriter: "a writer"
        case .text: "a stream"
        }
    }
}
