import GraphModel
import Storage
import Synchronization
import TestSupport
import Testing
import Traversal

/// Laziness, limits, changes meanwhile, orders and expanders of one's own.
@Suite struct BehaviourTests {
    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)
        func add() { value.add(1, ordering: .relaxed) }
        var count: Int { value.load(ordering: .relaxed) }
    }

    /// `count` nodes in a row.
    private func chain(_ count: Int) throws -> TestGraph {
        let graph = try TestGraph()
        try graph.write { transaction in
            for _ in 0..<count { _ = try transaction.createNode() }
            for index in 0..<UInt64(count - 1) {
                _ = try transaction.createRelationship(
                    type: "NEXT", from: NodeID(index), to: NodeID(index + 1), properties: [])
            }
        }
        return graph
    }

    /// All nodes joined with all others.
    private func clique(_ count: UInt64) throws -> TestGraph {
        let graph = try TestGraph()
        try graph.write { transaction in
            for _ in 0..<count { _ = try transaction.createNode() }
            for start in 0..<count {
                for end in start + 1..<count {
                    _ = try transaction.createRelationship(type: "R", from: NodeID(start), to: NodeID(end), properties: [])
                }
            }
        }
        return graph
    }

    @Test func onlyWhatIsAskedForIsWalked() throws {
        let graph = try chain(100)
        let asked = Counter()
        let description = TraversalDescription().evaluator(
            .evaluating { _ in
                asked.add()
                return .includeAndContinue
            })
        for description in [description.depthFirst(), description.breadthFirst()] {
            let before = asked.count
            let traverser = description.traverse(from: NodeID(0), in: graph.snapshot)
            #expect(asked.count == before)
            #expect(traverser.nodes.prefix(3).map(\.rawValue) == [0, 1, 2])
            #expect(asked.count - before == 3)
        }
    }

    @Test func theStartNodeIsEvaluatedToo() throws {
        let graph = try chain(3)
        let description = TraversalDescription().evaluator(
            .evaluating { position in
                if position.length == 0 {
                    #expect(position.lastRelationship == nil && position.startNode == position.endNode)
                    return .includeAndPrune
                }
                return .includeAndContinue
            })
        #expect(description.traverse(from: NodeID(1), in: graph.snapshot).nodes.map(\.rawValue) == [1])
    }

    @Test func severalStartNodes() throws {
        let graph = try chain(6)
        let description = TraversalDescription().relationships("NEXT", .outgoing)
        let transaction = graph.snapshot
        func nodes(_ description: TraversalDescription) -> [UInt64] {
            description.traverse(from: NodeID(4), NodeID(2), in: transaction).nodes.map(\.rawValue)
        }
        #expect(nodes(description.depthFirst()) == [4, 5, 2, 3])
        #expect(nodes(description.breadthFirst()) == [4, 2, 5, 3])
        #expect(nodes(description.breadthFirst().uniqueness(.nodePath)) == [4, 2, 5, 3, 4, 5])
        #expect(description.traverse(from: [], in: transaction).map { $0 } == [])
    }

    // MARK: Failures

    @Test func aMissingStartNodeIsAnError() throws {
        let graph = try chain(2)
        let traverser = TraversalDescription().traverse(from: NodeID(0), NodeID(77), in: graph.snapshot)
        #expect(traverser.nodes.map(\.rawValue) == [0, 1])
        #expect(traverser.failure?.code == .entityNotFound)
        #expect(failure { try traverser.forEachPath { _ in true } }?.code == .entityNotFound)
    }

    @Test func whatAnEvaluatorThrowsEndsTheTraversal() throws {
        let graph = try chain(5)
        let description = TraversalDescription().evaluator(
            .including { position throws(GraphError) in
                if position.length == 2 { throw GraphError(.typeError, "two") }
                return true
            })
        let traverser = description.traverse(from: NodeID(0), in: graph.snapshot)
        #expect(traverser.nodes.map(\.rawValue) == [0, 1])
        #expect(traverser.failure?.message == "two")
        var cursor = traverser.cursor()
        #expect(failure { while try cursor.next() {} }?.message == "two")
        #expect(try cursor.next() == false)
    }

    @Test func anEndlessTraversalIsCancelled() throws {
        let graph = try clique(6)
        let asked = Counter()
        let control = TraversalControl { () throws(GraphError) in
            asked.add()
            if asked.count > 3 { throw GraphError(.executionLimit, "enough") }
        }
        for description in [
            TraversalDescription().uniqueness(.none).evaluator(.includeWhereEndNodeIs(NodeID(99))),
            TraversalDescription().uniqueness(.none).breadthFirst().evaluator(.includeWhereEndNodeIs(NodeID(99))),
            TraversalDescription().uniqueness(.none).order(.postorderBreadthFirst),
        ] {
            let traverser = description.traverse(from: NodeID(0), in: graph.snapshot, control: control)
            #expect(failure { try traverser.forEachPath { _ in true } }?.message == "enough")
        }
        for error in [
            failure {
                try GraphAlgorithms.allPaths(.custom { position in
                    var (neighbours, found): (ContiguousArray<UInt64>, ContiguousArray<UInt64>) = ([], [])
                    position.transaction.expand(
                        position.endNode, .both, types: [], neighbours: &neighbours, relationships: &found)
                    return found.map(RelationshipID.init)
                }, maxDepth: 100).forEachPath(
                    from: NodeID(0), to: NodeID(1), in: graph.snapshot, control: control) { _ in true }
            }
        ] { #expect(error?.message == "enough") }
    }

    @Test func memoryIsLimited() throws {
        let graph = try clique(8)
        let control = TraversalControl(byteCountMaximum: 1 << 20)
        let breadth = TraversalDescription().uniqueness(.none).breadthFirst().evaluator(.toDepth(20))
        let error = failure {
            try breadth.traverse(from: NodeID(0), in: graph.snapshot, control: control).forEachPath { _ in true }
        }
        #expect(error?.code == .queryMemory)
        // Depth first needs none of it: a path and what waits along it.
        var count = 0
        try breadth.depthFirst().evaluator(.toDepth(6)).traverse(from: NodeID(0), in: graph.snapshot, control: control)
            .forEachPath { _ in
                count += 1
                return true
            }
        #expect(count == (0...6).reduce(0) { sum, depth in sum + (0..<depth).reduce(1) { product, _ in product * 7 } })
    }

    @Test func aDeepPathNeedsNoStack() throws {
        let graph = try chain(900)
        // Again and again along the chain: no recursion as deep as the path.
        let description = TraversalDescription().uniqueness(.none).evaluator(.atDepth(200_000))
        let path = description.traverse(from: NodeID(0), in: graph.snapshot).first { _ in true }
        #expect(path?.relationships.count == 200_000)
    }

    // MARK: Changes meanwhile

    @Test func ownChangesAreSeen() throws {
        let graph = try chain(4)
        let transaction = graph.committer.begin(nodes: 10, relationships: 10)
        let description = TraversalDescription().relationships("NEXT", .outgoing)
        func nodes() -> [UInt64] { description.traverse(from: NodeID(0), in: transaction).nodes.map(\.rawValue) }
        #expect(nodes() == [0, 1, 2, 3])
        try transaction.deleteRelationship(RelationshipID(2))
        let new = try transaction.createNode()
        _ = try transaction.createRelationship(type: "NEXT", from: NodeID(2), to: new, properties: [])
        #expect(nodes() == [0, 1, 2, new.rawValue])
        #expect(
            try GraphAlgorithms.shortestPath(maxDepth: 9).findSinglePath(from: NodeID(0), to: new, in: transaction)?
                .nodes.map(\.rawValue) == [0, 1, 2, new.rawValue])
        transaction.close()
    }

    @Test func whatIsDeletedMeanwhileIsNotFollowed() throws {
        let graph = try clique(5)
        for order in [BranchOrdering.preorderDepthFirst, .preorderBreadthFirst] {
            // In the same transaction, by whoever iterates.
            let transaction = graph.committer.begin(nodes: 0, relationships: 0)
            let description = TraversalDescription().order(order).evaluator(.toDepth(1))
            var found: [UInt64] = []
            for node in description.traverse(from: NodeID(0), in: transaction).nodes {
                found.append(node.rawValue)
                // The relationships of node 0 have the ids 0 to 3; that to node 3 is number 2.
                if found.count == 2 { try transaction.deleteRelationship(RelationshipID(2)) }
            }
            #expect(found == [0, 1, 2, 4])
            transaction.close()
        }
        // By others, between two pages.
        var state = TraversalState(
            TraversalDescription().evaluator(.toDepth(1)), from: [NodeID(0)], in: graph.snapshot,
            control: TraversalControl())
        #expect(try state.advance(in: graph.snapshot) && state.endNode == NodeID(0))
        #expect(try state.advance(in: graph.snapshot) && state.endNode == NodeID(1))
        try graph.write { transaction in
            for id in [0, 1, 4, 7, 8, 9] as [UInt64] where transaction.relationship(RelationshipID(id)) != nil {
                try transaction.deleteRelationship(RelationshipID(id))
            }
            for id in [5, 6] as [UInt64] { try transaction.deleteRelationship(RelationshipID(id)) }
            try transaction.deleteNode(NodeID(1))
        }
        state.resume(in: graph.snapshot)
        #expect(try state.advance(in: graph.snapshot) && state.endNode == NodeID(3))
        #expect(try state.advance(in: graph.snapshot) && state.endNode == NodeID(4))
        #expect(try !state.advance(in: graph.snapshot))
    }

    @Test func theTextOfAPathWhoseRelationshipIsGone() throws {
        let graph = try chain(3)
        let path = Path(nodes: [NodeID(0), NodeID(1)], relationships: [RelationshipID(44)])
        #expect(path.text(in: graph.snapshot) == "(0)--[?,44]--(1)")
        #expect(path.text(in: graph.snapshot, .property("name")) == "()--[?]--()")
    }

    // MARK: Orders and expanders of one's own

    /// Always the highest node that was met.
    private struct HighestFirst: BranchSelector {
        var met: [(node: NodeID, branch: TraversalBranch)] = []
        var current: TraversalBranch? = .root

        mutating func next(_ tree: inout BranchTree, in transaction: Transaction) throws(GraphError) -> TraversalBranch? {
            if let current {
                while let child = try tree.next(of: current, in: transaction) {
                    met.append((tree.position(of: child, in: transaction).endNode, child))
                }
            }
            met.sort { $0.node < $1.node }
            current = met.popLast()?.branch
            return current
        }
    }

    @Test func aSelectorOfOnesOwn() throws {
        let graph = try TestGraph(
            names: ["a", "b", "c", "d", "e"], ["a T b", "a T c", "c T d", "b T e"])
        let description = TraversalDescription().order(.custom { HighestFirst() })
        // A selector has state, so each traversal gets a new one.
        for _ in 0..<2 {
            #expect(description.traverse(from: NodeID(0), in: graph.snapshot).nodes.map(\.rawValue) == [0, 2, 3, 1, 4])
        }
    }

    @Test func bestFirstIsTheOrderOfDijkstra() throws {
        for seed in 0..<20 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let graph = try TestGraph()
            let model = Model(&generator)
            let transaction = try model.store(in: graph, &generator)
            @Sendable func cost(_ path: Path) -> Double {
                path.relationships.reduce(0) { $0 + Double(model.edges[Int($1.rawValue)].cost ?? 2) }
            }
            let description = TraversalDescription().uniqueness(.nodePath).order(.bestFirst { cost($0.path()) })
            var costs: [Double] = []
            var best: [NodeID: Double] = [:]
            for path in description.traverse(from: NodeID(0), in: transaction) {
                costs.append(cost(path))
                let end = path.nodes[path.nodes.count - 1]
                if best[end] == nil { best[end] = costs[costs.count - 1] }
            }
            #expect(costs == costs.sorted(), "seed \(seed)")
            for (node, cost) in best {
                let cheapest = try GraphAlgorithms.dijkstra(costProperty: "cost", defaultCost: 2)
                    .findSinglePath(from: NodeID(0), to: node, in: transaction)
                #expect(cheapest?.weight == cost, "seed \(seed)")
            }
        }
    }

    @Test func anExpanderOfOnesOwn() throws {
        let graph = try TestGraph(names: ["a", "b", "c", "d"], ["a T b", "b S c", "c T d", "b T d"])
        // One relationship of each path may be of type S: what follows depends on the path.
        let description = TraversalDescription().expand(
            .custom { position in
                let transaction = position.transaction
                var (neighbours, found): (ContiguousArray<UInt64>, ContiguousArray<UInt64>) = ([], [])
                let wanted = position.length == 1 ? "S" : "T"
                let types = [transaction.token(.relationshipType, wanted) ?? 0]
                transaction.expand(position.endNode, .outgoing, types: types, neighbours: &neighbours, relationships: &found)
                return found.map(RelationshipID.init)
            })
        #expect(description.traverse(from: NodeID(0), in: graph.snapshot).nodes.map(\.rawValue) == [0, 1, 2, 3])
        let wrong = TraversalDescription().expand(.custom { _ in [RelationshipID(2)] })
        let error = failure { try wrong.traverse(from: NodeID(0), in: graph.snapshot).forEachPath { _ in true } }
        #expect(error?.code == .argumentError && error?.message.contains("relationship 2 at node 0") ?? false)
    }

    @Test func typesInTheOrderAdded() throws {
        let graph = try TestGraph(names: ["a", "b", "c", "d", "e"], ["a T b", "a S c", "a T d", "e S a"])
        func nodes(_ expander: PathExpander) -> [UInt64] {
            TraversalDescription().expand(expander).traverse(from: NodeID(0), in: graph.snapshot).nodes.map(\.rawValue)
        }
        #expect(nodes(.orderedByType.adding("S", .outgoing).adding("T", .outgoing)) == [0, 2, 1, 3])
        #expect(nodes(.orderedByType.adding("T").adding("S", .incoming)) == [0, 1, 3, 4])
    }
}
