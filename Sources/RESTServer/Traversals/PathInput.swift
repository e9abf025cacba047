internal import GraphModel
internal import Storage
internal import Traversal

/// What a search for paths asks for (18.14).
struct PathInput: Sendable {
    private enum Algorithm: String, CaseIterable {
        case shortestPath, allSimplePaths, allPaths, dijkstra
    }
    private enum Finder: Sendable {
        case paths(any PathFinder<Path>)
        case weighted(any PathFinder<WeightedPath>)
    }
    let start: NodeID
    let end: NodeID
    private let finder: Finder

    init(_ call: Call) throws(GraphError) {
        start = try call.nodeID()
        let body = try call.map()
        end = try body.nodeID("to", "the URI of the node to find paths to")
        let expander = try TraversalInput.expander(body)
        let depth = try body.count("max_depth") ?? 1
        let algorithm: Algorithm? = try body.word("algorithm")
        switch algorithm {
        case .shortestPath, nil: finder = .paths(GraphAlgorithms.shortestPath(expander, maxDepth: depth))
        case .allSimplePaths: finder = .paths(GraphAlgorithms.allSimplePaths(expander, maxDepth: depth))
        case .allPaths: finder = .paths(GraphAlgorithms.allPaths(expander, maxDepth: depth))
        case .dijkstra: finder = .weighted(GraphAlgorithms.dijkstra(expander, cost: try Self.cost(body)))
        }
    }

    private static func cost(_ body: MapValue) throws(GraphError) -> CostEvaluator {
        let defaultCost = try body.number("default_cost")
        if let defaultCost, !(defaultCost >= 0) {
            throw GraphError(.invalidRequest, "\"default_cost\" is \(defaultCost): it must be at least 0")
        }
        if let property = try body.text("cost_property") { return .property(property, default: defaultCost) }
        guard let defaultCost else {
            throw GraphError(
                .invalidRequest,
                "dijkstra needs \"cost_property\", the property that says what a relationship costs, or \"default_cost\"")
        }
        return .custom { _, _ in defaultCost }
    }

    /// Calls `body` with each path and what it costs, if that is known, until it returns false.
    func forEachPath(
        in transaction: Transaction, _ control: TraversalControl,
        _ body: (Path, Double?) throws(GraphError) -> Bool
    ) throws(GraphError) {
        try requireEnds(transaction)
        do throws(GraphError) {
            switch finder {
            case .paths(let finder):
                try finder.forEachPath(from: start, to: end, in: transaction, control: control) {
                    path throws(GraphError) in try body(path, nil)
                }
            case .weighted(let finder):
                try finder.forEachPath(from: start, to: end, in: transaction, control: control) {
                    path throws(GraphError) in try body(path.path, path.weight)
                }
            }
        } catch {
            throw error.asBadInput
        }
    }

    /// One path and what it costs, if that is known; nil when there is none.
    func onePath(
        in transaction: Transaction, _ control: TraversalControl
    ) throws(GraphError) -> (path: Path, weight: Double?)? {
        try requireEnds(transaction)
        do throws(GraphError) {
            switch finder {
            case .paths(let finder):
                let path = try finder.findSinglePath(from: start, to: end, in: transaction, control: control)
                return path.map { ($0, nil) }
            case .weighted(let finder):
                let path = try finder.findSinglePath(from: start, to: end, in: transaction, control: control)
                return path.map { ($0.path, $0.weight) }
            }
        } catch {
            throw error.asBadInput
        }
    }

    private func requireEnds(_ transaction: Transaction) throws(GraphError) {
        try transaction.requireNode(start)
        try transaction.requireNode(end)
    }
}
