internal import FileSystem
internal import Glibc
public import GraphModel
internal import UnixSignals

extension Server {
    private enum Event: Sendable {
        case stopRequested
        case serving
        case failed(GraphError)
    }

    /// Runs until TERM or INT: starts, prints the `ready` line once it serves, and stops in order. A second signal
    /// ends the process at once. HUP is taken and does nothing yet. Throws when starting fails, or when the database
    /// says that it cannot go on.
    public func runUntilSignal() async throws(GraphError) {
        let (events, sender) = AsyncStream.makeStream(of: Event.self)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let watcher = Task { [weak self] in
            var count = 0
            for await signal in signals where signal != .sighup {
                count += 1
                if count > 1 { exit(ExitStatus.failure.rawValue) }
                self?.logStopping("\(signal)")
                sender.yield(.stopRequested)
            }
        }
        defer { watcher.cancel() }
        try await start()
        let starter = Task {
            do throws(GraphError) {
                try await self.untilServing()
                sender.yield(.serving)
            } catch {
                sender.yield(.failed(error))
            }
        }
        // Also before it serves: a member that does not belong to the cluster never will.
        let guardian = Task {
            if let error = await self.untilFailure() { sender.yield(.failed(error)) }
        }
        var failure: GraphError?
        loop: for await event in events {
            switch event {
            case .serving: StandardStream.output.writeLine(readyLine)
            case .stopRequested: break loop
            case .failed(let error):
                failure = error
                break loop
            }
        }
        starter.cancel()
        guardian.cancel()
        await stop()
        if let failure { throw failure }
    }
}
