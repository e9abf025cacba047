internal import FileSystem
internal import GraphModel
internal import Martlet
internal import Storage

/// Measures queries as an embedding program asks them, text and parameters each time:
/// `cypher-bench import|run|explain|mixed STORE [ARGUMENT …]`. Prints lines of words; `tools/bench_cypher` drives it.
@main
struct CypherBench {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else {
            throw GraphError(.argumentError, "usage: cypher-bench import|run|explain|mixed STORE [ARGUMENT …]")
        }
        let directory = arguments[2]
        let rest = Array(arguments.dropFirst(3))
        switch arguments[1] {
        case "import": try importGraph(directory, rest)
        case "run": try Questions(rest).run(directory)
        case "explain": try Questions(rest).explain(directory)
        case "mixed": try Mixed(rest).run(directory)
        case "parse": try Parsing.run(5)
        default: throw GraphError(.argumentError, "\(arguments[1]) is no benchmark")
        }
    }

    /// `import STORE SPECIFICATION`: lines `node LABEL FILE`, `relationship TYPE FILE`, `unique LABEL KEY`; tabs between.
    private static func importGraph(_ directory: String, _ arguments: [String]) throws {
        var nodes: [BulkImporter.Input] = []
        var relationships: [BulkImporter.Input] = []
        var keys: [(label: String, key: String)] = []
        for line in try lines(arguments[0]) {
            switch line[0] {
            case "node": nodes.append(.init(paths: [line[2]], names: [line[1]]))
            case "relationship": relationships.append(.init(paths: [line[2]], names: [line[1]]))
            case "unique": keys.append((line[1], line[2]))
            default: throw GraphError(.argumentError, "\(arguments[0]): \(line[0]) is nothing to import")
            }
        }
        _ = try BulkImporter(into: directory).run(nodes: nodes, relationships: relationships)
        let store = try Store.open(directory)
        let committer = try LocalCommitter(store)
        let creation = committer.begin(nodes: 0, relationships: 0)
        for (label, key) in keys { try creation.createUniquenessConstraint(label: label, keys: [key]) }
        try committer.commitAndWait(creation)
        try committer.finishSchemaWork()
        try store.checkpoint()
        store.close()
    }

    /// The lines of a file, each cut at its tabs.
    static func lines(_ path: String) throws -> [[String]] {
        let file = try POSIXFileSystem().open(path, .readOnly)
        var bytes = [UInt8](repeating: 0, count: Int(try file.byteCount()))
        _ = try file.read(at: 0, into: &bytes)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }
}
