internal import GraphModel
internal import Storage

/// Shortest paths between two nodes, for each row: one, or all.
struct ShortestPathPlan: OperatorPlan {
    var isReusable: Bool { true }
    let step: Step.ShortestPath
    let types: [Int]
    let carried: [Slot]

    func make(_ frame: Frame, next: Operator) -> Operator { ShortestPathOperator(frame, next: next, self) }
}

private final class ShortestPathOperator: BatchingOperator {
    private let plan: ShortestPathPlan
    private let search: ShortestPathSearch
    private var types: TypeNumbers

    init(_ frame: Frame, next: Operator, _ plan: ShortestPathPlan) {
        self.plan = plan
        search = ShortestPathSearch(frame, plan.step.direction)
        types = TypeNumbers(plan.types)
        super.init(frame, next: next, carried: plan.carried, produced: [plan.step.relationships])
    }

    override func push(_ batch: Batch) throws(GraphError) -> Bool {
        let types = types.resolve(frame)
        let column = plan.step.relationships.index
        for row in 0..<batch.rowCount {
            let from = batch.columns[plan.step.from.index].ids[row]
            let to = batch.columns[plan.step.to.index].ids[row]
            if from == noID || to == noID { continue }
            if from == to {
                // A path that comes back is not the shortest between a node and itself.
                if plan.step.minimum > 0 { continue }
                output.columns[column].values.append(.list([]))
                output.append(row, of: batch, carried)
                output.rowCount += 1
                if try !flushIfFull() { return false }
                continue
            }
            guard let types, try search.find(
                from, to, types, maximum: plan.step.maximum, findsAll: plan.step.findsAll) else { continue }
            if !plan.step.findsAll {
                let path = search.path()
                output.columns[column].values.append(.list(path))
                output.append(row, of: batch, carried)
                output.rowCount += 1
                if try !flushIfFull(addedElementCount: path.count) { return false }
                continue
            }
            let goesOn = try search.forEachPath { path throws(GraphError) in
                output.columns[column].values.append(.list(path))
                output.append(row, of: batch, carried)
                output.rowCount += 1
                return try flushIfFull(addedElementCount: path.count)
            }
            if !goesOn { return false }
        }
        return true
    }

    override func reset() {
        search.reset()
        super.reset()
    }
}

/// Breadth-first from both ends, always from the one that has fewer nodes to go on from.
///
/// Everything that one side visits stays in one set, level after level; who reached a node first follows from the counts
/// in `ends`. The sides meet in a node that one of them adds and the other has: as levels are added whole before the other
/// side goes on, that is in the middle of a shortest path.
final class ShortestPathSearch {
    private struct Side: ~Copyable {
        var nodes = NodeSet()
        /// Per node that was expanded, how many nodes there were afterwards.
        var ends: ContiguousArray<Int> = []
        /// Where each level begins, the last one, which is not expanded yet, included.
        var starts: [Int] = []

        var depth: Int { starts.count - 1 }
        var frontier: Range<Int> { (starts.last ?? 0)..<nodes.count }

        mutating func begin(_ node: UInt64) {
            nodes.removeAll()
            ends.removeAll(keepingCapacity: true)
            starts.removeAll(keepingCapacity: true)
            nodes.insert(NodeID(node))
            starts.append(0)
        }

        /// The nodes from one at a place back to the start.
        func way(from place: Int) -> [UInt64] {
            var way = [nodes[place]]
            var place = place
            while place > 0 {
                // The first source after whose expansion there were more nodes than come before this one.
                var low = 0
                var high = ends.count
                while low < high {
                    let middle = (low + high) / 2
                    if ends[middle] > place { high = middle } else { low = middle + 1 }
                }
                place = low
                way.append(nodes[place])
            }
            return way
        }

        /// The same for a node of the last level.
        func way(fromLast node: UInt64) -> [UInt64] {
            for place in frontier where nodes[place] == node { return way(from: place) }
            return [node]
        }

        /// The nodes at each distance.
        func levels() -> [Set<UInt64>] {
            var levels: [Set<UInt64>] = []
            for (index, start) in starts.enumerated() {
                var level: Set<UInt64> = []
                for place in start..<(index + 1 < starts.count ? starts[index + 1] : nodes.count) {
                    level.insert(nodes[place])
                }
                levels.append(level)
            }
            return levels
        }
    }

    private let frame: Frame
    private let direction: Direction
    private var types: [TokenID] = []
    private var forward = Side()
    private var backward = Side()
    /// Where the sides have met: the node, by its place on the side that added it.
    private var meeting = 0
    private var metForward = false
    private var neighbours: ContiguousArray<UInt64> = []
    private var relationships: ContiguousArray<UInt64> = []
    /// Nodes expanded before looking whether the sides have met.
    private static let partCount = 16
    private static let keptByteCount = 1 << 20

    init(_ frame: Frame, _ direction: Direction) {
        self.frame = frame
        self.direction = direction
    }

    func reset() {
        forward.nodes.removeAll(keepingAtMost: Self.keptByteCount)
        backward.nodes.removeAll(keepingAtMost: Self.keptByteCount)
    }

    /// Whether there is a path of at most `maximum` relationships between two different nodes.
    func find(
        _ from: UInt64, _ to: UInt64, _ types: [TokenID], maximum: Int, findsAll: Bool
    ) throws(GraphError) -> Bool {
        self.types = types
        forward.begin(from)
        backward.begin(to)
        while forward.depth + backward.depth < maximum {
            if forward.frontier.isEmpty || backward.frontier.isEmpty { return false }
            try frame.checkControl()
            let (near, far) = (forward.frontier.count, backward.frontier.count)
            metForward = near < far || near == far && forward.depth <= backward.depth
            let hasMet =
                metForward
                ? try Self.advance(&forward, direction, types, frame, until: backward.nodes, findsAll, &meeting)
                : try Self.advance(&backward, direction.reversed, types, frame, until: forward.nodes, findsAll, &meeting)
            if hasMet { return true }
        }
        return false
    }

    /// Adds one level, whole or as much of it as it takes to meet the other side.
    private static func advance(
        _ side: inout Side, _ direction: Direction, _ types: [TokenID], _ frame: Frame,
        until other: borrowing NodeSet, _ isWhole: Bool, _ meeting: inout Int
    ) throws(GraphError) -> Bool {
        let level = side.frontier
        var hasMet = false
        side.starts.append(side.nodes.count)
        var start = level.lowerBound
        while start < level.upperBound {
            let end = min(level.upperBound, start + partCount)
            let before = side.nodes.count
            frame.transaction.expandDistinct(
                within: &side.nodes, start..<end, direction, types: types, ends: &side.ends)
            for place in before..<side.nodes.count where other.contains(NodeID(side.nodes[place])) {
                meeting = place
                hasMet = true
                if !isWhole { return true }
            }
            start = end
            if start & 0xFFF == 0 { try frame.checkControl() }
        }
        return hasMet
    }

    // MARK: Paths

    /// One of the paths that were found, as a list of relationships.
    func path() -> [Value] {
        let node = metForward ? forward.nodes[meeting] : backward.nodes[meeting]
        var way: [UInt64] = (metForward ? forward.way(from: meeting) : forward.way(fromLast: node)).reversed()
        way += (metForward ? backward.way(fromLast: node) : backward.way(from: meeting)).dropFirst()
        return (1..<way.count).map { .relationship(RelationshipID(relationship(way[$0 - 1], way[$0]))) }
    }

    /// Calls `body` with every shortest path, as a list of relationships, until it returns false; false then.
    ///
    /// Each leads through a node that both sides have in their last levels. From there on every neighbour that is one
    /// level nearer to an end is on some path: nothing is tried in vain.
    func forEachPath(_ body: ([Value]) throws(GraphError) -> Bool) throws(GraphError) -> Bool {
        let near = forward.levels()
        let far = backward.levels()
        for node in near[near.count - 1].intersection(far[far.count - 1]).sorted() {
            if try !forEachPath(through: node, near, far, body) { return false }
        }
        return true
    }

    /// Ways to go on from a node of a path, and which of them has been taken.
    private struct Fork {
        var steps: [(neighbour: UInt64, relationship: UInt64)]
        var next = 0
    }

    /// Depth first: back to the beginning, then, from the node again, to the end.
    private func forEachPath(
        through node: UInt64, _ near: [Set<UInt64>], _ far: [Set<UInt64>],
        _ body: ([Value]) throws(GraphError) -> Bool
    ) throws(GraphError) -> Bool {
        let nearLength = near.count - 1
        let length = nearLength + far.count - 1
        var forks = [fork(at: node, 0, near, far)]
        var path: [UInt64] = []
        while let last = forks.indices.last {
            try frame.step()
            guard forks[last].next < forks[last].steps.count else {
                forks.removeLast()
                if !path.isEmpty { path.removeLast() }
                continue
            }
            let (neighbour, relationship) = forks[last].steps[forks[last].next]
            forks[last].next += 1
            path.append(relationship)
            if path.count < length {
                forks.append(fork(at: path.count == nearLength ? node : neighbour, path.count, near, far))
                continue
            }
            let whole = path[..<nearLength].reversed() + path[nearLength...]
            if try !body(whole.map { .relationship(RelationshipID($0)) }) { return false }
            path.removeLast()
        }
        return true
    }

    /// How a path goes on from a node after so many relationships.
    private func fork(at node: UInt64, _ count: Int, _ near: [Set<UInt64>], _ far: [Set<UInt64>]) -> Fork {
        let nearLength = near.count - 1
        expand(node, count < nearLength ? direction.reversed : direction)
        let level = count < nearLength ? near[nearLength - 1 - count] : far[far.count - 2 - (count - nearLength)]
        return Fork(
            steps: zip(neighbours, relationships).filter { level.contains($0.0) }.map { (neighbour: $0.0, relationship: $0.1) })
    }

    private func relationship(_ from: UInt64, _ to: UInt64) -> UInt64 {
        expand(from)
        for (index, neighbour) in neighbours.enumerated() where neighbour == to { return relationships[index] }
        return noID
    }

    private func expand(_ node: UInt64, _ direction: Direction? = nil) {
        neighbours.removeAll(keepingCapacity: true)
        relationships.removeAll(keepingCapacity: true)
        frame.transaction.expand(
            NodeID(node), direction ?? self.direction, types: types, neighbours: &neighbours,
            relationships: &relationships)
    }
}
