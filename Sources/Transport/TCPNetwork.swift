internal import FileSystem
internal import Glibc
public import GraphModel
public import NIOCore
internal import NIOPosix
internal import NIOTLS
internal import Synchronization

/// Connections between the processes of a cluster. Sending is best effort: frames to one peer arrive in order or not at
/// all; what cannot be queued is dropped, and the protocols above send again.
///
/// A peer is known by the address it listens on. Whoever dials says its own address first, so that answers to a peer
/// that cannot be dialled go back over its connection.
public final class TCPNetwork: Sendable {
    /// What happens on the network; called on an event loop, must not block.
    public struct Handlers: Sendable {
        public var received: @Sendable (_ frame: [UInt8], _ peer: String) -> Void
        /// An established connection with the peer ended: its process may be gone, and frames may be lost.
        public var linkDown: @Sendable (_ peer: String) -> Void
        /// The peer's machine refused a connection, and there is no other: no process listens there.
        public var connectionRefused: @Sendable (_ peer: String) -> Void
        /// TLS refused a peer; a line for the operator, at most one in ten seconds for each peer.
        public var refused: @Sendable (_ line: String) -> Void
        public init(
            received: @escaping @Sendable ([UInt8], String) -> Void, linkDown: @escaping @Sendable (String) -> Void,
            connectionRefused: @escaping @Sendable (String) -> Void = { _ in },
            refused: @escaping @Sendable (String) -> Void = { _ in }
        ) {
            self.received = received
            self.linkDown = linkDown
            self.connectionRefused = connectionRefused
            self.refused = refused
        }
    }

    public struct Options: Sendable {
        /// Bytes that may wait for one peer; beyond it frames to that peer are dropped. A single larger frame passes.
        public var queuedByteCountMaximum = 64 << 20
        /// A connection over which sent bytes stay unacknowledged for so long is cut. Otherwise a link would come back
        /// only with TCP's own retries, which after a broken network lie minutes apart.
        public var stallTimeout: Milliseconds = 5000
        public init() {}
    }

    /// Pause between two tries to reach a peer.
    static let redialDelay = TimeAmount.milliseconds(100)
    static let connectTimeout = TimeAmount.milliseconds(500)
    /// A peer that was dialled must show its certificate within this time.
    static let handshakeTimeout = TimeAmount.seconds(2)
    /// Whoever connects must say who he is within this time.
    static let greetingTimeout = TimeAmount.seconds(5)
    /// Frames are put together into writes of about this many bytes.
    static let batchByteCount = 256 << 10

    private struct State {
        var peers: [String: Peer] = [:]
        /// Bytes of frames on the way from this process to itself.
        var ownByteCount = 0
        /// When a refusal was last told, by peer.
        var refusals: [String: NIODeadline] = [:]
        var isClosed = false
    }
    private static let refusalPause = TimeAmount.seconds(10)
    private static let refusalCountMaximum = 64

    /// The address that peers know this process by.
    public let ownAddress: String
    private let options: Options
    fileprivate let security: PeerSecurity?
    private let group: any EventLoopGroup
    private let ownLoop: any EventLoop
    private let channels = OpenChannels()
    private let state = Mutex(State())
    private let handlers = Mutex<Handlers?>(nil)

    /// - Parameter security: with it every connection is TLS, both ways; without it none is.
    public init(
        ownAddress: String, options: Options = Options(), security: PeerSecurity? = nil, group: any EventLoopGroup
    ) {
        self.ownAddress = ownAddress
        self.options = options
        self.security = security
        self.group = group
        ownLoop = group.next()
    }

    /// Sets who is told of events; before that, frames are dropped.
    public func setHandlers(_ handlers: Handlers) { self.handlers.withLock { $0 = handlers } }

    /// Accepts connections and returns the address with the port that the kernel chose if it was 0. Throws
    /// `.configuration` naming the address when it is taken or not local.
    public func listen(on address: HostPort) async throws(GraphError) -> HostPort {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.channels.add(channel) }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(Self.userTimeout, value: userTimeout)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel, dialledPeer: nil) }
            }
        do {
            let channel = try await bootstrap.bind(host: address.host, port: address.port).get()
            return HostPort(host: address.host, port: channel.localAddress?.port ?? address.port)
        } catch {
            throw GraphError(
                .configuration,
                "cannot listen on \(address): \(error). Is the port in use, or the address not of this machine?")
        }
    }

    /// `TCP_USER_TIMEOUT` of Linux, in milliseconds.
    private static let userTimeout = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 18))
    private var userTimeout: ChannelOptions.Types.SocketOption.Value { .init(clamping: options.stallTimeout.rawValue) }

    // MARK: Sending

    /// Queues a frame for a peer and connects to it when need be. Never blocks.
    public func send(_ frame: [UInt8], to address: String) {
        if address == ownAddress { return sendToSelf(frame) }
        let step = state.withLock { state -> Peer.Step in
            if state.isClosed { return .none }
            return state.peers[address, default: Peer()].enqueue(
                frame, now: .now(), byteCountMaximum: options.queuedByteCountMaximum)
        }
        switch step {
        case .none: break
        case .flush(let channel): channel.eventLoop.execute { self.flush(address, channel) }
        case .dial: dial(address)
        }
    }

    /// Bytes that wait for a peer, for tests and metrics.
    package func queuedByteCount(to address: String) -> Int {
        state.withLock { $0.peers[address]?.queuedByteCount ?? 0 }
    }

    /// Delivers on an event loop, not at once: whoever sends may hold what the handler wants.
    private func sendToSelf(_ frame: [UInt8]) {
        let cost = frame.count + Peer.overheadPerFrame
        let isTaken = state.withLock { state in
            if state.isClosed { return false }
            if state.ownByteCount > 0, state.ownByteCount + cost > options.queuedByteCountMaximum { return false }
            state.ownByteCount += cost
            return true
        }
        guard isTaken else { return }
        ownLoop.execute {
            self.state.withLock { $0.ownByteCount -= cost }
            self.deliver(frame, self.ownAddress)
        }
    }

    /// Writes what waits for a peer for as long as the socket takes it; the rest stays in the queue, whose bound is the
    /// bound of the memory. On the channel's event loop.
    fileprivate func flush(_ address: String, _ channel: any Channel) {
        while true {
            let batch = state.withLock {
                $0.peers[address]?.takeBatch(for: channel, byteCount: Self.batchByteCount) ?? []
            }
            if batch.isEmpty { break }
            var buffer = channel.allocator.buffer(
                capacity: batch.reduce(0) { $0 + $1.count + Frame.headerByteCount })
            for frame in batch { Frame.write(frame, into: &buffer) }
            // TLS keeps what is not flushed without counting it.
            channel.writeAndFlush(buffer, promise: nil)
        }
    }

    // MARK: Connections

    private func dial(_ address: String) {
        guard let target = HostPort(address) else { return dialFailed(address) }
        ClientBootstrap(group: group)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(Self.userTimeout, value: userTimeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel, dialledPeer: address) }
            }
            .connect(host: target.host, port: target.port)
            .whenComplete { result in
                switch result {
                // With TLS the peer has yet to prove who it is.
                case .success(let channel): if self.security == nil { self.greet(address, channel) }
                case .failure(let error): self.dialFailed(address, isRefused: Self.isRefusal(error))
                }
            }
    }

    /// The peer that was dialled is there. On its event loop.
    fileprivate func greet(_ address: String, _ channel: any Channel) {
        var greeting = channel.allocator.buffer(capacity: 128)
        Frame.write(Greeting(address: ownAddress).encode(), into: &greeting)
        channel.write(greeting, promise: nil)
        established(address, channel, isDialled: true)
        channel.flush()
    }

    /// Whether every address that was tried said that nobody listens there.
    private static func isRefusal(_ error: any Error) -> Bool {
        guard let failures = (error as? NIOConnectionError)?.connectionErrors, !failures.isEmpty else {
            return (error as? IOError)?.errnoCode == ECONNREFUSED
        }
        return failures.allSatisfy { ($0.error as? IOError)?.errnoCode == ECONNREFUSED }
    }

    fileprivate func dialFailed(_ address: String, isRefused: Bool = false) {
        let channel = state.withLock { state -> (any Channel)? in
            state.peers[address]?.dialFailed(mayDialAt: .now() + Self.redialDelay)
            return state.peers[address]?.links.first?.channel
        }
        // The peer may have dialled meanwhile.
        if let channel {
            channel.eventLoop.execute { self.flush(address, channel) }
        } else if isRefused, !state.withLock({ $0.isClosed }) {
            handlers.withLock { $0 }?.connectionRefused(address)
        }
    }

    private func prepare(_ channel: any Channel, dialledPeer: String?) throws {
        try channels.add(channel)
        try channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(
                FrameDecoder(firstByteCountMaximum: dialledPeer == nil ? Greeting.byteCountMaximum : nil)),
            PeerHandler(self, dialledPeer: dialledPeer),
        ])
        guard let security else { return }
        if let dialledPeer {
            try security.client.secure(channel, host: HostPort(dialledPeer)?.host ?? dialledPeer)
        } else {
            try security.server.secure(channel)
        }
    }

    fileprivate func refused(_ peer: String, _ reason: String) {
        let isTold = state.withLock { state in
            let now = NIODeadline.now()
            if state.isClosed { return false }
            if let last = state.refusals[peer], now < last + Self.refusalPause { return false }
            if state.refusals.count >= Self.refusalCountMaximum { state.refusals = [:] }
            state.refusals[peer] = now
            return true
        }
        if isTold { handlers.withLock { $0 }?.refused("\(peer): TLS: \(reason)") }
    }

    /// A connection with a known peer is up. On its event loop.
    fileprivate func established(_ address: String, _ channel: any Channel, isDialled: Bool) {
        let (replaced, inUse) = state.withLock { state -> ([any Channel], (any Channel)?) in
            if state.isClosed { return ([], nil) }
            let replaced = state.peers[address, default: Peer()].add(.init(channel: channel, isDialled: isDialled))
            return (replaced, state.peers[address]?.links.first?.channel)
        }
        for channel in replaced { channel.close(promise: nil) }
        // Runs at once when the connection is gone already, so no dead one stays behind.
        channel.closeFuture.whenComplete { _ in self.ended(address, channel) }
        guard let inUse else { return }
        if inUse === channel { flush(address, channel) } else { inUse.eventLoop.execute { self.flush(address, inUse) } }
    }

    private func ended(_ address: String, _ channel: any Channel) {
        let (wasInUse, next) = state.withLock { state -> (Bool, (any Channel)?) in
            guard !state.isClosed else { return (false, nil) }
            let wasInUse = state.peers[address]?.remove(channel) ?? false
            let next = state.peers[address]?.links.first?.channel
            if state.peers[address]?.isForgettable ?? false { state.peers[address] = nil }
            return (wasInUse, next)
        }
        if let next { next.eventLoop.execute { self.flush(address, next) } }
        if wasInUse { handlers.withLock { $0 }?.linkDown(address) }
    }

    fileprivate func deliver(_ frame: [UInt8], _ peer: String) {
        if state.withLock({ $0.isClosed }) { return }
        handlers.withLock { $0 }?.received(frame, peer)
    }

    /// Closes every connection and the listener. Afterwards nothing is sent and no handler is called.
    public func close() async {
        state.withLock { state in
            state.isClosed = true
            state.peers = [:]
        }
        await channels.close()
    }
}

/// The first frame on every connection: who dials.
private struct Greeting {
    static let magic: [UInt8] = Array("MHEL".utf8)
    static let version: UInt8 = 1
    static let byteCountMaximum = 1024
    let address: String

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(raw: Self.magic)
        writer.write(Self.version)
        writer.write(string: address)
        return writer.bytes
    }

    init(address: String) { self.address = address }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard Array(try reader.readRaw(4)) == Self.magic else { throw MalformedBytes(offset: 0, detail: "no greeting") }
        let version: UInt8 = try reader.read()
        guard version == Self.version else {
            throw MalformedBytes(offset: 4, detail: "expected protocol version \(Self.version), found \(version)")
        }
        address = try reader.readString()
        guard reader.isAtEnd, HostPort(address) != nil else { throw MalformedBytes(offset: 5, detail: "no address") }
    }
}

private final class PeerHandler: ChannelInboundHandler {
    typealias InboundIn = [UInt8]
    private let network: TCPNetwork
    private let dialledPeer: String?
    private var peer: String?
    /// Whether TLS has been agreed on.
    private var isSecured = false
    private var timer: Scheduled<Void>?

    init(_ network: TCPNetwork, dialledPeer: String?) {
        self.network = network
        self.dialledPeer = dialledPeer
        peer = dialledPeer
    }

    func channelActive(context: ChannelHandlerContext) {
        if peer == nil {
            close(context.channel, in: TCPNetwork.greetingTimeout)
        } else if network.security != nil {
            close(context.channel, in: TCPNetwork.handshakeTimeout)
        }
        context.fireChannelActive()
    }

    private func close(_ channel: any Channel, in time: TimeAmount) {
        timer = channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            isSecured = true
            if let dialledPeer {
                timer?.cancel()
                network.greet(dialledPeer, context.channel)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        if let peer { return network.deliver(frame, peer) }
        timer?.cancel()
        do throws(MalformedBytes) {
            let greeting = try Greeting(decoding: frame)
            peer = greeting.address
            network.established(greeting.address, context.channel, isDialled: false)
        } catch {
            context.close(promise: nil)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let peer, context.channel.isWritable { network.flush(peer, context.channel) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        if let dialledPeer, network.security != nil, !isSecured { network.dialFailed(dialledPeer) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let reason = refusalByTLS(error) {
            let remote = context.remoteAddress.map { "a connection from \($0.ipAddress ?? "\($0)")" }
            network.refused(dialledPeer ?? remote ?? "a connection", reason)
        }
        context.close(promise: nil)
    }
}
