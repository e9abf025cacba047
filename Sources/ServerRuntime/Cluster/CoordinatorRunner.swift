internal import FileSystem
public import GraphModel
public import Logging
internal import UnixSignals

/// A process that is a coordinator and nothing else.
public enum CoordinatorRunner {
    /// Runs until TERM or INT. Throws when it cannot start or its state can no longer be written.
    public static func runUntilSignal(_ configuration: Configuration, logger: Logger) async throws(GraphError) {
        let (ends, end) = AsyncStream.makeStream(of: GraphError?.self)
        for warning in configuration.warnings { logger.warning("\(warning)") }
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let watcher = Task {
            for await signal in signals where signal != .sighup { end.yield(nil) }
        }
        defer { watcher.cancel() }
        let service = try await CoordinatorService.start(configuration, logger: logger) { end.yield($0) }
        StandardStream.output.writeLine("ready coordinator \(service.address)")
        var failure: GraphError?
        for await reason in ends {
            failure = reason
            break
        }
        await service.close()
        if let failure { throw failure }
        logger.info("stopped")
    }
}
