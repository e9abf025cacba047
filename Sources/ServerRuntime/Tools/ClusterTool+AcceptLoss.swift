internal import FileSystem
package import GraphModel
internal import Replication
internal import Storage

extension ClusterTool {
    /// Says what a member that is stopped has lost of what it acknowledged; with `isConfirmed` lets it count all the same.
    package static func acceptLoss(
        _ configuration: Configuration, isConfirmed: Bool, print: (String) -> Void
    ) throws(GraphError) {
        let directory = configuration.path(Settings.location)
        guard Store.exists(directory) else {
            throw GraphError(.foreignStore, "\(directory): there is no store here; a member without one copies the master's")
        }
        let loss = try AcceptedLoss(
            hardStatePath: directory + ".member", fileSystem: POSIXFileSystem(), end: try endOfLog(directory))
        print("acknowledged  \(loss.acknowledged)")
        print("log ends at   \(loss.end)")
        if loss.isWhole { return print("Nothing is missing: this member counts as it is.") }
        if let lost = loss.lost {
            print("LOST          \(lost.count) transactions that it acknowledged, tx \(lost.lowerBound) to \(lost.upperBound)")
        } else {
            print("No transaction is known to be lost, but the member cannot tell that it has all it acknowledged.")
        }
        guard isConfirmed else {
            throw GraphError(
                .invalidRequest,
                "nothing was changed. A member that has what is missing brings this one up to date when both run. If there is none, --yes lets this one count with what it has: what is lost stays lost")
        }
        try loss.accept()
        print("Accepted: this member may be elected again, with the log that it has.")
    }

    /// Opens the store as its member would, so that no other process has it.
    private static func endOfLog(_ directory: String) throws(GraphError) -> LogPosition {
        var options = Store.Options()
        options.usesLogThread = false
        options.isClustered = true
        options.appliesWholeLog = false
        let store = try Store.open(directory, options: options)
        defer { store.close() }
        return store.durable
    }
}
