public import GraphModel
public import NIOCore
internal import NIOPosix
public import Storage
internal import Synchronization
public import Transport

/// Serves backups and store copies of a running database: a listener beside the other ports. Copies take no locks
/// and go at the pace of whoever takes them, or at that of ``Options/copyByteCountPerSecond``.
///
/// Event loops only move bytes; mapped files and the log are read on threads of the service's own. A copy costs at most
/// three frames of memory, of 1 MiB or one log entry each.
public final class BackupService: Sendable {
    public struct Options: Sendable {
        /// Copies that may run at once; a further client is refused with `.overloaded`.
        public var copyCountMaximum = 4
        /// Connections that may be open at once, those of status requests included; a further one is closed at once.
        public var connectionCountMaximum = 256
        /// Threads that read the store.
        public var threadCount = 2
        /// With it clients need TLS and a certificate.
        public var security: TLSServer?
        /// Bytes per second that all copies together may take; 0 is no limit.
        public var copyByteCountPerSecond: UInt64 = 0
        /// A client must have sent its request within this time.
        public var requestTimeout: Milliseconds = 10_000
        /// A client that takes nothing for so long is cut off, because its copy holds the log.
        public var stallTimeout: Milliseconds = 120_000
        /// How long a client that has been sent everything may take to put it on its disk and look through it; it is cut off
        /// then like one that takes nothing.
        public var finishTimeout: Milliseconds = 1_200_000
        /// For so long after a client with a whole store has gone its log is kept: what follows the copy is there for who
        /// opens it and goes on from its end.
        public var logKeepTime: Milliseconds = 10_000
        public init() {}
    }

    /// What the member is to its cluster at the moment.
    public struct Member: Sendable {
        public var role: BackupRole
        /// What the master has committed beyond what is applied here.
        public var lagTransactions: UInt64
        public var lag: Milliseconds

        public init(role: BackupRole, lagTransactions: UInt64 = 0, lag: Milliseconds = 0) {
            self.role = role
            self.lagTransactions = lagTransactions
            self.lag = lag
        }
    }

    /// How a request goes on.
    enum Reply: Sendable {
        case last(BackupAnswer)
        case copy(CopyStream)
    }

    let options: Options
    let threads: NIOThreadPool
    let pace: CopyPace
    let yieldingPace: YieldingPace
    private let clusterName: String?
    private let group: any EventLoopGroup
    private let store: @Sendable () throws(GraphError) -> Store
    private let member: @Sendable () -> Member
    private let slots: CopySlots
    private let channels = OpenChannels()
    private let isStarted = Mutex(false)
    /// Copies that were taken whole a moment ago; nil while the service is closed.
    private let kept = Mutex<[ObjectIdentifier: StoreCopySource]?>(nil)

    /// - Parameters:
    ///   - clusterName: `ha.cluster_name`; nil when the database stands alone.
    ///   - store: the store that serves reads now; throws while there is none. Called on a thread of the service.
    ///   - member: role and lag now. Called on a thread of the service.
    public init(
        clusterName: String?, options: Options = Options(), group: any EventLoopGroup,
        store: @escaping @Sendable () throws(GraphError) -> Store, member: @escaping @Sendable () -> Member
    ) {
        self.clusterName = clusterName
        self.options = options
        self.group = group
        self.store = store
        self.member = member
        pace = CopyPace(byteCountPerSecond: options.copyByteCountPerSecond)
        yieldingPace = YieldingPace(pace, byteCountPerSecond: options.copyByteCountPerSecond)
        slots = CopySlots(maximum: options.copyCountMaximum)
        threads = NIOThreadPool(numberOfThreads: max(1, options.threadCount))
    }

    /// Copies under way.
    public var copyCount: Int { slots.takenCount }

    /// Begins to serve and returns the address with the port that the kernel chose if it was 0. Throws `.configuration`
    /// naming the address when it is taken or not local.
    public func start(on address: HostPort) async throws(GraphError) -> HostPort {
        isStarted.withLock { isStarted in
            if !isStarted { threads.start() }
            isStarted = true
        }
        kept.withLock { $0 = $0 ?? [:] }
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.channels.add(channel) }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // The listener itself is among the open channels.
                    if self.channels.count > self.options.connectionCountMaximum { throw ChannelError.inputClosed }
                    try self.channels.add(channel)
                    let decoder = FrameDecoder(byteCountMaximum: BackupProtocol.requestByteCountMaximum)
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(decoder), BackupSession(self),
                    ])
                    try self.options.security?.secure(channel)
                }
            }
        do {
            let channel = try await bootstrap.bind(host: address.host, port: address.port).get()
            return HostPort(host: address.host, port: channel.localAddress?.port ?? address.port)
        } catch {
            throw GraphError(
                .configuration,
                "the backup service cannot listen on \(address): \(error). Is the port in use (online_backup_port), or the address not of this machine?"
            )
        }
    }

    /// Stops listening, cuts what is under way, and returns once nothing holds the store any more.
    public func close() async {
        await channels.close()
        // Unmapping can block; this is not an event loop.
        kept.withLock { $0 = nil }
        let wasStarted = isStarted.withLock { isStarted in
            defer { isStarted = false }
            return isStarted
        }
        guard wasStarted else { return }
        await withCheckedContinuation { continuation in
            threads.shutdownGracefully { _ in continuation.resume() }
        }
    }

    /// Keeps the log of a copy that was taken whole for a while.
    func keepLog(of stream: CopyStream, on loop: any EventLoop) {
        let source = stream.source
        // Who has asked for the log alone has a store that goes on from anywhere.
        if options.logKeepTime == 0 || source.files.isEmpty { return }
        let isOpen = kept.withLock { kept in
            kept?[ObjectIdentifier(source)] = source
            return kept != nil
        }
        guard isOpen else { return }
        loop.scheduleTask(in: options.logKeepTime.timeAmount) {
            // Letting go can unmap and remove files, which is nothing for an event loop.
            self.threads.submit { _ in self.kept.withLock { _ = $0?.removeValue(forKey: ObjectIdentifier(source)) } }
        }
    }

    // MARK: Answering, on a thread of the service

    /// Throws when the frame deserves no answer.
    func reply(to frame: [UInt8]) throws(GraphError) -> Reply {
        do throws(GraphError) {
            let request = try BackupRequest(decoding: frame)
            try checkCluster(request)
            switch request.kind {
            case .status: return .last(.status(status))
            case .full, .incremental, .resumed: return .copy(try beginCopy(request))
            }
        } catch {
            if error.code == .network { throw error }
            return .last(.refusal(error))
        }
    }

    private func checkCluster(_ request: BackupRequest) throws(GraphError) {
        if request.clusterName.isEmpty || request.clusterName == clusterName { return }
        guard let clusterName else {
            throw GraphError(
                .configuration,
                "this database stands alone, it is no member of cluster \"\(request.clusterName)\": ask with single://")
        }
        throw GraphError(
            .configuration,
            "this member belongs to cluster \"\(clusterName)\", not to \"\(request.clusterName)\": name the right one with -cluster"
        )
    }

    private var status: BackupStatus {
        let member = member()
        var status = BackupStatus(
            storeID: .none, role: member.role, isAvailable: false, applied: .zero,
            lagTransactions: member.lagTransactions, lag: member.lag, clusterName: clusterName ?? "")
        // No store is an answer too.
        if let store = try? store() {
            status.storeID = store.storeID
            status.isAvailable = true
            status.applied = store.applied
        }
        return status
    }

    private func beginCopy(_ request: BackupRequest) throws(GraphError) -> CopyStream {
        guard let slot = slots.take() else {
            throw GraphError(
                .overloaded,
                "as many copies as allowed are under way (\(slots.maximum)): try again later, or ask another member")
        }
        let store = try store()
        guard request.storeID == .none || request.storeID == store.storeID else {
            throw GraphError(
                .foreignStore, "this member has store \(store.storeID), the copy is to be of store \(request.storeID)")
        }
        let source = request.kind == .incremental ? try store.beginLogCopy(after: request.position) : store.beginCopy()
        return CopyStream(
            source, role: member().role, slot: slot, isResumed: request.kind == .resumed, packs: request.takesPacked,
            yields: request.yields)
    }
}
