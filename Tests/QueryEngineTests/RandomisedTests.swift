import Cypher
import GraphModel
import QueryEngine
import Storage
import TestSupport
import Testing

/// A graph in plain arrays, and pattern matching by trying everything.
private struct Model {
    struct Edge {
        let start: Int
        let end: Int
        let type: String
        let weight: Int
    }
    struct Hop {
        let types: [String]
        /// 0 outgoing, 1 incoming, 2 both.
        let direction: Int
    }
    var labels: [Set<String>] = []
    var values: [Int?] = []
    var edges: [Edge] = []

    init(_ generator: inout SeededGenerator) {
        let count = Int.random(in: 1...14, using: &generator)
        for _ in 0..<count {
            labels.append(Set(["A", "B"].filter { _ in Bool.random(using: &generator) }))
            values.append(Bool.random(using: &generator) ? Int.random(in: 0...4, using: &generator) : nil)
        }
        for _ in 0..<Int.random(in: 0...30, using: &generator) {
            edges.append(
                Edge(
                    start: Int.random(in: 0..<count, using: &generator),
                    end: Int.random(in: 0..<count, using: &generator),
                    type: ["R", "S"][Int.random(in: 0...1, using: &generator)],
                    weight: Int.random(in: 0...3, using: &generator)))
        }
    }

    /// Makes the same graph, in several transactions, so that part of it can lie in segments; the last relationships
    /// sometimes in a transaction that is still open, which is what to ask.
    func store(in graph: Graph, _ generator: inout SeededGenerator) throws -> Transaction {
        let transaction = graph.committer.begin(nodes: labels.count, relationships: 0)
        for (index, labels) in labels.enumerated() {
            _ = try transaction.createNode(
                labels: labels.sorted(), properties: values[index].map { [("v", .integer(Int64($0)))] } ?? [])
        }
        try graph.committer.commitAndWait(transaction)
        let committed =
            Bool.random(using: &generator) ? edges.count : Int.random(in: 0...edges.count, using: &generator)
        for edge in edges[..<committed] {
            if Int.random(in: 0..<12, using: &generator) == 0 { try graph.store.checkpoint() }
            let transaction = graph.committer.begin(nodes: 0, relationships: 1)
            _ = try transaction.createRelationship(
                type: edge.type, from: NodeID(UInt64(edge.start)), to: NodeID(UInt64(edge.end)),
                properties: [("w", .integer(Int64(edge.weight)))])
            try graph.committer.commitAndWait(transaction)
        }
        if Bool.random(using: &generator) { try graph.store.checkpoint() }
        if committed == edges.count && Bool.random(using: &generator) { return graph.store.beginRead() }
        let open = graph.committer.begin(nodes: 0, relationships: edges.count)
        for edge in edges[committed...] {
            _ = try open.createRelationship(
                type: edge.type, from: NodeID(UInt64(edge.start)), to: NodeID(UInt64(edge.end)),
                properties: [("w", .integer(Int64(edge.weight)))])
        }
        return open
    }

    /// Every walk over the hops without a relationship twice: nodes and edges.
    func walks(_ hops: [Hop], from starts: [Int]) -> [(nodes: [Int], edges: [Int])] {
        var walks = starts.map { (nodes: [$0], edges: [Int]()) }
        for hop in hops {
            var longer: [(nodes: [Int], edges: [Int])] = []
            for walk in walks {
                let node = walk.nodes[walk.nodes.count - 1]
                for (index, edge) in edges.enumerated() where !walk.edges.contains(index) {
                    if !hop.types.isEmpty && !hop.types.contains(edge.type) { continue }
                    if hop.direction != 1, edge.start == node {
                        longer.append((walk.nodes + [edge.end], walk.edges + [index]))
                    }
                    if hop.direction != 0, edge.end == node, hop.direction == 1 || edge.start != edge.end {
                        longer.append((walk.nodes + [edge.start], walk.edges + [index]))
                    }
                }
            }
            walks = longer
        }
        return walks
    }
}

@Suite struct RandomisedTests {
    private func hop(_ generator: inout SeededGenerator) -> (Model.Hop, pattern: (String, String)) {
        let types = [[], ["R"], ["S"], ["R", "S"]][Int.random(in: 0...3, using: &generator)]
        let direction = Int.random(in: 0...2, using: &generator)
        let ends = [("-[", "]->"), ("<-[", "]-"), ("-[", "]-")][direction]
        return (
            Model.Hop(types: types, direction: direction),
            (ends.0, (types.isEmpty ? "" : ":" + types.joined(separator: "|")) + "@" + ends.1)
        )
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func patternsAgreeWithTryingEverything(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let model = Model(&generator)
        let graph = try Graph()
        let transaction = try model.store(in: graph, &generator)
        for round in 0..<12 {
            let comment: Comment = "seed \(seed), round \(round)"
            var hops: [Model.Hop] = []
            var pattern = "(n0)"
            for index in 0..<Int.random(in: 1...3, using: &generator) {
                let (hop, text) = hop(&generator)
                hops.append(hop)
                pattern += text.0 + "r\(index)" + text.1.replacing("@", with: "") + "(n\(index + 1))"
            }
            var walks = model.walks(hops, from: Array(model.labels.indices))
            var condition = ""
            switch Int.random(in: 0..<6, using: &generator) {
            case 0:
                condition = " WHERE n0:A"
                walks.removeAll { !model.labels[$0.nodes[0]].contains("A") }
            case 1:
                condition = " WHERE n1.v > 1"
                walks.removeAll { !((model.values[$0.nodes[1]] ?? -1) > 1) }
            case 2:
                condition = " WHERE n0 = n\(hops.count)"
                walks.removeAll { $0.nodes[0] != $0.nodes[hops.count] }
            case 3:
                condition = " WHERE n\(hops.count):B AND r0.w < 2"
                walks.removeAll {
                    !model.labels[$0.nodes[hops.count]].contains("B") || model.edges[$0.edges[0]].weight >= 2
                }
            case 4:
                let id = Int.random(in: model.labels.indices, using: &generator)
                condition = " WHERE id(n1) = \(id)"
                walks.removeAll { $0.nodes[1] != id }
            default: break
            }
            let names = hops.indices.flatMap { ["n\($0)", "r\($0)"] } + ["n\(hops.count)"]
            let wanted = walks.map { walk in
                hops.indices.map { "(\(walk.nodes[$0])) | [\(walk.edges[$0])]" }.joined(separator: " | ")
                    + " | (\(walk.nodes[hops.count]))"
            }.sorted()
            let query = "MATCH \(pattern)\(condition) RETURN \(names.joined(separator: ", "))"
            #expect(try graph.sorted(in: transaction, query) == wanted, comment)
            let last = "n\(hops.count)"
            #expect(
                try graph.lines(
                    in: transaction, "MATCH \(pattern)\(condition) RETURN count(*), count(DISTINCT \(last))")
                    == ["\(walks.count) | \(Set(walks.map { $0.nodes[hops.count] }).count)"], comment)
            #expect(
                try graph.sorted(
                    in: transaction,
                    "MATCH \(pattern)\(condition) RETURN n0, count(*), collect(DISTINCT \(last).v) AS c, sum(r0.w)"
                )
                .map { $0.split(separator: " | ")[0...1].joined(separator: " ") }
                    == Dictionary(grouping: walks) { $0.nodes[0] }.map { "(\($0.key)) \($0.value.count)" }.sorted(),
                comment)
            // An outer join: every start once where the walk finds nothing.
            let optional = model.labels.indices.flatMap { start -> [String] in
                let found = walks.filter { $0.nodes[0] == start }
                return found.isEmpty
                    ? ["(\(start)) | null | null"]
                    : found.map { "(\(start)) | [\($0.edges[hops.count - 1])] | (\($0.nodes[hops.count]))" }
            }
            #expect(
                try graph.sorted(
                    in: transaction,
                    "MATCH (n0) OPTIONAL MATCH \(pattern)\(condition) RETURN n0, r\(hops.count - 1), \(last)")
                    == optional.sorted(), comment)
            // Both ends known before.
            #expect(
                try graph.value(in: transaction, "MATCH (n0), (\(last)) MATCH \(pattern)\(condition) RETURN count(*)")
                    == .integer(Int64(walks.count)), comment)
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func variableLengthsAgreeWithTryingEverything(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed &+ 1000)
        var model = Model(&generator)
        model.edges = Array(model.edges.prefix(12))
        let graph = try Graph()
        let transaction = try model.store(in: graph, &generator)
        for round in 0..<8 {
            let (hop, text) = hop(&generator)
            let minimum = Int.random(in: 0...2, using: &generator)
            let maximum = minimum + Int.random(in: 0...2, using: &generator)
            var wanted: [String] = []
            for length in minimum...maximum {
                for walk in model.walks(Array(repeating: hop, count: length), from: Array(model.labels.indices)) {
                    wanted.append(
                        "(\(walk.nodes[0])) | [\(walk.edges.map { "[\($0)]" }.joined(separator: ", "))] | (\(walk.nodes[length]))"
                    )
                }
            }
            wanted.sort()
            let comment: Comment = "seed \(seed), round \(round)"
            let pattern = "(a)" + text.0 + "r" + text.1.replacing("@", with: "*\(minimum)..\(maximum)") + "(b)"
            #expect(try graph.sorted(in: transaction, "MATCH \(pattern) RETURN a, r, b") == wanted, comment)
            #expect(
                try graph.sorted(in: transaction, "MATCH (a), (b) MATCH \(pattern) RETURN a, r, b") == wanted, comment)
            #expect(
                try graph.value(in: transaction, "MATCH \(pattern) RETURN count(*)") == .integer(Int64(wanted.count)),
                comment)
            #expect(
                try graph.value(
                    in: transaction,
                    "MATCH p = \(pattern) WHERE length(p) <> size(r) OR last(nodes(p)) <> b RETURN count(*)")
                    == .integer(0), comment)
        }
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func sortingAndGroupingAgreeWithSwift(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed &+ 2000)
        let graph = try Graph()
        let rows = (0..<Int.random(in: 0...9000, using: &generator)).map { _ in
            (Int.random(in: 0...50, using: &generator), Int.random(in: -1000...1000, using: &generator))
        }
        let list = Value.list(rows.map { .list([.integer(Int64($0.0)), .integer(Int64($0.1))]) })
        let limit = Int.random(in: 0...3000, using: &generator)
        let skip = Int.random(in: 0...10, using: &generator)
        let sorted = rows.enumerated().sorted { a, b in
            (a.element.0, -a.element.1, a.offset) < (b.element.0, -b.element.1, b.offset)
        }.map { "\($0.element.0) | \($0.element.1)" }
        let comment: Comment = "seed \(seed)"
        #expect(
            try graph.lines("UNWIND {l} AS r RETURN r[0] AS a, r[1] AS b ORDER BY a, b DESC", ["l": list]) == sorted,
            comment)
        #expect(
            try graph.lines(
                "UNWIND {l} AS r RETURN r[0] AS a, r[1] AS b ORDER BY a, b DESC SKIP \(skip) LIMIT \(limit)",
                ["l": list])
                == Array(sorted.dropFirst(skip).prefix(limit)), comment)
        let groups = Dictionary(grouping: rows) { $0.0 }.map { key, rows in
            let values = rows.map(\.1)
            return
                "\(key) | \(rows.count) | \(Set(values).count) | \(values.reduce(0, +)) | \(values.min() ?? 0) | \(values.max() ?? 0)"
        }.sorted()
        #expect(
            try graph.sorted(
                "UNWIND {l} AS r WITH r[0] AS k, r[1] AS v RETURN k, count(*), count(DISTINCT v), sum(v), min(v), max(v)",
                ["l": list])
                == groups, comment)
        #expect(
            try graph.sorted("UNWIND {l} AS r RETURN DISTINCT r[0]", ["l": list])
                == Set(rows.map { "\($0.0)" }).sorted(), comment)
    }

    /// Ids far apart, few and many: the set of distinct ids counts them all.
    @Test func distinctIDsAreCountedWhateverTheirNumber() throws {
        let graph = try Graph()
        try graph.run("UNWIND range(1, 6000) AS i CREATE (:N {i: i})", reserve: 6000)
        for (limit, wanted) in [(1, 1), (100, 100), (256, 256), (257, 257), (5000, 5000), (6000, 6000)] {
            #expect(
                try graph.value("UNWIND [1, 2] AS x MATCH (n:N) WHERE n.i <= \(limit) RETURN count(DISTINCT n)")
                    == .integer(Int64(wanted)))
            #expect(
                try graph.lines(
                    "UNWIND [1, 2] AS x MATCH (n:N) WHERE n.i <= \(limit) RETURN x, count(DISTINCT n) ORDER BY x")
                    == ["1 | \(wanted)", "2 | \(wanted)"])
        }
        #expect(try graph.run("UNWIND [1, 2] AS x MATCH (n:N) RETURN DISTINCT n").rows.count == 6000)
    }
}
