internal import GraphModel
internal import Storage

/// The different ends of walks, level by level, in which no relationship of one pattern is used twice.
///
/// Of every node of a level one way to it is known: who reached it first did so from a node whose place follows from the
/// counts in `ends`. A relationship x→c is on that way only if the way has passed x before, so a node that its way
/// passes once leads to all of its neighbours without a look at any relationship, and that is nearly every node. The
/// others leave out the neighbours that their way went to from them. Whoever is left out and reached by nobody else is
/// looked at again, exactly, by relationships, from its end back to the start.
///
/// Why this is complete: a walk to c without a repeated relationship ends with some x→c, and x is in the level before
/// (by induction). When x is expanded, c is either reached or left out and then decided exactly.
final class LevelWalk {
    private final class Level {
        var nodes = NodeSet()
        /// Per node of the level before, how many nodes were here after it was expanded.
        var ends: ContiguousArray<Int> = []
        /// Nodes after this many were decided exactly: no way to them is kept.
        var certainCount = 0
    }

    private let frame: Frame
    private let plan: DistinctWalkPlan
    private let levels: [Level]
    private var types: [TypeNumbers]
    private var resolved: [[TokenID]]
    /// The union of the reported levels, when there are several.
    private var union = NodeSet()
    private let usesUnion: Bool
    private var doubtful: ContiguousArray<UInt64> = []
    private var neighbours: ContiguousArray<UInt64> = []
    private var frontier = NodeSet()
    private var noEnds: ContiguousArray<Int> = []
    /// Per level the place of the ancestor of the node that is looked at.
    private var ancestors: [Int]
    private var excluded: ContiguousArray<UInt64> = []
    private let filterBatch: Batch
    private var isKept: ContiguousArray<Bool> = []
    private var stepCount = 0
    private static let keptByteCount = 1 << 20

    init(_ frame: Frame, _ plan: DistinctWalkPlan) {
        self.frame = frame
        self.plan = plan
        levels = (0...(plan.reach == nil ? plan.hops.count : 0)).map { _ in Level() }
        types = plan.hops.map { TypeNumbers($0.types) }
        resolved = plan.hops.map { _ in [] }
        ancestors = Array(repeating: 0, count: levels.count)
        usesUnion = plan.reach == nil && (plan.reportsStart || plan.hops.count(where: \.isReported) > 1)
        filterBatch = Batch(slotCount: plan.hops.contains { !$0.filters.isEmpty } ? frame.slotCount : 0)
    }

    func addStart(_ node: UInt64) { levels[0].nodes.insert(NodeID(node)) }

    var resultCount: Int { usesUnion || plan.reach != nil ? union.count : lastCount }
    private var lastCount: Int { levels[levels.count - 1].nodes.count }

    func appendResult(_ places: Range<Int>, to target: inout ContiguousArray<UInt64>) {
        if usesUnion || plan.reach != nil {
            union.append(places, to: &target)
        } else {
            levels[levels.count - 1].nodes.append(places, to: &target)
        }
    }

    func clear() {
        for level in levels {
            level.nodes.removeAll()
            level.ends.removeAll(keepingCapacity: true)
        }
        union.removeAll()
    }

    /// Gives back unusual amounts of memory.
    func trim() {
        for level in levels {
            level.nodes.removeAll(keepingAtMost: Self.keptByteCount)
            if level.ends.capacity > Self.keptByteCount / 8 { level.ends = [] }
        }
        union.removeAll(keepingAtMost: Self.keptByteCount)
        frontier.removeAll(keepingAtMost: Self.keptByteCount)
    }

    func run() throws(GraphError) {
        if plan.reach != nil { return try reach() }
        levels[0].certainCount = levels[0].nodes.count
        if plan.reportsStart { report(levels[0]) }
        for (index, hop) in plan.hops.enumerated() {
            guard let types = types[index].resolve(frame) else { break }
            resolved[index] = types
            if levels[index].nodes.isEmpty { break }
            try frame.checkControl()
            try expand(index, hop, types)
            try filter(index)
            if usesUnion && hop.isReported { report(levels[index + 1]) }
        }
    }

    private func report(_ level: Level) {
        for place in 0..<level.nodes.count { union.insert(NodeID(level.nodes[place])) }
    }

    // MARK: One level

    private func expand(_ index: Int, _ hop: DistinctWalkPlan.Hop, _ types: [TokenID]) throws(GraphError) {
        let (level, next) = (levels[index], levels[index + 1])
        // Whether a later hop asks for the ways to the nodes of the next level.
        let needsEnds = plan.hops[(index + 1)...].contains { $0.patternStart <= index && !$0.comparable.isEmpty }
        doubtful.removeAll(keepingCapacity: true)
        if hop.comparable.isEmpty {
            if needsEnds {
                frame.transaction.expandDistinct(
                    level.nodes, 0..<level.certainCount, hop.direction, types: types, into: &next.nodes, ends: &next.ends)
                next.certainCount = next.nodes.count
                expandUncertain(level, hop, types)
                for node in neighbours { next.nodes.insert(NodeID(node)) }
            } else {
                frame.transaction.expandDistinct(level.nodes, hop.direction, types: types, into: &next.nodes)
                next.certainCount = next.nodes.count
            }
            return
        }
        for place in ancestors.indices { ancestors[place] = 0 }
        var start = 0
        for place in 0..<level.certainCount {
            findExcluded(index, hop, place)
            if excluded.isEmpty { continue }
            frame.transaction.expandDistinct(
                level.nodes, start..<place, hop.direction, types: types, into: &next.nodes, ends: &next.ends)
            expandWithoutExcluded(level.nodes[place], hop, types, into: next)
            start = place + 1
        }
        frame.transaction.expandDistinct(
            level.nodes, start..<level.certainCount, hop.direction, types: types, into: &next.nodes, ends: &next.ends)
        next.certainCount = next.nodes.count
        expandUncertain(level, hop, types)
        doubtful.append(contentsOf: neighbours)
        for node in doubtful where !next.nodes.contains(NodeID(node)) {
            var used: [UInt64] = []
            if try hasWay(to: node, index, &used) { next.nodes.insert(NodeID(node)) }
        }
    }

    /// Fills `neighbours` with those of the nodes to which no way is kept.
    private func expandUncertain(_ level: Level, _ hop: DistinctWalkPlan.Hop, _ types: [TokenID]) {
        neighbours.removeAll(keepingCapacity: true)
        for place in level.certainCount..<level.nodes.count {
            frame.transaction.expand(NodeID(level.nodes[place]), hop.direction, types: types, neighbours: &neighbours)
        }
    }

    /// Neighbours to which the known way to a node went from it already.
    private func findExcluded(_ index: Int, _ hop: DistinctWalkPlan.Hop, _ place: Int) {
        excluded.removeAll(keepingCapacity: true)
        let node = levels[index].nodes[place]
        ancestors[index] = place
        var level = index
        while level > hop.patternStart {
            level -= 1
            // Places of ancestors climb with the places of their descendants.
            while levels[level + 1].ends[ancestors[level]] <= ancestors[level + 1] { ancestors[level] += 1 }
        }
        for earlier in hop.comparable {
            let start = levels[earlier].nodes[ancestors[earlier]]
            let end = levels[earlier + 1].nodes[ancestors[earlier + 1]]
            let other = plan.hops[earlier].direction
            let mayGoAlong = other == hop.direction || other == .both || hop.direction == .both
            let mayGoBack = other != hop.direction || other == .both
            if mayGoAlong && start == node { excluded.append(end) }
            if mayGoBack && end == node { excluded.append(start) }
        }
    }

    private func expandWithoutExcluded(
        _ node: UInt64, _ hop: DistinctWalkPlan.Hop, _ types: [TokenID], into next: Level
    ) {
        neighbours.removeAll(keepingCapacity: true)
        frame.transaction.expand(NodeID(node), hop.direction, types: types, neighbours: &neighbours)
        for neighbour in neighbours {
            if excluded.contains(neighbour) { doubtful.append(neighbour) } else { next.nodes.insert(NodeID(neighbour)) }
        }
        next.ends.append(next.nodes.count)
    }

    /// Whether the hop `index` leads to a node by a way that uses no relationship twice.
    private func hasWay(to node: UInt64, _ index: Int, _ used: inout [UInt64]) throws(GraphError) -> Bool {
        stepCount += 1
        if stepCount & 0xFF == 0 { try frame.checkControl() }
        let hop = plan.hops[index]
        var neighbours: ContiguousArray<UInt64> = []
        var relationships: ContiguousArray<UInt64> = []
        frame.transaction.expand(
            NodeID(node), hop.direction.reversed, types: resolved[index], neighbours: &neighbours,
            relationships: &relationships)
        let level = levels[index]
        for (place, neighbour) in neighbours.enumerated() {
            guard level.nodes.contains(NodeID(neighbour)), !used.contains(relationships[place]) else { continue }
            if index == patternStart(of: used.count, from: index) { return true }
            used.append(relationships[place])
            let isFound = try hasWay(to: neighbour, index - 1, &used)
            used.removeLast()
            if isFound { return true }
        }
        return false
    }

    /// The first hop of the pattern whose hop, `count` later than `index`, is being decided.
    private func patternStart(of count: Int, from index: Int) -> Int { plan.hops[index + count].patternStart }

    // MARK: Conditions on nodes

    private func filter(_ index: Int) throws(GraphError) {
        let hop = plan.hops[index]
        let level = levels[index + 1]
        let count = level.nodes.count
        if count == 0 || hop.filters.allSatisfy({ $0.label.map(frame.isLabelOfAll) ?? false }) { return }
        let column = hop.slot.index
        filterBatch.columns[column].ids.removeAll(keepingCapacity: true)
        level.nodes.append(0..<count, to: &filterBatch.columns[column].ids)
        filterBatch.rowCount = count
        frame.batch = filterBatch
        isKept.removeAll(keepingCapacity: true)
        for row in 0..<count {
            if row & 0x3FF == 0 { try frame.checkControl() }
            var passes = true
            for filter in hop.filters where passes { passes = try filter.test(frame, row) == .true }
            isKept.append(passes)
        }
        level.nodes.filter { isKept[$0] }
        // Counts of those that are left.
        var kept = 0
        var place = 0
        for source in level.ends.indices {
            while place < level.ends[source] {
                kept += isKept[place] ? 1 : 0
                place += 1
            }
            level.ends[source] = kept
        }
        level.certainCount = isKept[..<level.certainCount].count { $0 }
    }

    // MARK: Reaching

    /// Nodes at a distance of 1 to the maximum from some start: the shortest way to a node repeats nothing.
    private func reach() throws(GraphError) {
        guard let reach = plan.reach, let hop = plan.hops.first, let types = types[0].resolve(frame) else {
            if plan.reportsStart { reportStarts() }
            return
        }
        if plan.reportsStart { reportStarts() }
        frontier.removeAll()
        for place in 0..<levels[0].nodes.count { frontier.insert(NodeID(levels[0].nodes[place])) }
        var depth = 0
        while depth < reach.maximum, !frontier.isEmpty {
            try frame.checkControl()
            let before = union.count
            frame.transaction.expandDistinct(frontier, hop.direction, types: types, into: &union)
            frontier.removeAll()
            for place in before..<union.count { frontier.insert(NodeID(union[place])) }
            depth += 1
        }
    }

    private func reportStarts() { report(levels[0]) }
}
