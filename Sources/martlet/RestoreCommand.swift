internal import ArgumentParser
internal import Backup
internal import FileSystem
internal import GraphModel
internal import RESTServer
internal import ServerRuntime

/// `martlet restore`: a backup to where a server has its store.
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the place of a database that does not run.",
        discussion: """
            Copies the backup, verifies every checksum, walks the whole graph, and only then gives the copy its place; \
            the backup stays as it is. Of a directory with generations (martlet backup --keep) the latest is taken. Exit \
            code 3 when the graph is inconsistent; then nothing is restored.
            """)

    @Option(
        name: [.customLong("from"), .customLong("from", withSingleDash: true)],
        help: ArgumentHelp("Directory of the backup.", valueName: "DIR"))
    var from: String

    @Option(
        name: [.customLong("to"), .customLong("to", withSingleDash: true)],
        help: ArgumentHelp("org.neo4j.server.database.location of the server.", valueName: "DIR"))
    var to: String

    @Flag(help: "Set aside what is there, under a name with the time; without this the target must be empty.")
    var force = false

    @Flag(name: .customLong("no-check"), help: "Do not walk the whole graph.")
    var noCheck = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() throws {
        var options = RestoreTool.Options(source: from, target: to)
        options.replaces = force
        options.checksResult = !noCheck
        let summary = try BackupDisplay.showing { show throws(GraphError) in try RestoreTool.run(options, report: show) }
        StandardStream.output.writeLine(json ? Self.json(summary) : summary.text)
        if !summary.isConsistent { throw ExitStatus.inconsistent }
    }

    private static func json(_ summary: RestoreTool.Summary) -> String {
        var json = JSONWriter(.manual)
        json.beginObject()
        for (key, text) in [
            ("directory", summary.target), ("from", summary.source), ("store_id", summary.storeID.description),
        ] {
            json.key(key)
            json.string(text)
        }
        json.key("restored")
        json.value(summary.isConsistent)
        for (key, number) in [
            ("last_tx", summary.position.transactionID.rawValue), ("epoch", summary.position.epoch.rawValue),
            ("bytes", summary.byteCount),
        ] {
            json.key(key)
            json.value(number)
        }
        json.key("seconds")
        json.value(summary.seconds)
        json.key("set_aside")
        json.beginList()
        for (_, path) in summary.setAside { json.string(path) }
        json.endList()
        json.writeCheck(summary.check)
        json.endObject()
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
