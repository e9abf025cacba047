internal import FileSystem
internal import GraphModel
internal import Storage

/// Measures the storage engine through its own calls, without servers, queries or packages:
/// `storage-bench WHAT STORE [ARGUMENT …]`. Prints lines `name value unit remark`.
@main
struct StorageBench {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else {
            throw GraphError(.argumentError, "usage: storage-bench import|hops|changed STORE [ARGUMENT …]")
        }
        let directory = arguments[2]
        let rest = Array(arguments.dropFirst(3))
        switch arguments[1] {
        case "import": try importGraph(directory, rest)
        case "hops": try hops(directory, changedPart: 0, rest)
        case "changed": try hops(directory, changedPart: 0.1, rest)
        default:
            throw GraphError(.argumentError, "\(arguments[1]) is no benchmark")
        }
    }

    /// `import STORE DATADIR`: the graph of the shared generator.
    private static func importGraph(_ directory: String, _ arguments: [String]) throws {
        let data = arguments[0]
        var headers: [String: String] = [:]
        for (name, header) in [("users", "id:ID,name,age:int,gender,region"), ("friends", ":START_ID,:END_ID")] {
            headers[name] = "\(directory).\(name).csv"
            let content = try POSIXFileSystem().readAll("\(data)/\(name).csv")
            let firstLine = content.firstIndex(of: UInt8(ascii: "\n")) ?? content.endIndex
            let file = try POSIXFileSystem().open("\(directory).\(name).csv", .createEmpty)
            try file.write(Array(header.utf8) + content[firstLine...], at: 0)
            file.close()
        }
        let importer = BulkImporter(into: directory)
        let (statistics, seconds) = try timed {
            try importer.run(
                nodes: [.init(path: headers["users"] ?? "", names: ["User"])],
                relationships: [.init(path: headers["friends"] ?? "", names: ["F"])])
        }
        for path in headers.values { try POSIXFileSystem().remove(path) }
        let rowCount = Double(statistics.nodeCount + statistics.relationshipCount)
        report("import", rowCount / seconds, "rows/s", "\(statistics.nodeCount + statistics.relationshipCount)")
        report("disk", Double(statistics.storeByteCount) / 1_048_576, "MiB", "")
    }

    private static func hops(_ directory: String, changedPart: Double, _ arguments: [String]) throws {
        let store = try Store.open(directory)
        defer { store.close() }
        if changedPart > 0 { try Changes.make(store, part: changedPart, type: "F") }
        var hops = try Hops(store, type: "F")
        try hops.run(rounds: arguments.first.flatMap { Int($0) } ?? 5)
    }
}

func report(_ name: String, _ value: Double, _ unit: String, _ remark: String) {
    let digits = value < 10 ? 1000.0 : value < 1000 ? 10.0 : 1.0
    StandardStream.output.writeLine("\(name) \((value * digits).rounded() / digits) \(unit) \(remark)")
}

func timed<R>(_ body: () throws -> R) rethrows -> (R, seconds: Double) {
    let start = monotonicNanoseconds()
    let result = try body()
    return (result, Double(monotonicNanoseconds() - start) / 1e9)
}
