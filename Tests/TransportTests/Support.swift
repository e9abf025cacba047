import FileSystem
import GraphModel
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport

let group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton

/// What arrived at a network, in order of arrival.
final class Inbox: Sendable {
    private let state = Mutex((frames: [(bytes: [UInt8], peer: String)](), linkDowns: [String](), refusals: [String]()))

    var frames: [(bytes: [UInt8], peer: String)] { state.withLock { $0.frames } }
    var frameCount: Int { state.withLock { $0.frames.count } }
    var linkDowns: [String] { state.withLock { $0.linkDowns } }
    var refusals: [String] { state.withLock { $0.refusals } }

    var handlers: TCPNetwork.Handlers {
        TCPNetwork.Handlers(
            received: { frame, peer in self.state.withLock { $0.frames.append((frame, peer)) } },
            linkDown: { peer in self.state.withLock { $0.linkDowns.append(peer) } },
            connectionRefused: { peer in self.state.withLock { $0.refusals.append(peer) } })
    }
}

/// An address of this machine at which nobody listens, for processes that must know their own before they do.
func freeAddress() throws -> HostPort { HostPort(host: "127.0.0.1", port: try freePorts(1)[0]) }

/// Of networks whose connections are not to be cut because this machine is busy with other tests.
let patientOptions: TCPNetwork.Options = {
    var options = TCPNetwork.Options()
    options.stallTimeout = 120_000
    return options
}()

/// A network that listens on its own address.
func startNetwork(
    _ address: HostPort? = nil, listens: Bool = true
) async throws -> (network: TCPNetwork, address: String, inbox: Inbox) {
    let own: HostPort
    if let address { own = address } else { own = try freeAddress() }
    let inbox = Inbox()
    let network = TCPNetwork(ownAddress: own.description, options: patientOptions, group: group)
    network.setHandlers(inbox.handlers)
    if listens { #expect(try await network.listen(on: own) == own) }
    return (network, own.description, inbox)
}

/// Waits until `condition` holds, a minute at most: a machine that runs all tests at once can be that busy.
func eventually(
    _ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record(comment, sourceLocation: sourceLocation)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// A bare connection, to misbehave over.
final class RawConnection: Sendable {
    let channel: any Channel
    private let reader: Reader

    var bytes: [UInt8] { reader.received.withLock { $0 } }
    var isClosed: Bool { reader.isClosed.load(ordering: .acquiring) }

    static func connect(to address: String) async throws -> RawConnection {
        let target = try #require(HostPort(address))
        // The other side may close it before this task goes on.
        let reader = Reader()
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { $0.pipeline.addHandler(reader) }
            .connect(host: target.host, port: target.port).get()
        return RawConnection(channel, reader)
    }

    private init(_ channel: any Channel, _ reader: Reader) {
        self.channel = channel
        self.reader = reader
    }

    func write(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    private final class Reader: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let received = Mutex<[UInt8]>([])
        let isClosed = Atomic<Bool>(false)

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.withLock { $0.append(contentsOf: unwrapInboundIn(data).readableBytesView) }
        }
        func channelInactive(context: ChannelHandlerContext) { isClosed.store(true, ordering: .releasing) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
