internal import ArgumentParser
internal import FileSystem
internal import Glibc
internal import GraphModel
internal import RESTServer
internal import ServerRuntime

/// The command line. One file per subcommand.
struct Martlet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet", abstract: "A highly available graph database.",
        discussion: """
            Exit codes: 0 done, 1 something failed while it ran, 2 the command line or the configuration is wrong, \
            3 a check found the store inconsistent.
            """,
        version: martletVersion,
        subcommands: [
            ServerCommand.self, CoordinatorCommand.self, ClusterCommand.self, CheckCommand.self, BackupCommand.self,
            RestoreCommand.self,
            ImportCommand.self, ExportCommand.self, LogCommand.self,
        ])
}

@main
enum Main {
    static func main() async {
        do {
            var command = try Martlet.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as GraphError {
            // One line: what scripts and logs can quote.
            let message = error.message.split(separator: "\n").joined(separator: " ")
            StandardStream.error.writeLine("martlet: error: \(message)")
            exit(ExitStatus(error).rawValue)
        } catch let status as ExitStatus {
            exit(status.rawValue)
        } catch {
            let code = Martlet.exitCode(for: error)
            let message = Martlet.fullMessage(for: error)
            if !message.isEmpty { (code.isSuccess ? StandardStream.output : .error).writeLine(message) }
            exit(code == .validationFailure ? ExitStatus.usage.rawValue : code.rawValue)
        }
    }
}

extension ExitStatus: Error {}
