import Backup
import FileSystem
import Glibc
import GraphModel
import NIOCore
import NIOPosix
import Storage
import Synchronization
import Testing
import Transport

let group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
let loopback = HostPort(host: "127.0.0.1", port: 0)

/// A fresh directory, gone afterwards with everything in it.
func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    mkdtemp(&template)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { removeAll(path) }
    try await body(path)
}

private func removeAll(_ path: String) {
    if let names = try? POSIXFileSystem().list(path) {
        for name in names { removeAll(path + "/" + name) }
    }
    remove(path)
}

func list(_ path: String) throws -> [String] { try POSIXFileSystem().list(path) }
func exists(_ path: String) -> Bool { POSIXFileSystem().exists(path) }

/// Runs what blocks on a thread that may.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await NIOThreadPool.singleton.runIfActive(body)
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

/// Runs `body`, which must fail, and returns its error.
func failure(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> GraphError {
    do {
        try await body()
    } catch let error as GraphError {
        return error
    }
    Issue.record("no error", sourceLocation: sourceLocation)
    throw CancellationError()
}

extension BackupService.Options {
    /// Keeps nothing for anybody who has gone.
    static var forgetful: Self {
        var options = Self()
        options.logKeepTime = 0
        return options
    }
}

/// A store with a writer and a backup service.
final class TestMember: Sendable {
    let store: Store
    let committer: LocalCommitter
    let service: BackupService
    let address: HostPort

    struct Setup {
        var clusterName: String?
        var service = BackupService.Options.forgetful
        var member = BackupService.Member(role: .master)
        /// Whether the service has a store to serve.
        var hasStore = true
        var retention = LogRetention.none
    }

    init(_ directory: String, _ setup: Setup = Setup()) async throws {
        var options = Store.Options()
        options.nodeRangeBits = 6
        options.relationshipRangeBits = 6
        options.logRotationByteCount = 256 << 10
        options.logPreallocationByteCount = 64 << 10
        options.logRetention = setup.retention
        let store = try Store.open(directory, options: options)
        self.store = store
        committer = try LocalCommitter(store)
        let (hasStore, member) = (setup.hasStore, setup.member)
        service = BackupService(
            clusterName: setup.clusterName, options: setup.service, group: group,
            store: { () throws(GraphError) in
                guard hasStore else { throw GraphError(.unavailable, "there is no store yet") }
                return store
            },
            member: { member })
        address = try await service.start(on: loopback)
    }

    /// Commits transactions of two nodes and a relationship each, about `byteCount` bytes long. Blocks.
    func write(_ count: Int, byteCount: Int = 100, from first: Int = 0) throws {
        for number in first..<first + count {
            let transaction = committer.begin(nodes: 2, relationships: 1)
            let text = String(
                decoding: [UInt8](repeating: UInt8(97 + number % 26), count: byteCount), as: UTF8.self)
            let a = try transaction.createNode(labels: ["A"], properties: [("number", .integer(Int64(number)))])
            let b = try transaction.createNode(labels: ["B"], properties: [("text", .string(text))])
            _ = try transaction.createRelationship(type: "TO", from: a, to: b)
            try committer.commitAndWait(transaction)
        }
    }

    func close() async {
        await service.close()
        store.close()
    }
}

/// Opens a copy as a server would and checks it.
func verify(_ directory: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> (
    report: CheckReport, applied: LogPosition
) {
    var options = Store.Options()
    options.usesLogThread = false
    let store = try Store.open(directory, options: options)
    defer { store.close() }
    let report = store.check()
    #expect(report.problems == [], sourceLocation: sourceLocation)
    return (report, store.applied)
}

/// A bare client connection.
final class RawClient: Sendable {
    let channel: any Channel
    private let closed = Atomic<Bool>(false)
    private let received = Atomic<Int>(0)

    var isClosed: Bool { closed.load(ordering: .acquiring) }
    var receivedByteCount: Int { received.load(ordering: .relaxed) }

    init(_ address: HostPort, reads: Bool) async throws {
        channel = try await ClientBootstrap(group: group).channelOption(.autoRead, value: reads)
            .connect(host: address.host, port: address.port).get()
        channel.closeFuture.whenComplete { _ in self.closed.store(true, ordering: .releasing) }
        let counter = Counter { self.received.wrappingAdd($0, ordering: .relaxed) }
        // Fails where the member has closed the connection by now.
        _ = try? await channel.pipeline.addHandler(counter).get()
    }

    func send(_ request: BackupRequest) { write(frame(request.encode())) }
    func write(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    private final class Counter: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let body: @Sendable (Int) -> Void
        init(_ body: @escaping @Sendable (Int) -> Void) { self.body = body }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { body(unwrapInboundIn(data).readableBytes) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

func frame(_ payload: [UInt8]) -> [UInt8] {
    var buffer = ByteBuffer()
    Frame.write(payload, into: &buffer)
    return Array(buffer.readableBytesView)
}

/// A member that answers a request with prepared bytes and then ends the connection.
final class FakeMember: Sendable {
    let listener: any Channel
    let address: HostPort
    /// Not the address that clients dial from, any of which may have the port once nobody listens.
    private static let host = "127.0.0.7"

    /// A member that goes quiet after some bytes.
    static func silent(_ bytes: [UInt8]) async throws -> FakeMember {
        try await FakeMember(closes: false) { _ in bytes }
    }

    init(closes: Bool = true, _ answer: @escaping @Sendable (BackupRequest) -> [UInt8]) async throws {
        listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(FrameDecoder()),
                        Script(closes) { bytes in
                            guard let request = try? BackupRequest(decoding: bytes) else { return [] }
                            return answer(request)
                        },
                    ])
                }
            }
            .bind(host: Self.host, port: 0).get()
        address = HostPort(host: Self.host, port: try #require(listener.localAddress?.port))
    }

    func close() async throws { try await listener.close().get() }

    private final class Script: ChannelInboundHandler {
        typealias InboundIn = [UInt8]
        let body: @Sendable ([UInt8]) -> [UInt8]
        let closes: Bool
        init(_ closes: Bool, _ body: @escaping @Sendable ([UInt8]) -> [UInt8]) {
            self.closes = closes
            self.body = body
        }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let (channel, closes) = (context.channel, closes)
            channel.writeAndFlush(ByteBuffer(bytes: body(unwrapInboundIn(data)))).whenComplete { _ in
                if closes { channel.close(promise: nil) }
            }
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
