internal import ArgumentParser
internal import FileSystem
internal import GraphModel
internal import ServerRuntime

/// `martlet import`: CSV files into a new store, or into a running graph.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Load CSV or JSON Lines files into a new store, or bring a running graph up to date with them.",
        discussion: """
            The first row of a file names its columns: name:type for a property, :ID, :LABEL for nodes, :START_ID, \
            :END_ID, :TYPE for relationships. Several files with the same columns go with commas between; only the \
            first has a header, and may be nothing else. Files may be gzip. Rows that cannot be taken are reported with \
            file and line. Memory stays below a limit; what does not fit goes to temporary files in the directory.

            With --upsert the files go into a running server or cluster: what is missing is added, what differs is \
            updated, nothing is deleted. Nodes are told apart by their first label and the property that the :ID column \
            names (id:ID), relationships by type and both nodes; :START_ID(Person.id) names label and property where \
            no file of nodes on the command line has that id space. Running it again continues.

            --json-lines reads what martlet export --format jsonl writes; nodes are told apart by a uniqueness \
            constraint that the file has, or by --key. --documents reads exports of document stores, an object with \
            _id and _source in each line; --relationship makes relationships of fields that have ids of other documents.

            With --compare files and graph are counted by label and type: exit code 0 when equal, 1 when not.
            """)

    @Option(help: "Directory of the new store; empty or missing.")
    var into: String?

    @Option(
        help: ArgumentHelp("Bring the graph of this server, or of a cluster by some of its members, up to date.", valueName: "host:port[,…]"))
    var upsert: String?

    @Option(help: ArgumentHelp("Compare the graph of this server with the files.", valueName: "host:port[,…]"))
    var compare: String?

    @Option(
        help: ArgumentHelp(
            "With --upsert: the property that keeps ids that have no name of their own, and labels with the property that is their key.",
            valueName: "NAME|Label.property[,…]"))
    var key: String?

    @Flag(name: .customLong("integer-ids"), help: "With --upsert: ids are integers in the graph, not strings.")
    var integerIDs = false

    @Option(name: .customLong("batch"), help: "With --upsert: rows in one transaction.")
    var batch = 20_000

    @Option(name: .customLong("retry-for"), help: "With --upsert: seconds to go on trying when no member can write.")
    var retrySeconds = 120

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Files of nodes.", valueName: "[Label=]FILE[,FILE…]"))
    var nodes: [String] = []

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Files of relationships.", valueName: "[TYPE=]FILE[,FILE…]"))
    var relationships: [String] = []

    @Option(
        name: .customLong("json-lines"), parsing: .upToNextOption,
        help: ArgumentHelp("Files of nodes and relationships, one in each line; - is standard input.", valueName: "FILE[,FILE…]"))
    var jsonLines: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("With --upsert: exports of documents, one in each line.", valueName: "[Label=]FILE[,FILE…]"))
    var documents: [String] = []

    @Option(
        name: .customLong("relationship"), parsing: .upToNextOption,
        help: ArgumentHelp("With --documents: a field that has ids of other nodes.", valueName: "field:TYPE:Label[.property]"))
    var references: [String] = []

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
        if [into, upsert, compare].count(where: { $0 != nil }) != 1 {
            throw ValidationError("expected one of --into, --upsert and --compare")
        }
        if !(1...1_000_000).contains(batch) { throw ValidationError("--batch \(batch): expected 1 to 1000000") }
        if retrySeconds < 0 { throw ValidationError("--retry-for \(retrySeconds): expected 0 or more") }
    }

    func run() async throws {
        if let upsert {
            return try await UpsertTool.run(upsertOptions(upsert), progress: ProgressDisplay()) { StandardStream.output.writeLine($0) }
        }
        if let compare {
            let status = try await CompareTool.run(upsertOptions(compare), progress: ProgressDisplay()) {
                StandardStream.output.writeLine($0)
            }
            if status != .success { throw status }
            return
        }
        var options = ImportTool.Options()
        options.directory = into ?? ""
        options.files = files
        options.memory = maxMemory
        options.badRowsPath = badRows
        options.badRowCountMaximum = badTolerance
        options.asJSON = json
        try ImportTool.run(options, progress: ProgressDisplay()) { StandardStream.output.writeLine($0) }
    }

    private var files: SourceFiles {
        var files = SourceFiles()
        files.nodes = nodes
        files.relationships = relationships
        files.jsonLines = jsonLines
        files.documents = documents
        files.references = references
        files.delimiter = delimiter
        files.arrayDelimiter = arrayDelimiter
        files.quote = quote
        return files
    }

    private func upsertOptions(_ addresses: String) -> UpsertTool.Options {
        var options = UpsertTool.Options()
        options.addresses = addresses.split(separator: ",").map(String.init)
        options.files = files
        options.key = key
        options.idsAreIntegers = integerIDs
        options.batchRowCount = batch
        options.patience = Milliseconds(UInt64(retrySeconds) * 1000)
        options.badRowsPath = badRows
        options.badRowCountMaximum = badTolerance
        options.asJSON = json
        return options
    }
}
