internal import GraphModel
internal import Storage

/// What becomes of a graph that comes line by line.
protocol ExportFormat {
    mutating func take(_ rule: GraphLine.Rule) throws(GraphError)
    mutating func take(_ node: GraphLine.Node) throws(GraphError)
    mutating func take(_ relationship: GraphLine.Relationship) throws(GraphError)
    /// Completes the files. Gives their paths and all their bytes.
    mutating func finish() throws(GraphError) -> (paths: [String], byteCount: UInt64)
    /// Removes what was begun.
    mutating func discard()
}

/// Reads the lines of ``GraphLines`` and hands them to a format. Pieces may end anywhere.
struct ExportReader {
    /// How many entities came.
    private(set) var nodeCount = 0
    private(set) var relationshipCount = 0
    private(set) var expectedCount = 0
    private var rest: [UInt8] = []
    private var hasEnd = false

    /// The longest line: a node with all its properties.
    private static let lineByteCountMaximum = 1 << 30

    mutating func take(_ piece: [UInt8], _ format: inout some ExportFormat) throws(GraphError) {
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            rest += piece[start..<end]
            try take(line: rest, &format)
            rest.removeAll(keepingCapacity: true)
            start = end + 1
        }
        rest += piece[start...]
        guard rest.count <= Self.lineByteCountMaximum else { throw GraphError(.general, "a line of the export is longer than 1 GiB") }
    }

    private mutating func take(line: [UInt8], _ format: inout some ExportFormat) throws(GraphError) {
        let parsed: GraphLine
        do throws(BadField) { parsed = try GraphLine(try JSONLinesSource.object(line)) } catch {
            throw GraphError(.general, "the export has a line that is none: \(error.text): \(String(decoding: line.prefix(200), as: UTF8.self))")
        }
        switch parsed {
        case .beginning(let nodes, let relationships): expectedCount = nodes + relationships
        case .schema(let rule): try format.take(rule)
        case .node(let node):
            nodeCount += 1
            try format.take(node)
        case .relationship(let relationship):
            relationshipCount += 1
            try format.take(relationship)
        case .ending(let nodes, let relationships): hasEnd = nodes == nodeCount && relationships == relationshipCount
        }
    }

    /// Throws unless everything came.
    func requireEnd() throws(GraphError) {
        guard hasEnd && rest.isEmpty else {
            throw GraphError(.network, "the export ended after \(nodeCount) nodes and \(relationshipCount) relationships, before all was there: run it again")
        }
    }
}
