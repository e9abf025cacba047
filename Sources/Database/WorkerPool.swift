internal import FileSystem
internal import GraphModel
internal import QueryEngine
internal import Synchronization

/// Threads that run queries: as many as cores, so that a long query never holds up an event loop, a heartbeat or a
/// status page. The queue is bounded; what does not fit is refused as overload, and the client may retry.
public final class WorkerPool: Sendable {
    private let queue = Monitor(JobQueue())
    private let threads = Mutex<[DedicatedThread]>([])
    private let threadCount: Int
    private let niceness: Int32
    /// Jobs that may wait.
    static let queuedJobCountMaximum = 4096
    /// Threads that may stand in for blocked ones.
    private static let spareThreadCountMaximum = 64

    /// - Parameter niceness: 0 to 19; with more, event loops, heartbeats and the log go before queries.
    public init(threadCount: Int, niceness: Int = 0) {
        self.threadCount = max(1, threadCount)
        self.niceness = Int32(max(0, min(19, niceness)))
        threads.withLock { threads in
            for _ in 0..<self.threadCount { threads.append(makeThread(threads.count)) }
        }
    }

    private func makeThread(_ index: Int) -> DedicatedThread {
        DedicatedThread(name: "martlet-query-\(index)", niceness: niceness) { [queue, threadCount] in
            var hasJob = false
            while let job = queue.wait({ queue -> (@Sendable () -> Void)?? in
                if hasJob {
                    queue.busyCount -= 1
                    hasJob = false
                }
                if let job = queue.takeJob(threadCount: threadCount) {
                    hasJob = true
                    return .some(job)
                }
                return queue.isClosed && queue.waitingCount == 0 ? .some(nil) : nil
            }) ?? nil {
                job()
            }
        }
    }

    /// Runs a job on one of the threads and returns what it returns.
    func run<R: Sendable>(_ job: @escaping @Sendable () -> Result<R, GraphError>) async throws(GraphError) -> R {
        try await start { done in done(job()) }
    }

    /// Runs a job on one of the threads and returns what the job hands to `done`, there or later on any thread; it must
    /// do so exactly once.
    func start<R: Sendable>(
        _ job: @escaping @Sendable (_ done: @escaping @Sendable (Result<R, GraphError>) -> Void) -> Void
    ) async throws(GraphError) -> R {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<R, GraphError>, Never>) in
            let accepted = queue.withLock { queue -> Bool in
                guard !queue.isClosed, queue.waitingCount < Self.queuedJobCountMaximum else { return false }
                queue.append { job { continuation.resume(returning: $0) } }
                return true
            }
            if accepted { queue.signalOne() } else {
                continuation.resume(returning: .failure(
                    GraphError(.overloaded, "\(Self.queuedJobCountMaximum) requests wait already, or the server is stopping: try again later")))
            }
        }
        return try result.get()
    }

    /// Runs a query within a job. When it turns out to be long another thread takes the job's place beside it, up to a
    /// number of them: short queries do not wait for long ones, they share the cores with them.
    func attending<R>(
        _ control: ExecutionControl, _ body: () throws(GraphError) -> R
    ) throws(GraphError) -> R {
        let isLong = SharedFlag()
        control.whenLong(afterNanoseconds: Self.longNanoseconds) { [self] in
            isLong.set()
            addThread()
        }
        defer {
            control.forgetLong()
            if isLong.isSet { queue.withLock { $0.blockedCount -= 1 } }
        }
        return try body()
    }

    private static let longNanoseconds: UInt64 = 20_000_000

    private final class SharedFlag: Sendable {
        private let value = Atomic(false)
        func set() { value.store(true, ordering: .relaxed) }
        var isSet: Bool { value.load(ordering: .relaxed) }
    }

    /// Called within a job that is about to wait for somebody outside, a slow client for instance: another thread takes
    /// its place for that time, up to a number of them.
    func whileBlocked(_ body: () -> Void) {
        addThread()
        body()
        queue.withLock { $0.blockedCount -= 1 }
    }

    private func addThread() {
        let blockedCount = queue.withLock { queue in
            queue.blockedCount += 1
            return queue.blockedCount
        }
        threads.withLock { threads in
            if threads.count < threadCount + min(blockedCount, Self.spareThreadCountMaximum) {
                threads.append(makeThread(threads.count))
            }
        }
        queue.signalOne()
    }

    /// Lets what is queued finish and ends the threads.
    public func close() {
        queue.withLock { $0.isClosed = true }
        queue.signal()
        let all = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in all { thread.join() }
    }
}
