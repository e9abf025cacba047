internal import ArgumentParser
internal import FileSystem
internal import ServerRuntime

/// `martlet import`: CSV files into a new store.
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Load CSV files into a new store.",
        discussion: """
            The first row of a file names its columns: name:type for a property, :ID, :LABEL for nodes, :START_ID, \
            :END_ID, :TYPE for relationships. Rows that cannot be taken are reported with file and line.
            """)

    @Option(help: "Directory of the new store; empty or missing.")
    var into: String

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Files of nodes.", valueName: "[Label=]FILE"))
    var nodes: [String] = []

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Files of relationships.", valueName: "[TYPE=]FILE"))
    var relationships: [String] = []

    @Option(help: "Separator of fields: one character, or TAB.")
    var delimiter = ","

    @Option(name: .customLong("bad-tolerance"), help: "More bad rows than this end the import.")
    var badTolerance = 1000

    @Flag(help: "Print the statistics as JSON.")
    var json = false

    func validate() throws {
        if badTolerance < 0 { throw ValidationError("--bad-tolerance \(badTolerance): expected 0 or more") }
    }

    func run() throws {
        var options = ImportTool.Options()
        options.directory = into
        options.nodes = nodes
        options.relationships = relationships
        options.delimiter = delimiter
        options.badRowCountMaximum = badTolerance
        options.asJSON = json
        try ImportTool.run(options, progress: ProgressDisplay()) { StandardStream.output.writeLine($0) }
    }
}
