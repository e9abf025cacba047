import GraphModel
import Storage
import TestSupport
import Testing
import Traversal

/// Path algorithms against trying everything.
@Suite struct AlgorithmTests {
    private struct Walk: Hashable {
        var nodes: [UInt64]
        var relationships: [UInt64] = []

        init(_ path: Path) {
            nodes = path.nodes.map(\.rawValue)
            relationships = path.relationships.map(\.rawValue)
        }
        init(from node: Int) { nodes = [UInt64(node)] }
    }

    /// All walks without a relationship twice, or without a node twice, from one node to another.
    private func walks(
        _ model: Model, from start: Int, to end: Int, type: String?, _ direction: Direction, maxDepth: Int, isSimple: Bool
    ) -> Set<Walk> {
        var found: Set<Walk> = []
        func follow(_ walk: Walk) {
            let node = Int(walk.nodes[walk.nodes.count - 1])
            if node == end { found.insert(walk) }
            if walk.relationships.count == maxDepth { return }
            for (index, edge) in model.edges.enumerated() where type == nil || edge.type == type {
                var ends: Set<Int> = []
                if direction != .incoming, edge.start == node { ends.insert(edge.end) }
                if direction != .outgoing, edge.end == node { ends.insert(edge.start) }
                for next in ends {
                    if isSimple && walk.nodes.contains(UInt64(next)) { continue }
                    if walk.relationships.contains(UInt64(index)) { continue }
                    var longer = walk
                    longer.nodes.append(UInt64(next))
                    longer.relationships.append(UInt64(index))
                    follow(longer)
                }
            }
        }
        follow(Walk(from: start))
        return found
    }

    @Test(arguments: 0..<120 as Range<UInt64>) func algorithmsFindWhatThereIs(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = try TestGraph()
        let model = Model(&generator, nodes: 1...7, edges: 0...11)
        let transaction = try model.store(in: graph, &generator)
        for _ in 0..<6 {
            let start = Int.random(in: 0..<model.nodeCount, using: &generator)
            let end = Int.random(in: 0..<model.nodeCount, using: &generator)
            let (from, to) = (NodeID(UInt64(start)), NodeID(UInt64(end)))
            let maxDepth = Int.random(in: 0...5, using: &generator)
            let direction = Direction.allCases.randomElement(using: &generator) ?? .both
            let type: String? = Bool.random(using: &generator) ? "R" : nil
            let expander = type.map { .type($0, direction) } ?? PathExpander.allTypes(direction)
            let what: Comment = "seed \(seed), \(start) to \(end), depth \(maxDepth), \(direction), \(type ?? "all")"
            func expected(_ maxDepth: Int, isSimple: Bool) -> Set<Walk> {
                walks(model, from: start, to: end, type: type, direction, maxDepth: maxDepth, isSimple: isSimple)
            }
            func check(_ finder: some PathFinder<Path>, _ expected: Set<Walk>) throws {
                let found = try finder.findAllPaths(from: from, to: to, in: transaction).map(Walk.init)
                #expect(Set(found) == expected && found.count == expected.count, what)
                let single = try finder.findSinglePath(from: from, to: to, in: transaction).map(Walk.init)
                #expect(single.map(expected.contains) ?? expected.isEmpty, what)
            }
            let simple = expected(maxDepth, isSimple: true)
            try check(GraphAlgorithms.allSimplePaths(expander, maxDepth: maxDepth), simple)
            try check(GraphAlgorithms.allPaths(expander, maxDepth: maxDepth), expected(maxDepth, isSimple: false))
            let least = simple.map(\.relationships.count).min()
            let shortest = simple.filter { $0.relationships.count == least }
            try check(GraphAlgorithms.shortestPath(expander, maxDepth: maxDepth), shortest)
            // The same by a closure, which cannot be walked from the other end.
            let closure = PathExpander.custom { position in
                var (neighbours, relationships): (ContiguousArray<UInt64>, ContiguousArray<UInt64>) = ([], [])
                let types = type.map { [position.transaction.token(.relationshipType, $0) ?? 99] } ?? []
                position.transaction.expand(
                    position.endNode, direction, types: types, neighbours: &neighbours, relationships: &relationships)
                return relationships.map(RelationshipID.init)
            }
            try check(GraphAlgorithms.shortestPath(closure, maxDepth: maxDepth), shortest)
            try check(GraphAlgorithms.allPaths(closure, maxDepth: maxDepth), expected(maxDepth, isSimple: false))
            try checkCheapest(model, expander, from, to, expected(model.nodeCount, isSimple: true), transaction, what)
        }
    }

    private func checkCheapest(
        _ model: Model, _ expander: PathExpander, _ from: NodeID, _ to: NodeID, _ simple: Set<Walk>,
        _ transaction: Transaction, _ what: Comment
    ) throws {
        func cost(_ walk: Walk) -> Int { walk.relationships.reduce(0) { $0 + (model.edges[Int($1)].cost ?? 2) } }
        let least = simple.map(cost).min()
        let cheapest = simple.filter { cost($0) == least }
        let dijkstra = GraphAlgorithms.dijkstra(expander, costProperty: "cost", defaultCost: 2)
        let found = try dijkstra.findAllPaths(from: from, to: to, in: transaction)
        #expect(Set(found.map { Walk($0.path) }) == cheapest && found.count == cheapest.count, what)
        #expect(found.allSatisfy { $0.weight == least.map(Double.init) }, what)
        #expect(try dijkstra.findSinglePath(from: from, to: to, in: transaction)?.weight == least.map(Double.init), what)
        // What it costs from a node on, by Dijkstra's algorithm, is the best of all estimates; a part of it is one too.
        let property = CostEvaluator.property("cost", default: 2)
        for part in [0.0, 0.5, 1.0] {
            let star = GraphAlgorithms.aStar(expander, cost: property) { node, goal, transaction throws(GraphError) in
                let rest = try GraphAlgorithms.dijkstra(expander, cost: property)
                    .findSinglePath(from: node, to: goal, in: transaction)
                // Some nodes are said to be nearer than their neighbours make it: no two estimates need to agree.
                return (rest?.weight ?? 5) * (node.rawValue % 2 == 0 ? part : 0)
            }
            let single = try star.findSinglePath(from: from, to: to, in: transaction)
            #expect(single?.weight == least.map(Double.init), what)
            #expect(single.map { cheapest.contains(Walk($0.path)) } ?? cheapest.isEmpty, what)
        }
    }

    // MARK: 4.7

    @Test func shortestPathOfTheManual() throws {
        let graph = try TestGraph(
            names: ["start", "m1", "m2", "m3", "end"],
            ["start T m1", "m1 T end", "start T m2", "m2 T m3", "m3 T end"])
        let finder = GraphAlgorithms.shortestPath(.type("T", .outgoing), maxDepth: 15)
        let paths = try finder.findAllPaths(from: NodeID(0), to: NodeID(4), in: graph.snapshot)
        #expect(paths.map { $0.nodes.map(\.rawValue) } == [[0, 1, 4]])
        // Not against the direction.
        #expect(try finder.findSinglePath(from: NodeID(4), to: NodeID(0), in: graph.snapshot) == nil)
    }

    private func roads() throws -> TestGraph {
        let graph = try TestGraph()
        try graph.write { transaction in
            for (name, x, y) in [("A", 0.0, 0.0), ("B", 7.0, 0.0), ("C", 2.0, 1.0)] {
                _ = try transaction.createNode(
                    properties: [("name", .string(name)), ("x", .float(x)), ("y", .float(y))])
            }
            for (start, end, length) in [(0, 2, 2.0), (2, 1, 3.0), (0, 1, 10.0)] as [(UInt64, UInt64, Double)] {
                _ = try transaction.createRelationship(
                    type: "ROAD", from: NodeID(start), to: NodeID(end), properties: [("length", .float(length))])
            }
        }
        return graph
    }

    @Test func aStarOfTheManual() throws {
        let graph = try roads()
        let star = GraphAlgorithms.aStar(cost: .property("length")) { node, goal, transaction in
            func coordinate(_ key: String, _ node: NodeID) -> Double {
                guard case .float(let number)? = transaction.property(named: key, of: .node(node)) else { return 0 }
                return number
            }
            let (dx, dy) = (coordinate("x", node) - coordinate("x", goal), coordinate("y", node) - coordinate("y", goal))
            return (dx * dx + dy * dy).squareRoot()
        }
        // The manual's estimate from C is 5.1, more than the 3 that it costs: the way by C is still the cheapest that is met.
        let path = try star.findSinglePath(from: NodeID(0), to: NodeID(1), in: graph.snapshot)
        #expect(path?.path.nodes.map(\.rawValue) == [0, 2, 1])
        #expect(path?.weight == 5)
    }

    @Test func dijkstraOfTheManual() throws {
        let graph = try roads()
        let finder = GraphAlgorithms.dijkstra(.type("ROAD", .both), costProperty: "length")
        let path = try finder.findSinglePath(from: NodeID(0), to: NodeID(1), in: graph.snapshot)
        #expect(path?.weight == 5)
        #expect(path?.path.relationships.map(\.rawValue) == [0, 1])
    }

    // MARK: What is no cost, no node, no depth

    @Test func costsMustBeCosts() throws {
        let graph = try TestGraph(names: ["a", "b"], ["a T b"])
        func error(_ cost: Value?, _ defaultCost: Double? = nil) throws -> GraphError? {
            try graph.write { try $0.setProperty("cost", to: cost ?? .null, ofRelationship: RelationshipID(0)) }
            return failure {
                _ = try GraphAlgorithms.dijkstra(costProperty: "cost", defaultCost: defaultCost)
                    .findSinglePath(from: NodeID(0), to: NodeID(1), in: graph.snapshot)
            }
        }
        #expect(try error(.integer(3)) == nil)
        #expect(try error(.string("2.5")) == nil)
        #expect(try error(nil)?.code == .propertyNotFound)
        #expect(try error(nil, 4) == nil)
        #expect(try error(nil, -4)?.code == .argumentError)
        #expect(try error(.integer(-1))?.code == .argumentError)
        #expect(try error(.float(.nan))?.code == .argumentError)
        #expect(try error(.boolean(true))?.code == .typeError)
        #expect(try error(.string("much"))?.code == .typeError)
    }

    @Test func endsMustExist() throws {
        let graph = try TestGraph(names: ["a"], [])
        for finder in [GraphAlgorithms.shortestPath(maxDepth: 1)] {
            let error = failure { _ = try finder.findAllPaths(from: NodeID(0), to: NodeID(7), in: graph.snapshot) }
            #expect(error?.code == .entityNotFound && error?.message.contains("Node 7") ?? false)
        }
        let depth = failure {
            _ = try GraphAlgorithms.allPaths(maxDepth: -1).findAllPaths(from: NodeID(0), to: NodeID(0), in: graph.snapshot)
        }
        #expect(depth?.code == .argumentError)
    }
}
