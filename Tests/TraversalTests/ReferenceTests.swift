import GraphModel
import Storage
import TestSupport
import Testing
import Traversal

/// Traversal by the definition: paths as arrays, recursion, lists that are searched.
private struct Reference {
    let transaction: Transaction
    let description: RandomDescription
    var visited: [UInt64] = []
    var results: [String] = []

    struct Position {
        var nodes: [UInt64]
        var relationships: [UInt64] = []
        var length: Int { relationships.count }

        var text: String {
            var text = "\(nodes[0])"
            for index in relationships.indices { text += " -\(relationships[index])- \(nodes[index + 1])" }
            return text
        }
    }

    init(_ description: RandomDescription, in transaction: Transaction) {
        self.description = description
        self.transaction = transaction
    }

    mutating func run(from starts: [UInt64]) -> [String] {
        let admitted = starts.lazy.map { Position(nodes: [$0]) }
        switch description.order {
        case 0, 1:
            for start in starts {
                let position = Position(nodes: [start])
                if admits(position) { walkDepthFirst(position) }
            }
        default:
            var all: [Position] = []
            for position in admitted where admits(position) { all.append(position) }
            var place = 0
            while place < all.count {
                all += children(of: all[place])
                place += 1
            }
            if description.order == 3 {
                let depth = all.map(\.length).max() ?? 0
                all = (0...depth).reversed().flatMap { length in all.filter { $0.length == length } }
            }
            for position in all { emit(position) }
        }
        return results
    }

    private mutating func walkDepthFirst(_ position: Position) {
        if description.order == 0 { emit(position) }
        for child in candidates(of: position) where admits(child) { walkDepthFirst(child) }
        if description.order == 1 { emit(position) }
    }

    private mutating func children(of position: Position) -> [Position] {
        var children: [Position] = []
        for child in candidates(of: position) where admits(child) { children.append(child) }
        return children
    }

    private mutating func emit(_ position: Position) {
        if description.evaluations(position.nodes, position.relationships).allSatisfy(\.includes) {
            results.append(position.text)
        }
    }

    private func candidates(of position: Position) -> [Position] {
        guard description.evaluations(position.nodes, position.relationships).allSatisfy(\.continues) else { return [] }
        var found: [Position] = []
        for (direction, types) in description.groups {
            let tokens = types.compactMap { transaction.token(.relationshipType, $0) }
            if tokens.isEmpty && !types.isEmpty { continue }
            var neighbours: ContiguousArray<UInt64> = []
            var relationships: ContiguousArray<UInt64> = []
            transaction.expand(
                NodeID(position.nodes[position.length]), direction, types: tokens, neighbours: &neighbours,
                relationships: &relationships)
            for (neighbour, relationship) in zip(neighbours, relationships) {
                found.append(
                    Position(nodes: position.nodes + [neighbour], relationships: position.relationships + [relationship]))
            }
        }
        return found
    }

    private mutating func admits(_ position: Position) -> Bool {
        let node = position.nodes[position.length]
        switch description.uniqueness {
        case .none: return true
        case .nodePath: return !position.nodes.dropLast().contains(node)
        case .relationshipPath:
            return position.length == 0 || !position.relationships.dropLast().contains(position.relationships[position.length - 1])
        case .nodeGlobal: return note(node, recent: .max)
        case .nodeRecent(let count): return note(node, recent: count)
        case .relationshipGlobal: return position.length == 0 || note(position.relationships[position.length - 1], recent: .max)
        case .relationshipRecent(let count):
            return position.length == 0 || note(position.relationships[position.length - 1], recent: count)
        }
    }

    private mutating func note(_ id: UInt64, recent count: Int) -> Bool {
        let known = visited.firstIndex(of: id)
        if let known { visited.remove(at: known) }
        visited.append(id)
        if visited.count > count { visited.removeFirst() }
        return known == nil
    }
}

/// A description for the traversal, and what it means for the reference.
struct RandomDescription: Sendable {
    /// Preorder and postorder, depth first; the same, breadth first.
    let order: Int
    let uniqueness: Uniqueness
    var groups: [(Direction, [String])] = []
    private(set) var description = TraversalDescription()
    private var tests: [@Sendable ([UInt64], [UInt64]) -> Evaluation] = []

    static let uniquenesses: [Uniqueness] = [
        .none, .nodeGlobal, .relationshipGlobal, .nodePath, .relationshipPath, .nodeRecent(1), .nodeRecent(3),
        .relationshipRecent(2), .relationshipRecent(100),
    ]

    init(order: Int, _ uniqueness: Uniqueness, _ generator: inout SeededGenerator) {
        self.order = order
        self.uniqueness = uniqueness
        let orders: [BranchOrdering] = [
            .preorderDepthFirst, .postorderDepthFirst, .preorderBreadthFirst, .postorderBreadthFirst,
        ]
        description = description.order(orders[order]).uniqueness(uniqueness)
        addExpander(&generator)
        // Whatever else, it ends.
        let depth = Int.random(in: 0...4, using: &generator)
        add(.toDepth(depth)) { _, relationships in
            Evaluation(includes: relationships.count <= depth, continues: relationships.count < depth)
        }
        for _ in 0..<Int.random(in: 0...2, using: &generator) { addEvaluator(&generator) }
    }

    private mutating func add(_ evaluator: Evaluator, _ test: @escaping @Sendable ([UInt64], [UInt64]) -> Evaluation) {
        description = description.evaluator(evaluator)
        tests.append(test)
    }

    func evaluations(_ nodes: [UInt64], _ relationships: [UInt64]) -> [Evaluation] {
        tests.map { $0(nodes, relationships) }
    }

    private mutating func addExpander(_ generator: inout SeededGenerator) {
        let first = Direction.allCases.randomElement(using: &generator) ?? .both
        let second = Direction.allCases.randomElement(using: &generator) ?? .both
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: groups = [(.both, [])]
        case 1:
            description = description.expand(.allTypes(first))
            groups = [(first, [])]
        case 2:
            description = description.relationships("R", first).relationships("nobody uses this")
            groups = [(first, ["R"])] + (first == .both ? [] : [(.both, ["nobody uses this"])])
        case 3:
            description = description.relationships("R", first).relationships("R", second)
            groups = [(first == second ? first : .both, ["R"])]
        default:
            description = description.expand(.orderedByType.adding("S", first).adding("R", second))
            groups = [(first, ["S"]), (second, ["R"])]
        }
    }

    private mutating func addEvaluator(_ generator: inout SeededGenerator) {
        let number = Int.random(in: 0...3, using: &generator)
        let node = UInt64(number)
        @Sendable func either(_ isMatch: Bool, _ matching: Evaluation, _ otherwise: Evaluation) -> Evaluation {
            isMatch ? matching : otherwise
        }
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: add(.excludeStartPosition) { _, path in Evaluation(includes: !path.isEmpty, continues: true) }
        case 1: add(.fromDepth(number)) { _, path in Evaluation(includes: path.count >= number, continues: true) }
        case 2:
            add(.atDepth(number)) { _, path in Evaluation(includes: path.count == number, continues: path.count < number) }
        case 3:
            add(.includeWhereEndNodeIs(NodeID(node), NodeID(node + 1))) { nodes, _ in
                let end = nodes[nodes.count - 1]
                return either(end == node || end == node + 1, .includeAndContinue, .excludeAndContinue)
            }
        case 4:
            add(.pruneWhereEndNodeIs(NodeID(node))) { nodes, _ in
                either(nodes[nodes.count - 1] == node, .includeAndPrune, .excludeAndContinue)
            }
        case 5:
            add(.includeIfContainsAll(NodeID(node), NodeID(0))) { nodes, _ in
                either(nodes.contains(node) && nodes.contains(0), .includeAndContinue, .excludeAndContinue)
            }
        case 6:
            add(.includeIfAcceptedByAny(.atDepth(0), .includeWhereEndNodeIs(NodeID(node)))) { nodes, path in
                either(path.isEmpty || nodes[nodes.count - 1] == node, .includeAndContinue, .excludeAndContinue)
            }
        default:
            add(
                .evaluating { position in
                    let path = position.path()
                    precondition(path.nodes[0] == position.startNode && position.contains(position.endNode))
                    return Evaluation(
                        includes: path.nodes[path.nodes.count - 1].rawValue % 2 == 0,
                        continues: path.relationships.last.map { $0.rawValue % 3 != 0 } ?? true)
                }
            ) { nodes, path in
                Evaluation(includes: nodes[nodes.count - 1] % 2 == 0, continues: path.last.map { $0 % 3 != 0 } ?? true)
            }
        }
    }
}

@Suite struct ReferenceTests {
    private func texts(_ traverser: Traverser) -> [String] {
        traverser.map { path in
            Reference.Position(nodes: path.nodes.map(\.rawValue), relationships: path.relationships.map(\.rawValue)).text
        }
    }

    /// Every uniqueness in every order, with random relationships, expanders, evaluators and start nodes.
    @Test(arguments: 0..<60 as Range<UInt64>) func everyTraversalIsWhatTheDefinitionSays(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = try TestGraph()
        let model = Model(&generator)
        let transaction = try model.store(in: graph, &generator)
        for uniqueness in RandomDescription.uniquenesses {
            for order in 0..<4 {
                let random = RandomDescription(order: order, uniqueness, &generator)
                let starts = (0..<Int.random(in: 1...2, using: &generator))
                    .map { _ in UInt64.random(in: 0..<UInt64(model.nodeCount), using: &generator) }
                var reference = Reference(random, in: transaction)
                let expected = reference.run(from: starts)
                let traverser = random.description.traverse(from: starts.map(NodeID.init), in: transaction)
                #expect(texts(traverser) == expected, "seed \(seed), order \(order), \(uniqueness), from \(starts)")
                #expect(traverser.failure == nil)
            }
        }
    }

    /// The same results when the traversal waits after each one and goes on in a transaction of its own.
    @Test(arguments: 0..<20 as Range<UInt64>) func aTraversalGoesOnInAnotherTransaction(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let graph = try TestGraph()
        let model = Model(&generator)
        _ = try model.store(in: graph, &generator)
        for uniqueness in RandomDescription.uniquenesses {
            for order in 0..<4 {
                let random = RandomDescription(order: order, uniqueness, &generator)
                let expected = texts(random.description.traverse(from: NodeID(0), in: graph.snapshot))
                var state = TraversalState(
                    random.description, from: [NodeID(0)], in: graph.snapshot, control: TraversalControl())
                var found: [String] = []
                while try state.advance(in: graph.snapshot) {
                    let path = state.path()
                    found.append(
                        Reference.Position(nodes: path.nodes.map(\.rawValue), relationships: path.relationships.map(\.rawValue))
                            .text)
                    state.resume(in: graph.snapshot)
                }
                #expect(found == expected, "seed \(seed), order \(order), \(uniqueness)")
            }
        }
    }
}
