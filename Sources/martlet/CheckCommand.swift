internal import ArgumentParser
internal import FileSystem
internal import ServerRuntime

/// `martlet check DIR`: is this store whole?
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a store that no server has open.",
        discussion: "Prints store id, position, counts and graph checksum. Exit code 3 when something is inconsistent.")

    @Argument(help: "Store directory.")
    var directory: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let progress = StandardStream.error.isTerminal ? ProgressDisplay() : nil
        let status = try CheckTool.run(directory, asJSON: json, progress: progress) {
            StandardStream.output.writeLine($0)
        }
        if status != .success { throw status }
    }
}
