/// Jobs that wait for a thread, in order. Keeps none that was taken, whether or not it ever runs empty.
package struct JobQueue {
    /// Those before `head` are taken, and nil.
    private var jobs: [(@Sendable () -> Void)?] = []
    private var head = 0
    package var isClosed = false
    /// Jobs under way, and those of them that wait for somebody outside.
    package var busyCount = 0
    package var blockedCount = 0

    package init() {}

    package var waitingCount: Int { jobs.count - head }

    /// Places that it takes, those of jobs that were taken included.
    package var placeCount: Int { jobs.count }

    package mutating func append(_ job: @escaping @Sendable () -> Void) { jobs.append(job) }

    /// The next job, if as many threads work as should.
    package mutating func takeJob(threadCount: Int) -> (@Sendable () -> Void)? {
        guard head < jobs.count, busyCount < threadCount + blockedCount, let job = jobs[head] else { return nil }
        jobs[head] = nil
        head += 1
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1024, head * 2 > jobs.count {
            jobs.removeFirst(head)
            head = 0
        }
        busyCount += 1
        return job
    }
}
