internal import GraphModel
internal import Storage

/// Whether nodes are connected: `(a)-[:T]->(b)` as a condition, asked for one row after the other.
struct ConnectionTest {
    private var types: TypeNumbers
    private let direction: Direction
    private var table = NeighbourTable()
    /// The node whose relationships the table has, `noID` for none, and which of the two it is.
    private var tableNode = noID
    private var isTableOfFrom = false
    /// The last pair, and for how many rows each of its nodes has stayed.
    private var lastFrom = noID
    private var lastTo = noID
    private var fromCount = 0
    private var toCount = 0
    private var neighbours: ContiguousArray<UInt64> = []

    init(_ direction: Direction, _ types: [Int]) {
        self.direction = direction
        self.types = TypeNumbers(types)
    }

    /// Whether a node has any such relationship.
    mutating func holds(_ frame: Frame, from: UInt64) -> Bool {
        guard from != noID, let types = types.resolve(frame) else { return false }
        let transaction = frame.transaction
        if direction == .both {
            return transaction.degree(NodeID(from), .outgoing, types: types) > 0
                || transaction.degree(NodeID(from), .incoming, types: types) > 0
        }
        return transaction.degree(NodeID(from), direction, types: types) > 0
    }

    mutating func holds(_ frame: Frame, from: UInt64, to: UInt64) -> Bool {
        guard from != noID, to != noID, let types = types.resolve(frame) else { return false }
        guard frame.transaction.isReadOnly else { return look(frame, from, to, types) }
        if tableNode != noID {
            if isTableOfFrom && tableNode == from { return table.first(to) >= 0 }
            if !isTableOfFrom && tableNode == to { return table.first(from) >= 0 }
        }
        fromCount = from == lastFrom ? fromCount + 1 : 0
        toCount = to == lastTo ? toCount + 1 : 0
        (lastFrom, lastTo) = (from, to)
        let count = max(fromCount, toCount)
        if count == 0 { return look(frame, from, to, types) }
        // It will probably be asked for as often again: worth a table of about as many relationships.
        let isOfFrom = fromCount >= toCount
        let (node, end) = isOfFrom ? (from, to) : (to, from)
        let seen = isOfFrom ? direction : direction.reversed
        let degree = frame.transaction.degree(NodeID(node), seen == .both ? .outgoing : seen, types: types)
        if degree > 64 * count { return look(frame, from, to, types) }
        table.fill(frame.transaction, node, seen, types, withRelationships: false)
        tableNode = node
        isTableOfFrom = isOfFrom
        return table.first(end) >= 0
    }

    /// Looks through the relationships of the node that has fewer.
    private mutating func look(_ frame: Frame, _ from: UInt64, _ to: UInt64, _ types: [TokenID]) -> Bool {
        let transaction = frame.transaction
        let turned = direction.reversed
        let turns =
            transaction.degree(NodeID(from), direction == .both ? .outgoing : direction, types: types)
            > transaction.degree(NodeID(to), direction == .both ? .outgoing : turned, types: types)
        neighbours.removeAll(keepingCapacity: true)
        transaction.expand(
            NodeID(turns ? to : from), turns ? turned : direction, types: types, neighbours: &neighbours)
        return neighbours.contains(turns ? from : to)
    }

    /// Forgets the execution.
    mutating func reset() {
        tableNode = noID
        (lastFrom, lastTo) = (noID, noID)
        (fromCount, toCount) = (0, 0)
        table.reset()
        if neighbours.capacity > 1 << 14 { neighbours = [] }
    }
}
