internal import FileSystem
internal import GraphModel
internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Transport

/// The client's end of a connection, for a thread that may block: frames wait in a bounded queue, and the socket is read
/// only while there is room, so a slow disk slows the member down instead of filling memory.
final class BackupConnection: Sendable {
    struct Timeouts: Sendable {
        var connect: Milliseconds = 5000
        /// Longest time without a single byte from the member.
        var silence: Milliseconds = 60_000
    }

    private struct Queue {
        var frames = CircularBuffer<[UInt8]>()
        var byteCount = 0
        /// Why no more frames will come.
        var end: GraphError?
        var isPaused = false
        var isCancelled = false
    }

    /// Reading stops while more bytes than this wait.
    private static let queuedByteCountMaximum = 8 << 20

    let peer: HostPort
    private let timeouts: Timeouts
    private let channel: any Channel
    private let queue: Monitor<Queue>
    private let lastActivity: ActivityClock
    private let taken = Atomic<UInt64>(0)

    /// Bytes of the answers so far, as they came: what ``next()`` gave may have been packed.
    var takenByteCount: UInt64 { taken.load(ordering: .relaxed) }

    /// Connects. Blocks; not for event loops or threads of the concurrency pool.
    static func open(
        _ peer: HostPort, security: TLSClient?, group: any EventLoopGroup, timeouts: Timeouts
    ) throws(GraphError) -> BackupConnection {
        let queue = Monitor(Queue())
        let clock = ActivityClock()
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(timeouts.connect.timeAmount)
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ActivityHandler(clock), ByteToMessageHandler(FrameDecoder()),
                        QueueHandler(peer: peer) { event in
                            defer { queue.signal() }
                            return queue.withLock { queue in
                                switch event {
                                case .frame(let frame):
                                    // What still arrives after cancelling would be a stream with a hole.
                                    if queue.end != nil { return false }
                                    queue.frames.append(frame)
                                    queue.byteCount += frame.count
                                case .ended(let error): queue.end = queue.end ?? error
                                case .wantsToRead: break
                                }
                                queue.isPaused = queue.byteCount >= queuedByteCountMaximum
                                return !queue.isPaused
                            }
                        },
                    ])
                    try security?.secure(channel, host: peer.host)
                }
            }
        do {
            let channel = try bootstrap.connect(host: peer.host, port: peer.port).wait()
            return BackupConnection(peer, timeouts, channel, queue, clock)
        } catch {
            throw GraphError(.network, "cannot connect to \(peer): \(Self.describe(error, timeouts.connect))")
        }
    }

    private init(
        _ peer: HostPort, _ timeouts: Timeouts, _ channel: any Channel, _ queue: Monitor<Queue>, _ clock: ActivityClock
    ) {
        self.peer = peer
        self.timeouts = timeouts
        self.channel = channel
        self.queue = queue
        lastActivity = clock
    }

    func send(_ request: BackupRequest) { send(request.encode()) }

    func send(_ selection: CopySelection) { send(selection.bits) }

    private func send(_ payload: [UInt8]) {
        var buffer = channel.allocator.buffer(capacity: 256)
        Frame.write(payload, into: &buffer)
        channel.writeAndFlush(buffer, promise: nil)
    }

    /// Lets some time pass before the next answer is taken, unless the copy is cancelled.
    func pause(nanoseconds: UInt64) {
        guard nanoseconds > 0 else { return }
        let _: Void? = queue.wait(untilNanoseconds: monotonicNanoseconds() + nanoseconds) { $0.isCancelled ? () : nil }
    }

    /// The next answer. Blocks until it is there. Throws when the member refuses, when the connection ends, or when the
    /// member is silent for too long.
    func next() throws(GraphError) -> BackupAnswer {
        let frame = try nextFrame()
        taken.add(UInt64(frame.count), ordering: .relaxed)
        let answer: BackupAnswer
        do throws(GraphError) { answer = try BackupAnswer(decoding: frame) } catch {
            throw GraphError(error.code, "\(peer): \(error.message)")
        }
        if case .refusal(let error) = answer { throw GraphError(error.code, "\(peer) refuses: \(error.message)") }
        return answer
    }

    private func nextFrame() throws(GraphError) -> [UInt8] {
        let start = monotonicNanoseconds()
        let silence = timeouts.silence.rawValue * 1_000_000
        while true {
            // Time in which this thread was busy elsewhere is not the member's silence.
            let deadline = max(start, lastActivity.nanoseconds) + silence
            if monotonicNanoseconds() >= deadline {
                throw GraphError(.network, "\(peer) has sent nothing for \(timeouts.silence.rawValue / 1000) s")
            }
            let result: Result<[UInt8], GraphError>? = queue.wait(untilNanoseconds: deadline) { queue in
                if let frame = queue.frames.popFirst() {
                    queue.byteCount -= frame.count
                    return .success(frame)
                }
                return queue.end.map { .failure($0) }
            }
            guard let result else { continue }
            let mayRead = queue.withLock { queue in
                let mayRead = queue.isPaused && queue.byteCount < Self.queuedByteCountMaximum / 2
                if mayRead { queue.isPaused = false }
                return mayRead
            }
            if mayRead { channel.read() }
            return try result.get()
        }
    }

    /// Ends waiting with an error, from any thread.
    func cancel(_ error: GraphError) {
        queue.withLock { queue in
            queue.frames.removeAll()
            queue.byteCount = 0
            queue.end = error
            queue.isCancelled = true
        }
        queue.signal()
        close()
    }

    func close() { channel.close(promise: nil) }

    private static func describe(_ error: any Error, _ timeout: Milliseconds) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return describe(first.error, timeout) }
            return "the name cannot be resolved"
        case let error as IOError where error.errnoCode == 111:
            return "connection refused; is the server up and its backup service on (online_backup_enabled=true)?"
        case let error as IOError: return "\(error)"
        case ChannelError.connectTimeout: return "no answer within \(timeout.rawValue) ms"
        default: return "\(error)"
        }
    }
}

/// When the last byte arrived, on the monotonic clock.
private final class ActivityClock: Sendable {
    private let value = Atomic<UInt64>(0)
    var nanoseconds: UInt64 { value.load(ordering: .relaxed) }
    func touch() { value.store(monotonicNanoseconds(), ordering: .relaxed) }
}

private final class ActivityHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let clock: ActivityClock
    init(_ clock: ActivityClock) { self.clock = clock }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        clock.touch()
        context.fireChannelRead(data)
    }
}

/// Hands frames over and reads on as long as there is room.
private final class QueueHandler: ChannelInboundHandler {
    typealias InboundIn = [UInt8]

    enum Event {
        case frame([UInt8])
        case ended(GraphError)
        case wantsToRead
    }

    private let peer: HostPort
    /// Returns whether there is room for more.
    private let report: @Sendable (Event) -> Bool
    private var hasAnswered = false

    init(peer: HostPort, report: @escaping @Sendable (Event) -> Bool) {
        self.peer = peer
        self.report = report
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasAnswered = true
        _ = report(.frame(unwrapInboundIn(data)))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if report(.wantsToRead) { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        _ = report(
            .ended(
                GraphError(
                    .network, "the connection to \(peer) ended too early: the server stopped, or the network failed")))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let message =
            error is FrameError && !hasAnswered
            ? "what listens on \(peer) is no backup service (\(error)): name the port of online_backup_port"
            : "the connection to \(peer) failed: \(error)"
        _ = report(.ended(GraphError(.network, message)))
        context.close(promise: nil)
    }
}
