internal import ArgumentParser

/// Measures Martlet from within one process, each figure beside the limit it is compared with. `tools/bench` runs it
/// and everything that needs more than one process.
@main
struct MartletBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-bench", abstract: "Measure Martlet beside the limits of the machine.",
        discussion: "Prints one JSON object per series: its name, its unit and the value of every round.",
        subcommands: [ExpandCommand.self, WriteCommand.self, SyncRateCommand.self, BareHTTPCommand.self])
}
