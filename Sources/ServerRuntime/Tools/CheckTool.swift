internal import FileSystem
public import GraphModel
internal import RESTServer
internal import Storage

/// `martlet check`: looks through a store that no server has open, and changes nothing in it.
public enum CheckTool {
    /// Prints the report. Throws when the directory holds no store or the store cannot be opened at all.
    public static func run(
        _ directory: String, asJSON: Bool, progress: ProgressDisplay? = nil, print: (String) -> Void
    ) throws(GraphError) -> ExitStatus {
        guard Store.exists(directory) else {
            throw GraphError(.foreignStore, "\(directory): there is no Martlet store here")
        }
        var options = Store.Options()
        options.usesLogThread = false
        let store = try Store.open(directory, options: options)
        defer { store.close() }
        let report = store.check { progress?.update(stage: "checking", part: $0, rowCount: nil) }
        progress?.finish()
        print(asJSON ? json(report, directory) : text(report))
        return report.isConsistent ? .success : .inconsistent
    }

    private static func text(_ report: CheckReport) -> String {
        var lines = [
            "store           \(report.storeID)",
            "position        \(report.position)",
            "nodes           \(report.nodeCount)",
            "relationships   \(report.relationshipCount)",
            "segments        \(report.segmentCount)",
            "log entries     \(report.logEntryCount)",
            "graph checksum  \(report.checksum)",
        ]
        if report.isConsistent {
            lines.append("consistent")
        } else {
            lines.append(contentsOf: report.problems.map { "problem: " + $0 })
            let isCut = report.problems.count >= CheckReport.problemCountMaximum
            lines.append("INCONSISTENT: \(isCut ? "at least " : "")\(report.problems.count) problem(s)")
        }
        return lines.joined(separator: "\n")
    }

    private static func json(_ report: CheckReport, _ directory: String) -> String {
        var json = JSONWriter(.manual)
        json.beginObject()
        json.key("directory")
        json.string(directory)
        json.key("store_id")
        json.string(report.storeID.description)
        json.key("position")
        json.beginObject()
        json.key("tx")
        json.value(report.position.transactionID.rawValue)
        json.key("epoch")
        json.value(report.position.epoch.rawValue)
        json.key("checksum")
        json.string(String(report.position.checksum, radix: 16))
        json.endObject()
        for (key, count) in [
            ("nodes", report.nodeCount), ("relationships", report.relationshipCount), ("segments", report.segmentCount),
            ("log_entries", report.logEntryCount),
        ] {
            json.key(key)
            json.value(Int64(count))
        }
        json.key("graph_checksum")
        json.string(report.checksum.description)
        json.key("consistent")
        json.value(report.isConsistent)
        json.key("problems")
        json.beginList()
        for problem in report.problems { json.string(problem) }
        json.endList()
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
