internal import FileSystem
internal import GraphModel
internal import Storage

/// Measures the storage engine through its own calls, without servers, queries or packages:
/// `storage-bench WHAT STORE [ARGUMENT …]`. Prints lines `name value unit remark`.
@main
struct StorageBench {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else {
            throw GraphError(.argumentError, "usage: storage-bench import|open|hops|changed|disk|commits|checkpoints|bulk|hub|indexes|named|traversals STORE [ARGUMENT …]")
        }
        let directory = arguments[2]
        let rest = Array(arguments.dropFirst(3))
        switch arguments[1] {
        case "import": try importGraph(directory, rest)
        case "open": try open(directory)
        case "disk": try Commits.disk(directory, seconds: 2)
        case "commits":
            let clientCount = number(rest, 0, 1)
            if clientCount == 1 { try Commits.run(directory, clientCount: 1, seconds: 2) } else {
                try await Commits.runTasks(directory, clientCount: clientCount, seconds: 2)
            }
        case "checkpoints": try Commits.run(directory, clientCount: number(rest, 0, 1), seconds: 6, checkpoints: true)
        case "bulk": try Bulk.relationships(directory, count: number(rest, 0, 2_000_000))
        case "hub": try Bulk.hub(directory, degree: number(rest, 0, 10_000_000))
        case "indexes": try Indexes.run(directory, nodeCount: number(rest, 0, 100_000))
        case "named": try NamedIndexes.run(directory, nodeCount: number(rest, 0, 1_000_000))
        case "hops": try hops(directory, changedPart: 0, rest)
        case "changed": try hops(directory, changedPart: 0.1, rest)
        case "traversals":
            let store = try Store.open(directory)
            defer { store.close() }
            try Traversals.run(store, rounds: number(rest, 0, 100))
        default:
            throw GraphError(.argumentError, "\(arguments[1]) is no benchmark")
        }
    }

    private static func number(_ arguments: [String], _ index: Int, _ standard: Int) -> Int {
        index < arguments.count ? Int(arguments[index]) ?? standard : standard
    }

    /// `import STORE DATADIR [MIB]`: the graph of the shared generator, within a limit of memory.
    ///
    /// Headers come from files of their own; the files' first rows are bad rows then.
    private static func importGraph(_ directory: String, _ arguments: [String]) throws {
        let data = arguments[0]
        let headers = [
            "users": "id:ID,name,age:int,gender,region\n", "friends": ":START_ID,:END_ID\n",
        ]
        for (name, header) in headers {
            try POSIXFileSystem().replace("\(directory).\(name).csv", with: Array(header.utf8))
        }
        func input(_ name: String, _ label: String) -> BulkImporter.Input {
            .init(paths: ["\(directory).\(name).csv", "\(data)/\(name).csv"], names: [label])
        }
        var options = BulkImporter.Options()
        options.memoryByteCountMaximum = number(arguments, 1, 1024) << 20
        var stages: [(name: String, nanoseconds: UInt64)] = []
        let importer = BulkImporter(
            into: directory, options: options,
            onProgress: { progress in
                if stages.last?.name != progress.stage { stages.append((progress.stage, monotonicNanoseconds())) }
            })
        let statistics = try importer.run(nodes: [input("users", "User")], relationships: [input("friends", "F")])
        let end = monotonicNanoseconds()
        for name in headers.keys { try POSIXFileSystem().remove("\(directory).\(name).csv") }
        report("import", statistics.rowsPerSecond, "rows/s", "\(statistics.rowCount)")
        for (index, stage) in stages.enumerated() {
            let next = index + 1 < stages.count ? stages[index + 1].nanoseconds : end
            report("import-\(stage.name)", Double(next - stage.nanoseconds) / 1e9, "s", "")
        }
        report("import-memory", Double(statistics.peakMemoryByteCount) / 1_048_576, "MiB", "\(options.memoryByteCountMaximum >> 20)")
        report("import-spilled", Double(statistics.spilledByteCount) / 1_048_576, "MiB", "")
        report("disk", Double(statistics.storeByteCount) / 1_048_576, "MiB", "")
    }

    /// Time to open, and what the process holds in memory then.
    private static func open(_ directory: String) throws {
        let before = residentBytes()
        let (store, seconds) = try timed { try Store.open(directory) }
        defer { store.close() }
        report("open", seconds * 1000, "ms", "\(store.relationshipCount)")
        let after = residentBytes()
        report("resident", Double(after) / 1_048_576, "MiB", "")
        report("resident-by-opening", Double(after - before) / 1_048_576, "MiB", "")
    }

    /// Of a length that the kernel does not tell beforehand.
    private static func readProcessStatus() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 8192)
        guard let file = try? POSIXFileSystem().open("/proc/self/status", .readOnly),
            let count = try? file.read(at: 0, into: &buffer)
        else { return [] }
        return Array(buffer[..<count])
    }

    private static func residentBytes() -> Int {
        let status = readProcessStatus()
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n") where line.hasPrefix("VmRSS:") {
            return (Int(line.split(separator: " ").dropLast().last ?? "") ?? 0) * 1024
        }
        return 0
    }

    private static func hops(_ directory: String, changedPart: Double, _ arguments: [String]) throws {
        let store = try Store.open(directory)
        defer { store.close() }
        if changedPart > 0 { try Changes.make(store, part: changedPart, type: "F") }
        var hops = try Hops(store, type: "F")
        try hops.run(rounds: number(arguments, 0, 5))
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
