internal import NIOCore

/// Runs tasks on one event loop, so that a request is parsed, answered and written on the thread that read it:
/// otherwise every `await` on the connection crosses threads twice.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        eventLoop.execute { job.runSynchronously(on: executor) }
    }
}

/// The executors of a group of event loops; they live as long as the server, since tasks do not hold on to them.
final class EventLoopExecutors: Sendable {
    private let executors: [ObjectIdentifier: EventLoopExecutor]
    private let fallback: EventLoopExecutor

    init(_ group: any EventLoopGroup) {
        var executors: [ObjectIdentifier: EventLoopExecutor] = [:]
        for eventLoop in group.makeIterator() { executors[ObjectIdentifier(eventLoop)] = EventLoopExecutor(eventLoop) }
        self.executors = executors
        fallback = EventLoopExecutor(group.next())
    }

    subscript(_ eventLoop: any EventLoop) -> EventLoopExecutor { executors[ObjectIdentifier(eventLoop)] ?? fallback }
}
