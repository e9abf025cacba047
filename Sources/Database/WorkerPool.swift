internal import FileSystem
internal import GraphModel

/// Threads that run queries: as many as cores, so that a long query never holds up an event loop, a heartbeat or a
/// status page. The queue is bounded; what does not fit is refused as overload, and the client may retry.
public final class WorkerPool: Sendable {
    private struct Queue {
        var jobs: [@Sendable () -> Void] = []
        var head = 0
        var isClosed = false
    }
    private let queue = Monitor(Queue())
    private let threads: [DedicatedThread]
    /// Jobs that may wait.
    static let queuedJobCountMaximum = 4096

    public init(threadCount: Int) {
        let queue = queue
        threads = (0..<max(1, threadCount)).map { index in
            DedicatedThread(name: "martlet-query-\(index)") {
                while let job = queue.wait({ queue -> (@Sendable () -> Void)?? in
                    if queue.head < queue.jobs.count {
                        let job = queue.jobs[queue.head]
                        queue.head += 1
                        if queue.head == queue.jobs.count {
                            queue.jobs.removeAll(keepingCapacity: true)
                            queue.head = 0
                        }
                        return .some(job)
                    }
                    return queue.isClosed ? .some(nil) : nil
                }) ?? nil {
                    job()
                }
            }
        }
    }

    /// Runs a job on one of the threads and returns what it returns.
    func run<R: Sendable>(_ job: @escaping @Sendable () -> Result<R, GraphError>) async throws(GraphError) -> R {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<R, GraphError>, Never>) in
            let accepted = queue.withLock { queue -> Bool in
                guard !queue.isClosed, queue.jobs.count - queue.head < Self.queuedJobCountMaximum else { return false }
                queue.jobs.append { continuation.resume(returning: job()) }
                return true
            }
            if accepted { queue.signalOne() } else {
                continuation.resume(returning: .failure(
                    GraphError(.overloaded, "\(Self.queuedJobCountMaximum) requests wait already, or the server is stopping: try again later")))
            }
        }
        return try result.get()
    }

    /// Lets what is queued finish and ends the threads.
    public func close() {
        queue.withLock { $0.isClosed = true }
        queue.signal()
        for thread in threads { thread.join() }
    }
}
