import GraphModel
import Gremlin
import Storage
import TestSupport
import Testing

/// A small graph in memory. Ids are given from 0 on.
final class TestGraph {
    let store: Store
    let committer: LocalCommitter

    init() throws {
        store = try makeSmallStore()
        committer = try LocalCommitter(store)
    }

    /// marko(0) vadas(1) lop(2) josh(3) ripple(4) peter(5): the graph of Gremlin's own examples, with ids from 0 on.
    static func tinker() throws -> TestGraph {
        let graph = try TestGraph()
        _ = try graph.run(
            """
            marko = g.addVertex([name: 'marko', age: 29])
            vadas = g.addVertex([name: 'vadas', age: 27])
            lop = g.addVertex([name: 'lop', lang: 'java'])
            josh = g.addVertex([name: 'josh', age: 32])
            ripple = g.addVertex([name: 'ripple', lang: 'java'])
            peter = g.addVertex([name: 'peter', age: 35])
            g.addEdge(marko, vadas, 'knows', [weight: 0.5])
            g.addEdge(marko, josh, 'knows', [weight: 1.0])
            g.addEdge(marko, lop, 'created', [weight: 0.4])
            g.addEdge(josh, ripple, 'created', [weight: 1.0])
            g.addEdge(josh, lop, 'created', [weight: 0.4])
            g.addEdge(peter, lop, 'created', [weight: 0.2])
            null
            """)
        return graph
    }

    /// Runs a script and commits what it writes; what it gives, as text.
    func run(
        _ script: String, _ parameters: [(key: String, value: Value)] = [], byteCountMaximum: Int = 64 << 20,
        documents: [String: [UInt8]] = [:], check: (() throws(GraphError) -> Void)? = nil
    ) throws(GraphError) -> String {
        let script = try GremlinScript(script)
        var output = TextOutput()
        let transaction = committer.begin(nodes: 1000, relationships: 1000)
        do throws(GraphError) {
            try script.run(
                in: transaction, parameters: parameters, documents: documents, byteCountMaximum: byteCountMaximum, into: &output, check: check)
        } catch {
            transaction.close()
            throw error
        }
        try committer.commitAndWait(transaction)
        return output.text
    }
}

/// A result as text: `[v0, {a: 1}, "x"]`.
struct TextOutput: GremlinOutput {
    private(set) var text = ""
    private var needsComma = false

    private mutating func add(_ part: String) {
        if needsComma { text += ", " }
        text += part
        needsComma = true
    }

    mutating func value(_ value: Value) {
        switch value {
        case .null: add("null")
        case .boolean(let flag): add("\(flag)")
        case .integer(let number): add("\(number)")
        case .float(let number): add("\(number)")
        case .string(let text): add("\"\(text.text)\"")
        default: add("\(value)")
        }
    }
    mutating func node(_ id: NodeID) { add("v\(id.rawValue)") }
    mutating func relationship(_ id: RelationshipID) { add("e\(id.rawValue)") }
    mutating func beginList() {
        add("[")
        needsComma = false
    }
    mutating func endList() {
        text += "]"
        needsComma = true
    }
    mutating func beginObject() {
        add("{")
        needsComma = false
    }
    mutating func key(_ key: String) {
        add("\(key): ")
        needsComma = false
    }
    mutating func endObject() {
        text += "}"
        needsComma = true
    }
}
