internal import FileSystem
internal import GraphModel
public import NIOCore
internal import NIOPosix
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
        /// An established connection with the peer ended: its process may be gone.
        public var linkDown: @Sendable (_ peer: String) -> Void
        public init(
            received: @escaping @Sendable ([UInt8], String) -> Void, linkDown: @escaping @Sendable (String) -> Void
        ) {
            self.received = received
            self.linkDown = linkDown
        }
    }

    /// Bytes that may wait for one peer; beyond it frames to that peer are dropped.
    static let queuedByteCountMaximum = 64 << 20
    /// Pause between two tries to reach a peer.
    static let redialDelay = TimeAmount.milliseconds(100)
    static let connectTimeout = TimeAmount.milliseconds(500)

    private struct Peer {
        var outbound: (any Channel)?
        var inbound: (any Channel)?
        var isDialling = false
        var mayDialAt = NIODeadline.uptimeNanoseconds(0)
        var queue: [[UInt8]] = []
        var queuedByteCount = 0
        var isFlushScheduled = false
    }

    private struct State {
        var peers: [String: Peer] = [:]
        var listener: (any Channel)?
        var isClosed = false
    }

    /// The address that peers know this process by.
    public let ownAddress: String
    private let group: any EventLoopGroup
    private let state = Mutex(State())
    private let handlers = Mutex<Handlers?>(nil)

    public init(ownAddress: String, group: any EventLoopGroup) {
        self.ownAddress = ownAddress
        self.group = group
    }

    /// Sets who is told of events; before that, frames are dropped.
    public func setHandlers(_ handlers: Handlers) { self.handlers.withLock { $0 = handlers } }

    /// Accepts connections. Throws `.configuration` naming the address when it is taken or not local.
    public func listen(on address: HostPort) async throws -> HostPort {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.addHandlers(to: channel, dialledPeer: nil) }
            }
        do {
            let channel = try await bootstrap.bind(host: address.host, port: address.port).get()
            state.withLock { $0.listener = channel }
            return HostPort(host: address.host, port: channel.localAddress?.port ?? address.port)
        } catch {
            throw GraphError(
                .configuration, "cannot listen on \(address): \(error). Is the port in use, or the address not of this machine?")
        }
    }

    /// Queues a frame for a peer and connects to it when need be. Never blocks.
    public func send(_ frame: [UInt8], to address: String) {
        enum Step {
            case none
            case flush(any Channel)
            case dial
        }
        let step = state.withLock { state -> Step in
            if state.isClosed { return .none }
            var peer = state.peers[address] ?? Peer()
            defer { state.peers[address] = peer }
            if peer.queuedByteCount + frame.count > Self.queuedByteCountMaximum && !peer.queue.isEmpty { return .none }
            let channel = peer.outbound ?? peer.inbound
            if channel == nil && peer.isDialling && peer.queue.count > 1000 { return .none }
            if channel == nil && !peer.isDialling && peer.mayDialAt > .now() { return .none }
            peer.queue.append(frame)
            peer.queuedByteCount += frame.count
            if peer.outbound == nil && !peer.isDialling && peer.mayDialAt <= .now() {
                peer.isDialling = true
                if channel == nil { return .dial }
            }
            guard let channel, !peer.isFlushScheduled else { return .none }
            peer.isFlushScheduled = true
            return .flush(channel)
        }
        switch step {
        case .none: break
        case .flush(let channel): channel.eventLoop.execute { self.flush(address, channel) }
        case .dial: dial(address)
        }
    }

    private func flush(_ address: String, _ channel: any Channel) {
        let frames = state.withLock { state -> [[UInt8]] in
            guard var peer = state.peers[address] else { return [] }
            defer { state.peers[address] = peer }
            peer.isFlushScheduled = false
            // While the socket is full, keep the queue: it is what bounds memory.
            guard channel.isWritable else { return [] }
            defer {
                peer.queue = []
                peer.queuedByteCount = 0
            }
            return peer.queue
        }
        if frames.isEmpty { return }
        for frame in frames { channel.write(frame, promise: nil) }
        channel.flush()
    }

    fileprivate func writabilityChanged(_ peer: String?, _ channel: any Channel) {
        if let peer, channel.isWritable { flush(peer, channel) }
    }

    private func dial(_ address: String) {
        guard let target = HostPort(address) else {
            state.withLock { $0.peers[address] = nil }
            return
        }
        ClientBootstrap(group: group)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.addHandlers(to: channel, dialledPeer: address) }
            }
            .connect(host: target.host, port: target.port)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    channel.writeAndFlush(Hello(address: self.ownAddress).encode(), promise: nil)
                    let isClosed = self.state.withLock { state in
                        if !state.isClosed {
                            state.peers[address, default: Peer()].outbound = channel
                            state.peers[address]?.isDialling = false
                        }
                        return state.isClosed
                    }
                    if isClosed { channel.close(promise: nil) } else { self.flush(address, channel) }
                case .failure:
                    self.state.withLock { state in
                        state.peers[address]?.isDialling = false
                        state.peers[address]?.mayDialAt = .now() + Self.redialDelay
                        state.peers[address]?.queue = []
                        state.peers[address]?.queuedByteCount = 0
                    }
                }
            }
    }

    private func addHandlers(to channel: any Channel, dialledPeer: String?) throws {
        try channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(FrameDecoder()), MessageToByteHandler(FrameEncoder()),
            PeerHandler(self, dialledPeer: dialledPeer),
        ])
    }

    fileprivate func accepted(_ peer: String, _ channel: any Channel) {
        state.withLock { $0.peers[peer, default: Peer()].inbound = channel }
    }

    fileprivate func deliver(_ frame: [UInt8], _ peer: String) { handlers.withLock { $0 }?.received(frame, peer) }

    fileprivate func closed(_ peer: String, _ channel: any Channel) {
        let wasLive = state.withLock { state -> Bool in
            guard var entry = state.peers[peer], !state.isClosed else { return false }
            defer { state.peers[peer] = entry }
            var wasLive = false
            if entry.outbound === channel {
                entry.outbound = nil
                wasLive = true
            }
            if entry.inbound === channel {
                entry.inbound = nil
                wasLive = true
            }
            entry.isFlushScheduled = false
            entry.queue = []
            entry.queuedByteCount = 0
            return wasLive
        }
        if wasLive { handlers.withLock { $0 }?.linkDown(peer) }
    }

    /// Closes every connection and the listener.
    public func close() async {
        let channels = state.withLock { state -> [any Channel] in
            state.isClosed = true
            var channels = state.peers.values.flatMap { [$0.outbound, $0.inbound].compactMap { $0 } }
            if let listener = state.listener { channels.append(listener) }
            state.peers = [:]
            state.listener = nil
            return channels
        }
        for channel in channels { try? await channel.close().get() }
    }
}

/// The first frame on every connection: who dials.
private struct Hello {
    static let magic: [UInt8] = Array("MHEL".utf8)
    static let version: UInt8 = 1
    let address: String

    func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(raw: Self.magic)
        writer.write(Self.version)
        writer.write(string: address)
        return writer.bytes
    }

    init(address: String) { self.address = address }

    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let magic = try? reader.readRaw(4), Array(magic) == Self.magic, let version = try? reader.read(UInt8.self),
            version == Self.version, let address = try? reader.readString()
        else { return nil }
        self.address = address
    }
}

private final class PeerHandler: ChannelInboundHandler {
    typealias InboundIn = [UInt8]
    private let network: TCPNetwork
    private var peer: String?

    init(_ network: TCPNetwork, dialledPeer: String?) {
        self.network = network
        peer = dialledPeer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        if let peer { return network.deliver(frame, peer) }
        guard let hello = Hello(frame) else {
            context.close(promise: nil)
            return
        }
        peer = hello.address
        network.accepted(hello.address, context.channel)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        network.writabilityChanged(peer, context.channel)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let peer { network.closed(peer, context.channel) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
