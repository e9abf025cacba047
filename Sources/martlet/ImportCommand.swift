internal import ArgumentParser
internal import FileSystem
internal import ServerRuntime

/// `martlet import`: CSV files into a new store.
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Load CSV files into a new store.",
        discussion: """
            The first row of a file names its columns: name:type for a property, :ID, :LABEL for nodes, :START_ID, \
            :END_ID, :TYPE for relationships. Several files with the same columns go with commas between; only the \
            first has a header, and may be nothing else. Files may be gzip. Rows that cannot be taken are reported with \
            file and line. Memory stays below a limit; what does not fit goes to temporary files in the directory.
            """)

    @Option(help: "Directory of the new store; empty or missing.")
    var into: String

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Files of nodes.", valueName: "[Label=]FILE[,FILE…]"))
    var nodes: [String] = []

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Files of relationships.", valueName: "[TYPE=]FILE[,FILE…]"))
    var relationships: [String] = []

    @Option(help: "Separator of fields: one character, TAB, or U+ and its hexadecimal number.")
    var delimiter = ","

    @Option(name: .customLong("array-delimiter"), help: "Separator of the elements of arrays and of labels.")
    var arrayDelimiter = ";"

    @Option(help: "Character around fields that hold separators or line ends; NONE for none.")
    var quote = "\""

    @Option(name: .customLong("max-memory"), help: "Memory that the import may take, as 512M or 4G; at least 128M.")
    var maxMemory = "1G"

    @Option(name: .customLong("bad-rows"), help: ArgumentHelp("Report bad rows here as CSV.", valueName: "FILE"))
    var badRows: String?

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
        options.arrayDelimiter = arrayDelimiter
        options.quote = quote
        options.memory = maxMemory
        options.badRowsPath = badRows
        options.badRowCountMaximum = badTolerance
        options.asJSON = json
        try ImportTool.run(options, progress: ProgressDisplay()) { StandardStream.output.writeLine($0) }
    }
}
