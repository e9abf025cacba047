internal import ArgumentParser
internal import FileSystem
internal import ServerRuntime

/// `martlet log`: looking into the transaction log of a store.
struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Look into the transaction log of a store.", subcommands: [Dump.self])

    struct Dump: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dump", abstract: "Print the entries of a transaction log.",
            discussion: """
                Takes no lock and changes nothing; the store need not open. Exit code 1 when something is damaged: where \
                is said at the end. The last entry of a store that is being written may look so.
                """)

        @Argument(help: "Store directory.")
        var directory: String

        @Option(help: ArgumentHelp("The first transaction to show.", valueName: "TX"))
        var from: UInt64?

        @Option(help: ArgumentHelp("The last transaction to show.", valueName: "TX"))
        var to: UInt64?

        @Flag(help: "Show what each entry does.")
        var commands = false

        @Flag(help: "Print an object of JSON per line.")
        var json = false

        func run() throws {
            var options = LogTool.Options()
            options.directory = directory
            options.from = from
            options.to = to
            options.withCommands = commands
            options.asJSON = json
            let status = try LogTool.dump(options) { StandardStream.output.writeLine($0) }
            if status != .success { throw status }
        }
    }
}
