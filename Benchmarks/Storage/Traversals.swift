internal import FileSystem
internal import GraphModel
internal import Storage
internal import Traversal

/// Traversals and path algorithms over a store, from random nodes.
enum Traversals {
    static func run(_ store: Store, rounds: Int) throws {
        let transaction = store.beginRead()
        let nodeCount = UInt64(transaction.nodeCount())
        var random: UInt64 = 88_172_645_463_325_252
        func draw() -> NodeID {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return NodeID(random % nodeCount)
        }
        let toDepthThree = TraversalDescription().expand(.allTypes(.outgoing)).evaluator(.toDepth(3))
        for (name, description) in [
            ("breadth-global", toDepthThree.breadthFirst()),
            ("depth-path", toDepthThree.uniqueness(.nodePath)),
        ] {
            var (nanoseconds, edgeCount, resultCount): (UInt64, Int, Int) = (0, 0, 0)
            for _ in 0..<rounds {
                let traverser = description.traverse(from: draw(), in: transaction)
                let start = monotonicNanoseconds()
                var cursor = traverser.cursor()
                while try cursor.next() { resultCount += 1 }
                nanoseconds += monotonicNanoseconds() - start
                // What was looked at, counted apart from the time.
                cursor = traverser.cursor()
                while try cursor.next() {
                    if cursor.length < 3 { edgeCount += transaction.degree(cursor.endNode, .outgoing, types: []) }
                }
            }
            report(name, Double(edgeCount) / Double(nanoseconds) * 1e3, "M-relationships/s", "\(resultCount) results")
        }
        let shortest = GraphAlgorithms.shortestPath(.allTypes(.outgoing), maxDepth: 15)
        let start = monotonicNanoseconds()
        var length = 0
        for _ in 0..<rounds {
            length += try shortest.findSinglePath(from: draw(), to: draw(), in: transaction)?.relationships.count ?? 0
        }
        report(
            "shortest-path", Double(monotonicNanoseconds() - start) / Double(rounds) / 1e3, "us/search",
            "mean length \(Double(length) / Double(rounds))")
        try transaction.requireIntact()
    }
}
