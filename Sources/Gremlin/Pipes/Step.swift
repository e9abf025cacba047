internal import GraphModel

/// One step of a pipe.
indirect enum Step {
    enum Neighbours {
        /// The vertices at the other end of a vertex's edges.
        case vertices(Direction)
        /// The edges of a vertex.
        case edges(Direction)
        /// The vertices of an edge: its source is `.outgoing`.
        case ends(Direction)
    }

    /// Hands on what comes; something to give a name to.
    case identity
    case neighbours(Neighbours, labels: [String])
    case property(String)
    case id
    case label
    /// All properties as a map, or some.
    case properties([String])
    case transform(ClosureItem)
    case filter(ClosureItem)
    case has(key: Item, Comparison, Item, isNegated: Bool)
    case sideEffect(ClosureItem)
    case range(Int64, Int64)
    case dedup(ClosureItem?)
    /// Keeps what is in a list, or what is not.
    case membership(ListItem, isKept: Bool)
    /// Keeps what is the same as what a step of a name gave, or what is not.
    case same(name: String, isKept: Bool)
    /// Fills a list: all of it before anything goes on, or one by one.
    case collect(into: ListItem, ClosureItem?, isGreedy: Bool)
    case groupCount(MapItem, key: ClosureItem?, value: ClosureItem?)
    case groupBy(MapItem, key: ClosureItem?, value: ClosureItem?)
    case table(TableItem, names: [String], [ClosureItem])
    case path([ClosureItem])
    case simplePath(isKept: Bool)
    /// Goes on with what came in where the steps lead anywhere.
    case back([NamedStep])
    /// The steps are taken for what they do; what came in goes on.
    case optional([NamedStep])
    case loop([NamedStep], while: ClosureItem, emit: ClosureItem?)
    case branches([Pipe], isFair: Bool)
    /// Keeps what all, or any, of some pipes lead anywhere for.
    case tests([Pipe], all: Bool)
    case ifThenElse(ClosureItem, ClosureItem, ClosureItem)
    case gather(ClosureItem?)
    case scatter
    /// A closure gets a pair, `it.a` and `it.b`, or both by their own names.
    case order(ClosureItem?)
    case reverse
    /// What the last step gathered beside the pipe, once all has gone through.
    case cap(Item)
    /// Gathers what a branch of its own needs: the number of what came.
    case count

    /// What it gathers beside the pipe.
    var sideEffect: Item? {
        switch self {
        case .collect(let list, _, _): .list(list)
        case .groupCount(let map, _, _), .groupBy(let map, _, _): .map(map)
        case .table(let table, _, _): .table(table)
        default: nil
        }
    }
}

/// A step with the names that `as` gave it.
struct NamedStep {
    var step: Step
    var names: [String] = []
}

/// Where something on its way through a pipe came along, the last first.
final class PathNode {
    let item: Item
    /// Of a step; nil for what stands in paths.
    let name: String?
    private(set) var parent: PathNode?

    init(_ item: Item, name: String? = nil, after parent: PathNode?) {
        (self.item, self.name, self.parent) = (item, name, parent)
    }

    /// The items on the way to here, the first first.
    var items: [Item] {
        var items: [Item] = []
        var node: PathNode? = self
        while let current = node {
            if current.name == nil { items.append(current.item) }
            node = current.parent
        }
        return items.reversed()
    }

    /// One after the other: a path may have any length.
    deinit {
        var next = parent
        parent = nil
        while isKnownUniquelyReferenced(&next), let node = next {
            next = node.parent
            node.parent = nil
        }
    }
}

/// What goes through a pipe, with the way that it came.
struct Traveller {
    var item: Item
    var path: PathNode?
    /// In a loop: how many times it went through the steps, and one more.
    var loops: Int64 = 1

    init(start item: Item) {
        self.item = item
        path = PathNode(item, after: nil)
    }

    /// The same way, and on to another item.
    func moved(to item: Item) -> Traveller {
        var moved = self
        moved.item = item
        moved.path = PathNode(item, after: path)
        return moved
    }

    /// Remembers an item under the name of a step.
    mutating func mark(_ name: String) { path = PathNode(item, name: name, after: path) }

    /// The items on the way, the first first.
    var items: [Item] { path?.items ?? [] }

    /// The named items on the way, the first first; of a name that came several times the last.
    var named: [(name: String, item: Item)] {
        var found: [(name: String, item: Item)] = []
        var node = path
        while let current = node {
            if let name = current.name, !found.contains(where: { $0.name == name }) { found.append((name, current.item)) }
            node = current.parent
        }
        return found.reversed()
    }

    /// What a step of a name gave.
    func item(named name: String) -> Item? {
        var node = path
        while let current = node {
            if current.name == name { return current.item }
            node = current.parent
        }
        return nil
    }
}
