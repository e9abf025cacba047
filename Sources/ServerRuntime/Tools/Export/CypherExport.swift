internal import GraphModel
internal import RESTServer
internal import Storage

/// Cypher statements that make the graph, one in each line. Nodes have a label and a property more while they are made, by
/// which relationships find them; the last statements remove both and create indexes and constraints.
struct CypherExport: ExportFormat {
    private let file: ExportFile
    private let batchRowCount: Int
    private var rules: [GraphLine.Rule] = []
    private var nodes: [[CodeUnitKey]: Rows] = [:]
    private var relationships: [CodeUnitKey: Rows] = [:]
    private var nodeCount = 0
    private var hasBegun = false
    private var hasNodesOnly = true
    private var waitingByteCount = 0

    private struct Rows {
        var texts: [String] = []
        var byteCount = 0
    }

    private static let label = "`_Exported`"
    private static let property = "`_exportedID`"
    /// A statement is not much longer.
    private static let statementByteCount = 1 << 20
    /// Of statements that are being made.
    private static let waitingByteCountMaximum = 64 << 20

    init(_ path: String, isPacked: Bool, batchRowCount: Int = 1000) throws(GraphError) {
        file = try ExportFile(path, isPacked: isPacked)
        self.batchRowCount = batchRowCount
    }

    mutating func take(_ rule: GraphLine.Rule) { rules.append(rule) }

    mutating func take(_ node: GraphLine.Node) throws(GraphError) {
        try begin()
        nodeCount += 1
        let labels = node.labels.map { CodeUnitKey($0) }
        var rows = nodes.removeValue(forKey: labels) ?? Rows()
        let isFull = add("{i: \(node.id), p: \(CypherText.map(node.properties))}", &rows)
        nodes[labels] = rows
        if isFull { try writeNodes(labels) }
        if waitingByteCount > Self.waitingByteCountMaximum { try writeNodes() }
    }

    mutating func take(_ relationship: GraphLine.Relationship) throws(GraphError) {
        if hasNodesOnly { try writeNodes() }
        hasNodesOnly = false
        let type = CodeUnitKey(relationship.type)
        var rows = relationships.removeValue(forKey: type) ?? Rows()
        let isFull = add(
            "{a: \(relationship.start.id), b: \(relationship.end.id), p: \(CypherText.map(relationship.properties))}", &rows)
        relationships[type] = rows
        if isFull { try writeRelationships(type) }
        if waitingByteCount > Self.waitingByteCountMaximum { try writeRelationships() }
    }

    /// Whether the rows are enough for a statement.
    private mutating func add(_ text: String, _ rows: inout Rows) -> Bool {
        rows.texts.append(text)
        rows.byteCount += text.utf8.count
        waitingByteCount += text.utf8.count
        return rows.texts.count >= batchRowCount || rows.byteCount >= Self.statementByteCount
    }

    private mutating func begin() throws(GraphError) {
        if hasBegun { return }
        hasBegun = true
        try write("CREATE CONSTRAINT `_exported` IF NOT EXISTS FOR (x:\(Self.label)) REQUIRE x.\(Self.property) IS UNIQUE")
    }

    private func write(_ statement: String) throws(GraphError) { try file.write(Array((statement + ";\n").utf8)) }

    private mutating func writeNodes(_ labels: [CodeUnitKey]) throws(GraphError) {
        guard let rows = nodes.removeValue(forKey: labels) else { return }
        waitingByteCount -= rows.byteCount
        let names = labels.map { ":" + $0.text.cypherName }.joined()
        try write(
            "UNWIND [\(rows.texts.joined(separator: ", "))] AS row CREATE (x:\(Self.label)\(names)) SET x = row.p, x.\(Self.property) = row.i")
    }

    private mutating func writeNodes() throws(GraphError) {
        for labels in nodes.keys.sorted(by: { $0.lexicographicallyPrecedes($1) { $0.text < $1.text } }) { try writeNodes(labels) }
    }

    private mutating func writeRelationships(_ type: CodeUnitKey) throws(GraphError) {
        guard let rows = relationships.removeValue(forKey: type) else { return }
        waitingByteCount -= rows.byteCount
        try write(
            "UNWIND [\(rows.texts.joined(separator: ", "))] AS row MATCH (a:\(Self.label) {\(Self.property): row.a}), (b:\(Self.label) {\(Self.property): row.b}) CREATE (a)-[x:\(type.text.cypherName)]->(b) SET x = row.p")
    }

    private mutating func writeRelationships() throws(GraphError) {
        for type in relationships.keys.sorted(by: { $0.text < $1.text }) { try writeRelationships(type) }
    }

    mutating func finish() throws(GraphError) -> (paths: [String], byteCount: UInt64) {
        try writeNodes()
        try writeRelationships()
        let limit = 10_000
        var left = nodeCount
        while left > 0 {
            try write("MATCH (x:\(Self.label)) WITH x LIMIT \(limit) REMOVE x:\(Self.label), x.\(Self.property)")
            left -= limit
        }
        if hasBegun { try write("DROP CONSTRAINT `_exported`") }
        for rule in rules { try write(CypherText.creation(of: rule)) }
        try file.finish()
        return ([file.path], file.byteCount)
    }

    mutating func discard() { file.discard() }
}
