internal import FileSystem
internal import GraphModel

/// Starts something that ends elsewhere and sleeps until it has; for threads that belong to the caller.
func waitForOutcome<Outcome: Sendable>(_ start: (@escaping @Sendable (Outcome) -> Void) -> Void) -> Outcome {
    let outcome = Monitor<Outcome?>(nil)
    start { result in
        outcome.withLock { $0 = result }
        outcome.signal()
    }
    while true {
        if let result = outcome.wait({ $0 }) { return result }
    }
}
