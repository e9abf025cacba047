import GraphModel
import Storage
import TestSupport
import Testing
import Traversal

/// A small graph in memory. Ids are given from 0 on.
final class TestGraph {
    let store: Store
    let committer: LocalCommitter

    init() throws {
        store = try makeSmallStore()
        committer = try LocalCommitter(store)
    }

    func write<R>(_ body: (Transaction) throws -> R) throws -> R {
        let transaction = committer.begin(nodes: 1000, relationships: 1000)
        let result = try body(transaction)
        try committer.commitAndWait(transaction)
        return result
    }

    /// Named nodes, and relationships as in `A KNOWS B`.
    convenience init(names: [String], _ relationships: [String]) throws {
        try self.init()
        try write { transaction in
            for name in names { _ = try transaction.createNode(properties: [("name", .string(name))]) }
        }
        try write { transaction in
            for relationship in relationships {
                let parts = relationship.split(separator: " ").map(String.init)
                let ends = try [parts[0], parts[2]].map { name in try #require(names.firstIndex(of: name)) }
                _ = try transaction.createRelationship(
                    type: parts[1], from: NodeID(UInt64(ends[0])), to: NodeID(UInt64(ends[1])), properties: [])
            }
        }
    }

    var snapshot: Transaction { store.beginRead() }
}

extension Transaction {
    func name(_ node: NodeID) -> String {
        guard case .string(let text)? = property(named: "name", of: .node(node)) else { return "" }
        return text.text
    }

    /// The node with a name.
    func node(_ name: String) throws -> NodeID {
        let ids = (0..<UInt64(100)).map(NodeID.init)
        return try #require(ids.first { nodeExists($0) && self.name($0) == name })
    }
}

/// The error that `body` throws; nil when it throws none.
func failure(_ body: () throws -> Void) -> GraphError? {
    do { try body() } catch { return error as? GraphError }
    return nil
}

/// A graph in plain arrays.
struct Model {
    struct Edge {
        let start: Int
        let end: Int
        let type: String
        let cost: Int?
    }
    var nodeCount: Int
    var edges: [Edge] = []

    init(_ generator: inout SeededGenerator, nodes: ClosedRange<Int> = 1...8, edges: ClosedRange<Int> = 0...14) {
        nodeCount = Int.random(in: nodes, using: &generator)
        for _ in 0..<Int.random(in: edges, using: &generator) {
            self.edges.append(
                Edge(
                    start: Int.random(in: 0..<nodeCount, using: &generator),
                    end: Int.random(in: 0..<nodeCount, using: &generator),
                    type: ["R", "S"].randomElement(using: &generator) ?? "R",
                    cost: Int.random(in: 0...4, using: &generator) == 0 ? nil : Int.random(in: 0...3, using: &generator)))
        }
    }

    /// Makes the same graph: part of it in segments, part in the log, the rest in the transaction that is returned, which
    /// is open when there is a rest.
    func store(in graph: TestGraph, _ generator: inout SeededGenerator) throws -> Transaction {
        try graph.write { transaction in
            for _ in 0..<nodeCount { _ = try transaction.createNode() }
        }
        let committed = Bool.random(using: &generator) ? edges.count : Int.random(in: 0...edges.count, using: &generator)
        for edge in edges[..<committed] {
            if Int.random(in: 0..<8, using: &generator) == 0 { try graph.store.checkpoint() }
            try graph.write { transaction in try edge.create(in: transaction) }
        }
        if committed == edges.count { return graph.snapshot }
        let transaction = graph.committer.begin(nodes: 0, relationships: 1000)
        for edge in edges[committed...] { try edge.create(in: transaction) }
        return transaction
    }
}

extension Model.Edge {
    func create(in transaction: Transaction) throws {
        _ = try transaction.createRelationship(
            type: type, from: NodeID(UInt64(start)), to: NodeID(UInt64(end)),
            properties: cost.map { [("cost", .integer(Int64($0)))] } ?? [])
    }
}
