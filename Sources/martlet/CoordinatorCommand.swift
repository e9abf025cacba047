internal import ArgumentParser
internal import FileSystem
internal import GraphModel
internal import Logging
internal import ServerRuntime

/// `martlet coordinator`: a voter without a database.
struct CoordinatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coordinator", abstract: "A coordinator alone: it votes, it holds no data.",
        subcommands: [Console.self])

    struct Console: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run in the foreground until TERM or INT.",
            discussion: """
                Needs ha.coordinator and ha.coordinators. Its state lies beside org.neo4j.server.database.location, in a \
                file that ends in .coordinator. Prints one line that begins with "ready " when it votes.
                """)

        @OptionGroup var options: ServerCommand.ConfigurationOptions

        func run() async throws {
            let configuration = try options.load()
            let logger = Logger(label: "coordinator") { LineLogHandler(label: $0, level: .info) }
            try await CoordinatorRunner.runUntilSignal(configuration, logger: logger)
        }
    }
}
