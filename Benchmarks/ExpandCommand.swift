internal import ArgumentParser
internal import Cypher
internal import GraphModel
internal import QueryEngine
internal import Storage

/// Expansions of one and two steps: a plain loop, the transaction's own call, and a cached query, in turns over the same
/// data and the same starts.
struct ExpandCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expand", abstract: "Rates of 1-hop and 2-hop expansions of a store, beside a plain CSR loop.")

    @Option(help: "Store directory.")
    var store: String

    @Option(help: "Relationship type to follow.")
    var type = "F"

    @Option(help: "Rounds.")
    var rounds = 7

    @Option(help: ArgumentHelp("Measure only this series, for a profiler.", valueName: "1-hop native"))
    var only: String?

    /// One way to the answer. `run` returns it for all starts: the number of ends, distinct ones after two steps.
    private struct Way {
        let name: String
        /// How often a round goes through the starts, so that it is long enough for the clock.
        let repetitions: Int
        let run: () throws -> Int
    }

    func run() throws {
        let store = try Store.open(store)
        defer { store.close() }
        let transaction = store.beginRead()
        guard let token = transaction.token(.relationshipType, type) else {
            throw ValidationError("--type \(type): the store has no such relationship")
        }
        let plain = PlainGraph(transaction, nodeCount: transaction.nodeCount(), types: [token])
        var native = NativeExpansion(transaction, type: token, nodeCount: plain.nodeCount)
        var random = FixedRandom(seed: 88_172_645_463_325_252)
        let many = (0..<100_000).map { _ in UInt32(random.next(below: plain.nodeCount)) }
        let few = Array(many.prefix(4000))
        let one = "MATCH (a)-[:\(type)]->(b) RETURN count(b)"
        let two = "MATCH (a)-[:\(type)]->(b)-[:\(type)]->(c) RETURN count(DISTINCT c)"
        try measure(
            "1-hop", startCount: many.count, edgeCount: plain.oneHop(many).edgeCount,
            [
                Way(name: "csr", repetitions: 20) { plain.oneHop(many).edgeCount },
                Way(name: "native", repetitions: 5) { native.oneHop(many) },
                Way(name: "cypher", repetitions: 1) { try Self.query(one, many, transaction) },
            ])
        try measure(
            "2-hop", startCount: few.count, edgeCount: plain.twoHops(few).edgeCount,
            [
                Way(name: "csr", repetitions: 4) { plain.twoHops(few).distinctCount },
                Way(name: "native", repetitions: 2) { native.twoHops(few) },
                Way(name: "cypher", repetitions: 1) { try Self.query(two, few, transaction) },
            ])
    }

    /// Goes through all ways once a round, checks that they agree, and prints edges/s and ns per start of each.
    private func measure(_ name: String, startCount: Int, edgeCount: Int, _ ways: [Way]) throws {
        let expected = try ways[0].run()
        let ways = ways.filter { only == nil || only == "\(name) \($0.name)" }
        var rates = ways.map { Series("\(name) \($0.name)", "edges/s") }
        var times = ways.map { Series("\(name) \($0.name)", "ns/start") }
        for round in 0...rounds {
            for (index, way) in ways.enumerated() {
                let (answer, seconds) = try seconds {
                    var answer = 0
                    for _ in 0..<way.repetitions { answer = try way.run() }
                    return answer
                }
                guard answer == expected else {
                    throw GraphError(.general, "\(name): \(way.name) finds \(answer), expected are \(expected)")
                }
                // The first round only warms up.
                if round == 0 { continue }
                rates[index].add(Double(edgeCount * way.repetitions) / seconds)
                times[index].add(seconds * 1e9 / Double(startCount * way.repetitions))
            }
        }
        for series in rates + times { series.print() }
    }

    private static let engine = QueryEngine()

    /// As a client would: the text again for each start, found in the cache of plans.
    private static func query(_ pattern: String, _ starts: [UInt32], _ transaction: Transaction) throws -> Int {
        let text = "START a=node({id}) \(pattern)"
        var sum = 0
        for start in starts {
            let query = try engine.prepare(text, dialect: .cypher18, over: transaction)
            _ = try query.run(
                in: transaction, parameters: ["id": .integer(Int64(start))], control: ExecutionControl()
            ) { batch throws(GraphError) in
                if case .integer(let count) = batch.value(row: 0, column: 0) { sum += Int(count) }
            }
        }
        return sum
    }
}
