import Cypher
import FileSystem
import GraphModel
import QueryEngine
import Testing

@Suite struct PlanTests {
    private func plan(_ graph: Graph, _ query: String) throws -> [String] {
        try graph.value("EXPLAIN " + query).text.split(separator: "\n").map { String($0) }
    }

    @Test func explainTellsThePlanAndChangesNothing() throws {
        let graph = try Graph()
        let prepared = try graph.engine.prepare(
            "EXPLAIN CREATE (n) RETURN n", dialect: .cypher9, over: graph.store.beginRead())
        #expect(prepared.isExplain && !prepared.isWrite && prepared.columns == ["plan"])
        #expect(try plan(graph, "CREATE (n) RETURN n").first?.hasPrefix("Create") == true)
        #expect(try graph.value("MATCH (n) RETURN count(*)") == .integer(0))
    }

    @Test func countsComeFromTheStore() throws {
        let graph = try Graph("CREATE (:A)-[:T]->(:A), (:B)-[:U]->(:A)")
        for query in [
            "MATCH (n) RETURN count(*)", "START n=node(*) RETURN count(n)", "MATCH (n) RETURN count(DISTINCT n)",
            "MATCH (n:A) RETURN count(*) AS c",
        ] {
            #expect(try plan(graph, query).first?.hasPrefix("NodeCountFromStore") == true, "\(query)")
        }
        for query in [
            "MATCH ()-[r]->() RETURN count(*)", "MATCH ()<-[r:T]-() RETURN count(r)", "START r=rel(*) RETURN count(*)",
        ] {
            #expect(try plan(graph, query).first?.hasPrefix("RelationshipCountFromStore") == true, "\(query)")
        }
        for query in [
            "MATCH (n:A:B) RETURN count(*)", "MATCH (n) WHERE n.x = 1 RETURN count(*)",
            "MATCH (a)-[r]-(b) RETURN count(*)", "MATCH (n) RETURN n, count(*)",
            "MATCH (a)-[r:T|U]->(b) RETURN count(*)", "MATCH (a)-->(a) RETURN count(*)", "MATCH (n) RETURN count(n.x)",
            "MATCH (a)-[r]->(b) RETURN count(b)",
        ] {
            #expect(try !plan(graph, query).contains { $0.contains("FromStore") }, "\(query)")
        }
        #expect(try graph.lines("MATCH (n:A) RETURN count(*), count(n)") == ["3 | 3"])
        #expect(try graph.lines("MATCH ()-[:T]->() RETURN count(*)") == ["1"])
        #expect(try graph.lines("MATCH (n:None) RETURN count(*)") == ["0"])
    }

    @Test func startsWhereItIsCheapest() throws {
        let graph = try Graph("UNWIND range(1, 50) AS i CREATE (:Many {i: i})-[:T]->(:Few {i: i / 50})")
        try graph.run("MATCH (f:Few) WHERE f.i = 0 REMOVE f:Few")
        #expect(try plan(graph, "MATCH (a:Many)-[:T]->(b:Few) RETURN a")[0].contains(":Few"))
        #expect(try plan(graph, "MATCH (a:Many)-[:T]->(b:Few) WHERE id(a) = 3 RETURN a")[0].hasPrefix("NodeByIdSeek"))
        #expect(try plan(graph, "MATCH (a)-[:T]->(b) RETURN a")[0].hasPrefix("AllNodesScan"))
        // The expansion goes on from what is bound; the unconnected part comes last.
        let steps = try plan(graph, "MATCH (x:Many), (a:Few)<-[:T]-(b) RETURN x, b")
        #expect(steps[0].contains(":Few") && steps[1].hasPrefix("Expand") && steps[2].hasPrefix("NodeByLabelScan"))
        #expect(
            try plan(graph, "MATCH (a:Few), (b:Many) MATCH (a)<-[:T]-(b) RETURN a").contains {
                $0.hasPrefix("Expand(Into)")
            })
        #expect(try plan(graph, "MATCH (a) RETURN a ORDER BY a.i LIMIT 3").contains { $0.hasPrefix("Top 3") })
    }

    @Test func plansAreCachedByTextAndDialect() throws {
        let graph = try Graph()
        let transaction = graph.store.beginRead()
        let first = try graph.engine.prepare("RETURN 1 AS x", dialect: .cypher9, over: transaction)
        #expect(try graph.engine.prepare("RETURN 1 AS x", dialect: .cypher9, over: transaction) === first)
        #expect(try graph.engine.prepare("START n=node(*) RETURN 1", dialect: .cypher18, over: transaction) !== first)
        // Equal for Swift, different for the database.
        let composed = try graph.engine.prepare("RETURN '\u{FC}' AS x", dialect: .cypher9, over: transaction)
        let decomposed = try graph.engine.prepare("RETURN 'u\u{308}' AS x", dialect: .cypher9, over: transaction)
        #expect(composed !== decomposed)
        let small = QueryEngine(planCacheCapacity: 4)
        for round in 0..<100 { _ = try small.prepare("RETURN \(round % 10)", dialect: .cypher9, over: transaction) }
        // A graph that has grown gets new plans.
        let scan = try graph.engine.prepare("MATCH (n) RETURN n", dialect: .cypher9, over: transaction)
        try graph.run("UNWIND range(1, 2000) AS i CREATE ()")
        #expect(
            try graph.engine.prepare("MATCH (n) RETURN n", dialect: .cypher9, over: graph.store.beginRead()) !== scan)
    }

    @Test func parametersNeedNoNewPlan() throws {
        let graph = try Graph("CREATE ({x: 1}), ({x: 2})")
        for x in 1...2 as ClosedRange<Int64> {
            #expect(try graph.lines("MATCH (n) WHERE n.x IN {l} RETURN n.x", ["l": .list([.integer(x)])]) == ["\(x)"])
        }
        // A name that comes to life later is found by the old plan.
        #expect(try graph.lines("MATCH (n:Later) RETURN n.later") == [])
        try graph.run("CREATE (:Later {later: 1})")
        #expect(try graph.lines("MATCH (n:Later) RETURN n.later") == ["1"])
    }

    @Test func oneQueryRunsOnManyThreads() async throws {
        let graph = try Graph("UNWIND range(1, 500) AS i CREATE ({i: i})-[:T]->({i: -i})")
        let prepared = try graph.engine.prepare(
            "MATCH (a)-[:T]->(b) WHERE a.i IN {l} AND b.i =~ '.*' OR a.i > {m} RETURN count(*), sum(a.i)",
            dialect: .cypher9, over: graph.store.beginRead())
        let store = graph.store
        try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try Graph.run(prepared, store.beginRead(), ["l": .list([.integer(1)]), "m": .integer(490)]).lines
                }
            }
            for try await lines in group { #expect(lines == ["10 | 4955"]) }
        }
    }
}

@Suite struct ControlTests {
    /// Endless for all purposes.
    private static let endless =
        "UNWIND range(1, 3000) AS a UNWIND range(1, 3000) AS b UNWIND range(1, 3000) AS c RETURN count(*)"

    @Test func deadlineEndsAQuery() throws {
        let graph = try Graph("UNWIND range(1, 12) AS i CREATE ()")
        try graph.run("MATCH (a), (b) CREATE (a)-[:T]->(b)")
        for query in [
            Self.endless, "MATCH (a)-[*]->(b) RETURN count(*)",
            "MATCH (a), (b), (c), (d), (e), (f), (g), (h) RETURN count(*)",
        ] {
            let control = ExecutionControl(deadlineNanoseconds: monotonicNanoseconds() + 50_000_000)
            let before = monotonicNanoseconds()
            #expect { try graph.run(query, control: control) } throws: { ($0 as? GraphError)?.code == .executionLimit }
            #expect(monotonicNanoseconds() - before < 5_000_000_000, "\(query)")
        }
    }

    @Test func cancelledQueryEnds() async throws {
        let graph = try Graph()
        let control = ExecutionControl()
        let prepared = try graph.engine.prepare(Self.endless, dialect: .cypher9, over: graph.store.beginRead())
        let store = graph.store
        let running = Task { try Graph.run(prepared, store.beginRead(), [:], control).lines }
        try await Task.sleep(for: .milliseconds(20))
        control.cancel()
        #expect(control.isCancelled)
        await #expect { try await running.value } throws: { ($0 as? GraphError)?.code == .executionLimit }
    }

    @Test func rowsStreamAndTheReceiverMayStop() throws {
        let graph = try Graph()
        let prepared = try graph.engine.prepare(
            "UNWIND range(1, 50000) AS a UNWIND range(1, 50000) AS b RETURN a, b", dialect: .cypher9,
            over: graph.store.beginRead())
        var rows = 0
        #expect {
            _ = try prepared.run(in: graph.store.beginRead(), parameters: [:], control: ExecutionControl()) {
                batch throws(GraphError) in
                rows += batch.rowCount
                if rows > 3000 { throw GraphError(.unavailable, "the client has gone") }
            }
        } throws: { ($0 as? GraphError)?.code == .unavailable }
        #expect(rows > 3000 && rows < 10_000)
        // LIMIT stops the reading.
        #expect(
            try graph.lines("UNWIND range(1, 50000) AS a UNWIND range(1, 50000) AS b RETURN b LIMIT 2") == ["1", "2"])
    }

    @Test func batchesMayBeKept() throws {
        let graph = try Graph("UNWIND range(1, 3000) AS i CREATE ({i: i})")
        let prepared = try graph.engine.prepare(
            "MATCH (n) RETURN n, n.i", dialect: .cypher9, over: graph.store.beginRead())
        var batches: [ResultBatch] = []
        _ = try prepared.run(in: graph.store.beginRead(), parameters: [:], control: ExecutionControl()) {
            batches.append($0)
        }
        #expect(batches.count > 1)
        var next: UInt64 = 0
        for batch in batches {
            for row in 0..<batch.rowCount {
                #expect(batch.value(row: row, column: 0) == .node(NodeID(next)))
                #expect(batch.value(row: row, column: 1) == .integer(Int64(next) + 1))
                next += 1
            }
        }
        #expect(next == 3000)
    }
}
