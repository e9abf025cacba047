import Cypher
import GraphModel
import QueryEngine
import Storage
import TestSupport

/// One random graph, in dictionaries and in a store, and the ways to ask it.
struct DifferentialRun {
    enum Verdict {
        case agree(rowCount: Int)
        case bothFail
        /// The answer depends on an order that the language leaves open, or the query is too much for trying everything.
        case notComparable
        case disagree(String)
    }

    private let seed: UInt64
    private let before: ReferenceGraph
    private let store: Graph
    private let engines: [(name: String, engine: QueryEngine, prefix: String)]
    private let parameters: [String: Value] = [
        "one": .integer(1), "text": .string("a"), "numbers": .list([.integer(1), .null, .integer(2)]),
    ]

    init(seed: UInt64, _ generator: inout QueryGenerator) throws {
        self.seed = seed
        before = generator.graph()
        store = try Graph()
        if generator.chance(70) {
            let schema = store.committer.begin()
            try schema.createIndex(label: "A", keys: ["x"])
            try schema.createIndex(label: "A", keys: ["x", "s"])
            try schema.createIndex(label: "B", keys: ["s"])
            try schema.createIndex(relationshipType: "T", keys: ["x"])
            try store.committer.commitAndWait(schema)
            try store.committer.finishSchemaWork()
        }
        let transaction = store.committer.begin(nodes: before.nodes.count, relationships: before.relationships.count)
        try before.create(in: transaction)
        try store.committer.commitAndWait(transaction)
        if generator.chance(50) { try store.store.checkpoint() }
        let plain = Self.engine(batchRowCount: 1024, usesIndexes: false, mergesRows: false, nil)
        engines = [
            ("plain", plain, ""),
            ("batch 1, start 0", Self.engine(batchRowCount: 1, usesIndexes: true, mergesRows: true, 0), ""),
            ("batch 7, no index, start 1", Self.engine(batchRowCount: 7, usesIndexes: false, mergesRows: true, 1), ""),
            ("no merging, start 2", Self.engine(batchRowCount: 1024, usesIndexes: true, mergesRows: false, 2), ""),
            ("batch 7, start 3", Self.engine(batchRowCount: 7, usesIndexes: true, mergesRows: true, 3), ""),
            ("default", QueryEngine(), ""), ("profile", QueryEngine(), "PROFILE "),
        ]
    }

    private static func engine(
        batchRowCount: Int, usesIndexes: Bool, mergesRows: Bool, _ start: Int?
    ) -> QueryEngine {
        var options = QueryEngine.Options()
        options.batchRowCount = batchRowCount
        options.usesIndexes = usesIndexes
        options.mergesRows = mergesRows
        options.forcedStart = start
        return QueryEngine(options)
    }

    /// The graph as a query that makes it, for messages.
    var graphText: String { ElementNames(before, before: before).text }

    // MARK: One query

    func check(_ text: String, dialect: Dialect, writes: Bool) -> Verdict {
        let query: Query
        do { query = try Parser.parse(text, dialect: dialect) } catch { return .disagree("does not parse: \(error)") }
        let expected = answer(query, nil)
        if expected.isExhausted || expected.isOpen { return .notComparable }
        guard let style = style(of: query, expected, shuffles: 2) else { return .notComparable }
        for way in engines {
            let found = outcome(way.prefix + text, way.engine, dialect, writes: writes)
            guard let difference = difference(expected, found, style, text) else { continue }
            // Perhaps only a rarer order of rows shows that the answer is open.
            guard let wider = self.style(of: query, expected, shuffles: 60) else { return .notComparable }
            if wider.isLoose, self.difference(expected, found, wider, text) == nil { continue }
            return .disagree("\(way.name): \(difference)")
        }
        switch expected.result {
        case .success(let answer): return .agree(rowCount: answer.rows.count)
        case .failure: return .bothFail
        }
    }

    private struct Expected {
        let result: Result<ReferenceInterpreter.Answer, any Error>
        let graph: ReferenceGraph
        let mayFail: Bool
        let isOpen: Bool
        var isExhausted: Bool {
            if case .failure(let error) = result { (error as? ReferenceFailure)?.isExhaustion ?? false } else { false }
        }
    }

    private func answer(_ query: Query, _ shuffle: UInt64?) -> Expected {
        let interpreter = ReferenceInterpreter(
            before, dialect: query.dialect, parameters: parameters, shuffledBy: shuffle)
        let result = Result { try interpreter.run(query) }
        return Expected(result: result, graph: interpreter.graph, mayFail: interpreter.mayFail,
            isOpen: interpreter.isOpen)
    }

    /// How strictly answers can be compared: nil when rows in another order give another answer.
    private func style(of query: Query, _ expected: Expected, shuffles: UInt64) -> ValueText? {
        var isLoose = false
        for shuffle in 1...shuffles {
            let other = answer(query, seed &+ shuffle)
            switch (expected.result, other.result) {
            case (.failure, .failure): continue
            case (.success(let a), .success(let b)):
                if signature(a, expected.graph, false) == signature(b, other.graph, false) { continue }
                guard signature(a, expected.graph, true) == signature(b, other.graph, true) else { return nil }
                isLoose = true
            default: return nil
            }
        }
        return ValueText(isLoose: isLoose)
    }

    private func signature(_ answer: ReferenceInterpreter.Answer, _ graph: ReferenceGraph, _ isLoose: Bool) -> [String] {
        let names = ElementNames(graph, before: before)
        let style = ValueText(isLoose: isLoose, names: names)
        return zip(answer.groups, answer.rows).map { "\($0) \(style.text($1))" }.sorted()
            + [names.text, "\(answer.changes)", "\(answer.skip) \(answer.limit)"]
    }

    // MARK: The engine

    private enum Outcome {
        case answer(Graph.Answer, ReferenceGraph)
        case refused(GraphError)
        case failed(any Error)
    }

    private func outcome(_ text: String, _ engine: QueryEngine, _ dialect: Dialect, writes: Bool) -> Outcome {
        let transaction = writes ? store.committer.begin(nodes: 5000, relationships: 5000) : store.store.beginRead()
        defer { transaction.close() }
        let prepared: PreparedQuery
        do { prepared = try engine.prepare(text, dialect: dialect, over: transaction) } catch { return .refused(error) }
        do {
            let answer = try Graph.run(prepared, transaction, parameters)
            let after = writes ? ReferenceGraph(reading: transaction) : before
            if writes { _ = try transaction.finish() }
            return .answer(answer, after)
        } catch {
            return .failed(error)
        }
    }

    // MARK: Comparison

    private func difference(_ expected: Expected, _ found: Outcome, _ style: ValueText, _ text: String) -> String? {
        switch (expected.result, found) {
        case (.failure, .failed), (.failure, .refused): return nil
        case (.failure(let error), .answer(let answer, _)):
            // A limit may end a query before its error.
            if text.contains("LIMIT") || text.contains("EXISTS") { return nil }
            return "expected an error (\(error)), found \(answer.sorted)"
        case (.success, .refused(let error)): return "refused: \(error)"
        case (.success(let answer), .failed(let error)):
            return expected.mayFail ? nil : "failed: \(error); expected \(answer.rows.map { style.text($0) })"
        case (.success(let answer), .answer(let found, let after)):
            return difference(answer, expected.graph, found, after, style)
        }
    }

    private func difference(
        _ expected: ReferenceInterpreter.Answer, _ graph: ReferenceGraph, _ found: Graph.Answer,
        _ after: ReferenceGraph, _ style: ValueText
    ) -> String? {
        let (wantedNames, foundNames) = (ElementNames(graph, before: before), ElementNames(after, before: before))
        if wantedNames.text != foundNames.text {
            return "the graph is\n\(foundNames.text)\ninstead of\n\(wantedNames.text)"
        }
        let statistics = found.statistics
        let changes = [
            statistics.nodesCreated, statistics.nodesDeleted, statistics.relationshipsCreated,
            statistics.relationshipsDeleted,
        ]
        if changes != expected.changes { return "counted \(changes) changes instead of \(expected.changes)" }
        let wanted = ValueText(isLoose: style.isLoose, names: wantedNames)
        let mine = ValueText(isLoose: style.isLoose, names: foundNames)
        let all = expected.rows.map { wanted.text($0) }
        var rows: [String] = []
        for row in found.rows {
            guard found.columns.count == expected.columns.count || expected.rows.isEmpty else {
                return "columns \(found.columns) instead of \(expected.columns)"
            }
            let ordered = expected.columns.map { name in found.columns.firstIndex(of: name).map { row[$0] } ?? .string("no column") }
            rows.append(mine.text(ordered))
        }
        let count = min(expected.limit, max(0, all.count - expected.skip))
        if rows.count != count { return "\(rows.count) rows \(rows) instead of \(count) of \(all)" }
        // The rows of each group of equal sort keys, in any order.
        var left: [Int: [String]] = [:]
        for (group, row) in zip(expected.groups, all) { left[group, default: []].append(row) }
        for (index, row) in rows.enumerated() {
            let group = expected.groups[expected.skip + index]
            guard let place = left[group]?.firstIndex(of: row) else {
                return "row \(index) is \(row)\nin \(rows)\ninstead of \(all), groups \(expected.groups)"
            }
            left[group]?.remove(at: place)
        }
        return nil
    }
}
