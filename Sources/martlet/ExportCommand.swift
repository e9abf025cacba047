internal import ArgumentParser
internal import FileSystem
internal import GraphModel
internal import ServerRuntime

/// `martlet export`: a graph into files.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a whole graph to files: CSV, JSON Lines or Cypher statements.",
        discussion: """
            What is written is the graph as one transaction sees it; writers go on meanwhile. csv makes a directory of \
            files that martlet import reads again, jsonl one file that martlet import --upsert and --into read with \
            --json-lines, cypher one file of statements, each on a line. A file has its name once it is complete.
            """)

    @Argument(help: ArgumentHelp("A server, or members of a cluster, the first that answers being asked.", valueName: "host:port[,…]"))
    var server: String?

    @Option(help: ArgumentHelp("A store that no server has open, in place of a server.", valueName: "DIR"))
    var store: String?

    @Option(
        help: "csv, jsonl or cypher.",
        transform: { text in
            guard let format = ExportTool.Format(rawValue: text) else {
                throw ValidationError("\(text): expected csv, jsonl or cypher")
            }
            return format
        })
    var format = ExportTool.Format.jsonl

    @Option(help: ArgumentHelp("A file, or - for standard output; for csv a new or empty directory.", valueName: "PATH"))
    var to: String

    @Flag(help: "Pack the files with gzip.")
    var gzip = false

    @Option(name: .customLong("retry-for"), help: "Seconds to go on trying when no member answers.")
    var retrySeconds = 120

    @Flag(help: "Print the summary as JSON.")
    var json = false

    func validate() throws {
        if (server == nil) == (store == nil) { throw ValidationError("expected either host:port of a server or --store DIR") }
        if retrySeconds < 0 { throw ValidationError("--retry-for \(retrySeconds): expected 0 or more") }
    }

    func run() async throws {
        var options = ExportTool.Options()
        options.addresses = (server ?? "").split(separator: ",").map(String.init)
        options.store = store
        options.format = format
        options.target = to
        options.isPacked = gzip
        options.patience = Milliseconds(UInt64(retrySeconds) * 1000)
        options.asJSON = json
        // Standard output may have the graph.
        let output = to == "-" ? StandardStream.error : .output
        try await ExportTool.run(options, progress: ProgressDisplay()) { output.writeLine($0) }
    }
}
