package import GraphModel
package import Storage

/// A script in the part of Gremlin-Groovy that docs/gremlin.md describes.
///
/// Nothing is executed that a client sends: the text is read into a tree, and the tree is evaluated over vertices, edges,
/// indexes, pipes and plain values. Everything else is refused with its name and place.
package struct GremlinScript: Sendable {
    private let tree: ScriptTree
    private let body: ScriptTree.Index

    /// - Throws: `.scriptSyntax` when the text is longer than 262144 characters, cannot be read, or says something that is
    ///   not interpreted here.
    package init(_ text: String) throws(GraphError) { (tree, body) = try Parser.parse(text) }

    /// Whether it calls anything that may change the graph: such a script is best run in a transaction that writes at
    /// once. One that is not known to and writes all the same throws `.readOnly` in a transaction that only reads.
    package var mayWrite: Bool {
        tree.parts.contains { part in
            guard case .call(_, let name, _, _) = part else { return false }
            guard case .literal(.string(let text)) = tree.parts[name] else { return true }
            return Self.writingMethods.contains(text)
        }
    }

    /// The addresses of the documents that it loads, as far as they stand in it as they are.
    package var documents: Set<String> {
        var addresses: Set<String> = []
        for case .call(_, let name, let arguments, _) in tree.parts {
            guard case .literal(.string("loadGraphML")) = tree.parts[name], let first = arguments.first,
                case .literal(.string(let address)) = tree.parts[first]
            else { continue }
            addresses.insert(address)
        }
        return addresses
    }

    private static let writingMethods: Set<String> = [
        "addVertex", "addEdge", "removeVertex", "removeEdge", "clear", "createNode", "createRelationshipTo", "setProperty",
        "putAt", "removeProperty", "delete", "forNodes", "forRelationships", "createIndex", "createManualIndex", "dropIndex",
        "putIfAbsent", "beginTx", "startTransaction", "rollback", "loadGraphML",
    ]

    /// Runs the script and hands what it gives to `output`. What it changes is part of the transaction.
    ///
    /// - Parameters:
    ///   - parameters: variables that are there from the start.
    ///   - documents: what `loadGraphML` may load, by address.
    ///   - byteCountMaximum: bytes that it may hold, roughly; 0 is no limit.
    ///   - check: called every few thousand steps; throws to end the script.
    /// - Throws: `.scriptFailure` and `.scriptSyntax` for what goes wrong in the script, `.readOnly` when it writes and the
    ///   transaction does not, `.queryMemory`, `.executionLimit`, and what the graph throws. The transaction may hold half
    ///   of what the script does then: it is for the caller to roll it back.
    package func run<Output: GremlinOutput>(
        in transaction: Transaction, parameters: [(key: String, value: Value)] = [],
        documents: [String: [UInt8]] = [:], byteCountMaximum: Int = 0,
        into output: inout Output, check: (() throws(GraphError) -> Void)? = nil
    ) throws(GraphError) {
        let memory = Memory(byteCountMaximum: byteCountMaximum)
        defer { memory.clear() }
        let interpreter = try Interpreter(tree, in: transaction, memory, documents: documents, check: check)
        try interpreter.globals.declare("g", .object(.graph))
        for (key, value) in parameters { try interpreter.globals.declare(key, try Item(value, memory)) }
        let result = try interpreter.run(body, interpreter.globals)
        if case .object(.error(let error)) = result { throw error }
        try interpreter.write(result, into: &output)
        if let failure = transaction.failure { throw failure }
    }
}

/// Takes the result of a script, part by part.
package protocol GremlinOutput {
    mutating func value(_ value: Value) throws(GraphError)
    mutating func node(_ id: NodeID) throws(GraphError)
    mutating func relationship(_ id: RelationshipID) throws(GraphError)
    mutating func beginList() throws(GraphError)
    mutating func endList() throws(GraphError)
    mutating func beginObject() throws(GraphError)
    mutating func key(_ key: String) throws(GraphError)
    mutating func endObject() throws(GraphError)
}

extension Interpreter {
    func write<Output: GremlinOutput>(_ item: Item, into output: inout Output, depth: Int = 0) throws(GraphError) {
        try step()
        if depth > 64 { throw fail("the result has more than 64 lists and maps one inside the other") }
        switch item {
        case .null: try output.value(.null)
        case .boolean(let flag): try output.value(.boolean(flag))
        case .integer(let number): try output.value(.integer(number))
        case .float(let number): try output.value(.float(number))
        case .string(let text): try output.value(.string(text))
        case .stored(let value): try output.value(value)
        case .vertex(let id):
            try requireExists(item)
            try output.node(id)
        case .edge(let id):
            try requireExists(item)
            try output.relationship(id)
        case .table(let table):
            // The original takes a table that is not alone for a list of tables.
            if depth > 0 { try output.beginList() }
            try write(table, into: &output, depth: depth)
            if depth > 0 { try output.endList() }
        case .map(let map):
            try output.beginObject()
            for (key, value) in map.all {
                try output.key(try text(key))
                try write(value, into: &output, depth: depth + 1)
            }
            try output.endObject()
        case .list, .range, .pipe:
            try output.beginList()
            try forEach(item) { element throws(GraphError) in
                try write(element, into: &output, depth: depth + 1)
                return true
            }
            try output.endList()
        case .object(.entry(let entry)):
            try output.beginObject()
            try output.key(try text(entry.key))
            try write(entry.value, into: &output, depth: depth + 1)
            try output.endObject()
        case .closure, .type, .object: try output.value(.string(try text(item)))
        }
    }

    private func write<Output: GremlinOutput>(_ table: TableItem, into output: inout Output, depth: Int) throws(GraphError) {
        try output.beginObject()
        try output.key("columns")
        try output.beginList()
        for column in table.columns { try output.value(.string(column)) }
        try output.endList()
        try output.key("data")
        try output.beginList()
        for row in table.rows {
            try output.beginList()
            for item in row { try write(item, into: &output, depth: depth + 1) }
            try output.endList()
        }
        try output.endList()
        try output.endObject()
    }
}
