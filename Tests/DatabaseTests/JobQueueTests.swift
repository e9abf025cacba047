import Database
import Testing

@Suite struct JobQueueTests {
    private final class Load: Sendable {}

    /// A queue that never runs empty keeps neither jobs that were taken nor their places.
    @Test func takenJobsAreLetGo() {
        var queue = JobQueue()
        weak var first: Load?
        func appendWithLoad() {
            let load = Load()
            first = load
            queue.append { _ = load }
        }
        appendWithLoad()
        queue.append {}
        _ = queue.takeJob(threadCount: 1)
        #expect(first == nil)
        for _ in 0..<100_000 {
            queue.append {}
            queue.busyCount = 0
            _ = queue.takeJob(threadCount: 1)
        }
        #expect(queue.waitingCount == 1)
        #expect(queue.placeCount < 3000)
    }

    @Test func jobsComeOnlyForFreeThreads() {
        var queue = JobQueue()
        for _ in 0..<3 { queue.append {} }
        #expect(queue.takeJob(threadCount: 1) != nil)
        #expect(queue.takeJob(threadCount: 1) == nil)
        queue.blockedCount = 1
        #expect(queue.takeJob(threadCount: 1) != nil)
        #expect(queue.takeJob(threadCount: 1) == nil)
        queue.busyCount = 0
        #expect(queue.takeJob(threadCount: 1) != nil)
        #expect(queue.waitingCount == 0)
        #expect(queue.placeCount == 0)
    }
}
