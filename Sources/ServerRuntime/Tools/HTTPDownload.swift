internal import FileSystem
internal import GraphModel
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Transport

/// Takes a long answer of a member's HTTP server as it comes; what it is read with may be slower than the server, which then
/// waits.
enum HTTPDownload {
    private static let connectTimeout: Milliseconds = 5000
    /// How long nothing may come.
    private static let silence: Milliseconds = 120_000
    private static let pause: Milliseconds = 500

    /// - Parameters:
    ///   - addresses: asked one after the other until one answers.
    ///   - patience: how long to go on when none of them does.
    /// - Throws: `.network` when an answer breaks off, `.unavailable` when nobody answers, `.general` for an error of the
    ///   server, and what `take` throws.
    static func run(
        _ addresses: [String], _ path: String, patience: Milliseconds, _ progress: ProgressDisplay,
        _ take: ([UInt8]) throws(GraphError) -> Void
    ) async throws(GraphError) {
        let targets = try addresses.map { address throws(GraphError) in
            guard let target = HostPort(address) else { throw GraphError(.configuration, "\(address): expected host:port") }
            return target
        }
        let start = monotonicNanoseconds()
        var attempt = 0
        while true {
            let target = targets[attempt % targets.count]
            var hasBegun = false
            do throws(GraphError) {
                return try await get(target, path) { piece throws(GraphError) in
                    hasBegun = true
                    try take(piece)
                }
            } catch {
                guard !hasBegun, error.code == .network || error.code == .unavailable else { throw error }
                guard monotonicNanoseconds() - start < patience.rawValue * 1_000_000 else {
                    throw GraphError(.unavailable, "no member answered for \(patience): \(error.message)")
                }
                if attempt == 0 { progress.note("\(error.message); tries again") }
            }
            attempt += 1
            if attempt % targets.count == 0 { await HTTPProbe.pause(pause) }
        }
    }

    private static func get(
        _ target: HostPort, _ path: String, _ take: ([UInt8]) throws(GraphError) -> Void
    ) async throws(GraphError) {
        // Carried through code that throws anything.
        var failure: GraphError?
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
                .connectTimeout(.milliseconds(Int64(connectTimeout.rawValue)))
                .connect(host: target.host, port: target.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            IdleStateHandler(readTimeout: .milliseconds(Int64(silence.rawValue))))
                        try channel.pipeline.syncOperations.addHandler(SilenceCloser())
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(wrappingChannelSynchronously: channel)
                    }
                }
            let request = HTTPProbe.head(.GET, target, path)
            failure = try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(.head(request))
                try await outbound.write(.end(nil))
                var refusal: (status: UInt, body: [UInt8])?
                for try await part in inbound {
                    switch part {
                    case .head(let head): if head.status != .ok { refusal = (head.status.code, []) }
                    case .body(let buffer):
                        if refusal != nil {
                            if refusal?.body.count ?? 0 < 1 << 16 { refusal?.body += buffer.readableBytesView }
                            continue
                        }
                        do throws(GraphError) { try take(Array(buffer.readableBytesView)) } catch { return error }
                    case .end:
                        return refusal.map { status, body in
                            GraphError(
                                status == 503 ? .unavailable : .general,
                                "\(target) answered \(status): \(String(decoding: body, as: UTF8.self).filter { !$0.isNewline })")
                        }
                    }
                }
                return GraphError(.network, "\(target): the connection ended within the answer")
            }
        } catch {
            throw GraphError(.network, "\(target): \(error)")
        }
        if let failure { throw failure }
    }
}

/// Ends a connection on which nothing comes any more.
private final class SilenceCloser: ChannelInboundHandler {
    typealias InboundIn = NIOAny
    typealias InboundOut = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
