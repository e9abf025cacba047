internal import ArgumentParser
internal import FileSystem
internal import GraphModel
internal import Logging
internal import ServerRuntime

/// `martlet server`: one member.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "One server: database, HTTP.",
        subcommands: [Console.self, Health.self, Config.self])

    /// Where the configuration comes from.
    struct ConfigurationOptions: ParsableArguments {
        @Option(name: .customLong("config"), help: "Configuration file, key=value lines.")
        var file: String?

        @Option(name: .customLong("set"), help: "key=value; overrides file and environment. May be repeated.")
        var overrides: [String] = []

        func load() throws(GraphError) -> Configuration {
            let pairs = try overrides.map { text throws(GraphError) -> (key: String, value: String) in
                guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                    throw GraphError(.configuration, "--set \(text): expected key=value")
                }
                return (String(text[..<equals]), String(text[text.index(after: equals)...]))
            }
            return try Configuration(file: file, environment: processEnvironment(), overrides: pairs)
        }
    }

    struct Console: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run in the foreground until TERM or INT.",
            discussion: "Prints one line that begins with \"ready \" when it serves.")

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let configuration = try options.load()
            let level = Logger.Level(rawValue: (configuration.value(Settings.logLevel) ?? .info).rawValue) ?? .info
            let logger = Logger(label: "server") { LineLogHandler(label: $0, level: level) }
            try await Server(configuration, logger: logger).runUntilSignal()
        }
    }

    struct Health: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask the server of a configuration whether it is well.",
            discussion: """
                For supervisors and containers: exit code 0 when it is, also while it waits for a master or copies a store; \
                1 when it is not or does not answer.
                """)

        @OptionGroup var options: ConfigurationOptions

        func run() async throws { StandardStream.output.writeLine(try await HealthTool.ask(try options.load())) }
    }

    struct Config: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show or document the configuration.")

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "Every key with its value and where that comes from.")
        var dump = false

        @Flag(help: "The table of all keys, in Markdown.")
        var table = false

        func validate() throws {
            if dump == table { throw ValidationError("Say --dump or --table.") }
        }

        func run() throws {
            if table { return StandardStream.output.writeLine(Configuration.documentation) }
            let configuration = try options.load()
            for warning in configuration.warnings { StandardStream.error.writeLine("martlet: warning: \(warning)") }
            StandardStream.output.writeLine(configuration.dump)
        }
    }
}
